"""``clets service``: an operator's word on what a host takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from clets_core.cli.operator import ask, control_option, who_and_why
from clets_core.cli.terminal import json_option, print_json

if TYPE_CHECKING:
    from pathlib import Path


@click.command
@control_option
@click.option("--family", default="", help="Family, data class or key; default: all messages.")
@who_and_why
@json_option
@click.argument("host")
@click.argument("state", type=click.Choice(["held", "removed", "up"]))
def service(
    control: Path,
    family: str,
    operator: str,
    reason: str,
    as_json: bool,
    host: str,
    state: str,
) -> None:
    """Say what HOST of a running switch takes: held, removed or up.

    Messages for what is held wait, and their senders are told so; what is removed is not
    forwarded, and they are told to send it again later. Journalled, and in force after a restart.
    """
    words = {"host": host, "family": family, "state": state}
    done = ask(control, "service.set", **words, operator=operator, reason=reason)
    if as_json:
        print_json(done)
    else:
        click.echo(f"{host} {family or 'all messages'}: {state}, record {done['record']}")
