"""The files of the sample bundle, as text."""

from __future__ import annotations

import csv
import io
import json
import textwrap
from datetime import date
from importlib import resources
from typing import TYPE_CHECKING

import msgspec

from clets_core.config.model import Agency, Ori, Station, User
from clets_core.sample.counties import REGIONS, county_name
from clets_core.sample.world import (
    CAD_AGENCIES,
    CAD_LINE,
    MSC_AGENCIES,
    MSC_LINE,
    Site,
    World,
    county_line,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clets_core.config.model import Entry

COUNTIES = 58
HOST_PORT_OFFSET = 10
"""The first host listens this many ports above the first listener."""
WIDTH = 100

HOSTS = (
    ("svs", "Stolen Vehicle System", "state", "clets", "CA0349411", "CLETSSVS"),
    ("abs", "Automated Boat System", "state", "clets", "CA0349412", "CLETSABS"),
    ("afs", "Automated Firearms System", "state", "clets", "CA0349413", "CLETSAFS"),
    ("aps", "Automated Property System", "state", "clets", "CA0349414", "CLETSAPS"),
    ("wps", "Wanted Persons System", "state", "clets", "CA0349415", "CLETSWPS"),
    ("mups", "Missing and Unidentified Persons", "state", "clets", "CA0349416", "CLETSMUP"),
    ("carpos", "Restraining and Protective Orders", "state", "clets", "CA0349417", "CLETSCRP"),
    ("srf", "Supervised Release File", "state", "clets", "CA0349418", "CLETSSRF"),
    ("achs", "Criminal History System", "state", "clets", "CA0349419", "CLETSACH"),
    ("vcin", "Sex and Arson Registrants", "state", "clets", "CA0349420", "CLETSVCN"),
    ("apps", "Armed and Prohibited Persons", "state", "clets", "CA0349421", "CLETSAPP"),
    ("dmv", "California Department of Motor Vehicles", "dmv", "clets", "CA0349700", "CLETSDMV"),
    ("ncic", "National Crime Information Center", "ncic", "ncic", "DCNCIC000", "CLETSNCIC"),
    ("iii", "Interstate Identification Index", "iii", "ncic", "DCIII0000", "CLETSIII"),
    ("nlets", "Nlets", "nlets", "nlets", "NL0000000", "CLETSNLT"),
    ("oregon", "Oregon LEDS", "oregon", "clets", "ORLEDS000", "CLETSOR"),
    ("nevada", "Nevada NCJIS", "nevada", "niem", "NVNCJIS00", "CLETSNV"),
)
"""Name, title, destination system for policy, dialect, responder ORI, our station there."""

# Destination codes. CITE: Nlets, destination codes; NCIC uses NB for Nebraska. California is here.
_NLETS_MEMBERS = (
    "AL", "AK", "AZ", "AR", "CO", "CT", "DE", "DC", "FL", "GA", "GM", "HI", "ID", "IL", "IN", "IA",
    "KS", "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NB", "NH", "NJ", "NM", "NY",
    "NC", "ND", "OH", "OK", "OR", "PA", "PR", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "VI",
    "WA", "WV", "WI", "WY",
    "CN", "FN", "NA", "NL", "OD",
    "A1", "B1", "C1", "D1", "E1", "F1", "G1", "H1",
)  # fmt: skip
_MEMBERS = {"nlets": _NLETS_MEMBERS, "nevada": ("NV",)}
# Inquiries without an answer; the nation's files are shared by all states.
_METERED = {"ncic": 1024, "iii": 256}


_PLAIN = """\
The connections are plain TCP, and a line is known by the address it comes from: county *N* from
`127.0.1.N`, `msc-01` from `127.0.2.1`, `cad-01` from `127.0.2.2`. With `--tls` the same bundle asks
for client certificates instead."""

_TLS = """\
The connections are TLS, and a line is known by its client certificate
(`county-019.lines.clets.example` and so on) in `tls/lines`. The authority that made them was thrown
away; the keys must never be committed."""


def all_files(world: World, *, seed: int, port_base: int, tls: bool) -> dict[str, str]:
    """Every file of the bundle but the policies, by name."""
    return {
        "README.md": _template("readme.md").format(
            seed=seed,
            dmpp_port=port_base,
            native_port=port_base + 1,
            connections=_TLS if tls else _PLAIN,
            host_port=port_base + HOST_PORT_OFFSET,
            hosts=len(HOSTS),
            host_port_last=port_base + HOST_PORT_OFFSET + len(HOSTS) - 1,
            agencies=len(world.agencies),
            stations=f"{len(world.stations):,}",
            users=f"{len(world.users):,}",
            named_agencies=_named_agencies(world),
            named_users=_named_users(world),
            groups="\n".join(
                f"| `{code}` | {title} | {len(members):,} |"
                for code, title, members in _group_table(world)
            ),
        ),
        "switch.toml": _switch(port_base, tls=tls),
        "lines.toml": _lines(world, tls=tls),
        "hosts.toml": _hosts(port_base),
        "routes.toml": _template("routes.toml"),
        "dialects.toml": _template("dialects.toml"),
        "followups.toml": _template("followups.toml"),
        "groups.toml": _groups(world),
        "agencies.csv": _csv(Agency, world.agencies),
        "oris.csv": _csv(Ori, world.oris),
        "stations.csv": _csv(Station, world.stations),
        "users.csv": _csv(User, world.users),
    }


def line_names() -> list[str]:
    """Every line of the sample, in the order of ``lines.toml``."""
    return [*(county_line(number) for number in range(1, COUNTIES + 1)), MSC_LINE, CAD_LINE]


def certificate_name(line: str) -> str:
    """The name in a line's client certificate."""
    return f"{line}.lines.clets.example"


def _template(name: str) -> str:
    return resources.files("clets_core.sample").joinpath(name).read_text("utf-8")


def _switch(port_base: int, *, tls: bool) -> str:
    security = "plain = true"
    if tls:
        security = "\n".join(
            f'{key} = "tls/{file}"'
            for key, file in (
                ("certificate", "switch.pem"),
                ("key", "switch.key"),
                ("authority", "authority.pem"),
            )
        )
    return _template("switch.toml").format(dmpp=port_base, native=port_base + 1, security=security)


def _lines(world: World, *, tls: bool) -> str:
    served: dict[str, list[str]] = {name: [] for name in line_names()}
    for site in world.sites:
        served[site.line].append(site.code)
    served[MSC_LINE] = list(MSC_AGENCIES)
    served[CAD_LINE] = list(CAD_AGENCIES)
    tables = [
        "# One line for each county, and two that connect directly. A line is known by the\n"
        "# address it comes from, or by the name in its certificate.\n"
    ]
    for number, (name, agencies) in enumerate(served.items(), start=1):
        direct = number > COUNTIES
        title = f"{county_name(number)} County" if not direct else _DIRECT[name]
        table: dict[str, object] = {
            "name": name,
            "title": title,
            "framing": "native" if direct else "dmpp",
            "county": int(agencies[0].split("-")[1]) if direct else number,
        }
        if tls:
            table["certificate"] = certificate_name(name)
        else:
            table["peer"] = f"127.0.2.{number - COUNTIES}" if direct else f"127.0.1.{number}"
        if direct:
            # The native protocol numbers what it sends, so its receivers know what they have.
            table["dedupes"] = True
        table |= _CONVERSATION.get(name, {})
        table["agencies"] = sorted(agencies)
        tables.append(_table("line", table))
    return "\n".join(tables)


# How these lines talk: a county's own keys, replies gathered when a message says COL/Y, and
# inquiries that follow from replies. Others enter the state's keys and get each reply by itself.
_CONVERSATION: dict[str, dict[str, object]] = {
    county_line(37): {"dialect": "san-diego", "collate_field": "COL", "follow_ups": True},
    CAD_LINE: {"collate_field": "COL"},
}

_DIRECT = {
    MSC_LINE: "East Shore message switching computer (joint powers)",
    CAD_LINE: "Computer-aided dispatch of one city",
}


def _hosts(port_base: int) -> str:
    tables = [
        "# The destination systems, each with an address of its own; simulated ones stand in for\n"
        "# all of them.\n"
    ]
    for place, (name, title, system, dialect, ori, station) in enumerate(HOSTS):
        table: dict[str, object] = {
            "name": name,
            "title": title,
            "system": system,
            "address": f"127.0.0.1:{port_base + HOST_PORT_OFFSET + place}",
            "framing": "dmpp",
            "dialect": dialect,
            "ori": ori,
            "station": station,
            "plain": True,
        }
        if name in _METERED:
            table["outstanding"] = _METERED[name]
        if name in _MEMBERS:
            table["members"] = _MEMBERS[name]
        tables.append(_table("host", table))
    return "\n".join(tables)


def _groups(world: World) -> str:
    titles = {
        "GSO": "group",
        "GLA": "group",
        "GI5": "group",
        "GSTATE": "state",
    }
    tables = ["# Broadcast groups. A member is a station, an ORI (its station) or another group.\n"]
    for code, title, members in _group_table(world):
        table: dict[str, object] = {
            "code": code,
            "title": title,
            "scope": titles.get(code, "region"),
            "members": members,
        }
        if code == "GSTATE":
            table["senders"] = ["doj", "hwp"]
        tables.append(_table("group", table))
    return "\n".join(tables)


def _group_table(world: World) -> list[tuple[str, str, list[str]]]:
    """Code, title and members of each group."""
    police = [site for site in world.sites if site.family in {"so", "pd"}]
    police.sort(key=lambda site: site.ori)

    def oris(sites: Iterable[Site]) -> list[str]:
        return [site.ori for site in sites]

    los_angeles = {site.ori for site in police if site.county == 19}
    groups = [
        (code, f"{title}: sheriffs and police", oris(s for s in police if s.county in counties))
        for code, (title, counties) in REGIONS.items()
    ]
    fixed = [
        station.mnemonic
        for station in world.stations
        if station.ori in los_angeles and station.kind == "fixed"
    ]
    return [
        *groups,
        ("GSO", "All sheriffs", oris(site for site in police if site.family == "so")),
        ("GLA", "Every fixed station of Los Angeles County", sorted(fixed)),
        ("GI5", "Interstate 5 corridor", ["GCENT", "GSOUTH", "CA0340000", "CA0450000"]),
        ("GSTATE", "All points: every sheriff and police department", list(REGIONS)),
    ]


def _named_agencies(world: World) -> str:
    rows = []
    for site in world.sites:
        if site.note:
            stations = _first_stations(site, world.stations)
            row = (f"`{site.code}`", site.name, f"`{site.ori}`", f"`{site.line}`", stations)
            rows.append(f"| {' | '.join(row)} | {site.note} |")
    return "\n".join(rows)


def _first_stations(site: Site, stations: Sequence[Station]) -> str:
    """The first mnemonic of each kind of station on each line."""
    seen: dict[tuple[str, str], str] = {}
    for station in stations:
        if station.ori == site.ori:
            where = "" if station.line == site.line else f" ({station.line})"
            seen.setdefault((station.kind, station.line), f"`{station.mnemonic}`{where}")
    return ", ".join(seen.values())


def _named_users(world: World) -> str:
    named = [user for user in world.users if user.id in world.user_notes]
    return "\n".join(
        f"| `{user.id}` | `{user.agency}` | {world.user_notes[user.id]} |" for user in named
    )


def _csv(kind: type[Entry], rows: Sequence[Entry]) -> str:
    columns = msgspec.structs.fields(kind)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(column.encode_name for column in columns)
    for row in rows:
        writer.writerow(_cell(getattr(row, column.name)) for column in columns)
    return out.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def _table(name: str, table: dict[str, object]) -> str:
    lines = [f"[[{name}]]"]
    for key, value in table.items():
        if isinstance(value, list | tuple):
            text = _array(key, [str(item) for item in value])
        else:
            # JSON writes strings, numbers and booleans as TOML does.
            text = f"{key} = {json.dumps(value)}"
        lines.append(text)
    return "\n".join(lines) + "\n"


def _array(key: str, items: list[str]) -> str:
    quoted = [json.dumps(item) for item in items]
    short = f"{key} = [{', '.join(quoted)}]"
    if len(short) <= WIDTH:
        return short
    indent = "    "
    body = textwrap.fill(
        ", ".join(quoted) + ",",
        width=WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"{key} = [\n{body}\n]"
