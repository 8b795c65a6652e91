"""The records of one system, found by any field that identifies them.

A record belongs to a file (``vehicle``, ``wanted`` ...) and has fields as the message formats name
them. Searching costs the number of hits, however many records there are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["IDENTIFIERS", "Record", "Records"]

IDENTIFIERS: Final = (
    "FCN", "NIC", "LIC", "VIN", "REG", "BHN", "SER", "OAN", "OLN", "CII", "FBI", "SID", "SOC",
    "CDC", "PNO", "GNG", "IMN", "ORI", "UNN", "NAM",
)  # fmt: skip
"""Fields by which a record is found, strongest first. An inquiry's OCA is the asker's own case."""

_NARROWING: Final[Mapping[str, tuple[str, ...]]] = {
    "LIC": ("LIS",),
    "NAM": ("DOB", "SEX"),
    "OLN": ("OLS",),
    "REG": ("RES",),
    "SER": ("CAL", "MAK", "TYP"),
}


@dataclass(slots=True, eq=False)
class Record:
    """One entry of a file. ``ori`` is the agency that made it."""

    file: str
    ori: str
    fields: dict[str, str] = field(default_factory=dict)
    located: bool = False


class Records:
    """What one system holds."""

    def __init__(self) -> None:
        """Starts empty."""
        self._by_value: dict[tuple[str, str, str], dict[int, Record]] = {}
        self._size = 0

    def __len__(self) -> int:
        """How many records there are."""
        return self._size

    def add(self, record: Record) -> None:
        """Takes a record in."""
        self._size += 1
        for key in _index_keys(record):
            self._by_value.setdefault(key, {})[id(record)] = record

    def remove(self, record: Record) -> None:
        """Takes a record out; one that is not here is ignored."""
        found = False
        for key in _index_keys(record):
            held = self._by_value.get(key, {})
            found = held.pop(id(record), None) is not None or found
            if not held:
                self._by_value.pop(key, None)
        self._size -= int(found)

    def change(self, record: Record, fields: Mapping[str, str]) -> None:
        """Sets fields of a record that is here."""
        self.remove(record)
        record.fields.update(fields)
        self.add(record)

    def strip(self, record: Record, code: str) -> None:
        """Removes a field of a record that is here."""
        self.remove(record)
        record.fields.pop(code, None)
        self.add(record)

    def find(self, files: Iterable[str], asked: Mapping[str, str]) -> list[Record]:
        """The records that any identifying field of ``asked`` names, each once, in file order.

        A plate with another state, or a name with another date of birth, is somebody else's.
        """
        hits: dict[int, Record] = {}
        for file in files:
            for code in IDENTIFIERS:
                if code not in asked:
                    continue
                held = self._by_value.get((file, code, _normal(code, asked[code])), {})
                hits.update({key: it for key, it in held.items() if _fits(it, asked, code)})
        return list(hits.values())

    def own(self, files: Iterable[str], asked: Mapping[str, str], number: str) -> Record | None:
        """The record that an update means: by the system's own number, else as an inquiry would."""
        names = {number: asked[number]} if number in asked else dict(asked)
        hits = self.find(files, names)
        if not hits and "OCA" in names:
            hits = self._by_case(files, names["OCA"])
        return hits[0] if hits else None

    def _by_case(self, files: Iterable[str], case: str) -> list[Record]:
        found: dict[int, Record] = {}
        for file in files:
            found.update(self._by_value.get((file, "OCA", case), {}))
        return list(found.values())


def _index_keys(record: Record) -> list[tuple[str, str, str]]:
    codes = [code for code in (*IDENTIFIERS, "OCA") if record.fields.get(code)]
    return [(record.file, code, _normal(code, record.fields[code])) for code in codes]


def _normal(code: str, value: str) -> str:
    """Names compare by surname and first name, everything else as it stands."""
    if code != "NAM":
        return value
    surname, _, given = value.partition(",")
    first = given.split()
    return f"{surname.strip()},{first[0] if first else ''}"


def _fits(record: Record, asked: Mapping[str, str], code: str) -> bool:
    narrowing = _NARROWING.get(code, ())
    return all(
        asked[other] == record.fields[other]
        for other in narrowing
        if asked.get(other) and record.fields.get(other)
    )
