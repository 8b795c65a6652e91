"""All lines connect at once: how long until each is logged on and its first message is accepted.

Native lines, each from an address of its own, connect, log on, send one message to the next line
and take the one that comes to them. Two lines that were there before pass P0 to each other
meanwhile. Switch and lines are two programs. Loopback only, and it stops by itself.

    python -m bench.load.storm [lines]
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop
from bench.load.legs import Line
from bench.load.lines import Place, write_lines
from bench.load.program import program
from bench.load.pulse import pulse
from bench.load.reload import percentile

from clets_core._core import frame, journal_verify

LINES = 10_000
SECONDS_MAX = 5.0
P0_PER_SECOND = 50
WAIT_SECONDS = 120.0


@dataclass
class Stormed:
    """What happened; seconds from the first connection attempt on."""

    lines: int
    start_seconds: float = 0.0
    """From the start of the program until it listened."""
    connected: list[float] = field(default_factory=list)
    logged_on: list[float] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)
    delivered: list[float] = field(default_factory=list)
    refused: int = 0
    """Connections that were cut, and frames that say no."""
    p0_before_ms: list[float] = field(default_factory=list)
    p0_during_ms: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0
    memory_bytes: int = 0
    """How much the program has grown."""

    @property
    def served(self) -> int:
        return min(len(self.accepted), len(self.delivered))


class Caller(Line):
    """Logs on, sends one message, takes one."""

    def __init__(self, place: Place, to: Place, stormed: Stormed, begun: float) -> None:
        super().__init__(place.name)
        self.message = place.message(3, "STORM", to)
        self.stormed = stormed
        self.begun = begun

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.stormed.connected.append(time.perf_counter() - self.begun)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        was_up = self.up.is_set()
        super().data_received(data)
        if self.up.is_set() and not was_up:
            self.stormed.logged_on.append(time.perf_counter() - self.begun)
            self.transport.write(frame("native", "data", self.message, sequence=1))

    def on_frames(self, frames: list[Any]) -> None:
        since = time.perf_counter() - self.begun
        for it in frames:
            if it.kind == "accept":
                self.stormed.accepted.append(since)
            elif it.kind == "data":
                numbers = {"precedence": it.precedence, "sequence": it.sequence}
                self.transport.write(frame("native", "delivered", **numbers))
                self.stormed.delivered.append(since)
            elif it.kind == "reject":
                self.stormed.refused += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.stormed.refused += 1


async def play(folder: Path, *, port_base: int, lines: int, quiet: float) -> Stormed:
    """Runs a switch, lets all lines connect, and waits until each was served or gave up."""
    stormed = Stormed(lines)
    places = [Place(number, "native") for number in range(1, lines + 1)]
    first, second = (Place(lines + number, "native") for number in (1, 2))
    write_lines(folder / "bundle", [*places, first, second], port_base=port_base)
    loop = asyncio.get_running_loop()
    callers: list[Caller] = []

    async def connect(line: Line, place: Place) -> None:
        address = {"local_addr": (place.peer, 0)}
        await loop.create_connection(lambda: line, "127.0.0.1", port_base + 1, **address)

    begun = time.perf_counter()
    async with program(folder / "bundle", folder / "journal") as switch:
        stormed.start_seconds = time.perf_counter() - begun
        async with pulse(port_base + 1, first, second, 0, P0_PER_SECOND) as beside:
            await asyncio.sleep(quiet)
            cpu, memory = switch.cpu_seconds(), switch.memory_bytes()
            begun = time.perf_counter()
            for place, to in zip(places, [*places[1:], places[0]], strict=True):
                callers.append(Caller(place, to, stormed, begun))
            async with asyncio.timeout(WAIT_SECONDS):
                await asyncio.gather(*map(connect, callers, places))
                while stormed.served + stormed.refused < lines:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            ended = time.perf_counter()
            stormed.cpu_seconds = switch.cpu_seconds() - cpu
            stormed.memory_bytes = switch.memory_bytes() - memory
        stormed.p0_before_ms = [one for one, _ in beside.between(begun - quiet, begun)]
        stormed.p0_during_ms = [one for one, _ in beside.between(begun, ended)]
        for caller in callers:
            caller.stormed = Stormed(0)
            caller.transport.abort()
    journal_verify(folder / "journal")
    return stormed


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else LINES
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="clets-bench-") as name:
        stormed = uvloop.run(play(Path(name), port_base=23_000, lines=lines, quiet=3.0))
    print(f"{lines} lines; the program listened after {stormed.start_seconds:.1f} s")
    for what in ("connected", "logged_on", "accepted", "delivered"):
        times = getattr(stormed, what)
        print(
            f"{what:10} {len(times):6}: median {percentile(times, 0.5):5.2f} s, "
            f"all {max(times):5.2f} s"
        )
    per_line = 1e6 * stormed.cpu_seconds / lines
    print(
        f"switch: {stormed.cpu_seconds:.2f} s of CPU, {per_line:.0f} us a line, "
        f"{stormed.memory_bytes / lines / 1024:.0f} KiB of memory a line"
    )
    for name, values in (("before", stormed.p0_before_ms), ("during", stormed.p0_during_ms)):
        p99 = percentile(values, 0.99)
        print(f"P0 of another line {name}: p99 {p99:.1f} ms of {len(values)}")
    held = {
        "all served, none refused": stormed.served == lines and not stormed.refused,
        f"within {SECONDS_MAX:.0f} s": max(stormed.delivered) <= SECONDS_MAX,
    }
    for what, holds in held.items():
        print(f"{'holds' if holds else 'MISSED'}: {what}")
    sys.exit(not all(held.values()))


if __name__ == "__main__":
    main()
