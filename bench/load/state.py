"""A state's load, from intended times: what the switch carries, how late, and with what memory.

Each measurement is a switch of its own with all its threads, and the generator beside it on the
same machine; both on any core. Loopback only, and it stops by itself.

    python -m bench.load.state [name ...] [--minutes 30]

===========  ====================================================================================
name         what
===========  ====================================================================================
california   600 messages a second, the state at its peak, for so many minutes
nation       5,000 a second, all states together, for so many minutes; what the switch adds
burst        11,000 a second for ten seconds
pipelined    messages as fast as they are delivered, from ten lines, 200 of each under way
outstanding  messages as fast as they are delivered, from a hundred lines, one of each under way
alone        600 inquiries a second, to compare with the next
broadcast    10 a second to 1,000 stations each beside 600 inquiries
outage       600 messages a second to ten lines of which three are down for half so many minutes;
             how long after they are back until nothing waits for them, while as many go on coming
year         inquiries as fast as they are answered, for a third of so many minutes
idle         memory of the sample state, and of a thousand lines that say nothing
===========  ====================================================================================

Each stretch is told in thirds: sums are those of all of it, times those of the last third.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop
from bench.load.generator import Generator, Report, generator
from bench.load.lines import HOST_PORT, Place, write_lines
from bench.load.program import Program, program

from clets_core._core import journal_verify
from clets_core.sample import write_california

if TYPE_CHECKING:
    from collections.abc import Sequence

MIX = (1, 2, 96, 1, 0)
"""Per cent of P0 to P4 in the state's traffic: confirmations, inquiries, messages to people."""
INQUIRIES = (0, 0, 1, 0, 0)
MESSAGES = (0, 0, 0, 1, 0)
BROADCASTS = (0, 0, 60, 0, 1)
"""Ten broadcasts beside 600 inquiries."""
STATIONS = 1_000
WINDOW = 1_024
DRAIN_SECONDS = 120.0
YEAR_INQUIRIES = 1.02e9
"""Of California in a year. CITE: 2.8 million a day in 2018, a figure of California DOJ."""
IDLE_LINES = 1_000
OUTAGE_RATE = 600.0
OUTAGE_LINES, OUTAGE_OF = 3, 10
OUTAGE_STEP_SECONDS = 0.25
STEPS_MAX = 250
"""Stretches that a report can tell."""


@dataclass(frozen=True)
class Load:
    """One stretch: a rate, or a window where there is none."""

    mix: Sequence[int]
    seconds: float
    rate: float = 0.0
    window: int = 0
    senders: int = 40
    stations: int = 1


@dataclass
class Carried:
    """What came of it."""

    load: Load
    report: Report
    cpu_seconds: float
    memory_bytes: list[int] = field(default_factory=list)
    """After each third of the stretch."""

    def lines(self) -> list[str]:
        """The figures, for people."""
        *_, last = self.report.spans
        legs = sum(it.done for it in self.report.spans)
        sent = sum(sum(it.sent) for it in self.report.spans)
        seconds = sum(it.seconds for it in self.report.spans)
        found = [
            f"{sent:,} sent in {seconds:,.0f} s, {sent / seconds:,.0f} a second; "
            f"{legs / seconds:,.0f} deliveries a second",
            self.report.line(),
            "memory after each third, MB: "
            + ", ".join(f"{it / 1e6:.0f}" for it in self.memory_bytes),
            f"switch: {1e6 * self.cpu_seconds / max(legs, 1):.1f} us of CPU a delivery",
        ]
        for name, times in (("accepted", last.accepted), ("delivered", last.delivered)):
            found += [
                f"P{precedence} {name} in the last third after p50 {it.p50_us / 1e3:.2f}, "
                f"p99 {it.p99_us / 1e3:.2f}, p99.9 {it.p999_us / 1e3:.2f}, "
                f"at most {it.max_us / 1e3:.1f} ms"
                for precedence, it in enumerate(times)
                if it.count
            ]
        return found


async def carry(folder: Path, load: Load, *, port_base: int) -> Carried:
    """Runs a switch under one stretch, told in thirds."""
    receivers = [Place(1, "native", WINDOW, load.stations)]
    if load.stations == 1:
        receivers = [Place(number, "native", WINDOW) for number in range(1, 11)]
    senders = [Place(100 + number, "native", WINDOW) for number in range(load.senders)]
    write_lines(folder / "bundle", [*receivers, *senders], port_base=port_base)
    mix = [precedence for precedence, share in enumerate(load.mix) for _ in range(share)]
    random.Random(1).shuffle(mix)
    asks = load.mix[2] > 0
    async with (
        program(folder / "bundle", folder / "journal") as switch,
        generator(
            port=port_base + 1,
            host_port=port_base + HOST_PORT if asks else None,
            senders=senders,
            receivers=receivers,
            mix=mix,
        ) as lines,
    ):
        memory = []
        cpu = switch.cpu_seconds()
        for number in range(3):
            await stretch(lines, f"third {number + 1}", replace(load, seconds=load.seconds / 3))
            memory.append(switch.memory_bytes())
        report = await lines.drain(DRAIN_SECONDS)
        cpu = switch.cpu_seconds() - cpu
    journal_verify(folder / "journal")
    return Carried(load, report, cpu, memory)


@dataclass
class Outage:
    """How a backlog went."""

    seconds: float
    waiting: int
    """Messages that waited when the lines came back."""
    drained_seconds: float
    """Until no more waited than come in a step; a step is the precision."""
    report: Report

    def line(self) -> str:
        """The figures, for people."""
        return (
            f"{self.waiting:,} waited after {self.seconds:.0f} s; gone in "
            f"{self.drained_seconds:.2f} s, {self.seconds / self.drained_seconds:,.0f} times real "
            f"time\n  {self.report.line()}"
        )


async def outage(folder: Path, seconds: float, *, port_base: int) -> Outage:
    """Three of ten stations' lines are down for so many seconds, and come back."""
    receivers = [Place(number, "native", WINDOW) for number in range(1, OUTAGE_OF + 1)]
    senders = [Place(100 + number, "native", WINDOW) for number in range(40)]
    write_lines(folder / "bundle", [*receivers, *senders], port_base=port_base)
    async with (
        program(folder / "bundle", folder / "journal"),
        generator(port=port_base + 1, senders=senders, receivers=receivers, mix=[3]) as lines,
    ):
        await lines.hang_up(OUTAGE_LINES)
        waiting = (await lines.offer("outage", OUTAGE_RATE, seconds)).missing
        await lines.redial()
        # Nothing is drained before the lines take it: their coming up is part of the time.
        steps = 0
        left = waiting
        while left > OUTAGE_RATE * OUTAGE_STEP_SECONDS and steps < STEPS_MAX:
            left = (await lines.offer("back", OUTAGE_RATE, OUTAGE_STEP_SECONDS)).missing
            steps += 1
        report = await lines.drain(DRAIN_SECONDS)
    journal_verify(folder / "journal")
    return Outage(seconds, waiting, max(steps, 1) * OUTAGE_STEP_SECONDS, report)


async def stretch(lines: Generator, name: str, load: Load) -> None:
    if load.window:
        await lines.keep(name, load.window, load.seconds)
    else:
        await lines.offer(name, load.rate, load.seconds)


async def memory_idle(folder: Path, *, port_base: int, lines: int) -> tuple[int, float]:
    """Memory of the sample state's switch, and what each of so many idle native lines adds."""
    write_california(folder / "sample", port_base=port_base)
    async with program(folder / "sample", folder / "journal") as switch:
        sample = switch.memory_bytes()
    places = [Place(number, "native") for number in range(1, lines + 1)]
    write_lines(folder / "bundle", places, port_base=port_base)

    async def connected(switch: Program) -> int:
        before = switch.memory_bytes()
        mix: list[int] = [3]
        async with generator(port=port_base + 1, senders=[], receivers=places, mix=mix):
            return switch.memory_bytes() - before

    async with program(folder / "bundle", folder / "second") as switch:
        return sample, await connected(switch) / lines


def main() -> None:
    given = argparse.ArgumentParser(description="A state's load.")
    given.add_argument("names", nargs="*", help="of the table; all when none is given")
    given.add_argument("--minutes", type=float, default=30.0, help="of the long stretches")
    options = given.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    seconds = 60 * options.minutes
    loads = {
        "california": Load(MIX, seconds, rate=600),
        "nation": Load(MIX, seconds, rate=5_000),
        "burst": Load(MIX, 10, rate=11_000),
        "pipelined": Load(MESSAGES, 30, window=200, senders=10),
        "outstanding": Load(MESSAGES, 30, window=1, senders=100),
        "alone": Load(INQUIRIES, 60, rate=600),
        "broadcast": Load(BROADCASTS, 60, rate=610, stations=STATIONS),
        "year": Load(INQUIRIES, seconds / 3, window=64),
    }
    others = ("outage", "idle")
    wrong = set(options.names) - {*loads, *others}
    if wrong:
        given.error(f"no such name: {', '.join(sorted(wrong))}")
    names = options.names or [*loads, *others]
    broken = False
    for name in names:
        print(f"{name}:", flush=True)
        with tempfile.TemporaryDirectory(prefix="clets-bench-") as folder:
            if name == "idle":
                sample, line = uvloop.run(
                    memory_idle(Path(folder), port_base=23_000, lines=IDLE_LINES)
                )
                print(f"  {sample / 1e6:.0f} MB; {line / 1024:.1f} KiB a connection")
                continue
            if name == "outage":
                gone = uvloop.run(outage(Path(folder), seconds / 2, port_base=23_000))
                print(f"  {gone.line()}", flush=True)
                broken |= not gone.report.whole
                continue
            carried = uvloop.run(carry(Path(folder), loads[name], port_base=23_000))
        print(*(f"  {line}" for line in carried.lines()), sep="\n", flush=True)
        if name == "year":
            done = sum(it.delivered[2].count for it in carried.report.spans)
            rate = done / sum(it.seconds for it in carried.report.spans)
            hours = YEAR_INQUIRIES / rate / 3600
            print(f"  {rate:,.0f} inquiries a second: a year of California in {hours:,.1f} hours")
        broken |= not carried.report.whole
    sys.exit(broken)


if __name__ == "__main__":
    main()
