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
    from clets_core.net.protocol import Identify
    from clets_core.net.shell import Shell

TLS_HANDSHAKE_SECONDS = 10.0
# All lines of a state may come back in one moment; who finds no room waits a second and more in its
# own system. The kernel may allow less (net.core.somaxconn).
BACKLOG = 16_384


def split_address(address: str) -> tuple[str, int]:
    """``host:port`` or ``[v6]:port`` as a pair."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def identify_by_address(lines: Sequence[Line]) -> Identify:
    """Plain TCP, which the bundle must allow: the source address names the line."""
    names = {line.peer: line.name for line in lines if line.peer is not None}
    return lambda transport: names.get(peer_name(transport))


def identify_by_certificate(lines: Sequence[Line]) -> Identify:
    """TLS: a DNS name of the client's certificate names the line."""
    names = {line.certificate: line.name for line in lines if line.certificate is not None}
    return lambda transport: next(
        (names[name] for name in certificate_names(transport) if name in names), None
    )


async def listen(
    shell: Shell, listener: Listener, lines: Sequence[Line], folder: Path
) -> asyncio.Server:
    """Opens one listener of the bundle; files are named relative to ``folder``."""
    mine = [line for line in lines if line.framing == listener.framing]
    identify = (identify_by_address if listener.plain else identify_by_certificate)(mine)
    context = None
    if not listener.plain:
        files = (listener.certificate, listener.key, listener.authority)
        certificate, key, authority = (folder / str(file) for file in files)
        context = server_context(certificate, key, authority)
    host, port = split_address(listener.address)
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: LineProtocol(shell, identify),
        host,
        port,
        ssl=context,
        ssl_handshake_timeout=TLS_HANDSHAKE_SECONDS if context else None,
        backlog=BACKLOG,
    )
