"""The disk is full for a time: nothing is lost, nothing restarts, and work goes on by itself."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import uvloop

from tests.faults.agency import Agencies
from tests.faults.cycle import Site, finish, up
from tests.faults.history import History, missing
from tests.faults.machine import needs, volume

if TYPE_CHECKING:
    from pathlib import Path

MIB = 64
ROUNDS = 3
AGAIN_S = 3.0
"""After there is room: the space is looked at once a second, and the lines try again."""


def fill(path: Path) -> None:
    """Takes all the room there is."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65_536)
        except OSError:
            pass


def test_a_full_disk_ends_nothing(bundle: Path, folder: Path, port_base: int) -> None:
    needs("power cut on ext4")

    async def play(site: Site, ballast: Path) -> None:
        history = History()
        agencies = Agencies(history, site.port_base, site.chance)
        async with site.program() as switch:
            await up(switch)
            await agencies.connect()
            agencies.start()
            for _ in range(ROUNDS):
                await asyncio.sleep(0.3)
                await asyncio.to_thread(fill, ballast)
                # Long enough for the segments that are ready to fill up too.
                await asyncio.sleep(2.0)
                assert switch.runs, switch.last_words()
                held = len(history.accepted)
                await asyncio.to_thread(ballast.unlink)
                async with asyncio.timeout(AGAIN_S):
                    while len(history.accepted) < held + 100:  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
            assert history.refused, "while there was no room, somebody had to be told"
            assert await switch.stop() == 0
        await agencies.hang_up()
        assert missing(site.journal, history) == []
        assert await finish(site, agencies) == []
        assert history.broken() == []

    with volume(folder, "ext4", MIB) as disk:
        site = Site(bundle, disk.path / "journal", port_base, random.Random(1))
        uvloop.run(play(site, disk.path / "ballast"))
