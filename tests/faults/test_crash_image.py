"""What the disk holds at any instant of full load, without stopping anybody."""

from __future__ import annotations

import asyncio
import os
import random
from itertools import islice
from typing import TYPE_CHECKING

import pytest
import uvloop

from tests.faults.agency import Agencies
from tests.faults.cycle import Site, up
from tests.faults.history import History, missing
from tests.faults.machine import careless, mounted, needs, reflink, volume

if TYPE_CHECKING:
    from pathlib import Path

IMAGES = int(os.environ.get("CLETS_CRASH_IMAGES", "100"))
CONTROL_IMAGES = 10
IMAGES_OF_A_RUN = 25
BETWEEN_S = 0.04
OUTER_MIB, INNER_MIB = 1024, 160
STARTED = 5
"""Of so many images one is started, the others are read."""


async def take_images(
    site: Site, inner: Path, images: Path, count: int
) -> tuple[History, list[int]]:
    """Copies the file system under load; gives how many messages were accepted before each."""
    history = History()
    agencies = Agencies(history, site.port_base, site.chance)
    before: list[int] = []
    async with site.program() as switch:
        await up(switch)
        await agencies.connect()
        agencies.start()
        for number in range(count):
            await asyncio.sleep(BETWEEN_S)
            before.append(len(history.accepted))
            await asyncio.to_thread(reflink, inner, images / f"{number}.img")
        await switch.kill()
    await agencies.hang_up()
    return history, before


def lost_in_images(site: Site, folder: Path, count: int) -> tuple[list[str], int]:
    """What acknowledged messages the images lack, and how many there were before the last."""
    with volume(folder, "xfs", OUTER_MIB) as outer:
        with volume(outer.path, "ext4", INNER_MIB) as disk:
            inner = disk.image
            site.journal = disk.path / "journal"
            history, before = uvloop.run(take_images(site, inner, outer.path, count))
        lost: list[str] = []
        for number, accepted in enumerate(before):
            told = History(accepted=dict(islice(history.accepted.items(), accepted)))
            image = outer.path / f"{number}.img"
            with mounted(image, folder / "image") as disk:
                journal = disk.path / "journal"
                lost += missing(journal, told)
                if number % STARTED == 0 and not lost:
                    uvloop.run(_starts(site, journal))
        return lost, before[-1]


async def _starts(site: Site, journal: Path) -> None:
    site.journal = journal
    async with site.program() as switch:
        await up(switch)


@pytest.mark.timeout(120 + 3 * IMAGES)
def test_no_image_lacks_what_was_acknowledged_before_it(
    bundle: Path, folder: Path, port_base: int
) -> None:
    needs("reflinks", "power cut on ext4")
    for done in range(0, IMAGES, IMAGES_OF_A_RUN):
        site = Site(bundle, folder, port_base, random.Random(done))
        lost, accepted = lost_in_images(site, folder, min(IMAGES_OF_A_RUN, IMAGES - done))
        assert lost == []
        assert accepted > 50


def test_images_find_a_switch_that_does_not_sync(
    bundle: Path, folder: Path, port_base: int, libraries: Path
) -> None:
    needs("reflinks", "power cut on ext4", "C compiler")
    site = Site(bundle, folder, port_base, random.Random(1), careless(libraries, "NO_SYNC"))
    lost, _ = lost_in_images(site, folder, CONTROL_IMAGES)
    assert lost
