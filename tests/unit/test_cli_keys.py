"""``clets keys`` and the page that is made from the same table."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner

from clets_core import decode, load_bundle
from clets_core.cli.catalogue import messages_page, rows
from clets_core.cli.main import main


def run(*arguments: str):
    return CliRunner().invoke(main, ["keys", *arguments])


def test_every_key_is_a_line():
    result = run()
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert len(lines) == len(rows()) + 1 > 400
    assert lines[0].split()[:4] == ["key", "family", "action", "direction"]


def test_a_key_is_found_with_and_without_its_system():
    one = [json.loads(line) for line in run("--json", "IV.4A").stdout.splitlines()]
    assert [row["name"] for row in one] == ["IV.4A"]
    assert one[0]["required"] == [["LIC"], ["VIN"]]
    assert (one[0]["direction"], one[0]["destinations"]) == ("to", "DMV vehicles")
    every = [json.loads(line)["name"] for line in run("--json", "rq").stdout.splitlines()]
    assert every == ["IO.RQ", "NLTS.RQ", "RQ"]


def test_a_family_can_be_chosen():
    families = {
        json.loads(line)["family"] for line in run("--json", "--family", "gun").stdout.splitlines()
    }
    assert families == {"gun"}


def test_an_unknown_key_is_an_error():
    result = run("NONE")
    assert result.exit_code == 2
    assert "E9" in result.stderr


def test_directions():
    found = {row["name"]: row["direction"] for row in rows()}
    assert [found[name] for name in ("RQ", "RR", "AM", "YQ", "ER", "SM", "UND", "EW")] == [
        "to", "from", "both", "both", "from", "both", "from", "to",
    ]  # fmt: skip


def test_the_page_names_every_key_once():
    page = messages_page()
    for row in rows():
        assert page.count(f"\n| {row['name']} |") == 1, row["name"]


def test_decide_names_the_field_that_is_wrong():
    bundle = load_bundle(Path(__file__).parents[2] / "examples" / "california")
    data = b"A0190001.REF1.U000001.IV.4A.CA0190000.LIC/TOOLONGAPLATE.CAP/C.RSN/TRAFFIC STOP"
    at = datetime(2026, 11, 2, 12, tzinfo=UTC)
    verdict = bundle.decide(decode(data, "clets"), line="county-019", at=at)
    assert (verdict.effect, verdict.code) == ("reject", 221)
    assert "field LIC at offset 42: expected 1 to 10 characters" in verdict.explanation
