"""Whoever a load is for, in a process of its own: stations that take messages, and one host.

The lines take custody of what comes and note how long it was under way since the second that its
text names; the host ``svs`` acknowledges each inquiry and answers it. Each line on its standard
input asks for the counts by precedence, JSON; at its end the delays go to a file.

    python -m bench.load.sink PORT HOST_PORT FILE RECEIVER...
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from array import array
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import uvloop
from bench.load.legs import Line
from bench.load.lines import Place

from clets_core._core import Framer, frame

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

DUE = re.compile(rb"DUE (\d+) END")
"""In a text: when it should have been sent, microseconds of the machine's monotonic clock."""
ASKED = re.compile(rb"OCA/D(\d+)")
ANSWER = b"CLETSSVS.%b.%b.QVK.CA0349411.%b.TXT\r\nNO RECORD DUE %b END"


def text_due(due: float) -> str:
    return f"DUE {int(due * 1e6)} END"


class Taker(Line):
    """Takes custody, once for each read, and notes the delays."""

    def __init__(self, name: str, delays: array[float]) -> None:
        super().__init__(name)
        self.delays = delays

    def on_frames(self, frames: list[Any]) -> None:
        now = time.perf_counter()
        highest: dict[int, int] = {}
        for it in frames:
            if it.kind == "data":
                highest[it.precedence] = it.sequence
                found = DUE.search(it.body)
                if found:
                    due = int(found[1]) / 1e6
                    self.delays.extend((it.precedence, due, now - due))
        for precedence, sequence in highest.items():
            numbers = {"precedence": precedence, "sequence": sequence}
            self.transport.write(frame("native", "delivered", **numbers))


class Host(asyncio.Protocol):
    """Answers every inquiry at once."""

    def __init__(self) -> None:
        self.framer = Framer("dmpp", 1 << 20)
        self.transport: asyncio.Transport
        self.validation = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        out = []
        for it in self.framer.feed(data):
            if it.kind == "status_request":
                out.append(frame("dmpp", "status_reply", validation=it.validation))
            if it.kind != "data":
                continue
            out.append(frame("dmpp", "positive_ack", validation=it.validation))
            _, control, user, _, _, ori, _ = it.body.split(b".", 6)
            asked = ASKED.search(it.body)
            assert asked is not None
            self.validation += 1
            body = ANSWER % (control, user, ori, asked[1])
            validation = self.validation.to_bytes(4, "big")
            out.append(frame("dmpp", "data", body, validation=validation))
        self.transport.write(b"".join(out))


async def take(port: int, host_port: int, file: Path, receivers: Sequence[Place]) -> None:
    loop = asyncio.get_running_loop()
    delays = array("d")
    server = await loop.create_server(Host, "127.0.0.1", host_port)
    for place in receivers:
        line = Taker(place.name, delays)
        address = {"local_addr": (place.peer, 0)}
        await loop.create_connection(lambda line=line: line, "127.0.0.1", port, **address)
        await line.up.wait()
    print("up", flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        counts = [0] * 5
        for precedence in delays[::3]:
            counts[int(precedence)] += 1
        print(json.dumps(counts), flush=True)
    with file.open("wb") as out:
        delays.tofile(out)
    server.close()


@dataclass
class Sink:
    """The process, and what it noted."""

    child: asyncio.subprocess.Process
    delays: array[float] = field(default_factory=lambda: array("d"))
    """Precedence, second due, seconds under way, of each message."""

    async def counts(self) -> list[int]:
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.write(b"\n")
        found: list[int] = json.loads(await self.child.stdout.readline())
        return found


@asynccontextmanager
async def sink(
    port: int, host_port: int, file: Path, places: Sequence[Place]
) -> AsyncIterator[Sink]:
    """Lets receivers and host run beside."""
    numbers = (str(place.number) for place in places)
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.load.sink", str(port), str(host_port), str(file), *numbers),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    found = Sink(child)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        assert (await child.stdout.readline()).strip() == b"up"
        yield found
        child.stdin.close()
        await child.wait()
        found.delays.frombytes(await asyncio.to_thread(file.read_bytes))
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


def main() -> None:
    port, host_port = int(sys.argv[1]), int(sys.argv[2])
    receivers = [Place(int(number), "native") for number in sys.argv[4:]]
    uvloop.run(take(port, host_port, Path(sys.argv[3]), receivers))


if __name__ == "__main__":
    main()
