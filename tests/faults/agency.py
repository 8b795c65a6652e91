"""Agencies under load: lines that send as much as they may, and note all that they are told.

The package's client hides what these tests must see: it drops repetitions, and comes back by
itself. So these speak the protocols themselves.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, NamedTuple, cast

import msgspec

from clets_core._core import Framer, frame
from tests.faults.history import Note, Taken, text_of

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from clets_core._core import Frame
    from tests.faults.history import History

WINDOW = 128
"""Messages of one line that the switch has not answered."""
UNDER_WAY_MAX = 1000
"""Messages that wait for their receivers: queues are never empty, and drained in a moment."""
MARK = b"POSSIBLE DUPLICATE MESSAGE"
REFERENCE = re.compile(rb"#([A-Z]\d+)#")
ACKNOWLEDGE_LATER_S = 0.01
HANG_UP_S = 0.2


class Place(NamedTuple):
    """An agency of the sample that can write to the others."""

    line: str
    peer: str
    framing: str
    station: str
    user: str
    ori: str


CAD = Place("cad-01", "127.0.2.2", "native", "I0340001", "U000041", "CA0340100")
MSC = Place("msc-01", "127.0.2.1", "native", "M0010003", "U000031", "CA0010100")
LOS_ANGELES = Place("county-019", "127.0.1.19", "dmpp", "A0190001", "U000001", "CA0190000")
SAN_FRANCISCO = Place("county-038", "127.0.1.38", "dmpp", "A0380001", "", "")
SENDERS = {
    MSC: ((CAD,), (SAN_FRANCISCO,), (CAD, SAN_FRANCISCO)),
    LOS_ANGELES: ((CAD,), (SAN_FRANCISCO,), (CAD, SAN_FRANCISCO), (MSC,)),
}


class Outgoing(NamedTuple):
    number: int
    note: Note
    payload: bytes


class Line(asyncio.Protocol):
    """What the two protocols have in common. One object over all connections of a line."""

    framing: ClassVar[str]

    def __init__(self, place: Place, history: History, chance: random.Random) -> None:
        self.place = place
        self.history = history
        self.chance = chance
        self.up = asyncio.Event()
        self.lost = asyncio.Event()
        self.lost.set()
        self.sending = False
        """Whether new messages are made; what has no answer goes out again in any case."""
        self.unanswered: deque[Outgoing] = deque()
        self._made = 0
        self._number = 0
        self._pause: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._framer = Framer(self.framing, 1 << 20)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._framer = Framer(self.framing, 1 << 20)
        self.lost.clear()
        self.begin()

    def data_received(self, data: bytes) -> None:
        for it in self._framer.feed(data):
            self.on_frame(it)
        self.acknowledge()
        self.pump()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._transport = None
        self.up.clear()
        self.lost.set()
        self.forget()

    def recall(self, other: Line) -> None:
        """Becomes what another object of this line is now, but for its connection."""
        self.unanswered = deque(other.unanswered)
        self._made, self._number = other._made, other._number

    def begin(self) -> None:
        raise NotImplementedError

    def on_frame(self, it: Frame) -> None:
        raise NotImplementedError

    def forget(self) -> None:
        """Lets go of what was received and not yet acknowledged: it must come again, marked."""
        raise NotImplementedError

    def flush(self) -> None:
        """Acknowledges what was received."""
        raise NotImplementedError

    def acknowledge(self) -> None:
        """Now or a little later, so that a fault finds messages on the wire."""
        if self.chance.random() < 0.5:
            self.flush()
        else:
            asyncio.get_running_loop().call_later(ACKNOWLEDGE_LATER_S, self.flush)

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def start(self) -> None:
        """Begins to make messages."""
        self.sending = True
        self.pump()

    def pump(self) -> None:
        """Sends new messages while the switch has answered enough."""
        batch = []
        while self.sending and self.up.is_set() and len(self.unanswered) < WINDOW:
            if len(self.history.under_way) >= UNDER_WAY_MAX:
                self._pump_later()
                break
            outgoing = self._make()
            self.unanswered.append(outgoing)
            batch.append(self.encoded(outgoing))
        if batch:
            self.write(b"".join(batch))

    def _pump_later(self) -> None:
        if self._pause is None:
            loop = asyncio.get_running_loop()
            self._pause = loop.call_later(ACKNOWLEDGE_LATER_S, self._pump_again)

    def _pump_again(self) -> None:
        self._pause = None
        self.pump()

    def encoded(self, outgoing: Outgoing) -> bytes:
        raise NotImplementedError

    def repeat(self) -> None:
        """Sends what has no answer again: same numbers, same bytes, same order."""
        self.write(b"".join(map(self.encoded, self.unanswered)))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _make(self) -> Outgoing:
        self._made += 1
        place = self.place
        reference = f"{place.station[0]}{self._made:07}"
        to = self.chance.choice(SENDERS[place])
        text = text_of(reference)
        lines = frozenset(it.line for it in to)
        note = Note(reference, place.line, self._made, lines, text)
        self.history.send(note)
        stations = ",".join(it.station for it in to)
        head = f"{place.station}.{reference}.{place.user}.AM.{place.ori}.{stations}.TXT\r\n"
        self._number += 1
        return Outgoing(self._number, note, head.encode() + text)

    def _answered(self, number: int, smn: int) -> None:
        """The first without an answer has got one; answers come in the order of the numbers."""
        if not self.unanswered or self.unanswered[0].number != number:
            text = f"{self.place.line}: an answer to {number} came out of turn"
            self.history.violations.append(text)
            return
        self.history.accept(self.unanswered.popleft().note.reference, smn)

    def _turned_away(self, number: int, code: int) -> None:
        """A message was not taken for now, and this agency gives it up.

        Such an answer comes at once, before those that wait for the disk.
        """
        for outgoing in self.unanswered:
            if outgoing.number == number:
                self.unanswered.remove(outgoing)
                self.history.refuse(outgoing.note, code)
                return
        self.history.violations.append(f"{self.place.line}: {number} was refused out of turn")

    def _received(self, it: Frame, *, marked: bool) -> None:
        found = REFERENCE.search(it.body)
        reference = found[1].decode() if found else ""
        arrival = Taken(self.place.line, reference, it.precedence, it.sequence, marked)
        self.history.take(arrival, it.body)


class NativeLine(Line):
    """The native line protocol."""

    framing = "native"

    def __init__(self, place: Place, history: History, chance: random.Random) -> None:
        super().__init__(place, history, chance)
        self.custody = [0] * 5
        """By precedence, the last number for which DELIVERED was sent."""
        self._seen = [0] * 5
        self._last_answered = 0

    def recall(self, other: Line) -> None:
        super().recall(other)
        assert isinstance(other, NativeLine)
        self.custody, self._seen = list(other.custody), list(other.custody)
        self._last_answered = other._last_answered

    def begin(self) -> None:
        body = {"line": self.place.line, "receive": [number + 1 for number in self.custody]}
        self.write(frame("native", "logon", msgspec.json.encode(body)))

    def on_frame(self, it: Frame) -> None:
        if it.kind == "data":
            if it.sequence != self._seen[it.precedence] + 1:
                text = f"{self.place.line}: {it.sequence} came after {self._seen[it.precedence]}"
                self.history.violations.append(text)
            self._seen[it.precedence] = it.sequence
            self._received(it, marked=bool(it.flags & 1))
        elif it.kind == "accept":
            self._answered(it.sequence, int.from_bytes(it.body, "big"))
            self._last_answered = it.sequence
        elif it.kind == "reject" and it.sequence:
            self._turned_away(it.sequence, it.code)
        elif it.kind == "logon_ack":
            self._logged_on(msgspec.json.decode(it.body)["received"])
        elif it.kind != "heartbeat":
            self.history.violations.append(f"{self.place.line}: {it.kind} {it.code} {it.body!r}")

    def forget(self) -> None:
        self._seen = list(self.custody)

    def flush(self) -> None:
        for precedence, seen in enumerate(self._seen):
            if self.up.is_set() and seen > self.custody[precedence]:
                self.custody[precedence] = seen
                self.write(frame("native", "delivered", precedence=precedence, sequence=seen))

    def encoded(self, outgoing: Outgoing) -> bytes:
        return frame("native", "data", outgoing.payload, sequence=outgoing.number)

    def _logged_on(self, received: int) -> None:
        if received < self._last_answered:
            text = f"{self.place.line}: {self._last_answered} was answered, {received} is known"
            self.history.violations.append(text)
        # What the switch has keeps its number; the rest follows without the gaps that those leave
        # that were turned away.
        held = [it for it in self.unanswered if it.number <= received]
        rest = [it for it in self.unanswered if it.number > received]
        again = [it._replace(number=received + at) for at, it in enumerate(rest, 1)]
        self.unanswered = deque(held + again)
        self._number = received + len(again)
        self.up.set()
        self.repeat()


class DmppLine(Line):
    """DMPP-2020: no numbers; a repetition is known by its reference."""

    framing = "dmpp"

    def __init__(self, place: Place, history: History, chance: random.Random) -> None:
        super().__init__(place, history, chance)
        self._unacknowledged: list[bytes] = []

    def begin(self) -> None:
        self.up.set()
        self.repeat()

    def on_frame(self, it: Frame) -> None:
        if it.kind == "data":
            self._unacknowledged.append(it.validation)
            self._received(it, marked=MARK in it.body)
        elif it.kind == "positive_ack":
            self._answered(int.from_bytes(it.validation, "big"), 0)
        elif it.kind == "status_request":
            self.write(frame("dmpp", "status_reply", validation=it.validation))
        elif it.kind == "negative_ack":
            self._turned_away(int.from_bytes(it.validation, "big"), it.status)
        else:
            self.history.violations.append(f"{self.place.line}: {it.kind} {it.status} {it.body!r}")

    def forget(self) -> None:
        self._unacknowledged.clear()

    def flush(self) -> None:
        for validation in self._unacknowledged:
            self.write(frame("dmpp", "positive_ack", validation=validation))
        self._unacknowledged.clear()

    def encoded(self, outgoing: Outgoing) -> bytes:
        validation = outgoing.number.to_bytes(4, "big")
        return frame("dmpp", "data", outgoing.payload, validation=validation)


class Agencies:
    """All lines of one history."""

    def __init__(self, history: History, port_base: int, chance: random.Random) -> None:
        self.history = history
        self._chance = chance
        self._port_base = port_base
        self._ports = {"dmpp": port_base, "native": port_base + 1}
        make = {"native": NativeLine, "dmpp": DmppLine}
        places = (CAD, SAN_FRANCISCO, MSC, LOS_ANGELES)
        self.lines: Sequence[Line] = [make[it.framing](it, history, chance) for it in places]

    def copy(self) -> Agencies:
        """What they are and know at this moment, without connections."""
        found = Agencies(self.history.copy(), self._port_base, self._chance)
        for line, other in zip(found.lines, self.lines, strict=True):
            line.recall(other)
        return found

    async def connect(self, seconds: float = 5.0) -> None:
        """Connects all lines; what has no answer goes out again."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(seconds):
            for line in self.lines:
                port = self._ports[line.framing]
                local = (line.place.peer, 0)
                await loop.create_connection(
                    lambda it=line: it, "127.0.0.1", port, local_addr=local
                )
                await line.up.wait()

    def start(self) -> None:
        """Lets the senders send."""
        for line in self.lines:
            if line.place in SENDERS:
                line.start()

    async def hang_up(self) -> None:
        """Makes no new messages and lets go of all connections, once what they held was read."""
        for line in self.lines:
            line.sending = False
        for line in self.lines:
            # A switch that was killed has closed them; its last words are still to be read.
            with suppress(TimeoutError):
                async with asyncio.timeout(HANG_UP_S):
                    await line.lost.wait()
            line.close()
            await line.lost.wait()

    async def drain(self, seconds: float = 20.0) -> list[str]:
        """Waits until everything is answered and delivered; gives what never was."""
        left = [""]
        try:
            async with asyncio.timeout(seconds):
                while left := self._left():  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pass
        return left

    def _left(self) -> list[str]:
        return self.history.undelivered() + [
            f"{it.place.line}: {len(it.unanswered)} without an answer"
            for it in self.lines
            if it.unanswered
        ]
