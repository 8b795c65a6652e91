"""The power goes at any moment: what was not synced is gone."""

from __future__ import annotations

import asyncio
import os
import random
from typing import TYPE_CHECKING

import pytest

from tests.faults.cycle import CYCLES_OF_A_JOURNAL, Site, noticed, strike
from tests.faults.machine import careless, needs, volume

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.faults.machine import Volume
    from tests.faults.program import Program

CUTS = int(os.environ.get("CLETS_POWER_CUTS", "30"))
"""On each kind of file system."""
CONTROL_CUTS = 10
LAST_WORDS_S = 0.03
"""An acknowledgement after the cut is one too many: there is time for it."""
KINDS = ("ext4", "xfs")


def power_cut(disk: Volume) -> Callable[[Program], Awaitable[None]]:
    async def cut(switch: Program) -> None:
        disk.cut()
        await asyncio.sleep(LAST_WORDS_S)
        await switch.kill()
        disk.remount()

    return cut


@pytest.mark.timeout(60 + 5 * CUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_power_cuts_lose_nothing_that_was_acknowledged(
    kind: str, bundle: Path, folder: Path, port_base: int
) -> None:
    needs(f"power cut on {kind}")
    accepted = 0
    for done in range(0, CUTS, CYCLES_OF_A_JOURNAL):
        with volume(folder, kind) as disk:
            site = Site(bundle, disk.path / "journal", port_base, random.Random(done))
            found = strike(site, min(CYCLES_OF_A_JOURNAL, CUTS - done), power_cut(disk))
        assert found.lost == []
        assert found.history.broken() == []
        accepted += len(found.history.accepted)
    assert accepted > 50 * CUTS
    print(f"{CUTS} power cuts on {kind}: {accepted} accepted, none lost")  # noqa: T201


@pytest.mark.parametrize("kind", KINDS)
def test_power_cuts_find_a_switch_that_does_not_sync(
    kind: str, bundle: Path, folder: Path, port_base: int, libraries: Path
) -> None:
    needs(f"power cut on {kind}", "C compiler")
    library = careless(libraries, "NO_SYNC")
    with volume(folder, kind) as disk:
        site = Site(bundle, disk.path / "journal", port_base, random.Random(1), library)
        assert noticed(site, CONTROL_CUTS, power_cut(disk))
