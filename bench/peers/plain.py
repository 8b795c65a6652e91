"""The clients of the plain switch in ``sqlite.py``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bench.peers import sqlite
from bench.peers.contestant import (
    Receiver,
    Run,
    Sender,
    chunks,
    connected,
    free_port,
    relayed,
    served,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class PlainSender(Sender):
    def __init__(self, written: Sequence[bytes]) -> None:
        super().__init__(written)
        self._rest = b""

    def answers(self, data: bytes) -> int:
        count, self._rest = sqlite.counts(self._rest + data)
        return 0 if count is None else count - self._answered


class PlainReceiver(Receiver):
    def __init__(self, count: int) -> None:
        super().__init__(count)
        self._rest = b""

    def take(self, data: bytes) -> list[bytes]:
        bodies, self._rest = sqlite.frames(self._rest + data)
        self.transport.write(sqlite.COUNT.pack(len(self.bodies) + len(bodies)))
        return bodies


class Plain:
    """uvloop and one process; no parsing, no policy, one receiver."""

    name = "asyncio and SQLite, WAL, synchronous FULL"

    def lacks(self) -> str | None:
        return None

    async def run(self, folder: Path, count: int) -> Run:
        port = free_port()
        switch = (sys.executable, "-m", "bench.peers.sqlite", str(port), str(folder / "queue"))
        async with served(folder, port, *switch) as pid:
            receiver = await connected(PlainReceiver(count), port)
            receiver.transport.write(sqlite.RECEIVER)
            sender = await connected(PlainSender(list(chunks(count, sqlite.framed))), port)
            sender.transport.write(sqlite.SENDER)
            return await relayed(pid, sender, receiver, count)
