"""The native line protocol from the agency's side; see ``docs/reference/line-protocol.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from clets_core import _core
from clets_core.client.message import Receipt, Received
from clets_core.client.session import Outgoing, Session
from clets_core.errors import SessionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from clets_core._core import Frame
    from clets_core.client.receiver import Receiver

__all__ = ["NativeSession"]

HEARTBEAT_S: Final = 5.0
SILENCE_S: Final = 15.0
WINDOW_BYTES: Final = 64 * 1024
POSSIBLE_DUPLICATE: Final = 1
ORDER_VIOLATED: Final = 805
_SENTENCES: Final = {number: expected for number, _, expected in _core.error_codes()}


class _Logon(msgspec.Struct):
    """LOGON: who is here, and the next number wanted of each precedence."""

    line: str
    receive: list[int]


class _LogonAck(msgspec.Struct):
    """LOGON-ACK: the last number that the switch holds durably."""

    line: str = ""
    received: int = 0


class NativeSession(Session):
    """Messages are numbered both ways: ours from 1, the switch's from 1 in each precedence."""

    framing = "native"

    def __init__(
        self,
        receiver: Receiver,
        deliver: Callable[[list[Received]], None],
        *,
        window: int,
        line: str,
    ) -> None:
        """Takes the name of the line, as the bundle has it."""
        super().__init__(receiver, deliver, window=window, window_bytes=WINDOW_BYTES)
        self.line = line
        self.missed: list[tuple[int, int, int]] = []
        """Precedence, first and last number of messages that the switch no longer holds."""
        self._next_number = 1

    def begin(self) -> None:
        """Sends LOGON."""
        logon = _Logon(self.line, self._receiver.resume())
        self.write(_core.frame("native", "logon", msgspec.json.encode(logon)))

    def number(self) -> int:
        """The next sequence number."""
        number, self._next_number = self._next_number, self._next_number + 1
        return number

    def transmit(self, outgoing: Outgoing) -> None:
        """Sends one DATA frame."""
        self.write(_core.frame("native", "data", outgoing.payload, sequence=outgoing.number))

    def take(self, frames: list[Frame]) -> None:
        """Handles the frames of one read; what they carry is taken in custody in one step."""
        resume = before = self._receiver.resume()
        resume = list(before)
        messages: list[Received] = []
        touched: set[int] = set()
        for frame in frames:
            if frame.kind == "data":
                touched.add(frame.precedence)
                self._take_data(frame, resume, messages)
            elif frame.kind in {"gap", "skip"}:
                touched.add(frame.precedence)
                self._pass_over(frame, resume)
            else:
                self._take_word(frame)
        if messages or resume != before:
            self._receiver.take(messages, resume)
        for precedence in sorted(touched):
            # Cumulative, and repeated for a duplicate: its first acknowledgement may be lost.
            self.write(
                _core.frame(
                    "native", "delivered", sequence=resume[precedence] - 1, precedence=precedence
                )
            )
        if messages:
            self._deliver(messages)

    def tick(self, now: float) -> None:
        """Sends heartbeats."""
        self._now = now
        if now - self._heard_at >= SILENCE_S:
            raise SessionError(804, f"the switch was silent for {SILENCE_S:.0f} s")
        if now - self._wrote_at >= HEARTBEAT_S and self.up.is_set():
            self.write(_core.frame("native", "heartbeat"))

    def goodbye(self) -> None:
        """Sends LOGOFF."""
        if self.up.is_set():
            self.write(_core.frame("native", "logoff"))

    def _take_data(self, frame: Frame, resume: list[int], messages: list[Received]) -> None:
        precedence, sequence = frame.precedence, frame.sequence
        if sequence < resume[precedence]:
            return
        if sequence > resume[precedence]:
            raise SessionError(
                ORDER_VIOLATED,
                f"number {sequence} of precedence {precedence} came instead of "
                f"{resume[precedence]}",
            )
        resume[precedence] = sequence + 1
        repeated = bool(frame.flags & POSSIBLE_DUPLICATE)
        messages.append(Received(frame.body, precedence, sequence, repeated))

    def _pass_over(self, frame: Frame, resume: list[int]) -> None:
        """SKIP closes numbers that were never sent; GAP tells of those that are gone."""
        wanted = resume[frame.precedence]
        if frame.sequence < wanted:
            return
        if frame.kind == "gap":
            self.missed.append((frame.precedence, wanted, frame.sequence))
        resume[frame.precedence] = frame.sequence + 1

    def _take_word(self, frame: Frame) -> None:
        if frame.kind == "accept":
            number = int.from_bytes(frame.body[:8], "big")
            self.answered(frame.sequence, Receipt(accepted=True, smn=number))
        elif frame.kind == "reject" and frame.sequence:
            # What is turned away comes without words.
            text = frame.body.decode("utf-8", "replace") or _SENTENCES.get(frame.code, "")
            self.answered(frame.sequence, Receipt(accepted=False, code=frame.code, text=text))
        elif frame.kind == "reject":
            raise SessionError(frame.code, frame.body.decode("utf-8", "replace"))
        elif frame.kind == "logon_ack":
            self._logged_on(frame.body)
        elif frame.kind == "logoff":
            raise SessionError(0, "the switch logged off")

    def _logged_on(self, body: bytes) -> None:
        try:
            received = msgspec.json.decode(body, type=_LogonAck).received
        except msgspec.MsgspecError as error:
            raise SessionError(ORDER_VIOLATED, f"LOGON-ACK: {error}") from None
        # The switch answers again what it holds. The rest is numbered anew, for numbers that were
        # turned away in between may be known to us alone.
        for outgoing in self._waiting:
            if outgoing.number > received:
                outgoing.number = 0
        self._next_number = received + 1
        self.up.set()
        self.pump()
