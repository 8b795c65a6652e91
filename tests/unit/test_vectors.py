"""The tables of ``tests/vectors``: each message, the decision on it and the rules that decided."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from clets_core.cli import coverage
from clets_core.cli.vectors import Outcome, Vector, outcome, prepared, read_tables
from clets_core.sample import write_california

if TYPE_CHECKING:
    from clets_core import Bundle

TABLES: Final = read_tables(Path(__file__).parents[1] / "vectors")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("vectors")
    write_california(folder)
    return prepared(folder, TABLES)


@pytest.fixture(scope="module")
def outcomes(bundle: Bundle) -> dict[Vector, Outcome]:
    return {vector: outcome(bundle, vector) for vector in TABLES.vectors}


@pytest.fixture(scope="module")
def rules(bundle: Bundle) -> list[coverage.Rule]:
    return coverage.rules(bundle, datetime(2026, 11, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    "vector",
    [
        pytest.param(it, id=it.id, marks=[pytest.mark.xfail(reason=it.differs)] * bool(it.differs))
        for it in TABLES.vectors
    ],
)
def test_vector(outcomes: dict[Vector, Outcome], vector: Vector) -> None:
    assert outcomes[vector] == vector.expected, vector.what


def test_every_rule_is_determined_by_a_vector(
    bundle: Bundle, rules: list[coverage.Rule], outcomes: dict[Vector, Outcome]
) -> None:
    named = {rule for vector in TABLES.vectors for rule in vector.expected.rules}
    assert named <= {rule.id for rule in rules}
    left = {rule.id for rule in coverage.undetermined(bundle, rules, outcomes)}
    assert left == TABLES.untested.keys()


def test_every_rule_of_the_sample_can_decide(rules: list[coverage.Rule]) -> None:
    assert all(rule.has_example for rule in rules)
