"""The demo is the shortest whole account of the switch: every step of it must hold."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.timeout(300)
def test_every_step_of_the_demo_passes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "clets_core.cli", "demo", "--json"],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.stdout, done.stderr
    *steps, last = (json.loads(line) for line in done.stdout.splitlines())
    assert [step for step in steps if not step["passed"]] == []
    assert done.returncode == 0, done.stderr
    assert last == {"passed": len(steps), "steps": len(steps)}
    assert len(steps) >= 42
