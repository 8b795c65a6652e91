"""The switch that a competent engineer writes in an afternoon: asyncio, SQLite and group commit.

What comes while a commit runs makes the next transaction; after it, acknowledgements and
deliveries go out. Frames bear their length. A connection says first what it is, `S` for a sender
or `R` for the receiver; both sides acknowledge with the number of messages so far.

    python -m bench.peers.sqlite PORT FILE
"""

from __future__ import annotations

import asyncio
import sqlite3
import struct
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import uvloop

HOST = "127.0.0.1"
WINDOW = 1024
LENGTH, COUNT = struct.Struct(">I"), struct.Struct(">Q")
SENDER, RECEIVER = b"S", b"R"


def framed(body: bytes) -> bytes:
    return LENGTH.pack(len(body)) + body


def frames(data: bytes) -> tuple[list[bytes], bytes]:
    """What is whole in it, and the rest."""
    found, at = [], 0
    while len(data) >= at + LENGTH.size:
        (size,) = LENGTH.unpack_from(data, at)
        end = at + LENGTH.size + size
        if len(data) < end:
            break
        found.append(data[at + LENGTH.size : end])
        at = end
    return found, data[at:]


def counts(data: bytes) -> tuple[int | None, bytes]:
    """The last whole count in it, and the rest."""
    whole = len(data) - len(data) % COUNT.size
    last = COUNT.unpack_from(data, whole - COUNT.size)[0] if whole else None
    return last, data[whole:]


class Store:
    """The table; used by one thread."""

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS queue (id INTEGER PRIMARY KEY, body BLOB NOT NULL)"
        )

    def waiting(self) -> list[tuple[int, bytes]]:
        return self._database.execute("SELECT id, body FROM queue ORDER BY id").fetchall()

    def commit(self, rows: list[tuple[int, bytes]], delivered: int) -> None:
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO queue VALUES (?, ?)", rows)
        self._database.execute("DELETE FROM queue WHERE id <= ?", (delivered,))
        self._database.execute("COMMIT")


class Switch:
    """What waits for the disk, and what waits for the receiver."""

    def __init__(self, path: str) -> None:
        self._store = Store(path)
        self._thread = ThreadPoolExecutor(1)
        self._waiting = deque(self._store.waiting())
        self._incoming: list[tuple[Line, bytes]] = []
        self._work = asyncio.Event()
        self._receiver: Line | None = None
        self._unacknowledged: deque[tuple[int, bytes]] = deque()
        self._last = self._waiting[-1][0] if self._waiting else 0
        self._delivered = 0

    def accept(self, line: Line, bodies: list[bytes]) -> None:
        self._incoming += [(line, it) for it in bodies]
        self._work.set()

    def attach(self, line: Line) -> None:
        """A receiver that comes again gets again what it did not acknowledge."""
        self._waiting.extendleft(reversed(self._unacknowledged))
        self._unacknowledged.clear()
        self._receiver = line
        self.deliver()

    def delivered(self, count: int) -> None:
        for _ in range(count):
            self._delivered = self._unacknowledged.popleft()[0]
        self.deliver()
        self._work.set()

    def deliver(self) -> None:
        out = []
        while self._receiver and self._waiting and len(self._unacknowledged) < WINDOW:
            self._unacknowledged.append(self._waiting.popleft())
            out.append(framed(self._unacknowledged[-1][1]))
        if self._receiver and out:
            self._receiver.transport.write(b"".join(out))

    async def commit(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._work.wait()
            self._work.clear()
            came, self._incoming = self._incoming, []
            rows = [(self._last + place, body) for place, (_, body) in enumerate(came, 1)]
            self._last += len(rows)
            await loop.run_in_executor(self._thread, self._store.commit, rows, self._delivered)
            lines: dict[Line, int] = {}
            for line, _ in came:
                lines[line] = lines.get(line, 0) + 1
            for line, count in lines.items():
                line.acknowledge(count)
            self._waiting += rows
            self.deliver()


class Line(asyncio.Protocol):
    """A sender's or the receiver's connection."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._role = self._rest = b""
        self._count = 0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if not self._role:
            self._role, data = data[:1], data[1:]
            if self._role == RECEIVER:
                self._switch.attach(self)
        if self._role == SENDER:
            bodies, self._rest = frames(self._rest + data)
            if bodies:
                self._switch.accept(self, bodies)
        else:
            count, self._rest = counts(self._rest + data)
            if count is not None:
                self._switch.delivered(count - self._count)
                self._count = count

    def acknowledge(self, count: int) -> None:
        self._count += count
        self.transport.write(COUNT.pack(self._count))


async def serve(port: int, path: str) -> None:
    switch = Switch(path)
    server = await asyncio.get_running_loop().create_server(lambda: Line(switch), HOST, port)
    async with server:
        await switch.commit()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2]))
