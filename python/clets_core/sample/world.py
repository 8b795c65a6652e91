"""The people and places of the sample: agencies, ORIs, stations, users.

All of it is invented, except the names and numbers of the counties.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Literal

from clets_core.config.model import (
    Agency,
    AgencyClass,
    Level,
    Ori,
    Station,
    User,
    UserStanding,
)
from clets_core.sample.counties import CITIES, WITHOUT_CITIES, county_name
from clets_core.sample.draw import Draw

USERS = 20_000
"""Users made besides the named ones."""
FIRST_USER = 101
"""Number of the first of them: ``U000101``."""
# The sample must not grow old: whoever is trained in it stays so.
TRAINED_UNTIL = date(2099, 12, 31)
LAPSED_SINCE = date(2025, 12, 31)

MSC_LINE, MSC_AGENCIES = "msc-01", ("pd-001-01", "pd-001-02", "pd-001-03")
CAD_LINE, CAD_AGENCIES = "cad-01", ("pd-034-01",)
MSC_MOBILES = 12
CAD_INTERFACES = 2

_FIRST = (
    "Alder", "Aspen", "Bishop", "Canyon", "Cedar", "Cliff", "Coyote", "Eagle", "Foothill",
    "Granite", "Harbor", "Juniper", "Laurel", "Manzanita", "Mesa", "Oak", "Poppy", "Quail",
    "Redbud", "Willow",
)  # fmt: skip
_SECOND = (
    "Springs", "Grove", "Point", "Hollow", "Ridge", "Flats", "Landing", "Meadows", "Crossing",
    "Heights", "Bluffs", "Creek", "Terrace", "Junction", "Mills", "Park", "Glen", "Vista",
)  # fmt: skip

StationKind = Literal["fixed", "interface", "mobile", "receive_only", "training"]
Standing = Literal["active", "no_chi", "suspended"]
# The first letter of a mnemonic tells the kind of station.
_LETTERS: dict[StationKind, str] = {
    "fixed": "A",
    "interface": "I",
    "mobile": "M",
    "receive_only": "R",
    "training": "T",
}
# Offices beyond the state that rules must know by their ORI: code, name, class, ORI.
# CITE: Nlets public guide, immigration alien query: the Law Enforcement Support Center.
_BEYOND: tuple[tuple[str, str, AgencyClass, str], ...] = (
    ("lesc", "ICE Law Enforcement Support Center", "fed_ice_ero", "VTICE0900"),
)
# How many stations of which kind an agency of each family has.
_STATIONS: dict[str, tuple[tuple[StationKind, int], ...]] = {
    "so": (("fixed", 4), ("mobile", 3), ("receive_only", 1)),
    "pd": (("fixed", 3), ("mobile", 2)),
    "other": (("fixed", 1),),
}
# Users of an agency of each family, in shares.
_WEIGHTS = {"so": 9, "pd": 5, "other": 1}


@dataclass(frozen=True)
class Site:
    """An agency with its ORI, and why it is named in the README (nothing for most)."""

    code: str
    name: str
    class_: AgencyClass
    ori: str
    county: int
    line: str
    standing: Standing = "active"
    full_access: bool = True
    criminal_history: bool = True
    attested: bool = False
    agreement: bool = False
    mobile_chi: bool = True
    note: str = ""

    @property
    def family(self) -> str:
        """``so``, ``pd`` or ``other``."""
        head = self.code.partition("-")[0]
        return head if head in _STATIONS else "other"


@dataclass
class World:
    """All rows of the four tables, the named ones first, and the README's remarks."""

    sites: list[Site] = field(default_factory=list)
    agencies: list[Agency] = field(default_factory=list)
    oris: list[Ori] = field(default_factory=list)
    stations: list[Station] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    user_notes: dict[str, str] = field(default_factory=dict)


def build(seed: int) -> World:
    """The sample world of a seed."""
    world = World()
    world.sites = _sites()
    numbers: Counter[str] = Counter()
    for site in world.sites:
        stations = _stations(site, numbers)
        world.stations += stations
        first = next(station for station in stations if station.kind == "fixed")
        world.agencies.append(
            Agency(
                code=site.code,
                name=site.name,
                class_=site.class_,
                standing=site.standing,
                county=site.county,
                attested=site.attested,
                agreement=site.agreement,
                mobile_chi=site.mobile_chi,
            )
        )
        world.oris.append(
            Ori(
                ori=site.ori,
                agency=site.code,
                full_access=site.full_access,
                criminal_history=site.criminal_history,
                station=first.mnemonic,
            )
        )
    for code, name, class_, ori in _BEYOND:
        world.agencies.append(
            Agency(
                code=code,
                name=name,
                class_=class_,
                standing="active",
                county=0,
                attested=False,
                agreement=False,
                mobile_chi=False,
            )
        )
        world.oris.append(
            Ori(ori=ori, agency=code, full_access=False, criminal_history=False, station=None)
        )
    for user, note in _named_users():
        world.users.append(user)
        world.user_notes[user.id] = note
    world.users += _users(world.sites, Draw(seed))
    return world


def county_line(county: int) -> str:
    """Name of a county's line."""
    return f"county-{county:03}"


def _ori(county: int, agency: int) -> str:
    return f"CA{county:03}{agency:02}00"


def _sites() -> list[Site]:
    sites = {site.code: site for county in range(1, 59) for site in _county_sites(county)}
    sites |= {site.code: site for site in _further_sites()}
    changed: dict[str, dict[str, object]] = {
        "so-019": {"note": "a large county's sheriff, on the county's line (DMPP)"},
        "pd-019-01": {"note": "a city behind the same county line"},
        "pd-019-02": {
            "standing": "no_chi",
            "criminal_history": False,
            "note": "may not have criminal history",
        },
        "pd-019-03": {"standing": "suspended", "note": "suspended by the state"},
        "ct-019": {"note": "limited-access ORI"},
        "so-038": {"note": "another county"},
        "pd-001-01": {"note": "mobile terminals behind a message switching computer (native)"},
        "pd-034-01": {"note": "dispatch system with a line of its own (native)"},
    }
    for code, change in changed.items():
        sites[code] = replace(sites[code], **change)  # type: ignore[arg-type]
    named = [site for site in sites.values() if site.note]
    order = [*changed, *(site.code for site in named if site.code not in changed)]
    first = [sites[code] for code in order]
    return [*first, *(site for site in sites.values() if not site.note)]


def _county_sites(county: int) -> list[Site]:
    name, line = county_name(county), county_line(county)

    def site(code: str, title: str, class_: AgencyClass, number: int, *, full: bool = True) -> Site:
        ori = _ori(county, number)
        return Site(code, title, class_, ori, county, line, full_access=full)

    sites = [site(f"so-{county:03}", f"{name} County Sheriff", "ca_lea", 0)]
    count = 0 if county in WITHOUT_CITIES else CITIES.get(county, 2)
    for number in range(1, count + 1):
        city = _city_name(county, number)
        code = f"pd-{county:03}-{number:02}"
        sites.append(site(code, f"{city} Police Department", "ca_lea", number))
    sites += [
        site(f"da-{county:03}", f"{name} County District Attorney", "ca_da", 90),
        site(f"pr-{county:03}", f"{name} County Probation", "ca_prob", 91),
        site(f"ct-{county:03}", f"Superior Court, {name} County", "ca_court", 92, full=False),
    ]
    return sites


def _city_name(county: int, number: int) -> str:
    """A place name that no other city of the sample has."""
    serial = sum(
        0 if other in WITHOUT_CITIES else CITIES.get(other, 2) for other in range(1, county)
    )
    serial += number - 1
    # 19 has no factor in common with the 360 names, so each comes once.
    place = serial * 19 % (len(_FIRST) * len(_SECOND))
    return f"{_FIRST[place // len(_SECOND)]} {_SECOND[place % len(_SECOND)]}"


def _further_sites() -> list[Site]:
    """Agencies of the state and the nation; they use the line of the county they are in."""

    def site(
        code: str, name: str, class_: AgencyClass, county: int, number: int, **rest: object
    ) -> Site:
        line = county_line(county)
        values = {"county": 0, "line": line} | rest
        return Site(code, name, class_, _ori(county, number), **values)  # type: ignore[arg-type]

    return [
        site("doj", "State Department of Justice, command center", "ca_doj", 34, 94,
             note="may send to the statewide group GSTATE"),
        site("hwp", "State Highway Patrol, communications", "ca_lea", 34, 95,
             note="may send to the statewide group GSTATE"),
        site("cdcr", "State corrections, parole desk", "ca_cdcr", 34, 96,
             mobile_chi=False),
        site("dmv-inv", "Motor vehicle investigations", "ca_dmv", 34, 97, criminal_history=False),
        site("tpd-033", "Mesa Verde Tribal Police", "ca_tribal", 33, 93),
        site("ero-019", "ICE removal operations, field office", "fed_ice_ero", 19, 96,
             note="refused by rule for everything but what the law leaves open"),
        site("hsi-019", "Homeland Security investigations, field office", "fed_ice_hsi", 19, 97,
             attested=True),
        site("fbi-019", "Federal criminal investigations, field office", "fed_crim", 19, 98,
             note="federal criminal agency"),
        site("tf-019", "Regional narcotics task force", "fed_taskforce", 19, 99),
        site("usbp-037", "Border Patrol, sector communications", "fed_usbp", 37, 96),
        site("it-019", "County information technology", "ncja", 19, 95, full_access=False,
             criminal_history=False, note="not a criminal justice agency"),
    ]  # fmt: skip


def _stations(site: Site, numbers: Counter[str]) -> list[Station]:
    found = [
        _station(site, kind, site.line, numbers)
        for kind, count in _STATIONS[site.family]
        for _ in range(count)
    ]
    if site.code in MSC_AGENCIES:
        found += [_station(site, "mobile", MSC_LINE, numbers) for _ in range(MSC_MOBILES)]
    if site.code in CAD_AGENCIES:
        found += [_station(site, "interface", CAD_LINE, numbers) for _ in range(CAD_INTERFACES)]
    return found


def _station(site: Site, kind: StationKind, line: str, numbers: Counter[str]) -> Station:
    # Agencies without a county of their own are numbered where they are connected.
    head = f"{_LETTERS[kind]}{site.ori[2:5]}"
    numbers[head] += 1
    return Station(mnemonic=f"{head}{numbers[head]:04}", line=line, ori=site.ori, kind=kind)


def _named_users() -> list[tuple[User, str]]:
    people: list[tuple[int, str, str, dict[str, object]]] = [
        (1, "so-019", "full access, everything in order", {}),
        (2, "so-019", "less than full access: asks, but changes nothing",
         {"level": "less_than_full"}),
        (3, "so-019", "practitioner: is given answers, uses no terminal",
         {"level": "practitioner"}),
        (4, "so-019", "administrator: manages, asks nothing", {"level": "administrator"}),
        (5, "so-019", "security awareness only", {"level": "security_awareness"}),
        (6, "so-019", "training lapsed on 2025-12-31",
         {"trained": date(2023, 11, 6), "training_to": LAPSED_SINCE}),
        (7, "so-019", "never trained, and the six months are over",
         {"hired": date(2024, 1, 2), "trained": None, "training_to": None}),
        (8, "so-019", "background check not complete", {"cleared": False}),
        (9, "so-019", "statement not signed", {"statement": False}),
        (10, "so-019", "account suspended", {"standing": "suspended"}),
        (11, "so-019", "has left the agency", {"standing": "separated"}),
        (12, "so-019", "hired 2026-10-01 and not yet trained: in grace through 2027-04-02",
         {"hired": date(2026, 10, 1), "trained": None, "training_to": None}),
        (13, "so-019", "no level on record", {"level": "none"}),
        (14, "so-019", "trainee: test records only", {"standing": "trainee"}),
        (15, "so-019", "on leave", {"standing": "on_leave"}),
        (16, "so-019", "account dormant", {"standing": "dormant"}),
        (21, "pd-019-01", "full access, city behind a county line", {}),
        (22, "pd-019-02", "full access, agency without criminal history", {}),
        (23, "pd-019-03", "full access, agency suspended", {}),
        (24, "ct-019", "full access, limited-access ORI", {}),
        (31, "pd-001-01", "full access, mobile terminal behind the switching computer", {}),
        (41, "pd-034-01", "full access, dispatch system", {}),
        (51, "so-038", "full access, another county", {}),
        (61, "doj", "full access, state command center", {}),
        (62, "hwp", "full access, highway patrol", {}),
        (71, "ero-019", "full access, immigration removal office", {}),
        (72, "fbi-019", "full access, federal criminal agency", {}),
        (73, "it-019", "full access, not a criminal justice agency", {}),
    ]  # fmt: skip
    found = []
    for number, agency, note, change in people:
        usual: dict[str, object] = {
            "level": "full",
            "standing": "active",
            "cleared": True,
            "statement": True,
            "hired": date(2015, 3, 2),
            "trained": date(2015, 4, 6),
            "training_to": TRAINED_UNTIL,
        }
        user = User(id=_user_id(number), agency=agency, **(usual | change))  # type: ignore[arg-type]
        found.append((user, note))
    return found


def _user_id(number: int) -> str:
    return f"U{number:06}"


def _users(sites: list[Site], draw: Draw) -> list[User]:
    """Most users in order, some with each thing that can be wrong."""
    # Every agency gets its share, so that any of them can be used in a test.
    total = sum(_WEIGHTS[site.family] for site in sites)
    desks = [site for site in sites for _ in range(_WEIGHTS[site.family])]
    return [
        _user(_user_id(FIRST_USER + place), desks[place % total], draw) for place in range(USERS)
    ]


def _user(user_id: str, site: Site, draw: Draw) -> User:
    hired = date(2004, 1, 5) + timedelta(days=draw.below(7_300))
    trained: date | None = hired + timedelta(days=10 + draw.below(150))
    training_to: date | None = TRAINED_UNTIL
    if draw.chance(3):
        training_to = max(LAPSED_SINCE - timedelta(days=draw.below(300)), trained or hired)
    elif draw.chance(1):
        trained = training_to = None
    standing: UserStanding = "active"
    if draw.chance(2):
        standing = "separated"
    elif draw.chance(0.5):
        standing = "suspended"
    return User(
        id=user_id,
        agency=site.code,
        level=_level(draw),
        standing=standing,
        cleared=not draw.chance(1),
        statement=not draw.chance(1),
        hired=hired,
        trained=trained,
        training_to=training_to,
    )


def _level(draw: Draw) -> Level:
    place = draw.below(100)
    for share, level in _LEVELS:
        if place < share:
            return level
    return "none"


# Running totals of a hundred.
_LEVELS: tuple[tuple[int, Level], ...] = (
    (68, "full"),
    (90, "less_than_full"),
    (94, "practitioner"),
    (96, "administrator"),
    (99, "security_awareness"),
)
