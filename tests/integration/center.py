"""A whole switch on loopback, and raw connections to it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import msgspec

from clets_core._core import Frame, Framer, frame, journal_records
from clets_core.runtime.switch import Switch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from clets_core.config.bundle import Bundle

COUNTY = "127.0.1.19"  # Los Angeles, DMPP
OTHER_COUNTY = "127.0.1.38"  # San Francisco, DMPP
MSC = "127.0.2.1"  # native


class Wire:
    """A raw connection that speaks frames, or anything else."""

    def __init__(
        self, framing: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.framing = framing
        self.reader = reader
        self.writer = writer
        self.framer = Framer(framing)
        self.waiting: list[Frame] = []

    @classmethod
    async def connect(cls, bundle: Bundle, peer: str, framing: str = "dmpp") -> Wire:
        listeners = bundle.configuration.switch.listener
        address = next(it.address for it in listeners if it.framing == framing)
        host, port = address.rsplit(":", 1)
        reader, writer = await asyncio.open_connection(host, int(port), local_addr=(peer, 0))
        return cls(framing, reader, writer)

    async def frame(self, seconds: float = 10.0) -> Frame | None:
        """The next frame, or None when the switch closed the connection."""
        async with asyncio.timeout(seconds):
            while not self.waiting:
                data = await self.reader.read(65_536)
                if not data:
                    return None
                self.waiting += self.framer.feed(data)
        return self.waiting.pop(0)

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def message(self, payload: bytes, number: int = 1) -> None:
        """Sends a payload in a frame; ``number`` is its validation or sequence."""
        if self.framing == "dmpp":
            self.send(frame("dmpp", "data", payload, validation=number.to_bytes(4, "big")))
        else:
            self.send(frame("native", "data", payload, sequence=number))

    def acknowledge(self, received: Frame) -> None:
        if self.framing == "dmpp":
            self.send(frame("dmpp", "positive_ack", validation=received.validation))
        else:
            precedence, sequence = received.precedence, received.sequence
            self.send(frame("native", "delivered", precedence=precedence, sequence=sequence))

    async def data(self) -> str:
        """The text of the next message; acknowledges it, and passes over other frames."""
        while True:
            received = await self.frame()
            assert received is not None, "the switch closed the connection"
            if received.kind == "data":
                self.acknowledge(received)
                return received.body.decode()

    async def closed(self) -> bool:
        """Whether the switch closes the connection, after whatever it still sends."""
        try:
            while await self.frame() is not None:
                pass
        except ConnectionResetError:
            pass
        return True

    async def logon(self, line: str) -> Frame | None:
        body = msgspec.json.encode({"line": line, "receive": [1, 1, 1, 1, 1]})
        self.send(frame("native", "logon", body))
        return await self.frame()

    def close(self) -> None:
        self.writer.close()


class Center:
    """A running switch and its journal."""

    def __init__(self, switch: Switch, bundle: Bundle, journal: Path) -> None:
        self.switch = switch
        self.bundle = bundle
        self.journal = journal
        self.wires: list[Wire] = []

    async def connect(self, peer: str = COUNTY, framing: str = "dmpp") -> Wire:
        wire = await Wire.connect(self.bundle, peer, framing)
        self.wires.append(wire)
        return wire

    def records(self, kind: str) -> Iterator[dict[str, Any]]:
        """The bodies of the journal's records of one kind."""
        for _number, found, _time, body in journal_records(self.journal):
            if found == kind:
                yield msgspec.msgpack.decode(body)

    async def recorded(self, kind: str, **wanted: object) -> dict[str, Any]:
        """Waits until the journal has such a record."""
        async with asyncio.timeout(10):
            while True:
                for body in self.records(kind):
                    if all(body[name] == value for name, value in wanted.items()):
                        return body
                await asyncio.sleep(0.02)


@asynccontextmanager
async def running(
    bundle: Bundle, journal: Path, control: Path | None = None, *, segment_bytes: int = 1 << 20
) -> AsyncIterator[Center]:
    given = {"control": control, "segment_bytes": segment_bytes}
    async with Switch(bundle, journal=journal, **given) as switch:
        center = Center(switch, bundle, journal)
        try:
            yield center
        finally:
            for wire in center.wires:
                wire.close()
                with suppress(ConnectionError):
                    await wire.writer.wait_closed()
