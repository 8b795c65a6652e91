"""DMPP-2020 from the agency's side. CITE: OpenFox DMPP 2020 interface, Texas DPS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clets_core import _core
from clets_core.client.message import Receipt, Received
from clets_core.client.session import FRAME_BYTES_MAX, Outgoing, Session
from clets_core.errors import SessionError

if TYPE_CHECKING:
    from clets_core._core import Frame

__all__ = ["DmppSession"]

KEEP_ALIVE_S: Final = 30.0
"""After this long without activity, a keep-alive."""
SILENCE_S: Final = 60.0
RESEND_S: Final = 30.0
"""A message without an acknowledgement goes out again after this long."""
BLOCK_BYTES: Final = 32 * 1024 - 28
DUPLICATE_MARK: Final = b"POSSIBLE DUPLICATE MESSAGE\r\n"
"""First line of a text that the switch may have sent before; DMPP has no flag for it."""

_STATUS: Final = {
    0x0011: "permanent error",
    0x0012: "temporary error",
    0x0013: "logic error",
    0x0014: "too long, discarded",
    0x0041: "function not known",
    0x0042: "destination not known",
    0x0044: "not supported",
}


class DmppSession(Session):
    """Messages are told apart by four validation bytes; an acknowledgement returns them."""

    framing = "dmpp"
    _validation = 0
    _begun = b""

    def begin(self) -> None:
        """The line is up at once: who it is came with the connection."""
        self._begun = b""
        self.up.set()
        self.pump()

    def number(self) -> int:
        """The next validation."""
        self._validation = self._validation % 0xFFFF_FFFF + 1
        return self._validation

    def transmit(self, outgoing: Outgoing) -> None:
        """Sends the blocks of a message; only the last wants an acknowledgement."""
        validation = outgoing.number.to_bytes(4, "big")
        cuts = range(0, max(len(outgoing.payload), 1), BLOCK_BYTES)
        for cut in cuts:
            block = outgoing.payload[cut : cut + BLOCK_BYTES]
            kind = "data" if cut == cuts[-1] else "data_more"
            self.write(_core.frame("dmpp", kind, block, validation=validation))

    def take(self, frames: list[Frame]) -> None:
        """Handles the frames of one read: all messages in custody first, then the rest."""
        messages: list[Received] = []
        acknowledgements: list[bytes] = []
        for frame in frames:
            if frame.kind == "data_more":
                self._begun += frame.body
                if len(self._begun) > FRAME_BYTES_MAX:
                    raise SessionError(102, f"a message of more than {FRAME_BYTES_MAX} bytes")
            elif frame.kind == "data":
                payload, self._begun = self._begun + frame.body, b""
                repeated = DUPLICATE_MARK in payload[:256]
                messages.append(Received(payload, possible_duplicate=repeated))
                if frame.wants_ack:
                    acknowledgements.append(frame.validation)
        if messages:
            self._receiver.take(messages, self._receiver.resume())
        for validation in acknowledgements:
            self.write(_core.frame("dmpp", "positive_ack", validation=validation))
        if messages:
            self._deliver(messages)
        for frame in frames:
            self._take_word(frame)

    def tick(self, now: float) -> None:
        """Sends keep-alives and what has waited too long for its acknowledgement."""
        self._now = now
        if now - self._heard_at >= SILENCE_S:
            raise SessionError(804, f"the switch was silent for {SILENCE_S:.0f} s")
        for outgoing in self._flying.values():
            if now - outgoing.sent_at >= RESEND_S:
                outgoing.sent_at = now
                self.transmit(outgoing)
        if now - max(self._heard_at, self._wrote_at) >= KEEP_ALIVE_S:
            self.write(_core.frame("dmpp", "status_request"))

    def goodbye(self) -> None:
        """DMPP has no word for it; the connection just closes."""

    def _take_word(self, frame: Frame) -> None:
        number = int.from_bytes(frame.validation, "big")
        if frame.kind == "positive_ack":
            self.answered(number, Receipt(accepted=True))
        elif frame.kind == "negative_ack":
            status = frame.status
            text = _STATUS.get(status, f"status {status:04x}")
            self.answered(number, Receipt(accepted=False, status=status, text=text))
        elif frame.kind == "status_request":
            self.write(_core.frame("dmpp", "status_reply", validation=frame.validation))
