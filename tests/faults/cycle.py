"""A switch that is loaded, struck and started again, over and over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvloop

from clets_core._core import journal_verify
from tests.faults.agency import Agencies
from tests.faults.history import History, missing
from tests.faults.program import Program

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable
    from pathlib import Path

MOMENT_S = (0.02, 0.3)
"""When a fault strikes, after the load began."""
CYCLES_OF_A_JOURNAL = 10
"""A journal that only grows would make later cycles slow."""


@dataclass
class Site:
    """Where a switch runs, and with what."""

    bundle: Path
    journal: Path
    port_base: int
    chance: random.Random
    preload: Path | None = None

    def program(self) -> Program:
        return Program(self.bundle, self.journal, preload=self.preload)


@dataclass
class Found:
    """What became of the messages."""

    history: History
    lost: list[str]
    """Acknowledged, and not in the journal or never delivered."""


def strike(site: Site, cycles: int, fault: Callable[[Program], Awaitable[None]]) -> Found:
    """Loads a switch, lets ``fault`` end it at any moment, and does so again with what is left.

    After each fault the journal must hold what was acknowledged; at the end everything is
    delivered.
    """
    return uvloop.run(_strike(site, cycles, fault))


async def _strike(site: Site, cycles: int, fault: Callable[[Program], Awaitable[None]]) -> Found:
    history = History()
    agencies = Agencies(history, site.port_base, site.chance)
    for _ in range(cycles):
        async with site.program() as switch:
            await up(switch)
            await agencies.connect()
            agencies.start()
            await asyncio.sleep(site.chance.uniform(*MOMENT_S))
            await fault(switch)
        await agencies.hang_up()
        if lost := missing(site.journal, history):
            return Found(history, lost)
    return Found(history, await finish(site, agencies))


class RefusedStartError(Exception):
    """The switch does not start with what the fault left."""


def noticed(site: Site, cycles: int, fault: Callable[[Program], Awaitable[None]]) -> bool:
    """Whether the faults show that something is wrong: something is lost, or a start refused."""
    try:
        found = strike(site, cycles, fault)
    except RefusedStartError:
        return True
    return bool(found.lost)


async def up(switch: Program) -> None:
    """Waits until the switch is ready.

    Raises:
        RefusedStartError: It ended instead.
    """
    if not await switch.ready():
        raise RefusedStartError(switch.last_words())


async def finish(site: Site, agencies: Agencies) -> list[str]:
    """Starts the switch once more and lets it deliver everything; gives what it does not."""
    async with site.program() as switch:
        await up(switch)
        await agencies.connect()
        left = await agencies.drain()
        assert await switch.stop() == 0, switch.last_words()
        await agencies.hang_up()
    journal_verify(site.journal)
    return left
