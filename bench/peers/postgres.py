"""PostgreSQL as a queue: a table, and a receiver that takes rows with FOR UPDATE SKIP LOCKED."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from bench.load.legs import UNANSWERED_MAX, WINDOW
from bench.peers.contestant import HOST, Run, body, free_port, served, timed
from bench.peers.packages import lacking, module, program

if TYPE_CHECKING:
    from pathlib import Path

NOBODY = 65_534
POLL_SECONDS = 0.001
TABLE = "CREATE TABLE queue (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea)"
PUT = "INSERT INTO queue (body) SELECT unnest($1::bytea[])"
TAKE = f"""
    DELETE FROM queue WHERE id = ANY (ARRAY(
        SELECT id FROM queue ORDER BY id LIMIT {WINDOW} FOR UPDATE SKIP LOCKED
    )) RETURNING body
"""  # noqa: S608, a number of ours
"""An array, for the planner knows nothing of a table that was empty a moment ago."""
OPTIONS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "listen_addresses": HOST,
    "unix_socket_directories": "",
}


async def _put(connection: Any, batches: list[list[bytes]]) -> None:
    """One INSERT, and so one commit, for as many as may be unanswered."""
    put = await connection.prepare(PUT)
    for batch in batches:
        await put.fetch(batch)


async def _take(connection: Any, count: int) -> list[bytes]:
    """A row is gone when its receiver, which has it, commits. That commit need not be synced: were
    it lost, the row would come again."""
    await connection.execute("SET synchronous_commit = off")
    take = await connection.prepare(TAKE)
    bodies: list[bytes] = []
    while len(bodies) < count:
        async with connection.transaction():
            rows = await take.fetch()
            bodies += [row[0] for row in rows]
        if not rows:
            await asyncio.sleep(POLL_SECONDS)
    return bodies


def _unprivileged(folder: Path) -> list[str]:
    """How to start a program that refuses to run as root; the folder becomes its own."""
    if os.geteuid() != 0:
        return []
    os.chown(folder, NOBODY, NOBODY)
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


class Postgres:
    """Multi-row INSERTs of a whole window each."""

    name = "PostgreSQL queue table, synchronous_commit on"

    def lacks(self) -> str | None:
        return lacking(programs=("postgres", "initdb"), modules=("asyncpg",))

    async def run(self, folder: Path, count: int) -> Run:
        port, data = free_port(), folder / "data"
        become = _unprivileged(folder)
        init = (program("initdb"), "--auth=trust", "--username=queue", "--no-sync", "-D", data)
        made = await asyncio.create_subprocess_exec(
            *become, *init, stdout=asyncio.subprocess.DEVNULL, cwd=folder
        )
        assert await made.wait() == 0, "initdb failed"
        flags = [word for name, value in OPTIONS.items() for word in ("-c", f"{name}={value}")]
        server = (*become, program("postgres"), "-D", str(data), "-p", str(port), *flags)
        asyncpg = module("asyncpg")
        async with AsyncExitStack() as stack:
            pid = await stack.enter_async_context(served(folder, port, *server))
            where = {"host": HOST, "port": port, "user": "queue", "database": "postgres"}
            sender, receiver = [await asyncpg.connect(**where) for _ in range(2)]
            stack.push_async_callback(sender.close)
            stack.push_async_callback(receiver.close)
            await sender.execute(TABLE)
            bodies = [body(number) for number in range(1, count + 1)]
            batches = [bodies[at : at + UNANSWERED_MAX] for at in range(0, count, UNANSWERED_MAX)]
            return await timed(pid, _put(sender, batches), _take(receiver, count), count)
