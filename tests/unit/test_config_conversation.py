"""How a line talks: dialects, file codes and follow-ups in a bundle."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.unit.test_config import FILES

from clets_core.config import document, load
from clets_core.config.problem import Code
from clets_core.errors import BundleError

if TYPE_CHECKING:
    from pathlib import Path

DIALECTS = """\
[[dialect]]
name = "county"
cite = "the county's manual"
renames = { LICN = "LIC" }
keys = [
    { entered = "QV", key = "IV.4A", with = "LIC", fields = { LIS = "CA" } },
    { entered = "RQP", key = "NLTS.RQ", destination_field = "LIS" },
]
"""
FOLLOW_UPS = """\
[[followup]]
name = "owner"
title = "Registered owner"
after = ["IV.4A"]
hosts = ["dmv"]
key = "NLTS.DQ"
fields = [{ field = "NAM", label = "R/O:", until = "  " }]
"""
CODES = """
[[file_code]]
key = "IV.4A"
field = "LIT"
codes = { MC = "IV.4M" }
cite = "plate types"
"""
LINE = 'dialect = "county"\ncollate = true\ncollate_field = "COL"\nfollow_ups = true\n'
EXTRA = {"dialects.toml": DIALECTS, "followups.toml": FOLLOW_UPS}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    for name, text in {**FILES, **EXTRA}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    lines = FILES["lines.toml"].replace("dedupes = true\n", f"dedupes = true\n{LINE}")
    (tmp_path / "lines.toml").write_text(lines)
    (tmp_path / "routes.toml").write_text(FILES["routes.toml"] + CODES)
    return tmp_path


def test_the_engine_gets_what_the_files_say(bundle: Path) -> None:
    written = json.loads(document(load(bundle)))
    line = written["lines"][1]
    assert (line["dialect"], line["collate"]) == ("county", True)
    assert (line["collate_field"], line["follow_ups"]) == ("COL", True)
    assert written["lines"][0]["dialect"] is None
    assert written["dialects"] == [
        {
            "name": "county",
            "renames": [["LICN", "LIC"]],
            "keys": [
                {
                    "entered": "QV",
                    "key": "IV.4A",
                    "with": "LIC",
                    "destination_field": None,
                    "defaults": [["LIS", "CA"]],
                },
                {
                    "entered": "RQP",
                    "key": "NLTS.RQ",
                    "with": None,
                    "destination_field": "LIS",
                    "defaults": [],
                },
            ],
        }
    ]
    assert written["file_codes"] == [
        {"key": "IV.4A", "field": "LIT", "codes": [["MC", "IV.4M"]]},
    ]
    (rule,) = written["follow_ups"]
    assert (rule["after"], rule["hosts"], rule["key"]) == (["IV.4A"], ["dmv"], "NLTS.DQ")
    assert rule["locators"] == [
        {"field": "NAM", "label": "R/O:", "until": "  ", "bytes_max": 30},
    ]


def test_both_files_may_be_absent(bundle: Path) -> None:
    before = load(bundle).hash
    for name in EXTRA:
        (bundle / name).unlink()
    (bundle / "lines.toml").write_text(FILES["lines.toml"])
    read = load(bundle)
    assert (read.dialects, read.follow_ups) == ((), ())
    assert read.hash != before


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "code"),
    [
        ("lines.toml", 'dialect = "county"', 'dialect = "city"', 15, Code.REFERENCE),
        ("lines.toml", "collate = true", 'collate = "Y"', 16, Code.VALUE),
        ("dialects.toml", '"IV.4A"', '"IV.9Z"', 6, Code.NOT_ROUTED),
        ("dialects.toml", 'LIS = "CA"', 'RSN = "TRAFFIC STOP"', 6, Code.STATEMENT),
        ("dialects.toml", 'with = "LIC"', 'with = "LICN"', 6, Code.DIALECT),
        ("dialects.toml", '"RQP"', '"QV"', 7, None),
        ("dialects.toml", ', with = "LIC"', "", 6, None),
        ("dialects.toml", 'entered = "QV"', 'entered = "Q.V.X"', 6, Code.IDENTIFIER),
        ("dialects.toml", 'LICN = "LIC"', 'LICN = "LICN"', 4, Code.DIALECT),
        ("dialects.toml", 'LICN = "LIC"', 'LICN = "lic"', 4, Code.IDENTIFIER),
        ("dialects.toml", "[[dialect]]", "[[dialects]]", 1, Code.KEY_UNKNOWN),
        ("routes.toml", 'key = "IV.4A"\nfield', 'key = "IV.4B"\nfield', 24, Code.NOT_ROUTED),
        ("routes.toml", 'MC = "IV.4M"', 'MC = "4M"', 26, Code.FILE_CODE),
        ("followups.toml", '"dmv"', '"dvm"', 5, Code.REFERENCE),
        ("followups.toml", '"NLTS.DQ"', '"IN.L1"', 6, Code.NOT_ROUTED),
        ("followups.toml", '"IV.4A"', '"IV.4B"', 4, Code.NOT_ROUTED),
        ("followups.toml", ', label = "R/O:"', "", 7, Code.KEY_ABSENT),
    ],
)
def test_each_mistake_has_its_number_and_line(
    bundle: Path, file: str, old: str, new: str, line: int, code: Code | None
) -> None:
    path = bundle / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    if code is None:
        load(bundle)
        return
    with pytest.raises(BundleError) as raised:
        load(bundle)
    found = [(it.file, it.line, it.code) for it in raised.value.problems]
    assert (file, line, code.number) in found, raised.value.problems


def test_one_entered_key_has_one_meaning(bundle: Path) -> None:
    path = bundle / "dialects.toml"
    text = path.read_text().replace(', with = "LIC"', "").replace('"RQP"', '"QV"')
    path.write_text(text)
    with pytest.raises(BundleError) as raised:
        load(bundle)
    assert [(it.line, it.code) for it in raised.value.problems] == [(7, Code.DIALECT.number)]
