"""Bundles: what is read, and what is found wrong, with file, line and number."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest

from clets_core.config import document, load
from clets_core.config.problem import Code
from clets_core.errors import BundleError, CletsError, DecodeError, Problem

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "switch.toml": """\
name = "Test center"
ori = "CA0000000"
origin = "clets.example/test"

[[listener]]
name = "dmpp"
address = "127.0.0.1:17000"
framing = "dmpp"
plain = true

[[listener]]
name = "native"
address = "127.0.0.1:17001"
framing = "native"
plain = true

[limits]
group_stations = 10

[fields]
purpose = { code = "PUR", cite = "NCIC" }
california_purpose = { code = "CAP", cite = "AB 1747" }
reason = { code = "RSN", cite = "AB 1747" }

[fields.attention]
code = "ATN"
cite = "NCIC"

[fields.case]
code = "OCA"
cite = "NCIC"
""",
    "lines.toml": """\
[[line]]
name = "county-019"
title = "Los Angeles County"
framing = "dmpp"
county = 19
peer = "127.0.1.19"
agencies = ["so", "pd"]

[[line]]
name = "cad-01"
title = "Dispatch"
framing = "native"
peer = "127.0.2.2"
dedupes = true
agencies = ["pd"]
""",
    "hosts.toml": """\
[[host]]
name = "dmv"
title = "DMV"
system = "dmv"
address = "127.0.0.1:17010"
dialect = "clets"
ori = "CA0349700"
station = "CLETSDMV"
plain = true

[[host]]
name = "ncic"
title = "NCIC"
system = "ncic"
address = "127.0.0.1:17011"
dialect = "ncic"
ori = "DCNCIC000"
station = "CLETSNCIC"
plain = true
window = 4
reply_deadline_ms = 5000

[[host]]
name = "nlets"
title = "Nlets"
system = "nlets"
address = "127.0.0.1:17012"
dialect = "nlets"
ori = "NL0000000"
station = "CLETSNLT"
plain = true
members = ["AZ", "OR"]
""",
    "routes.toml": """\
[[route]]
keys = ["IV.4A"]
field = "LIS"
is = ["", "CA"]
legs = [
    { host = "dmv" },
    { host = "ncic", key = "QV" },
]

[[route]]
keys = ["IV.4A"]
field = "LIS"
is_not = ["", "CA"]
legs = [
    { host = "ncic", key = "QV" },
    { host = "nlets", key = "RQ", destination_field = "LIS" },
]

[[route]]
keys = ["NLTS.RQ", "NLTS.DQ"]
legs = [{ host = "nlets", destinations = "message" }]
""",
    "groups.toml": """\
[[group]]
code = "GALL"
title = "All"
members = ["GONE", "A0190002"]
senders = ["so"]

[[group]]
code = "GONE"
title = "One"
members = ["A0190001", "CA0190000"]
""",
    "agencies.csv": """\
code,name,class,standing,county,attested,agreement,mobile_chi
so,Sheriff,ca_lea,active,19,false,false,true
pd,"Police, Alder",ca_lea,no_chi,19,false,false,false
""",
    "oris.csv": """\
ori,agency,full_access,criminal_history,station
CA0190000,so,true,true,A0190001
CA0190100,pd,true,false,
""",
    "stations.csv": """\
mnemonic,line,ori,kind
A0190001,county-019,CA0190000,fixed
A0190002,county-019,CA0190100,mobile
I0190001,cad-01,CA0190100,interface
""",
    "users.csv": """\
id,agency,level,standing,cleared,statement,hired,trained,training_to
U000001,so,full,active,true,true,2015-03-02,2015-04-06,2099-12-31
U000002,pd,less_than_full,active,true,false,2026-10-01,,
""",
    "policy/schema.cedarschema": "entity Peer;\n",
    "policy/words.csv": "list,topic,kind,words,cite\n",
    "policy/10-all.cedar": "permit (principal, action, resource);\n",
}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def change(bundle: Path, file: str, old: str, new: str) -> None:
    path = bundle / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def problems(bundle: Path) -> tuple[Problem, ...]:
    with pytest.raises(BundleError) as raised:
        load(bundle)
    return raised.value.problems


def test_a_good_bundle_is_read_whole(bundle: Path) -> None:
    found = load(bundle)
    assert found.switch.limits.group_stations == 10
    assert found.switch.limits.frame_bytes == 65_536
    assert found.switch.fields.attention.code == "ATN"
    assert [line.name for line in found.lines] == ["county-019", "cad-01"]
    assert found.routes[0].is_ == ("", "CA")
    assert found.routes[1].legs[1].destination_field == "LIS"
    assert found.agencies[1].name == "Police, Alder"
    assert found.oris[1].station is None
    assert found.users[1].trained is None
    assert found.users[0].hired == date(2015, 3, 2)
    assert [policy.name for policy in found.policies] == ["policy/10-all.cedar", "policy/words.csv"]
    assert found.schema.startswith("entity Peer")


def test_the_document_has_what_the_engine_reads(bundle: Path) -> None:
    made = json.loads(document(load(bundle)))
    assert made["settings"]["fields"] == {
        "purpose": "PUR",
        "california_purpose": "CAP",
        "reason": "RSN",
        "attention": "ATN",
        "case": "OCA",
    }
    assert [line["window"] for line in made["lines"]] == [1, 64]
    assert [host["window"] for host in made["hosts"]] == [1, 4, 1]
    assert [host["reply_deadline_ms"] for host in made["hosts"]] == [30_000, 5_000, 30_000]
    assert made["users"][0][6:] == [16_496, 16_531, 47_481]
    assert made["users"][1][7:] == [None, None]
    assert made["routes"][1]["condition"] == {
        "field": "LIS",
        "values": ["", "CA"],
        "negate": True,
    }
    assert made["routes"][2]["legs"][0]["addressed"] is True
    assert made["oris"][1] == ["CA0190100", "pd", True, False, None]


def test_the_hash_is_of_the_files_and_of_nothing_else(bundle: Path) -> None:
    first = load(bundle).hash
    (bundle / "NOTES.md").write_text("not a part of the bundle")
    assert load(bundle).hash == first
    change(bundle, "policy/10-all.cedar", "\n", "\n\n")
    second = load(bundle).hash
    assert second != first
    change(bundle, "policy/10-all.cedar", "\n\n", "\r\n")
    assert load(bundle).hash not in {first, second}


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "code"),
    [
        ("switch.toml", 'name = "Test center"', 'name = "Test center', 1, Code.TOML),
        ("switch.toml", 'ori = "CA0000000"', 'ori = "CA00"', 2, Code.ORI),
        ("switch.toml", 'ori = "CA0000000"\n', "", 1, Code.KEY_ABSENT),
        ("switch.toml", "[limits]", "[limit]", 17, Code.KEY_UNKNOWN),
        ("switch.toml", "group_stations = 10", "group_stations = 0", 18, Code.VALUE),
        ("switch.toml", "group_stations = 10", "group_station = 10", 18, Code.KEY_UNKNOWN),
        ("switch.toml", 'reason = { code = "RSN"', 'reason = { code = "rsn"', 23, Code.IDENTIFIER),
        ("switch.toml", 'code = "OCA"', "code = 7", 30, Code.IDENTIFIER),
        ("switch.toml", "127.0.0.1:17001", "127.0.0.1:170010", 13, Code.ADDRESS),
        ("switch.toml", "127.0.0.1:17001", "127.0.0.1:17000", 13, Code.ADDRESS),
        ("switch.toml", 'name = "native"', 'name = "dmpp"', 11, Code.DUPLICATE),
        ("switch.toml", "plain = true", 'plain = true\nkey = "x"', 10, Code.SECURITY),
        ("lines.toml", "county = 19", "county = 59", 5, Code.VALUE),
        ("lines.toml", '"pd"]', '"fd"]', 7, Code.REFERENCE),
        ("lines.toml", 'peer = "127.0.2.2"\n', "", 9, Code.PEER),
        ("lines.toml", 'peer = "127.0.2.2"', 'certificate = "cad"', 9, Code.PEER),
        ("lines.toml", 'peer = "127.0.2.2"', 'peer = "here"', 13, Code.PEER),
        ("lines.toml", 'peer = "127.0.2.2"', 'peer = "127.0.1.19"', 13, Code.PEER_SHARED),
        ("lines.toml", "[[line]]", "[[lines]]", 1, Code.KEY_UNKNOWN),
        ("lines.toml", "dedupes = true", 'dedupes = "yes"', 14, Code.VALUE),
        ("hosts.toml", 'dialect = "ncic"', 'dialect = "morse"', 16, Code.VALUE),
        ("hosts.toml", "127.0.0.1:17011", "127.0.0.1:17010", 15, Code.ADDRESS),
        ("hosts.toml", 'name = "nlets"', 'name = "cad-01"', 23, Code.DUPLICATE),
        ("hosts.toml", "plain = true\nwindow", "window", 11, Code.SECURITY),
        ("hosts.toml", '["AZ", "OR"]', '["AZ", "AZ"]', 32, Code.AMBIGUOUS),
        ("hosts.toml", '["AZ", "OR"]', '["AZ", "CA"]', 2, Code.AMBIGUOUS),
        ("routes.toml", '{ host = "dmv" }', '{ host = "dvm" }', 6, Code.REFERENCE),
        ("routes.toml", 'key = "QV" },', 'key = "IA.QV" },', 7, Code.LEG),
        ("routes.toml", ', destination_field = "LIS"', "", 16, Code.LEG),
        ("routes.toml", 'destinations = "message"', 'destination = "TX"', 21, Code.REFERENCE),
        ("routes.toml", 'field = "LIS"\n', "", 1, Code.CONDITION),
        ("routes.toml", 'is = ["", "CA"]', "is = []", 3, Code.CONDITION),
        ("routes.toml", 'field = "LIS"\nis = ["", "CA"]\n', "", 9, Code.UNREACHABLE),
        ("routes.toml", '"NLTS.DQ"', '"NLTS-DQ"', 20, Code.IDENTIFIER),
        ("groups.toml", '"GONE", "A0190002"', '"GTWO", "A0190002"', 4, Code.REFERENCE),
        ("groups.toml", '"CA0190000"]', '"CA0190100"]', 10, Code.REFERENCE),
        ("groups.toml", '"CA0190000"]', '"GALL"]', 4, Code.CIRCLE),
        ("groups.toml", 'senders = ["so"]', 'senders = ["fd"]', 5, Code.REFERENCE),
        ("groups.toml", 'members = ["GONE", "A0190002"]', "members = []", 4, Code.VALUE),
        ("agencies.csv", "code,name", "code,title", 1, Code.CSV),
        ("agencies.csv", "so,Sheriff,", "so,Sheriff,Office,", 2, Code.CSV),
        ("agencies.csv", "no_chi", "nochi", 3, Code.VALUE),
        ("agencies.csv", "pd,", "so,", 3, Code.DUPLICATE),
        ("oris.csv", "CA0190100", "CA019010", 3, Code.ORI),
        ("oris.csv", "A0190001", "A0190009", 2, Code.REFERENCE),
        ("oris.csv", "CA0190000,so", "CA0190000,fd", 2, Code.REFERENCE),
        ("stations.csv", "cad-01,CA0190100", "cad-02,CA0190100", 4, Code.REFERENCE),
        ("stations.csv", "cad-01,CA0190100", "cad-01,CA0190000", 4, Code.BINDING),
        ("stations.csv", "I0190001", "A0190002", 4, Code.DUPLICATE),
        ("stations.csv", "I0190001", "i0190001", 4, Code.IDENTIFIER),
        ("stations.csv", "I0190001", "GALL", 4, Code.AMBIGUOUS),
        ("users.csv", "2015-04-06", "2015-04-31", 2, Code.VALUE),
        ("users.csv", "2015-04-06", "2015-02-06", 2, Code.DATES),
        ("users.csv", "2099-12-31", "2015-03-31", 2, Code.DATES),
        ("users.csv", ",2099-12-31", ",", 2, Code.DATES),
        ("users.csv", "2026-10-01,,", "2026-10-01,,2027-01-01", 3, Code.DATES),
        ("users.csv", "U000002,pd", "U000002,fd", 3, Code.REFERENCE),
        ("users.csv", "true,false", "true,maybe", 3, Code.VALUE),
        ("users.csv", "U000002,pd,", "U000002,,", 3, Code.KEY_ABSENT),
        ("users.csv", "U000002", "U000001", 3, Code.DUPLICATE),
    ],
)
def test_each_mistake_is_told_with_its_place(
    bundle: Path, file: str, old: str, new: str, line: int, code: Code
) -> None:
    change(bundle, file, old, new)
    found = {(problem.file, problem.line, problem.code) for problem in problems(bundle)}
    # An ambiguity can be found from either side.
    places = {(file, line, code.number), ("oris.csv", line, code.number)}
    assert found & places, "\n".join(str(problem) for problem in problems(bundle))


def test_all_mistakes_are_told_at_once(bundle: Path) -> None:
    change(bundle, "switch.toml", 'ori = "CA0000000"', 'ori = "CA00"')
    change(bundle, "lines.toml", "county = 19", "county = 59\ncolour = 3")
    change(bundle, "users.csv", "full,active", "chief,busy")
    (bundle / "groups.toml").unlink()
    found = problems(bundle)
    assert [(p.file, p.line, p.code) for p in found if p.code != Code.REFERENCE.number] == [
        ("groups.toml", 0, 701),
        ("lines.toml", 5, 705),
        ("lines.toml", 6, 703),
        ("switch.toml", 2, 709),
        ("users.csv", 2, 705),
        ("users.csv", 2, 705),
    ]
    texts = [problem.text for problem in found]
    assert any("`level` is `chief`" in text for text in texts)
    assert any("`standing` is `busy`" in text for text in texts)


def test_a_quoted_line_break_does_not_shift_the_lines(bundle: Path) -> None:
    change(bundle, "agencies.csv", '"Police, Alder"', '"Police\nAlder"')
    rest = "19,false,false,false\n"
    row = f"fd,Fire,ca_fire,active,{rest}"
    change(bundle, "agencies.csv", f"no_chi,{rest}", f"no_chi,{rest}{row}")
    assert [(p.file, p.line) for p in problems(bundle)] == [("agencies.csv", 5)]


def test_a_group_beyond_the_limit_is_refused(bundle: Path) -> None:
    change(bundle, "switch.toml", "group_stations = 10", "group_stations = 1")
    found = problems(bundle)
    assert [(p.file, p.line, p.code) for p in found] == [("groups.toml", 4, 718)]
    assert "reaches 2 stations, and the limit is 1" in found[0].text


def test_tls_files_must_be_there(bundle: Path) -> None:
    change(bundle, "hosts.toml", "plain = true", 'certificate = "a.pem"\nkey = "a.key"')
    found = [(p.line, p.text) for p in problems(bundle)]
    assert found == [
        (1, "`authority` is missing, and `plain` is not set"),
        (9, "`certificate`: there is no file `a.pem`"),
        (10, "`key`: there is no file `a.key`"),
    ]


@pytest.mark.parametrize("name", sorted(FILES))
def test_each_file_must_be_there(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    expected = Code.POLICY if name.startswith("policy/") else Code.FILE
    assert expected.number in {problem.code for problem in problems(bundle)}


@pytest.mark.parametrize("name", sorted(FILES))
def test_each_file_must_be_text(bundle: Path, name: str) -> None:
    path = bundle / name
    path.write_bytes(path.read_bytes() + b"\n\xff\n")
    last = path.read_bytes().count(b"\n")
    assert Problem(name, last, 701, "not UTF-8: invalid start byte") in problems(bundle)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    found = problems(tmp_path / "nothing")
    assert [problem.code for problem in found] == [701]
    assert str(found[0]).endswith("nothing: E701: there is no such folder")


def test_empty_files_are_no_crash(bundle: Path) -> None:
    for name in FILES:
        (bundle / name).write_text("")
    assert {problem.file for problem in problems(bundle)} >= {"switch.toml", "agencies.csv"}


def test_the_error_carries_its_number_and_its_sentence(bundle: Path) -> None:
    change(bundle, "oris.csv", "CA0190100", "CA019010")
    with pytest.raises(CletsError) as raised:
        load(bundle)
    assert raised.value.code == 709
    assert str(raised.value).startswith("oris.csv:3: E709: `ori` is `CA019010`: ")


def test_numbers_are_used_once() -> None:
    numbers = [code.number for code in Code]
    assert numbers == sorted(set(numbers))
    assert all(700 < number < 800 for number in numbers)


def test_errors_survive_a_copy() -> None:
    import copy

    error = copy.copy(DecodeError(202, 17, "a field"))
    assert (error.code, error.offset, error.expected) == (202, 17, "a field")
    assert str(error) == "E202: at offset 17: expected a field"
    problem = Problem("a.csv", 3, 705, "wrong")
    assert copy.copy(BundleError([problem])).problems == (problem,)
