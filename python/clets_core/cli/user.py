"""``clets user``: users of a running switch who are suspended at once."""

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
@click.argument("action", type=click.Choice(["restore", "suspend"]))
@click.argument("user")
def user(control: Path, operator: str, reason: str, as_json: bool, action: str, user: str) -> None:
    """Suspend USER on a running switch from the next message on, or restore what was suspended.

    A suspension holds over restarts and new bundles, whatever they say of the user, until it is
    lifted; then the bundle's word holds again. Journalled.
    """
    done = ask(control, f"user.{action}", user=user, operator=operator, reason=reason)
    if as_json:
        print_json(done)
    else:
        standing = "suspended" if done["suspended"] else "no longer suspended"
        click.echo(f"{user}: {standing}, record {done['record']}")
