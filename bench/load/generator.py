"""Drives the generator, a program of its own that sends from intended times and measures from them.

It is in Rust, for it must send ten times what the switch can take from the other core, and be no
part of what is measured. `bench/generator` says what it is told and what it tells.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

import clets_core

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from bench.load.lines import Place

ROOT = Path(__file__).resolve().parents[2]
REPORT_BYTES_MAX = 1 << 24


class Times(msgspec.Struct):
    """How long something took, microseconds."""

    count: int
    p50_us: int
    p99_us: int
    p999_us: int
    max_us: int


class Span(msgspec.Struct):
    """A stretch of the load; lists by precedence."""

    name: str
    seconds: float
    sent: list[int]
    unsent: list[int]
    """Not even sent: the line's computer had nowhere to put them."""
    refused: list[dict[int, int]]
    """By code."""
    accepted: list[Times]
    """From the intended time until ACCEPT."""
    delivered: list[Times]
    """From the intended time until the station has it; P2: until the answer is back."""
    pieces: list[Times]
    """ACCEPT of all precedences, by half seconds of the intended time."""
    done: int
    """Messages, of whatever stretch, that were delivered while this one lasted."""

    @property
    def accepted_count(self) -> int:
        return sum(it.count for it in self.accepted)

    @property
    def refused_count(self) -> int:
        return sum(sum(codes.values()) for codes in self.refused)


class Report(msgspec.Struct):
    """What happened so far."""

    spans: list[Span]
    unanswered: int
    missing: int
    """Accepted, and neither delivered nor told of; of a broadcast, each copy."""
    notices: int
    """Told of, and not delivered."""
    reminders: int
    """Of confirmations that nobody gave in time: the lines here answer none of them."""
    cut: dict[int, int]
    """Lines that the switch ended, by its reason."""

    @property
    def refused(self) -> Counter[int]:
        """Of all stretches, by code."""
        refused: Counter[int] = Counter()
        for by_code in (it for span in self.spans for it in span.refused):
            refused.update(by_code)
        return refused

    @property
    def whole(self) -> bool:
        """Nothing lost, refused, expired or unanswered."""
        unsent = sum(sum(it.unsent) for it in self.spans)
        short = self.refused or unsent or self.missing or self.unanswered or self.notices
        return not (short or self.cut)

    def line(self) -> str:
        """What fell short, for people."""
        codes = ", ".join(f"E{code} {count:,}" for code, count in sorted(self.refused.items()))
        return (
            f"refused {codes or 0}, not even sent {sum(sum(it.unsent) for it in self.spans)}, "
            f"lost {self.missing}, without an answer {self.unanswered}, "
            f"expired or not forwarded {self.notices}, reminders {self.reminders}, "
            f"lines cut {sum(self.cut.values())}"
        )


class Generator:
    """The running program."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child

    async def _told(self, order: dict[str, Any]) -> bytes:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(order).encode() + b"\n")
        line = await self._child.stdout.readline()
        assert line, "the generator ended"
        return line

    async def _report(self, order: dict[str, Any]) -> Report:
        return msgspec.json.decode(await self._told(order), type=Report)

    async def begin(self, scene: dict[str, Any]) -> None:
        await self._told(scene)

    async def offer(self, name: str, rate: float, seconds: float) -> Report:
        """So many messages a second, whatever is answered."""
        return await self._report({"offer": {"name": name, "rate": rate, "seconds": seconds}})

    async def keep(self, name: str, window: int, seconds: float) -> Report:
        """As fast as the switch accepts and delivers, so many of each line under way."""
        return await self._report({"keep": {"name": name, "window": window, "seconds": seconds}})

    async def drain(self, seconds: float) -> Report:
        """Waits until all that was accepted is delivered or has a notice."""
        return await self._report({"drain": {"seconds": seconds}})

    async def deafen(self, receivers: int) -> Report:
        """The first so many receivers read nothing any more, but go on with heartbeats."""
        return await self._report({"deafen": {"lines": receivers}})

    async def hang_up(self, receivers: int) -> Report:
        """The first so many receivers end their connections."""
        return await self._report({"hangup": {"lines": receivers}})

    async def redial(self) -> Report:
        """Those that hung up come back, and go on where they were."""
        return await self._report({"redial": {}})


def _program() -> Path:
    """Builds it, in the profile that the switch has: one that is being developed is in its tree."""
    release = not Path(clets_core.__file__).is_relative_to(ROOT / "python")
    profile = ["--release"] if release else []
    subprocess.run(
        ["cargo", "build", "--locked", "--quiet", *profile, "-p", "clets-generator"],
        cwd=ROOT,
        check=True,
    )
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / ("release" if release else "debug") / "clets-generator"


def messages(place: Place, to: Place, text: str) -> list[str]:
    """By precedence, what a line sends to another, with places for reference and intended time."""
    text = f"DUE <DUE> END {text}".rstrip()
    found = [place.message(precedence, "<REF>", to, text).decode() for precedence in range(5)]
    # An inquiry has no text; the host finds the time in its case number.
    found[2] += ".OCA/D<DUE>"
    return found


@asynccontextmanager
async def generator(
    *,
    port: int,
    senders: Sequence[Place],
    receivers: Sequence[Place],
    mix: Sequence[int],
    text: str = "",
    host_port: int | None = None,
    core: int | None = None,
) -> AsyncIterator[Generator]:
    """Connects all lines; each sender writes to one receiver. All are connected at first.

    All receivers have equally many stations, and what is sent with P4 is for all of one. Messages
    have this text besides their intended time.
    """
    program = await asyncio.to_thread(_program)
    child = await asyncio.create_subprocess_exec(
        program,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=REPORT_BYTES_MAX,
        preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
    )
    lines: list[dict[str, Any]] = [{"name": it.name, "peer": it.peer} for it in receivers]
    for number, it in enumerate(senders):
        to = receivers[number % len(receivers)]
        lines.append({"name": it.name, "peer": it.peer, "messages": messages(it, to, text)})
    scene = {
        "port": port,
        "host_port": host_port,
        "lines": lines,
        "mix": list(mix),
        "copies": [1, 1, 1, 1, receivers[0].stations],
    }
    found = Generator(child)
    try:
        await found.begin(scene)
        yield found
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()
