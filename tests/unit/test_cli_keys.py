"""``clets keys`` and the page that is made from the same table."""

from __future__ import annotations

import json

from click.testing import CliRunner

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
