"""The verbs of an operator over lines, queues and dead letters, on a running switch."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from clets_core.runtime.control import SOCKET_NAME
from tests.integration.center import OTHER_COUNTY, running

if TYPE_CHECKING:
    from pathlib import Path

    from clets_core.config.bundle import Bundle

NOTE = b"A0190001.%b.U000001.AM.CA0190000.A0380001.TXT\r\nMEET AT NOON, SYNTHETIC"
LINE = "county-038"
WHY = ("--operator", "SGT SAMPLE", "--reason", "work on the line")


async def clets(*arguments: str) -> tuple[int, Any]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "clets_core.cli", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await child.communicate()
    return child.returncode or 0, [json.loads(line) for line in (out or err).splitlines()]


def test_a_line_is_held_looked_at_and_released(bundle: Bundle, tmp_path: Path) -> None:
    async def play() -> None:
        journal = tmp_path / "journal"
        control = ("--json", "--control", str(journal / SOCKET_NAME))
        async with running(bundle, journal, journal / SOCKET_NAME) as center:
            other = await center.connect(OTHER_COUNTY)
            code, (done,) = await clets("line", "hold", *control, *WHY, LINE)
            assert (code, done["waiting"]) == (0, 0)
            wire = await center.connect()
            wire.message(NOTE % b"REF1")
            accepted = await wire.frame()
            assert accepted is not None
            assert accepted.kind == "positive_ack"
            code, (lines,) = await clets("queue", *control)
            (held,) = [line for line in lines if line["name"] == LINE]
            assert (held["passage"], held["waiting"][3]) == ("held", 1)
            code, (waiting,) = await clets("queue", *control, LINE)
            smn = waiting[0]["message"]
            assert waiting[0]["precedence"] == 3
            with pytest.raises(TimeoutError):
                await other.frame(0.3)
            code, (done,) = await clets("line", "release", *control, *WHY, LINE)
            assert code == 0
            assert "MEET AT NOON" in await other.data()
            order = await center.recorded("order", action="release")
            assert (order["operator"], order["reason"]) == ("SGT SAMPLE", "work on the line")
            await center.recorded("outcomes")
            code, (rows,) = await clets("trace", "--json", "--journal", str(journal), str(smn))
            assert [row["kind"] for row in rows] == ["accepted", "outcomes"]
            assert rows[-1]["outcomes"] == [{"smn": smn, "entry": 0, "outcome": "delivered"}]
            for arguments, expected in (
                (("line", "hold", *control, *WHY, "nobody"), 542),
                (("line", "reroute", *control, *WHY, LINE, "county-019"), 542),
                (("dead-letter", "replay", *control, *WHY, str(smn)), 543),
                (("dead-letter", "cancel", *control, *WHY, str(smn)), 543),
                (("trace", "--json", "--journal", str(journal), "999999"), 921),
            ):
                code, (error,) = await clets(*arguments)
                assert (code > 0, error["code"]) == (True, expected), arguments
            assert await clets("dead-letter", "list", *control) == (0, [[]])

    uvloop.run(play())


def test_a_minimize_holds_what_is_not_urgent(bundle: Bundle, tmp_path: Path) -> None:
    async def play() -> None:
        journal = tmp_path / "journal"
        control = ("--json", "--control", str(journal / SOCKET_NAME))
        async with running(bundle, journal, journal / SOCKET_NAME) as center:
            other = await center.connect(OTHER_COUNTY)
            code, (error,) = await clets("minimize", *control, *WHY, "P2")
            assert (code, error["code"]) == (2, 920)
            code, _ = await clets("minimize", *control, *WHY, "--minutes", "5", "P2")
            assert code == 0
            wire = await center.connect()
            wire.message(NOTE % b"REF1")
            with pytest.raises(TimeoutError):
                await other.frame(0.3)
            assert center.switch.status().minimize == 2
            code, _ = await clets("minimize", *control, *WHY, "off")
            assert code == 0
            assert "MEET AT NOON" in await other.data()

    uvloop.run(play())
