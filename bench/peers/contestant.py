"""What every contestant is, and what the clients and servers of those over TCP share."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from bench.load.legs import CHUNK, NOTE, UNANSWERED_MAX, cpu_seconds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence

HOST = "127.0.0.1"
START_SECONDS = STOP_SECONDS = 20
RUN_SECONDS_MAX = 120
LATE_SECONDS = 0.2
"""So long a message may come a second time and is noticed."""
NUMBER = re.compile(rb"MESSAGE (\d{10}) ")


@dataclass(frozen=True)
class Run:
    """How long all messages took, and what the server needed for them."""

    seconds: float
    server_cpu_seconds: float


class Contestant(Protocol):
    """Takes messages, makes them durable, acknowledges and delivers them."""

    name: str

    def lacks(self) -> str | None:
        """What is missing here for it to run."""

    async def run(self, folder: Path, count: int) -> Run:
        """Passes so many messages on, its state in that folder."""


def body(number: int) -> bytes:
    return NOTE.format(number).encode()


def chunks(count: int, framed: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """What a sender writes at once, made before the clock runs."""
    for first in range(1, count + 1, CHUNK):
        yield b"".join(framed(body(number)) for number in range(first, first + CHUNK))


def check_exactly_once(bodies: Iterable[bytes], count: int) -> None:
    found = sorted(int(number) for it in bodies for number in NUMBER.findall(it))
    assert found == list(range(1, count + 1)), f"{len(set(found))} of {count} messages came"


class Client(asyncio.Protocol):
    """One connection; ``done`` when it has what it waits for, failed when it ends before."""

    def __init__(self) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Not every client is waited for: one that ends has nothing to report then.
        self.done.add_done_callback(lambda done: done.cancelled() or done.exception())
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        try:
            self.on_read(data)
        except Exception as error:
            if not self.done.done():
                self.done.set_exception(error)
            self.transport.abort()

    def on_read(self, data: bytes) -> None:
        raise NotImplementedError


class Sender(Client):
    """Writes chunks and keeps at most a window of messages unanswered."""

    def __init__(self, written: Sequence[bytes], each: int = CHUNK) -> None:
        super().__init__()
        self._left = iter(written)
        self._each = each
        self._count = len(written) * each
        self._sent = self._answered = 0

    def send(self) -> None:
        while self._sent - self._answered <= UNANSWERED_MAX - self._each:
            chunk = next(self._left, None)
            if chunk is None:
                return
            self.transport.write(chunk)
            self._sent += self._each

    def on_read(self, data: bytes) -> None:
        self._answered += self.answers(data)
        if self._answered >= self._count and not self.done.done():
            self.done.set_result(None)
        self.send()

    def answers(self, data: bytes) -> int:
        """How many messages are acknowledged by what was read."""
        raise NotImplementedError


class Receiver(Client):
    """Keeps what it gets, and acknowledges it once for each read."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.bodies: list[bytes] = []
        self._count = count

    def on_read(self, data: bytes) -> None:
        self.bodies += self.take(data)
        if len(self.bodies) >= self._count and not self.done.done():
            self.done.set_result(None)

    def take(self, data: bytes) -> list[bytes]:
        """The messages in what was read, acknowledged."""
        raise NotImplementedError


C = TypeVar("C", bound=Client)


async def connected(client: C, port: int) -> C:
    await asyncio.get_running_loop().create_connection(lambda: client, HOST, port)
    return client


async def relayed(pid: int, sender: Sender, receiver: Receiver, count: int) -> Run:
    """The run itself, between two clients that are ready."""

    async def send() -> None:
        sender.send()
        await sender.done

    async def receive() -> list[bytes]:
        await receiver.done
        return receiver.bodies

    return await timed(pid, send(), receive(), count)


async def timed(
    pid: int, sending: Awaitable[None], receiving: Awaitable[list[bytes]], count: int
) -> Run:
    cpu_before, begun = _cpu_seconds_of_all(pid), time.perf_counter()
    async with asyncio.timeout(RUN_SECONDS_MAX):
        bodies, _ = await asyncio.gather(receiving, sending)
    run = Run(time.perf_counter() - begun, _cpu_seconds_of_all(pid) - cpu_before)
    await asyncio.sleep(LATE_SECONDS)
    check_exactly_once(bodies, count)
    return run


def _cpu_seconds_of_all(pid: int) -> float:
    """Of a process and those that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(cpu_seconds(process) for process in (pid, *map(int, children)))


def free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


@asynccontextmanager
async def served(folder: Path, port: int, *command: str) -> AsyncIterator[int]:
    """Runs a server until it listens, gives its process, and stops it in the end, come what may."""
    with (folder / "log").open("wb") as log:
        server = await asyncio.create_subprocess_exec(
            *command, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        async with asyncio.timeout(START_SECONDS):
            while not await _listens(port):
                said = (folder / "log").read_text(errors="replace")[-400:]
                assert server.returncode is None, f"ended at once: {said}"
                await asyncio.sleep(0.05)
        yield server.pid
    finally:
        if server.returncode is None:
            server.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await server.wait()
        except TimeoutError:
            server.kill()
            await server.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True
