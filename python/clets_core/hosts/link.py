"""One DMPP connection of a simulated system: frames in, acknowledgements and replies out.

The system is the TCP server; the switch connects. CITE: DMPP-2020 (OpenFox interface, Texas DPS).
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol, cast

from clets_core import _core
from clets_core.errors import FrameError

__all__ = ["Link", "Owner", "blocks"]

BLOCK_BYTES: Final = 32 * 1024 - 28
"""Data of one block; a longer message goes in several."""
MESSAGE_BYTES_MAX: Final = 1024 * 1024
LOGIC_ERROR: Final = 0x0013
TOO_LONG: Final = 0x0014
SILENCE_S: Final = 60.0
"""The peer sends a keep-alive after 30 s of silence; after this long it is gone."""


class Owner(Protocol):
    """What a link belongs to."""

    def linked(self, link: Link) -> None:
        """A connection is open."""

    def unlinked(self, link: Link) -> None:
        """A connection is gone."""

    def take(self, payload: bytes) -> bool:
        """A whole message; false refuses it."""

    def acknowledged(self, validation: bytes) -> None:
        """The peer has custody of a message."""

    def refused(self, validation: bytes) -> None:
        """The peer will not have a message."""


class Link(asyncio.Protocol):
    """The server's side of one connection."""

    def __init__(self, owner: Owner) -> None:
        """Takes the system that it serves."""
        self._owner = owner
        self._framer = _core.Framer("dmpp", MESSAGE_BYTES_MAX)
        self._transport: asyncio.Transport | None = None
        self._begun = b""
        self._watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._owner.linked(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Lets go of the transport."""
        del exc
        self._transport = None
        if self._watch is not None:
            self._watch.cancel()
        self._owner.unlinked(self)

    def data_received(self, data: bytes) -> None:
        """Takes the frames that are whole now; bytes that are none end the connection."""
        try:
            frames = self._framer.feed(data)
        except FrameError:
            self.abort()
            return
        self._watch_silence()
        for frame in frames:
            self._take(frame)

    def send(self, payload: bytes, validation: bytes) -> None:
        """Sends a message that is kept until the peer acknowledges ``validation``."""
        self.write(b"".join(blocks(payload, validation)))

    def write(self, data: bytes) -> None:
        """Writes bytes, if the connection is still there."""
        if self._transport is not None:
            self._transport.write(data)

    def abort(self) -> None:
        """Ends the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _take(self, frame: _core.Frame) -> None:
        if frame.kind == "data_more":
            self._begun += frame.body
            if len(self._begun) > MESSAGE_BYTES_MAX:
                self._begun = b""
                self._answer("negative_ack", frame.validation, TOO_LONG)
        elif frame.kind == "data":
            payload, self._begun = self._begun + frame.body, b""
            taken = self._owner.take(payload)
            if not taken:
                self._answer("negative_ack", frame.validation, LOGIC_ERROR)
            elif frame.wants_ack:
                self._answer("positive_ack", frame.validation, 1)
        elif frame.kind == "positive_ack":
            self._owner.acknowledged(frame.validation)
        elif frame.kind == "negative_ack":
            self._owner.refused(frame.validation)
        elif frame.kind == "status_request":
            self._answer("status_reply", frame.validation, 0x0021)

    def _answer(self, kind: str, validation: bytes, status: int) -> None:
        self.write(_core.frame("dmpp", kind, validation=validation, status=status))

    def _watch_silence(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        loop = asyncio.get_running_loop()
        self._watch = loop.call_later(SILENCE_S, self.abort)


def blocks(payload: bytes, validation: bytes) -> list[bytes]:
    """The frames of one message; only the last wants an acknowledgement."""
    cuts = range(0, max(len(payload), 1), BLOCK_BYTES)
    last = cuts[-1]
    return [
        _core.frame(
            "dmpp",
            "data" if cut == last else "data_more",
            payload[cut : cut + BLOCK_BYTES],
            validation=validation,
        )
        for cut in cuts
    ]
