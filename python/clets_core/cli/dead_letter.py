"""``clets dead-letter``: what could not be delivered and waits for an operator."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from clets_core.cli.operator import ask, control_option, who_and_why
from clets_core.cli.terminal import console, json_option, print_json, visible

if TYPE_CHECKING:
    from pathlib import Path

_message = click.argument("message", type=click.IntRange(min=0))
_entry = click.argument("entry", type=click.IntRange(0, 65_535), default=0)


@click.group
def dead_letter() -> None:
    """List dead letters, send them again, or give them up.

    A letter is dead when its destination refused it five times, when its time passed (updates, and
    messages from person to person), or when an update may have been taken and must not be
    repeated. It stays until an operator decides. MESSAGE and ENTRY are what `list` shows.
    """


@dead_letter.command("list")
@control_option
@json_option
def list_(control: Path, as_json: bool) -> None:
    """List the dead letters, the oldest message first, without texts."""
    letters: list[dict[str, Any]] = ask(control, "dead_letter.list")
    if as_json:
        print_json(letters)
        return
    from rich.table import Table

    table = Table("message", "entry", "line", "precedence", "since", "why", "to be given up by")
    for it in letters:
        died = datetime.fromtimestamp(it["died_us"] / 1e6, UTC)
        table.add_row(
            str(it["message"]),
            str(it["entry"]),
            visible(it["line"]),
            f"P{it['precedence']}",
            f"{died:%Y-%m-%d %H:%M:%S}Z",
            it["reason"].replace("_", " "),
            visible(it["cancel_asked_by"] or ""),
        )
    console().print(table)


@dead_letter.command
@control_option
@who_and_why
@json_option
@_message
@_entry
def replay(
    control: Path, operator: str, reason: str, as_json: bool, message: int, entry: int
) -> None:
    """Send a dead letter again, marked as a possible duplicate. Journalled."""
    done = _order(control, "replay", operator, reason, message, entry)
    if as_json:
        print_json(done)
    else:
        click.echo(f"{message}.{entry}: sent again, record {done['record']}")


@dead_letter.command
@control_option
@who_and_why
@json_option
@_message
@_entry
def cancel(
    control: Path, operator: str, reason: str, as_json: bool, message: int, entry: int
) -> None:
    """Give a dead letter up; a second person must say so too. Journalled."""
    done = _order(control, "cancel", operator, reason, message, entry)
    if as_json:
        print_json(done)
    else:
        what = "a second person must say so too" if done["second_person"] else "given up"
        click.echo(f"{message}.{entry}: {what}, record {done['record']}")


def _order(
    control: Path, verb: str, operator: str, reason: str, message: int, entry: int
) -> dict[str, Any]:
    named = {"operator": operator} if operator else {}
    said = {"message": message, "entry": entry, "reason": reason, **named}
    done: dict[str, Any] = ask(control, f"dead_letter.{verb}", **said)
    return done
