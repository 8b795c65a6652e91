"""Folders, processes and lines of one performance of ``clets demo``."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Final, Self

from clets_core.cli.foreground import listening
from clets_core.client import Client
from clets_core.config.bundle import Bundle, load_bundle
from clets_core.errors import ClientCode, ClientError
from clets_core.hosts import Hosts, start_hosts
from clets_core.net.tls import client_context
from clets_core.sample import write_california

if TYPE_CHECKING:
    from pathlib import Path

PORTS: Final = 20
# Below the ports that kernels give to outgoing connections, one of which could take a port between
# the moment in which it is found free and that in which somebody listens on it.
PORTS_FROM: Final = 18_000
PORTS_TO: Final = 32_000
START_SECONDS: Final = 60.0
# Thirty seconds would be the rule; a demonstration should not wait that long.
REPLY_SECONDS: Final = 4


class Stage:
    """Folders, processes and lines of one performance."""

    def __init__(self, folder: Path) -> None:
        """Writes the sample state, with certificates made for this performance alone."""
        self.folder = folder
        write_california(folder / "bundle", port_base=free_ports(), tls=True)
        settings = folder / "bundle" / "switch.toml"
        text = settings.read_text("utf-8")
        short = f"reply_deadline_ms = {REPLY_SECONDS * 1000}"
        settings.write_text(text.replace("reply_deadline_ms = 30000", short), "utf-8")
        self.bundle: Bundle = load_bundle(folder / "bundle")
        self.journal = folder / "journal"
        self._process: asyncio.subprocess.Process | None = None
        self._hosts: Hosts | None = None
        self._stack = contextlib.AsyncExitStack()
        self._lines: dict[str, Client] = {}

    @property
    def hosts(self) -> Hosts:
        """The simulated systems, running."""
        if self._hosts is None:
            msg = "no hosts yet"
            raise RuntimeError(msg)
        return self._hosts

    async def __aenter__(self) -> Self:
        """Starts the simulated systems."""
        hosts = start_hosts(self.bundle.configuration.hosts)
        with listening():
            self._hosts = await self._stack.enter_async_context(hosts)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends everything that still runs."""
        await self._stack.aclose()
        if self._process is not None:
            await self.stop(signal.SIGKILL)

    async def start(self) -> float:
        """Starts the switch as a program of its own; gives the seconds until it was ready."""
        begun = time.monotonic()
        # The process outlives this call and is ended by `stop`.
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "clets_core.cli",
            "run",
            str(self.folder / "bundle"),
            "--journal",
            str(self.journal),
            "--no-table",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        if self._process.stdout is None:
            msg = "the switch has no output"
            raise RuntimeError(msg)
        async with asyncio.timeout(START_SECONDS):
            line = await self._process.stdout.readline()
        if line.strip() != b"ready":
            text = f"the switch said `{line.decode()}`; expected `ready`"
            raise ClientError(ClientCode.NOT_CONNECTED.number, text)
        return time.monotonic() - begun

    async def stop(self, number: int) -> int:
        """Ends the switch by a signal; gives its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        return await process.wait()

    async def line(self, name: str) -> Client:
        """A connected client of a line, over TLS with the line's certificate."""
        if name not in self._lines:
            self._lines[name] = await self._stack.enter_async_context(self._client(name))
        return self._lines[name]

    def _client(self, name: str) -> Client:
        configuration = self.bundle.configuration
        line = next(line for line in configuration.lines if line.name == name)
        listeners = configuration.switch.listener
        listener = next(it for it in listeners if it.framing == line.framing)
        host, _, port = listener.address.rpartition(":")
        tls = configuration.path / "tls"
        context = client_context(
            tls / "lines" / f"{name}.pem", tls / "lines" / f"{name}.key", tls / "authority.pem"
        )
        return Client.connect(
            host, int(port), framing=line.framing, line=name, ssl=context, server_hostname=host
        )


def free_ports() -> int:
    """The first of :data:`PORTS` loopback ports that nobody listens on now.

    Different processes begin at different places, so that two at a time do not take the same.

    Raises:
        ClientError: E925, there are none.
    """
    places = range(PORTS_FROM, PORTS_TO - PORTS, 2 * PORTS)
    first = os.getpid() % len(places)
    for base in itertools.chain(places[first:], places[:first]):
        with contextlib.suppress(OSError):
            for port in range(base, base + PORTS):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
            return base
    text = f"no {PORTS} ports in {PORTS_FROM}-{PORTS_TO} are free; expected some that are"
    raise ClientError(ClientCode.ADDRESS.number, text)
