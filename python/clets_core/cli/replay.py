"""Journalled messages, judged by two bundles: what one decides otherwise than the other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from clets_core._core import decode
from clets_core.cli.decide import PERMITS, dialect_of
from clets_core.errors import CletsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clets_core._core import Message
    from clets_core.config.bundle import Bundle

OTHERWISE: Final = "otherwise"
# What a change may be, with its words for people. All but the last change what becomes of it.
CHANGES: Final = {
    "refused": "newly refused",
    "held": "newly held",
    "redacted": "newly redacted",
    "permitted": "newly permitted",
    OTHERWISE: "as before, but by other rules, with another number or other labels",
}
NO_RULE: Final = "no rule permits"
# Numbers of refusals by policy are 4xx; this one names no rule.
_POLICY: Final = 4
_NO_PERMIT: Final = 401
_FRAMING: Final = 1


class _Record(msgspec.Struct):
    """What is looked at of a record of a message."""

    line: str = ""
    ori: str = ""
    key: str = ""
    dialect: str = ""
    code: int = 0
    follow_up: str = ""
    collated: bool = False
    edit: dict[str, object] | None = None
    body: bytes = b""


class Decided(NamedTuple):
    """What a bundle decides on a message; 0 is no number."""

    effect: str
    code: int
    rules: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def standing(self) -> str:
        """What becomes of the message: one of ``CHANGES`` but the last."""
        if self.effect in PERMITS:
            return "permitted"
        return {"hold": "held", "redact": "redacted"}.get(self.effect, "refused")

    @property
    def grounds(self) -> tuple[str, ...]:
        """The rules, or what stands for them where there are none."""
        if self.rules or not self.code:
            return self.rules
        return (NO_RULE if self.code == _NO_PERMIT else f"E{self.code}",)

    @property
    def is_unruled(self) -> bool:
        """It was refused before any rule was asked."""
        return not self.rules and self.code // 100 not in {0, _POLICY}


class Change(NamedTuple):
    """A message on which the second bundle decides otherwise than the first."""

    number: int
    line: str
    key: str
    ori: str
    old: Decided
    new: Decided

    @property
    def kind(self) -> str:
        """One of ``CHANGES``."""
        standing = self.new.standing
        return OTHERWISE if standing == self.old.standing else standing

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that make the difference: those that now refuse, or do not any longer."""
        if self.kind == OTHERWISE:
            found = set(self.old.grounds).symmetric_difference(self.new.grounds)
            return tuple(sorted(found)) or self.new.grounds
        return self.old.grounds if self.new.standing == "permitted" else self.new.grounds


@dataclass
class Tally:
    """The messages of one kind of change."""

    messages: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    agencies: Counter[str] = field(default_factory=Counter)


@dataclass
class Replay:
    """Judges messages by two bundles and counts; it holds no message longer than it takes.

    Counts are by names of the bundles only, so that no sender can make them grow.
    """

    old: Bundle
    new: Bundle
    messages: int = 0
    unreadable: int = 0
    unruled: int = 0
    tallies: dict[str, Tally] = field(default_factory=lambda: {kind: Tally() for kind in CHANGES})

    def __post_init__(self) -> None:
        both = (self.old, self.new)
        self._oris = {ori.ori for bundle in both for ori in bundle.configuration.oris}
        self._decoder = msgspec.msgpack.Decoder(_Record)

    def of(self, records: Iterable[tuple[int, str, int, bytes]]) -> Iterator[Change]:
        """The changes, in the order of the records."""
        for number, kind, time_us, packed in records:
            if kind not in {"accepted", "refused"}:
                continue
            record = self._decoder.decode(packed)
            if not _was_sent(record):
                continue
            message = self._message(kind, record)
            if message is None:
                self.unreadable += 1
                continue
            self.messages += 1
            old = _decided(self.old, message, record.line, time_us)
            new = _decided(self.new, message, record.line, time_us)
            self.unruled += old.is_unruled and new.is_unruled
            if old != new:
                change = Change(number, record.line, record.key, record.ori, old, new)
                self._count(change)
                yield change

    @property
    def changes_fates(self) -> bool:
        """Whether any message is newly refused, held, redacted or permitted."""
        return any(it.messages for kind, it in self.tallies.items() if kind != OTHERWISE)

    def _message(self, kind: str, record: _Record) -> Message | None:
        """The message of a record; none when its text cannot be read."""
        if record.code // 100 == _FRAMING:
            return None
        of_line = dialect_of(self.old.configuration, record.line)
        try:
            return decode(record.body, record.dialect if kind == "accepted" else of_line)
        except CletsError:
            return None

    def _count(self, change: Change) -> None:
        tally = self.tallies[change.kind]
        tally.messages += 1
        tally.rules.update(change.rules)
        tally.agencies[change.ori if change.ori in self._oris else change.line] += 1


def _was_sent(record: _Record) -> bool:
    """Whether an agency or a host sent it: no notice, no follow-up, nothing that others wrote."""
    return bool(record.line) and not (record.follow_up or record.collated or record.edit)


def _decided(bundle: Bundle, message: Message, line: str, time_us: int) -> Decided:
    """A line that the bundle has not, or that speaks another dialect there, is refused."""
    try:
        found = bundle.snapshot.decide(message, line, time_us)
    except CletsError as error:
        return Decided("reject", error.code, (), ())
    return Decided(found.effect, found.code, found.rules, found.labels)
