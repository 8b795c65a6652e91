"""Writes the conformance corpus as seeds of one fuzz target: ``seed.py TARGET FOLDER``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from clets_core._core import frame

GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "golden"


def seeds(target: str) -> list[bytes]:
    """The messages of a dialect, or of CLETS in the frames of a framing."""
    framed = target in {"dmpp", "native"}
    file = GOLDEN / f"{'clets' if framed else target.replace('_', '-')}.jsonl"
    texts = [json.loads(line)["message"].encode() for line in file.read_text("utf-8").splitlines()]
    return [frame(target, "data", text) for text in texts] if framed else texts


def main() -> None:
    """Writes one file for each seed; those that stand already stay."""
    target, folder = sys.argv[1], Path(sys.argv[2])
    for number, seed in enumerate(seeds(target)):
        (folder / f"seed-{number:03}").write_bytes(seed)


if __name__ == "__main__":
    main()
