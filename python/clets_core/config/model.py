"""What the files of a bundle hold, as immutable structs (``docs/reference/bundle.md``).

Times are in milliseconds, dates are UTC days, and every name is compared byte by byte.
"""

from __future__ import annotations

from datetime import date  # noqa: TC003 (msgspec reads the annotations when it runs)
from pathlib import Path  # noqa: TC003
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

OriText = Annotated[str, Meta(pattern=r"^[A-Z]{2}[A-Z0-9]{7}\Z", description="ORI")]
Mnemonic = Annotated[str, Meta(pattern=r"^[A-Z0-9]{3,11}\Z", description="identifier")]
GroupCode = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9]{2,10}\Z", description="identifier")]
UserText = Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,30}\Z", description="identifier")]
MemberCode = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9]\Z", description="identifier")]
Destination = Annotated[
    str, Meta(pattern=r"^[A-Z][A-Z0-9](?:[A-Z0-9]{7})?\Z", description="identifier")
]
FieldCode = Annotated[str, Meta(pattern=r"^[A-Z]{2,4}\Z", description="identifier")]
KeyText = Annotated[
    str, Meta(pattern=r"^(?:[A-Z]{2,4}\.(?:R\.)?)?[A-Z0-9]{1,6}\Z", description="identifier")
]
FieldValue = Annotated[str, Meta(pattern=r"^[A-Z0-9][A-Z0-9 ,-]{0,29}\Z", description="identifier")]
ReplyText = Annotated[str, Meta(pattern=r"^[ -~]{1,40}\Z")]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\Z")]
Title = Annotated[str, Meta(min_length=1, max_length=120)]
Window = Annotated[int, Meta(ge=1, le=1024)]
County = Annotated[int, Meta(ge=0, le=58)]
Milliseconds = Annotated[int, Meta(ge=0, le=2_592_000_000)]
ReplyDeadline = Annotated[int, Meta(ge=100, le=86_400_000)]
Framing = Literal["dmpp", "native"]
AgencyClass = Literal[
    "ca_cdcr",
    "ca_court",
    "ca_da",
    "ca_dmv",
    "ca_doj",
    "ca_lea",
    "ca_prob",
    "ca_tribal",
    "fed_cbp",
    "fed_crim",
    "fed_dhs_other",
    "fed_ice_ero",
    "fed_ice_hsi",
    "fed_taskforce",
    "fed_uscis",
    "fed_usbp",
    "ncja",
    "nlets_state",
    "private",
]
Level = Literal[
    "administrator", "full", "less_than_full", "none", "practitioner", "security_awareness"
]


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """A table or row of a bundle."""


class Listener(Entry, frozen=True, kw_only=True):
    """Where agencies' lines connect. Without ``plain`` all three TLS files are needed."""

    name: Name
    address: str
    framing: Framing
    plain: bool = False
    certificate: str | None = None
    key: str | None = None
    authority: str | None = None


class Limits(Entry, frozen=True, kw_only=True):
    """What the switch refuses beyond, each with its own code."""

    frame_bytes: Annotated[int, Meta(ge=256, le=16_777_216)] = 65_536
    queue_entries: Annotated[int, Meta(ge=1, le=100_000_000)] = 1_000_000
    destinations: Annotated[int, Meta(ge=1, le=32)] = 20
    group_stations: Annotated[int, Meta(ge=1, le=10_000)] = 2_000
    inquiries: Annotated[int, Meta(ge=1, le=100_000_000)] = 1_000_000
    duplicate_window_ms: Milliseconds = 86_400_000


class Deadlines(Entry, frozen=True, kw_only=True):
    """How long a message of each precedence may wait for delivery."""

    p0: Milliseconds = 600_000
    p1: Milliseconds = 3_600_000
    p2: Milliseconds = 60_000
    p2_update: Milliseconds = 259_200_000
    p3: Milliseconds = 259_200_000
    p4: Milliseconds = 86_400_000


class DelayNotices(Entry, frozen=True, kw_only=True):
    """After how long in a queue the sender is told; 0 is never."""

    p0: Milliseconds = 30_000
    p1: Milliseconds = 60_000
    p2: Milliseconds = 0
    p2_update: Milliseconds = 900_000
    p3: Milliseconds = 900_000
    p4: Milliseconds = 6_000_000


class Journal(Entry, frozen=True, kw_only=True):
    """How long the journal is kept: at least a year, three by default.

    CITE: CJISSECPOL AU-11, audit records for a year; 11 CCR 707(c), three years.
    """

    keep_days: Annotated[int, Meta(ge=365, le=36_500)] = 1_096


class Rate(Entry, frozen=True, kw_only=True):
    """So many messages a second, and so many at once; 0 a second is no limit."""

    per_second: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    burst: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


class Rates(Entry, frozen=True, kw_only=True):
    """How often one sender may send; what is beyond is turned away with E512.

    ``urgent`` are messages of P0 of one ORI; more of them are let in as P2 is.
    """

    line: Rate = Rate()
    ori: Rate = Rate()
    user: Rate = Rate()
    urgent: Rate = Rate()


class Confirmations(Entry, frozen=True, kw_only=True):
    """How long the answer to a hit confirmation may take: ``PRI/U`` and ``PRI/R``."""

    urgent: Annotated[int, Meta(ge=1_000, le=86_400_000)] = 600_000
    routine: Annotated[int, Meta(ge=1_000, le=86_400_000)] = 3_600_000


class FieldName(Entry, frozen=True, kw_only=True):
    """Which field of the site's form holds a fact, and on whose word."""

    code: FieldCode
    cite: Title


class FieldNames(Entry, frozen=True, kw_only=True):
    """The fields that policy facts are read from; the real form's names are not public."""

    purpose: FieldName
    california_purpose: FieldName
    reason: FieldName
    attention: FieldName
    case: FieldName


class Switch(Entry, frozen=True, kw_only=True):
    """``switch.toml``. ``ori`` is the origin of the switch's own notices.

    ``time_zone`` is the one whose days count: of rules, of training. ``control_station`` is told of
    alarms; ``alert_group`` gets what is for everyone, all fixed
    stations where there is none.
    """

    name: Title
    ori: OriText
    origin: Annotated[str, Meta(pattern=r"^[!-~]{1,120}\Z")]
    reply_deadline_ms: ReplyDeadline = 30_000
    limits: Limits = Limits()
    deadlines_ms: Deadlines = Deadlines()
    delay_notices_ms: DelayNotices = DelayNotices()
    confirmations_ms: Confirmations = Confirmations()
    rates: Rates = Rates()
    journal: Journal = Journal()
    time_zone: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,60}\Z")] = "UTC"
    control_station: Mnemonic | None = None
    alert_group: GroupCode | None = None
    fields: FieldNames
    listener: tuple[Listener, ...]


class Line(Entry, frozen=True, kw_only=True):
    """A line of ``lines.toml``: one authenticated computer and the agencies it speaks for."""

    name: Name
    title: Title
    framing: Framing
    window: Window | None = None
    alternate: Name | None = None
    divert_after_ms: Annotated[int, Meta(ge=0, le=86_400_000)] = 60_000
    county: County = 0
    peer: str | None = None
    certificate: str | None = None
    dedupes: bool = False
    dialect: Name | None = None
    collate: bool = False
    collate_field: FieldCode | None = None
    follow_ups: bool = False
    agencies: tuple[Name, ...]


class Host(Entry, frozen=True, kw_only=True):
    """A destination system of ``hosts.toml``, to which the switch connects.

    ``members`` are the destination codes it delivers to; another line may list some of its own.
    """

    name: Name
    title: Title
    system: Literal["dmv", "iii", "ncic", "nevada", "nlets", "oregon", "state"]
    address: str
    framing: Framing = "dmpp"
    dialect: Literal["clets", "ncic", "niem", "nlets"]
    ori: OriText
    station: Mnemonic
    window: Window | None = None
    alternate: Name | None = None
    divert_after_ms: Annotated[int, Meta(ge=0, le=86_400_000)] = 60_000
    dedupes: bool = False
    reply_deadline_ms: ReplyDeadline | None = None
    outstanding: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    members: tuple[MemberCode, ...] = ()
    plain: bool = False
    authority: str | None = None
    certificate: str | None = None
    key: str | None = None


class Leg(Entry, frozen=True, kw_only=True):
    """One system that a route asks. Without ``key`` it is asked with the key of the message."""

    host: Name
    key: KeyText | None = None
    destination: Destination | None = None
    destination_field: FieldCode | None = None
    destinations: Literal["message"] | None = None
    region_key: KeyText | None = None


class FileCode(Entry, frozen=True, kw_only=True):
    """A leg asked with another key when a field says so: the DMV's file code of a plate type."""

    key: KeyText
    field: FieldCode
    codes: Annotated[dict[FieldValue, KeyText], Meta(min_length=1)]
    cite: Title


class Route(Entry, frozen=True, kw_only=True):
    """A route of ``routes.toml``. ``""`` in ``is`` or ``is_not`` stands for an absent field."""

    keys: Annotated[tuple[KeyText, ...], Meta(min_length=1)]
    field: FieldCode | None = None
    is_: tuple[str, ...] | None = msgspec.field(default=None, name="is")
    is_not: tuple[str, ...] | None = None
    legs: Annotated[tuple[Leg, ...], Meta(min_length=1, max_length=16)]


class DialectKey(Entry, frozen=True, kw_only=True):
    """What a key of a county means. With ``with`` only in messages that hold that field."""

    entered: KeyText
    key: KeyText
    with_: FieldCode | None = msgspec.field(default=None, name="with")
    destination_field: FieldCode | None = None
    fields: dict[FieldCode, FieldValue] = {}


class Dialect(Entry, frozen=True, kw_only=True):
    """A county's own keys and field codes (``dialects.toml``); ``renames`` lead to the state's."""

    name: Name
    cite: Title
    renames: dict[FieldCode, FieldCode] = {}
    keys: tuple[DialectKey, ...] = ()


class Locator(Entry, frozen=True, kw_only=True):
    """Where a field stands in a reply: behind ``label``, up to ``until`` or the line's end."""

    field: FieldCode
    label: ReplyText
    until: ReplyText | None = None
    width: Annotated[int, Meta(ge=1, le=60)] = 30


class FollowUp(Entry, frozen=True, kw_only=True):
    """An inquiry that a reply makes the switch send by itself (``followups.toml``)."""

    name: Name
    title: Title
    after: Annotated[tuple[KeyText, ...], Meta(min_length=1)]
    hosts: Annotated[tuple[Name, ...], Meta(min_length=1)]
    key: KeyText
    fields: Annotated[tuple[Locator, ...], Meta(min_length=1, max_length=8)]


class Group(Entry, frozen=True, kw_only=True):
    """A broadcast group of ``groups.toml``. Without ``senders`` every agency may send to it."""

    code: GroupCode
    title: Title
    scope: Literal["group", "region", "state"] = "group"
    members: Annotated[tuple[str, ...], Meta(min_length=1)]
    senders: tuple[Name, ...] | None = None


class Agency(Entry, frozen=True, kw_only=True):
    """A row of ``agencies.csv``. County 0 is an agency of the state or the nation.

    ``attested``: it has signed not to use the system for immigration enforcement, which is asked of
    the offices of Homeland Security. ``agreement``: a criminal justice agency controls it by a
    management control agreement. ``mobile_chi``: its mobile terminals may ask for criminal history.
    """

    code: Name
    name: Title
    class_: AgencyClass = msgspec.field(name="class")
    standing: Literal["active", "no_chi", "suspended"]
    county: County
    attested: bool
    agreement: bool
    mobile_chi: bool


class Ori(Entry, frozen=True, kw_only=True):
    """A row of ``oris.csv``. ``station`` takes the traffic that nobody there asked for."""

    ori: OriText
    agency: Name
    full_access: bool
    criminal_history: bool
    station: Mnemonic | None = None


class Station(Entry, frozen=True, kw_only=True):
    """A row of ``stations.csv``."""

    mnemonic: Mnemonic
    line: Name
    ori: OriText
    kind: Literal["fixed", "interface", "mobile", "receive_only", "training"]


UserStanding = Literal["active", "dormant", "on_leave", "separated", "suspended", "trainee"]


class User(Entry, frozen=True, kw_only=True):
    """A row of ``users.csv``. ``training_to`` is the last day on which the training counts."""

    id: UserText
    agency: Name
    level: Level
    standing: UserStanding
    cleared: bool
    statement: bool
    hired: date
    trained: date | None = None
    training_to: date | None = None


class PolicyFile(Entry, frozen=True, kw_only=True):
    """A file of the ``policy`` folder that the engine reads."""

    name: str
    text: str


class Configuration(Entry, frozen=True, kw_only=True):
    """A whole bundle that has passed every check. ``hash`` is SHA-256 in hexadecimal."""

    path: Path
    hash: str
    switch: Switch
    lines: tuple[Line, ...]
    hosts: tuple[Host, ...]
    routes: tuple[Route, ...]
    file_codes: tuple[FileCode, ...]
    dialects: tuple[Dialect, ...]
    follow_ups: tuple[FollowUp, ...]
    groups: tuple[Group, ...]
    agencies: tuple[Agency, ...]
    oris: tuple[Ori, ...]
    stations: tuple[Station, ...]
    users: tuple[User, ...]
    policies: tuple[PolicyFile, ...]
    schema: str
