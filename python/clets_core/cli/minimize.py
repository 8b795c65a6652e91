"""``clets minimize``: what is not urgent waits, on all lines, for a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clets_core.cli.operator import ask, control_option, who_and_why
from clets_core.cli.terminal import json_option, print_json

if TYPE_CHECKING:
    from pathlib import Path


@click.command
@control_option
@who_and_why
@json_option
@click.option("--minutes", type=click.IntRange(1, 1_440), help="For how long.")
@click.argument("precedence", type=click.Choice(["P0", "P1", "P2", "P3", "off"]))
def minimize(
    control: Path, operator: str, reason: str, as_json: bool, minutes: int | None, precedence: str
) -> None:
    """Hold everything below PRECEDENCE on all lines, or end that with `off`.

    Messages are taken into custody as usual and go out when the time is over. Journalled.
    """
    named = {"operator": operator} if operator else {}
    if precedence == "off":
        done = ask(control, "traffic.normal", reason=reason, **named)
    elif minutes is None:
        raise click.UsageError("--minutes must say for how long")
    else:
        level = int(precedence.removeprefix("P"))
        done = ask(
            control, "traffic.minimize", precedence=level, minutes=minutes, reason=reason, **named
        )
    if as_json:
        print_json(done)
    elif precedence == "off":
        click.echo(f"nothing is minimized, record {done['record']}")
    else:
        text = f"what is below {precedence} waits for {minutes} minutes"
        click.echo(f"{text}, record {done['record']}")
