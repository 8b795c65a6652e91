"""``clets service``: an operator holds a host and lets it go, with a name and a reason."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import uvloop

from clets_core.hosts import start_hosts
from clets_core.runtime.control import SOCKET_NAME
from tests.integration.center import running

if TYPE_CHECKING:
    from pathlib import Path

    from clets_core.config.bundle import Bundle

PLATE = b"A0190001.%b.U000001.IA.QV.CA0190000.LIC/1ABC234.LIS/CA.CAP/C.RSN/TRAFFIC STOP"


async def service(socket: Path, *arguments: str) -> tuple[int, Any]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "clets_core.cli", "service", "--json"),
        *("--control", str(socket), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await child.communicate()
    return child.returncode or 0, json.loads(out or err)


def test_a_host_is_held_and_let_go(bundle: Bundle, tmp_path: Path) -> None:
    async def play() -> None:
        journal = tmp_path / "journal"
        socket = journal / SOCKET_NAME
        hosts = start_hosts(bundle.configuration.hosts)
        async with hosts, running(bundle, journal, socket) as center:
            async with asyncio.timeout(10):
                while not center.switch.status().line("svs").up:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            why = ("--operator", "SGT SAMPLE", "--reason", "maintenance")
            code, done = await service(socket, "svs", "held", *why)
            assert (code, done["state"]) == (0, "held")
            record = await center.recorded("service", line="svs", state="held")
            assert "SGT SAMPLE" in record["source"]
            assert "maintenance" in record["source"]
            wire = await center.connect()
            wire.message(PLATE % b"HELD")
            texts = [await wire.data() for _ in range(2)]
            assert any("WILL BE FORWARDED" in text for text in texts), texts
            assert not any("1902600000001" in text for text in texts), texts
            code, _ = await service(socket, "svs", "up", *why)
            assert code == 0
            assert "1902600000001" in await wire.data()
            code, error = await service(socket, "nobody", "held", *why)
            assert (code, error["code"]) == (1, 519)

    uvloop.run(play())
