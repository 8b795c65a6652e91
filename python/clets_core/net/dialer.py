"""Connections that the switch makes: to the hosts, again and again."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING, Final

from clets_core.net.listener import split_address
from clets_core.net.protocol import LineProtocol
from clets_core.net.tls import client_context

if TYPE_CHECKING:
    from pathlib import Path

    from clets_core.config.model import Host
    from clets_core.net.shell import Shell

log = logging.getLogger("clets_core")

CONNECT_SECONDS: Final = 10.0
BACK_OFF_SECONDS_MIN: Final = 0.25
BACK_OFF_SECONDS_MAX: Final = 30.0


class Dialer:
    """Keeps one host connected: after a loss it waits longer each time, up to 30 s."""

    def __init__(self, shell: Shell, host: Host, folder: Path) -> None:
        self._shell = shell
        self._host = host
        self._task: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self._context = None
        if not host.plain:
            files = (host.certificate, host.key, host.authority)
            certificate, key, authority = (folder / str(file) for file in files)
            self._context = client_context(certificate, key, authority)

    def start(self) -> None:
        """Begins to connect in the background."""
        self._task = asyncio.get_running_loop().create_task(
            self._run(), name=f"dial {self._host.name}"
        )

    async def stop(self) -> None:
        """Ends all attempts."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        pause = BACK_OFF_SECONDS_MIN
        while True:
            if await self._connect():
                pause = BACK_OFF_SECONDS_MIN
                await self._lost.wait()
                log.warning("host %s: connection lost", self._host.name)
            # Spread, so that hosts that went together do not all come back at one moment.
            await asyncio.sleep(pause * random.uniform(0.75, 1.0))  # noqa: S311
            pause = min(pause * 2, BACK_OFF_SECONDS_MAX)

    async def _connect(self) -> bool:
        host, port = split_address(self._host.address)
        self._lost.clear()
        name = self._host.name
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.get_running_loop().create_connection(
                    lambda: LineProtocol(self._shell, lambda _: name, self._lost.set),
                    host,
                    port,
                    ssl=self._context,
                )
        except (OSError, TimeoutError) as error:
            log.debug("host %s: %s", name, error)
            return False
        log.info("host %s: connected", name)
        return True
