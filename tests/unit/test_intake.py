"""The receive buffer of a connection, as the event loop sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clets_core import load_bundle
from clets_core._core import Center, frame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clets_core._core import Intake


@pytest.fixture
def center(tmp_path: Path) -> Iterator[Center]:
    center = Center(load_bundle("examples/california").snapshot, tmp_path / "journal")
    yield center
    center.stop()


def fill(intake: Intake) -> int:
    with memoryview(intake) as view:
        view[:] = b"-" * len(view)
        return len(view)


def test_nothing_moves_while_somebody_writes_into_it(center: Center) -> None:
    intake = center.open("msc-01")
    with memoryview(intake):
        with pytest.raises(BufferError, match="one view at a time"):
            memoryview(intake)
        with pytest.raises(BufferError, match="one view at a time"):
            len(intake)
    assert fill(intake) == len(intake)


def test_a_quiet_line_has_a_small_one_that_grows_with_what_is_read(center: Center) -> None:
    intake = center.open("msc-01")
    first = len(intake)
    assert first <= 4096
    rest, reads = frame("native", "data", b"X" * 60_000, sequence=1), []
    while rest:
        with memoryview(intake) as view:
            part = rest[: len(view)]
            view[: len(part)] = part
        rest = rest[len(part) :]
        reads.append(len(part))
        center.advance(intake, len(part))
    assert reads[0] == first
    assert max(reads) > 40_000
    # It came whole, for the line is ended: whoever has not logged on may say nothing.
    _, closes = center.flush()
    assert [connection for connection, *_ in closes] == [intake.connection]
