"""A connection is cut at every byte of an exchange: nothing lost, nothing repeated unmarked.

An exchange is everything that a line does: it logs on, gets what waited for it and acknowledges
it, sends messages and gets their acknowledgements. All cuts meet one switch that runs on.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import pytest
import uvloop
from bench.load.lines import Place, write_lines
from bench.load.program import program

from clets_core._core import frame, journal_verify
from clets_core.cli.stage import free_ports
from clets_core.client import Client
from tests.integration.cutting import (
    DUPLICATE_MARK,
    Book,
    BookReceiver,
    Cut,
    Direction,
    Ending,
    Proxy,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Self

    from clets_core._core import Frame
    from clets_core.client import Received

Framing = Literal["dmpp", "native"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
ENDINGS: tuple[Ending, ...] = get_args(Ending)
FRAMINGS: tuple[Framing, ...] = get_args(Framing)
log = logging.getLogger(__name__)

PAIRS = 12
"""Lines that are cut at the same time, each with a line that it talks to."""
PRECEDENCES = (3, 0, 3)
"""Of the messages of an exchange, each way."""
RESUME_SECONDS_MAX = 1.0
"""The hard limit of the delivery contract: traffic passes again."""
LOST_SECONDS = 5.0
"""A message that is still not there is lost."""


class Pair:
    """A line that is cut, the line it talks to, and the books of both."""

    def __init__(self, number: int, framing: Framing, port_base: int) -> None:
        self.cut = Place(2 * number + 1, framing)
        self.other = Place(2 * number + 2, "native")
        self.down, self.up = Book(), Book()
        self.receiver: BookReceiver = BookReceiver(self.down)
        self.referenced = True
        """Control: without, the switch cannot know a repeated message."""
        self.slowest = 0.0
        """Seconds from a cut until traffic passed again."""
        self.exact = 0
        """Exchanges that were cut at their byte; the others were over before it."""
        self._port_base = port_base
        port = port_base + (framing == "native")
        self.proxy = Proxy(("127.0.0.1", port), self.cut.peer, framing, self.down.saw)
        self._numbers = itertools.count(1)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.proxy)
        other = Client.connect(
            "127.0.0.1",
            self._port_base + 1,
            framing="native",
            line=self.other.name,
            local_addr=self.other.peer,
            receiver=BookReceiver(self.up),
        )
        self._other = await self._stack.enter_async_context(other)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def exchange(self, *cuts: Cut) -> dict[str, int]:
        """Plays one exchange and cuts its connections, at the latest in its end.

        Gives the bytes of each way in the last connection.
        """
        self.proxy.arm(*cuts)
        # Queued before the line is there, so that they come in its first connection.
        waiting = [await self._send(self._other, self.down, it) for it in PRECEDENCES]
        client = Client.connect(
            "127.0.0.1",
            self.proxy.port,
            framing=self.cut.framing,
            line=self.cut.name,
            receiver=self.receiver,
        )
        async with client:
            probing = asyncio.create_task(self._probe(client))
            sent = asyncio.gather(*(self._send(client, self.up, it) for it in PRECEDENCES))
            for it in waiting:
                await self.down.arrives(it, LOST_SECONDS)
            for it in await sent:
                await self.up.arrives(it, LOST_SECONDS)
            # The line's last acknowledgement is on its way.
            await asyncio.sleep(0.005)
            passed = dict(self.proxy.passed)
            self.exact += self.proxy.was_cut.is_set()
            if not self.proxy.was_cut.is_set():
                self.proxy.cut_now("rst")
            await probing
        return {**passed}

    async def _probe(self, client: Client) -> None:
        """After the first cut, how long after the last a message has gone each way."""
        await self.proxy.was_cut.wait()
        up, down = await asyncio.gather(
            self._send(client, self.up, 3), self._send(self._other, self.down, 3)
        )
        await self.down.arrives(down, LOST_SECONDS)
        await self.up.arrives(up, LOST_SECONDS)
        self.slowest = max(self.slowest, time.perf_counter() - self.proxy.cut_at)

    async def _send(self, client: Client, book: Book, precedence: int) -> tuple[int, int]:
        number = next(self._numbers)
        here, there = (self.cut, self.other) if book is self.up else (self.other, self.cut)
        reference = f"{number:010}" if self.referenced else ""
        payload = here.message(precedence, reference, there, text_of(precedence, number))
        book.sent.add((precedence, number))
        receipt = await client.send(payload)
        assert receipt.accepted, receipt
        book.accepted.add((precedence, number))
        return precedence, number

    def faults(self) -> list[str]:
        return [
            *self.down.faults(numbered=self.cut.framing == "native"),
            *self.up.faults(numbered=True),
        ]


@dataclass
class Played:
    """What all pairs did."""

    pairs: list[Pair]
    seconds: float = 0.0

    @property
    def slowest(self) -> float:
        return max(pair.slowest for pair in self.pairs)

    @property
    def exact(self) -> int:
        return sum(pair.exact for pair in self.pairs)

    @property
    def accepted(self) -> int:
        return sum(len(it.up.accepted) + len(it.down.accepted) for it in self.pairs)

    @property
    def marked(self) -> int:
        """Frames down that were marked as possible duplicates."""
        return sum(marked for pair in self.pairs for _, _, marked in pair.down.wire)

    @property
    def faults(self) -> list[str]:
        return [fault for pair in self.pairs for fault in pair.faults()]


def play(
    tmp_path: Path,
    framing: Framing,
    cuts: Callable[[dict[str, int]], Sequence[Sequence[Cut]]],
    prepare: Callable[[Pair], None] = lambda _: None,
) -> Played:
    """Plays exchanges with the cuts that ``cuts`` makes of the length of one that is not cut."""

    async def run() -> Played:
        base = free_ports()
        played = Played([Pair(number, framing, base) for number in range(PAIRS)])
        places = [place for pair in played.pairs for place in (pair.cut, pair.other)]
        write_lines(tmp_path / "bundle", places, port_base=base)
        async with program(tmp_path / "bundle", tmp_path / "journal"), AsyncExitStack() as stack:
            for pair in played.pairs:
                await stack.enter_async_context(pair)
                prepare(pair)
            begun = time.perf_counter()
            work = iter(cuts(await played.pairs[0].exchange()))

            async def work_off(pair: Pair) -> None:
                for its_cuts in work:
                    await pair.exchange(*its_cuts)

            await asyncio.gather(*(work_off(pair) for pair in played.pairs))
            played.seconds = time.perf_counter() - begun
        journal_verify(tmp_path / "journal")
        log.info(
            "%s: %d exchanges cut at their byte in %.0f s, resumed within %.0f ms, %d marked",
            framing,
            played.exact,
            played.seconds,
            1000 * played.slowest,
            played.marked,
        )
        return played

    return uvloop.run(run())


def every_byte(lengths: dict[str, int]) -> list[list[Cut]]:
    """All cuts of an exchange, with an end of either kind."""
    return [
        [Cut(direction, after, ending)]
        for direction in DIRECTIONS
        for after in range(lengths[direction] + 1)
        for ending in ENDINGS
    ]


def some_bytes(lengths: dict[str, int]) -> list[list[Cut]]:
    """Enough for what is broken to show."""
    return every_byte(lengths)[::9]


def again_and_again(lengths: dict[str, int]) -> list[list[Cut]]:
    """Connections that are cut while they repair what the one before left, at any byte."""
    draw = random.Random(1)

    def cut() -> Cut:
        direction = draw.choice(DIRECTIONS)
        return Cut(direction, draw.randrange(lengths[direction]), draw.choice(ENDINGS))

    return [[cut() for _ in range(3)] for _ in range(200)]


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_cut_at_any_byte_loses_nothing(framing: Framing, tmp_path: Path) -> None:
    played = play(tmp_path, framing, every_byte)
    # The last bytes of an exchange may go before or after its end.
    assert played.exact > 1_500
    assert played.faults == []
    assert played.accepted >= 8 * played.exact
    # Without a repetition nothing would have been shown.
    assert played.marked > played.exact / 10
    assert played.slowest <= RESUME_SECONDS_MAX


@pytest.mark.parametrize("framing", FRAMINGS)
def test_cuts_of_what_repairs_a_cut_lose_nothing(framing: Framing, tmp_path: Path) -> None:
    played = play(tmp_path, framing, again_and_again)
    assert played.exact == 200
    assert played.faults == []
    assert played.marked > 200


@pytest.mark.parametrize("framing", FRAMINGS)
def test_bytes_that_come_one_by_one_are_the_same_messages(framing: Framing, tmp_path: Path) -> None:
    def one_by_one(pair: Pair) -> None:
        pair.proxy.byte_by_byte = True

    played = play(tmp_path, framing, lambda _: [[]] * 150, one_by_one)
    assert played.faults == []
    # Each message is a frame and an acknowledgement.
    assert played.accepted > 1_000


class Unlucky(BookReceiver):
    """Cannot store some messages the first time. Native lines repeat whole frames only then."""

    def __init__(self, book: Book) -> None:
        super().__init__(book)
        self.failed: set[bytes] = set()

    def take(self, messages: Sequence[Received], resume: Sequence[int]) -> None:
        for it in messages:
            if b"0 END" in it.payload and it.payload not in self.failed:
                self.failed.add(it.payload)
                raise OSError("no space")
        super().take(messages, resume)


def is_unlucky(pair: Pair) -> None:
    pair.receiver = Unlucky(pair.down)


@pytest.mark.parametrize("framing", FRAMINGS)
def test_what_could_not_be_stored_comes_again(framing: Framing, tmp_path: Path) -> None:
    played = play(tmp_path, framing, some_bytes, is_unlucky)
    assert played.faults == []
    whole = Counter(it[:2] for pair in played.pairs for it in pair.down.wire)
    assert sum(times > 1 for times in whole.values()) > 10


# What is broken must be seen. Each control breaks one promise on its way to the book.


class Forgetful(BookReceiver):
    """Acknowledges messages that it does not keep."""

    def take(self, messages: Sequence[Received], resume: Sequence[int]) -> None:
        super().take([it for it in messages if b"0 END" not in it.payload], resume)


class Confused(BookReceiver):
    """Takes the messages of one read from behind."""

    def take(self, messages: Sequence[Received], resume: Sequence[int]) -> None:
        super().take(messages[::-1], resume)


def forgets(pair: Pair) -> None:
    pair.receiver = Forgetful(pair.down)


def confuses(pair: Pair) -> None:
    pair.receiver = Confused(pair.down)


def repeats_as_new(pair: Pair) -> None:
    pair.referenced = False


def hides_the_mark(pair: Pair) -> None:
    is_unlucky(pair)

    def unmarked(it: Frame) -> bytes:
        if pair.cut.framing == "dmpp":
            body, of_kind = it.body.replace(DUPLICATE_MARK, b""), {"validation": it.validation}
            return frame("dmpp", it.kind, body, **of_kind)  # type: ignore[arg-type]
        numbers = {"sequence": it.sequence, "precedence": it.precedence, "code": it.code}
        return frame("native", it.kind, it.body, flags=0, **numbers)

    pair.proxy.change = unmarked


@pytest.mark.parametrize(
    ("framing", "broken", "seen"),
    [
        ("dmpp", forgets, "lost"),
        ("native", forgets, "lost"),
        ("native", confuses, "out of order (application)"),
        ("dmpp", repeats_as_new, "taken 2 times"),
        ("dmpp", hides_the_mark, "repeated without the mark (application)"),
        ("native", hides_the_mark, "repeated without the mark (wire)"),
    ],
)
def test_what_is_broken_is_seen(
    framing: Framing,
    broken: Callable[[Pair], None],
    seen: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What is lost is waited for.
    monkeypatch.setattr("tests.integration.test_cut.LOST_SECONDS", 0.5)
    faults = play(tmp_path, framing, some_bytes, broken).faults
    assert any(fault.startswith(seen) for fault in faults), faults
