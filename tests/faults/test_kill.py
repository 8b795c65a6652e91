"""The process is killed at any moment."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from tests.faults.cycle import CYCLES_OF_A_JOURNAL, Site, noticed, strike
from tests.faults.machine import careless, needs
from tests.faults.program import Program

if TYPE_CHECKING:
    from pathlib import Path

KILLS = int(os.environ.get("CLETS_KILLS", "200"))
CONTROL_KILLS = 10


@pytest.mark.timeout(60 + 3 * KILLS)
def test_kills_lose_nothing_and_repeat_nothing_unmarked(
    bundle: Path, tmp_path: Path, port_base: int
) -> None:
    accepted = marked = 0
    for done in range(0, KILLS, CYCLES_OF_A_JOURNAL):
        kills = min(CYCLES_OF_A_JOURNAL, KILLS - done)
        site = Site(bundle, tmp_path / f"after-{done}", port_base, random.Random(done))
        found = strike(site, kills, Program.kill)
        assert found.lost == []
        assert found.history.broken() == []
        accepted += len(found.history.accepted)
        marked += sum(it.marked for it in found.history.taken)
    # There was a load, and kills found messages on the wire.
    assert accepted > 50 * KILLS
    assert marked > KILLS
    print(f"{KILLS} kills: {accepted} accepted, none lost; {marked} came marked")  # noqa: T201


def test_kills_find_a_switch_that_does_not_write(
    bundle: Path, tmp_path: Path, port_base: int, libraries: Path
) -> None:
    needs("C compiler")
    library = careless(libraries, "NO_WRITE")
    site = Site(bundle, tmp_path / "journal", port_base, random.Random(1), library)
    assert noticed(site, CONTROL_KILLS, Program.kill)


def test_kills_do_not_find_a_switch_that_does_not_sync(
    bundle: Path, tmp_path: Path, port_base: int, libraries: Path
) -> None:
    """Why kills are not enough: the kernel has what was written and writes it later."""
    needs("C compiler")
    library = careless(libraries, "NO_SYNC")
    site = Site(bundle, tmp_path / "journal", port_base, random.Random(1), library)
    found = strike(site, CONTROL_KILLS, Program.kill)
    assert found.history.accepted
    assert found.lost == []
