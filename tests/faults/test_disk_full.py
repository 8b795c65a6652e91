"""The disk is full for a time: nothing is lost, nothing restarts, and work goes on by itself."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING

import uvloop

from tests.faults.agency import Agencies
from tests.faults.cycle import Site, finish, up
from tests.faults.history import History, missing
from tests.faults.machine import careless, needs, volume

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.program import Program

MIB = 64
ROUNDS = 3
FULL_S = 2.0
AGAIN_S = 10.0
"""After there is room; ample, for the space is looked at once a second."""


def fill(path: Path) -> None:
    """Takes all the room there is."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65_536)
        except OSError:
            pass


async def fill_and_free(switch: Program, agencies: Agencies, ballast: Path) -> None:
    """Loads a switch while its disk is full, again and again."""
    accepted = agencies.history.accepted
    await up(switch)
    await agencies.connect()
    agencies.start()
    for _ in range(ROUNDS):
        await asyncio.sleep(0.3)
        await asyncio.to_thread(fill, ballast)
        # Long enough for the segments that are ready to fill up too.
        await asyncio.sleep(FULL_S)
        assert switch.runs, switch.last_words()
        held = len(accepted)
        await asyncio.to_thread(ballast.unlink)
        async with asyncio.timeout(AGAIN_S):
            while len(accepted) < held + 100:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


def test_a_full_disk_ends_nothing(bundle: Path, folder: Path, port_base: int) -> None:
    needs("power cut on ext4")

    async def play(site: Site, ballast: Path) -> None:
        agencies = Agencies(History(), site.port_base, site.chance)
        async with site.program() as switch:
            await fill_and_free(switch, agencies, ballast)
            assert agencies.history.refused, "while there was no room, somebody had to be told"
            assert await switch.stop() == 0
        await agencies.hang_up()
        assert missing(site.journal, agencies.history) == []
        assert await finish(site, agencies) == []
        assert agencies.history.broken() == []

    with volume(folder, "ext4", MIB) as disk:
        site = Site(bundle, disk.path / "journal", port_base, random.Random(1))
        uvloop.run(play(site, disk.path / "ballast"))


def test_a_switch_that_does_not_see_that_the_disk_is_full_is_found(
    bundle: Path, folder: Path, port_base: int, libraries: Path
) -> None:
    needs("power cut on ext4", "C compiler")

    async def lost(site: Site, ballast: Path) -> list[str]:
        agencies = Agencies(History(), site.port_base, site.chance)
        async with site.program() as switch:
            with suppress(AssertionError, OSError, TimeoutError):
                await fill_and_free(switch, agencies, ballast)
            await switch.kill()
        await agencies.hang_up()
        return missing(site.journal, agencies.history)

    with volume(folder, "ext4", MIB) as disk:
        library = careless(libraries, "NO_ERRORS")
        site = Site(bundle, disk.path / "journal", port_base, random.Random(1), library)
        assert uvloop.run(lost(site, disk.path / "ballast"))
