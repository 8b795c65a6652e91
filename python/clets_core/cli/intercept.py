"""``clets intercept``: what an operator of the control center does with broadcasts that wait."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from clets_core.cli.operator import ask, control_option
from clets_core.cli.terminal import console, json_option, print_json, read_input, visible
from clets_core.errors import ClientCode, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

F = TypeVar("F", bound="Callable[..., Any]")

_message = click.argument("message", type=click.IntRange(min=0))
_to = click.option("--to", multiple=True, help="Addressee instead of the message's; repeatable.")


def _who(reason: str | None) -> Callable[[F], F]:
    """The options that say who acts, and why; the reason may have a default."""

    def add(command: F) -> F:
        named = click.option(
            "--operator", help="Name of the operator for the journal; default: the account's."
        )
        why = click.option(
            "--reason",
            required=reason is None,
            default=reason,
            show_default=reason is not None,
            help="Why, for the journal; a sender is told why a message is returned.",
        )
        return named(why(command))

    return add


@click.group
def intercept() -> None:
    """Approve or return the broadcasts that a running switch holds.

    A switch holds what its policy wants approved. MESSAGE is the number that `list` shows. Every
    step but `list` is journalled with the account, the operator's name and the reason. Only the
    account that runs the switch may use its control socket.
    """


@intercept.command("list")
@control_option
@json_option
def list_(control: Path, as_json: bool) -> None:
    """List what waits, the oldest first, without texts."""
    waiting = ask(control, "intercept.list")
    if as_json:
        print_json(waiting)
        return
    from rich.table import Table

    table = Table("message", "since", "station", "key", "to", "rules", "locked by")
    for it in waiting:
        table.add_row(*map(visible, _row(it)))
    console().print(table)


def _row(it: dict[str, Any]) -> tuple[str, ...]:
    origin = f"{it['message']}" + (f" (was {it['original']})" if it["original"] is not None else "")
    held = datetime.fromtimestamp(it["held_us"] / 1e6, UTC)
    return (
        origin,
        f"{held:%Y-%m-%d %H:%M:%S}Z",
        it["station"],
        it["key"],
        " ".join(it["destinations"]),
        " ".join(it["rules"]),
        it["locked_by"] or "",
    )


@intercept.command
@control_option
@_who("to judge it")
@json_option
@_message
def show(control: Path, operator: str | None, reason: str, as_json: bool, message: int) -> None:
    """Show a message with its text. That it was read is journalled too."""
    done = _step(control, "show", message, operator, reason)
    if as_json:
        print_json(done)
        return
    it = done["waiting"]
    click.echo(visible(f"{it['key']} from {it['station']} {it['ori']}, held by {it['rules']}"))
    click.echo(visible(f"to {' '.join(it['destinations'])}"))
    for line in done["text"].splitlines():
        click.echo(visible(line))


@intercept.command
@control_option
@_who("to judge it")
@click.option("--release", is_flag=True, help="Give the lock up instead.")
@json_option
@_message
def lock(
    control: Path, operator: str | None, reason: str, release: bool, as_json: bool, message: int
) -> None:
    """Keep other operators from a message for ten minutes."""
    step = "unlock" if release else "lock"
    _tell(_step(control, step, message, operator, reason), f"{step}ed", as_json=as_json)


@intercept.command
@control_option
@_who(None)
@_to
@click.option("--text", "source", required=True, help="File with the new text, or `-`.")
@json_option
@_message
def edit(
    control: Path,
    operator: str | None,
    reason: str,
    to: tuple[str, ...],
    source: str,
    as_json: bool,
    message: int,
) -> None:
    """Put a new message in the place of one that waits; it is linked to the original."""
    try:
        lines = read_input(source).decode().splitlines()
    except UnicodeDecodeError as error:
        text = f"`{source}`: expected text in UTF-8"
        raise ClientError(ClientCode.INPUT.number, text) from error
    text = "\r\n".join(lines)
    done = _step(control, "edit", message, operator, reason, text=text, to=list(to))
    _tell(done, f"in place of {message}", as_json=as_json)


@intercept.command
@control_option
@_who(None)
@_to
@json_option
@_message
def forward(
    control: Path,
    operator: str | None,
    reason: str,
    to: tuple[str, ...],
    as_json: bool,
    message: int,
) -> None:
    """Release a message to its addressees, or to others."""
    done = _step(control, "forward", message, operator, reason, to=list(to))
    _tell(done, f"forwarded, {done['entries']} entries", as_json=as_json)


@intercept.command("return")
@control_option
@_who(None)
@json_option
@_message
def return_(control: Path, operator: str | None, reason: str, as_json: bool, message: int) -> None:
    """Send a message back to its sender with the reason."""
    _tell(_step(control, "return", message, operator, reason), "returned", as_json=as_json)


def _step(
    control: Path, step: str, message: int, operator: str | None, reason: str, **more: object
) -> dict[str, Any]:
    named = {"operator": operator} if operator else {}
    said = {"message": message, "reason": reason, **named, **more}
    done: dict[str, Any] = ask(control, f"intercept.{step}", **said)
    return done


def _tell(done: dict[str, Any], what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(done)
    else:
        click.echo(f"{done['message']}: {what}, record {done['record']}")
