"""One connection: the event loop reads straight into the engine's memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from clets_core._core import Intake
    from clets_core.net.shell import Shell

    Identify = Callable[[asyncio.BaseTransport], str | None]


def peer_name(transport: asyncio.BaseTransport) -> str:
    """Address of the other end, for audit records."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) and peer else str(peer or "")


class LineProtocol(asyncio.BufferedProtocol):
    """A connection of a line. ``identify`` says whose it is; a stranger is cut off at once."""

    def __init__(
        self,
        shell: Shell,
        identify: Identify,
        lost: Callable[[], None] | None = None,
    ) -> None:
        self._shell = shell
        self._identify = identify
        self._lost = lost
        self._intake: Intake | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102
        line = self._identify(transport)
        if line is None:
            self._shell.stranger(peer_name(transport))
            cast("asyncio.Transport", transport).abort()
            return
        self._intake = self._shell.opened(cast("asyncio.Transport", transport), line)

    def get_buffer(self, sizehint: int) -> Intake | bytearray:  # noqa: ARG002, D102
        return self._intake if self._intake is not None else bytearray(1024)

    def buffer_updated(self, nbytes: int) -> None:  # noqa: D102
        if self._intake is not None:
            self._shell.received(self._intake, nbytes)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002, D102
        if self._intake is not None:
            self._shell.closed(self._intake)
            self._intake = None
        if self._lost is not None:
            self._lost()
