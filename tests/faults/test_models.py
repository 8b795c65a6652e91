"""The models of the delivery contract, checked exhaustively; what is known to be bad is found."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.faults.machine import needs

MODELS = sorted((Path(__file__).parents[2] / "docs" / "models").glob("*.pml"))
MUTANTS = [
    (model, name)
    for model in MODELS
    for name in sorted(set(re.findall(r"#ifn?def (MUT_\w+|VOLATILE_SEQ)", model.read_text())))
]
STATES_MAX = 2_000_000


def errors(model: Path, folder: Path, *defined: str) -> int:
    """How many errors the checker finds; it looks at every state there is."""
    flags = [f"-D{name}" for name in defined]
    compiler = ("gcc", "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-DVECTORSZ=2048")
    for command in (
        ("spin", *flags, "-a", str(model)),
        (*compiler, "-o", "pan", "pan.c"),
        ("./pan", f"-m{STATES_MAX}"),
    ):
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=100, check=False
        )
    assert "Search not completed" not in done.stdout or "errors: 0" not in done.stdout
    found = re.search(r"errors: (\d+)", done.stdout)
    assert found, done.stdout + done.stderr
    return int(found[1])


@pytest.mark.parametrize("model", MODELS, ids=lambda it: it.stem)
def test_no_state_breaks_a_promise(model: Path, tmp_path: Path) -> None:
    needs("spin", "gcc")
    assert errors(model, tmp_path) == 0


@pytest.mark.parametrize(("model", "mutant"), MUTANTS, ids=lambda it: getattr(it, "stem", it))
def test_what_is_known_to_be_wrong_is_found(model: Path, mutant: str, tmp_path: Path) -> None:
    needs("spin", "gcc")
    assert errors(model, tmp_path, mutant) > 0


def test_there_are_models_and_mutants() -> None:
    assert len(MODELS) == 5
    assert len(MUTANTS) >= 15
