"""The measurements of load in small: what is promised holds, whatever time it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import uvloop
from bench.load import storm

from tests.integration.center import free_port_base

if TYPE_CHECKING:
    from pathlib import Path


def test_lines_that_come_all_at_once_are_all_served(tmp_path: Path) -> None:
    lines = 300
    stormed = uvloop.run(storm.play(tmp_path, port_base=free_port_base(), lines=lines, quiet=0.2))
    assert stormed.refused == 0
    assert len(stormed.logged_on) == len(stormed.accepted) == len(stormed.delivered) == lines
