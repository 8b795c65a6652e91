"""The client over real sockets: against simulated hosts (DMPP) and a small peer of its own."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any, Self

import msgspec
import pytest
import trustme

from clets_core import _core
from clets_core.client import (
    Client,
    FileReceiver,
    MemoryReceiver,
    Receipt,
    Received,
    inquire,
    new_reference,
)
from clets_core.client.dmpp import DmppSession
from clets_core.client.native import NativeSession
from clets_core.errors import ClientError, SessionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

ORI = "CA0190000"


class Switch:
    """As much of a switch as a client can see: it records, and answers when it is told to."""

    def __init__(self, framing: str, *, accept: bool = True) -> None:
        self.framing = framing
        self.accept = accept
        self.frames: list[_core.Frame] = []
        self.received = 0
        self.logon: dict[str, Any] = {}
        self.refuse_logon = 0
        self.connections = 0
        self.peers: list[str] = []
        self.transport: asyncio.Transport | None = None
        self.port = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def listen(self, context: ssl.SSLContext | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Peer(self), "127.0.0.1", self.port, ssl=context
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        if self.transport is not None:
            self.transport.abort()
        await asyncio.sleep(0.01)

    def connect(self, **options: Any) -> Client:
        kind: Any = self.framing
        return Client.connect("127.0.0.1", self.port, framing=kind, line="county-019", **options)

    def send(self, kind: str, body: bytes = b"", **header: Any) -> None:
        assert self.transport is not None
        self.transport.write(_core.frame(self.framing, kind, body, **header))

    def bodies(self, kind: str = "data") -> list[bytes]:
        return [frame.body for frame in self.frames if frame.kind == kind]

    def take(self, frame: _core.Frame) -> None:
        self.frames.append(frame)
        if frame.kind == "logon":
            self.logon = msgspec.json.decode(frame.body)
            if self.refuse_logon:
                self.send("reject", b"not this line", code=self.refuse_logon)
            else:
                answer = {"line": self.logon["line"], "received": self.received}
                self.send("logon_ack", msgspec.json.encode(answer))
        elif frame.kind == "data" and self.accept:
            self.acknowledge(frame)

    def acknowledge(self, frame: _core.Frame) -> None:
        if self.framing == "dmpp":
            self.send("positive_ack", validation=frame.validation)
        else:
            self.received = max(self.received, frame.sequence)
            number = (1000 + frame.sequence).to_bytes(8, "big")
            self.send("accept", number, sequence=frame.sequence)

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not done():  # noqa: ASYNC110
                await asyncio.sleep(0.005)


class _Peer(asyncio.Protocol):
    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.framer = _core.Framer(switch.framing, 1 << 20)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.switch.transport = transport
        self.switch.connections += 1
        self.switch.peers.append(transport.get_extra_info("peername")[0])

    def data_received(self, data: bytes) -> None:
        for frame in self.framer.feed(data):
            self.switch.take(frame)


def reply(reference: str, key: str = "RR", text: str = "NO RECORD") -> bytes:
    return f"A0190001.{reference}.U000001.{key}.CA0349400.{ORI}.TXT\r\n{text}".encode()


def plate(reference: str | None = None) -> Any:
    return inquire(
        station="A0190001", user="U000001", ori=ORI, key="IV.4A", reference=reference,
        LIC="1ABC234", LIS="CA", CAP="C", RSN="TRAFFIC STOP", OCA="",
    )  # fmt: skip


@pytest.mark.parametrize("framing", ["dmpp", "native"])
def test_a_message_is_acknowledged_and_answered(framing: str) -> None:
    async def main() -> None:
        async with Switch(framing) as switch, switch.connect() as line:
            inquiry = plate()
            receipt = await line.send(inquiry)
            assert receipt == Receipt(accepted=True, smn=1001 if framing == "native" else None)
            assert switch.bodies() == [inquiry.payload]
            switch.send("data", reply(inquiry.reference), sequence=1, precedence=2)
            got = await line.receive(5)
            assert (got.key, got.reference, got.station) == ("RR", inquiry.reference, "A0190001")
            assert got.text == "NO RECORD"
            kind = "delivered" if framing == "native" else "positive_ack"
            await switch.until(lambda: any(it.kind == kind for it in switch.frames))
            assert line.unanswered == 0

    asyncio.run(main())


def test_a_plain_line_is_known_by_its_address() -> None:
    async def main() -> None:
        async with Switch("dmpp") as switch, switch.connect(local_addr="127.0.1.19") as line:
            await line.send(plate())
            assert switch.peers == ["127.0.1.19"]

    asyncio.run(main())


@pytest.mark.parametrize("framing", ["dmpp", "native"])
def test_a_refusal_has_its_reason(framing: str) -> None:
    async def main() -> None:
        async with Switch(framing, accept=False) as switch, switch.connect() as line:
            sending = asyncio.ensure_future(line.send(plate()))
            await switch.until(lambda: bool(switch.bodies()))
            frame = switch.frames[-1]
            if framing == "native":
                switch.send("reject", b"E410 purpose", sequence=frame.sequence, code=410)
                assert await sending == Receipt(accepted=False, code=410, text="E410 purpose")
            else:
                switch.send("negative_ack", validation=frame.validation, status=0x14)
                refused = Receipt(accepted=False, status=0x14, text="too long, discarded")
                assert await sending == refused

    asyncio.run(main())


@pytest.mark.parametrize("framing", ["dmpp", "native"])
def test_what_was_not_answered_goes_out_again_in_order(framing: str) -> None:
    async def main() -> None:
        async with Switch(framing, accept=False) as switch, switch.connect(window=3) as line:
            sends = [asyncio.ensure_future(line.send(plate(f"REF{number}"))) for number in range(5)]
            await switch.until(lambda: len(switch.bodies()) == 3)
            before = [(it.sequence, it.validation) for it in switch.frames if it.kind == "data"]
            first = next(it for it in switch.frames if it.kind == "data")
            switch.acknowledge(first)
            await switch.until(lambda: sends[0].done() and len(switch.bodies()) == 4)
            switch.frames.clear()
            await switch.stop()
            switch.accept = True
            await switch.listen()
            await asyncio.gather(*sends)
            bodies = [_core.decode(body, "clets").reference for body in switch.bodies()]
            assert bodies == ["REF1", "REF2", "REF3", "REF4"]
            after = [(it.sequence, it.validation) for it in switch.frames if it.kind == "data"]
            assert after[:2] == before[1:]
            assert line.connections == 2

    asyncio.run(main())


def test_the_window_is_kept() -> None:
    async def main() -> None:
        async with Switch("dmpp", accept=False) as switch, switch.connect() as line:
            sends = [asyncio.ensure_future(line.send(plate())) for _ in range(3)]
            for count in range(1, 4):
                await switch.until(lambda count=count: len(switch.bodies()) == count)  # type: ignore[misc]
                await asyncio.sleep(0.02)
                assert len(switch.bodies()) == count
                switch.acknowledge(switch.frames[-1])
            await asyncio.gather(*sends)

    asyncio.run(main())


def test_a_switch_that_forgot_is_counted_on_from_its_word() -> None:
    async def main() -> None:
        async with Switch("native") as switch, switch.connect() as line:
            for _ in range(3):
                await line.send(plate())
            switch.received = 0
            switch.frames.clear()
            assert switch.transport is not None
            switch.transport.abort()
            await switch.until(lambda: switch.connections == 2)
            await line.send(plate())
            data = [it for it in switch.frames if it.kind == "data"]
            assert [it.sequence for it in data] == [1]

    asyncio.run(main())


def test_numbers_continue_where_the_switch_stands() -> None:
    async def main() -> None:
        async with Switch("native") as switch:
            switch.received = 41
            async with switch.connect() as line:
                assert (await line.send(plate())).smn == 1042

    asyncio.run(main())


def test_a_restart_resumes_with_every_message_once(tmp_path: Path) -> None:
    state = tmp_path / "line.json"

    async def main() -> None:
        async with Switch("native") as switch:
            async with switch.connect(state=state) as line:
                assert switch.logon == {"line": "county-019", "receive": [1] * 5}
                switch.send("data", reply("A"), sequence=1, precedence=2)
                switch.send("data", reply("B"), sequence=2, precedence=2)
                switch.send("data", reply("C"), sequence=1, precedence=0)
                assert (await line.receive(5)).reference == "A"
                await switch.until(
                    lambda: {(it.precedence, it.sequence) for it in switch.frames
                             if it.kind == "delivered"} >= {(2, 2), (0, 1)}
                )  # fmt: skip
            # A was consumed, but the file has not been written since.
            async with switch.connect(state=state) as line:
                assert switch.logon["receive"] == [2, 1, 3, 1, 1]
                again = [await line.receive(5) for _ in range(3)]
                assert [it.reference for it in again] == ["A", "B", "C"]
                assert all(it.possible_duplicate for it in again)
                # A number from before is acknowledged and given to nobody.
                switch.send("data", reply("B"), sequence=2, precedence=2, flags=1)
                switch.send("skip", sequence=4, precedence=2)
                switch.send("data", reply("D"), sequence=5, precedence=2, flags=1)
                last = await line.receive(5)
                assert (last.reference, last.sequence, last.possible_duplicate) == ("D", 5, True)
            assert FileReceiver(state).resume() == [2, 1, 6, 1, 1]
            assert [it.reference for it in FileReceiver(state).waiting()] == ["D"]

    asyncio.run(main())


def test_a_gap_is_told() -> None:
    async def main() -> None:
        async with Switch("native") as switch, switch.connect() as line:
            switch.send("gap", sequence=7, precedence=3)
            switch.send("data", reply("A"), sequence=8, precedence=3)
            assert (await line.receive(5)).sequence == 8
            assert line.missed == ((3, 1, 7),)

    asyncio.run(main())


def test_a_hole_without_a_word_ends_the_connection() -> None:
    async def main() -> None:
        async with Switch("native") as switch, switch.connect() as line:
            switch.send("data", reply("A"), sequence=2, precedence=3)
            await switch.until(lambda: switch.connections == 2)
            await switch.until(lambda: line.connected)
            assert switch.logon["receive"] == [1] * 5

    asyncio.run(main())


@pytest.mark.parametrize("framing", ["dmpp", "native"])
def test_what_the_receiver_does_not_take_is_not_acknowledged(framing: str) -> None:
    class Stubborn(MemoryReceiver):
        refusals = 1

        def take(self, messages: Sequence[Received], resume: Sequence[int]) -> None:
            if self.refusals:
                self.refusals -= 1
                raise OSError("disk full")
            super().take(messages, resume)

    async def main() -> None:
        async with Switch(framing) as switch, switch.connect(receiver=Stubborn()) as line:
            switch.send("data", reply("A"), sequence=1, precedence=2)
            await switch.until(lambda: switch.connections == 2)
            assert not switch.bodies("positive_ack")
            assert not switch.bodies("delivered")
            await switch.until(lambda: line.connected)
            switch.send("data", reply("A"), sequence=1, precedence=2)
            assert (await line.receive(5)).reference == "A"

    asyncio.run(main())


def test_a_refused_logon_is_final() -> None:
    async def main() -> None:
        async with Switch("native") as switch:
            switch.refuse_logon = 801
            with pytest.raises(SessionError, match="E801: not this line"):
                await switch.connect().__aenter__()
            assert switch.connections == 1

    asyncio.run(main())


def test_a_newer_session_is_not_fought() -> None:
    async def main() -> None:
        async with Switch("native", accept=False) as switch, switch.connect() as line:
            sending = asyncio.ensure_future(line.send(plate()))
            await switch.until(lambda: bool(switch.bodies()))
            switch.send("reject", b"superseded", code=803)
            with pytest.raises(SessionError, match="E803"):
                await sending
            with pytest.raises(SessionError, match="E803"):
                await line.send(plate())
            with pytest.raises(SessionError, match="E803"):
                await line.receive(5)

    asyncio.run(main())


def test_a_closed_client_lets_go_of_what_waits() -> None:
    async def main() -> None:
        async with Switch("dmpp", accept=False) as switch:
            async with switch.connect() as line:
                sending = asyncio.ensure_future(line.send(plate()))
                reading = asyncio.ensure_future(line.receive())
                await switch.until(lambda: bool(switch.bodies()))
            for waiting in (sending, reading):
                with pytest.raises(ClientError, match="E902"):
                    await waiting
            assert [it async for it in line.messages()] == []

    asyncio.run(main())


def test_nobody_listening_is_told() -> None:
    async def main() -> None:
        switch = Switch("dmpp")
        await switch.listen()
        await switch.stop()
        with pytest.raises(ClientError, match="E901"):
            await switch.connect(timeout=0.3).__aenter__()

    asyncio.run(main())


def test_ask_collects_what_belongs_together() -> None:
    async def main() -> None:
        async with Switch("dmpp") as switch, switch.connect(window=4) as line:
            inquiry = plate()
            asking = asyncio.ensure_future(line.ask(inquiry, replies=3, timeout=5))
            await switch.until(lambda: bool(switch.bodies()))
            switch.send("data", reply("OTHER"))
            switch.send("data", reply(inquiry.reference))
            switch.send("data", reply(inquiry.reference, "DLY", "DELAYED"))
            switch.send("data", reply(inquiry.reference, "QV", "HIT"))
            switch.send("data", reply(inquiry.reference, "NRP", "E504 NO REPLY"))
            answer = await asking
            assert answer.complete
            assert not answer.refused
            assert [it.key for it in answer.replies] == ["RR", "DLY", "QV", "NRP"]
            switch.send("data", reply(inquiry.reference, "QV", "LATE REPLY"))
            rest = [await line.receive(5) for _ in range(2)]
            assert [it.reference for it in rest] == ["OTHER", inquiry.reference]

            refused = plate()
            asking = asyncio.ensure_future(line.ask(refused, replies=3, timeout=5))
            await switch.until(lambda: len(switch.bodies()) == 2)
            switch.send("data", reply(refused.reference, "REJ", "REJECTED E410"))
            assert (await asking).refused

            patient = await line.ask(plate(), replies=1, timeout=0.05)
            assert (patient.complete, patient.replies) == (False, ())

    asyncio.run(main())


def test_long_messages_go_and_come_in_blocks() -> None:
    async def main() -> None:
        async with Switch("dmpp") as switch, switch.connect() as line:
            text = "X" * 70_000
            long = inquire(station="A0190001", ori=ORI, key="AM", to=["GBAY"], text=text)
            await line.send(long)
            assert b"".join(it.body for it in switch.frames) == long.payload
            assert [it.kind for it in switch.frames] == ["data_more", "data_more", "data"]
            switch.send("data_more", b"A0190001...AM.CA0349400.CA0190000")
            switch.send("data", b".TXT\r\nEND")
            assert (await line.receive(5)).text == "END"

    asyncio.run(main())


def test_tls_with_a_certificate_of_the_line() -> None:
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(server)
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    authority.configure_trust(client)
    authority.issue_cert("county-019.lines.clets.example").configure_cert(client)

    async def main() -> None:
        switch = Switch("native")
        await switch.listen(server)
        async with switch.connect(ssl=client) as line:
            assert (await line.send(plate())).accepted
            switch.send("data", reply("A"), sequence=1, precedence=2)
            assert (await line.receive(5)).reference == "A"
        await switch.stop()

    asyncio.run(main())


def test_dmpp_marks_possible_duplicates_in_the_text() -> None:
    async def main() -> None:
        async with Switch("dmpp") as switch, switch.connect() as line:
            switch.send("data", reply("A", text="POSSIBLE DUPLICATE MESSAGE\r\nHIT"))
            assert (await line.receive(5)).possible_duplicate
            switch.send("data", b"what is this")
            unreadable = await line.receive(5)
            assert (unreadable.message, unreadable.key) == (None, "")
            assert unreadable.text == "what is this"

    asyncio.run(main())


class Wire:
    """Takes what a session writes, and shows it as frames."""

    def __init__(self, framing: str) -> None:
        self.framer = _core.Framer(framing)
        self.kinds: list[str] = []

    def __call__(self, data: bytes) -> None:
        self.kinds += [frame.kind for frame in self.framer.feed(data)]


def test_a_dmpp_line_keeps_alive_resends_and_gives_up() -> None:
    async def main() -> None:
        wire = Wire("dmpp")
        session = DmppSession(MemoryReceiver(), lambda _: None, window=1)
        session.opened(wire, 0.0)
        session.tick(29.0)
        assert wire.kinds == []
        session.tick(30.0)
        assert wire.kinds == ["status_request"]
        session.feed(_core.frame("dmpp", "status_reply"), 31.0)
        receipt = session.submit(b"A..U.QV.CA0190000.LIC/1")
        session.tick(59.0)
        session.tick(62.0)
        assert wire.kinds == ["status_request", "data", "data"]
        with pytest.raises(SessionError, match="E804"):
            session.tick(91.0)
        receipt.cancel()

    asyncio.run(main())


def test_a_native_line_keeps_alive_and_gives_up() -> None:
    async def main() -> None:
        wire = Wire("native")
        session = NativeSession(MemoryReceiver(), lambda _: None, window=2, line="x")
        session.opened(wire, 0.0)
        ack = _core.frame("native", "logon_ack", b'{"line":"x","received":0}')
        session.feed(ack, 1.0)
        session.tick(5.0)
        session.tick(6.0)
        assert wire.kinds == ["logon", "heartbeat"]
        with pytest.raises(SessionError, match="E804"):
            session.tick(16.0)
        session.lost()

    asyncio.run(main())


def test_a_request_is_composed() -> None:
    message = _core.decode(plate("REF1").payload, "clets")
    assert (message.mke, message.origin, message.destinations) == ("4A", ORI, ("IV",))
    assert (message.station, message.reference, message.user) == ("A0190001", "REF1", "U000001")
    fields = {"LIC": "1ABC234", "LIS": "CA", "CAP": "C", "RSN": "TRAFFIC STOP"}
    assert message.fields == fields
    federal = inquire(station="A1", ori=ORI, key="IH.R.QH", reference="R", NAM="DOE,JOHN")
    assert federal.payload == b"A1.R..IH.R.QH.CA0190000.NAM/DOE,JOHN"
    bulletin = inquire(station="A1", ori=ORI, key="AM", to=["GBAY", "AZ"], text="HI", reference="R")
    assert bulletin.payload == b"A1.R..AM.CA0190000.GBAY,AZ.TXT\r\nHI"
    with pytest.raises(ClientError, match="E905"):
        inquire(station="A1", ori=ORI, key="IH.X.QH")


def test_references_never_repeat() -> None:
    references = [new_reference() for _ in range(10_000)]
    assert len(set(references)) == len(references)
    assert references == sorted(references)
    assert {len(it) for it in references} == {10}


def test_a_state_file_that_is_none_is_refused(tmp_path: Path) -> None:
    for content in [b"{}", b"[]", b'{"receive": [1]}', b"\xff"]:
        path = tmp_path / "state.json"
        path.write_bytes(content)
        with pytest.raises(ClientError, match="E904"):
            FileReceiver(path)


def test_what_was_turned_away_leaves_no_gap_after_a_break() -> None:
    async def main() -> None:
        ack = _core.frame("native", "logon_ack", b'{"line":"x","received":0}')
        sent: list[int] = []
        framer = _core.Framer("native")

        def wire(data: bytes) -> None:
            sent.extend(frame.sequence for frame in framer.feed(data) if frame.kind == "data")

        session = NativeSession(MemoryReceiver(), lambda _: None, window=9, line="x")
        session.opened(wire, 0.0)
        session.feed(ack, 0.0)
        receipts = [session.submit(b"A..U.QV.CA0190000.LIC/%d" % number) for number in range(3)]
        assert sent == [1, 2, 3]
        session.feed(_core.frame("native", "reject", b"", sequence=2, code=511), 0.0)
        text = next(expected for code, _, expected in _core.error_codes() if code == 511)
        assert receipts[1].result() == Receipt(accepted=False, code=511, text=text)
        # The switch forgot the second number with its process, and never had the others.
        session.lost()
        session.opened(wire, 1.0)
        session.feed(ack, 1.0)
        assert sent == [1, 2, 3, 1, 2]
        for receipt in receipts:
            receipt.cancel()

    asyncio.run(main())
