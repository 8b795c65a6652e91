"""What agencies know of their messages, kept outside of what is cut, and what it must satisfy."""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from clets_core._core import journal_records
from clets_core.errors import JournalError

if TYPE_CHECKING:
    from pathlib import Path

FILLER_BYTES_MAX = 1500


class Note(NamedTuple):
    """A message as its sender means it: nobody else may get it, and nobody may get another."""

    reference: str
    sender: str
    number: int
    """Place among all of its sender's messages."""
    destinations: frozenset[str]
    """Lines."""
    text: bytes


class Taken(NamedTuple):
    """One arrival of a message at a line."""

    line: str
    reference: str
    precedence: int
    sequence: int
    """0 on lines that have none."""
    marked: bool
    """As a possible duplicate."""


def text_of(reference: str) -> bytes:
    """A text that nobody else has, of a length that nobody foresees."""
    filler = random.Random(reference).randrange(FILLER_BYTES_MAX)
    return f"SYNTHETIC, NAMES NOBODY. #{reference}#".encode() + b"X" * filler


@dataclass
class History:
    """All that the agencies of one journal have sent, were told and have received."""

    sent: dict[str, Note] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    """Reference to SMN, 0 where it was not told."""
    refused: dict[str, int] = field(default_factory=dict)
    """Reference to the number of the reason."""
    taken: list[Taken] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    """Broken promises that are seen at once."""
    under_way: set[tuple[str, str]] = field(default_factory=set)
    """Line and reference of what was sent and has not arrived there."""

    def copy(self) -> History:
        """As it is at this moment."""
        return History(**{it.name: copy.copy(getattr(self, it.name)) for it in fields(self)})

    def send(self, note: Note) -> None:
        """A sender made a message."""
        self.sent[note.reference] = note
        self.under_way.update((line, note.reference) for line in note.destinations)

    def accept(self, reference: str, smn: int) -> None:
        """The switch said that it has the message."""
        before = self.accepted.get(reference, 0)
        if before and smn and before != smn:
            self.violations.append(f"{reference}: accepted as {before} and as {smn}")
        self.accepted[reference] = smn or before

    def refuse(self, note: Note, code: int) -> None:
        """The switch did not take a message, which its sender gives up."""
        self.refused[note.reference] = code
        self.under_way.difference_update((line, note.reference) for line in note.destinations)

    def take(self, arrival: Taken, payload: bytes) -> None:
        """A line received something."""
        note = self.sent.get(arrival.reference)
        if note is None:
            self.violations.append(f"{arrival.line}: got {payload[:200]!r}, which nobody sent")
        elif arrival.line not in note.destinations:
            self.violations.append(f"{arrival.line}: got {note.reference}, which is for others")
        elif not payload.endswith(note.text):
            self.violations.append(f"{arrival.line}: got {note.reference} with another text")
        else:
            self.taken.append(arrival)
            self.under_way.discard((arrival.line, arrival.reference))

    def undelivered(self) -> list[str]:
        """Messages in custody, as their senders know, that have not come everywhere yet."""
        return sorted(it for _, it in self.under_way if it in self.accepted)

    def broken(self) -> list[str]:
        """Broken promises, but for messages that are still under way."""
        return [*self.violations, *self._smns(), *self._repeats(), *self._order()]

    def _smns(self) -> list[str]:
        given: dict[int, str] = {}
        for reference, smn in self.accepted.items():
            if smn and given.setdefault(smn, reference) != reference:
                return [f"SMN {smn} was given to {given[smn]} and to {reference}"]
        return []

    def _repeats(self) -> list[str]:
        came: set[tuple[str, str]] = set()
        numbered: dict[tuple[str, int, int], str] = {}
        found = []
        for it in self.taken:
            if (it.line, it.reference) in came and not it.marked:
                found.append(f"{it.line}: {it.reference} came again without a mark")
            came.add((it.line, it.reference))
            if it.sequence:
                place = (it.line, it.precedence, it.sequence)
                if numbered.setdefault(place, it.reference) != it.reference:
                    found.append(f"{place} was {numbered[place]} and is {it.reference}")
        return found

    def _order(self) -> list[str]:
        newest: dict[tuple[str, str, int], int] = {}
        came: set[tuple[str, str]] = set()
        found = []
        for it in self.taken:
            if (it.line, it.reference) in came:
                continue
            came.add((it.line, it.reference))
            note = self.sent[it.reference]
            way = (note.sender, it.line, it.precedence)
            if note.number < newest.get(way, 0):
                found.append(f"{it.line}: {it.reference} came after {newest[way]} of its sender")
            newest[way] = max(note.number, newest.get(way, 0))
        return found


class _Accepted(msgspec.Struct):
    reference: str
    line: str


def missing(journal: Path, history: History) -> list[str]:
    """Accepted messages that a journal does not hold under the number that was told."""
    held: dict[str, int] = {}
    decoder = msgspec.msgpack.Decoder(_Accepted)
    try:
        for number, kind, _time, body in journal_records(journal):
            if kind == "accepted":
                record = decoder.decode(body)
                if record.line:
                    held[record.reference] = number
    except JournalError:
        # Unreadable from here on; what was acknowledged and is not above is lost.
        pass
    return [
        reference
        for reference, smn in history.accepted.items()
        if reference not in held or (smn and held[reference] != smn)
    ]
