"""A whole switch inside the running event loop."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Self

import msgspec

from clets_core._core import Center
from clets_core.config.prepare import aside, wiring
from clets_core.errors import JournalError
from clets_core.net.dialer import Dialer
from clets_core.net.listener import listen
from clets_core.net.shell import Shell
from clets_core.runtime import custody, intercept, rules, service
from clets_core.runtime.control import Control
from clets_core.runtime.status import ShadowReport, Status

if TYPE_CHECKING:
    from os import PathLike
    from types import TracebackType

    from clets_core.config.bundle import Bundle

log = logging.getLogger("clets_core")

SPACE_SECONDS: Final = 1.0
SNAPSHOT_SECONDS: Final = 10.0
SNAPSHOT_RECORDS: Final = 250_000
"""Records between two snapshots at least; a start reads so many in about a second."""
SNAPSHOT_REST: Final = 4.0
"""So many times as long as making a snapshot took, none is made: with millions of references one
takes seconds and hundreds of megabytes, and a state's load has better use for the disk."""


class Switch:
    """The central switching center, or a county's: ``async with Switch(bundle, journal=path)``.

    Entering reads the journal, restores what was in custody, opens the listeners and begins to
    dial the hosts. Leaving closes them and makes everything durable.

    Args:
        bundle: What :func:`clets_core.load_bundle` gave.
        journal: The journal's folder; made when it is absent. One switch at a time may have it.
        segment_bytes: Length of new journal files, bytes.
        reserve_bytes: Length of a file that is given up when the disk is full, 0 for none: room for
            what is urgent while somebody makes more.
        control: Where the control socket is to stand, for ``clets intercept``; by default there
            is none. Only the account that runs the switch can open it.

    Raises:
        JournalError: The journal is damaged, unreadable, or another switch has it.
        OSError: A listener's address cannot be opened.
        ClientError: E925 the control socket cannot be opened.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        journal: str | PathLike[str],
        segment_bytes: int = 64 << 20,
        reserve_bytes: int = 0,
        control: str | PathLike[str] | None = None,
    ) -> None:
        self._bundle = bundle
        self._journal = journal
        self._segment_bytes = segment_bytes
        self._reserve_bytes = reserve_bytes
        self._snapshots: asyncio.Task[None] | None = None
        self._control = None if control is None else Control(Path(control))
        self._shell: Shell | None = None
        self._rules: rules.Rules | None = None
        self._servers: list[asyncio.Server] = []
        self._dialers: list[Dialer] = []
        self._space_timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        center = Center(
            self._bundle.snapshot, self._journal, self._segment_bytes, self._reserve_bytes
        )
        if center.orphans:
            log.warning("%d entries in custody are for lines not in this bundle", center.orphans)
        if center.clock_behind:
            log.error(
                "the clock is %.0f s behind the journal: time goes on from there, and must be set",
                center.clock_behind,
            )
        self._shell = Shell(center)
        configuration = self._bundle.configuration
        self._rules = rules.Rules(self._shell, configuration.path, wiring(configuration))
        try:
            await self._open(self._shell)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    @property
    def addresses(self) -> dict[str, tuple[str, int]]:
        """Where each listener of the bundle listens now, by its name."""
        listeners = self._bundle.configuration.switch.listener
        return {
            listener.name: server.sockets[0].getsockname()[:2]
            for listener, server in zip(listeners, self._servers, strict=False)
        }

    @property
    def recovered(self) -> int:
        """Records that the journal held at the start."""
        return self._running.center.recovered

    def status(self) -> Status:
        """Lines, queues and counters at this moment. No personal data."""
        return msgspec.json.decode(self._running.center.status(), type=Status)

    def service(self, line: str, family: str, state: Literal["held", "removed", "up"]) -> None:
        """Says what a host takes; journalled, and in force after a restart.

        ``family`` is a family, a data class or a key of messages (``vehicle``, ``hot_prop``,
        ``QV``), ``""`` all. Messages for what is held wait, and their senders are told so; what is
        removed is not forwarded, and they are told to send it again later.

        Raises:
            CletsError: 519, there is no such host, family or state.
        """
        self._running.service(line, family, state)

    async def reload(self, path: str | PathLike[str] = "", *, source: str = "program") -> str:
        """Puts the bundle of a folder in force (by default the switch's own, read again).

        From the next message on, whole or not at all, and journalled with ``source``. What is in
        custody stays so. Gives the bundle's hash.

        Raises:
            BundleError: It is not valid; the one in force stays so.
            RefusedError: 541, it has other lines, hosts or listeners: those need a restart.
        """
        await self._changing.reload(str(path), source)
        return self.status().bundle

    async def suspend(self, user: str, *, source: str = "program") -> None:
        """Suspends a user from the next message on, over restarts and new bundles.

        Raises:
            RefusedError: 304, the bundle has no such user.
        """
        await self._changing.suspend(user, source, suspended=True)

    async def restore(self, user: str, *, source: str = "program") -> None:
        """Lifts what :meth:`suspend` did; the bundle's word on the user holds again.

        Raises:
            RefusedError: 304, the user is not suspended.
        """
        await self._changing.suspend(user, source, suspended=False)

    async def shadow(self, path: str | PathLike[str] | None) -> None:
        """Lets the bundle of a folder judge beside the one in force; ``None`` ends it.

        Raises:
            BundleError: It is not valid.
            RefusedError: 541, it has other lines, hosts or listeners.
        """
        if path is None:
            self._running.center.shadow(None)
        else:
            await self._changing.shadow(str(path))

    def shadow_report(self) -> ShadowReport | None:
        """What the bundle beside would have done otherwise so far; nothing without one."""
        report = self._running.center.shadow_report()
        return msgspec.json.decode(report, type=ShadowReport | None)

    async def failure(self) -> JournalError:
        """Waits until the journal fails; the switch has then stopped by itself."""
        return await asyncio.shield(self._running.failed)

    @property
    def _running(self) -> Shell:
        if self._shell is None:
            msg = "the switch is not running: use `async with`"
            raise RuntimeError(msg)
        return self._shell

    @property
    def _changing(self) -> rules.Rules:
        if self._rules is None or self._shell is None:
            msg = "the switch is not running: use `async with`"
            raise RuntimeError(msg)
        return self._rules

    async def snapshot(self) -> int:
        """Writes down what the journal means so far, beside the traffic; a start begins there.

        Old segments that nothing needs go then, as the bundle's ``journal.keep_days`` allows. It
        happens by itself after each :data:`SNAPSHOT_RECORDS`. Gives how many records it covers; 0
        when none was made because entries wait for lines that the bundle does not have.

        Raises:
            JournalError: The journal cannot be read, or the snapshot not be written.
        """
        keep_days = self._bundle.configuration.switch.journal.keep_days
        return await aside(self._running.center.snapshot, keep_days)

    async def _keep_snapshots(self, center: Center) -> None:
        covered = center.durable
        took = 0.0
        while True:
            await asyncio.sleep(max(SNAPSHOT_SECONDS, SNAPSHOT_REST * took))
            if center.durable - covered < SNAPSHOT_RECORDS:
                continue
            covered = center.durable
            begun = time.monotonic()
            try:
                await self.snapshot()
            except JournalError as error:
                log.warning("no snapshot was made, a start will take longer: %s", error)
            took = time.monotonic() - begun

    def _watch_space(self, shell: Shell) -> None:
        """Tells the engine once a second how much room the journal has."""
        try:
            found = os.statvfs(self._journal)
        except OSError as error:
            log.warning("the journal's file system does not tell its space: %s", error)
        else:
            shell.center.space(found.f_bavail * 1000 // max(found.f_blocks, 1))
        loop = asyncio.get_running_loop()
        self._space_timer = loop.call_later(SPACE_SECONDS, self._watch_space, shell)

    async def _open(self, shell: Shell) -> None:
        shell.start()
        self._watch_space(shell)
        self._snapshots = asyncio.create_task(self._keep_snapshots(shell.center))
        configuration = self._bundle.configuration
        folder = configuration.path
        # Hosts first: an inquiry that comes before its file is connected would be sent back.
        for host in configuration.hosts:
            dialer = Dialer(shell, host, folder)
            self._dialers.append(dialer)
            dialer.start()
        for listener in configuration.switch.listener:
            server = await listen(shell, listener, configuration.lines, folder)
            self._servers.append(server)
        if self._control is not None:
            intercept.join(self._control, shell)
            service.join(self._control, shell)
            custody.join(self._control, shell)
            rules.join(self._control, self._changing, shell)
            await self._control.open()

    async def _close(self) -> None:
        if self._shell is None:
            return
        if self._space_timer is not None:
            self._space_timer.cancel()
        if self._snapshots is not None:
            self._snapshots.cancel()
            await asyncio.gather(self._snapshots, return_exceptions=True)
        for server in self._servers:
            server.close()
        if self._control is not None:
            await self._control.close()
        for dialer in self._dialers:
            await dialer.stop()
        shell, self._shell = self._shell, None
        failed = shell.failed.done()
        shell.stop()
        shell.failed.cancel()
        self._servers.clear()
        self._dialers.clear()
        if not failed:
            shell.center.stop()
