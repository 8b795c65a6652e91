"""Redis streams with an append-only file that is synced before each answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.load.legs import WINDOW
from bench.peers.contestant import (
    HOST,
    Receiver,
    Run,
    Sender,
    chunks,
    connected,
    free_port,
    relayed,
    served,
)
from bench.peers.packages import lacking, module, program

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SERVER = "redis-server"
STREAM, GROUP = "messages", "receivers"
READ = ("XREADGROUP", "GROUP", GROUP, "one", "COUNT", str(WINDOW), "BLOCK", "0")


def _command(*words: str | bytes) -> bytes:
    packed: bytes = module("hiredis").pack_command(words)
    return packed


class Adder(Sender):
    """One XADD for each message, pipelined."""

    def __init__(self, written: Sequence[bytes]) -> None:
        super().__init__(written)
        self._reader = module("hiredis").Reader()

    def answers(self, data: bytes) -> int:
        self._reader.feed(data)
        count = 0
        while (answer := self._reader.gets()) is not False:
            assert isinstance(answer, bytes), answer
            count += 1
        return count


class Reader(Receiver):
    """Acknowledges what it has and asks for more, in one write."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self._reader = module("hiredis").Reader()
        self._read = _command(*READ, "STREAMS", STREAM, ">")

    def begin(self) -> None:
        created = _command("XGROUP", "CREATE", STREAM, GROUP, "$", "MKSTREAM")
        self.transport.write(created + self._read)

    def take(self, data: bytes) -> list[bytes]:
        self._reader.feed(data)
        taken: list[bytes] = []
        while (answer := self._reader.gets()) is not False:
            if isinstance(answer, list):
                entries: list[Any] = answer[0][1]
                taken += [fields[1] for _, fields in entries]
                done = _command("XACK", STREAM, GROUP, *(name for name, _ in entries))
                self.transport.write(done + self._read)
            else:
                assert answer == b"OK" or isinstance(answer, int), answer
        return taken


class Redis:
    """A stream and a group of one consumer."""

    name = "Redis streams, appendfsync always"

    def lacks(self) -> str | None:
        return lacking(programs=(SERVER,), modules=("hiredis",))

    async def run(self, folder: Path, count: int) -> Run:
        port = free_port()
        options = {
            "port": str(port),
            "bind": HOST,
            "dir": str(folder),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
        }
        flags = [word for name, value in options.items() for word in (f"--{name}", value)]
        async with served(folder, port, program(SERVER), *flags) as pid:
            receiver = await connected(Reader(count), port)
            receiver.begin()
            written = list(chunks(count, lambda it: _command("XADD", STREAM, "*", "body", it)))
            sender = await connected(Adder(written), port)
            return await relayed(pid, sender, receiver, count)
