"""Broadcasts that wait for an approval: a real switch, simulated Nlets, and ``clets intercept``."""

from __future__ import annotations

import asyncio
import getpass
import json
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from clets_core.errors import ClientCode, ClientError
from clets_core.hosts import start_hosts
from clets_core.runtime.control import SOCKET_NAME
from tests.integration.center import OTHER_COUNTY, Center, Wire, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from clets_core.config.bundle import Bundle

REGION = b"A0380001.%b.U000051.AM.CA0380000.A1.TXT\r\nKIDNAPPING, WHITE SEDAN 9SYN999"
REASON = ("--operator", "SGT SAMPLE", "--reason", "urgent enough")


class Answer:
    """What ``clets intercept`` printed, and its exit code."""

    def __init__(self, code: int, out: bytes, err: bytes) -> None:
        self.code = code
        self.result: Any = json.loads(out) if out else None
        self.error: Any = json.loads(err) if err else None


async def intercept(socket: Path, verb: str, *arguments: object, data: bytes = b"") -> Answer:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "clets_core.cli", "intercept", verb, "--json"),
        *("--control", str(socket), *map(str, arguments)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await child.communicate(data)
    return Answer(child.returncode or 0, out, err)


@asynccontextmanager
async def center(bundle: Bundle, journal: Path) -> AsyncIterator[Center]:
    hosts = bundle.configuration.hosts
    async with start_hosts(hosts), running(bundle, journal, journal / SOCKET_NAME) as it:
        async with asyncio.timeout(10):
            while not it.switch.status().line("nlets").up:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        yield it


async def held(wire: Wire, reference: bytes) -> None:
    """Sends a broadcast to a region, and is told that it waits."""
    wire.message(REGION % reference)
    notice = await wire.data()
    assert "DLY" in notice
    assert "HELD FOR APPROVAL" in notice


async def told(wire: Wire, word: str) -> str:
    while word not in (text := await wire.data()):
        pass
    return text


def test_a_broadcast_is_forwarded_and_another_returned(bundle: Bundle, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    socket = journal / SOCKET_NAME

    async def scene(it: Center) -> None:
        wire = await it.connect(OTHER_COUNTY)
        await held(wire, b"R1")
        await held(wire, b"R2")
        first, second = (await intercept(socket, "list")).result
        assert first["rules"] == ["B-11"]
        assert first["destinations"] == ["A1"]
        assert "KIDNAPPING" not in json.dumps(first)
        assert it.switch.status().intercepted == 2

        shown = await intercept(socket, "show", first["message"])
        assert shown.result["text"] == "KIDNAPPING, WHITE SEDAN 9SYN999"
        locked = await intercept(socket, "lock", first["message"], "--operator", "DEP EXAMPLE")
        assert locked.result["waiting"]["locked_by"] == "DEP EXAMPLE"
        other = await intercept(socket, "forward", first["message"], *REASON)
        assert (other.code, other.error["code"]) == (1, 533)
        assert "DEP EXAMPLE" in other.error["text"]
        by = ("--operator", "DEP EXAMPLE", "--reason", "urgent enough")
        edited = await intercept(
            socket, "edit", first["message"], *by, "--text", "-", data=b"KIDNAPPING\nGREY SEDAN\n"
        )
        assert edited.result["waiting"]["original"] == first["message"]
        message = edited.result["message"]
        forwarded = await intercept(socket, "forward", message, *by)
        assert forwarded.result["entries"] == 1
        # Each state of the region answers what it was sent.
        answer = await told(wire, "YOUR MESSAGE WAS RECEIVED")
        assert "KIDNAPPING" in answer
        again = await intercept(socket, "forward", message, *by)
        assert again.error["code"] == 532

        await intercept(socket, "return", second["message"], *REASON)
        notice = await told(wire, "E531")
        assert "URGENT ENOUGH" in notice
        assert (await intercept(socket, "list")).result == []

        events = list(it.records("intercept"))
        assert [event["action"] for event in events] == ["show", "lock", "forward", "return"]
        assert {event["account"] for event in events} == {getpass.getuser()}
        assert events[-1]["operator"] == "SGT SAMPLE"
        own = [body for body in it.records("accepted") if body["line"] == "county-038"]
        assert [body.get("edit") is not None for body in own] == [False, False, True]

    async def play() -> None:
        async with center(bundle, journal) as it:
            assert (journal / SOCKET_NAME).stat().st_mode & 0o777 == 0o600
            await scene(it)
        assert not socket.exists()

    uvloop.run(play())


def test_the_queue_and_its_locks_are_there_after_a_restart(bundle: Bundle, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    socket = journal / SOCKET_NAME

    async def play() -> None:
        async with center(bundle, journal) as it:
            await held(await it.connect(OTHER_COUNTY), b"R1")
            (waiting,) = (await intercept(socket, "list")).result
            await intercept(socket, "lock", waiting["message"], "--operator", "SGT SAMPLE")
            (before,) = (await intercept(socket, "list")).result
        async with center(bundle, journal) as it:
            (after,) = (await intercept(socket, "list")).result
            assert after["message"] == before["message"]
            assert after["locked_by"] == "SGT SAMPLE"
            wire = await it.connect(OTHER_COUNTY)
            to = ("--to", "AZ", "--to", "A0010001")
            done = await intercept(socket, "forward", after["message"], *to, *REASON)
            assert done.result["entries"] == 2
            await told(wire, "FROM AZ")

    uvloop.run(play())


def test_what_the_control_socket_cannot_read_has_a_number(bundle: Bundle, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    socket = journal / SOCKET_NAME
    asked = {
        b"hello\n": ClientCode.CONTROL_REQUEST.number,
        b"[]\n": ClientCode.CONTROL_REQUEST.number,
        b'{"verb": "intercept.burn"}\n': ClientCode.CONTROL_VERB.number,
        b'{"verb": ["intercept.list"]}\n': ClientCode.CONTROL_VERB.number,
        b'{"verb": "intercept.list", "x": 1}\n': ClientCode.CONTROL_REQUEST.number,
        b'{"verb": "intercept.show", "message": "one"}\n': ClientCode.CONTROL_REQUEST.number,
        b'{"verb": "intercept.show", "message": 1, "reason": ""}\n': 534,
        b'{"verb": "intercept.show", "message": 1, "reason": "r"}\n': 532,
    }

    async def play() -> None:
        async with running(bundle, journal, socket):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            for request, code in asked.items():
                writer.write(request)
                answer = json.loads(await reader.readline())
                assert (answer["ok"], answer["code"]) == (False, code), request
            writer.write(b'{"verb": "' + b"x" * (1 << 21))
            answer = json.loads(await reader.readline())
            assert answer["code"] == ClientCode.CONTROL_REQUEST.number
            writer.close()
        absent = await intercept(socket, "list")
        assert (absent.code, absent.error["code"]) == (1, ClientCode.CONTROL_ABSENT.number)

    uvloop.run(play())


def test_a_socket_that_a_killed_switch_left_is_replaced_and_a_file_is_not(
    bundle: Bundle, tmp_path: Path
) -> None:
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()

    async def play() -> None:
        import socket as sockets

        with sockets.socket(sockets.AF_UNIX) as left:
            left.bind(str(tmp_path / "left.sock"))
        for place in (tmp_path / "left.sock", deep / SOCKET_NAME):
            async with running(bundle, tmp_path / "journal", place):
                assert (await intercept(place, "list")).result == []
        taken = tmp_path / "taken"
        taken.write_text("mine")
        with pytest.raises(ClientError, match="E925"):
            async with running(bundle, tmp_path / "journal", taken):
                pass
        assert taken.read_text() == "mine"

    uvloop.run(play())
