"""What is counted of a journal: ``clets policy diff`` and ``clets journal cases``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import msgpack
from tests.unit.test_cli_policy import clets, edited

import clets_core
from clets_core._core import Center, frame
from clets_core.cli.journal import Cases
from clets_core.cli.replay import Change, Decided, Replay

if TYPE_CHECKING:
    from clets_core import Bundle

CALIFORNIA = Path(__file__).parents[2] / "examples" / "california"

PLATE = "A0190001.REF{}.U000001.IV.4A.CA0190000.LIC/1ABC234.LIS/CA.RSN/TRAFFIC STOP"
NO_REASON = "A0190001.REF{}.U000001.IV.4A.CA0190000.LIC/1ABC234.LIS/CA"
LANDLORD = "A0190001.REF{}.U000001.IV.4A.CA0190000.LIC/1ABC234.LIS/CA.RSN/TENANT SCREENING"
NOBODY = "A0190001.REF{}.U999999.IV.4A.CA0190000.LIC/1ABC234.LIS/CA.RSN/TRAFFIC STOP"
STATES = (
    "AM.AZ0000000\r\n12:00 11/02/2026 00001\r\n12:00 11/02/2026 00001 CA0190000\r\nTXT\r\n"
    "THANK YOU FOR YOUR HELP{}"
)
FLAGS_PLATES = """
@id("Z-02")
@effect("flag")
@cite("None: for a test")
@text("Plates of motorcycles.")
@from("2020-01-01")
forbid (principal, action == Action::"inquire", resource)
when { principal.peer == Peer::"agency" && resource.data_class == DataClass::"dmv_veh" };
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of one's own, to change."""
    return Path(shutil.copytree(CALIFORNIA, tmp_path / "bundle"))


def say(center: Center, line: str, *texts: str) -> None:
    intake = center.open(line)
    for number, text in enumerate(texts):
        data = frame("dmpp", "data", text.format(number).encode(), validation=bytes([0, 0, 0, 1]))
        memoryview(intake)[: len(data)] = data
        center.advance(intake, len(data))
    center.close(intake)


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a switch writes of four messages, one that is none, and one of another state."""
    folder = tmp_path_factory.mktemp("journal")
    center = Center(clets_core.load_bundle(CALIFORNIA).snapshot, folder)
    say(center, "county-019", PLATE, NO_REASON, LANDLORD, NOBODY, "S.R{}")
    say(center, "nlets", STATES)
    center.stop()
    return folder


def diff(journal: Path, old: Path, new: Path) -> tuple[int, list[Any], dict[str, Any]]:
    result = clets("policy", "diff", old, new, "--journal", journal, "--json")
    assert result.stderr == ""
    *changes, counts = map(json.loads, result.stdout.splitlines())
    assert not any(word in result.stdout for word in ("1ABC234", "U000001", "TENANT", "THANK"))
    return result.exit_code, changes, counts


def test_a_bundle_differs_in_nothing_from_itself(journal: Path) -> None:
    code, changes, counts = diff(journal, CALIFORNIA, CALIFORNIA)
    assert (code, changes) == (0, [])
    told = {name: counts[name] for name in ("messages", "unreadable", "unruled")}
    assert told == {"messages": 5, "unreadable": 1, "unruled": 0}


def test_what_is_newly_permitted_or_refused(journal: Path, bundle: Path) -> None:
    edited(bundle, '@id("I-10")', '@id("I-10") @to("2024-12-31")')
    code, (permitted,), counts = diff(journal, CALIFORNIA, bundle)
    assert code == 3
    assert (permitted["key"], permitted["ori"], permitted["line"]) == (
        "IV.4A",
        "CA0190000",
        "county-019",
    )
    assert permitted["old"] == {"effect": "reject", "code": 413, "rules": ["I-10"], "labels": []}
    assert permitted["new"]["rules"] == ["A-12.1"]
    assert counts["changes"]["permitted"] == {
        "messages": 1,
        "rules": {"I-10": 1},
        "agencies": {"CA0190000": 1},
    }

    code, (refused,), counts = diff(journal, bundle, CALIFORNIA)
    assert (code, refused["change"]) == (3, "refused")
    assert counts["changes"]["refused"]["rules"] == {"I-10": 1}
    result = clets("policy", "diff", bundle, CALIFORNIA, "--journal", journal)
    assert result.exit_code == 3
    assert result.stdout.startswith("newly refused: 1 message\n")
    assert result.stdout.endswith(
        "of 5 messages; 0 refused by both before any rule, 1 more could not be read\n"
    )


def test_what_is_newly_held_and_what_is_only_flagged(journal: Path, bundle: Path) -> None:
    file = bundle / "policy" / "99-more.cedar"
    file.write_text(FLAGS_PLATES, "utf-8")
    code, changes, counts = diff(journal, CALIFORNIA, bundle)
    assert (code, {it["change"] for it in changes}) == (0, {"otherwise"})
    # Refused or not, whatever asks for a plate is flagged now; the permit is named no longer.
    assert counts["changes"]["otherwise"]["rules"] == {"Z-02": 4, "A-12.1": 1}
    file.write_text(FLAGS_PLATES.replace('"flag"', '"hold"'), "utf-8")
    code, changes, counts = diff(journal, CALIFORNIA, bundle)
    assert code == 3
    assert counts["changes"]["held"] == {
        "messages": 1,
        "rules": {"Z-02": 1},
        "agencies": {"CA0190000": 1},
    }


def test_a_bundle_that_is_refused_is_named(journal: Path, bundle: Path) -> None:
    (bundle / "groups.toml").write_text("[[group", "utf-8")
    for pair in ((bundle, CALIFORNIA), (CALIFORNIA, bundle)):
        result = clets("policy", "diff", *pair, "--journal", journal)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith(f"{bundle / 'groups.toml'}: E702")


@pytest.fixture(scope="module")
def california() -> Bundle:
    return clets_core.load_bundle(CALIFORNIA)


def record(kind: str, **content: object) -> tuple[int, str, int, bytes]:
    usual: dict[str, object] = {
        "line": "county-019", "ori": "CA0190000", "key": "IV.4A", "dialect": "clets",
        "body": PLATE.format(1).encode(),
    }  # fmt: skip
    return 7, kind, 1_793_600_000_000_000, msgpack.encode({**usual, **content})


def test_a_line_that_the_new_bundle_has_not(california: Bundle, bundle: Path) -> None:
    for name in ("lines.toml", "stations.csv"):
        text = (bundle / name).read_text("utf-8").replace("cad-01", "cad-02")
        (bundle / name).write_text(text, "utf-8")
    plate = b"I0340001.R1.U000041.IV.4A.CA0340100.LIC/1ABC234.LIS/CA.RSN/TRAFFIC STOP"
    replay = Replay(california, clets_core.load_bundle(bundle))
    (change,) = replay.of([record("refused", line="cad-01", ori="CA0340100", code=413, body=plate)])
    assert (change.kind, change.new.code, change.rules) == ("refused", 802, ("E802",))
    assert replay.tallies["refused"].agencies == {"CA0340100": 1}


@pytest.mark.parametrize(
    ("kind", "content", "counts"),
    [
        ("accepted", {}, (1, 0, 0)),
        ("refused", {"dialect": ""}, (1, 0, 0)),
        ("accepted", {"line": ""}, (0, 0, 0)),
        ("accepted", {"follow_up": "owner"}, (0, 0, 0)),
        ("refused", {"follow_up": "owner"}, (0, 0, 0)),
        ("accepted", {"collated": True}, (0, 0, 0)),
        ("accepted", {"edit": {"replaces": 3}}, (0, 0, 0)),
        ("case", {}, (0, 0, 0)),
        ("refused", {"body": b"S.R", "code": 201}, (0, 1, 0)),
        ("refused", {"code": 101}, (0, 1, 0)),
        ("refused", {"body": b"A0190001.R1.U000001.ZZZZ.CA0190000.LIC/1"}, (1, 0, 1)),
        ("accepted", {"line": "nowhere"}, (1, 0, 1)),
    ],
)
def test_which_records_are_replayed(
    california: Bundle, kind: str, content: dict[str, object], counts: tuple[int, ...]
) -> None:
    replay = Replay(california, california)
    assert not list(replay.of([record(kind, **content)]))
    assert (replay.messages, replay.unreadable, replay.unruled) == counts


def test_an_ori_that_nobody_knows_is_counted_by_its_line(california: Bundle, bundle: Path) -> None:
    edited(bundle, '@id("I-10")', '@id("I-10") @to("2024-12-31")')
    replay = Replay(clets_core.load_bundle(bundle), california)
    body = NO_REASON.format(1).encode()
    found = list(replay.of([record("accepted", ori=f"XX{n:07}", body=body) for n in range(3)]))
    assert [it.ori for it in found] == ["XX0000000", "XX0000001", "XX0000002"]
    assert replay.tallies["refused"].agencies == {"county-019": 3}


ALLOWED = Decided("allow", 0, ("A-12.1",), ())
FLAGGED = Decided("flag", 0, ("I-03.3",), ())
HELD = Decided("hold", 0, ("B-04.2",), ())
WITHHELD = Decided("redact", 0, ("D-13",), ())
BLOCKED = Decided("block", 430, ("D-17.1",), ())
UNPERMITTED = Decided("reject", 401, (), ())


@pytest.mark.parametrize(
    ("old", "new", "kind", "rules"),
    [
        (ALLOWED, FLAGGED, "otherwise", ("A-12.1", "I-03.3")),
        (ALLOWED, ALLOWED._replace(labels=("L",)), "otherwise", ("A-12.1",)),
        (BLOCKED, UNPERMITTED, "otherwise", ("D-17.1", "no rule permits")),
        (HELD, BLOCKED, "refused", ("D-17.1",)),
        (BLOCKED, HELD, "held", ("B-04.2",)),
        (ALLOWED, WITHHELD, "redacted", ("D-13",)),
        (HELD, ALLOWED, "permitted", ("B-04.2",)),
        (UNPERMITTED, FLAGGED, "permitted", ("no rule permits",)),
    ],
)
def test_kinds_of_change(old: Decided, new: Decided, kind: str, rules: tuple[str, ...]) -> None:
    change = Change(1, "county-019", "IV.4A", "CA0190000", old, new)
    assert (change.kind, change.rules) == (kind, rules)


# journal cases


def test_cases_are_counted_without_users(journal: Path) -> None:
    result = clets("journal", "cases", journal, "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    counts = [{"ori": "CA0190000", "rule": "D-17.1", "effect": "block", "cases": 1}]
    assert told == {"year": None, "cases": 1, "counts": counts}
    plain = clets("journal", "cases", journal).stdout
    assert plain.endswith("1 case\n")
    assert "D-17.1" in plain
    assert "U000001" not in plain + result.stdout
    none = clets("journal", "cases", journal, "--year", "1999")
    assert (none.exit_code, none.stdout) == (0, "0 cases in 1999\n")
    shown = clets("journal", "show", journal, "--kind", "case", "--json").stdout
    assert json.loads(shown)["rules"] == ["D-17.1"]
    about = clets("journal", "show", journal, "--smn", json.loads(shown)["message"], "--json")
    assert "case" in [json.loads(line)["kind"] for line in about.stdout.splitlines()]


def test_a_year_is_that_of_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Four in the morning of New Year's Day, UTC.
    content = msgpack.encode({"ori": "CA0190000", "effect": "block", "rules": ["D-17.1"]})
    found = [(1, "case", 1_798_776_000_000_000, content)]
    monkeypatch.setattr("clets_core.cli.journal.journal_records", lambda _: found)
    for zone, year in (("UTC", "2027"), ("America/Los_Angeles", "2026")):
        result = clets("journal", "cases", tmp_path, "--year", year, "--time-zone", zone)
        assert result.stdout.endswith(f"1 case in {year}\n")
    result = clets("journal", "cases", tmp_path, "--year", "2026")
    assert result.stdout == "0 cases in 2026\n"
    result = clets("journal", "cases", tmp_path, "--time-zone", "America/Nowhere")
    assert (result.exit_code, result.stderr[:5]) == (2, "E920:")


def test_a_case_counts_for_each_of_its_rules() -> None:
    cases = Cases()
    cases.add({"ori": "A", "effect": "block", "rules": ["D-17.1", "I-01.1"]})
    cases.add({"ori": "A", "effect": "block", "rules": ["I-01.1"]})
    cases.add({"ori": "A", "effect": "flag", "rules": ["I-01.1"]})
    assert cases.cases == 3
    assert cases.counts == {
        ("A", "D-17.1", "block"): 1,
        ("A", "I-01.1", "block"): 2,
        ("A", "I-01.1", "flag"): 1,
    }


@pytest.mark.parametrize("verb", [("journal", "cases"), ("policy", "diff", CALIFORNIA, CALIFORNIA)])
def test_no_journal_at_all(verb: tuple[str | Path, ...], tmp_path: Path) -> None:
    where = (tmp_path / "absent",) if verb[0] == "journal" else ("--journal", tmp_path / "absent")
    result = clets(*verb, *where)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("E60")


@pytest.mark.parametrize("year", ["0", "next"])
def test_a_wrong_year_is_misuse(journal: Path, year: str) -> None:
    result = clets("journal", "cases", journal, "--year", year)
    assert (result.exit_code, result.stderr[:5]) == (2, "E920:")
