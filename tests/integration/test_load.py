"""The measurements of load in small: what is promised holds, whatever time it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import uvloop
from bench.load import overload, slow, storm

from tests.integration.center import free_port_base

if TYPE_CHECKING:
    from pathlib import Path


def test_lines_that_come_all_at_once_are_all_served(tmp_path: Path) -> None:
    lines = 300
    stormed = uvloop.run(storm.play(tmp_path, port_base=free_port_base(), lines=lines, quiet=0.2))
    assert stormed.refused == 0
    assert len(stormed.logged_on) == len(stormed.accepted) == len(stormed.delivered) == lines


def test_an_overload_leaves_nothing_without_its_answer(tmp_path: Path) -> None:
    # More in a second than the switch takes in one, and what it does not take waits in the sockets.
    given = {"seconds": 1.0, "times": 40.0, "share": 1.0, "search": 0.5, "rate": 2_000.0}
    scene = overload.play(tmp_path, port_base=free_port_base(), after=0.5, **given)
    played = uvloop.run(scene)
    assert not played.cut
    assert played.missing == 0
    over = played.spans["overload"]
    assert sum(over.sent) == 80_000
    assert over.accepted + sum(codes.total() for codes in over.refused) == 80_000
    # Every refusal says why, and nobody refuses P0.
    assert not over.refused[0]
    assert all(code for codes in over.refused for code in codes)


def test_lines_that_stop_reading_cost_the_others_nothing(tmp_path: Path) -> None:
    given = {"lines": 60, "slow": 20, "rate": 300.0, "seconds": 3.0}
    scene = slow.play(tmp_path, port_base=free_port_base(), **given)  # type: ignore[arg-type]
    played = uvloop.run(scene)
    # All that the others sent has come, or there would be no end.
    assert min(played.before.sent, played.after.sent) > 800
    assert played.cut == 0
    assert played.bytes_per_slow_line <= slow.MEMORY_BYTES_MAX
