"""``clets keys``: the catalogue of message keys."""

from __future__ import annotations

import click

from clets_core.cli.catalogue import COLUMNS, rows
from clets_core.cli.terminal import json_option, print_json


@click.command
@click.option("--family", help="Only keys of this family, such as vehicle.")
@json_option
@click.argument("key", nargs=-1)
def keys(family: str | None, as_json: bool, key: tuple[str, ...]) -> None:
    """Print the message keys: all, or each KEY that is named (as IV.4A, RQ, QW).

    A key without its destination system means the key of every system. --json prints one object a
    line, with the fields that the key may carry and the alternatives that it must.
    """
    wanted = {name.upper() for name in key}
    found = [
        row
        for row in rows()
        if (family is None or row["family"] == family)
        and (not wanted or wanted & {row["key"], row["name"]})
    ]
    if not found:
        raise click.UsageError("no such key; `clets keys` prints all")
    if as_json:
        for row in found:
            print_json(row)
        return
    table = [list(COLUMNS), *([_cell(row, column) for column in COLUMNS] for row in found)]
    widths = [max(len(line[place]) for line in table) for place in range(len(COLUMNS))]
    for line in table:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _cell(row: dict[str, object], column: str) -> str:
    value = row["name" if column == "key" else column]
    return " ".join(value) if isinstance(value, list) else str(value)
