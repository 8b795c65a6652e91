"""Another bundle, a suspended user and a candidate bundle while the switch runs."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest
import uvloop
from bench.load.reload import INVALID_EVERY, play

from clets_core.cli.stage import free_ports
from clets_core.errors import RefusedError
from clets_core.runtime.control import SOCKET_NAME
from tests.integration.center import running

if TYPE_CHECKING:
    from pathlib import Path

    from clets_core.config.bundle import Bundle

NOTE = b"A0190001.%b.U000001.AM.CA0190000.A0190002.TXT\r\nSYNTHETIC NOTE"
WHY = ("--operator", "SGT SAMPLE", "--reason", "misuse case 26-1")


async def clets(*arguments: str) -> tuple[int, Any]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "clets_core.cli", *arguments, "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await child.communicate()
    return child.returncode or 0, json.loads(out or err)


def test_reloads_under_load_lose_nothing_and_mix_nothing(tmp_path: Path) -> None:
    given = {"port_base": free_ports(), "reloads": 40, "rate": 300.0}
    played = uvloop.run(play(tmp_path, **given, pause=0.0, quiet=0.0))  # type: ignore[arg-type]
    assert (played.reloads, played.refused) == (40, 40 // INVALID_EVERY)
    assert played.sent > 1_000
    assert (played.accepted, played.delivered) == (played.sent, played.sent)
    assert (played.mixed, played.of_another) == (0, 0)


def test_a_user_is_suspended_within_a_second(bundle: Bundle, tmp_path: Path) -> None:
    async def run() -> None:
        journal = tmp_path / "journal"
        control = ("--control", str(journal / SOCKET_NAME))
        async with running(bundle, journal, journal / SOCKET_NAME) as center:
            wire = await center.connect()
            wire.message(NOTE % b"R1")
            assert (await wire.frame()).kind == "positive_ack"  # type: ignore[union-attr]
            code, done = await clets("user", "suspend", "U000001", *WHY, *control)
            assert (code, done["suspended"]) == (0, True)
            # The verb is answered when the record is durable: from here on nothing passes.
            wire.message(NOTE % b"R2", 2)
            assert (await center.recorded("refused", reference="R2"))["code"] == 424
            assert "misuse case" in (await center.recorded("user", user="U000001"))["source"]
            assert center.switch.status().suspended == 1
            code, error = await clets("user", "suspend", "NOBODY", *WHY, *control)
            assert (code, error["code"]) == (1, 304)
            await clets("user", "restore", "U000001", *WHY, *control)
            wire.message(NOTE % b"R3", 3)
            await center.recorded("accepted", reference="R3")

    uvloop.run(run())


def test_a_bundle_is_put_in_force_whole_or_not_at_all(bundle: Bundle, tmp_path: Path) -> None:
    async def run() -> None:
        journal, other = tmp_path / "journal", tmp_path / "other"
        shutil.copytree(bundle.configuration.path, other)
        users = other / "users.csv"
        text = users.read_text("utf-8")
        users.write_text(text.replace("U000001,so-019,full", "U000001,so-019,none"), "utf-8")
        control = ("--control", str(journal / SOCKET_NAME))
        async with running(bundle, journal, journal / SOCKET_NAME) as center:
            wire = await center.connect()
            code, done = await clets("reload", str(other), *WHY, *control)
            assert code == 0
            assert done["bundle"] == center.switch.status().bundle != bundle.hash
            wire.message(NOTE % b"R1")
            assert (await center.recorded("refused", reference="R1"))["rules"] == []
            users.write_text(text.replace("full", "fuller", 1), "utf-8")
            code, error = await clets("reload", str(other), *WHY, *control)
            assert (code, error["code"]) == (1, 705)
            assert "users.csv:2" in error["text"]
            assert center.switch.status().bundle == done["bundle"]
            await center.recorded("bundle", refused="E705")
            users.write_text(text, "utf-8")
            lines = other / "lines.toml"
            lines.write_text(lines.read_text("utf-8").replace("127.0.2.2", "127.0.2.3"), "utf-8")
            with pytest.raises(RefusedError) as caught:
                await center.switch.reload(other)
            assert caught.value.code == 541
            # Without a name: its own folder, as it is now.
            code, done = await clets("reload", *WHY, *control)
            assert (code, done["bundle"]) == (0, bundle.hash)
            wire.message(NOTE % b"R2", 2)
            await center.recorded("accepted", reference="R2")

    uvloop.run(run())


def test_a_candidate_says_what_it_would_do_and_does_nothing(bundle: Bundle, tmp_path: Path) -> None:
    async def run() -> None:
        journal, other = tmp_path / "journal", tmp_path / "other"
        shutil.copytree(bundle.configuration.path, other)
        agencies = other / "agencies.csv"
        text = agencies.read_text("utf-8").replace(
            "Sheriff,ca_lea,active", "Sheriff,ca_lea,suspended"
        )
        agencies.write_text(text, "utf-8")
        control = ("--control", str(journal / SOCKET_NAME))
        async with running(bundle, journal, journal / SOCKET_NAME) as center:
            assert await clets("shadow", *control) == (0, None)
            code, done = await clets("shadow", str(other), *control)
            assert (code, done["bundle"] != bundle.hash) == (0, True)
            wire = await center.connect()
            for number in (1, 2, 3):
                wire.message(NOTE % b"R%d" % number, number)
            await center.recorded("accepted", reference="R3")
            _, report = await clets("shadow", *control)
            assert (report["judged"], report["differs"]) == (3, 3)
            wanted = {"now": "pass", "then": "refuse", "rules": "A-01", "agency": "so-019"}
            assert report["counts"] == [{**wanted, "count": 3}]
            await clets("shadow", "--end", *control)
            assert center.switch.shadow_report() is None

    uvloop.run(run())
