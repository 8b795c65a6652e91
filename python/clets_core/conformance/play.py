"""Plays cases one after the other, and says of each whether it was met."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clets_core.conformance.bench import Bench, LeftOutError, UnmetError
from clets_core.errors import CletsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from clets_core.conformance.bench import Settings
    from clets_core.conformance.cases import Case

__all__ = ["Result", "play"]

CASE_SECONDS: Final = 90.0
"""Beyond its waits and the switch's deadline no case takes this long."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a case. ``result`` is ``pass``, ``fail`` or ``left out``."""

    number: int
    title: str
    expectation: str
    result: str
    seen: str
    seconds: float


async def play(
    settings: Settings, cases: Iterable[Case], *, hosts: bool = True
) -> AsyncIterator[Result]:
    """The result of each case, as it is there.

    Args:
        settings: the line under test.
        cases: those to be played, in their order.
        hosts: whether simulated hosts stand behind the switch; without them the cases that need
            their records are left out.
    """
    bench = Bench(settings)
    try:
        for case in cases:
            yield await _play_one(bench, case, hosts=hosts)
    finally:
        await bench.drop()


async def _play_one(bench: Bench, case: Case, *, hosts: bool) -> Result:
    begun = time.monotonic()

    def told(result: str, seen: str) -> Result:
        seconds = round(time.monotonic() - begun, 3)
        return Result(case.number, case.title, case.expectation, result, seen, seconds)

    if case.framing not in {"", bench.settings.framing}:
        return told("left out", f"for {case.framing} lines")
    if case.hosts and not hosts:
        return told("left out", "needs the simulated hosts")
    bench.hold = False
    bench.arrived.clear()
    bench.answers.clear()
    try:
        async with asyncio.timeout(CASE_SECONDS + bench.settings.deadline):
            if case.connected:
                await bench.up()
            seen = await case.script(bench)
    except LeftOutError as error:
        return told("left out", str(error))
    except (UnmetError, CletsError, OSError, ValueError) as error:
        # Whatever is wrong with this connection is no fault of the next case.
        await bench.drop()
        return told("fail", str(error) or type(error).__name__)
    except TimeoutError:
        await bench.drop()
        return told("fail", "expected an end of the case in time")
    if bench.faults:
        faults, bench.faults = "; ".join(bench.faults), []
        return told("fail", faults)
    return told("pass", seen)
