"""Another bundle while the switch runs, a candidate beside it, and users who are suspended."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import msgspec

from clets_core.config.prepare import aside, prepare_apart
from clets_core.errors import BundleError, CletsError, RefusedError
from clets_core.runtime.words import words

if TYPE_CHECKING:
    from pathlib import Path

    from clets_core._core import Snapshot
    from clets_core.net.shell import Shell
    from clets_core.runtime.control import Control, Request

log = logging.getLogger("clets_core")

_LINES_CHANGED = 541


class Rules:
    """What may be changed of a running switch's bundle.

    Args:
        shell: The running shell.
        folder: The bundle's folder, read again by :meth:`reload` unless it names another.
        wiring: What of the bundle belongs to connections, and must stay.
    """

    def __init__(self, shell: Shell, folder: Path, wiring: str) -> None:
        self._shell = shell
        self._folder = folder
        self._wiring = wiring
        self._one_at_a_time = asyncio.Lock()

    async def reload(self, path: str, source: str) -> int:
        """Puts the bundle of a folder in force, whole or not at all; gives the record's number.

        Raises:
            BundleError: It is not valid; the one in force stays so.
            RefusedError: 541, it has other lines, hosts or listeners.
        """
        async with self._one_at_a_time:
            try:
                snapshot = await self._prepared(path)
                record = self._shell.reload(snapshot, source)
            except CletsError as error:
                await self._shell.durable(self._shell.refuse_bundle(source, f"E{error.code}"))
                log.warning("a bundle was refused: E%d; the one in force stays", error.code)
                raise
            await self._shell.durable(record)
            log.info("bundle %s is in force", snapshot.hash[:12])
            return record

    async def shadow(self, path: str) -> str:
        """Lets the bundle of a folder judge beside the one in force; gives its hash."""
        async with self._one_at_a_time:
            snapshot = await self._prepared(path)
            self._shell.center.shadow(snapshot)
            return snapshot.hash

    async def suspend(self, user: str, source: str, *, suspended: bool) -> int:
        """Suspends a user from the next message on, or lifts that; gives the record's number.

        Raises:
            RefusedError: 304, there is no such user, or the user is not suspended.
        """
        record = self._shell.suspend(user, source, suspended=suspended)
        await self._shell.durable(record)
        return record

    async def _prepared(self, path: str) -> Snapshot:
        snapshot, wiring = await prepare_apart(path or self._folder)
        if wiring != self._wiring:
            text = (
                "the bundle must have the listeners, lines and hosts that run; restart for others"
            )
            raise RefusedError(_LINES_CHANGED, text)
        await aside(self._shell.center.prepare, snapshot)
        return snapshot


def join(control: Control, rules: Rules, shell: Shell) -> None:
    """Adds ``bundle.*`` and ``user.*``; what changes something is answered once it is durable."""

    async def reload(request: Request, account: str) -> Any:  # noqa: ANN401
        given, source = words(request, account, ("path",), reason=True)
        try:
            record = await rules.reload(given["path"], source)
        except BundleError as error:
            # On one line, as every answer: the first problem, and how many there are.
            more = f" ({len(error.problems)} problems)" if len(error.problems) > 1 else ""
            raise CletsError(error.code, f"{error.problems[0]}{more}") from error
        return {"record": record, "bundle": _bundle(shell)}

    async def shadow(request: Request, account: str) -> Any:  # noqa: ANN401
        given, _ = words(request, account, ("path",), reason=False)
        return {"bundle": await rules.shadow(given["path"])}

    async def end_shadow(request: Request, account: str) -> Any:  # noqa: ANN401
        words(request, account, (), reason=False)
        shell.center.shadow(None)
        return {}

    async def report(request: Request, account: str) -> Any:  # noqa: ANN401
        words(request, account, (), reason=False)
        return msgspec.json.decode(shell.center.shadow_report())

    def standing(*, suspended: bool) -> Any:  # noqa: ANN401
        async def put(request: Request, account: str) -> Any:  # noqa: ANN401
            given, source = words(request, account, ("user",), reason=True)
            record = await rules.suspend(given["user"], source, suspended=suspended)
            return {"record": record, "user": given["user"], "suspended": suspended}

        return put

    control.verbs |= {
        "bundle.reload": reload,
        "bundle.shadow": shadow,
        "bundle.shadow_end": end_shadow,
        "bundle.shadow_report": report,
        "user.suspend": standing(suspended=True),
        "user.restore": standing(suspended=False),
    }


def _bundle(shell: Shell) -> str:
    return str(msgspec.json.decode(shell.center.status())["bundle"])
