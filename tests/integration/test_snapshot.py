"""A start from a snapshot: nothing is lost, little is read, another bundle is no way round it."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest
import uvloop

from clets_core.config.bundle import load_bundle
from tests.integration.center import OTHER_COUNTY, Center, running

if TYPE_CHECKING:
    from pathlib import Path

    from clets_core.config.bundle import Bundle

NOTE = b"A0190001.%b.U000001.AM.CA0190000.A0380001.TXT\r\nNOTE %05d, SYNTHETIC"
COUNT = 300


async def take(center: Center, first: int) -> None:
    wire = await center.connect()
    for number in range(first, first + COUNT):
        wire.message(NOTE % (b"R%d" % number, number), number)
        answer = await wire.frame()
        assert answer is not None
        assert answer.kind == "positive_ack"


async def given(center: Center, count: int) -> list[int]:
    wire = await center.connect(OTHER_COUNTY)
    return [int((await wire.data()).split("NOTE ")[1][:5]) for _ in range(count)]


def test_a_start_goes_on_where_the_snapshot_was_made(bundle: Bundle, tmp_path: Path) -> None:
    async def play() -> None:
        journal = tmp_path / "journal"
        async with running(bundle, journal) as center:
            await take(center, 0)
            covered = await center.switch.snapshot()
            assert covered > COUNT
            await take(center, COUNT)
            written = center.switch.status().durable
        async with running(bundle, journal) as center:
            # The stop's record, and what was written after the snapshot.
            assert center.switch.recovered <= written + 5 - covered
            assert await given(center, 2 * COUNT) == list(range(2 * COUNT))

    uvloop.run(play())


def test_a_damaged_snapshot_is_passed_over(bundle: Bundle, tmp_path: Path) -> None:
    async def play() -> None:
        journal = tmp_path / "journal"
        async with running(bundle, journal) as center:
            await take(center, 0)
            await center.switch.snapshot()
        (snapshot,) = journal.glob("*.snapshot")
        damaged = bytearray(snapshot.read_bytes())
        damaged[len(damaged) // 2] ^= 4
        snapshot.write_bytes(damaged)
        async with running(bundle, journal) as center:
            assert center.switch.recovered > COUNT
            assert await given(center, COUNT) == list(range(COUNT))

    uvloop.run(play())


def test_a_bundle_without_a_line_reads_everything(bundle: Bundle, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(bundle.configuration.path, folder)
    hosts = folder / "hosts.toml"
    # Another name is another line: the old one is gone.
    routes = folder / "routes.toml"
    for file in (hosts, routes):
        file.write_text(file.read_text().replace('"nevada"', '"nevada-2"', 1))
    text = hosts.read_text()
    assert 'name = "nevada-2"' in text, "the sample names a host so"
    for file in folder.glob("*.toml"):
        file.write_text(file.read_text().replace('host = "nevada"', 'host = "nevada-2"'))

    async def play() -> None:
        journal = tmp_path / "journal"
        async with running(bundle, journal) as center:
            await take(center, 0)
            await center.switch.snapshot()
        async with running(load_bundle(folder), journal) as center:
            assert center.switch.recovered > COUNT
            assert await given(center, COUNT) == list(range(COUNT))

    uvloop.run(play())


def test_snapshots_are_made_beside_traffic(bundle: Bundle, tmp_path: Path) -> None:
    async def play() -> None:
        journal = tmp_path / "journal"
        async with running(bundle, journal) as center:
            made = 0

            async def again() -> None:
                nonlocal made
                while True:
                    made += await center.switch.snapshot() > 0

            task = asyncio.create_task(again())
            await take(center, 0)
            task.cancel()
            assert made > 0
            assert await given(center, COUNT) == list(range(COUNT))

    uvloop.run(play())


# By thread, for two that wait for each other do so where no signal of Python's arrives.
@pytest.mark.timeout(60, method="thread")
def test_a_stop_and_a_snapshot_do_not_wait_for_each_other(bundle: Bundle, tmp_path: Path) -> None:
    async def play() -> None:
        for _ in range(20):
            async with running(bundle, tmp_path / "journal") as center:
                snapshot = asyncio.create_task(center.switch.snapshot())
                await asyncio.sleep(0)
            await snapshot

    uvloop.run(play())
