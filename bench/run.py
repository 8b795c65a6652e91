"""First figures of this machine, printed with the machine: `make bench`.

Rust stages on one core, the embedded Python surface, and durable legs end to end on all cores. The
figures from Python stand beside those of `bench/python/baselines`, and one that takes twice as long
fails: less is between two machines, and `make instructions` finds it. `--save` keeps them anew.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from pytest_benchmark.utils import get_machine_id

from clets_core.config.document import document
from clets_core.config.load import load

ROOT = Path(__file__).resolve().parent.parent


def machine() -> str:
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    commit = output("git", "rev-parse", "--short", "HEAD")
    rust = output("rustc", "--version")
    today = datetime.now(UTC).date()
    return (
        f"{os.cpu_count()} cores, {model}; {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}; {rust}; commit {commit}; {today}"
    )


def output(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def fdatasync_microseconds(folder: Path) -> float:
    """Median time of an append of 4 KiB with its fdatasync: the floor of every acknowledgement."""
    times = []
    with (folder / "probe").open("wb") as file:
        for _ in range(200):
            begun = time.perf_counter()
            file.write(b"\0" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begun)
    return sorted(times)[100] * 1e6


def main() -> None:
    print(f"machine: {machine()}")
    with tempfile.TemporaryDirectory(prefix="clets-bench-") as name:
        folder = Path(name)
        print(f"fdatasync of 4 KiB, median: {fdatasync_microseconds(folder):.0f} us\n", flush=True)
        given = folder / "document.json"
        given.write_bytes(document(load(ROOT / "examples" / "california")))
        environment = {**os.environ, "CLETS_BENCH_DOCUMENT": str(given)}
        for bench in ("stages", "rules"):
            subprocess.run(
                [
                    *("cargo", "bench", "--locked", "--quiet", "-p", "clets-bench"),
                    *("--bench", bench, "--", "--output-format=bencher"),
                    *("--warm-up-time=1", "--measurement-time=1"),
                ],
                cwd=ROOT,
                env=environment,
                check=True,
            )
    print("\nfrom Python, microseconds a call (a batch is one call):", flush=True)
    columns = "--benchmark-columns=min,median,rounds"
    only = ["--benchmark-only", "--benchmark-enable", columns, "--benchmark-sort=name"]
    kept = ROOT / "bench" / "python" / "baselines"
    only.append(f"--benchmark-storage=file://{kept}")
    if "--save" in sys.argv:
        shutil.rmtree(kept, ignore_errors=True)
        only.append("--benchmark-save=baseline")
    elif any((kept / get_machine_id()).glob("*.json")):
        only += ["--benchmark-compare", "--benchmark-compare-fail=min:100%"]
    else:
        print("no baselines of this Python on such a machine: `make bench SAVE=1` keeps them")
    subprocess.run(
        [sys.executable, "-m", "pytest", "--quiet", "--no-header", *only, "bench/python"],
        cwd=ROOT,
        check=True,
    )
    print("\ndurable legs end to end, TCP, fsync before each acknowledgement:", flush=True)
    best = max(
        (json.loads(output(sys.executable, "bench/load/legs.py")) for _ in range(3)),
        key=lambda figures: figures["legs_per_second"],
    )
    print(
        f"{best['legs_per_second']:,.0f} legs/s (best of 3 runs of {best['messages']:,}); "
        f"{best['switch_cpu_microseconds_per_leg']:.1f} us of the switch's CPU a leg"
    )


if __name__ == "__main__":
    main()
