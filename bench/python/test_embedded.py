"""The embedded surface: what one call costs from Python. `make bench` runs it in release."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from bench.load.driver import Driver

import clets_core
from clets_core._core import Center, frame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clets_core import Bundle

PLATE = (
    "M0010003.{:010}.U000031.IV.4A.CA0010100.LIC/1ABC234.LIS/CA.LIY/2027.LIT/PC.CAP/C."
    "RSN/TRAFFIC STOP.OCA/26-000104"
)
NOTE = "M0010003.{:010}.U000031.AM.CA0010100.A0380001.TXT\r\nSYNTHETIC MESSAGE"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return clets_core.load_bundle("examples/california")


def test_decode(benchmark: Any) -> None:
    data = PLATE.format(1).encode()
    assert benchmark(clets_core.decode, data, "clets").mke == "4A"


def test_decode_and_read_the_fields(benchmark: Any) -> None:
    data = PLATE.format(1).encode()
    assert benchmark(lambda: clets_core.decode(data, "clets").fields)["LIC"] == "1ABC234"


def test_decide(benchmark: Any, bundle: Bundle) -> None:
    message = clets_core.decode(PLATE.format(1).encode(), "clets")
    verdict = benchmark(bundle.decide, message, line="msc-01", at=NOON)
    assert verdict.effect == "allow"


@pytest.mark.parametrize("form", [NOTE, PLATE], ids=["message", "inquiry"])
def test_effects_of_a_batch_of_256(benchmark: Any, bundle: Bundle, form: str) -> None:
    messages = [form.format(it).encode() for it in range(256)]
    effects = benchmark(bundle.effects, messages, line="msc-01", at=NOON)
    assert effects == ["allow"] * 256


class Line:
    """A line without a socket, and the center that it sends to."""

    def __init__(self, bundle: Bundle, journal: Path) -> None:
        self.driver = Driver(Center(bundle.snapshot, journal))
        self._intake = self.driver.logon("msc-01")
        self._numbers = itertools.count(1)

    def feed(self, data: bytes) -> None:
        self.driver.feed(self._intake, data)
        self.driver.came.clear()

    def messages(self, count: int) -> bytes:
        return b"".join(
            frame("native", "data", NOTE.format(number).encode(), sequence=number)
            for number in itertools.islice(self._numbers, count)
        )


@pytest.fixture
def line(bundle: Bundle, tmp_path: Path) -> Iterator[Line]:
    line = Line(bundle, tmp_path / "journal")
    yield line
    line.driver.center.stop()


@pytest.mark.parametrize("batch", [1, 32, 256])
def test_advance(benchmark: Any, line: Line, batch: int) -> None:
    """One read of ``batch`` messages: framed, judged, planned and handed to the journal."""

    def read() -> tuple[tuple[bytes], dict[str, Any]]:
        line.driver.committed(0)
        return (line.messages(batch),), {}

    benchmark.pedantic(line.feed, setup=read, rounds=2_000 // batch + 20)


@pytest.mark.parametrize("batch", [1, 32, 256])
def test_advance_until_durable(benchmark: Any, line: Line, batch: int) -> None:
    """The same until the journal has it on the disk and the answers may go."""

    def take(data: bytes) -> None:
        center = line.driver.center
        before = center.durable
        line.feed(data)
        while center.durable < before + batch:
            line.driver.committed()

    def read() -> tuple[tuple[bytes], dict[str, Any]]:
        return (line.messages(batch),), {}

    benchmark.pedantic(take, setup=read, rounds=500 // batch + 20)
