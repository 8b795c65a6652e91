"""A call on the journal fails in the running program: it ends at once, and has lost nothing."""

from __future__ import annotations

import asyncio
import random
import re
from typing import TYPE_CHECKING

import pytest
import uvloop

from tests.faults.agency import Agencies
from tests.faults.cycle import Site, finish, up
from tests.faults.history import History, missing
from tests.faults.machine import careless, needs
from tests.faults.program import Program, now

if TYPE_CHECKING:
    from pathlib import Path

FAULTS = (
    "fdatasync:error=EIO",
    "fdatasync:error=ENOSPC",
    "pwrite64:error=EIO",
    "pwrite64:error=ENOSPC",
)
MOMENTS = (25, 70, 140)
"""The n-th call of its kind: in the start, in the load, and later."""
RUNS_S = 8.0
ENDS_S = 1.0
"""The contract: within a second of the fault the process has ended."""


async def fail(site: Site, log: Path, fault: str, moment: int) -> tuple[History, Agencies, float]:
    """Runs the load until the fault ends the program; gives how long that took."""
    history = History()
    agencies = Agencies(history, site.port_base, site.chance)
    call = fault.partition(":")[0]
    trace = ("strace", "-f", "-qq", "-ttt", "-o", str(log), "-e", f"trace={call}")
    under = (*trace, "-e", f"inject={fault}:when={moment}+")
    try:
        async with Program(site.bundle, site.journal, under=under, preload=site.preload) as switch:
            await up(switch)
            await agencies.connect()
            agencies.start()
            code = await switch.ended(RUNS_S)
            ended = now()
            assert code != 0, switch.last_words()
    finally:
        await agencies.hang_up()
    calls = await asyncio.to_thread(log.read_text)
    struck = re.search(r"^\d+\s+([\d.]+) .*\(INJECTED\)", calls, re.MULTILINE)
    assert struck, "the fault never came"
    return history, agencies, ended - float(struck[1])


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_the_switch_ends_and_loses_nothing(
    fault: str, moment: int, bundle: Path, tmp_path: Path, port_base: int
) -> None:
    needs("system call injection")

    async def play() -> None:
        site = Site(bundle, tmp_path / "journal", port_base, random.Random(moment))
        history, agencies, seconds = await fail(site, tmp_path / "calls", fault, moment)
        assert missing(site.journal, history) == []
        assert seconds <= ENDS_S
        assert await finish(site, agencies) == []
        assert history.broken() == []

    uvloop.run(play())


def test_a_switch_that_does_not_look_at_answers_is_found(
    bundle: Path, tmp_path: Path, port_base: int, libraries: Path
) -> None:
    needs("system call injection", "C compiler")

    async def play() -> None:
        library = careless(libraries, "NO_ERRORS")
        site = Site(bundle, tmp_path / "journal", port_base, random.Random(1), library)
        with pytest.raises((AssertionError, TimeoutError)):
            await fail(site, tmp_path / "calls", "fdatasync:error=EIO", 70)

    uvloop.run(play())
