"""The Nlets switch and the states behind it; a state on a line of its own uses the same form.

Each state answers what it is asked. An administrative message goes to the state's terminal, which
sends one back that nobody asked for: addressed to the sender's ORI, without a control field.
CITE: Nlets guide, message structure, ER and AM sections, as its public pages give them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from clets_core.hosts.answering import Answerer, Request, RequestError, utc_now
from clets_core.hosts.dialects import Reply
from clets_core.hosts.holdings import records_of_member
from clets_core.hosts.offices import (
    HELP_VERBS,
    ORION_KEYS,
    ORION_MEMBER,
    HelpFiles,
    Orion,
)
from clets_core.hosts.systems import MEMBER_SYSTEMS, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["MEMBERS", "REGIONS", "SERVED", "Nlets", "terminal_ori"]


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


MEMBERS: Final = _codes(
    "AK AL AR AZ CO CT DC DE FL FN GA GM HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NA NB "
    "NC ND NE NH NJ NM NV NY OH OK OR PA PR RI SC SD TN TX UT VA VI VT WA WI WV WY CN"
)
"""Members that can be asked: states, Canada, federal agencies (FN) and the NICB (NA)."""

REGIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "A1": ("CT", "MA", "ME"),
    "B1": ("NJ", "NY", "PA"),
    "C1": ("KY", "OH", "WV"),
    "D1": ("FL", "GA", "SC"),
    "E1": ("IL", "MI", "WI"),
    "F1": ("LA", "OK", "TX"),
    "G1": ("CO", "MT", "UT"),
    "H1": ("AZ", "NV", "OR"),
}
"""Regions with the members that answer here; the membership is this simulation's own."""

SWITCH_ORI: Final = "NL0000000"
COUNT_MODULUS: Final = 100_000
"""Running numbers have five digits."""

_PROVINCES: Final = _codes("AB BC MB NF NK NS NT NU ON PE PQ SN YT")
_MOUNTAIN: Final = timezone(timedelta(hours=-7))
_TEXTS: Final = {
    "AA": "AM",
    "AM": "AM",
    "AML": "AML",
    "AQ": "AR",
    "LQ": "LR",
    # Members of which no more is simulated say that they have nothing.
    "ACQ": "ACR",
    "ALQ": "ALR",
    "AVQ": "AVR",
    "CCQ": "CCR",
    "CPQ": "CPR",
    "HQ": "HR",
    "LPQ": "LPR",
    "MPQ": "MPR",
    "NCI": "NAR",
    "NEI": "NAR",
    "NFQ": "NFR",
    "NLQ": "NLR",
    "SVQ": "SVR",
}
SERVED: Final = frozenset({"YQ", "YR", *_TEXTS, *ORION_KEYS, *State.rules}).union(
    *(system.rules for system in MEMBER_SYSTEMS.values())
)
"""Message keys that some member or the switch itself answers or takes."""
_OFFICES: Final = {"D": "OLN00", "K": "OLN00", "I": "III00", "F": "III00", "A": "III00"}
_MORE: Final[Mapping[str, tuple[str, ...]]] = {"I": ("HRS/1",)}
"""What goes with an answer: one that is in process says how many hours it will take."""
_FAULTS: Final = {"key": ".02.", "missing": ".14.", "field": ".22.", "record": ".22."}


class Nlets:
    """The switch of the states, or of the ``members`` that a line leads to."""

    def __init__(
        self,
        seed: int,
        members: Iterable[str] = MEMBERS,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Takes the seed of the records and the members that are reached."""
        self._seed = seed
        self._members = frozenset(members)
        self._now = now
        self._states: dict[str, Answerer] = {}
        self._help = HelpFiles(self._members)
        self._orion = Orion(self._members | {"CA"})
        self._received = 0
        self._sent = 0

    def answer(self, request: Request) -> list[Reply]:
        """All that comes back for a message, in the order of its destinations."""
        if request.key in {"ER", "SM", "YR"}:
            return []
        replies: list[Reply] = []
        for destination in request.destinations:
            if destination in REGIONS:
                regional = self._members.intersection(REGIONS[destination])
                for member in sorted(regional):
                    replies += self._ask(member, member, request)
            elif destination == ORION_MEMBER or request.key in ORION_KEYS:
                replies.append(self._directory(destination, request))
            elif len(destination) == 9 and destination[5:] in HELP_VERBS:
                text = self._help.answer(destination, request)
                replies.append(Reply("AM", SWITCH_ORI, request.ori, _crlf(text)))
            elif destination == "NL":
                replies.append(self._ask_all(request))
            else:
                replies += self._ask(self._member_of(destination), destination, request)
        return replies or [self._error(request, ".19. INVALID DESTINATION ORIS")]

    def changes(self, key: str) -> bool:
        """True when answering twice is not the same as answering once."""
        return key in {"AA", "AM", "AML", "TA", "TD", "TU", "YQ"}

    def stamp(self, reply: Reply) -> Reply:
        """The reply with its times and running numbers."""
        self._received = (self._received + 1) % COUNT_MODULUS
        self._sent = (self._sent + 1) % COUNT_MODULUS
        at = self._now().astimezone(_MOUNTAIN).strftime("%H:%M %m/%d/%Y")
        return replace(reply, received=(at, self._received), sent=(at, self._sent))

    def _member_of(self, destination: str) -> str:
        prefix = destination[:2]
        return "CN" if prefix in _PROVINCES and len(destination) > 2 else prefix

    def _ask(self, member: str, destination: str, request: Request) -> list[Reply]:
        if member not in self._members:
            return [self._error(request, ".19. INVALID DESTINATION ORIS")]
        origin = destination if len(destination) == 9 else terminal_ori(member, request.key)
        if request.key in {"AA", "AM", "AML"}:
            text = (
                f"FROM {member} COMMUNICATIONS CENTER\nYOUR MESSAGE WAS RECEIVED\n"
                f"RE: {request.text.strip()[:60]}"
            )
            return [Reply(_TEXTS[request.key], origin, request.ori, _crlf(text))]
        if request.key == "YQ":
            return self._confirm(member, origin, request)
        if request.key in _TEXTS:
            text = f"{member} RESPONSE\nNO FURTHER INFORMATION\nRE: {request.text.strip()[:60]}"
            return [self._echo(_TEXTS[request.key], origin, request, _crlf(text))]
        try:
            key, text = self._state(member).serve(request)
        except RequestError as fault:
            number = ".05." if fault.reason.endswith("DOB") else _FAULTS[fault.kind]
            return [self._error(request, f"{number} {fault.reason}")]
        return [self._echo(key, origin, request, text)]

    def _ask_all(self, request: Request) -> Reply:
        """Nlets asks everyone, drops who has nothing and merges the rest into one reply."""
        asked = sorted(self._members - {"CN", "FN", "NA"})
        hits = {member: self._state(member).find(request) for member in asked}
        found = [member for member in asked if hits[member]]
        texts = [self._state(member).answer(request)[1] for member in found]
        silent = [member for member in asked if not hits[member]]
        summary = f"ASKED: {len(asked)}\nHIT: {' '.join(found)}\nNO HIT: {' '.join(silent)}"
        rule = State.rules.get(request.key)
        key = rule.reply if rule else request.key
        return self._echo(key, SWITCH_ORI, request, "\r\n\r\n".join([*texts, _crlf(summary)]))

    def _directory(self, destination: str, request: Request) -> Reply:
        if destination != ORION_MEMBER or request.key not in ORION_KEYS:
            return self._error(request, ".02. MESSAGE TYPE NOT ALLOWED TO DESTINATION")
        return self._echo("TR", SWITCH_ORI, request, _crlf(self._orion.answer(request)))

    def _confirm(self, member: str, origin: str, request: Request) -> list[Reply]:
        """Confirmations as the record says, one after the other: a person takes time to answer.

        A record that is not on file is denied; one that says nothing else is confirmed.
        """
        held = self._state(member).confirmable(request)
        answers = (held.fields.get("CON", "Y") if held else "N").split()
        kept = ("RTY", "RNO", "PRI", "OCA", "NIC")
        fields = [f"{code}/{request.fields[code]}" for code in kept if code in request.fields]
        signed = ["RNA/SAMPLE,DISPATCHER", f"RAG/{origin[:2]} CONTROL"]
        words = [
            ".".join([*fields, f"CON/{answer}", *_MORE.get(answer, ()), *signed])
            for answer in answers
        ]
        return [
            replace(self._echo("YR", origin, request, text), after=place)
            for place, text in enumerate(words, 1)
        ]

    def _echo(self, key: str, origin: str, request: Request, text: str) -> Reply:
        return Reply(key, origin, request.ori, text, reference=request.reference)

    def _error(self, request: Request, reason: str) -> Reply:
        head = request.raw[:100].decode("latin-1")
        return self._echo("ER", SWITCH_ORI, request, f"{reason}\r\nORIGINAL MESSAGE\r\n{head}")

    def _state(self, member: str) -> Answerer:
        known = self._states.get(member)
        if known is None:
            system = MEMBER_SYSTEMS.get(member, State)
            titled = replace(system, title=f"{member} {system.title}")
            records = records_of_member(member, self._seed)
            known = self._states[member] = Answerer(titled, records, now=self._now)
        return known


def terminal_ori(member: str, key: str = "AM") -> str:
    """The made-up ORI of the office of a member that answers a key."""
    if key in {"AA", "AM", "AML", "YQ"}:
        return f"{member}0000000"
    return f"{member}{_OFFICES.get(key[0], 'LIC00')}00"


def _crlf(text: str) -> str:
    return text.upper().replace("\r\n", "\n").replace("\n", "\r\n")
