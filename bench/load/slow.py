"""Lines that stop reading: what the others notice, and what each costs in memory.

One generator has the lines that are measured, which send to each other at a fixed rate from
intended times. Another has those that will stop and a few that send them long messages. Half way
the slow lines read nothing any more, yet keep their connections and go on with heartbeats, and the
first generator does the same as before. Loopback only, and it stops by itself.

    python -m bench.load.slow [--lines 1000] [--slow 200] [--rate 2000] [--seconds 20]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop
from bench.load.generator import generator
from bench.load.lines import FILLER, Place, write_lines
from bench.load.program import program

from clets_core._core import journal_verify

if TYPE_CHECKING:
    from bench.load.generator import Generator, Span, Times

RATIO_MAX = 1.2
MEMORY_BYTES_MAX = 1 << 20
LONG_PER_SECOND = 2.0
"""Long messages to each slow line."""
LONG = FILLER * 64
LINES_PER_WRITER = 5
"""Slow lines that one other writes to."""
MIX = (3,)
DRAIN_SECONDS = 30.0


@dataclass
class Half:
    """Before the slow lines stop reading, or after; of the lines that are measured."""

    span: Span
    grown_bytes: int

    @property
    def accepted(self) -> Times:
        return self.span.accepted[MIX[0]]

    @property
    def delivered(self) -> Times:
        return self.span.delivered[MIX[0]]


@dataclass
class Played:
    """What happened."""

    before: Half
    after: Half
    slow: int
    whole: bool
    """All that the measured lines sent was delivered to them, and none of them was cut."""
    slow_cut: int
    waiting: int
    """Messages for the slow lines that they have not taken."""

    @property
    def bytes_per_slow_line(self) -> float:
        """What the second half cost more than the first; each message has its price anyway."""
        return (self.after.grown_bytes - self.before.grown_bytes) / self.slow


async def play(
    folder: Path, *, port_base: int, lines: int, slow: int, rate: float, seconds: float
) -> Played:
    """Runs a switch for both halves."""
    places = [Place(number, "native") for number in range(1, lines + 1)]
    write_lines(folder / "bundle", places, port_base=port_base)
    writers = max(1, slow // LINES_PER_WRITER)
    measured, writing, slow_ones = (
        places[slow + writers :],
        places[slow : slow + writers],
        places[:slow],
    )
    half = len(measured) // 2
    port = port_base + 1
    async with AsyncExitStack() as running:
        switch = await running.enter_async_context(program(folder / "bundle", folder / "journal"))

        async def connect(senders: list[Place], receivers: list[Place], text: str) -> Generator:
            load = generator(port=port, senders=senders, receivers=receivers, mix=MIX, text=text)
            return await running.enter_async_context(load)

        ordinary = await connect(measured[:half], measured[half : 2 * half], FILLER)
        long = await connect(writing, slow_ones, LONG)

        async def offer(name: str, seconds: float) -> Half:
            memory = switch.memory_bytes()
            await asyncio.gather(
                ordinary.offer(name, rate, seconds),
                long.offer(name, LONG_PER_SECOND * slow, seconds),
            )
            report = await ordinary.drain(DRAIN_SECONDS)
            return Half(report.spans[-1], switch.memory_bytes() - memory)

        # What a first message of every line costs once is no cost of slowness.
        await offer("first", seconds / 4)
        before = await offer("before", seconds)
        await long.deafen(slow)
        after = await offer("after", seconds)
        whole = (await ordinary.drain(0)).whole
        told = await long.drain(0)
    journal_verify(folder / "journal")
    return Played(before, after, slow, whole, sum(told.cut.values()), told.missing)


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
    for what in ("accepted", "delivered"):
        one, two = (getattr(half, what).p99_us for half in (played.before, played.after))
        ratios[what] = two / one
        print(
            f"{what:9} p99: {one / 1e3:.2f} ms before, {two / 1e3:.2f} ms after: {two / one:.2f} x"
        )
    each = played.bytes_per_slow_line
    print(
        f"memory of a slow line: {each / 1024:.0f} KiB; {played.waiting} messages wait for them, "
        f"{played.slow_cut} of them were cut"
    )
    held = {
        f"p99 of the others <= {RATIO_MAX} x": max(ratios.values()) <= RATIO_MAX,
        f"memory of a slow line <= {MEMORY_BYTES_MAX >> 10} KiB": each <= MEMORY_BYTES_MAX,
        "of the others nothing was lost, refused or cut": played.whole,
    }
    for what, holds in held.items():
        print(f"{'holds' if holds else 'MISSED'}: {what}")
    sys.exit(not all(held.values()))


if __name__ == "__main__":
    main()
