"""``clets decode``: what it prints, and how it refuses. The vectors are the published ones."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from clets_core._core import frame
from clets_core.cli.main import main
from clets_core.cli.messages import KEYS

KEEP_ALIVE = bytes.fromhex("ff00aa550000001c001000213136313800000000 0021000155aa00ff")
KEEP_ALIVE_REPLY = bytes.fromhex("ff00aa550000001c001000223136313800000000 0021000155aa00ff")
ACK = bytes.fromhex("ff00aa550000001c001000113231323000000000 0001000155aa00ff")
QW_TEXT = b"XX048063Y.KAVA85880.1234567.QW.TX0100000.NAM/RECORD,TEST.DOB/19430504"
QW_FRAME = (
    bytes.fromhex("ff00aa5500000061001000023231323000000045 00010001")
    + QW_TEXT
    + bytes.fromhex("55aa00ff")
)
QW = {
    "mke": "QW",
    "origin": "TX0100000",
    "reference": "KAVA85880",
    "user": "1234567",
    "station": "XX048063Y",
    "fields": {"NAM": "RECORD,TEST", "DOB": "19430504"},
}
NLETS_REPLY = (
    b"RR.ILLIC0000\r\n05:35 01/08/2004 03911\r\n05:35 01/08/2004 01326 TX0000000\r\n"
    b"*MRI3718976\r\nTXT\r\nREGISTERED OWNER. NONE\r\n"
)

VECTORS: dict[str, tuple[str, bytes, dict[str, object]]] = {
    "QW of the DMPP document": ("clets", QW_TEXT, QW),
    "with a line feed of the file": ("clets", QW_TEXT + b"\n", QW),
    "vehicle inquiry": (
        "clets",
        b"A0190001.REF0000001.U000123.IV.4A.CA0190100.LIC/1ABC234.LIS/CA.RSN/TRAFFIC STOP",
        {
            "mke": "4A",
            "origin": "CA0190100",
            "destinations": ["IV"],
            "reference": "REF0000001",
            "user": "U000123",
            "station": "A0190001",
            "fields": {"LIC": "1ABC234", "LIS": "CA", "RSN": "TRAFFIC STOP"},
        },
    ),
    "out of state, a field twice": (
        "clets",
        b"A0190001...NLTS.RQ.CA0190100.AZ.LIC/1.LIC/2",
        {
            "mke": "RQ",
            "origin": "CA0190100",
            "destinations": ["NLTS", "AZ"],
            "station": "A0190001",
            "fields": {"LIC": ["1", "2"]},
        },
    ),
    "administrative message": (
        "clets",
        b"A0190001.REF1.U1.AM.CA0190100.B0380001,GBAY.TXT\r\nfree text. LIC/NO FIELD\r\n",
        {
            "mke": "AM",
            "origin": "CA0190100",
            "destinations": ["B0380001", "GBAY"],
            "reference": "REF1",
            "user": "U1",
            "station": "A0190001",
            "text": "free text. LIC/NO FIELD\r\n",
        },
    ),
    "to NCIC with a control field": (
        "ncic-in",
        b"1N01GACCMSUSAABCDEF.QV.CA0190100.LIC/1TEST11.LIS/CA\r\n",
        {
            "mke": "QV",
            "origin": "CA0190100",
            "control": "GACCMSUSAABCDEF",
            "fields": {"LIC": "1TEST11", "LIS": "CA"},
        },
    ),
    "to NCIC without": (
        "ncic-in",
        b"QW.TX0100000.NAM/RECORD,TEST.DOB/19430504",
        {"mke": "QW", "origin": "TX0100000", "fields": QW["fields"]},
    ),
    "from NCIC": (
        "ncic-out",
        b"1L01GACCMSUSAABCDEF\r\nCA0190000\r\n\r\nNO RECORD LIC/1TEST11\r\n LIS/CA\r\n",
        {
            "destinations": ["CA0190000"],
            "control": "GACCMSUSAABCDEF",
            "text": "NO RECORD LIC/1TEST11\r\n LIS/CA\r\n",
        },
    ),
    "to Nlets": (
        "nlets-in",
        b"RQ.AZNLETS20.AZ.TXT\r\nLIC/123456.LIT/PC",
        {
            "mke": "RQ",
            "origin": "AZNLETS20",
            "destinations": ["AZ"],
            "fields": {"LIC": "123456", "LIT": "PC"},
        },
    ),
    "text to Nlets, with a control field": (
        "nlets-in",
        b"AM.AZNLETS20.NV,OR.*MRI3718976.TXT\r\nNEW HELP MESSAGE",
        {
            "mke": "AM",
            "origin": "AZNLETS20",
            "destinations": ["NV", "OR"],
            "control": "MRI3718976",
            "text": "NEW HELP MESSAGE",
        },
    ),
    "from Nlets": (
        "nlets-out",
        NLETS_REPLY,
        {
            "mke": "RR",
            "origin": "ILLIC0000",
            "destinations": ["TX0000000"],
            "control": "MRI3718976",
            "text": "REGISTERED OWNER. NONE\r\n",
            "received_at": "05:35 01/08/2004",
            "sent_at": "05:35 01/08/2004",
            "in_count": 3911,
            "out_count": 1326,
        },
    ),
    "a frame with data": ("dmpp", QW_FRAME, QW),
}


def run(dialect: str, data: bytes, *more: str) -> Result:
    return CliRunner().invoke(main, ["decode", "--dialect", dialect, *more], input=data)


def printed(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("name", VECTORS)
def test_every_part_is_printed_and_absent_ones_are_null(name: str) -> None:
    dialect, data, parts = VECTORS[name]
    result = run(dialect, data)
    assert (result.exit_code, result.stderr) == (0, "")
    (found,) = printed(result)
    assert tuple(found) == KEYS
    assert found == {**dict.fromkeys(KEYS), "dialect": dialect, **parts}


def test_a_file_is_read_like_standard_input(tmp_path) -> None:
    file = tmp_path / "message"
    file.write_bytes(NLETS_REPLY)
    result = CliRunner().invoke(main, ["decode", "--dialect", "nlets-out", str(file)])
    assert result.stdout == run("nlets-out", NLETS_REPLY).stdout


@pytest.mark.parametrize("between", [b"\x03", b"\x03\n", b"\x03\r\n", b"\x03\x03"])
@pytest.mark.parametrize("end", [b"", b"\x03", b"\x03\n", b"\n"])
def test_etx_separates_messages_of_a_text_dialect(between: bytes, end: bytes) -> None:
    second = b"QV.CA0190100.LIC/1"
    result = run("ncic-in", b"QA.CA0190100.SER/2" + between + second + end)
    assert result.exit_code == 0
    assert [(it["mke"], it["fields"]) for it in printed(result)] == [
        ("QA", {"SER": "2"}),
        ("QV", {"LIC": "1"}),
    ]


@pytest.mark.parametrize("frames", [KEEP_ALIVE, KEEP_ALIVE_REPLY, ACK, KEEP_ALIVE + ACK])
def test_frames_without_a_message_print_nothing(frames: bytes) -> None:
    result = run("dmpp", frames)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_a_recording_of_frames() -> None:
    result = run("dmpp", KEEP_ALIVE + QW_FRAME + ACK + QW_FRAME + KEEP_ALIVE_REPLY)
    assert [it["mke"] for it in printed(result)] == ["QW", "QW"]


def test_a_message_of_several_blocks() -> None:
    blocks = frame("dmpp", "data_more", QW_TEXT[:20]) + ACK + frame("dmpp", "data", QW_TEXT[20:])
    (found,) = printed(run("dmpp", blocks + QW_FRAME[:0]))
    assert found["fields"] == QW["fields"]


@pytest.mark.parametrize(
    ("dialect", "data", "code", "offset"),
    [
        ("clets", b"", 203, 0),
        ("clets", b"S.R.U.4A", 201, 8),
        ("clets", b"S.R.U.4A.CA01901", 203, 9),
        ("clets", b"\xff\x00\x01garbage", 203, 0),
        ("ncic-in", b"QV.CA0190100.LIC/1.", 202, 18),
        ("ncic-out", b"1N01X\r\nCA0190000\r\n", 201, 0),
        ("nlets-in", b"RQ.CA0190100.AZ.LIC/1", 201, 16),
        ("nlets-out", NLETS_REPLY.replace(b"03911", b"3911"), 203, 14),
        ("dmpp", b"", 103, 0),
        ("dmpp", b"garbage", 101, 0),
        ("dmpp", QW_FRAME[:-4], 103, len(QW_FRAME) - 4),
        ("dmpp", QW_FRAME[:6], 103, 6),
        ("dmpp", QW_FRAME[:-1] + b"\x00", 104, len(QW_FRAME) - 4),
        ("dmpp", QW_FRAME.replace(b"\x00\x10", b"\x00\x2a", 1), 105, 8),
        ("dmpp", b"\xff\x00\xaa\x55\xff\xff\xff\xff" + QW_FRAME, 102, 4),
        ("dmpp", frame("dmpp", "data", b"S.R"), 201, 24 + 3),
        ("dmpp", frame("dmpp", "data_more", QW_TEXT), 103, 28 + len(QW_TEXT)),
    ],
)
def test_bytes_that_are_no_message(dialect: str, data: bytes, code: int, offset: int) -> None:
    result = run(dialect, data)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"E{code}: at offset {offset}: expected ")
    assert result.stderr.count("\n") == 1

    result = run(dialect, data, "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    told = json.loads(result.stderr)
    assert (told["code"], told["offset"]) == (code, offset)
    assert told["expected"]
    assert told["error"] in {"DecodeError", "FrameError"}


@pytest.mark.parametrize(
    ("dialect", "good", "bad", "code", "offset"),
    [
        ("dmpp", KEEP_ALIVE + QW_FRAME, b"garbage", 101, 0),
        ("dmpp", QW_FRAME + ACK, QW_FRAME[:30], 103, 30),
        ("dmpp", QW_FRAME, frame("dmpp", "data", b"S.R"), 201, 27),
        ("dmpp", QW_FRAME, frame("dmpp", "data_more", b"S.R"), 103, 31),
        ("clets", QW_TEXT + b"\x03\n", b"S.R.U.4A.", 203, 9),
    ],
)
def test_messages_before_bad_bytes_are_printed(
    dialect: str, good: bytes, bad: bytes, code: int, offset: int
) -> None:
    result = run(dialect, good + bad)
    assert result.exit_code == 1
    assert [it["mke"] for it in printed(result)] == ["QW"]
    assert result.stderr.startswith(f"E{code}: at offset {len(good) + offset}: expected ")


def test_what_could_disturb_a_terminal_is_escaped() -> None:
    text = b"S.R.U.AM.CA0190100.B0380001.TXT\r\n\x1b[2J\x9b\xff"
    result = run("clets", text)
    assert result.stdout.isascii()
    assert "\x1b" not in result.stdout
    assert printed(result)[0]["text"] == "\x1b[2J\x9b\xff"


@pytest.mark.parametrize(
    "arguments", [[], ["--dialect", "telex"], ["--dialect", "clets", "a", "b"], ["--nope"]]
)
def test_a_wrong_command_line_is_told_with_its_form(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, ["decode", *arguments])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("E920: ")
    assert "decode [OPTIONS] [FILE]" in result.stderr
    told = CliRunner().invoke(main, ["decode", "--json", *arguments]).stderr
    assert json.loads(told)["code"] == 920


def test_a_file_that_cannot_be_read(tmp_path) -> None:
    for file in (tmp_path / "absent", tmp_path):
        result = CliRunner().invoke(main, ["decode", "--dialect", "clets", str(file)])
        assert result.exit_code == 2
        assert result.stderr.startswith("E921: `")
