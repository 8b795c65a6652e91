"""``clets demo``: a switch, its hosts and some agencies play a scenario on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
import uvloop

from clets_core.cli.scenario import perform
from clets_core.cli.terminal import console, json_option, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=False)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="clets-demo-") as name:
        yield Path(name)


@click.command
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    help="New folder for bundle and journal, to be looked at afterwards.",
)
@json_option
def demo(keep: Path | None, as_json: bool) -> None:
    """Play a scenario with a real switch: real sockets, TLS, fsync, policies and recovery.

    Prints a line for each step with what was seen, and ends with exit code 1 if any failed. It
    talks to loopback only and stops by itself.
    """
    screen = console()

    def show(number: int, total: int, title: str, seen: str, *, passed: bool) -> None:
        if as_json:
            print_json({"step": number, "title": title, "seen": seen, "passed": passed})
        else:
            mark, style = ("ok  ", "green") if passed else ("FAIL", "bold red")
            screen.print(f"{number:3}/{total} ", end="")
            screen.print(mark, style=style, end="")
            screen.print(f" {title}: {seen}", soft_wrap=True)

    with _folder(keep) as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        passed, total = runner.run(perform(folder, show))
    if as_json:
        print_json({"passed": passed, "steps": total})
    else:
        click.echo(f"demo: {passed} of {total} steps passed")
    if passed != total:
        raise click.exceptions.Exit(1)
