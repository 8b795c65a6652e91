"""NATS JetStream on file storage, spoken to in its own text protocol, without a client library."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from bench.load.legs import CHUNK, WINDOW
from bench.peers.contestant import (
    Client,
    Receiver,
    Run,
    Sender,
    body,
    chunks,
    connected,
    free_port,
    relayed,
    served,
)
from bench.peers.packages import lacking, program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVER = "nats-server"
BATCH = 512
"""The server takes a thousand at most; this divides the counts."""
BATCH_HEAD = b"NATS/1.0\r\nNats-Batch-Id: %d\r\nNats-Batch-Sequence: %d\r\n%b\r\n"
HELLO = b'CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\n'
STREAM: dict[str, Any] = {
    "name": "M",
    "subjects": ["m"],
    "storage": "file",
    "num_replicas": 1,
    "allow_atomic": True,
}
CONSUMER = {
    "stream_name": "M",
    "config": {
        "durable_name": "C",
        "deliver_subject": "out",
        "ack_policy": "all",
        "max_ack_pending": WINDOW,
    },
}


class Asker(Client):
    """Sets the stream up: one request at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._told = b""
        self._answer: asyncio.Future[None]

    async def ask(self, subject: str, question: object) -> None:
        self._told, self._answer = b"", asyncio.get_running_loop().create_future()
        data = json.dumps(question).encode()
        once = HELLO + b"SUB answer 1\r\nUNSUB 1 1\r\n"
        request = b"PUB $JS.API.%b answer %d\r\n" % (subject.encode(), len(data))
        self.transport.write(once + request + data + b"\r\n")
        async with asyncio.timeout(10):
            await self._answer
        assert b'"error"' not in self._told, self._told

    def on_read(self, data: bytes) -> None:
        self._told += data
        if b"MSG answer" in self._told and self._told.endswith(b"}\r\n"):
            self._answer.set_result(None)


class Publisher(Sender):
    """Counts the acknowledgements of the stream: one for each message, or for each batch."""

    def __init__(self, written: list[bytes], *, batch: int | None) -> None:
        super().__init__(written, batch or CHUNK)
        self._acknowledged = batch or 1
        self._rest = b""

    def send(self) -> None:
        if not self._sent:
            self.transport.write(HELLO + b"SUB acks 1\r\n")
        super().send()

    def answers(self, data: bytes) -> int:
        lines, end, self._rest = (self._rest + data).rpartition(b"\r\n")
        assert b'"error"' not in lines
        assert b"-ERR" not in lines, lines
        if b"PING" in lines:
            self.transport.write(b"PONG\r\n")
        return (lines + end).count(b'"seq":') * self._acknowledged


class Consumer(Receiver):
    """A push consumer's receiver."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self._buffer = b""

    def take(self, data: bytes) -> list[bytes]:
        buffer, at, taken, reply = self._buffer + data, 0, [], b""
        while (end := buffer.find(b"\r\n", at)) >= 0:
            words = buffer[at:end].split()
            following = end + 2
            if words[0] in {b"MSG", b"HMSG"}:
                size, head = int(words[-1]), int(words[-2]) if words[0] == b"HMSG" else 0
                if len(buffer) < following + size + 2:
                    break
                taken.append(buffer[following + head : following + size])
                reply = words[3]
                following += size + 2
            elif words[0] == b"PING":
                self.transport.write(b"PONG\r\n")
            at = following
        self._buffer = buffer[at:]
        if reply:
            self.transport.write(b"PUB %b 0\r\n\r\n" % reply)
        return taken


def _one(data: bytes) -> bytes:
    return b"PUB m acks %d\r\n%b\r\n" % (len(data), data)


def _batches(count: int) -> Iterator[bytes]:
    """Each is stored whole or not at all and acknowledged once, at its last message."""
    for first in range(1, count + 1, BATCH):
        out = []
        for place in range(1, BATCH + 1):
            last = place == BATCH
            commit, reply = (b"Nats-Batch-Commit: 1\r\n", b" acks") if last else (b"", b"")
            head = BATCH_HEAD % (first, place, commit)
            data = body(first + place - 1)
            sizes = (reply, len(head), len(head) + len(data))
            out.append(b"HPUB m%b %d %d\r\n" % sizes + head + data + b"\r\n")
        yield b"".join(out)


class JetStream:
    """One stream and one push consumer."""

    def __init__(self, name: str, *, sync: str, batches: bool = False) -> None:
        self.name = name
        self._sync = sync
        self._batches = batches

    def lacks(self) -> str | None:
        return lacking(programs=(SERVER,))

    async def run(self, folder: Path, count: int) -> Run:
        port = free_port()
        settings = folder / "settings"
        settings.write_text(
            f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{folder}"\n{self._sync} }}\n'
        )
        async with served(folder, port, program(SERVER), "--config", str(settings)) as pid:
            asker = await connected(Asker(), port)
            await asker.ask("STREAM.CREATE.M", STREAM)
            receiver = await connected(Consumer(count), port)
            receiver.transport.write(HELLO + b"SUB out 1\r\n")
            await asker.ask("CONSUMER.DURABLE.CREATE.M.C", CONSUMER)
            written = list(_batches(count) if self._batches else chunks(count, _one))
            batch = BATCH if self._batches else None
            sender = await connected(Publisher(written, batch=batch), port)
            return await relayed(pid, sender, receiver, count)
