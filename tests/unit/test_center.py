"""What the event loop is given to write, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.load.driver import Driver

from clets_core import load_bundle
from clets_core._core import Center, Framer, frame

if TYPE_CHECKING:
    from pathlib import Path

MESSAGE = b"M0010003.REF1.U000031.AM.CA0010100.A0380001.TXT\r\nSYNTHETIC MESSAGE"


def test_what_is_durable_is_answered_at_the_end_of_the_turn(tmp_path: Path) -> None:
    center = Center(load_bundle("examples/california").snapshot, tmp_path / "journal")
    driver = Driver(center)
    intake = driver.logon("msc-01")
    driver.came.clear()
    driver.feed(intake, frame("native", "data", MESSAGE, sequence=1))
    assert not driver.came
    # The disk has it, but the loop has not yet come to hear of that.
    assert driver.poll.poll(10_000)
    driver.take()
    answers = Framer("native").feed(b"".join(driver.came[intake.connection]))
    assert [(it.kind, it.sequence) for it in answers] == [("accept", 1)]
    center.stop()
