"""The live table of ``clets run``: lines, queues, rates. No personal data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from clets_core.runtime.status import LineStatus, Status

# Borders, heads, totals and caption around the rows of lines.
_FRAME_ROWS: Final = 9
_ROWS_MIN: Final = 5


class Rate(NamedTuple):
    """Messages of a line in one second: taken or refused, and delivered to it."""

    incoming: float
    outgoing: float


class Board:
    """Draws one table from two states of the switch and the time between them."""

    def __init__(self) -> None:
        self._before: dict[str, LineStatus] = {}
        self._at = 0.0

    def draw(self, status: Status, *, at: float, height: int, title: str = "") -> Table:
        """The table at the monotonic time ``at`` in seconds, for ``height`` rows of a terminal.

        It shows hosts, lines that are up, and those with traffic or a backlog; when there are too
        many, those with the most waiting. The totals are over all lines.
        """
        elapsed = at - self._at if self._before else 0.0
        rates = {line.name: self._rate(line, elapsed) for line in status.lines}
        shown = [line for line in status.lines if _is_shown(line)]
        room = max(height - _FRAME_ROWS, _ROWS_MIN)
        left = _most(shown, rates, room)
        table = _columns(title)
        for line in left:
            table.add_row(*_cells(line, rates[line.name]))
        table.add_section()
        table.add_row(*_totals(status, rates), style="bold")
        table.caption = _caption(status, len(status.lines) - len(left))
        self._before = {line.name: line for line in status.lines}
        self._at = at
        return table

    def _rate(self, line: LineStatus, elapsed: float) -> Rate:
        before = self._before.get(line.name)
        if before is None or elapsed <= 0:
            return Rate(0.0, 0.0)
        taken = line.accepted + line.refused - before.accepted - before.refused
        return Rate(taken / elapsed, (line.delivered - before.delivered) / elapsed)


def _is_shown(line: LineStatus) -> bool:
    traffic = line.accepted or line.refused or line.delivered or line.expired
    return bool(line.kind == "host" or line.up or traffic or line.in_flight or sum(line.waiting))


def _most(lines: list[LineStatus], rates: dict[str, Rate], room: int) -> list[LineStatus]:
    """At most ``room`` lines, in the order of the bundle: those that are busiest."""
    if len(lines) <= room:
        return lines
    busiest = sorted(lines, key=lambda line: (-sum(line.waiting), -sum(rates[line.name])))
    kept = {line.name for line in busiest[:room]}
    return [line for line in lines if line.name in kept]


def _columns(title: str) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.add_column("line", no_wrap=True)
    table.add_column("kind")
    table.add_column("state")
    for name in ("P0", "P1", "P2", "P3", "P4"):
        table.add_column(name, justify="right")
    for name in ("sent", "in/s", "out/s", "accepted", "refused", "delivered", "expired"):
        table.add_column(name, justify="right")
    return table


def _cells(line: LineStatus, rate: Rate) -> list[Text | str]:
    state = Text("up", "green") if line.up else Text("down", "red" if _has_work(line) else "dim")
    return [
        line.name,
        line.kind,
        state,
        *(_number(count) for count in line.waiting),
        _number(line.in_flight),
        _per_second(rate.incoming),
        _per_second(rate.outgoing),
        _number(line.accepted),
        _number(line.refused),
        _number(line.delivered),
        _number(line.expired),
    ]


def _has_work(line: LineStatus) -> bool:
    return line.kind == "host" or bool(sum(line.waiting))


def _totals(status: Status, rates: dict[str, Rate]) -> list[str]:
    lines = status.lines
    return [
        "all",
        str(len(lines)),
        f"{sum(line.up for line in lines)} up",
        *(_number(sum(line.waiting[place] for line in lines)) for place in range(5)),
        _number(sum(line.in_flight for line in lines)),
        _per_second(sum(rate.incoming for rate in rates.values())),
        _per_second(sum(rate.outgoing for rate in rates.values())),
        _number(sum(line.accepted for line in lines)),
        _number(sum(line.refused for line in lines)),
        _number(sum(line.delivered for line in lines)),
        _number(sum(line.expired for line in lines)),
    ]


def _caption(status: Status, hidden: int) -> str:
    held = f", {status.intercepted:,} held for approval" if status.intercepted else ""
    rest = f", {hidden:,} idle or less busy lines not shown" if hidden else ""
    return (
        f"bundle {status.bundle[:12]}, {status.durable:,} of {status.next_number:,} records "
        f"durable, {status.sessions:,} sessions, {status.correlated:,} inquiries open{held}{rest}"
    )


def _number(count: int) -> str:
    return f"{count:,}" if count else "·"


def _per_second(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 0.5 else "·"
