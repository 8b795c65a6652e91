"""clets-core itself: the durable legs of ``bench/load/legs.py``, with a look at what came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.load.legs import RECEIVER, Receiver, measure
from bench.peers.contestant import Run, check_exactly_once

if TYPE_CHECKING:
    from pathlib import Path


class Keeper(Receiver):
    """Keeps the bodies too, as every other contestant's receiver does."""

    def __init__(self, name: str, count: int) -> None:
        super().__init__(name, count)
        self.bodies: list[bytes] = []

    def on_frames(self, frames: list[Any]) -> None:
        self.bodies += [it.body for it in frames if it.kind == "data"]
        super().on_frames(frames)


class Clets:
    name = "clets-core"

    def lacks(self) -> str | None:
        return None

    async def run(self, folder: Path, count: int) -> Run:
        receiver = Keeper(RECEIVER[1], count)
        figures = await measure(folder, count, receiver)
        check_exactly_once(receiver.bodies, count)
        cpu = figures["switch_cpu_microseconds_per_leg"] * count / 1e6
        return Run(figures["seconds"], cpu)
