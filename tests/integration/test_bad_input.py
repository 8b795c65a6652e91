"""Bad input on a line: each fault has its number, and the other lines notice nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import uvloop

from clets_core._core import frame
from tests.integration.center import COUNTY, MSC, OTHER_COUNTY, Center, Wire, running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from clets_core.config.bundle import Bundle

NOTE = b"A0190001.%b.U000001.AM.CA0190000.A0010001.TXT\r\nMEET AT NOON"
PLATE = b"A0190001.R1.U000001.IV.4A.CA0190000.LIC/1ABC234.CAP/C.RSN/TRAFFIC STOP"
HISTORY = b"A0190001.R1.U000001.IH.QHA.CA0190000.NAM/DOE,JOHN.SEX/M.ATN/DET DOE.CAP/C"


def run(bundle: Bundle, tmp_path: Path, scene: Callable[[Center], Awaitable[None]]) -> None:
    """Plays a scene, with a message before and after it that must arrive all the same."""

    async def play() -> None:
        async with running(bundle, tmp_path / "journal") as center:
            sender, receiver = (
                await center.connect(MSC, "native"),
                await center.connect(OTHER_COUNTY),
            )
            await sender.logon("msc-01")
            note = b"M0010003.%b.U000031.AM.CA0010100.A0380001.TXT\r\nALL WELL"
            for number in (1, 2):
                sender.message(note % f"N{number}".encode(), number)
                assert "ALL WELL" in await receiver.data()
                accepted = await sender.frame()
                assert accepted is not None
                assert accepted.kind == "accept"
                if number == 1:
                    await scene(center)

    uvloop.run(play())


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 101),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 101),
        (bytes.fromhex("ff00aa55 7fffffff 0010 0002 00000000"), 102),
        (frame("dmpp", "data", b"X" * 70_000), 102),
        (frame("dmpp", "data", b"hello")[:-4] + b"XXXX", 104),
        (bytes.fromhex("ff00aa55 00000036 002a 0002 00000000 00000000 0001 0001"), 105),
    ],
    ids=["http", "tls", "huge", "over-limit", "bad-stop", "encrypted"],
)
def test_bytes_that_are_no_frame_close_the_line(
    bundle: Bundle, tmp_path: Path, sent: bytes, code: int
) -> None:
    async def scene(center: Center) -> None:
        wire = await center.connect()
        wire.send(sent)
        assert await wire.closed()
        refused = await center.recorded("refused", line="county-019", code=code)
        assert refused["body"] == sent[: len(refused["body"])]
        await still_welcome(center)

    run(bundle, tmp_path, scene)


async def still_welcome(center: Center) -> None:
    """The same line may come back and work."""
    wire = await center.connect()
    wire.message(NOTE % b"AGAIN")
    answer = await wire.frame()
    assert answer is not None
    assert answer.kind == "positive_ack"


def test_a_connection_closed_in_mid_frame_loses_nothing_accepted(
    bundle: Bundle, tmp_path: Path
) -> None:
    async def scene(center: Center) -> None:
        wire = await center.connect()
        wire.message(NOTE % b"WHOLE")
        answer = await wire.frame()
        assert answer is not None
        assert answer.kind == "positive_ack"
        wire.send(frame("dmpp", "data", NOTE % b"HALF")[:40])
        await wire.writer.drain()
        wire.close()
        await center.recorded("line", line="county-019", event="down", code=103)
        references = [body["reference"] for body in center.records("accepted")]
        assert "WHOLE" in references
        assert "HALF" not in references
        await still_welcome(center)

    run(bundle, tmp_path, scene)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"hello", 201),
        (b"A0190001.R1.U000001.AM", 201),
        (PLATE.replace(b"LIC/1ABC234", b"LIC/"), 202),
    ],
)
def test_text_that_is_no_message_is_refused_by_frame(
    bundle: Bundle, tmp_path: Path, payload: bytes, code: int
) -> None:
    async def scene(center: Center) -> None:
        wire = await center.connect()
        wire.message(payload)
        answer = await wire.frame()
        assert answer is not None
        assert (answer.kind, answer.status) == ("negative_ack", 0x13)
        found = await center.recorded("refused", line="county-019")
        assert found["code"] == code
        wire.message(NOTE % b"NEXT", 2)
        answer = await wire.frame()
        assert answer is not None
        assert answer.kind == "positive_ack"

    run(bundle, tmp_path, scene)


@pytest.mark.parametrize(
    ("payload", "code", "rule"),
    [
        (PLATE.replace(b"IV.4A", b"IV.9Z"), 210, None),
        (PLATE.replace(b"CA0190000", b"CA0999900"), 301, "A-06.1"),
        (PLATE.replace(b"CA0190000", b"CA0380000"), 302, "A-05.3"),
        (PLATE.replace(b"A0190001", b"A0380001"), 303, "A-05.2"),
        (PLATE.replace(b"A0190001", b"NOBODY"), 307, "A-05.1"),
        (PLATE.replace(b"U000001", b"U999999"), 304, "A-06.3"),
        (PLATE.replace(b"U000001", b"U000051"), 305, "A-06.4"),
        (PLATE.replace(b"U000001", b""), 306, "A-06.2"),
        (HISTORY, 410, "C-01"),
        (HISTORY.replace(b"CAP/C", b"CAP/C.PUR/H"), 411, "C-01"),
        (HISTORY.replace(b"ATN/DET DOE", b"PUR/C"), 412, "C-01"),
        (PLATE.replace(b".RSN/TRAFFIC STOP", b""), 413, "I-10"),
        (PLATE.replace(b"CAP/C", b"CAP/U"), 414, "I-06"),
        (PLATE.replace(b"U000001", b"U000008"), 420, "A-08"),
        (PLATE.replace(b"U000001", b"U000009"), 421, "A-09"),
        (PLATE.replace(b"U000001", b"U000006"), 422, "A-11"),
        (PLATE.replace(b"U000001", b"U000003"), 423, "A-14"),
        (PLATE.replace(b"U000001", b"U000010"), 424, "A-18"),
        (NOTE.replace(b"A0010001", b"NOSUCH") % b"R1", 502, None),
        (NOTE.replace(b"A0010001", b"GSTATE") % b"R1", 509, None),
    ],
)
def test_a_message_that_may_not_pass_is_refused_with_number_rule_and_law(
    bundle: Bundle, tmp_path: Path, payload: bytes, code: int, rule: str | None
) -> None:
    async def scene(center: Center) -> None:
        wire = await center.connect()
        wire.message(payload)
        answer = await wire.frame()
        assert answer is not None
        assert answer.kind == "positive_ack", "it is stored, and the words follow"
        text = await wire.data()
        assert f"REJECTED E{code} " in text
        assert "ORIGINAL MESSAGE" in text
        if rule:
            assert f"RULE {rule}" in text
            assert "AUTHORITY " in text
        refused = await center.recorded("refused", line="county-019", code=code)
        assert refused["body"] == payload
        assert not any(body["line"] == "county-019" for body in center.records("accepted"))

    run(bundle, tmp_path, scene)


def test_a_native_line_is_refused_by_number_and_in_words(bundle: Bundle, tmp_path: Path) -> None:
    async def scene(center: Center) -> None:
        # A line of its own: the scene's sender is msc-01.
        wire = await center.connect("127.0.2.2", "native")
        await wire.logon("cad-01")
        wire.message(b"I0340001.R1.U000041.IV.4A.CA0340100.LIC/1ABC234.CAP/C", 1)
        refused = await wire.frame()
        assert refused is not None
        assert (refused.kind, refused.sequence, refused.code) == ("reject", 1, 413)
        assert "RULE I-10" in refused.body.decode()
        wire.message(b"I0340001.R2.U000041.AM.CA0340100.A0380001.TXT\r\nX", 3)
        assert await wire.closed(), "number 2 is missing"
        await center.recorded("refused", line="cad-01", code=805)

    run(bundle, tmp_path, scene)


def test_a_logon_for_another_line_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    async def scene(center: Center) -> None:
        wire = await center.connect("127.0.2.2", "native")
        refused = await wire.logon("msc-01")
        assert refused is not None
        assert (refused.kind, refused.code) == ("reject", 801)
        assert await wire.closed()

    run(bundle, tmp_path, scene)


def test_a_stranger_is_cut_off_and_recorded(bundle: Bundle, tmp_path: Path) -> None:
    async def scene(center: Center) -> None:
        wire = await center.connect("127.0.9.9")
        assert await wire.closed()
        await center.recorded("line", event="refused", peer="127.0.9.9", code=802)

    run(bundle, tmp_path, scene)


def test_a_reference_with_another_text_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    async def scene(center: Center) -> None:
        wire: Wire = await center.connect(COUNTY)
        for payload in (NOTE % b"SAME", NOTE % b"SAME", (NOTE % b"SAME") + b" OR LATER"):
            wire.message(payload)
            answer = await wire.frame()
            assert answer is not None
            assert answer.kind == "positive_ack"
        assert "REJECTED E211 " in await wire.data()
        taken = [it for it in center.records("accepted") if it["reference"] == "SAME"]
        assert len([it for it in taken if it["line"] == "county-019"]) == 1

    run(bundle, tmp_path, scene)
