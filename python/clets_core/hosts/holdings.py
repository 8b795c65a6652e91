"""Which records a simulated system starts with: the well-known ones and a seeded bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clets_core.hosts.known import SHERIFF, of_member, of_system
from clets_core.hosts.records import Record, Records
from clets_core.hosts.synthetic import Population, population
from clets_core.hosts.systems import FILES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["records_of_member", "records_of_system"]

_SHARES: Final[Mapping[str, tuple[tuple[str, str, int], ...]]] = {
    "abs": (("boat", "boats", 4),),
    "achs": (("history", "people", 5),),
    "afs": (("gun", "guns", 2),),
    "apps": (("prohibited", "people", 80),),
    "aps": (("article", "articles", 2),),
    "carpos": (("protection", "people", 30),),
    "dmv": (
        ("registration", "vehicles", 1),
        ("licence", "people", 1),
        ("boat_registration", "boats", 1),
    ),
    "iii": (("history", "people", 5),),
    "mups": (("missing", "people", 50),),
    "ncic": (
        ("vehicle", "vehicles", 20),
        ("boat", "boats", 4),
        ("gun", "guns", 2),
        ("article", "articles", 2),
        ("wanted", "people", 25),
        ("missing", "people", 50),
        ("protection", "people", 30),
        ("registrant", "people", 60),
    ),
    "srf": (("supervision", "people", 40),),
    "svs": (("vehicle", "vehicles", 20),),
    "vcin": (("registrant", "people", 60),),
    "wps": (("wanted", "people", 25),),
}
"""Per system: file, what of the population it is about, and each how-many-th is in it."""

_OF_STATE: Final = (
    ("registration", "vehicles", 1),
    ("licence", "people", 1),
    ("boat_registration", "boats", 1),
    ("history", "people", 10),
    ("supervision", "people", 40),
    ("wanted", "people", 50),
)
_OF_CANADA: Final = (
    ("registration", "vehicles", 1),
    ("licence", "people", 1),
    ("vehicle", "vehicles", 20),
    ("wanted", "people", 50),
    ("gun", "guns", 2),
    ("article", "articles", 2),
    ("boat", "boats", 4),
)


def records_of_system(name: str, number: str, seed: int) -> Records:
    """The records of a Californian or federal system, with its own ``number`` field filled in."""
    records = Records()
    for record in of_system(name):
        # Each system knows its own number only.
        for other in {"FCN", "NIC"} - {number}:
            record.fields.pop(other, None)
        records.add(_report(record))
    _share(records, population(seed, "CA"), _SHARES.get(name, ()), SHERIFF, number)
    return records


def records_of_member(member: str, seed: int) -> Records:
    """The records of a state other than California, or of Canada."""
    records = Records()
    for record in of_member(member):
        records.add(_report(record))
    shares = _OF_CANADA if member == "CN" else _OF_STATE
    _share(records, population(seed, member), shares, f"{member}0010000", "")
    return records


def _share(
    records: Records,
    inhabitants: Population,
    shares: Sequence[tuple[str, str, int]],
    ori: str,
    number: str,
) -> None:
    for place, (file, kind, each) in enumerate(shares):
        things: tuple[dict[str, str], ...] = getattr(inhabitants, kind)
        for index, thing in enumerate(things[::each]):
            fields = dict(thing)
            if number and file not in {"history", "prohibited"}:
                fields["OCA"] = f"26-{place:02}{index:04}"
                fields[number] = _bulk_number(number, file, index)
            records.add(_report(Record(file, ori, fields)))


def _report(record: Record) -> Record:
    """A theft report names the thing, not who owns it."""
    if record.file in {"boat", "vehicle"}:
        for private in ("NAM", "ADR", "CTY", "ZIP"):
            record.fields.pop(private, None)
    return record


def _bulk_number(number: str, file: str, index: int) -> str:
    if number == "FCN":
        return f"18026{index:08}"
    return f"{FILES[file].letter}2{index:08}"
