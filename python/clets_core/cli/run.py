"""``clets run``: the switch as a program."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import uvloop

from clets_core._core import small_pages
from clets_core.cli.board import Board
from clets_core.cli.foreground import listening, stop_event
from clets_core.cli.terminal import console, json_option, print_json
from clets_core.config.bundle import Bundle, load_bundle
from clets_core.runtime.control import SOCKET_NAME
from clets_core.runtime.switch import Switch

if TYPE_CHECKING:
    from clets_core.errors import JournalError

DRAW_SECONDS: Final = 1.0
log = logging.getLogger("clets_core")


@click.command
@click.option(
    "--journal",
    type=click.Path(path_type=Path),
    default=Path("journal"),
    show_default=True,
    help="Folder of the journal; made when it is absent.",
)
@click.option(
    "--control",
    type=click.Path(path_type=Path),
    help="Control socket for operators' verbs; default: control.sock in the journal's folder.",
)
@click.option(
    "--segment-bytes",
    type=click.IntRange(min=8192),
    default=64 << 20,
    show_default=True,
    help="Length of new journal files; two are kept ready. A multiple of 8.",
)
@click.option(
    "--reserve-bytes",
    type=click.IntRange(min=0),
    default=256 << 20,
    show_default=True,
    help="Length of a file that is given up when the disk is full; 0 for none.",
)
@click.option(
    "--shadow",
    type=click.Path(path_type=Path),
    help="Folder of a candidate bundle that judges beside BUNDLE and changes nothing.",
)
@click.option("--hosts/--no-hosts", help="Run simulated destination systems too.")
@click.option(
    "--table/--no-table", default=None, help="Live table of lines; default: on a terminal."
)
@json_option
@click.argument("bundle", type=click.Path(path_type=Path))
def run(
    journal: Path,
    control: Path | None,
    segment_bytes: int,
    reserve_bytes: int,
    shadow: Path | None,
    hosts: bool,
    table: bool | None,
    as_json: bool,
    bundle: Path,
) -> None:
    """Run the switch of the folder BUNDLE until SIGINT or SIGTERM.

    Without the table it prints one line, `ready`, when its listeners are open (with --json an
    object that also has their addresses). Log lines go to standard error, and hold no personal
    data. It ends with exit code 1 when the bundle or the journal is refused, or when the journal
    fails: then nothing more was acknowledged.
    """
    small_pages()
    loaded = load_bundle(bundle)
    drawn = sys.stdout.isatty() and not as_json if table is None else table
    _log_to_stderr(plain=not drawn)
    switch = Switch(
        loaded,
        journal=journal,
        segment_bytes=segment_bytes,
        reserve_bytes=reserve_bytes,
        control=control or journal / SOCKET_NAME,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        failure = runner.run(
            _serve(loaded, switch, shadow=shadow, hosts=hosts, drawn=drawn, as_json=as_json)
        )
    if failure is not None:
        raise failure


async def _serve(
    bundle: Bundle,
    switch: Switch,
    *,
    shadow: Path | None,
    hosts: bool,
    drawn: bool,
    as_json: bool,
) -> JournalError | None:
    """Runs until it is told to stop, or the journal fails: then with the error."""
    stop = stop_event()
    async with contextlib.AsyncExitStack() as stack:
        with listening():
            if hosts:
                from clets_core.hosts import start_hosts

                await stack.enter_async_context(start_hosts(bundle.configuration.hosts))
            await stack.enter_async_context(switch)
        if shadow is not None:
            await switch.shadow(shadow)
        failure = asyncio.create_task(switch.failure())
        if drawn:
            until = asyncio.create_task(_draw(switch, bundle, stop))
        else:
            _announce(switch, bundle, as_json=as_json)
            until = asyncio.create_task(_wait(stop))
        await asyncio.wait((failure, until), return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await until
        if failure.done():
            return failure.result()
        failure.cancel()
    log.info("stopped in order")
    return None


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()


def _announce(switch: Switch, bundle: Bundle, *, as_json: bool) -> None:
    if as_json:
        addresses = {name: f"{host}:{port}" for name, (host, port) in switch.addresses.items()}
        print_json(
            {
                "ready": True,
                "bundle": bundle.hash,
                "recovered": switch.recovered,
                "listeners": addresses,
            }
        )
    else:
        click.echo("ready")


async def _draw(switch: Switch, bundle: Bundle, stop: asyncio.Event) -> None:
    """Draws the table each second. A terminal that blocks must not block the switch."""
    from rich.live import Live

    screen = console()
    board = Board()
    title = bundle.configuration.switch.name
    with Live(console=screen, auto_refresh=False, transient=False) as live:
        while True:
            ending = stop.is_set()
            table = board.draw(
                switch.status(), at=time.monotonic(), height=screen.height, title=title
            )
            await asyncio.to_thread(live.update, table, refresh=True)
            if ending:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), DRAW_SECONDS)


def _log_to_stderr(*, plain: bool) -> None:
    """Log lines of the package: all of its news without the table, else only what is wrong."""

    class Stderr(logging.StreamHandler):  # type: ignore[type-arg]
        """Standard error as it is when the line is written: the live table redirects it."""

        def emit(self, record: logging.LogRecord) -> None:
            self.stream = sys.stderr
            super().emit(record)

    handler = Stderr()
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z")
    )
    log.addHandler(handler)
    log.setLevel(logging.INFO if plain else logging.WARNING)
