"""What a message costs as there are more of what a state has more of every year.

    python -m bench.load.curves [name ...]

=========  ======================================================================================
name       what there is more of
=========  ======================================================================================
messages   messages in the journal, each delivered
depth      messages that wait for the one line they are for, which is down
users      users of the sender's agency; each message has another
lines      lines, all of them up; each batch goes from one to the next
=========  ======================================================================================

Processor time of the switch's threads for a message, journal and its hashes with it, and what the
process holds in memory. Messages come in reads of 256; no sockets. ``bench/rust`` has the curve
for rules.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.load.backlog import resident_bytes
from bench.load.driver import Driver
from bench.load.lines import Place, write_lines

from clets_core._core import Center, Framer, frame
from clets_core.config.bundle import load_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clets_core._core import Intake

BATCH = 256
SAMPLE = 20_480
"""Messages over which a cost is taken."""
MESSAGE = 3
"""The precedence of messages to people."""


class Switch:
    """An engine, and lines that log on to it."""

    def __init__(self, folder: Path, places: Sequence[Place], users: int = 0) -> None:
        write_lines(folder / "bundle", places, port_base=23_000)
        rows = (
            f"T{number},{places[0].name},full,active,true,true,2015-03-02,2015-04-06,2099-12-31\n"
            for number in range(users)
        )
        with (folder / "bundle" / "users.csv").open("a", encoding="utf-8") as file:
            file.writelines(rows)
        self.users = [f"T{number}" for number in range(users)]
        bundle = load_bundle(folder / "bundle")
        self.driver = Driver(Center(bundle.snapshot, folder / "journal"))
        self.intakes: dict[Place, Intake] = {}
        self._framers: dict[Place, Framer] = {}
        self._sent = dict.fromkeys(places, 0)
        self._references = itertools.count(1)

    def logon(self, place: Place) -> None:
        self.intakes[place] = self.driver.logon(place.name)
        self._framers[place] = Framer("native", 1 << 20)

    def batch(self, sender: Place, to: Place) -> bytes:
        frames = []
        for reference in itertools.islice(self._references, BATCH):
            self._sent[sender] += 1
            body = sender.message(MESSAGE, f"{reference:010}", to)
            if self.users:
                user = self.users[reference % len(self.users)]
                body = body.replace(f".{sender.user}.".encode(), f".{user}.".encode(), 1)
            frames.append(frame("native", "data", body, sequence=self._sent[sender]))
        return b"".join(frames)

    def carry(self, batches: Iterator[tuple[Place, Place]], count: int) -> float:
        """Takes so many messages, delivers those for lines that are up; seconds of processor."""
        spent = 0.0
        for sender, to in itertools.islice(batches, count // BATCH):
            data = self.batch(sender, to)
            wanted = self.driver.center.durable + BATCH
            begun = time.process_time()
            self.driver.feed(self.intakes[sender], data)
            while self.driver.center.durable < wanted:
                self.driver.committed()
            self._acknowledge(to)
            spent += time.process_time() - begun
            self.driver.came.clear()
        return spent

    def _acknowledge(self, to: Place) -> None:
        """Takes what came for a line until nothing more comes of it."""
        intake = self.intakes.get(to)
        while intake and (came := self.driver.came.pop(intake.connection, [])):
            found = (it for data in came for it in self._framers[to].feed(data))
            last = max((it.sequence for it in found if it.kind == "data"), default=0)
            if last:
                done = frame("native", "delivered", precedence=MESSAGE, sequence=last)
                self.driver.feed(intake, done)


def told(what: str, number: int, seconds: float) -> None:
    held = resident_bytes() / 2**20
    print(f"{what:<9} {number:>12,} {1e6 * seconds / SAMPLE:8.2f} us {held:10,.0f} MB", flush=True)


def grown(folder: Path, name: str, most: int, *, up: bool) -> None:
    """One journal or queue that grows by decades."""
    sender, receiver = places = [Place(1, "native", 1024), Place(2, "native", 1024)]
    switch = Switch(folder, places)
    switch.logon(sender)
    if up:
        switch.logon(receiver)
    course = itertools.repeat((sender, receiver))
    there = 0
    size = 1_000
    while size <= most:
        switch.carry(course, size - there)
        told(name, size, switch.carry(course, SAMPLE))
        there, size = size + SAMPLE, size * 10
        while size < there:
            size *= 10
    switch.driver.center.stop()


def with_users(folder: Path, users: int) -> None:
    sender, receiver = places = [Place(1, "native", 1024), Place(2, "native", 1024)]
    switch = Switch(folder, places, users)
    switch.logon(sender)
    switch.logon(receiver)
    course = itertools.repeat((sender, receiver))
    switch.carry(course, BATCH)
    told("users", users, switch.carry(course, SAMPLE))
    switch.driver.center.stop()


def with_lines(folder: Path, lines: int) -> None:
    places = [Place(number, "native", 1024) for number in range(1, lines + 1)]
    switch = Switch(folder, places)
    for place in places:
        switch.logon(place)
    course = itertools.cycle(itertools.pairwise(places))
    switch.carry(course, BATCH)
    told("lines", lines, switch.carry(course, SAMPLE))
    switch.driver.center.stop()


def main() -> None:
    given = argparse.ArgumentParser(description="Cost curves.")
    given.add_argument("names", nargs="*", help="of the table; all when none is given")
    given.add_argument("--most", type=int, default=10_000_000, help="messages in the journal")
    options = given.parse_args()
    curves = {
        "messages": lambda folder, _: grown(folder, "messages", options.most, up=True),
        "depth": lambda folder, _: grown(folder, "depth", 950_000, up=False),
        "users": with_users,
        "lines": with_lines,
    }
    sizes: dict[str, tuple[int, ...]] = {
        "messages": (0,),
        "depth": (0,),
        "users": (100, 10_000, 1_000_000),
        "lines": (10, 100, 1_000, 10_000),
    }
    for name in options.names or curves:
        for size in sizes[name]:
            with tempfile.TemporaryDirectory(prefix="clets-bench-") as folder:
                curves[name](Path(folder), size)


if __name__ == "__main__":
    main()
