"""A call on the journal fails in the running program: it ends at once, and has lost nothing.

Each run ends with a power cut. Without it the kernel would still show what was written behind the
failed sync, and hide that it was acknowledged.
"""

from __future__ import annotations

import asyncio
import random
import re
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import uvloop

from tests.faults.agency import Agencies
from tests.faults.cycle import Site, finish, strike
from tests.faults.history import History, missing
from tests.faults.machine import careless, needs, volume
from tests.faults.program import Program, now
from tests.faults.test_power_cut import power_cut

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.faults.machine import Volume

MOMENTS = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233)
"""The n-th call of its kind in a thread, from the start far into the load; later ones fail too."""
FAULTS = {
    "fdatasync:error=EIO": MOMENTS,
    "fdatasync:error=ENOSPC": MOMENTS[1::3],
    # Room is made when a file is new.
    "fallocate:error=EIO": MOMENTS[:1],
    # Folders are synced once for a new file.
    "fsync:error=EIO": MOMENTS[:4],
    "pwrite64:error=EIO": MOMENTS,
    "pwrite64:error=ENOSPC": MOMENTS,
    # Takes no byte and gives no reason.
    "pwrite64:retval=0": MOMENTS[1::3],
}
RUNS_S = 5.0
ENDS_S = 1.0
"""The contract: within a second of the fault the process has ended."""
GOES_ON_S = 0.5
SHORT_CUTS = 5
INJECTED = re.compile(r"^\d+\s+([\d.]+) (.*)\(INJECTED\)", re.MULTILINE)


async def loaded(switch: Program, agencies: Agencies) -> None:
    """Loads a switch that may end at any moment, in its start too."""
    with suppress(OSError, TimeoutError):
        if await switch.ready():
            await agencies.connect()
            agencies.start()


def under(log: Path, fault: str, moment: int) -> tuple[str, ...]:
    """Makes a call of the program fail, and writes to ``log`` when."""
    trace = ("strace", "-f", "-qq", "-y", "-ttt", "-o", str(log), "-e")
    return (*trace, f"trace={fault.partition(':')[0]}", "-e", f"inject={fault}:when={moment}+")


def struck_at(calls: str, fault: str) -> float | None:
    """When the fault came that had to end the program; none came if it had not to."""
    found = INJECTED.findall(calls)
    assert found, "the fault never came"
    # That there is no room for a file not yet in use is no failure of the journal: it waits.
    fatal = [at for at, call in found if "ENOSPC" not in fault or ".new>" not in call]
    return float(fatal[0]) if fatal else None


async def fail(site: Site, disk: Volume, log: Path, fault: str, moment: int) -> bool:
    """Loads a switch until the fault ends it, then cuts the power and starts it again; gives
    whether it had to end it."""
    history = History()
    agencies = Agencies(history, site.port_base, site.chance)
    async with Program(site.bundle, site.journal, under=under(log, fault, moment)) as switch:

        async def end() -> tuple[int, float]:
            return await switch.ended(RUNS_S), now()

        ending = asyncio.create_task(end())
        await loaded(switch, agencies)
        try:
            code, ended = await ending
        except TimeoutError:
            code, ended = 1, float("inf")
            await switch.kill()
        assert code != 0, switch.last_words()
    await agencies.hang_up()
    disk.cut()
    disk.remount()
    fatal = struck_at(await asyncio.to_thread(log.read_text), fault)
    assert fatal is None or ended - fatal <= ENDS_S
    assert missing(site.journal, history) == []
    assert await finish(site, agencies) == []
    assert history.broken() == []
    return fatal is not None


@pytest.mark.parametrize("fault", FAULTS)
def test_the_switch_ends_and_loses_nothing(
    fault: str, bundle: Path, folder: Path, port_base: int
) -> None:
    needs("system call injection", "power cut on ext4")
    with volume(folder, "ext4") as disk:
        fatal = 0
        for moment in FAULTS[fault]:
            journal = disk.path / f"before-{moment}"
            site = Site(bundle, journal, port_base, random.Random(moment))
            fatal += uvloop.run(fail(site, disk, folder / "calls", fault, moment))
        assert fatal > len(FAULTS[fault]) // 2


@pytest.mark.parametrize("fault", ["fdatasync:error=EIO", "pwrite64:error=EIO"])
def test_a_switch_that_does_not_look_at_answers_is_found(
    fault: str, bundle: Path, folder: Path, port_base: int, libraries: Path
) -> None:
    needs("system call injection", "power cut on ext4", "C compiler")

    async def lost(site: Site, disk: Volume) -> Sequence[str]:
        history = History()
        agencies = Agencies(history, site.port_base, site.chance)
        wrapped = under(folder / "calls", fault, MOMENTS[-4])
        async with Program(
            site.bundle, site.journal, under=wrapped, preload=site.preload
        ) as switch:
            await loaded(switch, agencies)
            await asyncio.sleep(GOES_ON_S)
            await switch.kill()
        await agencies.hang_up()
        assert "(INJECTED)" in await asyncio.to_thread((folder / "calls").read_text)
        disk.cut()
        disk.remount()
        return missing(site.journal, history)

    with volume(folder, "ext4") as disk:
        library = careless(libraries, "NO_ERRORS")
        site = Site(bundle, disk.path / "journal", port_base, random.Random(1), library)
        assert uvloop.run(lost(site, disk))


def test_a_write_may_take_less_than_it_was_given(
    bundle: Path, folder: Path, port_base: int, libraries: Path
) -> None:
    needs("power cut on ext4", "C compiler")
    library = careless(libraries, "SHORT_WRITES")
    with volume(folder, "ext4") as disk:
        site = Site(bundle, disk.path / "journal", port_base, random.Random(1), library)
        found = strike(site, SHORT_CUTS, power_cut(disk))
    assert found.history.accepted
    assert found.lost == []
    assert found.history.broken() == []
