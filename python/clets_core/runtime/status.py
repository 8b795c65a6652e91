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
    intercepted: int = 0
    """Messages that wait in the intercept queue."""

    def line(self, name: str) -> LineStatus:
        """One line by name.

        Raises:
            KeyError: The bundle has no such line.
        """
        for line in self.lines:
            if line.name == name:
                return line
        raise KeyError(name)
