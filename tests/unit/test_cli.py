"""The program ``clets`` as a whole, and the verbs that need no running switch."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from msgspec import msgpack
from rich.console import Console

import clets_core
from clets_core.cli.board import Board
from clets_core.cli.journal import Chosen, as_line
from clets_core.cli.main import VERBS, main
from clets_core.cli.terminal import visible
from clets_core.errors import ClientCode
from clets_core.runtime.status import LineStatus, Status

if TYPE_CHECKING:
    from pathlib import Path

PLATE = b"A0190001.REF1.U000001.IV.4A.CA0190000.LIC/1ABC234.LIS/CA.CAP/C.RSN/TRAFFIC STOP"
NO_REASON = b"A0190001.REF2.U000001.IV.4A.CA0190000.LIC/1ABC234.LIS/CA"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    result = clets("sample", "california", str(folder), "--json")
    assert json.loads(result.stdout)["agencies"] >= 300
    return folder


def clets(*arguments: str | Path, data: bytes = b"") -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=data)


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return done.stdout


# The program.


def test_help_lists_the_verbs() -> None:
    result = clets("--help")
    assert result.exit_code == 0
    for verb in ("check", "conformance", "decide", "decode", "journal", "run", "sample", "send"):
        assert VERBS[verb] in result.stdout
    assert clets("--version").stdout.startswith("clets, version ")


@pytest.mark.parametrize("arguments", [[], ["telex"], ["--nope"], ["journal"], ["run"]])
def test_a_wrong_command_line_is_misuse(arguments: list[str]) -> None:
    result = clets(*arguments)
    assert result.exit_code == 2
    assert arguments in ([], ["journal"]) or result.stderr.startswith("E920: ")


def test_a_verb_whose_module_is_missing_breaks_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VERBS, "telex", "Not installed.")
    assert "telex" not in clets("--help").stdout
    result = clets("telex")
    assert result.exit_code == 1
    assert result.stderr.startswith("E924: `clets_core.cli.telex` is not there; expected ")
    assert clets("decode", "--dialect", "clets", data=PLATE).exit_code == 0


def test_a_verb_imports_only_what_it_needs() -> None:
    code = """
import sys
from clets_core.cli.main import main
try:
    main(["decode", "--help"])
except SystemExit as done:
    assert done.code == 0
print([name for name in ("asyncio", "rich", "uvloop", "msgspec") if name in sys.modules])
"""
    assert python(code).endswith("[]\n")


def test_a_reader_that_goes_away_is_no_accident() -> None:
    program = [sys.executable, "-m", "clets_core.cli", "decode", "--dialect", "ncic-in"]
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        child.stdin.write(b"\x03".join([b"QV.CA0190100.LIC/1"] * 1000))
        child.stdin.close()
        assert child.stderr.read() == b""
        assert child.wait() == 1


def test_client_codes_are_numbered_once() -> None:
    numbers = [code.number for code in ClientCode]
    assert numbers == sorted(set(numbers))
    assert all(900 <= number < 1000 for number in numbers)
    assert all(code.expected.endswith(".") and code.title for code in ClientCode)


def test_control_characters_are_made_visible() -> None:
    assert visible("a\x1b[2J\n\u2028é") == "a\\x1b[2J\\x0a\\x2028é"


# The package.


def test_the_package_gives_its_names_late_and_starts_nothing() -> None:
    code = """
import sys, threading
import clets_core
print("asyncio" in sys.modules, threading.active_count())
from clets_core import *
print(Bundle.__name__, Switch.__name__, load_bundle.__name__, __version__)
"""
    first, second = python(code).splitlines()
    assert first == "False 1"
    assert second.startswith("Bundle Switch load_bundle ")


def test_the_public_names() -> None:
    assert clets_core.__all__ == sorted(clets_core.__all__)
    assert set(clets_core.__all__) <= set(dir(clets_core))
    assert all(getattr(clets_core, name) is not None for name in clets_core.__all__)
    with pytest.raises(AttributeError, match="no attribute `Telex`"):
        _ = clets_core.Telex  # type: ignore[attr-defined]


# sample, check


def test_sample_tells_what_it_wrote(tmp_path: Path) -> None:
    result = clets("sample", "california", tmp_path / "new", "--port-base", "20000")
    assert result.exit_code == 0
    assert "stations" in result.stdout
    assert (tmp_path / "new" / "switch.toml").read_text().count("127.0.0.1:2000") == 2


def test_sample_refuses_what_cannot_be_written(tmp_path: Path) -> None:
    result = clets("sample", "california", tmp_path / "b", "--port-base", "65530")
    assert (result.exit_code, result.stderr[:5]) == (2, "E911:")
    (tmp_path / "file").touch()
    result = clets("sample", "california", tmp_path / "file")
    assert (result.exit_code, result.stderr[:5]) == (1, "E923:")


def test_check_counts_a_good_bundle(bundle: Path) -> None:
    result = clets("check", bundle)
    assert result.exit_code == 0
    assert "no problem" in result.stdout
    found = json.loads(clets("check", "--json", bundle).stdout)
    assert found["ok"]
    assert found["counts"]["users"] >= 20_000
    assert found["hash"] == clets_core.load_bundle(bundle).hash
    assert found["hash"] in result.stdout


def test_check_tells_every_problem_with_its_place(bundle: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    for file in bundle.rglob("*"):
        if file.is_file():
            copy = broken / file.relative_to(bundle)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    (broken / "groups.toml").unlink()
    switch = (broken / "switch.toml").read_text().replace("origin =", "orogin =", 1)
    (broken / "switch.toml").write_text(switch)
    result = clets("check", broken)
    assert result.exit_code == 1
    *problems, total = result.stdout.splitlines()
    assert total == f"{broken}: {len(problems)} problems"
    assert len(problems) >= 2
    assert any(problem.startswith(f"{broken / 'switch.toml'}:") for problem in problems)
    assert any(problem.startswith("groups.toml: E701: ") for problem in problems)

    found = json.loads(clets("check", "--json", broken).stdout)
    assert not found["ok"]
    assert len(found["problems"]) == len(problems)
    assert {"file", "line", "code", "text"} == set(found["problems"][0])


def test_check_of_no_folder(tmp_path: Path) -> None:
    result = clets("check", tmp_path / "absent")
    assert result.exit_code == 1
    assert "E701: there is no such folder" in result.stdout


# decide


def test_decide_permits(bundle: Path) -> None:
    result = clets("decide", bundle, "--line", "county-019", data=PLATE)
    assert result.exit_code == 0
    assert result.stdout.startswith("allow  4A CA0190000\n")
    result = clets("decide", bundle, "--line", "county-019", "--json", data=PLATE + b"\n")
    found = json.loads(result.stdout)
    assert (found["permits"], found["effect"], found["code"]) == (True, "allow", None)
    assert len(found["rules"]) == len(found["citations"]) >= 1
    assert found["mke"] == "4A"


def test_decide_refuses_with_rule_citation_and_explanation(bundle: Path) -> None:
    both = PLATE + b"\x03" + NO_REASON
    result = clets("decide", bundle, "--line", "county-019", data=both)
    assert result.exit_code == 3
    assert "reject E413" in result.stdout
    assert "Gov. Code 15160" in result.stdout
    result = clets("decide", bundle, "--line", "county-019", "--json", data=both)
    assert result.exit_code == 3
    permitted, refused = map(json.loads, result.stdout.splitlines())
    assert permitted["permits"]
    assert not refused["permits"]
    assert (refused["code"], refused["rules"]) == (413, ["I-10"])
    assert "the reason" in refused["explanation"]


def test_decide_at_another_time_and_in_the_dialect_of_a_host(bundle: Path) -> None:
    at = ["--at", "2026-03-01T08:30:00Z", "--json"]
    found = json.loads(clets("decide", bundle, "--line", "county-019", *at, data=PLATE).stdout)
    assert found["at"] == "2026-03-01T08:30:00+00:00"
    reply = (
        b"RR.ILLIC0000\r\n05:35 01/08/2004 03911\r\n05:35 01/08/2004 01326 CA0190000\r\n"
        b"TXT\r\nNO RECORD\r\n"
    )
    result = clets("decide", bundle, "--line", "nlets", data=reply)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "allow  RR ILLIC0000")


@pytest.mark.parametrize(
    ("arguments", "data", "code", "exit_code"),
    [
        (["--line", "nowhere"], PLATE, 802, 1),
        (["--line", "county-019"], b"S.R", 201, 1),
        (["--line", "county-019", "--dialect", "ncic-in"], b"QV.CA0190000.LIC/1", 201, 1),
        (["--line", "county-019", "--at", "noon"], PLATE, 920, 2),
        ([], PLATE, 920, 2),
    ],
)
def test_decide_tells_what_is_wrong(
    bundle: Path, arguments: list[str], data: bytes, code: int, exit_code: int
) -> None:
    result = clets("decide", bundle, *arguments, data=data)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert result.stderr.startswith(f"E{code}: ")
    told = json.loads(clets("decide", "--json", bundle, *arguments, data=data).stderr)
    assert told["code"] == code


def test_decide_with_a_bundle_that_is_refused(tmp_path: Path) -> None:
    result = clets("decide", tmp_path, "--line", "x", "--json", data=PLATE)
    assert result.exit_code == 1
    assert len(json.loads(result.stderr)["problems"]) > 3


# journal: what is shown of records. `tests/integration` has real journals.


def record(kind: str, number: int, **content: object) -> tuple[int, str, int, bytes]:
    return number, kind, 1_700_000_000_123_456 + number, msgpack.encode(content)


STATION = {"station": {"mnemonic": "A0190001", "reference": "SECRETREF", "user": "SECRETUSR"}}
HOST = {"host": {"system": "IV", "key": "4A", "federal_only": False, "destinations": []}}
BODY = b"SECRETBODY\x1b"


def entry(line: str, target: dict[str, object]) -> dict[str, object]:
    return {
        "line": line,
        "precedence": 2,
        "sequence": 7,
        "deadline_us": 2**62,
        "target": target,
    }


RECORDS = [
    record("started", 0, bundle="ab" * 32, version="0.1.0"),
    record(
        "accepted", 1, line="county-019", station="A0190001", ori="CA0190000", user="SECRETUSR",
        reference="SECRETREF", key="IV.4A", effect="allow", rules=["A-12.1"], body=BODY,
        entries=[entry("dmv", HOST)], parent=None, late=False,
    ),
    record("refused", 2, line="\x1b[2J", key="IV.4A", code=413, effect="reject", body=BODY),
    record(
        "accepted", 3, line="dmv", key="4A", parent=1, leg=0, late=True, body=BODY,
        entries=[entry("county-019", STATION)],
    ),
    record("outcomes", 4, items=[[1, 0, "delivered"], [2, 0, "expired"], [3, 0, "delivered"]]),
    record("line", 5, line="", event="refused", code=802, peer="192.0.2.1"),
]  # fmt: skip


def test_records_without_what_they_hold_of_persons() -> None:
    rows = list(Chosen().of(RECORDS))
    assert [row["number"] for row in rows] == [0, 1, 2, 3, 4, 5]
    assert rows[1]["time"] == "2023-11-14T22:13:20.123Z"
    assert rows[3] | {"entries": []} == {
        "number": 3,
        "time": rows[3]["time"],
        "kind": "accepted",
        "line": "dmv",
        "key": "4A",
        "parent": 1,
        "leg": 0,
        "late": True,
        "entries": [],
    }
    shown = json.dumps(rows) + "".join(map(as_line, rows))
    assert "SECRET" not in shown
    lines = [as_line(row) for row in rows]
    assert lines[1].endswith("allow by A-12.1 to dmv/4A")
    assert lines[3].endswith("for 1 (late) to county-019/A0190001")
    assert lines[4].endswith("1.0 delivered, 2.0 expired, 3.0 delivered")
    assert lines[5].endswith("refused E802 peer 192.0.2.1")
    assert not any("\x1b" in line for line in lines)


def test_bodies_are_shown_on_request() -> None:
    rows = list(Chosen().of(RECORDS, body=True))
    assert rows[1]["body"] == "SECRETBODY\x1b"
    assert as_line(rows[1]).endswith("SECRETBODY\\x1b")


def test_all_that_concerns_one_message() -> None:
    rows = list(Chosen(messages={1}).of(RECORDS))
    assert [row["number"] for row in rows] == [1, 3, 4]
    assert [item["smn"] for item in rows[-1]["outcomes"]] == [1, 3]
    kinds = frozenset({"outcomes"})
    assert [row["number"] for row in Chosen(kinds, {2}).of(RECORDS)] == [4]


def test_what_an_operator_did_is_shown_and_the_reason_on_request() -> None:
    body = msgpack.encode(
        {
            "action": "return", "message": 1, "operator": "SGT SAMPLE", "account": "center",
            "reason": "SECRET", "until_us": 0, "to": [], "entries": [],
        }
    )  # fmt: skip
    records = [(9, "intercept", 0, body)]
    (row,) = Chosen(messages={1}).of(records)
    assert as_line(row).endswith("return 1 by SGT SAMPLE (center)")
    assert not list(Chosen(messages={2}).of(records))
    (row,) = Chosen().of(records, body=True)
    assert as_line(row).endswith("SECRET")


@pytest.mark.parametrize("verb", ["verify", "show"])
def test_no_journal_at_all(verb: str, tmp_path: Path) -> None:
    result = clets("journal", verb, tmp_path / "absent")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("E60")
    key = clets("journal", "verify", tmp_path, "--vkey", tmp_path / "absent")
    assert (key.exit_code, key.stderr[:5]) == (2, "E921:")


# send


def test_send_wants_all_tls_files_or_none(tmp_path: Path) -> None:
    result = clets("send", "--port", "1", "--tls-key", tmp_path, data=PLATE)
    assert result.exit_code == 2
    assert "belong together" in result.stderr
    files = [f"--tls-{name}={tmp_path / 'absent'}" for name in ("certificate", "key", "authority")]
    result = clets("send", "--port", "1", *files, data=PLATE)
    assert (result.exit_code, result.stderr[:5]) == (2, "E921:")


def test_send_where_nobody_listens() -> None:
    result = clets("send", "--port", "1", "--timeout", "0.3", "--json", data=PLATE)
    assert (result.exit_code, result.stdout) == (1, "")
    assert json.loads(result.stderr)["code"] == 901


# run: the table.


def line(name: str, kind: str = "agency", **facts: object) -> LineStatus:
    usual: dict[str, object] = {
        "title": name,
        "up": False,
        "waiting": (0, 0, 0, 0, 0),
        "in_flight": 0,
        "accepted": 0,
        "refused": 0,
        "delivered": 0,
        "expired": 0,
    }
    return LineStatus(name=name, kind=kind, **{**usual, **facts})  # type: ignore[arg-type]


def drawn(board: Board, at: float, *lines: LineStatus, height: int = 40) -> list[str]:
    status = Status("ab" * 32, 12, 11, 1, 3, lines)
    console = Console(width=160)
    with console.capture() as capture:
        console.print(board.draw(status, at=at, height=height, title="Sample"))
    return capture.get().splitlines()


def cells(rows: list[str], name: str) -> list[str]:
    (row,) = [row for row in rows if row.startswith(f"│ {name} ")]
    return [cell.strip() for cell in row.strip("│").split("│")]


def test_the_table_leaves_idle_lines_out() -> None:
    idle = [line(f"county-{number:03}") for number in range(1, 59)]
    busy = line("msc", waiting=(0, 0, 1200, 0, 0))
    rows = drawn(Board(), 0.0, *idle, busy, line("ncic", "host"), line("cad", up=True))
    text = "\n".join(rows)
    assert "county-" not in text
    assert cells(rows, "msc")[2:6] == ["down", "·", "·", "1,200"]
    assert cells(rows, "cad")[2] == "up"
    assert cells(rows, "all")[1:3] == ["61", "1 up"]
    assert "58 idle or less busy lines not shown" in text
    assert "11 of 12 records durable" in text


def test_the_table_tells_rates() -> None:
    board = Board()
    drawn(board, 10.0, line("cad", accepted=100, refused=10, delivered=50))
    rows = drawn(board, 12.0, line("cad", accepted=160, refused=30, delivered=150))
    assert cells(rows, "cad")[9:13] == ["40", "50", "160", "30"]
    assert cells(rows, "all")[9:11] == ["40", "50"]


def test_the_table_fits_the_terminal() -> None:
    lines = [line(f"line-{number:03}", up=True) for number in range(300)]
    lines[250] = line("line-250", waiting=(0, 0, 5, 0, 0))
    rows = drawn(Board(), 0.0, *lines, height=30)
    assert len(rows) <= 30
    assert cells(rows, "line-250")[5] == "5"
