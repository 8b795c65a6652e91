"""``clets run``, ``send`` and ``journal`` with a real switch in a process of its own."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from clets_core.cli.stage import free_ports
from clets_core.sample import write_california
from tests.integration.center import COUNTY

if TYPE_CHECKING:
    from collections.abc import Iterator

CLETS = [sys.executable, "-m", "clets_core.cli"]
PLATE = "A0190001.{}.U000001.IV.4A.CA0190000.LIC/1ABC234.LIS/CA.CAP/C.RSN/TRAFFIC STOP"
NO_REASON = "A0190001.{}.U000001.IV.4A.CA0190000.LIC/1ABC234.LIS/CA"
SECONDS = 30


def clets(*arguments: object, data: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLETS, *map(str, arguments)],
        check=False,
        input=data,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


@contextmanager
def running(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A switch, which is killed if it still runs at the end."""
    with subprocess.Popen(
        [*CLETS, "run", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def said(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline()


class Center(NamedTuple):
    bundle: Path
    dmpp: int
    native: int


@pytest.fixture(scope="module")
def center(tmp_path_factory: pytest.TempPathFactory) -> Center:
    bundle = tmp_path_factory.mktemp("bundle")
    ports = free_ports()
    write_california(bundle, port_base=ports)
    return Center(bundle, ports, ports + 1)


class Traffic(NamedTuple):
    journal: Path
    ready: dict[str, Any]
    answers: list[dict[str, Any]]
    refusal: subprocess.CompletedProcess[str]
    native: subprocess.CompletedProcess[str]
    log: str


@pytest.fixture(scope="module")
def traffic(center: Center, tmp_path_factory: pytest.TempPathFactory) -> Traffic:
    """An inquiry that is answered and two that are refused, then an orderly stop."""
    journal = tmp_path_factory.mktemp("switch") / "journal"
    county = ("--port", center.dmpp, "--local", COUNTY)
    with running(center.bundle, "--journal", journal, "--hosts", "--no-table", "--json") as child:
        ready = json.loads(said(child))
        # The hosts are dialed when it is ready, and connected soon after.
        time.sleep(1)
        answered = clets("send", *county, "--replies", 3, "--json", data=PLATE.format("RUN1"))
        refusal = clets("send", *county, "--replies", 1, data=NO_REASON.format("RUN2"))
        native = clets(
            "send", "--port", center.native, "--local", "127.0.2.1", "--framing", "native",
            "--line", "msc-01", "--replies", 0, data=PLATE.format("RUN3"),
        )  # fmt: skip
        child.send_signal(signal.SIGTERM)
        _, log = child.communicate(timeout=SECONDS)
        assert child.returncode == 0
    assert (answered.returncode, answered.stderr) == (0, "")
    answers = [json.loads(row) for row in answered.stdout.splitlines()]
    return Traffic(journal, ready, answers, refusal, native, log)


def test_run_tells_that_it_is_ready_and_stops_in_order(traffic: Traffic, center: Center) -> None:
    assert traffic.ready["ready"] is True
    assert traffic.ready["listeners"]["agencies-dmpp"] == f"127.0.0.1:{center.dmpp}"
    assert traffic.log.endswith("stopped in order\n")
    assert "1ABC234" not in traffic.log


def test_send_prints_receipt_and_replies(traffic: Traffic) -> None:
    receipt, *replies = traffic.answers
    assert (receipt["receipt"], receipt["accepted"]) == (1, True)
    assert [reply["reply"] for reply in replies] == [1, 2, 3]
    assert {reply["message"]["reference"] for reply in replies} == {"RUN1"}


def test_send_tells_a_refusal_by_its_exit_code(traffic: Traffic) -> None:
    assert traffic.refusal.returncode == 3
    first, second, *text = traffic.refusal.stdout.splitlines()
    assert first == "message 1: accepted"
    assert second == "reply 1: REJ A0190001 RUN2"
    assert any("E413" in line for line in text)
    # A station of the county has no place on the line of the MSC.
    assert traffic.native.returncode == 3
    assert traffic.native.stdout.startswith("message 1: refused E303")


def test_the_journal_is_proved(traffic: Traffic, tmp_path: Path) -> None:
    result = clets("journal", "verify", traffic.journal)
    assert (result.returncode, result.stderr) == (0, "")
    assert "every record, segment and checkpoint holds" in result.stdout
    kept = tmp_path / "kept.vkey"
    shutil.copy(traffic.journal / "checkpoint.vkey", kept)
    result = clets("journal", "verify", traffic.journal, "--vkey", kept, "--json")
    found = json.loads(result.stdout)
    assert found["ok"]
    assert found["signed"] == found["records"] > 20


def test_a_journal_that_was_changed_is_told(
    center: Center, traffic: Traffic, tmp_path: Path
) -> None:
    copy = tmp_path / "journal"
    shutil.copytree(traffic.journal, copy)
    segment = min(copy.glob("*.segment"), key=lambda path: -path.stat().st_size)
    data = bytearray(segment.read_bytes())
    data[data.index(b"TRAFFIC STOP")] ^= 1
    segment.write_bytes(data)
    for verb in ("verify", "show"):
        result = clets("journal", verb, copy, "--json")
        assert result.returncode == 1
        assert json.loads(result.stderr)["code"] == 602
    refused = clets("run", center.bundle, "--journal", copy, "--no-table")
    assert (refused.returncode, refused.stdout, refused.stderr[:5]) == (1, "", "E602:")


def test_the_records_are_shown(traffic: Traffic) -> None:
    shown = clets("journal", "show", traffic.journal, "--json").stdout
    rows = [json.loads(row) for row in shown.splitlines()]
    assert [row["number"] for row in rows] == list(range(len(rows)))
    assert (rows[0]["kind"], rows[-1]["kind"]) == ("started", "stopped")
    inquiry = next(row for row in rows if row["kind"] == "accepted")
    assert (inquiry["line"], inquiry["station"], inquiry["key"]) == (
        "county-019",
        "A0190001",
        "IV.4A",
    )
    refused = [row["code"] for row in rows if row["kind"] == "refused"]
    assert refused == [413, 303]

    about = clets("journal", "show", traffic.journal, "--json", "--smn", inquiry["number"])
    found = [json.loads(row) for row in about.stdout.splitlines()]
    assert found[0] == inquiry
    assert sum(row.get("parent") == inquiry["number"] for row in found) == 3
    outcomes = [item for row in found for item in row.get("outcomes", ())]
    assert all(item["outcome"] == "delivered" for item in outcomes)
    assert len(outcomes) == 6


def test_bodies_are_shown_on_request_only(traffic: Traffic) -> None:
    plain = clets("journal", "show", traffic.journal).stdout
    assert "county-019" in plain
    assert "1ABC234" not in plain
    assert "U000001" not in plain
    refused = clets("journal", "show", traffic.journal, "--kind", "refused", "--body").stdout
    assert refused.count("1ABC234") == 2


def test_follow_goes_on_until_interrupted(traffic: Traffic) -> None:
    command = [*CLETS, "journal", "show", str(traffic.journal), "--follow", "--kind", "stopped"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert "stopped" in said(child)
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.5)
        child.send_signal(signal.SIGINT)
        assert child.wait(SECONDS) == 0


def test_run_refuses_a_bundle_with_its_problems(tmp_path: Path) -> None:
    result = clets("run", tmp_path, "--no-table")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("agencies.csv: E701: ")


def test_one_switch_at_a_time(center: Center, tmp_path: Path) -> None:
    with running(center.bundle, "--journal", tmp_path / "journal", "--no-table") as first:
        assert said(first) == "ready\n"
        same = clets("run", center.bundle, "--journal", tmp_path / "journal", "--no-table")
        assert (same.returncode, same.stderr[:5]) == (1, "E604:")
        other = clets("run", center.bundle, "--journal", tmp_path / "other", "--no-table")
        assert other.returncode == 1
        assert "E925: " in other.stderr
        first.send_signal(signal.SIGINT)
        assert first.wait(SECONDS) == 0


def test_run_has_its_memory_in_small_pages(center: Center, tmp_path: Path) -> None:
    with running(center.bundle, "--journal", tmp_path / "journal", "--no-table") as child:
        assert said(child) == "ready\n"
        status = Path(f"/proc/{child.pid}/status").read_text("ascii")
    # A kernel without huge pages says nothing of them.
    assert "THP_enabled:\t1" not in status


def test_a_journal_that_cannot_be_written_ends_the_switch(center: Center, tmp_path: Path) -> None:
    with running(center.bundle, "--journal", tmp_path / "journal", "--no-table") as child:
        assert said(child) == "ready\n"
        # From now on every write to a file fails, as on a disk that died.
        resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (0, 0))
        with socket.create_connection(
            ("127.0.0.1", center.dmpp), source_address=(COUNTY, 0), timeout=SECONDS
        ) as line:
            line.settimeout(SECONDS)
            assert line.recv(1024) == b""
        _, told = child.communicate(timeout=SECONDS)
        assert child.returncode == 1
        assert "E601: " in told
