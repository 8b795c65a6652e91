"""The one JSON document that the engine compiles a bundle from."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from clets_core.config.model import (
        Agency,
        Configuration,
        Dialect,
        FollowUp,
        Framing,
        Host,
        Leg,
        Line,
        Route,
        Switch,
    )

_EPOCH = date(1970, 1, 1)
# DMPP sends a block and waits for its acknowledgement; the native protocol keeps 64 under way.
_WINDOWS: dict[Framing, int] = {"dmpp": 1, "native": 64}


def document(configuration: Configuration) -> bytes:
    """The bundle as JSON, in the form that ``rust/routing`` reads.

    The long tables are arrays of arrays in the column order of the structs there.
    """
    switch = configuration.switch
    return msgspec.json.encode(
        {
            "settings": _settings(switch),
            "agencies": [
                (a.code, a.name, a.class_, a.standing, a.county, *_signed(a))
                for a in configuration.agencies
            ],
            "lines": [_line(line) for line in configuration.lines],
            "hosts": [_host(host, switch) for host in configuration.hosts],
            "oris": [
                (o.ori, o.agency, o.full_access, o.criminal_history, o.station)
                for o in configuration.oris
            ],
            "stations": [(s.mnemonic, s.line, s.ori, s.kind) for s in configuration.stations],
            "users": [
                (
                    u.id,
                    u.agency,
                    u.level,
                    u.standing,
                    u.cleared,
                    u.statement,
                    (u.hired - _EPOCH).days,
                    _day(u.trained),
                    _day(u.training_to),
                )
                for u in configuration.users
            ],
            "groups": configuration.groups,
            "routes": [_route(route) for route in configuration.routes],
            "file_codes": [
                {"key": it.key, "field": it.field, "codes": list(it.codes.items())}
                for it in configuration.file_codes
            ],
            "dialects": [_dialect(dialect) for dialect in configuration.dialects],
            "follow_ups": [_follow_up(rule) for rule in configuration.follow_ups],
        }
    )


def _signed(agency: Agency) -> tuple[bool, bool, bool]:
    return agency.attested, agency.agreement, agency.mobile_chi


def _day(day: date | None) -> int | None:
    return None if day is None else (day - _EPOCH).days


def _settings(switch: Switch) -> dict[str, Any]:
    fields = msgspec.structs.asdict(switch.fields)
    return {
        "name": switch.name,
        "ori": switch.ori,
        "origin": switch.origin,
        "limits": switch.limits,
        "deadline_ms": switch.deadlines_ms,
        "delay_notice_ms": switch.delay_notices_ms,
        "reply_deadline_ms": switch.reply_deadline_ms,
        "control_station": switch.control_station or "",
        "time_zone": switch.time_zone,
        "alert_group": switch.alert_group or "",
        "confirmation_ms": switch.confirmations_ms,
        "rates": switch.rates,
        "fields": {name: field.code for name, field in fields.items()},
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "title": line.title,
        "framing": line.framing,
        "window": line.window or _WINDOWS[line.framing],
        "alternate": line.alternate or "",
        "divert_after_ms": line.divert_after_ms,
        "dedupes": line.dedupes,
        "county": line.county,
        "agencies": line.agencies,
        "dialect": line.dialect,
        "collate": line.collate,
        "collate_field": line.collate_field,
        "follow_ups": line.follow_ups,
    }


def _host(host: Host, switch: Switch) -> dict[str, Any]:
    return {
        "name": host.name,
        "title": host.title,
        "system": host.system,
        "framing": host.framing,
        "dialect": host.dialect,
        "ori": host.ori,
        "station": host.station,
        "window": host.window or _WINDOWS[host.framing],
        "alternate": host.alternate or "",
        "divert_after_ms": host.divert_after_ms,
        "dedupes": host.dedupes,
        "reply_deadline_ms": host.reply_deadline_ms or switch.reply_deadline_ms,
        "outstanding": host.outstanding or 0,
        "members": host.members,
    }


def _route(route: Route) -> dict[str, Any]:
    values = route.is_ if route.is_ is not None else route.is_not
    condition = None
    if route.field is not None:
        condition = {"field": route.field, "values": values, "negate": route.is_ is None}
    return {"keys": route.keys, "condition": condition, "legs": [_leg(leg) for leg in route.legs]}


def _leg(leg: Leg) -> dict[str, Any]:
    return {
        "host": leg.host,
        "key": leg.key,
        "destination_field": leg.destination_field,
        "destination": leg.destination,
        "addressed": leg.destinations == "message",
        "region_key": leg.region_key,
    }


def _dialect(dialect: Dialect) -> dict[str, Any]:
    return {
        "name": dialect.name,
        "renames": list(dialect.renames.items()),
        "keys": [
            {
                "entered": key.entered,
                "key": key.key,
                "with": key.with_,
                "destination_field": key.destination_field,
                "defaults": list(key.fields.items()),
            }
            for key in dialect.keys
        ],
    }


def _follow_up(rule: FollowUp) -> dict[str, Any]:
    return {
        "name": rule.name,
        "after": rule.after,
        "hosts": rule.hosts,
        "key": rule.key,
        "locators": [
            {
                "field": field.field,
                "label": field.label,
                "until": field.until or "",
                "bytes_max": field.width,
            }
            for field in rule.fields
        ],
    }
