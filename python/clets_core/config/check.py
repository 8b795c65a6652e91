"""What must hold between the files of a bundle."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from clets_core.config.model import (
    Agency,
    Dialect,
    Entry,
    FileCode,
    FollowUp,
    Group,
    Host,
    Line,
    Listener,
    Ori,
    Route,
    Station,
    Switch,
    User,
)
from clets_core.config.problem import Code, Problems
from clets_core.config.routes import check_routes
from clets_core.config.translation import check_dialects, check_file_codes, check_follow_ups

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from clets_core.config.source import Located, Place

E = TypeVar("E", bound=Entry)

# Ids are 16 bits wide in the engine.
_LINES_MAX = _AGENCIES_MAX = _GROUPS_MAX = 65_535
_GROUP_DEPTH_MAX = 16


@dataclass
class Draft:
    """A bundle as read, before its files have been compared."""

    path: Path
    switch: Located[Switch] | None
    lines: list[Located[Line]]
    hosts: list[Located[Host]]
    routes: list[Located[Route]]
    file_codes: list[Located[FileCode]]
    dialects: list[Located[Dialect]]
    follow_ups: list[Located[FollowUp]]
    groups: list[Located[Group]]
    agencies: list[Located[Agency]]
    oris: list[Located[Ori]]
    stations: list[Located[Station]]
    users: list[Located[User]]


def check(draft: Draft, problems: Problems) -> None:
    """Adds a problem for everything in the draft that does not fit together."""
    _Check(draft, problems).run()


class _Check:
    def __init__(self, draft: Draft, problems: Problems) -> None:
        self.draft = draft
        self.problems = problems
        # A first pass finds duplicates, and gives the names that references are looked up in.
        self.lines = self._unique([(x.entry.name, x) for x in draft.lines], "line")
        hosts = [(x.entry.name, x) for x in draft.hosts]
        self.hosts = self._unique(hosts, "line or host", taken=self.lines)
        self.agencies = self._unique([(x.entry.code, x) for x in draft.agencies], "agency")
        self.oris = self._unique([(x.entry.ori, x) for x in draft.oris], "ORI")
        self.stations = self._unique([(x.entry.mnemonic, x) for x in draft.stations], "station")
        self.groups = self._unique([(x.entry.code, x) for x in draft.groups], "group")
        self._unique([(x.entry.id, x) for x in draft.users], "user")
        self.dialects = self._unique([(x.entry.name, x) for x in draft.dialects], "dialect")
        self._unique([(x.entry.name, x) for x in draft.follow_ups], "follow-up")
        self.members = self._members()

    def run(self) -> None:
        self._counts()
        self._listeners()
        self._lines()
        self._hosts()
        self._oris()
        self._stations()
        self._users()
        self._groups()
        self._alarms()
        check_routes(self.draft.routes, self.hosts, self.members, self.problems)
        routed = {key for located in self.draft.routes for key in located.entry.keys}
        fields = self.draft.switch.entry.fields if self.draft.switch else None
        check_dialects(self.draft.dialects, routed, fields, self.problems)
        check_file_codes(self.draft.file_codes, self.draft.routes, self.problems)
        check_follow_ups(self.draft.follow_ups, routed, self.hosts, self.problems)

    def _add(self, place: Place, code: Code, text: str, key: str | None = None) -> None:
        self.problems.add(place.file, place.line(key), code, text)

    def _unique(
        self,
        named: Iterable[tuple[str, Located[E]]],
        what: str,
        taken: Iterable[str] = (),
    ) -> dict[str, E]:
        found: dict[str, E] = {}
        others = set(taken)
        for name, located in named:
            if name in found or name in others:
                text = f"the {what} `{name}` is there twice"
                self._add(located.place, Code.DUPLICATE, text)
            else:
                found[name] = located.entry
        return found

    def _known(
        self, names: Iterable[str], name: str, what: str, place: Place, key: str | None = None
    ) -> bool:
        if name in names:
            return True
        self._add(place, Code.REFERENCE, f"there is no {what} `{name}`", key)
        return False

    def _counts(self) -> None:
        draft = self.draft
        lines = len(draft.lines) + len(draft.hosts)
        for count, most, file, what in (
            (lines, _LINES_MAX, "lines.toml", "lines and hosts"),
            (len(draft.agencies), _AGENCIES_MAX, "agencies.csv", "agencies"),
            (len(draft.groups), _GROUPS_MAX, "groups.toml", "groups"),
        ):
            if count > most:
                text = f"{count} {what}, and at most {most} are possible"
                self.problems.add(file, 0, Code.TOO_MANY, text)

    def _members(self) -> dict[str, str]:
        """Destination code to the host that lists it."""
        members: dict[str, str] = {}
        for located in self.draft.hosts:
            for code in located.entry.members:
                if code in members:
                    text = f"the destination code `{code}` is also listed by `{members[code]}`"
                    self._add(located.place, Code.AMBIGUOUS, text, "members")
                else:
                    members[code] = located.entry.name
        return members

    def _listeners(self) -> None:
        if self.draft.switch is None:
            return
        place, addresses = self.draft.switch.place, set[str]()
        listeners = self.draft.switch.entry.listener
        if not listeners:
            self._add(place, Code.KEY_ABSENT, "there is no [[listener]]: no line could connect")
        names = set[str]()
        for index, listener in enumerate(listeners):
            at = place.child("listener", index)
            if listener.name in names:
                self._add(at, Code.DUPLICATE, f"the listener `{listener.name}` is there twice")
            names.add(listener.name)
            self._address(listener.address, addresses, at)
            self._security(listener, at)

    def _address(self, address: str, taken: set[str], place: Place) -> None:
        if not is_address(address):
            text = f"`{address}` is not HOST:PORT with a port of 1-65535"
            self._add(place, Code.ADDRESS, text, "address")
        elif address in taken:
            self._add(place, Code.ADDRESS, f"`{address}` is used twice", "address")
        taken.add(address)

    def _security(self, entry: Listener | Host, place: Place) -> None:
        files = {key: getattr(entry, key) for key in ("certificate", "key", "authority")}
        given = [key for key, value in files.items() if value is not None]
        if entry.plain:
            if given:
                text = f"`plain` is set, so `{given[0]}` would mean nothing"
                self._add(place, Code.SECURITY, text, given[0])
            return
        for key, file in files.items():
            if file is None:
                text = f"`{key}` is missing, and `plain` is not set"
                self._add(place, Code.SECURITY, text)
        for key in given:
            if not (self.draft.path / str(files[key])).is_file():
                text = f"`{key}`: there is no file `{files[key]}`"
                self._add(place, Code.SECURITY, text, key)

    def _lines(self) -> None:
        switch = self.draft.switch
        listeners = switch.entry.listener if switch else None
        peers: dict[str, str] = {}
        for located in self.draft.lines:
            line, place = located.entry, located.place
            for code in line.agencies:
                self._known(self.agencies, code, "agency", place, "agencies")
            self._alternate(line, self.lines, place)
            if line.dialect is not None:
                self._known(self.dialects, line.dialect, "dialect", place, "dialect")
            if (line.peer is None) == (line.certificate is None):
                text = "give either `peer` or `certificate`"
                self._add(place, Code.PEER, text)
                continue
            if line.peer is not None and not _is_ip(line.peer):
                text = f"`{line.peer}` is not an IP address"
                self._add(place, Code.PEER, text, "peer")
            identity = _identity(line)
            if identity in peers:
                text = f"`{peers[identity]}` is known by the same"
                key = "peer" if line.peer is not None else "certificate"
                self._add(place, Code.PEER_SHARED, text, key)
            peers.setdefault(identity, line.name)
            plain = line.peer is not None
            if listeners is not None and not any(
                listener.framing == line.framing and listener.plain == plain
                for listener in listeners
            ):
                kind = "plain" if plain else "TLS"
                text = f"no {kind} listener takes {line.framing} lines"
                self._add(place, Code.PEER, text)

    def _hosts(self) -> None:
        addresses: set[str] = set()
        for located in self.draft.hosts:
            self._address(located.entry.address, addresses, located.place)
            self._security(located.entry, located.place)
            self._alternate(located.entry, self.hosts, located.place)

    def _alternate(
        self, line: Line | Host, others: Mapping[str, Line | Host], place: Place
    ) -> None:
        name = line.alternate
        if name is None:
            return
        other = others.get(name)
        if other is None:
            self._known(others, name, "line of its kind", place, "alternate")
        elif other.name == line.name or not _stands_in(line, other):
            text = f"`{name}` cannot stand in for `{line.name}`"
            self._add(place, Code.ALTERNATE, text, "alternate")

    def _oris(self) -> None:
        for located in self.draft.oris:
            ori, place = located.entry, located.place
            self._known(self.agencies, ori.agency, "agency", place)
            if ori.station is not None:
                self._known(self.stations, ori.station, "station", place)
            # Without a station it is only known: an office beyond the state, whose class counts.
            if ori.station is not None and ori.ori[:2] in self.members:
                text = f"`{ori.ori}` would also be reached by the code `{ori.ori[:2]}`"
                self._add(place, Code.AMBIGUOUS, text)

    def _stations(self) -> None:
        served = {name: set(line.agencies) for name, line in self.lines.items()}
        for located in self.draft.stations:
            station, place = located.entry, located.place
            for names, what in ((self.groups, "group"), (self.oris, "ORI")):
                if station.mnemonic in names:
                    text = f"`{station.mnemonic}` is also the name of a {what}"
                    self._add(place, Code.AMBIGUOUS, text)
            ori = self.oris.get(station.ori)
            line = self._known(self.lines, station.line, "line", place)
            if ori is None:
                self._known(self.oris, station.ori, "ORI", place)
            elif line and ori.agency not in served[station.line]:
                text = f"the line `{station.line}` does not speak for the agency `{ori.agency}`"
                self._add(place, Code.BINDING, text)

    def _users(self) -> None:
        for located in self.draft.users:
            user, place = located.entry, located.place
            self._known(self.agencies, user.agency, "agency", place)
            if user.trained is None:
                if user.training_to is not None:
                    self._add(place, Code.DATES, "`training_to` without `trained`")
            elif user.training_to is None:
                self._add(place, Code.DATES, "`trained` without `training_to`")
            elif user.training_to < user.trained:
                self._add(place, Code.DATES, "`training_to` is before `trained`")
            elif user.trained < user.hired:
                self._add(place, Code.DATES, "`trained` is before `hired`")

    def _alarms(self) -> None:
        switch = self.draft.switch
        if switch is None:
            return
        station, group = switch.entry.control_station, switch.entry.alert_group
        if station is not None:
            self._known(self.stations, station, "station", switch.place, "control_station")
        if group is not None:
            self._known(self.groups, group, "group", switch.place, "alert_group")

    def _groups(self) -> None:
        depths: dict[str, int] = {}
        switch = self.draft.switch
        most = switch.entry.limits.group_stations if switch else None
        for located in self.draft.groups:
            group, place = located.entry, located.place
            for code in group.members:
                self._member(code, place)
            for code in group.senders or ():
                self._known(self.agencies, code, "agency", place, "senders")
            if group.code in self.members:
                text = f"`{group.code}` is also a destination code"
                self._add(place, Code.AMBIGUOUS, text, "code")
            if self._depth(group.code, (), depths) > _GROUP_DEPTH_MAX:
                text = f"the group contains itself, or groups {_GROUP_DEPTH_MAX} deep"
                self._add(place, Code.CIRCLE, text, "members")
            elif most is not None and (count := len(self._reached(group, set()))) > most:
                text = f"the group reaches {count} stations, and the limit is {most}"
                self._add(place, Code.TOO_WIDE, text, "members")

    def _member(self, code: str, place: Place) -> None:
        if code in self.oris and code not in self.stations:
            if self.oris[code].station is None:
                text = f"the ORI `{code}` has no station"
                self._add(place, Code.REFERENCE, text, "members")
        elif code not in self.stations and code not in self.groups:
            text = f"there is no station, group or ORI `{code}`"
            self._add(place, Code.REFERENCE, text, "members")

    def _depth(self, code: str, above: tuple[str, ...], depths: dict[str, int]) -> int:
        """How deep groups nest in this one; beyond the limit when it contains itself."""
        if code in above or len(above) > _GROUP_DEPTH_MAX:
            return _GROUP_DEPTH_MAX + 1
        if code not in depths:
            inner = (name for name in self.groups[code].members if name in self.groups)
            deepest = max((self._depth(name, (*above, code), depths) for name in inner), default=0)
            depths[code] = deepest + 1
        return depths[code]

    def _reached(self, group: Group, seen: set[str]) -> set[str]:
        """The stations a group reaches. The caller knows that it does not contain itself."""
        if group.code in seen:
            return set()
        seen.add(group.code)
        stations = set[str]()
        for code in group.members:
            if code in self.groups:
                stations |= self._reached(self.groups[code], seen)
            elif code in self.stations:
                stations.add(code)
            elif code in self.oris and (station := self.oris[code].station) is not None:
                stations.add(station)
        return stations


def is_address(text: str) -> bool:
    """Whether the text is ``HOST:PORT``, with brackets around an IPv6 address."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65_535:
        return False
    if host.startswith("[") and host.endswith("]"):
        return _is_ip(host[1:-1])
    return bool(host) and ":" not in host and " " not in host


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _stands_in(line: Line | Host, by: Line | Host) -> bool:
    """Whether one can take what is meant for the other."""
    if isinstance(line, Line) and isinstance(by, Line):
        return set(line.agencies) <= set(by.agencies)
    if isinstance(line, Host) and isinstance(by, Host):
        return (line.system, line.dialect) == (by.system, by.dialect)
    return False


def _identity(line: Line) -> str:
    if line.peer is None:
        return f"certificate {(line.certificate or '').lower()}"
    return f"peer {ipaddress.ip_address(line.peer)}" if _is_ip(line.peer) else f"peer {line.peer}"
