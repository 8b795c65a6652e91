"""``clets service``: an operator's word on what a host takes."""

from __future__ import annotations

from pathlib import Path

import click

from clets_core.cli.intercept import ask
from clets_core.cli.terminal import json_option, print_json
from clets_core.runtime.control import SOCKET_NAME


@click.command
@click.option(
    "--control",
    type=click.Path(path_type=Path),
    default=Path("journal") / SOCKET_NAME,
    show_default=True,
    help="Control socket of the running switch.",
)
@click.option("--family", default="", help="Family, data class or key; default: all messages.")
@click.option("--operator", default="", help="Name for the journal; default: the account's.")
@click.option("--reason", required=True, help="Why, for the journal.")
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
