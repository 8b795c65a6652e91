"""``clets check``: everything that is wrong with a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from clets_core.cli.terminal import (
    console,
    counted,
    error_as_dict,
    json_option,
    print_json,
    visible,
)
from clets_core.errors import BundleError, Problem

if TYPE_CHECKING:
    from clets_core.config.model import Configuration


@click.command
@json_option
@click.argument("bundle", type=click.Path(path_type=Path))
@click.pass_context
def check(context: click.Context, as_json: bool, bundle: Path) -> None:
    """Check the bundle in the folder BUNDLE, and count what it holds.

    Every problem is told as FILE:LINE: NUMBER: sentence, and the exit code is then 1.
    """
    from clets_core.config.bundle import load_bundle

    try:
        loaded = load_bundle(bundle)
    except BundleError as error:
        tell_problems(bundle, error, as_json=as_json)
        context.exit(1)
    counts = count(loaded.configuration)
    if as_json:
        found = {"ok": True, "bundle": str(bundle), "hash": loaded.hash, "counts": counts}
        print_json({**found, "problems": []})
        return
    from rich.table import Table

    click.echo(f"{visible(str(bundle))}: no problem")
    table = Table("holds")
    table.add_column("count", justify="right")
    for name, number in counts.items():
        table.add_row(name.replace("_", " "), f"{number:,}")
    console().print(table)
    click.echo(f"hash {loaded.hash}")


def tell_problems(bundle: Path, error: BundleError, *, as_json: bool) -> None:
    """Prints what is wrong with the bundle in a folder."""
    if as_json:
        problems = error_as_dict(error)["problems"]
        print_json({"ok": False, "bundle": str(bundle), "problems": problems})
        return
    for problem in error.problems:
        click.echo(visible(str(located(bundle, problem))))
    click.echo(f"{bundle}: {counted(len(error.problems), 'problem')}")


def count(configuration: Configuration) -> dict[str, int]:
    """How many of each there are in a bundle."""
    return {
        "lines": len(configuration.lines),
        "hosts": len(configuration.hosts),
        "listeners": len(configuration.switch.listener),
        "agencies": len(configuration.agencies),
        "oris": len(configuration.oris),
        "stations": len(configuration.stations),
        "users": len(configuration.users),
        "groups": len(configuration.groups),
        "routes": len(configuration.routes),
        "policy_files": len(configuration.policies),
    }


def located(bundle: Path, problem: Problem) -> Problem:
    """The problem with its file as it is found from here, where it is a file of the bundle."""
    file = bundle / problem.file
    if not problem.file or not file.is_file():
        return problem
    return Problem(str(file), problem.line, problem.code, problem.text)
