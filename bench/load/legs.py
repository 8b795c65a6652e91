"""Durable legs end to end: messages in over TCP, synced, acknowledged, delivered, acknowledged.

One native line sends administrative messages as fast as it may, another receives them; the
switch runs as a program of its own and acknowledges only after fsync. Switch and generator share
the machine's two cores. Loopback only, and it stops by itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import cast

import uvloop

from clets_core._core import Framer, frame, journal_verify
from clets_core.sample import write_california

SENDER, RECEIVER = ("127.0.2.1", "msc-01"), ("127.0.2.2", "cad-01")
NOTE = (
    "M0010003.{0:010}.U000031.AM.CA0010100.I0340001.TXT\r\nSYNTHETIC MESSAGE {0:010} OF ABOUT "
    "THREE HUNDRED BYTES FOR MEASURING ONLY. NOTHING IN IT IS REAL, NOBODY IS NAMED IN IT, "
    "AND NOBODY HAS TO DO ANYTHING ABOUT IT. IT GOES FROM ONE LINE TO ANOTHER AND IS COUNTED "
    "THERE, AND THAT IS ALL."
)
PORT_BASE = 23_000
WINDOW = 1024
# More would wait so long for the disk that the switch calls it overload.
UNANSWERED_MAX = 2048
CHUNK = 128
HEARTBEAT_SECONDS = 5.0


class Line(asyncio.Protocol):
    """A native line that logs on and then hands every frame to ``on_frames``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.framer = Framer("native", 1 << 20)
        self.up = asyncio.Event()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        body = json.dumps({"line": self.name, "receive": [1] * 5}).encode()
        transport.write(frame("native", "logon", body))
        self._beat()

    def _beat(self) -> None:
        """Whoever has nothing to say says that: a silent line is taken for dead."""
        if not self.transport.is_closing():
            self.transport.write(frame("native", "heartbeat"))
            asyncio.get_running_loop().call_later(HEARTBEAT_SECONDS, self._beat)

    def data_received(self, data: bytes) -> None:
        frames = self.framer.feed(data)
        if frames and not self.up.is_set():
            assert frames[0].kind == "logon_ack", frames[0].body
            self.up.set()
            del frames[0]
        self.on_frames(frames)

    def on_frames(self, frames: list) -> None:
        raise NotImplementedError


class Sender(Line):
    """Keeps at most a window of messages unanswered."""

    def __init__(self, name: str, chunks: list[bytes]) -> None:
        super().__init__(name)
        self.chunks = iter(chunks)
        self.sent = self.accepted = 0

    def send(self) -> None:
        while self.sent - self.accepted <= UNANSWERED_MAX - CHUNK:
            chunk = next(self.chunks, None)
            if chunk is None:
                return
            self.transport.write(chunk)
            self.sent += CHUNK

    def on_frames(self, frames: list) -> None:
        for it in frames:
            assert it.kind in {"accept", "heartbeat"}, it.body
            self.accepted += it.kind == "accept"
        self.send()


class Receiver(Line):
    """Acknowledges what it gets, once for each read."""

    def __init__(self, name: str, count: int) -> None:
        super().__init__(name)
        self.left = count
        self.done = asyncio.Event()

    def on_frames(self, frames: list) -> None:
        data = [it for it in frames if it.kind == "data"]
        if data:
            last = data[-1]
            acknowledgement = frame(
                "native", "delivered", precedence=last.precedence, sequence=last.sequence
            )
            self.transport.write(acknowledgement)
            self.left -= len(data)
            if self.left <= 0:
                self.done.set()


def write_bundle(folder: Path) -> None:
    write_california(folder, port_base=PORT_BASE)
    lines = folder / "lines.toml"
    wide = re.sub(r'(name = "(?:msc|cad)-01"\n)', rf"\1window = {WINDOW}\n", lines.read_text())
    lines.write_text(wide)


def cpu_seconds(process: int) -> float:
    """Of the process so far; its start is no part of what a leg costs."""
    usage = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(usage[11]) + int(usage[12])) / os.sysconf("SC_CLK_TCK")


async def measure(folder: Path, count: int, receiver: Receiver | None = None) -> dict[str, float]:
    receiver = receiver or Receiver(RECEIVER[1], count)
    write_bundle(folder / "bundle")
    chunks = []
    for first in range(1, count + 1, CHUNK):
        frames = (
            frame("native", "data", NOTE.format(number).encode(), sequence=number)
            for number in range(first, first + CHUNK)
        )
        chunks.append(b"".join(frames))
    switch = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "clets_core.cli", "run", str(folder / "bundle"), "--no-table"),
        *("--journal", str(folder / "journal")),
        stdout=asyncio.subprocess.PIPE,
    )
    assert switch.stdout is not None
    try:
        async with asyncio.timeout(60):
            assert (await switch.stdout.readline()).strip() == b"ready"
        loop = asyncio.get_running_loop()
        sender = Sender(SENDER[1], chunks)
        for line, (peer, _) in ((receiver, RECEIVER), (sender, SENDER)):
            await loop.create_connection(
                lambda line=line: line, "127.0.0.1", PORT_BASE + 1, local_addr=(peer, 0)
            )
            async with asyncio.timeout(10):
                await line.up.wait()
        started = cpu_seconds(switch.pid)
        begun = time.perf_counter()
        sender.send()
        async with asyncio.timeout(120):
            await receiver.done.wait()
        spent = time.perf_counter() - begun
        cpu = cpu_seconds(switch.pid) - started
    finally:
        switch.send_signal(signal.SIGTERM)
        await switch.wait()
    report = journal_verify(folder / "journal")
    return {
        "messages": count,
        "seconds": spent,
        "legs_per_second": count / spent,
        "switch_cpu_microseconds_per_leg": cpu / count * 1e6,
        "records": report["records"],
    }


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 128 * 1_000
    with tempfile.TemporaryDirectory(prefix="clets-bench-") as name:
        print(json.dumps(uvloop.run(measure(Path(name), count))))


if __name__ == "__main__":
    main()
