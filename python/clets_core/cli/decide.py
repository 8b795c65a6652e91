"""``clets decide``: what a bundle's policy says about a message, or about a situation."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from clets_core.cli.messages import DIALECTS, messages
from clets_core.cli.terminal import (
    console,
    json_option,
    print_json,
    read_input,
    visible,
    wants_json,
)

if TYPE_CHECKING:
    from clets_core._core import Message, Verdict
    from clets_core.config.bundle import Bundle
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


def _print_facts(context: click.Context, _: click.Parameter, value: bool) -> None:
    """Prints every fact that a rule may look at, and ends."""
    if not value:
        return
    from clets_core._core import Snapshot

    for name, place, values, least in Snapshot.facts():
        if wants_json(context):
            print_json({"name": name, "of": place, "values": values, "least": least})
        else:
            click.echo(f"{name} ({place}): {', '.join(values)}; {least} unless given")
    context.exit()


@click.command
@click.option("--line", help="The line that the message would come on.")
@click.option("--dialect", type=click.Choice(DIALECTS), help="Default: what the line speaks.")
@click.option("--at", type=Moment(), help="When, in ISO 8601; default: now.")
@click.option(
    "--fact",
    "situation",
    multiple=True,
    metavar="NAME=VALUE",
    help="A fact of a situation, which is judged instead of messages; repeatable.",
)
@click.option(
    "--facts",
    "all_facts",
    is_flag=True,
    expose_value=False,
    callback=_print_facts,
    help="Print the facts and their values, and end.",
)
@json_option
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("file", required=False)
@click.pass_context
def decide(
    context: click.Context,
    line: str | None,
    dialect: str | None,
    at: datetime | None,
    situation: tuple[str, ...],
    as_json: bool,
    bundle: Path,
    file: str | None,
) -> None:
    """Judge each message of FILE (or of standard input) by the policy of BUNDLE.

    With --fact it is a situation that is judged, in which every other fact is what is least known.
    Tells the effect, the rules that decided with their citations, the labels, and an explanation.
    Nothing is sent. Exit code 0: all may pass; 3: one or more are refused or held.
    """
    from clets_core.config.bundle import load_bundle

    at = at or datetime.now(UTC)
    show = partial(_show, at=at, as_json=as_json)
    if situation:
        if line or dialect or file:
            raise click.UsageError("--fact wants no line, no dialect and no FILE")
        given = _situation(situation)
        verdict = _judge(load_bundle(bundle), given, at)
        show(verdict, {"facts": given}, ["situation"])
        passed = verdict.effect in PERMITS
    else:
        if line is None:
            raise click.UsageError("Missing option '--line'")
        passed = True
        loaded = load_bundle(bundle)
        spoken = dialect or dialect_of(loaded.configuration, line)
        for message in messages(read_input(file or "-"), spoken):
            verdict = loaded.decide(message, line=line, at=at)
            passed = passed and verdict.effect in PERMITS
            names = [name for name in (message.mke, message.origin) if name]
            show(verdict, _about(message, line), names)
    if not passed:
        context.exit(REFUSED)


def _situation(given: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name in found:
            raise click.UsageError(f"`{text}`: expected NAME=VALUE, each name once")
        found[name] = value
    return found


def _judge(bundle: Bundle, facts: dict[str, str], at: datetime) -> Verdict:
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    try:
        return bundle.snapshot.judge(facts, round(since.total_seconds() * 1_000_000))
    except ValueError as error:
        raise click.UsageError(f"{error}; `clets decide --facts` prints all") from error


def dialect_of(configuration: Configuration, line: str) -> str:
    """What a line or host sends to the switch: hosts answer in their own dialect."""
    for host in configuration.hosts:
        if host.name == line and host.dialect != "clets":
            return f"{host.dialect}-out"
    return "clets"


def _about(message: Message, line: str) -> dict[str, object]:
    return {
        "line": line,
        "mke": message.mke,
        "origin": message.origin,
        "station": message.station,
    }


def _show(
    verdict: Verdict, about: dict[str, object], names: list[str], *, at: datetime, as_json: bool
) -> None:
    """Prints a verdict; ``about`` and ``names`` say what it is on, in JSON and in words."""
    if not as_json:
        _print(verdict, names)
        return
    print_json(
        {
            **about,
            "at": at.isoformat(),
            "permits": verdict.effect in PERMITS,
            "effect": verdict.effect,
            "code": verdict.code or None,
            "rules": verdict.rules,
            "citations": verdict.citations,
            "labels": verdict.labels,
            "explanation": verdict.explanation,
        }
    )


def _print(verdict: Verdict, names: list[str]) -> None:
    from rich.table import Table
    from rich.text import Text

    out = console()
    permits = verdict.effect in PERMITS
    head = Text(verdict.effect, style="bold green" if permits else "bold red")
    if verdict.code:
        head.append(f" E{verdict.code}")
    head.append("".join(["  ", " ".join(map(visible, names))]).rstrip(), style="dim")
    out.print(head)
    if verdict.rules:
        table = Table("rule", "citation")
        for rule, citation in zip(verdict.rules, verdict.citations, strict=True):
            table.add_row(Text(rule), Text(citation))
        out.print(table)
    if verdict.labels:
        click.echo(f"labels: {', '.join(verdict.labels)}")
    click.echo(verdict.explanation)
