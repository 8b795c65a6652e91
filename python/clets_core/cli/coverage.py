"""What can be found out about a bundle's rules: which never decide, which no vector determines.

A rule is determined by a vector that expects its name and gets it. That says nothing of a permit
behind which an obligation stands, for it is not named, nor of which version of a rule was meant:
these are taken out of the bundle, one at a time, and a vector must come out otherwise.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from clets_core._core import policy_rules
from clets_core.cli.vectors import outcome
from clets_core.config.bundle import Bundle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clets_core.cli.vectors import Outcome, Vector

REFUSALS: Final = frozenset({"block", "reject"})


class Rule(NamedTuple):
    """One version of a rule."""

    id: str
    effect: str
    file: str
    row: int
    """It begins on line ``row`` of ``file``."""
    has_example: bool
    """A situation was found in which it decides, or permits what others then oblige."""
    beside: frozenset[str]
    """Rules that were found to decide together with it."""


def rules(bundle: Bundle, now: datetime) -> list[Rule]:
    """Every version of every rule with what a survey finds of it. Takes seconds.

    Those that have no end are surveyed now, or when the last of all rules has begun.
    """
    files = [(policy.name, policy.text) for policy in bundle.configuration.policies]
    known = policy_rules(files, bundle.configuration.schema)
    days = [datetime.fromisoformat(first).replace(tzinfo=UTC) for *_, first, _ in known if first]
    # A day later it has begun in every time zone.
    at = max([now, *(day + timedelta(days=1) for day in days)])
    surveyed = bundle.snapshot.survey(int(at.timestamp() * 1_000_000))
    return [
        Rule(name, effect, file, row, bool(example), frozenset(beside))
        for (name, effect, *_), (_, file, row, example, beside) in zip(known, surveyed, strict=True)
    ]


def overlaps(found: Sequence[Rule]) -> dict[str, list[str]]:
    """Refusals that were found to refuse the same situation: id to ids, in the bundle's order."""
    effects = {rule.id: rule.effect for rule in found}
    order = {name: place for place, name in enumerate(effects)}
    pairs = {
        pair
        for rule in found
        for other in rule.beside
        if effects[rule.id] in REFUSALS and effects[other] in REFUSALS
        for pair in ((rule.id, other), (other, rule.id))
        if rule.id != other
    }
    return {
        name: sorted((other for one, other in pairs if one == name), key=order.__getitem__)
        for name in order
        if any(one == name for one, _ in pairs)
    }


def undetermined(
    bundle: Bundle, found: Sequence[Rule], outcomes: Mapping[Vector, Outcome]
) -> list[Rule]:
    """The rules that none of these vectors determines, with what comes of each vector."""
    named = {
        name
        for vector, came in outcomes.items()
        for name in set(vector.expected.rules).intersection(came.rules)
    }
    versions = Counter(rule.id for rule in found)

    def is_needed(rule: Rule) -> bool:
        without = _without(bundle, rule, found)
        # Where it is named, or what stands beside it, it is most likely to be missed.
        near = rule.beside | {rule.id}
        likely = sorted(outcomes, key=lambda it: near.isdisjoint(outcomes[it].rules))
        return any(outcome(without, vector) != outcomes[vector] for vector in likely)

    def is_determined(rule: Rule) -> bool:
        if rule.id in named:
            return versions[rule.id] == 1 or is_needed(rule)
        # Whatever else decides is named.
        return rule.effect == "allow" and is_needed(rule)

    return [rule for rule in found if not is_determined(rule)]


def _without(bundle: Bundle, rule: Rule, found: Sequence[Rule]) -> Bundle:
    """The bundle without one version of a rule: its text ends where the next one begins."""
    configuration = bundle.configuration
    ends = [it.row for it in found if it.file == rule.file and it.row > rule.row]

    def shortened(text: str) -> str:
        lines = text.splitlines(keepends=True)
        end = min(ends) - 1 if ends else len(lines)
        return "".join([*lines[: rule.row - 1], *lines[end:]])

    policies = tuple(
        msgspec.structs.replace(policy, text=shortened(policy.text))
        if policy.name == rule.file
        else policy
        for policy in configuration.policies
    )
    return Bundle(msgspec.structs.replace(configuration, policies=policies))
