"""From one request to the text of its answer: edits, inquiries, entries and their upkeep."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from clets_core.hosts.edits import faulty_field
from clets_core.hosts.records import IDENTIFIERS, Record, Records
from clets_core.hosts.systems import FILES, SHEETS, Rule, Sheet, Style, System

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Answerer", "Request", "RequestError", "utc_now"]

HITS_MAX: Final = 10
"""Records in one reply; more are counted, not shown."""

_SHOWN: Final = (*IDENTIFIERS, "LIS", "LIY", "LIT", "VMA", "TYP", "CAL", "MAK", "SEX", "DOB")
_DONE: Final = {
    "cancel": "CANCELLED",
    "clear": "CLEARED",
    "contact": "CONTACT RECORDED",
    "enter": "ENTERED",
    "locate": "LOCATED",
    "modify": "MODIFIED",
    "serve": "PROOF OF SERVICE ENTERED",
    "strip": "SUPPLEMENT CANCELLED",
    "supplement": "SUPPLEMENT ENTERED",
}
CONFIRMED: Final = (
    "vehicle", "wanted", "missing", "protection", "gun", "article", "security", "boat",
)  # fmt: skip
"""Files whose hits are confirmed."""
_OPEN: Final = frozenset({"contact", "locate", "serve"})
"""What any agency may do to a record that another one entered."""


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Request:
    """A message for a destination system, whatever the dialect it came in.

    ``reference`` is what a reply must echo: the control field of NCIC and Nlets, else CLETS' own.
    """

    key: str
    ori: str
    reference: str = ""
    station: str = ""
    user: str = ""
    destinations: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    raw: bytes = b""


class RequestError(Exception):
    """A request that is refused. ``kind`` is ``field``, ``key``, ``missing`` or ``record``."""

    def __init__(self, kind: str, reason: str) -> None:
        """Takes the kind of the fault and the words for the sender."""
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


class Answerer:
    """One system at work on its records."""

    def __init__(
        self,
        system: System,
        records: Records,
        *,
        first_number: int = 1,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Takes the tables of a system and its records; new entries count from ``first_number``."""
        self.system = system
        self.records = records
        self._next_number = first_number
        self._now = now

    def answer(self, request: Request) -> tuple[str, str]:
        """The key and the text of the reply; a refusal is a text too."""
        try:
            return self.serve(request)
        except RequestError as fault:
            reject = self.system.style.reject.format(reason=fault.reason)
            return request.key, f"{reject}\r\n{_search(request)}".strip()

    def serve(self, request: Request) -> tuple[str, str]:
        """The key and the text of the reply.

        Raises:
            RequestError: the request is not one that this system serves.
        """
        rule = self.system.rules.get(request.key)
        if rule is None:
            raise RequestError("key", f"MESSAGE KEY {request.key} NOT KNOWN HERE")
        code = faulty_field(request.fields)
        if code is not None:
            raise RequestError("field", f"FIELD ERROR {code}")
        field, other = rule.reply_when
        reply = other if field in request.fields else rule.reply or request.key
        if rule.action == "inquire":
            return reply, self._inquire(rule, request)
        if rule.action == "enter":
            return reply, self._enter(rule, request)
        return reply, self._update(rule, request)

    def changes(self, key: str) -> bool:
        """True when serving the key twice is not the same as serving it once."""
        rule = self.system.rules.get(key)
        return rule.changes if rule else key in {"AM", "AML"}

    def find(self, request: Request) -> list[Record]:
        """The records that an inquiry asks for; none for a key that is not served."""
        rule = self.system.rules.get(request.key)
        return self.records.find(rule.files, request.fields) if rule else []

    def confirmable(self, request: Request) -> Record | None:
        """The record that a hit confirmation is about: by number, case, or what is described."""
        asked = {code: it for code, it in request.fields.items() if (code, it) != ("NIC", "NONE")}
        for names in (
            {code: asked[code] for code in ("NIC",) if code in asked},
            {code: asked[code] for code in ("OCA",) if code in asked},
            {code: it for code, it in asked.items() if code not in {"NIC", "OCA", "ORI"}},
        ):
            record = self.records.own(CONFIRMED, names, "") if names else None
            if record is not None:
                return record
        return None

    def _inquire(self, rule: Rule, request: Request) -> str:
        if not any(code in request.fields for code in (*IDENTIFIERS, "SEX")):
            raise RequestError("missing", "MANDATORY FIELD MISSING")
        hits = self.records.find(rule.files, request.fields)
        return self._words(rule, request, hits)

    def _enter(self, rule: Rule, request: Request) -> str:
        (file,) = rule.files
        required = FILES[file].required
        if required and not any(code in request.fields for code in required):
            raise RequestError("missing", f"MANDATORY FIELD MISSING {' OR '.join(required)}")
        if "OCA" not in request.fields:
            raise RequestError("missing", "MANDATORY FIELD MISSING OCA")
        if self.records.find(rule.files, request.fields):
            raise RequestError("record", "ON FILE")
        number = self.system.number
        entered = self._now().strftime("%Y%m%d %H%M")
        fields = {code: value for code, value in request.fields.items() if code != "NOA"}
        fields |= {"DTE": entered}
        if number:
            fields[number] = self._number(file)
        record = Record(file, request.ori, fields)
        self.records.add(record)
        return self._done(rule, request, record)

    def _update(self, rule: Rule, request: Request) -> str:
        record = self.records.own(rule.files, request.fields, self.system.number)
        if record is None:
            raise RequestError("record", "RECORD NOT ON FILE")
        if rule.action not in _OPEN and record.ori[:7] != request.ori[:7]:
            raise RequestError("record", f"RECORD BELONGS TO {record.ori}")
        kept = (self.system.number, "OCA", "CAP", "RSN", "ATN", "PUR")
        changes = {code: it for code, it in request.fields.items() if code not in kept}
        if rule.action == "modify":
            self.records.change(record, changes)
        elif rule.action == "supplement":
            also = " ".join(f"{code}/{it}" for code, it in changes.items())
            self.records.change(record, {"AKA": also})
        elif rule.action == "strip":
            self.records.strip(record, "AKA")
        elif rule.action == "locate":
            record.located = True
        elif rule.action in _OPEN:
            code = "SVC" if rule.action == "serve" else "CTT"
            self.records.change(record, {code: f"{self._now():%Y%m%d} {request.ori}"})
        else:
            self.records.remove(record)
        return self._done(rule, request, record)

    def _number(self, file: str) -> str:
        """A number that no other record of this system has."""
        count, self._next_number = self._next_number, self._next_number + 1
        if self.system.number == "FCN":
            return f"2{self._now():%y}{count:010}"
        return f"{FILES[file].letter or 'N'}3{count:08}"

    def _done(self, rule: Rule, request: Request, record: Record) -> str:
        number = self.system.number
        echo = [f"{code}/{record.fields[code]}" for code in ("LIC", "VIN", "REG", "SER", "NAM")
                if code in record.fields]  # fmt: skip
        case = record.fields.get("OCA", "")
        return _lines(
            self.system.style.accepted.format(
                key=request.key,
                done=_DONE[rule.action],
                number=f"{number}/{record.fields.get(number, '')}",
                echo=" ".join([*echo, f"OCA/{case}"]),
            )
        )

    def _words(self, rule: Rule, request: Request, hits: list[Record]) -> str:
        style, now = self.system.style, self._now()
        common = {
            "title": self.system.title,
            "key": request.key,
            "search": _search(request),
            "date": f"{now:%m/%d/%y}",
            "time": f"{now:%H:%M}",
            "ori": request.ori,
        }
        parts = [style.heading.format(**common)]
        if not hits:
            no_hit = style.no_hit_of.get(rule.files[0], style.no_hit)
            parts.append(no_hit.format(**common))
        parts += [_hit(style, rule, record) for record in hits[:HITS_MAX]]
        if len(hits) > HITS_MAX:
            parts.append(f"{len(hits) - HITS_MAX} MORE RECORDS NOT SHOWN")
        return _lines("\n".join(part for part in parts if part))


def _search(request: Request) -> str:
    """What was asked, as the reply repeats it."""
    shown = [f"{code}/{request.fields[code]}" for code in _SHOWN if code in request.fields]
    return " ".join(shown)


def _hit(style: Style, rule: Rule, record: Record) -> str:
    file = FILES[record.file]
    fields = {"ORI": record.ori, **record.fields}
    located = " *LOCATED*" if record.located else ""
    sheet = SHEETS.get(rule.sheet)
    caption = sheet.caption if sheet else file.caption
    lines = [style.hit.format(caption=caption, located=located)]
    lines += [text for line in file.lines if (text := _line(line, fields))]
    if sheet:
        return "\n".join([*lines, *_sheet(sheet, fields), ""])
    lines += [style.tail.format(ori=record.ori), ""]
    return "\n".join(lines)


def _line(line: str, fields: Mapping[str, str]) -> str:
    if "=" in line:
        captions = (pair.split("=") for pair in line.split("|"))
        return "  ".join(f"{name}: {fields[code]}" for name, code in captions if fields.get(code))
    return " ".join(f"{code}/{fields[code]}" for code in line.split(";") if fields.get(code))


def _sheet(sheet: Sheet, fields: Mapping[str, str]) -> list[str]:
    """A made-up course of events; the day of birth varies it, so that it stays the same."""
    birth = fields.get("DOB", "19800101")
    years = {f"y{age}": int(birth[:4]) + age for age in (24, 25, 26)}
    return [line.format(mm=birth[4:6], **years) for line in sheet.lines]


def _lines(text: str) -> str:
    """Upper case with CR LF line ends, as all these systems write."""
    return "\r\n".join(text.upper().rstrip("\n").split("\n"))
