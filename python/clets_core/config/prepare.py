"""A bundle made ready by another process, so that a running switch is not kept from its traffic.

Thousands of rows are read and checked in Python, which would hold up every message meanwhile; what
comes back is only what the engine needs.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import msgspec

from clets_core._core import Snapshot
from clets_core.config.document import document
from clets_core.config.load import load
from clets_core.errors import BundleError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from clets_core.config.model import Configuration


T = TypeVar("T")


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle in the form that the engine compiles, or why there is none."""

    document: bytes = b""
    policies: list[tuple[str, str]] = []
    schema: str = ""
    hash: str = ""
    wiring: str = ""
    problems: list[tuple[str, int, int, str]] = []


def wiring(configuration: Configuration) -> str:
    """What of a bundle belongs to connections: these a running switch cannot change."""
    parts = (
        configuration.switch.listener,
        [(it.name, it.framing, it.peer, it.certificate) for it in configuration.lines],
        [
            (
                it.name,
                it.address,
                it.framing,
                it.dialect,
                it.plain,
                it.authority,
                it.certificate,
                it.key,
            )
            for it in configuration.hosts
        ],
    )
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def prepare(path: str | PathLike[str]) -> Prepared:
    """Reads and checks the bundle in a folder."""
    try:
        configuration = load(path)
    except BundleError as error:
        return Prepared(problems=[(it.file, it.line, it.code, it.text) for it in error.problems])
    return Prepared(
        document=document(configuration),
        policies=[(policy.name, policy.text) for policy in configuration.policies],
        schema=configuration.schema,
        hash=configuration.hash,
        wiring=wiring(configuration),
    )


def _yield_to_traffic() -> None:
    """Lets this thread run only when no other has anything to do."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


_aside = ThreadPoolExecutor(1, "clets-bundle", _yield_to_traffic)


async def aside(step: Callable[..., T], *given: object) -> T:
    """Takes a step that releases the interpreter, in a thread that yields to traffic."""
    return await asyncio.get_running_loop().run_in_executor(_aside, step, *given)


def _in_another_process(path: str) -> bytes:
    # From this thread, since the event loop's own way to begin a process holds it up for long.
    command = [sys.executable, "-m", "clets_core.config.prepare", path]
    return subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout


async def prepare_apart(path: str | PathLike[str]) -> tuple[Snapshot, str]:
    """The compiled bundle of a folder and its :func:`wiring`; the event loop goes on meanwhile.

    Raises:
        BundleError: Everything that is wrong with it, each problem with file and line.
    """
    output = await aside(_in_another_process, str(path))
    if not output:
        problem = Problem(str(path), 0, 700, "the process that reads the bundle has failed")
        raise BundleError([problem])
    found = msgspec.msgpack.decode(output, type=Prepared)
    if found.problems:
        raise BundleError([Problem(*problem) for problem in found.problems])
    compiled = await aside(Snapshot, found.document, found.policies, found.schema, found.hash)
    return compiled, found.wiring


if __name__ == "__main__":
    _yield_to_traffic()
    sys.stdout.buffer.write(msgspec.msgpack.encode(prepare(sys.argv[1])))
