"""``clets trace``: the way of one message through custody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clets_core._core import journal_records
from clets_core.cli.journal import Chosen
from clets_core.cli.terminal import json_option, print_json, visible
from clets_core.errors import ClientCode, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command
@json_option
@click.option(
    "--journal",
    "directory",
    type=click.Path(path_type=Path),
    default=Path("journal"),
    show_default=True,
    help="Folder of the journal; the switch may be running.",
)
@click.argument("smn", type=click.IntRange(min=0))
def trace(as_json: bool, directory: Path, smn: int) -> None:
    """Print what became of message SMN: custody, ways, orders, replies and ends. No texts."""
    rows = list(Chosen(messages={smn}).of(journal_records(directory)))
    if not rows:
        text = f"`{directory}`: there is no message {smn}; expected the number of one"
        raise ClientError(ClientCode.INPUT.number, text)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        for step in _steps(row, smn):
            click.echo(visible(f"{row['time']} {row['number']:>8} {step}"))


def _steps(row: dict[str, Any], smn: int) -> Iterator[str]:
    kind, own = row["kind"], row["number"] == smn
    if kind == "accepted":
        if own:
            sender = row.get("station") or "the switch"
            yield f"taken into custody: {row.get('key', '')} from {sender}"
        else:
            source = row.get("line") or "the switch"
            yield f"answered by {source}: {row.get('key', '')} as message {row['number']}"
        for place, entry in enumerate(row.get("entries", ())):
            name = f"entry {place}" if own else f"message {row['number']} entry {place}"
            yield _entry(name, entry)
    elif kind == "refused":
        yield f"refused: E{row['code']}"
    elif kind == "outcomes":
        for it in row["outcomes"]:
            name = f"entry {it['entry']}" if it["smn"] == smn else f"message {it['smn']}"
            yield f"{name}: {it['outcome'].replace('_', ' ')}"
    elif kind == "case":
        yield f"case: {row.get('effect', '')} by {', '.join(row.get('rules', ()))}"
    else:
        who = row.get("operator") or "the switch"
        yield f"{row.get('action', kind)} by {who}"
        for place, entry in enumerate(row.get("entries", ())):
            yield _entry(f"entry {place}", entry)
        for it in row.get("moved", ()):
            to = row.get("to") or row.get("line", "")
            yield f"entry {it['entry']}: for {to} as P{it['precedence']} number {it['sequence']}"


def _entry(name: str, entry: dict[str, Any]) -> str:
    way = f"for {entry['line']}/{entry['to']}" if entry["to"] else f"for {entry['line']}"
    number = f"P{entry['precedence']} number {entry['sequence']}"
    return f"{name}: {way} as {number}, until {entry['deadline']}"
