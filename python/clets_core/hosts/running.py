"""All simulated systems of a bundle together, and the socket by which another process steers them.

The control socket takes one JSON object a line and answers each with one:

``{"host": "ncic", "outage": true}``
    changes a behaviour (``delay``, ``loss``, ``outage``, ``silent``, ``person``) and tells the one
    in force.
``{"host": "ncic", "notice": {"ori": "CA0190100", "text": "$.H. ..."}}``
    sends a message that nobody asked for.
``{"host": "nlets", "notice": {"ori": "CA0349400", "kind": "SM-OUT", "values": {"member": "AZ"}}}``
    sends one of a kind of `clets_core.hosts.unasked`.
``{"host": "ncic"}``
    tells behaviour and counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, Self, cast

import msgspec

from clets_core.hosts.host import BundleHost, Host

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Hosts", "start_hosts"]

LINE_BYTES_MAX: Final = 64 * 1024


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An unsolicited message, as the control socket takes it."""

    ori: str
    text: str = ""
    key: str = "AM"
    origin: str = ""
    kind: str = ""
    values: dict[str, str] = {}


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the control socket."""

    host: str
    delay: float | None = None
    loss: float | None = None
    outage: bool | None = None
    silent: bool | None = None
    person: float | None = None
    notice: Notice | None = None


class Hosts(Mapping[str, Host]):
    """The systems by name; running inside ``async with``."""

    def __init__(self, hosts: Iterable[Host], control: int | None = None) -> None:
        """Takes the systems, and the loopback port of the control socket (0 takes a free one)."""
        self._hosts = {host.name: host for host in hosts}
        self.control = control
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def __getitem__(self, name: str) -> Host:
        """The system of that name."""
        return self._hosts[name]

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._hosts)

    def __len__(self) -> int:
        """How many systems there are."""
        return len(self._hosts)

    async def __aenter__(self) -> Self:
        """Starts all systems, or none."""
        try:
            for host in self._hosts.values():
                await host.open()
            if self.control is not None:
                loop = asyncio.get_running_loop()
                self._server = await loop.create_server(
                    lambda: _Control(self), "127.0.0.1", self.control
                )
                self.control = self._server.sockets[0].getsockname()[1]
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops all systems."""
        await self.close()

    async def close(self) -> None:
        """Stops all systems and the control socket."""
        for task in list(self._tasks):
            task.cancel()
        if self._server is not None:
            self._server.close()
        await asyncio.gather(*(host.close() for host in self._hosts.values()))

    def keep(self, task: asyncio.Task[None]) -> None:
        """Holds on to a task of the control socket until it is done."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def obey(self, line: bytes) -> bytes:
        """Carries out one line of the control socket and gives the line of the answer."""
        try:
            command = msgspec.json.decode(line, type=Command)
            host = self._hosts[command.host]
            await host.change(
                delay=command.delay,
                loss=command.loss,
                outage=command.outage,
                silent=command.silent,
                person=command.person,
            )
            if command.notice is not None:
                _announce(host, command.notice)
        except KeyError as error:
            return msgspec.json.encode({"ok": False, "error": f"no host {error}"})
        except (msgspec.MsgspecError, OSError, ValueError) as error:
            return msgspec.json.encode({"ok": False, "error": str(error)})
        told = {"ok": True, "host": host.name, "behaviour": host.behaviour, "tally": host.tally}
        return msgspec.json.encode(told)


def _announce(host: Host, notice: Notice) -> None:
    if notice.kind:
        host.announce(notice.kind, notice.ori, notice.values, origin=notice.origin)
    else:
        host.unsolicited(notice.ori, notice.text, key=notice.key, origin=notice.origin)


class _Control(asyncio.Protocol):
    """One connection of the control socket; its lines are carried out in order."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._begun = b""
        self._lines: asyncio.Queue[bytes] = asyncio.Queue()
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._task = asyncio.get_running_loop().create_task(self._work(self._transport))
        self._hosts.keep(self._task)

    def data_received(self, data: bytes) -> None:
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            self._lines.put_nowait(line)
        if len(self._begun) > LINE_BYTES_MAX and self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._task is not None:
            self._task.cancel()

    async def _work(self, transport: asyncio.Transport) -> None:
        try:
            while True:
                line = await self._lines.get()
                if line.strip():
                    transport.write(await self._hosts.obey(line) + b"\n")
        finally:
            transport.close()


def start_hosts(
    bundle_hosts: Iterable[BundleHost], *, seed: int = 1, control: int | None = None
) -> Hosts:
    """The simulated systems of a bundle, for ``async with``.

    Args:
        bundle_hosts: the bundle's ``hosts``.
        seed: of the synthetic records and of what is lost by chance.
        control: loopback port of the control socket; 0 takes a free one, ``None`` has none.

    Raises:
        ValueError: an entry has a dialect or an address that no system can have.
    """
    return Hosts((Host(entry, seed=seed) for entry in bundle_hosts), control)
