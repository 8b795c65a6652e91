"""What the disk holds at any instant of full load, without stopping anybody."""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import uvloop

from tests.faults.agency import Agencies
from tests.faults.cycle import Site, finish, up
from tests.faults.history import History, missing
from tests.faults.machine import careless, mounted, needs, reflink, volume

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGES = int(os.environ.get("CLETS_CRASH_IMAGES", "100"))
CONTROL_IMAGES = 10
IMAGES_OF_A_RUN = 25
BETWEEN_S = 0.04
OUTER_MIB, INNER_MIB = 1024, 160


async def take_images(site: Site, inner: Path, images: Path, count: int) -> list[Agencies]:
    """Copies the file system under load; gives what the agencies knew just before each copy."""
    agencies = Agencies(History(), site.port_base, site.chance)
    before: list[Agencies] = []
    async with site.program() as switch:
        await up(switch)
        await agencies.connect()
        agencies.start()
        for number in range(count):
            await asyncio.sleep(BETWEEN_S)
            before.append(agencies.copy())
            # Not in a thread: the switch goes on with what is in the sockets, but the agencies
            # must not learn of, or acknowledge, what happens while the copy is made.
            reflink(inner, images / f"{number}.img")
        await switch.kill()
    await agencies.hang_up()
    return before


@contextmanager
def images(site: Site, folder: Path, count: int) -> Iterator[Iterator[Agencies]]:
    """Images taken under load, each mounted in turn as the journal of ``site``."""
    with volume(folder, "xfs", OUTER_MIB) as outer:
        with volume(outer.path, "ext4", INNER_MIB) as disk:
            site.journal = disk.path / "journal"
            before = uvloop.run(take_images(site, disk.image, outer.path, count))

        def each() -> Iterator[Agencies]:
            for number, agencies in enumerate(before):
                with mounted(outer.path / f"{number}.img", folder / "image") as image:
                    site.journal = image.path / "journal"
                    yield agencies

        yield each()


@pytest.mark.timeout(120 + 4 * IMAGES)
def test_no_image_lacks_what_was_acknowledged_before_it(
    bundle: Path, folder: Path, port_base: int
) -> None:
    needs("reflinks", "power cut on ext4")
    accepted = 0
    for done in range(0, IMAGES, IMAGES_OF_A_RUN):
        site = Site(bundle, folder, port_base, random.Random(done))
        with images(site, folder, min(IMAGES_OF_A_RUN, IMAGES - done)) as taken:
            for agencies in taken:
                assert missing(site.journal, agencies.history) == []
                assert uvloop.run(finish(site, agencies)) == []
                assert agencies.history.broken() == []
                accepted += len(agencies.history.accepted)
    assert accepted > 50 * IMAGES
    print(f"{IMAGES} crash images: none lacks any of {accepted} acknowledged")  # noqa: T201


def test_images_find_a_switch_that_does_not_sync(
    bundle: Path, folder: Path, port_base: int, libraries: Path
) -> None:
    needs("reflinks", "power cut on ext4", "C compiler")
    site = Site(bundle, folder, port_base, random.Random(1), careless(libraries, "NO_SYNC"))
    with images(site, folder, CONTROL_IMAGES) as taken:
        assert any(missing(site.journal, agencies.history) for agencies in taken)
