"""``clets shadow``: a candidate bundle that judges beside the one in force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clets_core.cli.operator import ask, control_option
from clets_core.cli.terminal import json_option, print_json


@click.command
@control_option
@click.option("--end", is_flag=True, help="Let the candidate judge no longer.")
@json_option
@click.argument("bundle", type=click.Path(path_type=Path), required=False)
def shadow(control: Path, end: bool, as_json: bool, bundle: Path | None) -> None:
    """Let the folder BUNDLE judge beside the one in force on a running switch, or see what it says.

    It changes nothing. Without BUNDLE: what it would newly refuse, hold or pass so far, by rule and
    agency.
    """
    if bundle is not None and end:
        raise click.UsageError("name a bundle or end it, not both")
    if bundle is not None:
        done = ask(control, "bundle.shadow", path=str(bundle.resolve()))
        text = f"bundle {done['bundle']} judges beside the one in force"
    elif end:
        done = ask(control, "bundle.shadow_end")
        text = "no bundle judges beside the one in force"
    else:
        done = ask(control, "bundle.shadow_report")
        text = _report(done)
    if as_json:
        print_json(done)
    else:
        click.echo(text)


def _report(done: dict[str, Any] | None) -> str:
    if done is None:
        return "no bundle judges beside the one in force"
    lines = [f"bundle {done['bundle']}: {done['differs']} of {done['judged']} messages differ"]
    lines += [
        f"{it['count']:>8}  {it['now']} -> {it['then']}  {it['rules']}  {it['agency']}"
        for it in sorted(done["counts"], key=lambda it: -it["count"])
    ]
    return "\n".join(lines)
