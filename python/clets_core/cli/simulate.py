"""``clets simulate``: counterparts that are not the switch, for others to test against."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec
import uvloop
from rich.table import Table

from clets_core.cli.foreground import listening, stop_event
from clets_core.cli.terminal import console, json_option, print_json
from clets_core.config.bundle import load_bundle
from clets_core.hosts import Tally, start_hosts

if TYPE_CHECKING:
    from clets_core.config.bundle import Bundle
    from clets_core.hosts import Hosts

DRAW_SECONDS: Final = 1.0
_COUNTS: Final = tuple(Tally.__struct_fields__)


@click.group
def simulate() -> None:
    """Run simulated counterparts in the foreground."""


@simulate.command
@click.option("--seed", type=int, default=1, show_default=True, help="Of the synthetic records.")
@click.option(
    "--control",
    type=click.IntRange(0, 65_535),
    help="Loopback port by which another process steers them; 0 takes a free one.",
)
@click.option(
    "--table/--no-table", default=None, help="Live table of the systems; default: on a terminal."
)
@json_option
@click.argument("bundle", type=click.Path(path_type=Path))
def hosts(seed: int, control: int | None, table: bool | None, as_json: bool, bundle: Path) -> None:
    """Run a simulated system for every host of the folder BUNDLE until SIGINT or SIGTERM.

    Each listens where the bundle says that the host is, and answers from synthetic records. Without
    the table it prints `ready` (with --json an object with all addresses), and at the end the
    counts of each system.
    """
    loaded = load_bundle(bundle)
    drawn = sys.stdout.isatty() and not as_json if table is None else table
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(loaded, seed, control, drawn=drawn, as_json=as_json))


async def _serve(
    bundle: Bundle, seed: int, control: int | None, *, drawn: bool, as_json: bool
) -> None:
    stop = stop_event()
    async with contextlib.AsyncExitStack() as stack:
        with listening():
            systems = await stack.enter_async_context(
                start_hosts(bundle.configuration.hosts, seed=seed, control=control)
            )
        if drawn:
            await _draw(systems, stop)
            return
        _announce(systems, as_json=as_json)
        await stop.wait()
        if as_json:
            print_json({name: msgspec.to_builtins(it.tally) for name, it in systems.items()})
        else:
            console().print(_table(systems))


def _announce(systems: Hosts, *, as_json: bool) -> None:
    if as_json:
        addresses = {name: "{}:{}".format(*it.address) for name, it in systems.items()}
        print_json({"ready": True, "control": systems.control, "hosts": addresses})
    else:
        steered = "" if systems.control is None else f", control on port {systems.control}"
        click.echo(f"ready{steered}")
    sys.stdout.flush()


async def _draw(systems: Hosts, stop: asyncio.Event) -> None:
    """Draws the table each second. A terminal that blocks must not block the systems."""
    from rich.live import Live

    with Live(console=console(), auto_refresh=False) as live:
        while True:
            ending = stop.is_set()
            await asyncio.to_thread(live.update, _table(systems), refresh=True)
            if ending:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), DRAW_SECONDS)


def _table(systems: Hosts) -> Table:
    control = "" if systems.control is None else f", control on port {systems.control}"
    table = Table(title=f"simulated systems{control}", title_justify="left")
    table.add_column("system", no_wrap=True)
    table.add_column("address", no_wrap=True)
    table.add_column("switch")
    for name in (*_COUNTS, "unacknowledged"):
        table.add_column(name.replace("_", " "), justify="right")
    for name, it in systems.items():
        counts = [getattr(it.tally, count) for count in _COUNTS]
        table.add_row(
            name,
            "{}:{}".format(*it.address),
            "connected" if it.connected else "-",
            *(f"{count:,}" if count else "·" for count in (*counts, it.unacknowledged)),
        )
    return table
