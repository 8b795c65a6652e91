"""One line's steady stream beside a load, in a process of its own: what others make it wait.

Sends at a fixed rate from the intended time, whatever comes back, to a line of the same process.
When its standard input ends it waits for what is open, and prints a list of
[intended second, milliseconds to the acknowledgement, milliseconds to the delivery], JSON.

    python -m bench.load.pulse PORT SENDER RECEIVER PRECEDENCE PER_SECOND
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import uvloop
from bench.load.legs import Line
from bench.load.lines import Place

from clets_core._core import frame

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NUMBER = re.compile(rb"PULSE (\d+) END")
DRAIN_SECONDS = 30.0


class Sender(Line):
    """Notes when each message is acknowledged."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.name)
        self.accepted: dict[int, float] = {}

    def on_frames(self, frames: list[Any]) -> None:
        now = time.perf_counter()
        for it in frames:
            assert it.kind in {"accept", "heartbeat"}, it.body
            if it.kind == "accept":
                self.accepted[it.sequence] = now


class Receiver(Line):
    """Takes what comes, and notes when."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.name)
        self.arrived: dict[int, float] = {}

    def on_frames(self, frames: list[Any]) -> None:
        now = time.perf_counter()
        for it in frames:
            if it.kind == "data":
                numbers = {"precedence": it.precedence, "sequence": it.sequence}
                self.transport.write(frame("native", "delivered", **numbers))
                found = NUMBER.search(it.body)
                assert found is not None, it.body
                self.arrived[int(found[1])] = now


async def beat(port: int, sender: Place, receiver: Place, precedence: int, rate: float) -> None:
    loop = asyncio.get_running_loop()
    out, back = Sender(sender), Receiver(receiver)
    for line, place in ((out, sender), (back, receiver)):
        address = {"local_addr": (place.peer, 0)}
        await loop.create_connection(lambda line=line: line, "127.0.0.1", port, **address)
        await line.up.wait()
    print("up", flush=True)
    ended = loop.run_in_executor(None, sys.stdin.read)
    begun = time.perf_counter()
    due: dict[int, float] = {}
    while not ended.done():
        number = len(due) + 1
        due[number] = begun + number / rate
        await asyncio.sleep(max(0.0, due[number] - time.perf_counter()))
        text = f"PULSE {number} END"
        body = sender.message(precedence, f"P{number}", receiver, text)
        out.transport.write(frame("native", "data", body, sequence=number))
    async with asyncio.timeout(DRAIN_SECONDS):
        while len(back.arrived) < len(due) or len(out.accepted) < len(due):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    told = [
        (at, 1000 * (out.accepted[number] - at), 1000 * (back.arrived[number] - at))
        for number, at in due.items()
    ]
    print(json.dumps(told))


class Pulse:
    """What a `pulse` measured; filled when it has ended."""

    def __init__(self) -> None:
        self.told: list[tuple[float, float, float]] = []

    def between(self, begun: float, ended: float) -> list[tuple[float, float]]:
        """Milliseconds to acknowledgement and delivery of what was due in a span of time."""
        return [(one, two) for at, one, two in self.told if begun <= at < ended]


@asynccontextmanager
async def pulse(
    port: int, sender: Place, receiver: Place, precedence: int, rate: float
) -> AsyncIterator[Pulse]:
    """Lets a stream run beside."""
    found = Pulse()
    arguments = (port, sender.number, receiver.number, precedence, rate)
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.load.pulse", *map(str, arguments)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 30,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        assert (await child.stdout.readline()).strip() == b"up"
        yield found
        child.stdin.close()
        found.told = json.loads(await child.stdout.read())
        await child.wait()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


def main() -> None:
    port, sender, receiver, precedence = map(int, sys.argv[1:5])
    places = (Place(sender, "native"), Place(receiver, "native"))
    uvloop.run(beat(port, *places, precedence, float(sys.argv[5])))


if __name__ == "__main__":
    main()
