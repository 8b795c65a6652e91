"""What must hold for county dialects, file codes and follow-up inquiries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from clets_core.config.problem import Code, Problems

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from clets_core.config.model import (
        Dialect,
        DialectKey,
        FieldNames,
        FileCode,
        FollowUp,
        Host,
        Route,
    )
    from clets_core.config.source import Located, Place

# Keys that find their way by the addressees in the header, and so need no route.
_ADDRESSED = frozenset({"AM", "AML", "AA", "YQ", "YR"})


def check_dialects(
    dialects: Sequence[Located[Dialect]],
    routed: Container[str],
    fields: FieldNames | None,
    problems: Problems,
) -> None:
    """Every entered key has one meaning, which is routed, and says nothing in anybody's name."""
    stated = _codes(fields)
    for located in dialects:
        dialect, place = located.entry, located.place
        for entered, code in dialect.renames.items():
            if entered == code or code in dialect.renames:
                text = f"`{entered}` is renamed to `{code}`, which is renamed itself"
                problems.add(place.file, place.line("renames"), Code.DIALECT, text)
        before: dict[str, set[str | None]] = {}
        for index, key in enumerate(dialect.keys):
            at = place.child("keys", index)
            earlier = before.setdefault(key.entered, set())
            if None in earlier or key.with_ in earlier:
                text = f"an earlier `{key.entered}` takes every message that this one would take"
                problems.add(at.file, at.line(), Code.DIALECT, text)
            earlier.add(key.with_)
            _dialect_key(key, at, dialect.renames, stated, routed, problems)


def _dialect_key(
    key: DialectKey,
    place: Place,
    renames: Container[str],
    stated: Container[str],
    routed: Container[str],
    problems: Problems,
) -> None:
    if key.key not in routed and key.key not in _ADDRESSED:
        text = f"no route takes `{key.key}`"
        problems.add(place.file, place.line(), Code.NOT_ROUTED, text)
    for code in key.fields:
        if code in stated:
            text = f"`{code}` is the requester's to state and cannot be added"
            problems.add(place.file, place.line(), Code.STATEMENT, text)
    for used in (*key.fields, key.with_, key.destination_field):
        if used is not None and used in renames:
            text = f"`{used}` is renamed: use the code that it becomes"
            problems.add(place.file, place.line(), Code.DIALECT, text)


def check_file_codes(
    codes: Sequence[Located[FileCode]], routes: Sequence[Located[Route]], problems: Problems
) -> None:
    """A file code stands for a key that some leg is asked with; each key has one table."""
    asked = {
        leg.key or key
        for located in routes
        for leg in located.entry.legs
        for key in located.entry.keys
    }
    seen: set[str] = set()
    for located in codes:
        table, place = located.entry, located.place
        if table.key not in asked:
            text = f"no leg is asked with `{table.key}`"
            problems.add(place.file, place.line("key"), Code.NOT_ROUTED, text)
        if table.key in seen:
            text = f"`{table.key}` has its file codes already"
            problems.add(place.file, place.line("key"), Code.FILE_CODE, text)
        seen.add(table.key)
        for value, key in table.codes.items():
            if ("." in key) != ("." in table.key):
                text = f"`{value}`: `{key}` has not the form of `{table.key}`"
                problems.add(place.file, place.line("codes"), Code.FILE_CODE, text)


def check_follow_ups(
    rules: Sequence[Located[FollowUp]],
    routed: Container[str],
    hosts: Mapping[str, Host],
    problems: Problems,
) -> None:
    """A rule reads hosts that exist, and both its keys are routed."""
    for located in rules:
        rule, place = located.entry, located.place
        for host in rule.hosts:
            if host not in hosts:
                text = f"there is no host `{host}`"
                problems.add(place.file, place.line("hosts"), Code.REFERENCE, text)
        keys: Iterable[tuple[str, str]] = [("key", rule.key), *(("after", k) for k in rule.after)]
        for where, key in keys:
            if key not in routed:
                text = f"no route takes `{key}`"
                problems.add(place.file, place.line(where), Code.NOT_ROUTED, text)


def _codes(fields: FieldNames | None) -> frozenset[str]:
    if fields is None:
        return frozenset()
    return frozenset(field.code for field in msgspec.structs.asdict(fields).values())
