"""The measurements of load in small: what is promised holds, whatever time it takes."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import uvloop
from bench.load import day, overload, slow, state, storm
from bench.load.generator import Report, Span, Times, generator
from bench.load.lines import Place, write_lines
from bench.load.program import program
from msgspec import structs

from clets_core.cli.stage import free_ports

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_lines_that_come_all_at_once_are_all_served(tmp_path: Path) -> None:
    lines = 300
    stormed = uvloop.run(storm.play(tmp_path, port_base=free_ports(), lines=lines, quiet=0.2))
    assert stormed.refused == 0
    assert len(stormed.logged_on) == len(stormed.accepted) == len(stormed.delivered) == lines


def test_an_overload_leaves_nothing_without_its_answer(tmp_path: Path) -> None:
    # More in a second than the switch takes in one, and what it does not take waits in the sockets.
    given = {"seconds": 1.0, "times": 40.0, "search": 0.5, "rate": 5_000.0}
    scene = overload.play(tmp_path, port_base=free_ports(), after=0.5, **given)
    played = uvloop.run(scene)
    assert not played.report.cut
    assert played.report.missing == 0
    over = played.span("overload")
    assert sum(over.sent) == 200_000
    assert over.accepted_count + over.refused_count == 200_000
    # Every refusal says why, and nobody refuses P0.
    assert over.refused_count
    assert not over.refused[0]
    assert all(code for codes in over.refused for code in codes)


def test_lines_that_stop_reading_cost_the_others_nothing(tmp_path: Path) -> None:
    given = {"lines": 60, "slow": 20, "rate": 300.0, "seconds": 3.0}
    scene = slow.play(tmp_path, port_base=free_ports(), **given)  # type: ignore[arg-type]
    played = uvloop.run(scene)
    assert played.whole
    assert played.slow_cut == 0
    assert [half.delivered.count for half in (played.before, played.after)] == [900, 900]
    # In the second half they took nothing but what was on the wire.
    assert 20 * 2 * 3 / 2 < played.waiting <= 20 * 2 * 3
    assert played.bytes_per_slow_line <= slow.MEMORY_BYTES_MAX


def test_a_states_load_comes_whole_and_its_broadcasts_with_every_copy(tmp_path: Path) -> None:
    load = state.Load(state.BROADCASTS, 3.0, rate=122, senders=5, stations=40)
    carried = uvloop.run(state.carry(tmp_path, load, port_base=free_ports()))
    assert carried.report.whole, carried.report
    spans = carried.report.spans
    inquiries = sum(it.accepted[2].count for it in spans)
    broadcasts = sum(it.accepted[4].count for it in spans)
    assert (inquiries, broadcasts) == (360, 6)
    assert sum(it.delivered[2].count for it in spans) == inquiries
    assert sum(it.delivered[4].count for it in spans) == 40 * broadcasts


def test_what_waits_for_lines_that_are_down_comes_when_they_are_back(tmp_path: Path) -> None:
    gone = uvloop.run(state.outage(tmp_path, 3.0, port_base=free_ports()))
    assert gone.report.whole, gone.report
    assert gone.waiting == pytest.approx(3 * state.OUTAGE_RATE * 0.3, rel=0.1)
    assert sum(it.accepted_count for it in gone.report.spans) > 3 * state.OUTAGE_RATE


def test_what_did_not_come_is_not_called_whole(tmp_path: Path) -> None:
    load = state.Load(state.MESSAGES, 0.3, rate=100, senders=2)
    carried = uvloop.run(state.carry(tmp_path, load, port_base=free_ports()))
    assert carried.report.whole
    for broken in ({"missing": 1}, {"notices": 1}, {"unanswered": 1}, {"cut": {0: 1}}):
        assert not structs.replace(carried.report, **broken).whole


def test_a_day_of_the_state_is_answered_and_reported(tmp_path: Path) -> None:
    report = tmp_path / "day.html"
    given = {"seconds": 12.0, "scale": 0.4, "report": report}
    code = asyncio.run(day.run(tmp_path, port_base=free_ports(), **given))  # type: ignore[arg-type]
    assert code == 0
    rows = re.search(r'"requests_statistics": (\[.*?\])', report.read_text("utf-8"))
    assert rows is not None
    came = {(it["method"], it["name"]): it["num_requests"] for it in json.loads(rows[1])}
    assert came["accept", "vehicle"] >= came["answer", "vehicle"] > 10
    assert came["accept", "person"] >= came["answer", "person"] > 5


def test_a_reminder_of_what_was_delivered_is_no_second_delivery(tmp_path: Path) -> None:
    async def play() -> tuple[Report, Report]:
        receiver, sender = Place(1, "native", 64), Place(2, "native", 64)
        port_base = free_ports()
        write_lines(tmp_path / "bundle", [receiver, sender], port_base=port_base)
        settings = tmp_path / "bundle" / "switch.toml"
        text = settings.read_text("utf-8")
        assert "urgent = 600000" in text
        settings.write_text(text.replace("urgent = 600000", "urgent = 1000"), "utf-8")
        given: dict[str, Any] = {"senders": [sender], "receivers": [receiver], "mix": [0]}
        async with (
            program(tmp_path / "bundle", tmp_path / "journal"),
            generator(port=port_base + 1, **given) as load,
        ):
            await load.offer("asked", 20, 0.5)
            at_once = await load.drain(10)
            # The last request waits, and nobody answers it.
            return at_once, await load.offer("later", 0.2, 5)

    at_once, later = uvloop.run(play())
    assert (at_once.missing, at_once.reminders, at_once.spans[0].accepted_count) == (0, 0, 10)
    assert later.reminders >= 1
    assert later.missing == 0


def times(count: int, ms: int = 10) -> Times:
    return Times(count, *[1000 * ms] * 4)


def stretch(*ms: int) -> Span:
    """Of half seconds with this p99; 0 for one in which nothing was accepted."""
    nothing: dict[str, list[Any]] = {
        name: [] for name in ("sent", "unsent", "refused", "accepted", "delivered")
    }
    pieces = [times(100 if it else 0, it) for it in ms]
    return Span(name="", seconds=len(ms) / 2, pieces=pieces, done=0, **nothing)


@pytest.mark.parametrize(
    ("after", "seconds"),
    [
        ((5, 20, 9), 0.0),
        ((99, 21, 9, 20), 1.0),
        ((5, 0, 9, 9), 1.0),
        ((9, 9, 9, 21), float("inf")),
        ((9, 9, 9, 0), float("inf")),
        ((9, *[9] * 5, 21, *[9] * 5), 0.0),
        ((9, 9, 9, 21, *[9] * 5, 21, 9, 9, *[9] * 7), 2.0),
        ((9, *[9] * 5, 0, *[9] * 5), 3.5),
    ],
)
def test_it_is_normal_again_once_hardly_a_half_second_is_late(
    after: tuple[int, ...], seconds: float
) -> None:
    assert overload.recovered_after(stretch(5, 10, 8), stretch(*after)) == seconds


def test_a_half_second_without_any_is_late_also_at_the_end() -> None:
    after = stretch(9, 9, 9, 9)
    del after.pieces[2:]
    assert overload.recovered_after(stretch(10), after) == float("inf")
    assert overload.worst_ms(after) == overload.worst_ms(stretch(9, 0)) == float("inf")
    assert overload.worst_ms(stretch(9, 12, 3)) == 12


def played_well() -> overload.Played:
    """A second in which 100 of 1,000 were taken, the first of them P0, and the others refused."""
    over = Span(
        name="overload",
        seconds=1.0,
        sent=[10, 40, 600, 250, 100],
        unsent=[0] * 5,
        refused=[{511: count} for count in (0, 0, 550, 250, 100)],
        accepted=[times(count) for count in (10, 40, 50, 0, 0)],
        delivered=[],
        pieces=[],
        done=100,
    )
    report = Report(spans=[over], unanswered=0, missing=0, notices=0, reminders=0, cut={})
    return overload.Played(report, rate=100, memory_bytes=0, recovery_seconds=1)


def of(played: overload.Played) -> Span:
    return played.span("overload")


def test_what_is_well_under_overload_holds() -> None:
    assert all(overload.judge(played_well()).values())


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        (lambda it: setattr(of(it), "done", 89), "goodput"),
        (lambda it: of(it).refused[0].update({511: 1}), "P0 refused"),
        (lambda it: of(it).unsent.__setitem__(0, 1), "P0 refused"),
        (lambda it: setattr(of(it).accepted[0], "p99_us", 60_000), "P0 accepted"),
        (lambda it: of(it).sent.__setitem__(4, 101), "without an answer"),
        (lambda it: setattr(it.report, "missing", 1), "without an answer"),
        (lambda it: it.report.cut.update({804: 1}), "lines cut"),
        (lambda it: setattr(it, "recovery_seconds", 5.5), "normal after"),
    ],
)
def test_what_is_broken_under_overload_is_seen(
    broken: Callable[[overload.Played], None], line: str
) -> None:
    played = played_well()
    broken(played)
    missed = [what for what, holds in overload.judge(played).items() if not holds]
    assert any(what.startswith(line) for what in missed), missed
