"""What an operator sees of a running switch."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class LineStatus(Struct, frozen=True):
    """One line: ``waiting`` counts entries by precedence, P0 to P4."""

    name: str
    title: str
    kind: Literal["agency", "host"]
    up: bool
    waiting: tuple[int, int, int, int, int]
    in_flight: int
    accepted: int
    refused: int
    delivered: int
    expired: int
    service: tuple[tuple[str, Literal["held", "removed", "up"]], ...] = ()
    """What a host does not take as usual: family (``""`` for all) and state."""
    unanswered: int = 0
    """Inquiries that a metered host has not answered."""
    passage: Literal["drained", "held", "open"] = "open"
    """What an operator lets it do."""
    diverted_to: str = ""
    """The line that takes what is meant for it."""
    dead_letters: int = 0


class Status(Struct, frozen=True):
    """The whole switch. Counters run since its start."""

    bundle: str
    next_number: int
    durable: int
    sessions: int
    correlated: int
    lines: tuple[LineStatus, ...]
    confirmations: int = 0
    """Hit confirmation requests that wait for an answer."""
    alarms: int = 0
    """Hit confirmations that stayed unanswered to the third request."""
    suspended: int = 0
    """Users whom an operator has suspended."""
    intercepted: int = 0
    """Messages that wait in the intercept queue."""
    dead_letters: int = 0
    """Entries that could not be delivered and wait for an operator."""
    closed_percent: int = 0
    """How much of what was offered of late was turned away because of overload; at 100 only P0 is
    taken."""
    minimize: int | None = None
    """What is below this precedence waits."""

    def line(self, name: str) -> LineStatus:
        """One line by name.

        Raises:
            KeyError: The bundle has no such line.
        """
        for line in self.lines:
            if line.name == name:
                return line
        raise KeyError(name)


class ShadowCount(Struct, frozen=True):
    """Messages of which a candidate bundle says something else, of one kind."""

    now: Literal["pass", "hold", "refuse"]
    """What the bundle in force does."""
    then: Literal["pass", "hold", "refuse"]
    """What the candidate would do."""
    rules: str
    """The rules that refuse or hold, or the number of what does."""
    agency: str
    count: int


class ShadowReport(Struct, frozen=True):
    """What a candidate bundle would have done otherwise. No personal data."""

    bundle: str
    judged: int
    differs: int
    counts: tuple[ShadowCount, ...]
