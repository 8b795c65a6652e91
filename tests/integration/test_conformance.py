"""The conformance pack against a real switch, and against peers that are wrong in one way."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from clets_core import _core
from clets_core.cli.stage import free_ports
from clets_core.conformance import CASES, Result, Settings, play
from clets_core.errors import CletsError
from clets_core.sample import write_california
from tests.integration.center import COUNTY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CLETS = [sys.executable, "-m", "clets_core.cli"]
CAD = "127.0.2.2"
SECONDS = 90
PLAYED_AT_LEAST = 60
DEADLINE_S = 2


@contextmanager
def program(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A verb that runs until it is told to stop."""
    command = [*CLETS, *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def ready(child: subprocess.Popen[str]) -> dict[str, object]:
    assert child.stdout is not None
    told: dict[str, object] = json.loads(child.stdout.readline())
    return told


class Center(NamedTuple):
    dmpp: int
    native: int
    control: int
    hosts: subprocess.Popen[str]


@pytest.fixture(scope="module")
def center(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Center]:
    """`clets simulate hosts` and `clets run`, each in a process of its own."""
    bundle = tmp_path_factory.mktemp("conformance") / "bundle"
    ports = free_ports()
    write_california(bundle, port_base=ports)
    settings = bundle / "switch.toml"
    text = settings.read_text("utf-8")
    short = f"reply_deadline_ms = {DEADLINE_S * 1000}"
    settings.write_text(text.replace("reply_deadline_ms = 30000", short), "utf-8")
    journal = bundle.parent / "journal"
    with (
        program("simulate", "hosts", bundle, "--control", 0, "--json") as hosts,
        program("run", bundle, "--journal", journal, "--no-table", "--json") as switch,
    ):
        control = ready(hosts)["control"]
        assert isinstance(control, int)
        ready(switch)
        asyncio.run(connected(control))
        yield Center(ports, ports + 1, control, hosts)


async def connected(control: int) -> None:
    """Waits until the switch has a connection to the hosts that are slowest: they answer."""
    # Nothing tells it from outside but time; the switch dials all hosts when it is ready.
    await asyncio.sleep(1)
    reader, writer = await asyncio.open_connection("127.0.0.1", control)
    writer.write(b'{"host": "dmv"}\n')
    assert json.loads(await reader.readline())["ok"]
    writer.close()
    await writer.wait_closed()


STATIONS = ",".join(f"A{county:03}0001" for county in range(1, 22))
VALUES = {
    "group": "GBAY",
    "closed_group": "GSTATE",
    "foreign_ori": "CA0380000",
    "foreign_station": "A0380001",
    "foreign_user": "U000051",
    "stations": STATIONS,
}
LINES = {
    "dmpp": (
        ("--local", COUNTY, "--station", "A0190001", "--user", "U000001", "--ori", "CA0190000"),
        {**VALUES, "lapsed_user": "U000006"},
    ),
    "native": (
        ("--line", "cad-01", "--local", CAD, "--station", "I0340001", "--user", "U000041",
         "--ori", "CA0340100"),
        {**VALUES, "ori_elsewhere": "yes"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("framing", LINES)
def test_the_switch_conforms_on_every_line(center: Center, tmp_path: Path, framing: str) -> None:
    who, values = LINES[framing]
    report = tmp_path / "report.json"
    port = center.dmpp if framing == "dmpp" else center.native
    done = subprocess.run(
        [
            *CLETS, "conformance", "--port", str(port), "--framing", framing, *who,
            *(part for pair in values.items() for part in ("--value", "=".join(pair))),
            "--control", str(center.control), "--deadline", str(DEADLINE_S),
            "--report", str(report), "--json",
        ],
        check=False, capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip
    *results, total = [json.loads(row) for row in done.stdout.splitlines()]
    failed = [(it["number"], it["title"], it["seen"]) for it in results if it["result"] == "fail"]
    assert (done.returncode, failed, done.stderr) == (0, [], "")
    assert total["pass"] >= PLAYED_AT_LEAST
    # What is left out is for the other framing, or needs what this line has not.
    left = {it["seen"] for it in results if it["result"] == "left out"}
    reasons = r"for (dmpp|native) lines|.*behind another line|needs --value lapsed_user=\.\.\."
    assert all(re.fullmatch(reasons, it) for it in left), left
    told = json.loads(report.read_text("utf-8"))
    assert told["cases"] == results
    assert told["line"]["framing"] == framing


def test_the_hosts_tell_what_they_have_seen(tmp_path: Path) -> None:
    write_california(tmp_path / "bundle", port_base=free_ports())
    with program("simulate", "hosts", tmp_path / "bundle", "--json") as hosts:
        told = ready(hosts)
        assert told["ready"] is True
        assert isinstance(told["hosts"], dict)
        assert set(told["hosts"]) >= {"dmv", "ncic", "nlets"}
        hosts.send_signal(signal.SIGTERM)
        output, _ = hosts.communicate(timeout=30)
        assert hosts.returncode == 0
    assert json.loads(output)["ncic"]["received"] == 0


# A peer that keeps just enough of DMPP for some cases, and breaks one rule.


class Peer(asyncio.Protocol):
    """Accepts messages and sends them back to their station; `fault` is what it gets wrong."""

    known: dict[str, bytes]

    def __init__(self, fault: str, known: dict[str, bytes], waiting: list[bytes]) -> None:
        self.fault = fault
        self.known = known
        self.waiting = waiting
        """What was sent and not acknowledged, over all connections."""
        self.framer = _core.Framer("dmpp")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        for payload in self.waiting:
            mark = b"" if self.fault == "unmarked" else b"POSSIBLE DUPLICATE MESSAGE\r\n"
            self.deliver(payload.replace(b"TXT\r\n", b"TXT\r\n" + mark))

    def data_received(self, data: bytes) -> None:
        try:
            frames = self.framer.feed(data)
        except CletsError:
            if self.fault != "garbage":
                self.transport.close()
            return
        if self.fault == "greedy":
            frames = frames[:1]
        for frame in frames:
            self.take(frame)

    def take(self, frame: _core.Frame) -> None:
        if frame.kind == "status_request" and self.fault != "deaf":
            reply = _core.frame("dmpp", "status_reply", validation=frame.validation, status=0x21)
            self.transport.write(reply)
        elif frame.kind == "data":
            self.message(frame)
        elif frame.kind == "positive_ack" and self.waiting and self.fault != "forgetful":
            self.waiting.pop(0)

    def message(self, frame: _core.Frame) -> None:
        validation = b"\x00\x00\x00\x63" if self.fault == "mute" else frame.validation
        if self.fault != "silent":
            self.transport.write(_core.frame("dmpp", "positive_ack", validation=validation))
        if self.fault == "twice":
            self.transport.write(_core.frame("dmpp", "positive_ack", validation=validation))
        message = _core.decode(frame.body, "clets")
        reference = message.reference or ""
        before = self.known.get(reference)
        if before is not None and before != frame.body:
            self.refuse(message, 211)
        elif message.destinations and message.destinations[0] == "NOSUCHST":
            self.refuse(message, 502)
        elif before is None or self.fault == "repeating":
            if reference:
                self.known[reference] = frame.body
            self.send_back(message)

    def refuse(self, message: _core.Message, code: int) -> None:
        code = 999 if self.fault == "wrong number" else code
        self.write_message(message, "REJ", f"REJECTED E{code} NO", message.reference or "")

    def send_back(self, message: _core.Message) -> None:
        text = message.text or ""
        text = text.upper() if self.fault == "shouting" else text
        key = "AML" if self.fault == "other key" else "AM"
        self.write_message(message, key, text, "")

    def write_message(self, message: _core.Message, key: str, text: str, reference: str) -> None:
        payload = _core.encode(
            "clets", mke=key, origin=message.origin or "", destinations=(message.origin or "",),
            reference=reference, user=message.user or "", station=message.station or "", text=text,
        )  # fmt: skip
        self.waiting.append(payload)
        self.deliver(payload)

    def deliver(self, payload: bytes) -> None:
        self.transport.write(_core.frame("dmpp", "data", payload, validation=b"AAAA"))


async def against(fault: str, numbers: set[int]) -> list[Result]:
    known: dict[str, bytes] = {}
    waiting: list[bytes] = []
    loop = asyncio.get_running_loop()
    make: Callable[[], Peer] = lambda: Peer(fault, known, waiting)  # noqa: E731
    server = await loop.create_server(make, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = Settings("127.0.0.1", port, "dmpp", "A0190001", "U000001", "CA0190000", patience=0.5)
    cases = [case for case in CASES if case.number in numbers]
    try:
        return [result async for result in play(settings, cases)]
    finally:
        server.close()


FAULTS = [
    ("deaf", 2),
    ("silent", 3),
    ("mute", 3),
    ("greedy", 7),
    ("garbage", 12),
    ("twice", 30),
    ("repeating", 32),
    ("wrong number", 35),
    ("unmarked", 38),
    ("forgetful", 39),
    ("shouting", 83),
    ("other key", 85),
]


def test_a_peer_without_a_fault_meets_these_cases() -> None:
    results = asyncio.run(against("", {number for _, number in FAULTS}))
    assert [it.number for it in results if it.result != "pass"] == [], results


@pytest.mark.parametrize(("fault", "number"), FAULTS)
def test_each_fault_is_seen(fault: str, number: int) -> None:
    (result,) = asyncio.run(against(fault, {number}))
    assert result.result == "fail", result
    assert result.seen


def clets(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLETS, *map(str, arguments)],
        check=False, capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip


def test_a_line_with_a_certificate_is_played_too(tmp_path: Path) -> None:
    bundle, ports = tmp_path / "bundle", free_ports()
    write_california(bundle, port_base=ports, tls=True)
    tls = bundle / "tls"
    with program("run", bundle, "--journal", tmp_path / "j", "--no-table", "--json") as switch:
        ready(switch)
        done = clets(
            "conformance", "--port", ports, "--station", "A0190001", "--user", "U000001",
            "--ori", "CA0190000", "--tls-certificate", tls / "lines" / "county-019.pem",
            "--tls-key", tls / "lines" / "county-019.key", "--tls-authority",
            tls / "authority.pem", "--no-hosts", "--cases", "1-3,12,43,80",
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("conformance: 5 pass, 0 fail, 1 left out\n")
    assert "43 -    " in done.stdout, "it needs the hosts"


def test_the_command_line_is_checked() -> None:
    listed = clets("conformance", "--list", "--json")
    assert [json.loads(row)["number"] for row in listed.stdout.splitlines()] == [
        case.number for case in CASES
    ]
    for wrong in (
        (),
        ("--cases", "one"),
        ("--value", "colour=red"),
        ("--port", 1, "--station", "A", "--user", "U", "--ori", "X", "--framing", "native"),
        ("--port", 1, "--station", "A", "--user", "U", "--ori", "X", "--tls-key", "x"),
    ):
        done = clets("conformance", *wrong)
        assert (done.returncode, done.stderr[:4]) == (2, "E920"), wrong
    who = ("--port", 9, "--station", "A", "--user", "U", "--ori", "CA0190000", "--cases", "1")
    done = clets("conformance", *who, "--patience", 0.5)
    assert done.returncode == 1
    assert "FAIL" in done.stdout
    done = clets("conformance", *who, "--patience", 0.5, "--report", "/nowhere/x.json")
    assert "E923" in done.stderr


def test_without_a_switch_every_case_fails() -> None:
    settings = Settings("127.0.0.1", 9, "dmpp", "A", "U", "CA0190000", patience=0.5)

    async def main() -> list[str]:
        return [it.result async for it in play(settings, CASES[:3])]

    assert asyncio.run(main()) == ["fail"] * 3


def test_cases_are_numbered_and_told_apart() -> None:
    numbers = [case.number for case in CASES]
    assert numbers == sorted(set(numbers))
    assert len({case.title for case in CASES}) == len(CASES)
    for framing in ("dmpp", "native"):
        mine = [case for case in CASES if case.framing in {"", framing}]
        assert len(mine) >= PLAYED_AT_LEAST
