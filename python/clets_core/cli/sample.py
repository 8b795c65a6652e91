"""``clets sample``: bundles to try the switch with."""

from __future__ import annotations

from pathlib import Path

import click

from clets_core.cli.terminal import console, json_option, print_json, visible
from clets_core.errors import ClientCode, ClientError
from clets_core.sample import PORT_BASE, SEED, write_california


@click.group
def sample() -> None:
    """Write a sample bundle. Everything in it is invented."""


@sample.command
@click.option("--seed", type=int, default=SEED, show_default=True, help="Gives the same people.")
@click.option("--port-base", type=int, default=PORT_BASE, show_default=True, help="First port.")
@click.option("--tls", is_flag=True, help="With certificates for all lines, made anew.")
@click.option("--policy", type=click.Path(path_type=Path), help="Folder of policies to copy.")
@json_option
@click.argument("directory", type=click.Path(path_type=Path))
def california(
    seed: int, port_base: int, tls: bool, policy: Path | None, as_json: bool, directory: Path
) -> None:
    """Write a state's switching center with its 58 counties into DIRECTORY.

    The same seed and ports give the same bytes, but for certificates.
    """
    try:
        written = write_california(
            directory, seed=seed, port_base=port_base, tls=tls, policy=policy
        )
    except OSError as error:
        text = f"`{error.filename or directory}`: {error.strerror}; expected a folder to write in"
        raise ClientError(ClientCode.OUTPUT.number, text) from error
    counts = {
        "agencies": written.agencies,
        "stations": written.stations,
        "users": written.users,
    }
    if as_json:
        print_json({"directory": str(directory), "seed": seed, "tls": tls, **counts})
        return
    from rich.table import Table

    click.echo(f"{visible(str(directory))}: written")
    table = Table("holds")
    table.add_column("count", justify="right")
    for name, number in counts.items():
        table.add_row(name, f"{number:,}")
    console().print(table)
