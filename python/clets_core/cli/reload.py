"""``clets reload``: another bundle in force while the switch runs."""

from __future__ import annotations

from pathlib import Path

import click

from clets_core.cli.operator import ask, control_option, who_and_why
from clets_core.cli.terminal import json_option, print_json


@click.command
@control_option
@who_and_why
@json_option
@click.argument("bundle", type=click.Path(path_type=Path), required=False)
def reload(control: Path, operator: str, reason: str, as_json: bool, bundle: Path | None) -> None:
    """Put the folder BUNDLE in force on a running switch; without it, its own folder, read again.

    From the next message on, whole or not at all: a bundle that is not valid is refused, and so is
    one with other listeners, lines or hosts, which need a restart. Journalled.
    """
    path = "" if bundle is None else str(bundle.resolve())
    done = ask(control, "bundle.reload", path=path, operator=operator, reason=reason)
    if as_json:
        print_json(done)
    else:
        click.echo(f"bundle {done['bundle']} is in force, record {done['record']}")
