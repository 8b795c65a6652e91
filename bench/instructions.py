"""The gate on speed: instructions of each Rust stage, held against `bench/rust/instructions.json`.

Counted on valgrind, and so the same at any time of the day; clocks are not asked. A stage that
takes more than 2 % more fails, unless the commit says why and writes the new counts: `make
instructions ACCEPT=1`. One that takes less is to be written down too, or the next commit could take
that back unseen. Whole engines differ by 1 % from run to run, for tables that strangers can fill
have secret keys. Rust 1.95 on x86-64 with AVX2; elsewhere the counts are others.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from clets_core.config.document import document
from clets_core.config.load import load

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "bench" / "rust" / "instructions.json"
TOOLS = ROOT / ".build" / "tools" / "bin"
SLACK = 0.02
COMMAND = ("cargo", "bench", "--locked", "--quiet", "-p", "clets-bench", "--bench", "instructions")


def counted() -> dict[str, int]:
    """Runs every stage once on valgrind; gives the instructions of each."""
    with tempfile.TemporaryDirectory(prefix="clets-bench-") as name:
        given = Path(name) / "document.json"
        given.write_bytes(document(load(ROOT / "examples" / "california")))
        environment = {
            **os.environ,
            "CLETS_BENCH_DOCUMENT": str(given),
            "GUNGRAUN_RUNNER": str(TOOLS / "gungraun-runner"),
            "GUNGRAUN_OUTPUT_FORMAT": "json",
        }
        done = subprocess.run(COMMAND, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\n{done.stderr}")
    return dict(map(stage, map(json.loads, filter(None, done.stdout.splitlines()))))


def stage(summary: dict[str, Any]) -> tuple[str, int]:
    """The name of a stage and its instructions."""
    [profile] = summary["profiles"]
    counts = profile["data"]["total"]["metrics"]["Ir"]["values"]
    return f"{summary['function_name']} {summary['id']}", int(counts["new"])


def main() -> None:
    """Prints the table; exits with 1 when a count has grown and ``--accept`` was not given."""
    new = counted()
    if "--accept" in sys.argv[1:]:
        KEPT.write_text(json.dumps(new, indent=1, sort_keys=True) + "\n", "utf-8")
    old: dict[str, int] = json.loads(KEPT.read_text("utf-8"))
    grown = False
    for name in sorted({*old, *new}):
        before, now = old.get(name, 0), new.get(name, 0)
        share = now / before - 1 if before else float("inf")
        grown |= share > SLACK
        verdict = "MORE" if share > SLACK else "less" if share < -SLACK else ""
        print(f"{name:45} {before:12,} {now:12,} {100 * share:+6.1f} % {verdict}")
    sys.exit(grown)


if __name__ == "__main__":
    main()
