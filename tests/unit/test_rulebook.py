"""The page of rules: each rule of the research is decided, or is said where it is instead."""

from __future__ import annotations

from clets_core.cli.rulebook import ELSEWHERE, FAMILIES, rules

RANGES = {"A": 23, "B": 15, "C": 13, "D": 21, "I": 20}


def test_every_rule_is_decided_or_said_where_it_is():
    decided = {name.partition(".")[0] for name, *_ in rules()}
    known = {f"{letter}-{n:02}" for letter, last in RANGES.items() for n in range(1, last + 1)}
    assert known - decided - ELSEWHERE.keys() == set()
    assert decided & ELSEWHERE.keys() == set()
    assert {name[0] for name in decided} == set(FAMILIES)


def test_every_rule_has_words_and_law():
    for name, effect, code, text, cite, first, _ in rules():
        assert text.endswith("."), name
        assert len(cite) > 10, name
        assert len(first) == len("2008-10-01"), name
        assert (code > 0) == (effect in {"block", "reject"}), name
