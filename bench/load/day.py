"""A day of the state in a few minutes: ``python -m bench.load.day [--seconds 240] [--report F]``.

The switch and its simulated hosts are a program of their own, locust another; loopback only, and it
stops by itself. Its exit code is that of locust: 1 when a message was lost, refused or answered
wrongly. The simulated hosts are Python: the figures are those of a state's day, not the switch's
ceilings, which ``python -m bench.load.state`` measures.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

from bench.load.program import program

from clets_core.sample import write_california

ROOT = Path(__file__).resolve().parents[2]


async def run(folder: Path, *, port_base: int, seconds: float, scale: float, report: Path) -> int:
    """Runs a day; gives the exit code of locust."""
    write_california(folder / "bundle", port_base=port_base)
    async with program(folder / "bundle", folder / "journal", hosts=True):
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "locust", "--headless", "--only-summary"),
            *("-f", str(Path(__file__).with_name("users.py")), "--html", str(report)),
            *("--bundle", str(folder / "bundle"), "--port", str(port_base)),
            *("--day", str(seconds), "--scale", str(scale), "--stop-timeout", "60"),
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])},
        )
        return await child.wait()


def main() -> None:
    given = argparse.ArgumentParser(description="A day of the state in a few minutes.")
    given.add_argument("--seconds", type=float, default=240.0, help="in which the day passes")
    given.add_argument("--scale", type=float, default=1.0, help="times the state's messages")
    given.add_argument("--report", type=Path, default=Path("locust.html"), help="HTML")
    options = vars(given.parse_args())
    options["report"] = options["report"].absolute()
    with tempfile.TemporaryDirectory(prefix="clets-bench-") as name:
        sys.exit(asyncio.run(run(Path(name), port_base=23_000, **options)))


if __name__ == "__main__":
    main()
