"""``clets policy check`` and ``clets policy digest``."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from clets_core._core import subject_digest
from clets_core.cli import subjects
from clets_core.cli.main import main

CALIFORNIA = Path(__file__).parents[2] / "examples" / "california"
VECTORS = Path(__file__).parents[1] / "vectors"
KEY = CALIFORNIA / "policy" / "subjects.key"
PLATE = b"A0190001.REF1.U000001.IV.4A.CA0190000.LIC/1ABC234.LIS/CA.RSN/TRAFFIC STOP"


def clets(*arguments: str | Path, data: bytes = b"") -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=data)


def edited(folder: Path, old: str, new: str) -> None:
    """Replaces a text that one file of the policies has."""
    (path,) = [it for it in folder.glob("policy/*.cedar") if old in it.read_text("utf-8")]
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of one's own, to change."""
    return Path(shutil.copytree(CALIFORNIA, tmp_path / "bundle"))


# check


UNMET = """
@id("Z-01")
@effect("reject")
@code("413")
@cite("None: for a test")
@text("Never decides, for no inquiry is an entry.")
@from("2020-01-01")
forbid (principal, action == Action::"inquire", resource)
when { principal.peer == Peer::"host" && principal.peer == Peer::"agency" };
"""
UNTESTED = """
@id("Z-02")
@effect("flag")
@cite("None: for a test")
@text("Plates of motorcycles.")
@from("2020-01-01")
forbid (principal, action == Action::"inquire", resource)
when { principal.peer == Peer::"agency" && resource.data_class == DataClass::"dmv_veh" };
"""


def test_check_of_the_sample_finds_nothing() -> None:
    result = clets("policy", "check", CALIFORNIA, "--vectors", VECTORS)
    assert result.exit_code == 0, result.output
    *_, rules, vectors, total = result.stdout.splitlines()
    assert re.fullmatch(r"\d+ rules in 8 files", rules)
    assert "excused from them: A-17, D-18" in vectors
    assert total == f"{CALIFORNIA}: 0 findings"
    assert "A-07.2" in result.stdout


def test_check_tells_rules_that_never_decide_and_that_no_vector_determines(bundle: Path) -> None:
    file = bundle / "policy" / "99-more.cedar"
    file.write_text(UNMET + UNTESTED, "utf-8")
    result = clets("policy", "check", bundle)
    assert result.exit_code == 1
    assert f"{file}:2: `Z-01`: no situation was found in which it decides" in result.stdout
    assert "Z-02" not in result.stdout
    result = clets("policy", "check", bundle, "--vectors", VECTORS, "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert (told["ok"], told["files"]) == (False, 9)
    untested = {it["id"]: it["row"] for it in told["findings"] if "no vector" in it["text"]}
    assert untested == {"Z-01": 2, "Z-02": 11}
    # The new rule flags every plate, which the vectors do not expect.
    assert any("by A-12.1; found flag by Z-02" in it["text"] for it in told["findings"])
    assert told["overlaps"]["D-11"] == ["C-12", "C-01.1", "C-01.2", "C-01.3", "A-19"]


def test_check_of_a_bundle_that_is_refused(bundle: Path) -> None:
    edited(bundle, "context.carry_license", "context.carry_licence")
    result = clets("policy", "check", bundle)
    assert result.exit_code == 1
    assert "80-misuse.cedar:" in result.stdout
    assert "E722" in result.stdout
    told = json.loads(clets("policy", "check", bundle, "--json").stdout)
    assert told["problems"][0]["code"] == 722


BASE = """
at = 2026-11-02T12:00:00Z
[senders]
sheriff = { line = "county-019", station = "A0190001", user = "U000001", ori = "CA0190000" }
[untested]
I-10 = "a vector determines it"
X-99 = "no such rule"
[changes."users.csv"]
U000001 = { standing = "suspended" }
"""
ROWS = """
[[vector]]
id = "1"
what = "The change counts."
sender = "sheriff"
message = "IV.4A LIC/1ABC234.LIS/CA.RSN/TRAFFIC STOP"
effect = "reject"
code = 424
rules = ["A-18.1"]

[[vector]]
id = "2"
what = "Another user, no reason."
sender = "sheriff"
user = "U000101"
message = "IV.4A LIC/1ABC234.LIS/CA"
effect = "reject"
code = 413
rules = ["I-10"]

[[vector]]
id = "3"
what = "A wrong expectation."
sender = "sheriff"
message = "IV.4A LIC/1ABC234.LIS/CA.RSN/TRAFFIC STOP"
rules = ["A-12.1"]

[[vector]]
id = "4"
what = "No difference any longer."
sender = "sheriff"
message = "IV.4A LIC/1ABC234.LIS/CA.RSN/TRAFFIC STOP"
effect = "reject"
code = 424
rules = ["A-18.1"]
differs = "it did once"

[[vector]]
id = "5"
what = "No such line."
line = "nowhere"
message = "A0190001.R1.U000001.IV.4A.CA0190000.LIC/1ABC234"
effect = "reject"
code = 802
"""


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    folder = tmp_path / "vectors"
    folder.mkdir()
    (folder / "base.toml").write_text(BASE, "utf-8")
    (folder / "some.toml").write_text(ROWS, "utf-8")
    return folder


def test_check_runs_vectors_on_a_changed_stand_in(tables: Path) -> None:
    users = (CALIFORNIA / "users.csv").read_bytes()
    result = clets("policy", "check", CALIFORNIA, "--vectors", tables, "--json")
    assert result.exit_code == 1
    findings = json.loads(result.stdout)["findings"]
    said = {it["id"]: it["text"] for it in findings if "no vector determines" not in it["text"]}
    assert said == {
        "3": "expected allow by A-12.1; found reject E424 by A-18.1",
        "4": "said to differ, but comes out as expected",
        "I-10": "excused, but determined by a vector or no rule at all",
        "X-99": "excused, but determined by a vector or no rule at all",
    }
    (wrong,) = [it for it in findings if it["id"] == "3"]
    assert (wrong["file"], wrong["row"]) == (str(tables / "some.toml"), 21)
    assert {"A-12.1", "A-17"} <= {it["id"] for it in findings}
    assert (CALIFORNIA / "users.csv").read_bytes() == users


@pytest.mark.parametrize(
    ("file", "old", "new", "part"),
    [
        ("some.toml", "[[vector]]", "[[vector]", "some.toml`"),
        ("some.toml", 'id = "2"', 'id = "1"', "that no other vector has"),
        ("some.toml", "rules =", "rule =", "unknown field `rule`"),
        ("some.toml", '"sheriff"', '"nobody"', "expected a sender of base.toml, or a line"),
        ("base.toml", "users.csv", "../users.csv", "not `../users.csv`"),
        ("base.toml", "standing =", "standin =", "no column `standin`"),
        ("base.toml", '"suspended"', '"asleep"', "with its changes: users.csv:2: E705"),
        ("base.toml", "12:00:00Z", "12:00:00", "time zone"),
    ],
)
def test_vectors_of_another_form_are_refused(
    tables: Path, file: str, old: str, new: str, part: str
) -> None:
    path = tables / file
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    result = clets("policy", "check", CALIFORNIA, "--vectors", tables)
    assert (result.exit_code, result.stdout, result.stderr[:5]) == (1, "", "E928:")
    assert part in result.stderr


def test_no_vectors_at_all(tmp_path: Path) -> None:
    result = clets("policy", "check", CALIFORNIA, "--vectors", tmp_path)
    assert (result.exit_code, result.stderr[:5]) == (2, "E921:")


# digest


def digest(*arguments: str | Path, key: Path = KEY) -> Result:
    return clets("policy", "digest", "--key", key, "--cite", 'a "test"', *arguments)


def test_rows_of_subjects_name_nobody() -> None:
    key = KEY.read_text("utf-8")
    given = ("vin=1M8GDM9AXKP042788", "LIC=1abc234", "NAM=Doe, Jane", "DOB=19800101")
    result = digest("test", *given)
    assert result.exit_code == 0
    rows = [
        subject_digest(key, "VIN", "1M8GDM9AXKP042788"),
        subject_digest(key, "LIC", "1ABC234", "CA"),
        subject_digest(key, "NAM", "DOE,JANE", "19800101"),
    ]
    assert result.stdout == "".join(f'test,{row},"a ""test"""\n' for row in rows)
    result = digest("own", "--user", "U000001", "OLN=D1234567", "OLS=NV", "--json")
    own = subject_digest(key, "OLN", "D1234567", "NV", "U000001")
    assert json.loads(result.stdout) == {"list": "own", "digest": own, "cite": 'a "test"'}


def test_a_row_makes_the_switch_know_the_record(bundle: Path) -> None:
    table = bundle / "policy" / "subjects.csv"
    named = digest("own", "--user", "U000001", "NAM=DOE,PAT", "DOB=19850214").stdout
    alone = subject_digest(KEY.read_text("utf-8"), "NAM", "DOE,PAT", "", "U000001")
    assert [line.split(",")[1] for line in named.splitlines()][1:] == [alone]
    row = digest("own", "--user", "U000001", "LIC=1ABC234").stdout
    table.write_text(table.read_text("utf-8") + row, "utf-8")
    for folder, rules in ((CALIFORNIA, ["A-12.1"]), (bundle, ["D-01"])):
        result = clets("decide", folder, "--line", "county-019", "--json", data=PLATE)
        assert json.loads(result.stdout)["rules"] == rules


@pytest.mark.parametrize(
    "arguments",
    [
        ("own", "OLN=D1234567"),
        ("test", "--user", "U000001", "OLN=D1234567"),
        ("own", "--user", "U-1", "OLN=D1234567"),
        ("lost", "OLN=D1234567"),
        ("test",),
        ("test", "OLN"),
        ("test", "SEX=F"),
        ("test", "OLN=D1", "OLN=D2"),
        ("test", "OLN=D1*"),
        ("test", "OLN=--"),
        ("test", "OLN=D1", "OLS=CALIFORNIA"),
        ("test", "OLN=D1", "LIS=CA"),
        ("test", "OLS=CA"),
        ("test", "NAM=DOE,JANE"),
        ("test", "NAM=DOE", "DOB=19800101"),
        ("test", "NAM=DOE,JANE", "DOB=01/01/1980"),
        ("test", "NAM=DOE,JANE", "DOB=19801301"),
    ],
)
def test_what_cannot_be_listed_is_misuse(arguments: tuple[str, ...]) -> None:
    result = digest(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("E920: ")
    assert "D1" not in result.stderr


def test_a_wrong_key_of_digests(tmp_path: Path) -> None:
    result = digest("test", "OLN=D1234567", key=tmp_path / "absent")
    assert (result.exit_code, result.stderr[:5]) == (2, "E921:")
    (tmp_path / "short").write_text("0011\n", "utf-8")
    result = digest("test", "OLN=D1234567", key=tmp_path / "short")
    assert (result.exit_code, result.stderr[:5]) == (1, "E927:")
    result = clets("policy", "digest", "--key", KEY, "--cite", " ", "test", "OLN=D1234567")
    assert (result.exit_code, result.stderr[:5]) == (2, "E920:")


def test_the_fields_are_those_of_the_switch() -> None:
    key = KEY.read_text("utf-8")
    for code in (subjects.NAME, *subjects.NUMBERS):
        plain, other = (subject_digest(key, code, "A1", beside) for beside in ("CA", "NV"))
        assert (plain != other) == (code in subjects.BESIDE)
