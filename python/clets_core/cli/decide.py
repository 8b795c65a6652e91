"""``clets decide``: what a bundle's policy says about a message."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from clets_core.cli.messages import DIALECTS, messages
from clets_core.cli.terminal import console, json_option, print_json, read_input, visible

if TYPE_CHECKING:
    from clets_core._core import Message, Verdict
    from clets_core.config.model import Configuration

REFUSED: Final = 3
PERMITS: Final = frozenset({"allow", "flag", "label"})


class Moment(click.ParamType[datetime]):
    """A time in ISO 8601; without a zone it is UTC."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Reads the text of an option."""
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"`{value}` is not a time such as 2026-03-01T08:30:00Z", param, ctx)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found


@click.command
@click.option("--line", required=True, help="The line that the message would come on.")
@click.option("--dialect", type=click.Choice(DIALECTS), help="Default: what the line speaks.")
@click.option("--at", type=Moment(), help="When, in ISO 8601; default: now.")
@json_option
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("file", default="-")
@click.pass_context
def decide(
    context: click.Context,
    line: str,
    dialect: str | None,
    at: datetime | None,
    as_json: bool,
    bundle: Path,
    file: str,
) -> None:
    """Judge each message of FILE (or of standard input) by the policy of BUNDLE.

    Tells the effect, the rules that decided with their citations, the labels, and an explanation.
    Nothing is sent. Exit code 0: all may pass; 3: one or more are refused or held.
    """
    from clets_core.config.bundle import load_bundle

    loaded = load_bundle(bundle)
    spoken = dialect or dialect_of(loaded.configuration, line)
    at = at or datetime.now(UTC)
    passed = True
    for message in messages(read_input(file), spoken):
        verdict = loaded.decide(message, line=line, at=at)
        passed = passed and verdict.effect in PERMITS
        if as_json:
            print_json(_as_dict(message, verdict, line, at))
        else:
            _print(message, verdict)
    if not passed:
        context.exit(REFUSED)


def dialect_of(configuration: Configuration, line: str) -> str:
    """What a line or host sends to the switch: hosts answer in their own dialect."""
    for host in configuration.hosts:
        if host.name == line and host.dialect != "clets":
            return f"{host.dialect}-out"
    return "clets"


def _as_dict(message: Message, verdict: Verdict, line: str, at: datetime) -> dict[str, object]:
    return {
        "line": line,
        "at": at.isoformat(),
        "mke": message.mke,
        "origin": message.origin,
        "station": message.station,
        "permits": verdict.effect in PERMITS,
        "effect": verdict.effect,
        "code": verdict.code or None,
        "rules": verdict.rules,
        "citations": verdict.citations,
        "labels": verdict.labels,
        "explanation": verdict.explanation,
    }


def _print(message: Message, verdict: Verdict) -> None:
    from rich.table import Table
    from rich.text import Text

    out = console()
    permits = verdict.effect in PERMITS
    head = Text(verdict.effect, style="bold green" if permits else "bold red")
    if verdict.code:
        head.append(f" E{verdict.code}")
    names = [visible(name) for name in (message.mke, message.origin) if name]
    head.append("".join(["  ", " ".join(names)]).rstrip(), style="dim")
    out.print(head)
    if verdict.rules:
        table = Table("rule", "citation")
        for rule, citation in zip(verdict.rules, verdict.citations, strict=True):
            table.add_row(Text(rule), Text(citation))
        out.print(table)
    if verdict.labels:
        click.echo(f"labels: {', '.join(verdict.labels)}")
    click.echo(verdict.explanation)
