"""A backlog for a line that is down: what a million entries cost, how fast they go out, how long a
start takes with them.

The engine and its journal are driven without sockets, as the shell drives them, so that the
figures are the switch's own: ``python -m bench.load.backlog [entries] [--no-references]``. With
references the memory holds the table of duplicates too, which any day's traffic fills.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from pathlib import Path

from bench.load.driver import Driver
from bench.load.legs import NOTE

from clets_core._core import Center, Framer, frame
from clets_core.config.bundle import load_bundle
from clets_core.sample import write_california

SENDER, RECEIVER = "msc-01", "cad-01"
BATCH = 512


def resident_bytes() -> int:
    """What this process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def main() -> None:
    """Prints the figures."""
    given = [it for it in sys.argv[1:] if it != "--no-references"]
    entries = int(given[0]) if given else 1_000_000
    named = len(given) == len(sys.argv) - 1
    note = NOTE if named else NOTE.replace("{0:010}", "", 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_california(folder / "bundle")
        bundle = load_bundle(folder / "bundle")
        center = Center(bundle.snapshot, folder / "journal")
        driver = Driver(center)
        sender = driver.logon(SENDER, [1] * 5)
        gc.collect()
        before = resident_bytes()
        begun = time.perf_counter()
        for first in range(0, entries, BATCH):
            count = min(BATCH, entries - first)
            data = b"".join(
                frame("native", "data", note.format(number).encode(), sequence=number + 1)
                for number in range(first, first + count)
            )
            driver.feed(sender, data)
            driver.committed(0)
            driver.came.clear()
        while center.durable < entries:
            driver.committed()
        driver.came.clear()
        taken = time.perf_counter() - begun
        gc.collect()
        grown = resident_bytes() - before
        center.stop()
        del center, driver, sender
        gc.collect()
        begun = time.perf_counter()
        center = Center(bundle.snapshot, folder / "journal")
        whole = time.perf_counter() - begun
        begun = time.perf_counter()
        assert center.snapshot(1_096) > entries
        written = time.perf_counter() - begun
        center.stop()
        del center
        gc.collect()
        begun = time.perf_counter()
        center = Center(bundle.snapshot, folder / "journal")
        started = time.perf_counter() - begun
        driver = Driver(center)
        begun = time.perf_counter()
        receiver = driver.logon(RECEIVER, [1] * 5)
        framer, got = Framer("native", 1 << 20), 0
        while got < entries:
            last = 0
            for data in driver.came.pop(receiver.connection, []):
                for it in framer.feed(data):
                    if it.kind == "data":
                        got, last, precedence = got + 1, it.sequence, it.precedence
            if last:
                done = frame("native", "delivered", precedence=precedence, sequence=last)
                driver.feed(receiver, done)
            driver.committed(0 if driver.came else 1_000)
        drained = time.perf_counter() - begun
        center.stop()
    each = grown / entries
    print(f"entries waiting             {entries:>12,}")
    print(f"taken and queued            {entries / taken:>12,.0f} a second")
    print(f"memory for them             {grown / 2**20:>12.1f} MB, {each:.0f} B each")
    print(f"start that reads everything {whole:>12.2f} s")
    print(f"snapshot, beside traffic    {written:>12.2f} s")
    print(f"start from the snapshot     {started:>12.2f} s")
    print(f"sent and acknowledged       {entries / drained:>12,.0f} a second")


if __name__ == "__main__":
    main()
