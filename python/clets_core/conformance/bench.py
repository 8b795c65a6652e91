"""The agency's side of a line, with every byte in the hands of a case.

It is not the client: a case must be able to split frames, to break them, and to leave a message
without an acknowledgement. What arrives is acknowledged at once unless a case holds it back.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from clets_core import _core
from clets_core.client import Inquiry, Received, inquire, new_reference
from clets_core.errors import CletsError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Answer", "Arrival", "Bench", "LeftOutError", "Settings", "UnmetError", "must"]

FRAME_BYTES_MAX: Final = 16 * 1024 * 1024
READ_BYTES: Final = 65_536
BLOCK_BYTES: Final = 32 * 1024 - 28
CONTROL_SECONDS: Final = 5.0
"""For a command to the simulated hosts, or the end of a connection."""
POSSIBLE_DUPLICATE: Final = 1
MARK: Final = b"POSSIBLE DUPLICATE MESSAGE\r\n"
PRECEDENCES: Final = 5


class UnmetError(Exception):
    """The switch did something else than the case expects."""


class LeftOutError(Exception):
    """The case cannot be played here, and why."""


def must(holds: object, seen: str) -> None:
    """Ends the case as failed unless the condition holds."""
    if not holds:
        raise UnmetError(seen)


@dataclass(frozen=True, slots=True)
class Settings:
    """The line under test and who speaks on it.

    ``values`` has what only some cases need, such as the code of a group; ``control`` is the port
    of the simulated hosts' control socket, 0 for none. ``window`` is how many messages the switch
    sends without an acknowledgement; 0 takes the framing's default. ``deadline`` is the switch's
    time for replies and ``patience`` that for everything else, in seconds.
    """

    host: str
    port: int
    framing: str
    station: str
    user: str
    ori: str
    line: str = ""
    local: str | None = None
    ssl: ssl.SSLContext | None = None
    server_name: str | None = None
    window: int = 0
    deadline: float = 30.0
    patience: float = 10.0
    control: int = 0
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """The switch's word on one message: ``accept``, ``reject`` or ``nak``."""

    kind: str
    smn: int = 0
    code: int = 0
    text: str = ""
    status: int = 0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that came, with what is needed to acknowledge it."""

    message: Received
    validation: bytes = b""


class Bench:
    """One line, over as many connections as the cases need."""

    def __init__(self, settings: Settings) -> None:
        """Takes the line; nothing is connected yet."""
        self.settings = settings
        self.dmpp = settings.framing == "dmpp"
        self.hold = False
        """While true, what arrives is not acknowledged."""
        self.arrived: list[Arrival] = []
        self.answers: dict[int, list[Answer]] = {}
        self.others: list[_core.Frame] = []
        """Frames that are neither messages nor answers to any."""
        self.faults: list[str] = []
        self.resume = [1] * PRECEDENCES
        self.received = 0
        self._expected = [1] * PRECEDENCES
        self._number = 0
        self._begun = b""
        self._framer = _core.Framer(settings.framing, FRAME_BYTES_MAX)
        self._frames: list[_core.Frame] = []
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def connect(self, *, logon: bool = True) -> None:
        """A new connection, with a logon where the protocol has one."""
        settings = self.settings
        await self.drop()
        try:
            async with asyncio.timeout(settings.patience):
                self._reader, self._writer = await asyncio.open_connection(
                    settings.host,
                    settings.port,
                    local_addr=(settings.local, 0) if settings.local else None,
                    ssl=settings.ssl,
                    server_hostname=settings.server_name if settings.ssl else None,
                )
        except (OSError, TimeoutError) as error:
            raise UnmetError(f"no connection: {error or 'no answer'}") from None
        self._framer = _core.Framer(settings.framing, FRAME_BYTES_MAX)
        self._frames, self._begun, self.others = [], b"", []
        self.answers.clear()
        self._expected = list(self.resume)
        if logon and not self.dmpp:
            await self.logon()

    async def logon(self, line: str | None = None) -> None:
        """LOGON, and the wait for its acknowledgement."""
        name = self.settings.line if line is None else line
        body = json.dumps({"line": name, "receive": self.resume}).encode()
        self.write(_core.frame("native", "logon", body))
        found = await self.other("logon_ack", "LOGON_ACK")
        told = json.loads(found.body)
        self.received = int(told["received"])
        # What was on its way when a connection broke is not sent again: each case has its own.
        self._number = self.received

    async def up(self) -> None:
        """Connects unless there is a connection."""
        if self._writer is None:
            await self.connect()

    async def drop(self) -> None:
        """Breaks the connection; nothing is said."""
        writer, self._writer, self._reader = self._writer, None, None
        if writer is not None:
            writer.close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(CONTROL_SECONDS):
                    await writer.wait_closed()

    async def leave(self) -> Bench:
        """A second bench for the same line that takes this one's connection and counts."""
        other = Bench(self.settings)
        other._reader, other._writer, self._reader, self._writer = (
            self._reader,
            self._writer,
            None,
            None,
        )
        other._framer, other._frames = self._framer, self._frames
        other.resume, other._expected = list(self.resume), list(self._expected)
        return other

    def write(self, data: bytes) -> None:
        """Bytes as they are."""
        if self._writer is None:
            raise UnmetError("the connection is closed")
        self._writer.write(data)

    async def flush(self) -> None:
        """Waits until what was written has left, so that the next write is a packet of its own."""
        if self._writer is not None:
            await self._writer.drain()
            await asyncio.sleep(0.002)

    def next_number(self) -> int:
        """The number of the next message: sequence, or validation."""
        self._number += 1
        return self._number

    def give_back(self) -> None:
        """The last number was not taken by the switch."""
        self._number -= 1

    def framed(self, payload: bytes, number: int, *, wants_ack: bool = True) -> bytes:
        """The frames of a message; a long one takes several blocks on DMPP."""
        if not self.dmpp:
            return _core.frame("native", "data", payload, sequence=number)
        validation = number.to_bytes(4, "big")
        cuts = range(0, max(len(payload), 1), BLOCK_BYTES)
        return b"".join(
            _core.frame(
                "dmpp",
                "data" if cut == cuts[-1] else "data_more",
                payload[cut : cut + BLOCK_BYTES],
                validation=validation,
                wants_ack=wants_ack,
            )
            for cut in cuts
        )

    async def send(self, payload: bytes) -> Answer:
        """Sends a message and waits for the answer."""
        await self.up()
        number = self.next_number()
        self.write(self.framed(payload, number))
        return await self.answer(number)

    async def answer(self, number: int) -> Answer:
        """The answer to a message that was sent."""
        await self.until(lambda: number in self.answers, f"an answer to message {number}")
        return self.answers[number][0]

    async def accepted(self, payload: bytes) -> Answer:
        """Sends a message that must be accepted."""
        answer = await self.send(payload)
        must(answer.kind == "accept", f"expected acceptance, and not {_told(answer)}")
        return answer

    async def refused(self, payload: bytes, reference: str) -> tuple[int, str]:
        """Sends a message that must be refused in words; gives number and words.

        DMPP stores the message, and a REJ under its reference says that it was refused.
        """
        answer = await self.send(payload)
        if not self.dmpp:
            must(answer.kind == "reject", f"expected REJECT, and not {_told(answer)}")
            return answer.code, answer.text
        must(answer.kind == "accept", f"expected 0011 and then REJ, and not {_told(answer)}")
        (found,) = await self.replies(reference, 1)
        must(found.key == "REJ", f"expected REJ, and not {found.key}")
        words = found.text.partition("REJECTED E")[2].split(" ", 1)[0]
        return int(words) if words.isdigit() else 0, found.text

    async def replies(self, reference: str, count: int) -> list[Received]:
        """So many messages under a reference."""

        def found() -> list[Received]:
            return [it.message for it in self.arrived if it.message.reference == reference]

        await self.until(lambda: len(found()) >= count, f"{count} replies under {reference}", found)
        return found()

    async def arrival(self, word: str, count: int = 1) -> list[Arrival]:
        """So many messages with a word in their text."""

        def found() -> list[Arrival]:
            return [it for it in self.arrived if word in it.message.text]

        await self.until(lambda: len(found()) >= count, f"{count} messages with `{word}`", found)
        return found()

    async def other(self, kind: str, what: str) -> _core.Frame:
        """The next frame of a kind that is neither message nor answer."""

        def found() -> _core.Frame | None:
            return next((it for it in self.others if it.kind == kind), None)

        await self.until(lambda: found() is not None, what)
        frame = found()
        if frame is None:
            raise UnmetError(f"expected {what}")
        self.others.remove(frame)
        return frame

    async def quiet(self, seconds: float = 0.4) -> None:
        """Takes what comes within a time."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (left := end - loop.time()) > 0:
            try:
                if not await self._step(left):
                    return
            except TimeoutError:
                return

    async def closed(self) -> list[_core.Frame]:
        """Waits until the switch closes the connection; gives what else it said before."""
        end = asyncio.get_running_loop().time() + self.settings.patience
        while True:
            try:
                if not await self._step(end - asyncio.get_running_loop().time()):
                    return self.others
            except TimeoutError:
                raise UnmetError("the switch left the connection open") from None

    async def until(
        self,
        done: Callable[[], bool],
        what: str,
        found: Callable[[], Sequence[object]] | None = None,
        seconds: float = 0.0,
    ) -> None:
        """Takes frames until something has happened, or fails the case."""
        end = asyncio.get_running_loop().time() + (seconds or self.settings.patience)
        while not done():
            so_far = f"; {len(found())} came" if found else ""
            try:
                if not await self._step(end - asyncio.get_running_loop().time()):
                    raise UnmetError(f"expected {what}; the switch closed the connection")
            except TimeoutError:
                raise UnmetError(f"expected {what} in time{so_far}") from None

    def acknowledge(self, arrival: Arrival) -> None:
        """Takes custody of a message that was held back."""
        message = arrival.message
        if self.dmpp:
            self.write(_core.frame("dmpp", "positive_ack", validation=arrival.validation))
            return
        precedence, sequence = message.precedence, message.sequence
        self.resume[precedence] = max(self.resume[precedence], sequence + 1)
        self.write(_core.frame("native", "delivered", precedence=precedence, sequence=sequence))

    def refuse(self, arrival: Arrival) -> None:
        """DMPP: will not have a message now."""
        validation = arrival.validation
        self.write(_core.frame("dmpp", "negative_ack", validation=validation, status=0x12))

    def note(self, text: str, to: Sequence[str] | None = None) -> Inquiry:
        """An administrative message, to this station itself unless said otherwise."""
        return self.ask("AM", to=[self.settings.station] if to is None else to, text=text)

    def ask(
        self,
        key: str,
        to: Sequence[str] = (),
        text: str | None = None,
        reference: str | None = None,
        **fields: str,
    ) -> Inquiry:
        """A message of the station under test."""
        mine = self.settings
        return inquire(
            station=mine.station,
            user=mine.user,
            ori=mine.ori,
            key=key,
            to=to,
            text=text,
            reference=reference,
            **fields,
        )

    def value(self, name: str) -> str:
        """A value that only some cases need.

        Raises:
            LeftOutError: it was not given.
        """
        found = self.settings.values.get(name)
        if not found:
            raise LeftOutError(f"needs --value {name}=...")
        return found

    async def steer(self, **command: object) -> None:
        """One command to the simulated hosts.

        Raises:
            LeftOutError: there is no control socket.
        """
        if not self.settings.control:
            raise LeftOutError("needs --control, the port of the simulated hosts")
        address = self.settings.host, self.settings.control
        async with asyncio.timeout(CONTROL_SECONDS):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(json.dumps(command).encode() + b"\n")
            told = json.loads(await reader.readline())
            writer.close()
            await writer.wait_closed()
        must(told["ok"], f"the simulated hosts said {told.get('error')}")

    async def _step(self, seconds: float) -> bool:
        """Takes one frame; false when the switch has closed the connection."""
        reader = self._reader
        if reader is None:
            return False
        async with asyncio.timeout(max(seconds, 0)):
            while not self._frames:
                try:
                    data = await reader.read(READ_BYTES)
                except OSError:
                    data = b""
                if not data:
                    await self.drop()
                    return False
                try:
                    self._frames += self._framer.feed(data)
                except CletsError as error:
                    raise UnmetError(f"bytes of the switch are no frame: {error}") from None
        self._take(self._frames.pop(0))
        return True

    def _take(self, frame: _core.Frame) -> None:
        if frame.kind == "data_more":
            self._begun += frame.body
        elif frame.kind == "data":
            body, self._begun = self._begun + frame.body, b""
            self._file(frame, body)
        elif frame.kind in {"positive_ack", "negative_ack"}:
            kind = "accept" if frame.kind == "positive_ack" else "nak"
            number = int.from_bytes(frame.validation, "big")
            self.answers.setdefault(number, []).append(Answer(kind, status=frame.status))
        elif frame.kind == "accept":
            smn = int.from_bytes(frame.body, "big")
            self.answers.setdefault(frame.sequence, []).append(Answer("accept", smn))
        elif frame.kind == "reject" and frame.sequence:
            text = frame.body.decode("utf-8", "replace")
            answer = Answer("reject", code=frame.code, text=text)
            self.answers.setdefault(frame.sequence, []).append(answer)
        elif frame.kind in {"gap", "skip"}:
            place = frame.precedence
            self.resume[place] = max(self.resume[place], frame.sequence + 1)
            self._expected[place] = max(self._expected[place], frame.sequence + 1)
        elif frame.kind == "status_request":
            validation = frame.validation
            self.write(_core.frame("dmpp", "status_reply", validation=validation, status=0x21))
        else:
            self.others.append(frame)

    def _file(self, frame: _core.Frame, body: bytes) -> None:
        if self.dmpp:
            repeated = MARK in body[:256]
            arrival = Arrival(Received(body, possible_duplicate=repeated), frame.validation)
        else:
            place, wanted = frame.precedence, self._expected[frame.precedence]
            if frame.sequence != wanted:
                self.faults.append(f"number {frame.sequence} of P{place} instead of {wanted}")
            self._expected[place] = frame.sequence + 1
            repeated = bool(frame.flags & POSSIBLE_DUPLICATE)
            arrival = Arrival(Received(body, place, frame.sequence, repeated))
        self.arrived.append(arrival)
        if not self.hold:
            self.acknowledge(arrival)


def unique(words: str) -> str:
    """Words that no other message has."""
    return f"{words} {new_reference()}"


def _told(answer: Answer) -> str:
    if answer.kind == "nak":
        return f"0012 with status {answer.status:04x}"
    return f"REJECT E{answer.code}: {answer.text[:80]}" if answer.kind == "reject" else "acceptance"
