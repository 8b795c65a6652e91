"""The switch as a program of its own, for as long as a measurement takes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

START_SECONDS = 120
STOP_SECONDS = 60


@dataclass(frozen=True)
class Program:
    """A running switch."""

    pid: int
    journal: Path

    def memory_bytes(self) -> int:
        """Resident memory."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError

    def cpu_seconds(self) -> float:
        """Time on a processor so far, all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100


@asynccontextmanager
async def program(
    bundle: Path, journal: Path, *, core: int | None = None, hosts: bool = False
) -> AsyncIterator[Program]:
    """Starts ``clets run``, on one core if that is given, with simulated hosts if wanted, and waits
    until it listens; stops it in the end, come what may."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "clets_core.cli", "run", str(bundle), "--no-table"),
        *("--journal", str(journal), "--hosts" if hosts else "--no-hosts"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
    )
    try:
        assert child.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            assert (await child.stdout.readline()).strip() == b"ready"
        yield Program(child.pid, journal)
        assert child.returncode is None, "the switch ended by itself"
    finally:
        with suppress(ProcessLookupError):
            child.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()
