"""``clets queue``: what waits in a running switch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from clets_core.cli.operator import ask, control_option
from clets_core.cli.terminal import console, json_option, print_json, visible

if TYPE_CHECKING:
    from pathlib import Path


@click.command
@control_option
@json_option
@click.option("--all", "every", is_flag=True, help="Lines too for which nothing waits.")
@click.argument("line", required=False)
def queue(control: Path, as_json: bool, every: bool, line: str | None) -> None:
    """List the lines for which something waits, or what waits for LINE. No texts."""
    if line is not None:
        _waiting(ask(control, "queue.show", line=line), as_json=as_json)
        return
    status: dict[str, Any] = ask(control, "queue.list")
    lines = [it for it in status["lines"] if every or _busy(it)]
    if as_json:
        print_json(lines)
        return
    from rich.table import Table

    table = Table("line", "P0", "P1", "P2", "P3", "P4", "on the wire", "dead", "state")
    for it in lines:
        counts = map(str, (*it["waiting"], it["in_flight"], it["dead_letters"]))
        table.add_row(visible(it["name"]), *counts, visible(_state(it)))
    console().print(table)
    if status["minimize"] is not None:
        click.echo(f"minimize: what is below P{status['minimize']} waits")
    if status["closed_percent"]:
        click.echo(f"overload: closed {status['closed_percent']} %")


def _busy(it: dict[str, Any]) -> bool:
    quiet = it["up"] and it["passage"] == "open" and not it["diverted_to"]
    return bool(not quiet or any(it["waiting"]) or it["in_flight"] or it["dead_letters"])


def _state(it: dict[str, Any]) -> str:
    parts = ["up" if it["up"] else "down"]
    if it["passage"] != "open":
        parts.append(it["passage"])
    if it["diverted_to"]:
        parts.append(f"by {it['diverted_to']}")
    parts.extend(f"{family or 'all'} {state}" for family, state in it["service"])
    return ", ".join(parts)


def _waiting(entries: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(entries)
        return
    from rich.table import Table

    table = Table("message", "entry", "precedence", "number", "expires", "marks")
    for it in entries:
        deadline = datetime.fromtimestamp(it["deadline_us"] / 1e6, UTC)
        marks = ["possible duplicate"] if it["possible_duplicate"] else []
        if it["refusals"]:
            marks.append(f"refused {it['refusals']} times")
        table.add_row(
            str(it["message"]),
            str(it["entry"]),
            f"P{it['precedence']}",
            str(it["sequence"]),
            f"{deadline:%Y-%m-%d %H:%M:%S}Z",
            ", ".join(marks),
        )
    console().print(table)
