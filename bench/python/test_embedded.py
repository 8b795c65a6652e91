"""The embedded surface: what one call costs from Python. `make bench` runs it in release."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

import clets_core
from clets_core._core import Center, frame

if TYPE_CHECKING:
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


def test_effects_of_a_batch_of_256(benchmark: Any, bundle: Bundle) -> None:
    messages = [clets_core.decode(PLATE.format(it).encode(), "clets") for it in range(256)]
    effects = benchmark(bundle.effects, messages, line="msc-01", at=NOON)
    assert effects == ["allow"] * 256


@pytest.mark.parametrize("batch", [1, 32, 256])
def test_advance(benchmark: Any, bundle: Bundle, tmp_path: Path, batch: int) -> None:
    """One read of ``batch`` messages: framed, judged, planned and handed to the journal."""
    center = Center(bundle.snapshot, tmp_path / "journal")
    intake = center.open("msc-01")
    numbers = itertools.count(1)

    def feed(data: bytes) -> None:
        # One read, but for the first few of a line, whose buffer grows.
        while data:
            with memoryview(intake) as view:
                part = data[: len(view)]
                view[: len(part)] = part
            data = data[len(part) :]
            center.advance(intake, len(part))
        center.flush()

    logon = {"line": "msc-01", "receive": [1, 1, 1, 1, 1]}
    feed(frame("native", "logon", msgspec.json.encode(logon)))
    center.commit()
    while not center.flush()[0]:
        center.commit()

    def read() -> tuple[tuple[bytes], dict[str, Any]]:
        frames = (
            frame("native", "data", NOTE.format(number).encode(), sequence=number)
            for number in itertools.islice(numbers, batch)
        )
        center.commit()
        center.flush()
        return (b"".join(frames),), {}

    benchmark.pedantic(feed, setup=read, rounds=2_000 // batch + 20)
    center.stop()
