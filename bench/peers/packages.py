"""Where `scripts/setup-peers` puts what only the peers need, apart from what the switch needs."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / ".build" / "peers"
SETUP = "run scripts/setup-peers"


def program(name: str) -> str:
    """A server, from the folder, the path or where Debian keeps PostgreSQL."""
    debian = [str(it) for it in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    for path in (str(FOLDER / "bin"), None, *debian):
        if found := shutil.which(name, path=path):
            return found
    raise FileNotFoundError(name)


def lacking(*, programs: tuple[str, ...] = (), modules: tuple[str, ...] = ()) -> str | None:
    """What of it is not here, in a sentence."""
    missing = []
    for find, names in ((program, programs), (module, modules)):
        for name in names:
            try:
                find(name)
            except (ImportError, FileNotFoundError):
                missing.append(name)
    return f"no {', '.join(missing)}: {SETUP}" if missing else None


def module(name: str) -> Any:
    """A package of the folder, which comes last: ours stay ours."""
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    return importlib.import_module(name)
