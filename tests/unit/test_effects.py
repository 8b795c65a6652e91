"""Many messages judged at once are judged as each of them alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.golden.test_golden import corpus, data_of

import clets_core
from clets_core import Bundle, decode
from clets_core.errors import DecodeError

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return clets_core.load_bundle(ROOT / "examples" / "california")


@pytest.mark.parametrize(
    ("dialect", "line"), [("clets", "msc-01"), ("nlets-out", "nlets"), ("niem-out", "nevada")]
)
def test_decoded_or_not_each_has_the_effect_that_it_has_alone(
    bundle: Bundle, dialect: str, line: str
) -> None:
    given = [data_of(case) for case in corpus() if case["decoded"]["dialect"] == dialect]
    assert given
    decoded = [decode(data, dialect) for data in given]
    alone = [bundle.decide(message, line=line, at=AT).effect for message in decoded]
    assert bundle.effects(given, line=line, at=AT) == alone
    assert bundle.effects(decoded, line=line, at=AT) == alone
    mixed = [pair[place % 2] for place, pair in enumerate(zip(given, decoded, strict=True))]
    assert bundle.effects(mixed, line=line, at=AT) == alone


def test_bytes_that_are_no_message_are_an_error(bundle: Bundle) -> None:
    with pytest.raises(DecodeError) as caught:
        bundle.effects([b"A0190001.X.U000001.IV.4A.CA0190000", b"nothing"], line="county-019")
    assert caught.value.code == 201
