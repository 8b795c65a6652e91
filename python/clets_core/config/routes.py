"""What must hold for routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clets_core.config.problem import Code, Problems

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clets_core.config.model import Host, Leg, Route
    from clets_core.config.source import Located, Place

# Field, values and whether they are excluded; None when a route takes every message of its keys.
_Condition = tuple[str, frozenset[str], bool] | None
_ORI_LENGTH = 9


def check_routes(
    routes: Sequence[Located[Route]],
    hosts: Mapping[str, Host],
    members: Mapping[str, str],
    problems: Problems,
) -> None:
    """Conditions are whole, legs can be written, and no route stands behind one that hides it."""
    before: dict[str, list[_Condition]] = {}
    for located in routes:
        route, place = located.entry, located.place
        condition = _condition(route, place, problems)
        for index, leg in enumerate(route.legs):
            _leg(leg, place.child("legs", index), hosts, members, problems)
        for key in route.keys:
            earlier = before.setdefault(key, [])
            if any(_hides(other, condition) for other in earlier):
                text = f"an earlier route takes every message `{key}` that this one would take"
                problems.add(place.file, place.line("keys"), Code.UNREACHABLE, text)
            earlier.append(condition)


def _condition(route: Route, place: Place, problems: Problems) -> _Condition:
    given = [values for values in (route.is_, route.is_not) if values is not None]
    if route.field is None and not given:
        return None
    if route.field is None or len(given) != 1:
        text = "give `field` with exactly one of `is` and `is_not`"
        problems.add(place.file, place.line("field"), Code.CONDITION, text)
        return None
    if not given[0]:
        problems.add(place.file, place.line("field"), Code.CONDITION, "there is no value")
    return route.field, frozenset(given[0]), route.is_not is not None


def _hides(earlier: _Condition, later: _Condition) -> bool:
    """Whether whatever holds for ``later`` already holds for ``earlier``."""
    if earlier is None:
        return True
    if later is None or earlier[0] != later[0]:
        return False
    (_, ours, excludes), (_, theirs, they_exclude) = earlier, later
    if excludes and they_exclude:
        return ours <= theirs
    if excludes:
        return not ours & theirs
    return not they_exclude and theirs <= ours


def _leg(
    leg: Leg,
    place: Place,
    hosts: Mapping[str, Host],
    members: Mapping[str, str],
    problems: Problems,
) -> None:
    def add(code: Code, text: str) -> None:
        problems.add(place.file, place.line(), code, text)

    host = hosts.get(leg.host)
    if host is None:
        add(Code.REFERENCE, f"there is no host `{leg.host}`")
        return
    addresses = [leg.destination, leg.destination_field, leg.destinations]
    count = sum(address is not None for address in addresses)
    if count > 1:
        text = "give one of `destination`, `destination_field` and `destinations`"
        add(Code.LEG, text)
    has_members = host.dialect in {"niem", "nlets"}
    if has_members and count == 0:
        add(Code.LEG, f"`{leg.host}` wants destination codes, and the leg has none")
    if not has_members and count > 0:
        add(Code.LEG, f"`{leg.host}` has no destination codes, so the leg must have none")
    if host.dialect != "clets" and leg.key is not None and "." in leg.key:
        add(Code.LEG, f"`{leg.host}` has bare keys, and `{leg.key}` has a destination system")
    if leg.region_key is not None and (not has_members or "." in leg.region_key):
        add(Code.LEG, f"`{leg.host}`: only a host of regions takes a `region_key`, a bare one")
    if leg.destination is not None:
        code = leg.destination[:2] if len(leg.destination) == _ORI_LENGTH else leg.destination
        if code not in members:
            add(Code.REFERENCE, f"no host lists the destination code `{code}`")
