"""``clets decide --fact``: a situation instead of a message."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from clets_core._core import Snapshot
from clets_core.cli.main import main

CALIFORNIA = Path(__file__).parents[2] / "examples" / "california"
FAIR = [
    "standing=active", "level=full", "cleared=true", "statement=true", "training=valid",
    "agency_class=ca_lea", "agency_standing=active", "full_access=true", "ori=matches",
    "station=bound", "station_kind=fixed", "user=known", "action=inquire", "data_class=dmv_veh",
    "destination=dmv", "scope=single",
]  # fmt: skip


def clets(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def decide(*facts: str, more: tuple[str, ...] = ()) -> Result:
    return clets("decide", CALIFORNIA, *(f"--fact={fact}" for fact in facts), *more)


def test_a_situation_is_judged() -> None:
    result = decide(*FAIR, "reason=present")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("allow  situation\n")
    result = decide(*FAIR)
    assert result.exit_code == 3
    assert result.stdout.startswith("reject E413  situation\n")
    assert "It would be permitted if the reason for the inquiry were stated." in result.stdout
    told = json.loads(decide(*FAIR, more=("--json", "--at", "2026-03-01")).stdout)
    assert (told["permits"], told["rules"], told["code"]) == (False, ["I-10"], 413)
    assert told["at"] == "2026-03-01T00:00:00+00:00"
    assert told["facts"]["data_class"] == "dmv_veh"


@pytest.mark.parametrize(
    ("facts", "more", "part"),
    [
        (["per=host"], (), "no fact is named `per`; `clets decide --facts` prints all"),
        (["peer=nobody"], (), "`peer` has no value `nobody`"),
        (["peer"], (), "expected NAME=VALUE"),
        (["peer=host", "peer=agency"], (), "each name once"),
        (["peer=host"], ("--line", "county-019"), "--fact wants no line"),
        (["peer=host"], ("message.txt",), "--fact wants no line"),
    ],
)
def test_a_wrong_situation_is_misuse(facts: list[str], more: tuple[str, ...], part: str) -> None:
    result = decide(*facts, more=more)
    assert (result.exit_code, result.stdout, result.stderr[:5]) == (2, "", "E920:")
    assert part in result.stderr


def test_the_facts_are_listed() -> None:
    result = clets("decide", "--facts")
    assert result.exit_code == 0
    assert "peer (principal): agency, host; agency unless given\n" in result.stdout
    rows = [json.loads(line) for line in clets("decide", "--json", "--facts").stdout.splitlines()]
    assert [row["name"] for row in rows] == [name for name, *_ in Snapshot.facts()]
