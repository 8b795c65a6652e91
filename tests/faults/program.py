"""The switch as the program that it is, on a small bundle."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from clets_core.sample import write_california

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SEGMENT_BYTES = 1 << 20
"""Small, so that the load fills several while a fault is waited for."""
USERS = 60
WINDOW = 64
SECONDS = 30.0


def write_bundle(folder: Path, port_base: int) -> None:
    """The sample without its hosts and most of its users: the program is ready in a moment."""
    write_california(folder, port_base=port_base)
    users = folder / "users.csv"
    users.write_text("".join(users.read_text("utf-8").splitlines(keepends=True)[: USERS + 1]))
    lines = folder / "lines.toml"
    wide = re.sub(
        r'(name = "(?:cad-01|county-038)"\n)', rf"\1window = {WINDOW}\n", lines.read_text("utf-8")
    )
    lines.write_text(wide, "utf-8")


class Program:
    """A running ``clets run``, alone in its process group: killed when the block ends."""

    def __init__(
        self,
        bundle: Path,
        journal: Path,
        *,
        preload: Path | None = None,
        under: Sequence[str] = (),
    ) -> None:
        self.log = bundle.parent / "switch.log"
        # Beside the journal it would keep the file system busy.
        control = bundle.parent / "control.sock"
        self._command = [
            *(*under, sys.executable, "-m", "clets_core.cli", "run", str(bundle), "--no-table"),
            *("--journal", str(journal), "--control", str(control)),
            *("--segment-bytes", str(SEGMENT_BYTES), "--reserve-bytes", "0"),
        ]
        self._environment = dict(os.environ)
        if preload is not None:
            self._environment["LD_PRELOAD"] = str(preload)
        self._process: asyncio.subprocess.Process

    async def __aenter__(self) -> Self:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=self._environment,
                start_new_session=True,
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def ready(self) -> bool:
        """Whether it came up; False when it ended instead."""
        assert self._process.stdout is not None
        async with asyncio.timeout(SECONDS):
            return await self._process.stdout.readline() == b"ready\n"

    async def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> int:
        """Ends it in good order."""
        self._process.send_signal(signal.SIGTERM)
        return await self.ended()

    @property
    def runs(self) -> bool:
        return self._process.returncode is None

    async def ended(self, seconds: float = SECONDS) -> int:
        """Waits for its end; gives the exit code."""
        async with asyncio.timeout(seconds):
            return await self._process.wait()

    def last_words(self) -> str:
        return self.log.read_text("utf-8")[-2000:]


def now() -> float:
    """The clock that strace prints."""
    return time.time()
