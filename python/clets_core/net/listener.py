"""Where agencies' lines connect, and whose connection it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from clets_core.net.protocol import LineProtocol, peer_name
from clets_core.net.tls import certificate_names, server_context

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from clets_core.config.model import Line, Listener
    from clets_core.net.shell import Shell

TLS_HANDSHAKE_SECONDS = 10.0


def split_address(address: str) -> tuple[str, int]:
    """``host:port`` or ``[v6]:port`` as a pair."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def identify_by_address(lines: Sequence[Line], transport: asyncio.BaseTransport) -> str | None:
    """Plain TCP, which the bundle must allow: the source address names the line."""
    peer = peer_name(transport)
    return next((line.name for line in lines if line.peer == peer), None)


def identify_by_certificate(lines: Sequence[Line], transport: asyncio.BaseTransport) -> str | None:
    """TLS: a DNS name of the client's certificate names the line."""
    names = certificate_names(transport)
    return next((line.name for line in lines if line.certificate in names), None)


async def listen(
    shell: Shell, listener: Listener, lines: Sequence[Line], folder: Path
) -> asyncio.Server:
    """Opens one listener of the bundle; files are named relative to ``folder``."""
    mine = [line for line in lines if line.framing == listener.framing]
    identify = identify_by_address if listener.plain else identify_by_certificate
    context = None
    if not listener.plain:
        files = (listener.certificate, listener.key, listener.authority)
        certificate, key, authority = (folder / str(file) for file in files)
        context = server_context(certificate, key, authority)
    host, port = split_address(listener.address)
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: LineProtocol(shell, lambda transport: identify(mine, transport)),
        host,
        port,
        ssl=context,
        ssl_handshake_timeout=TLS_HANDSHAKE_SECONDS if context else None,
        backlog=1024,
    )
