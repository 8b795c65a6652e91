"""Lines that stop reading: what the others notice, and what each costs in memory.

All lines send to the next one at a fixed rate from intended times, and each that will stop is sent
long messages besides. Half way the slow lines read nothing any more, yet keep their connections and
go on with heartbeats. Loopback only, and it stops by itself.

    python -m bench.load.slow [--lines 1000] [--slow 200] [--rate 2000] [--seconds 20]
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop
from bench.load.legs import Line
from bench.load.lines import FILLER, Place, write_lines
from bench.load.program import program
from bench.load.reload import percentile
from bench.load.sink import DUE, text_due

from clets_core._core import frame, journal_verify

if TYPE_CHECKING:
    from collections.abc import Sequence

RATIO_MAX = 1.2
MEMORY_BYTES_MAX = 1 << 20
LONG_PER_SECOND = 2.0
"""Long messages to each slow line."""
LONG = 64
"""How many times longer they are."""
RECEIVE_BYTES = 4096
"""What the system of a slow line takes for it, so that the switch has the rest."""
TICK_SECONDS = 0.002
DRAIN_SECONDS = 30.0


@dataclass
class Half:
    """Before the slow lines stop reading, or after. Milliseconds from the intended times."""

    sent: int = 0
    accepted_ms: list[float] = field(default_factory=list)
    delivered_ms: list[float] = field(default_factory=list)
    grown_bytes: int = 0


@dataclass
class Played:
    """What happened."""

    before: Half
    after: Half
    slow: int
    cut: int = 0
    """Connections of lines that read which the switch ended."""
    slow_cut: int = 0

    @property
    def bytes_per_slow_line(self) -> float:
        """What the second half cost more than the first; each message has its price anyway."""
        return (self.after.grown_bytes - self.before.grown_bytes) / self.slow


class Reader(Line):
    """A line that sends and, as long as it reads, takes."""

    def __init__(self, load: Load, place: Place, to: Place) -> None:
        super().__init__(place.name)
        self.load, self.place, self.to = load, place, to
        self.slow = False
        self.halves: list[Half] = []
        self.due: list[float] = []

    def send(self, to: Place, half: Half, due: float, text: str = FILLER) -> None:
        self.halves.append(half)
        self.due.append(due)
        number = len(self.due)
        body = self.place.message(3, str(number), to, f"{text_due(due)} {text}")
        self.transport.write(frame("native", "data", body, sequence=number))

    def on_frames(self, frames: list[Any]) -> None:
        now = time.perf_counter()
        for it in frames:
            if it.kind == "data":
                numbers = {"precedence": it.precedence, "sequence": it.sequence}
                self.transport.write(frame("native", "delivered", **numbers))
                found = DUE.search(it.body)
                assert found is not None, it.body
                if not self.slow:
                    due = int(found[1]) / 1e6
                    self.load.half_of(due).delivered_ms.append(1000 * (now - due))
            elif it.kind == "accept":
                due = self.due[it.sequence - 1]
                self.halves[it.sequence - 1].accepted_ms.append(1000 * (now - due))
            elif it.kind == "reject":
                raise AssertionError((it.code, it.body))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if self.slow:
            self.load.slow_cut += 1
        else:
            self.load.cut += 1


class Load:
    """All lines."""

    def __init__(self, reading: Sequence[Place], slow: Sequence[Place]) -> None:
        self.cut = self.slow_cut = 0
        self.halves: list[tuple[float, Half]] = []
        # In a ring each; nobody waits for a slow line.
        self.reading, self.slow = (
            [Reader(self, place, to) for place, to in zip(ring, [*ring[1:], ring[0]], strict=True)]
            for ring in (reading, slow)
        )
        for it in self.slow:
            it.slow = True

    def half_of(self, due: float) -> Half:
        # The text has whole microseconds.
        return next(half for begun, half in reversed(self.halves) if begun - 1e-5 <= due)

    async def offer(self, rate: float, seconds: float) -> Half:
        """Sends for some seconds."""
        half, begun = Half(), time.perf_counter()
        self.halves.append((begun, half))
        ordinary = extra = 0
        extra_rate = LONG_PER_SECOND * len(self.slow)
        while (since := time.perf_counter() - begun) < seconds:
            while ordinary / rate <= since:
                line = self.reading[ordinary % len(self.reading)]
                line.send(line.to, half, begun + ordinary / rate)
                ordinary += 1
            while extra / extra_rate <= since:
                line, to = (
                    self.reading[extra % len(self.reading)],
                    self.slow[extra % len(self.slow)],
                )
                line.send(to.place, Half(), begun + extra / extra_rate, FILLER * LONG)
                extra += 1
            await asyncio.sleep(TICK_SECONDS)
        half.sent = ordinary
        async with asyncio.timeout(DRAIN_SECONDS):
            while min(len(half.delivered_ms), len(half.accepted_ms)) < ordinary:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return half


async def play(
    folder: Path, *, port_base: int, lines: int, slow: int, rate: float, seconds: float
) -> Played:
    """Runs a switch for both halves."""
    places = [Place(number, "native") for number in range(1, lines + 1)]
    write_lines(folder / "bundle", places, port_base=port_base)
    load = Load(places[slow:], places[:slow])
    loop = asyncio.get_running_loop()
    async with program(folder / "bundle", folder / "journal") as switch:
        for line in (*load.reading, *load.slow):
            address = {"local_addr": (line.place.peer, 0)}
            await loop.create_connection(
                lambda line=line: line, "127.0.0.1", port_base + 1, **address
            )
            await line.up.wait()
        # What a first message of every line costs once is no cost of slowness.
        await load.offer(rate, seconds / 4)
        memory = switch.memory_bytes()
        before = await load.offer(rate, seconds)
        before.grown_bytes = switch.memory_bytes() - memory
        for line in load.slow:
            connection = line.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
            line.transport.pause_reading()
        memory = switch.memory_bytes()
        after = await load.offer(rate, seconds)
        after.grown_bytes = switch.memory_bytes() - memory
        played = Played(before, after, slow, cut=load.cut, slow_cut=load.slow_cut)
        for line in (*load.reading, *load.slow):
            line.transport.abort()
    journal_verify(folder / "journal")
    return played


def main() -> None:
    given = argparse.ArgumentParser(description="Lines that stop reading.")
    given.add_argument("--lines", type=int, default=1_000)
    given.add_argument("--slow", type=int, default=200, help="lines that stop reading")
    given.add_argument("--rate", type=float, default=2_000.0, help="messages a second")
    given.add_argument("--seconds", type=float, default=20.0, help="of each half")
    options = vars(given.parse_args())
    with tempfile.TemporaryDirectory(prefix="clets-bench-") as name:
        played = uvloop.run(play(Path(name), port_base=23_000, **options))
    ratios = {}
    for what in ("accepted_ms", "delivered_ms"):
        one, two = (percentile(getattr(half, what), 0.99) for half in (played.before, played.after))
        ratios[what] = two / one
        name = what.removesuffix("_ms")
        print(f"{name:9} p99: {one:.2f} ms before, {two:.2f} ms after: {two / one:.2f} x")
    each = played.bytes_per_slow_line
    print(f"memory of a slow line: {each / 1024:.0f} KiB; {played.slow_cut} of them were cut")
    held = {
        f"p99 of the others <= {RATIO_MAX} x": max(ratios.values()) <= RATIO_MAX,
        f"memory of a slow line <= {MEMORY_BYTES_MAX >> 10} KiB": each <= MEMORY_BYTES_MAX,
        "no line that reads was cut": not played.cut,
    }
    for what, holds in held.items():
        print(f"{'holds' if holds else 'MISSED'}: {what}")
    sys.exit(not all(held.values()))


if __name__ == "__main__":
    main()
