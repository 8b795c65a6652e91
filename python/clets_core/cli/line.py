"""``clets line``: what an operator lets a line of a running switch do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from clets_core.cli.operator import ask, control_option, who_and_why
from clets_core.cli.terminal import json_option, print_json

if TYPE_CHECKING:
    from pathlib import Path


@click.group
def line() -> None:
    """Hold, release, reroute or drain a line of a running switch.

    Journalled with the account, the operator's name and the reason, and in force after a restart.
    """


@line.command
@control_option
@who_and_why
@json_option
@click.argument("name")
def hold(control: Path, operator: str, reason: str, as_json: bool, name: str) -> None:
    """Send nothing on a line until it is released; what is meant for it waits."""
    _order(control, "hold", as_json, line=name, operator=operator, reason=reason)


@line.command
@control_option
@who_and_why
@json_option
@click.argument("name")
def release(control: Path, operator: str, reason: str, as_json: bool, name: str) -> None:
    """Use a line as usual again; what went another way comes back."""
    _order(control, "release", as_json, line=name, operator=operator, reason=reason)


@line.command
@control_option
@who_and_why
@json_option
@click.argument("name")
@click.argument("to")
def reroute(control: Path, operator: str, reason: str, as_json: bool, name: str, to: str) -> None:
    """Let the line TO take what waits and what will come for a line, until it is released.

    TO must be a line of the same agencies, or a host of the same system and form.
    """
    _order(control, "reroute", as_json, line=name, to=to, operator=operator, reason=reason)


@line.command
@control_option
@who_and_why
@json_option
@click.argument("name")
def drain(control: Path, operator: str, reason: str, as_json: bool, name: str) -> None:
    """Send what waits for a line and take nothing new for it, before work on it."""
    _order(control, "drain", as_json, line=name, operator=operator, reason=reason)


def _order(control: Path, verb: str, as_json: bool, **said: str) -> None:
    given = {name: value for name, value in said.items() if value}
    done: dict[str, Any] = ask(control, f"line.{verb}", **given)
    if as_json:
        print_json(done)
    else:
        past = {"hold": "held", "drain": "drained"}.get(verb, f"{verb}d")
        waits = f"{done['waiting']} waiting"
        click.echo(f"{said['line']}: {past}, {waits}, record {done['record']}")
