"""What both line protocols share: messages on their way to the switch, in order, until answered.

A session does no I/O: it is given bytes and the time, and writes through a function that it gets
with each connection. It outlives connections: what was not answered goes out again, first.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clets_core import _core
from clets_core.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from clets_core.client.message import Receipt, Received
    from clets_core.client.receiver import Receiver

__all__ = ["Outgoing", "Session"]

FRAME_BYTES_MAX: Final = 16 * 1024 * 1024
WAITING_MAX: Final = 10_000
"""Messages that may wait for the window; beyond, `Session.submit` refuses."""
CLOSED: Final = 902
TOO_MANY: Final = 903


@dataclass(slots=True, eq=False)
class Outgoing:
    """A message on its way. ``number`` is 0 until it was sent for the first time."""

    payload: bytes
    receipt: asyncio.Future[Receipt]
    number: int = 0
    sent_at: float = 0.0


class Session(ABC):
    """One line, over as many connections as it takes."""

    framing: str

    def __init__(
        self,
        receiver: Receiver,
        deliver: Callable[[list[Received]], None],
        *,
        window: int,
        window_bytes: int = 0,
    ) -> None:
        """Takes who has custody of messages, and where they go then.

        ``window`` messages, and ``window_bytes`` bytes unless 0, may be unanswered at a time.
        """
        self.up = asyncio.Event()
        self._receiver = receiver
        self._deliver = deliver
        self._window = window
        self._window_bytes = window_bytes
        self._flying: dict[int, Outgoing] = {}
        self._flying_bytes = 0
        self._waiting: deque[Outgoing] = deque()
        self._framer = _core.Framer(self.framing, FRAME_BYTES_MAX)
        self._write: Callable[[bytes], None] | None = None
        self._heard_at = 0.0
        self._wrote_at = 0.0
        self._now = 0.0

    @property
    def unanswered(self) -> int:
        """Messages that the switch has not answered."""
        return len(self._flying) + len(self._waiting)

    def opened(self, write: Callable[[bytes], None], now: float) -> None:
        """A connection is there."""
        self._framer = _core.Framer(self.framing, FRAME_BYTES_MAX)
        self._write = write
        self._now = self._heard_at = self._wrote_at = now
        self.begin()

    def lost(self) -> None:
        """The connection is gone; what flew will fly again, before all else."""
        self.up.clear()
        self._write = None
        self._waiting.extendleft(reversed(self._flying.values()))
        self._flying.clear()
        self._flying_bytes = 0

    def fail(self, error: Exception) -> None:
        """Nothing will be answered any more."""
        for outgoing in (*self._flying.values(), *self._waiting):
            if not outgoing.receipt.done():
                outgoing.receipt.set_exception(error)
        self._flying.clear()
        self._waiting.clear()

    def submit(self, payload: bytes) -> asyncio.Future[Receipt]:
        """Puts a message on its way.

        Raises:
            ClientError: E903, too many wait already.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise ClientError(TOO_MANY, f"{WAITING_MAX} messages wait to be sent")
        receipt: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append(Outgoing(payload, receipt))
        self.pump()
        return receipt

    def feed(self, data: bytes, now: float) -> None:
        """Takes bytes of the connection.

        Raises:
            CletsError: the peer does not keep to the protocol, or ends the session.
        """
        self._now = self._heard_at = now
        self.take(self._framer.feed(data))

    def pump(self) -> None:
        """Sends what waits, as far as the window allows."""
        if self._write is None or not self.up.is_set():
            return
        while self._waiting and self._has_room(self._waiting[0]):
            outgoing = self._waiting.popleft()
            if outgoing.receipt.cancelled() and not outgoing.number:
                continue
            outgoing.number = outgoing.number or self.number()
            outgoing.sent_at = self._now
            self._flying[outgoing.number] = outgoing
            self._flying_bytes += len(outgoing.payload)
            self.transmit(outgoing)

    def answered(self, number: int, receipt: Receipt) -> None:
        """The switch has answered a message; an answer to no message is ignored."""
        outgoing = self._flying.pop(number, None)
        if outgoing is None:
            return
        self._flying_bytes -= len(outgoing.payload)
        if not outgoing.receipt.done():
            outgoing.receipt.set_result(receipt)
        self.pump()

    def write(self, data: bytes) -> None:
        """Writes to the connection, if there is one."""
        if self._write is not None:
            self._wrote_at = self._now
            self._write(data)

    @abstractmethod
    def begin(self) -> None:
        """Opens the conversation on a new connection."""

    @abstractmethod
    def take(self, frames: list[_core.Frame]) -> None:
        """Handles the frames of one read."""

    @abstractmethod
    def number(self) -> int:
        """The number of the next new message."""

    @abstractmethod
    def transmit(self, outgoing: Outgoing) -> None:
        """Sends one message."""

    @abstractmethod
    def tick(self, now: float) -> None:
        """Keeps the line alive.

        Raises:
            SessionError: E804, the peer has been silent for too long.
        """

    @abstractmethod
    def goodbye(self) -> None:
        """Ends the conversation in good order."""

    def _has_room(self, outgoing: Outgoing) -> bool:
        if not self._flying:
            return True
        if len(self._flying) >= self._window:
            return False
        size = self._flying_bytes + len(outgoing.payload)
        return not self._window_bytes or size <= self._window_bytes
