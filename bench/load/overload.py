"""Ten times what the switch can do, from intended times: what it takes, refuses, and lets wait.

First the rated speed R is found: 60 % of the most that the switch takes, at which none is refused
and 99 % are accepted within 50 ms of when they should have been sent. Then a quiet stretch at R/2
gives what is normal, the overload comes at a multiple of R whatever is answered, and R/2 again
tells how long until all is normal. P0 and P1 are hit confirmations, P2 are inquiries that a host
answers, P3 and P4 messages to stations: 1, 4, 60, 25 and 10 % of all.

The switch has one core, with all its threads, and the generator another. Loopback only, and it
stops by itself.

    python -m bench.load.overload [--seconds 120] [--times 10] [--rate R]
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import uvloop
from bench.load.generator import Generator, Report, Span, generator
from bench.load.lines import HOST_PORT, Place, write_lines
from bench.load.program import program

from clets_core._core import journal_verify

MIX = (1, 4, 60, 25, 10)
"""Per cent of P0 to P4."""
SENDERS, RECEIVERS = 40, 10
WINDOW = 32
RATED = 0.6
"""Of the most that the switch takes."""
RATED_MS_MAX = 50.0
DRAIN_SECONDS = 90.0

GOODPUT_MIN = 0.9
P0_MS_MAX = 50.0
RECOVERY_SECONDS_MAX = 5.0
PIECE_SECONDS = 0.5
NORMAL = 2.0
"""A piece is normal whose p99 is at most this often the quiet stretch's."""
LATE = 0.1
"""So many pieces may be late when all is normal."""


def worst_ms(span: Span) -> float:
    """The highest p99 of a stretch's half seconds; of one in which none is accepted, infinite."""
    pieces = span.pieces[: int(span.seconds / PIECE_SECONDS)]
    if len(pieces) < int(span.seconds / PIECE_SECONDS) or not all(it.count for it in pieces):
        return float("inf")
    return max(it.p99_us for it in pieces) / 1e3


def recovered_after(quiet: Span, after: Span) -> float:
    """Seconds until a half second is normal behind which one in ten at most is late, as it may be
    for another reason, and none without any; infinite when there is no such."""
    normal_ms = NORMAL * worst_ms(quiet)
    steps = int(after.seconds / PIECE_SECONDS)
    pieces = [*after.pieces[:steps], *[None] * (steps - len(after.pieces))]
    empty = [piece is None or not piece.count for piece in pieces]
    late = [piece is None or piece.p99_us / 1e3 > normal_ms for piece in pieces]
    for step in range(steps):
        normal = not late[step] and sum(late[step:]) <= (steps - step) * LATE
        if normal and not any(empty[step:]):
            return PIECE_SECONDS * step
    return float("inf")


async def rated(load: Generator, seconds: float) -> float:
    """Finds the rated speed, messages a second."""
    most = (await load.keep("most", WINDOW, seconds)).spans[-1]
    await load.drain(DRAIN_SECONDS)
    rate = RATED * most.accepted_count / most.seconds
    await load.offer("rated", rate, seconds)
    tried = (await load.drain(DRAIN_SECONDS)).spans[-1]
    assert not tried.refused_count, "at the rated speed none is refused"
    waited_ms = max(it.p99_us for it in tried.accepted) / 1e3
    assert waited_ms <= RATED_MS_MAX, f"at the rated speed they wait {waited_ms:.0f} ms"
    return rate


def named(report: Report, name: str) -> Span:
    return next(it for it in report.spans if it.name == name)


@dataclass
class Played:
    """What happened."""

    report: Report
    rate: float
    """The rated speed, messages a second."""
    memory_bytes: int
    recovery_seconds: float

    def span(self, name: str) -> Span:
        return named(self.report, name)


async def play(
    folder: Path,
    *,
    port_base: int,
    seconds: float,
    times: float,
    search: float,
    rate: float = 0.0,
    after: float = 3 * RECOVERY_SECONDS_MAX,
) -> Played:
    """Runs a switch through all stretches."""
    receivers = [Place(number, "native", 1024) for number in range(1, RECEIVERS + 1)]
    senders = [Place(RECEIVERS + number, "native", 1024) for number in range(1, SENDERS + 1)]
    write_lines(folder / "bundle", [*receivers, *senders], port_base=port_base)
    mix = [precedence for precedence, share in enumerate(MIX) for _ in range(share)]
    random.Random(1).shuffle(mix)
    cores = sorted(os.sched_getaffinity(0))
    async with (
        program(folder / "bundle", folder / "journal", core=cores[0]) as switch,
        generator(
            port=port_base + 1,
            host_port=port_base + HOST_PORT,
            senders=senders,
            receivers=receivers,
            mix=mix,
            core=cores[-1],
        ) as load,
    ):
        rate = rate or await rated(load, search)
        await load.offer("quiet", rate / 2, search)
        await load.offer("overload", times * rate, seconds)
        await load.offer("after", rate / 2, after)
        report = await load.drain(DRAIN_SECONDS)
        memory = switch.memory_bytes()
    journal_verify(folder / "journal")
    quiet, after_it = (named(report, name) for name in ("quiet", "after"))
    return Played(report, rate, memory, recovered_after(quiet, after_it))


def judge(played: Played) -> dict[str, bool]:
    """The lines of the contract."""
    over = played.span("overload")
    goodput = over.done / over.seconds / played.rate
    p0 = over.accepted[0].p99_us / 1e3
    refused = sum(over.refused[0].values())
    silent = sum(over.sent) - over.accepted_count - over.refused_count
    missing, cut = played.report.missing, played.report.cut
    return {
        f"goodput {100 * goodput:.0f} % of rated, >= {100 * GOODPUT_MIN:.0f} %": goodput
        >= GOODPUT_MIN,
        f"P0 refused {refused}, not even sent {over.unsent[0]}: none": not (
            refused or over.unsent[0]
        ),
        f"P0 accepted in p99 {p0:.0f} ms, <= {P0_MS_MAX:.0f} ms": p0 <= P0_MS_MAX,
        f"without an answer {silent}, nor delivery {missing}: none": not (silent or missing),
        f"lines cut {cut}: none": not cut,
        f"normal after {played.recovery_seconds:.1f} s, <= {RECOVERY_SECONDS_MAX:.0f} s": (
            played.recovery_seconds <= RECOVERY_SECONDS_MAX
        ),
    }


def table(span: Span) -> str:
    sent, done = sum(span.sent) / span.seconds, span.done / span.seconds
    rows = [
        f"{span.name}: {sent:,.0f} sent a second for {span.seconds:.0f} s, {done:,.0f} delivered",
        "     sent   unsent accepted  ACCEPT p50      p99 delivered p50      p99  refused",
    ]
    for precedence in range(5):
        waited, under_way = span.accepted[precedence], span.delivered[precedence]
        codes = " ".join(f"E{code} {n}" for code, n in span.refused[precedence].items()) or "-"
        rows.append(
            f"P{precedence} {span.sent[precedence]:8} {span.unsent[precedence]:6} "
            f"{waited.count:8} {waited.p50_us / 1e3:11.1f}{waited.p99_us / 1e3:9.1f} "
            f"{under_way.p50_us / 1e3:12.1f}{under_way.p99_us / 1e3:9.1f}  {codes}"
        )
    return "\n".join(rows)


def main() -> None:
    given = argparse.ArgumentParser(description="Ten times what the switch can do.")
    given.add_argument("--seconds", type=float, default=120.0, help="of overload")
    given.add_argument("--times", type=float, default=10.0, help="of the rated speed")
    given.add_argument("--rate", type=float, default=0.0, help="the rated speed, if it is known")
    given.add_argument("--search", type=float, default=10.0, help="seconds of the other stretches")
    options = vars(given.parse_args())
    with tempfile.TemporaryDirectory(prefix="clets-bench-") as name:
        played = uvloop.run(play(Path(name), port_base=23_000, **options))
    for span in played.report.spans:
        print(table(span), end="\n\n")
    print(f"{played.memory_bytes / 1e6:.0f} MB in the end; milliseconds throughout")
    held = judge(played)
    for what, holds in held.items():
        print(f"{'holds' if holds else 'MISSED'}: {what}")
    sys.exit(not all(held.values()))


if __name__ == "__main__":
    main()
