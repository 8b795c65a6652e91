"""``clets decode``: messages as JSON."""

from __future__ import annotations

import click

from clets_core.cli.messages import DIALECTS, as_dict, messages
from clets_core.cli.terminal import json_option, print_json, read_input


@click.command
@click.option("--dialect", type=click.Choice(DIALECTS), required=True, help="What the bytes are.")
@json_option
@click.argument("file", default="-")
def decode(dialect: str, as_json: bool, file: str) -> None:  # noqa: ARG001
    """Print each message of FILE (or of standard input) as one line of JSON.

    A part that a message does not have is null. For dmpp the file holds whole frames as they were
    on the wire, and the text inside them is decoded; in the other dialects it holds one message,
    or several with the ETX character between them.

    At bytes that are no such message it ends with exit code 1, and tells the number of the error,
    the offset in the file and what was expected there. --json makes that line JSON too.
    """
    for message in messages(read_input(file), dialect):
        print_json(as_dict(message))
