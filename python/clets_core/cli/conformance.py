"""``clets conformance``: an agency plays the numbered cases on its own line."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from clets_core.cli.reach import Line, line_options
from clets_core.cli.terminal import console, json_option, print_json, visible
from clets_core.conformance import CASES, Result, Settings, play
from clets_core.errors import ClientCode, ClientError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clets_core.conformance.cases import Case

FAILED: Final = 1
VALUES: Final = (
    "closed_group",
    "foreign_ori",
    "foreign_station",
    "foreign_user",
    "group",
    "lapsed_user",
    "ori_elsewhere",
    "stations",
)
"""What `--value` may name; `docs/conformance.md` says what each is."""
_MARKS: Final = {
    "pass": ("ok  ", "green"),
    "fail": ("FAIL", "bold red"),
    "left out": ("-   ", "dim"),
}


def _values(_: click.Context, __: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    found = dict(pair.partition("=")[::2] for pair in given)
    for name in found:
        if name not in VALUES:
            raise click.BadParameter(f"`{name}`; expected one of {', '.join(VALUES)}")
    return found


def _numbers(_: click.Context, __: click.Parameter, given: str | None) -> frozenset[int] | None:
    """Numbers and ranges, such as ``1-29,80``."""
    if given is None:
        return None
    found: set[int] = set()
    for part in given.split(","):
        if not (match := re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", part.strip())):
            raise click.BadParameter(f"`{part}`; expected a number or a range such as 1-29")
        found.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return frozenset(found)


@click.command
@line_options
@click.option("--port", type=click.IntRange(1, 65_535), help="Its port.")
@click.option("--station", help="Mnemonic that speaks; what it sends comes back to it.")
@click.option("--user", help="User of its agency with full access.")
@click.option("--ori", help="ORI of its agency.")
@click.option(
    "--value",
    "values",
    multiple=True,
    callback=_values,
    metavar="NAME=VALUE",
    help="What only some cases need; without it they are left out.",
)
@click.option(
    "--hosts/--no-hosts",
    default=True,
    show_default=True,
    help="Simulated hosts are behind the switch; without them their cases are left out.",
)
@click.option("--control", type=click.IntRange(1, 65_535), help="Control port of those hosts.")
@click.option("--window", type=click.IntRange(1, 1_000), help="The line's window in the bundle.")
@click.option(
    "--deadline",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    help="Seconds the switch waits for replies.",
)
@click.option(
    "--patience",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    help="Seconds a case waits for what it expects.",
)
@click.option(
    "--cases", "chosen", callback=_numbers, metavar="NUMBERS", help="Only these, such as 1-29,80."
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for settings and results, JSON.",
)
@click.option("--list", "listed", is_flag=True, help="Print the cases and play none.")
@json_option
@click.pass_context
def conformance(
    context: click.Context,
    line: Line,
    port: int | None,
    station: str | None,
    user: str | None,
    ori: str | None,
    values: dict[str, str],
    hosts: bool,
    control: int | None,
    window: int | None,
    deadline: float,
    patience: float,
    chosen: frozenset[int] | None,
    report: Path | None,
    listed: bool,
    as_json: bool,
) -> None:
    """Play the numbered cases on one line of a switch, and say which are met.

    The line must be idle: its session is taken over, and messages that wait for it are taken. Exit
    code 0 when no case failed, 1 when one did.
    """
    cases = [case for case in CASES if chosen is None or case.number in chosen]
    if listed:
        _list(cases, as_json=as_json)
        return
    if port is None or not (station and user and ori):
        raise click.UsageError("--port, --station, --user and --ori are needed to play cases")
    if line.framing == "native" and not line.name:
        raise click.UsageError("--line is needed on native lines")
    settings = Settings(
        host=line.host,
        port=port,
        framing=line.framing,
        station=station,
        user=user,
        ori=ori,
        line=line.name,
        local=line.local,
        ssl=line.security(),
        server_name=line.server_name or line.host,
        window=window or 0,
        deadline=deadline,
        patience=patience,
        control=control or 0,
        values=values,
    )
    results = asyncio.run(_play(settings, cases, hosts=hosts, as_json=as_json))
    failed = sum(it.result == "fail" for it in results)
    _sum_up(results, as_json=as_json)
    if report is not None:
        _write(report, settings, results)
    if failed:
        context.exit(FAILED)


async def _play(
    settings: Settings, cases: Sequence[Case], *, hosts: bool, as_json: bool
) -> list[Result]:
    results = []
    screen = console()
    async for result in play(settings, cases, hosts=hosts):
        results.append(result)
        if as_json:
            print_json(asdict(result))
            continue
        mark, style = _MARKS[result.result]
        screen.print(f"{result.number:3} ", end="")
        screen.print(mark, style=style, end="")
        told = f" {result.title}: {result.expectation}"
        screen.print(visible(f"{told} | {result.result}, {result.seen}"), soft_wrap=True)
    return results


def _list(cases: Sequence[Case], *, as_json: bool) -> None:
    for case in cases:
        lines = case.framing or "every"
        if as_json:
            print_json(
                {
                    "number": case.number,
                    "title": case.title,
                    "expectation": case.expectation,
                    "lines": lines,
                    "hosts": case.hosts,
                }
            )
        else:
            needs = ", simulated hosts" if case.hosts else ""
            click.echo(f"{case.number:3} {case.title}: {case.expectation} ({lines} line{needs})")


def _counts(results: Sequence[Result]) -> dict[str, int]:
    return {name: sum(it.result == name for it in results) for name in _MARKS}


def _sum_up(results: Sequence[Result], *, as_json: bool) -> None:
    counts = _counts(results)
    if as_json:
        print_json({"cases": len(results), **counts})
    else:
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        click.echo(f"conformance: {told}")


def _write(path: Path, settings: Settings, results: Sequence[Result]) -> None:
    """The report: which line, and each case with what was seen."""
    line = {
        "host": settings.host,
        "port": settings.port,
        "framing": settings.framing,
        "line": settings.line,
        "station": settings.station,
        "ori": settings.ori,
        "tls": settings.ssl is not None,
    }
    told = {"line": line, **_counts(results), "cases": [asdict(it) for it in results]}
    try:
        path.write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    except OSError as error:
        text = f"`{path}`: {error.strerror}; expected a place that can be written"
        raise ClientError(ClientCode.OUTPUT.number, text) from error
