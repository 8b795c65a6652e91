"""Ten times what the switch can do, from intended times: what it takes, refuses, and lets wait.

First the rated speed R is found: the fastest of some steps at which 99 % are accepted within 50 ms
of when they should have been sent. Then a quiet stretch at R/2 gives what is normal, the overload
comes at a multiple of R whatever is answered, and R/2 again tells how long until all is normal. P0
and P1 are hit confirmations, P2 are inquiries that a host answers, P3 and P4 messages to stations:
1, 4, 60, 25 and 10 % of all.

A generator in Python cannot send ten times what the switch can take, so the switch is held to a
share of a processor (cgroup); the figures are of that slower switch. Loopback only, and it stops by
itself.

    python -m bench.load.overload [--seconds 120] [--share 0.2] [--times 10] [--rate R]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from array import array
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop
from bench.load.legs import Line
from bench.load.lines import FILLER, HOST_PORT, Place, write_lines
from bench.load.program import program
from bench.load.reload import percentile
from bench.load.sink import DUE, Sink, sink, text_due

from clets_core._core import frame, journal_verify

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MIX = (1, 4, 60, 25, 10)
"""Per cent of P0 to P4."""
SENDERS, RECEIVERS = 40, 10
WINDOW = 64
UNSENT_BYTES_MAX = 4 << 20
"""Of one line: beyond, its computer has nowhere to put messages and they are not even sent."""
TICK_SECONDS = 0.002
STEPS = (0.8, 0.65, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.05)
"""Of the most that the switch takes, tried from the first on."""
RATED_MS_MAX = 50.0
DRAIN_SECONDS = 90.0
NOTICES = (b"DLY", b"NRP", b"UND")

GOODPUT_MIN = 0.9
P0_MS_MAX = 50.0
RECOVERY_SECONDS_MAX = 5.0
STEP_SECONDS = 0.5
"""Recovery is looked at in stretches of this length."""
NORMAL = 2.0
"""A stretch is normal whose p99 is at most this often the quiet one."""


@dataclass
class Span:
    """A stretch of the load. Times are in seconds; lists by precedence."""

    name: str
    begun: float = 0.0
    ended: float = 0.0
    sent: list[int] = field(default_factory=lambda: [0] * 5)
    unsent: list[int] = field(default_factory=lambda: [0] * 5)
    refused: list[Counter[int]] = field(default_factory=lambda: [Counter() for _ in range(5)])
    due: list[array[float]] = field(default_factory=lambda: [array("d") for _ in range(5)])
    waited: list[array[float]] = field(default_factory=lambda: [array("d") for _ in range(5)])
    """Of each accepted message: when it should have been sent, and until ACCEPT from then."""
    delivered: list[array[float]] = field(default_factory=lambda: [array("d") for _ in range(5)])
    """From the intended time until the station has it; P2: until the answer is back."""
    done: int = 0
    """Messages, of whatever stretch, that were delivered while this one lasted."""

    @property
    def seconds(self) -> float:
        return self.ended - self.begun

    @property
    def accepted(self) -> int:
        return sum(map(len, self.waited))

    def p99(self, begun: float, ended: float) -> float:
        """Of all acceptances of what was due in between; without any, more than any limit."""
        found = [
            waited
            for due, waits in zip(self.due, self.waited, strict=True)
            for at, waited in zip(due, waits, strict=True)
            if begun <= at < ended
        ]
        return percentile(found, 0.99) if found else float("inf")


class Sender(Line):
    """One line of the load."""

    def __init__(self, load: Load, place: Place, to: Place) -> None:
        super().__init__(place.name)
        self.load = load
        self.answered = self.notices = 0
        self.due = array("d")
        self.precedence = bytearray()
        self.span = bytearray()
        self.parts = []
        for precedence in range(5):
            body = place.message(precedence, "<REF>", to, f"<DUE> {FILLER}")
            body += b".OCA/<DUE>" if precedence == 2 else b""
            head, tail = body.split(b"<REF>")
            self.parts.append((head, *tail.split(b"<DUE>")))

    @property
    def has_room(self) -> bool:
        return (
            not self.transport.is_closing()
            and self.transport.get_write_buffer_size() < UNSENT_BYTES_MAX
        )

    def message(self, precedence: int, due: float) -> bytes:
        """The frame of the next message."""
        self.due.append(due)
        self.precedence.append(precedence)
        self.span.append(len(self.load.spans) - 1)
        number = len(self.due)
        head, middle, tail = self.parts[precedence]
        said = b"D%d" % int(due * 1e6) if precedence == 2 else text_due(due).encode()
        body = b"%b%d%b%b%b" % (head, number, middle, said, tail)
        return frame("native", "data", body, sequence=number)

    def on_frames(self, frames: list[Any]) -> None:
        now = time.perf_counter()
        highest: dict[int, int] = {}
        for it in frames:
            if it.kind == "data":
                highest[it.precedence] = it.sequence
                self.take(it.body, now)
            elif it.kind in {"accept", "reject"} and it.sequence:
                self.note(it, now)
            elif it.kind == "reject":
                self.load.cut[it.code] += 1
        for precedence, sequence in highest.items():
            numbers = {"precedence": precedence, "sequence": sequence}
            self.transport.write(frame("native", "delivered", **numbers))
        if self.load.closed:
            self.fill()

    def note(self, it: Any, now: float) -> None:
        """ACCEPT or REJECT of one message."""
        self.answered += 1
        place = it.sequence - 1
        span, precedence = self.load.spans[self.span[place]], self.precedence[place]
        if it.kind == "accept":
            span.due[precedence].append(self.due[place])
            span.waited[precedence].append(now - self.due[place])
        else:
            span.refused[precedence][it.code] += 1

    def take(self, body: bytes, now: float) -> None:
        """An answer of the host, or a notice."""
        if body.split(b".", 4)[3] in NOTICES:
            self.notices += 1
            return
        found = DUE.search(body)
        assert found is not None, body
        due = int(found[1]) / 1e6
        self.load.replies.extend((2, due, now - due))

    def fill(self) -> None:
        """Keeps the window full."""
        chunk = []
        while len(self.due) - self.answered < WINDOW:
            precedence = next(self.load.mix)
            self.load.spans[-1].sent[precedence] += 1
            chunk.append(self.message(precedence, time.perf_counter()))
        self.transport.write(b"".join(chunk))


class Load:
    """All senders."""

    def __init__(self, senders: Sequence[Place], receivers: Sequence[Place]) -> None:
        self.spans: list[Span] = []
        self.closed = False
        self.cut: Counter[int] = Counter()
        """Lines that the switch ended, by its reason."""
        self.replies = array("d")
        draw = random.Random(1)
        deck = [precedence for precedence, share in enumerate(MIX) for _ in range(share)]
        draw.shuffle(deck)
        self.mix = _repeat(deck)
        self.senders = [
            Sender(self, place, receivers[number % len(receivers)])
            for number, place in enumerate(senders)
        ]

    def begin(self, name: str) -> Span:
        span = Span(name, begun=time.perf_counter())
        self.spans.append(span)
        return span

    @property
    def unanswered(self) -> int:
        return sum(len(it.due) - it.answered for it in self.senders)

    async def rated(self, receivers: Sink, seconds: float) -> float:
        """Finds the rated speed, messages a second."""
        most = await self.keep_full(seconds)
        for step in STEPS:
            await self.drained(receivers, DRAIN_SECONDS)
            rate = step * most.accepted / most.seconds
            tried = await self.offer("rated", rate, seconds)
            await self.drained(receivers, DRAIN_SECONDS)
            if 1000 * tried.p99(tried.begun, tried.ended) <= RATED_MS_MAX:
                return rate
        raise AssertionError(f"no speed was slow enough: {1000 * tried.p99(0, tried.ended):.0f} ms")

    async def keep_full(self, seconds: float) -> Span:
        """As fast as the switch accepts."""
        span = self.begin("most")
        self.closed = True
        for it in self.senders:
            it.fill()
        await asyncio.sleep(seconds)
        self.closed = False
        span.ended = time.perf_counter()
        return span

    async def offer(self, name: str, rate: float, seconds: float) -> Span:
        """At a fixed rate from the intended time, whatever is answered."""
        span = self.begin(name)
        offered, turn, total = 0, 0, round(rate * seconds)
        while offered < total:
            due_now = min(int((time.perf_counter() - span.begun) * rate), total)
            step = max(1, (due_now - offered) // len(self.senders))
            while offered < due_now:
                turn = (turn + 1) % len(self.senders)
                sender, chunk = self.senders[turn], []
                has_room = sender.has_room
                for number in range(offered, min(offered + step, due_now)):
                    precedence = next(self.mix)
                    if has_room:
                        span.sent[precedence] += 1
                        due = span.begun + number / rate
                        chunk.append(sender.message(precedence, due))
                    else:
                        span.unsent[precedence] += 1
                offered = min(offered + step, due_now)
                if chunk:
                    sender.transport.write(b"".join(chunk))
            await asyncio.sleep(TICK_SECONDS)
        span.ended = time.perf_counter()
        return span

    async def drained(self, receivers: Sink, seconds: float) -> int:
        """Waits until all that was accepted is delivered or has a notice; gives what is missing."""
        until = time.perf_counter() + seconds
        while True:
            accepted = sum(span.accepted for span in self.spans)
            came = sum(await receivers.counts()) + len(self.replies) // 3
            came += sum(it.notices for it in self.senders)
            if self.unanswered == 0 and came >= accepted:
                return 0
            if time.perf_counter() > until:
                return self.unanswered + accepted - came
            await asyncio.sleep(0.2)

    def sort(self, delays: array[float]) -> None:
        """Puts what was delivered to the stretches in which it was due, and came."""
        for number in range(0, len(delays), 3):
            precedence, due, under_way = delays[number : number + 3]
            for span in self.spans:
                # The text has whole microseconds.
                if span.begun - 1e-5 <= due < span.ended:
                    span.delivered[int(precedence)].append(under_way)
                span.done += span.begun <= due + under_way < span.ended


def _repeat(deck: Sequence[int]) -> Iterator[int]:
    while True:
        yield from deck


@contextmanager
def share_of_processor(share: float) -> Iterator[Path | None]:
    """A cgroup whose processes get that share of one processor; none for a whole one."""
    if share >= 1:
        yield None
        return
    # The shortest that the kernel allows: the switch stands still for the rest of each period.
    quota_us = 1_000
    period_us = int(quota_us / share)
    old = Path("/sys/fs/cgroup/cpu")
    group = (old if old.is_dir() else old.parent) / f"clets-bench-{os.getpid()}"
    group.mkdir()
    try:
        if old.is_dir():
            (group / "cpu.cfs_period_us").write_text(str(period_us))
            (group / "cpu.cfs_quota_us").write_text(str(quota_us))
        else:
            (group / "cpu.max").write_text(f"{quota_us} {period_us}")
        yield group
    finally:
        group.rmdir()


@dataclass
class Played:
    """What happened."""

    spans: dict[str, Span]
    rate: float
    """The rated speed, messages a second."""
    missing: int
    """Accepted, and neither delivered nor told of when the time was over."""
    memory_bytes: int
    cut: Counter[int]
    recovery_seconds: float = float("inf")


async def play(
    folder: Path,
    *,
    port_base: int,
    seconds: float,
    times: float,
    share: float,
    search: float,
    rate: float = 0.0,
    after: float = 3 * RECOVERY_SECONDS_MAX,
) -> Played:
    """Runs a switch through all stretches."""
    receivers = [Place(number, "native", 1024) for number in range(1, RECEIVERS + 1)]
    senders = [Place(RECEIVERS + number, "native", 1024) for number in range(1, SENDERS + 1)]
    write_lines(folder / "bundle", [*receivers, *senders], port_base=port_base)
    load = Load(senders, receivers)
    loop = asyncio.get_running_loop()
    ports = (port_base + 1, port_base + HOST_PORT)
    with share_of_processor(share) as group:
        async with program(folder / "bundle", folder / "journal") as switch:
            async with sink(*ports, folder / "delays", receivers) as others:
                for line, place in zip(load.senders, senders, strict=True):
                    address = {"local_addr": (place.peer, 0)}
                    await loop.create_connection(
                        lambda line=line: line, "127.0.0.1", ports[0], **address
                    )
                    await line.up.wait()
                # The host is dialled again and again; inquiries before that would not go out.
                await asyncio.sleep(1.0)
                if group is not None:
                    (group / "cgroup.procs").write_text(str(switch.pid))
                rate = rate or await load.rated(others, search / 3)
                quiet = await load.offer("quiet", rate / 2, search)
                await load.offer("overload", times * rate, seconds)
                last = await load.offer("after", rate / 2, after)
                missing = await load.drained(others, DRAIN_SECONDS)
                memory = switch.memory_bytes()
                if group is not None:
                    # The rest need not be slow.
                    (group.parent / "cgroup.procs").write_text(str(switch.pid))
            for line in load.senders:
                line.transport.abort()
    load.sort(others.delays)
    load.sort(load.replies)
    journal_verify(folder / "journal")
    played = Played({span.name: span for span in load.spans}, rate, missing, memory, load.cut)
    normal = NORMAL * quiet.p99(quiet.begun, quiet.ended)
    steps = int(last.seconds / STEP_SECONDS)
    late = [
        step
        for step in range(steps)
        if last.p99(begun := last.begun + step * STEP_SECONDS, begun + STEP_SECONDS) > normal
    ]
    if steps - 1 not in late:
        played.recovery_seconds = STEP_SECONDS * (late[-1] + 1 if late else 0)
    return played


def judge(played: Played) -> dict[str, bool]:
    """The lines of the contract."""
    over = played.spans["overload"]
    goodput = over.done / over.seconds / played.rate
    p0 = 1000 * percentile(list(over.waited[0]) or [float("inf")], 0.99)
    refused = sum(over.refused[0].values())
    silent = sum(over.sent) - over.accepted - sum(it.total() for it in over.refused)
    return {
        f"goodput {100 * goodput:.0f} % of rated, >= {100 * GOODPUT_MIN:.0f} %": goodput
        >= GOODPUT_MIN,
        f"P0 refused {refused}, not even sent {over.unsent[0]}: none": not (
            refused or over.unsent[0]
        ),
        f"P0 accepted in p99 {p0:.0f} ms, <= {P0_MS_MAX:.0f} ms": p0 <= P0_MS_MAX,
        f"without an answer {silent}, nor delivery {played.missing}: none": not (
            silent or played.missing
        ),
        f"lines cut {dict(played.cut)}: none": not played.cut,
        f"normal after {played.recovery_seconds:.1f} s, <= {RECOVERY_SECONDS_MAX:.0f} s": (
            played.recovery_seconds <= RECOVERY_SECONDS_MAX
        ),
    }


def table(span: Span) -> str:
    def of(values: array[float], share: float) -> str:
        return f"{1000 * percentile(list(values), share):9.1f}" if values else f"{'-':>9}"

    sent, done = sum(span.sent) / span.seconds, span.done / span.seconds
    rows = [
        f"{span.name}: {sent:,.0f} sent a second for {span.seconds:.0f} s, {done:,.0f} delivered",
        "     sent   unsent accepted  ACCEPT p50      p99 delivered p50      p99  refused",
    ]
    for precedence in range(5):
        waited, delivered = span.waited[precedence], span.delivered[precedence]
        codes = " ".join(f"E{code} {n}" for code, n in span.refused[precedence].items()) or "-"
        rows.append(
            f"P{precedence} {span.sent[precedence]:7} {span.unsent[precedence]:7} {len(waited):8} "
            f"{of(waited, 0.5):>11}{of(waited, 0.99)} {of(delivered, 0.5):>12}"
            f"{of(delivered, 0.99)}  {codes}"
        )
    return "\n".join(rows)


def main() -> None:
    given = argparse.ArgumentParser(description="Ten times what the switch can do.")
    given.add_argument("--seconds", type=float, default=120.0, help="of overload")
    given.add_argument("--share", type=float, default=0.2, help="of a processor, for the switch")
    given.add_argument("--times", type=float, default=10.0, help="of the rated speed")
    given.add_argument("--rate", type=float, default=0.0, help="the rated speed, if it is known")
    given.add_argument("--search", type=float, default=10.0, help="seconds of the other stretches")
    options = vars(given.parse_args())
    with tempfile.TemporaryDirectory(prefix="clets-bench-") as name:
        played = uvloop.run(play(Path(name), port_base=23_000, **options))
    for span in played.spans.values():
        print(table(span), end="\n\n")
    print(f"{played.memory_bytes / 1e6:.0f} MB in the end; milliseconds throughout")
    held = judge(played)
    for what, holds in held.items():
        print(f"{'holds' if holds else 'MISSED'}: {what}")
    sys.exit(not all(held.values()))


if __name__ == "__main__":
    main()
