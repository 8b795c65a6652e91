"""Bundles put in force under load: nothing lost, nothing judged by two of them, how long it takes.

Two valid bundles in turn, and every fifth time one that is not valid. One line sends at a fixed
rate, whatever comes back, and another receives. Each message is judged twice, as it was entered
and on its leg, and carries a label for each that says by which bundle; the journal is asked
afterwards. Loopback only, and it stops by itself.

    python -m bench.load.reload [reloads]
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from bench.load.legs import RECEIVER, SENDER, Line, Receiver

from clets_core._core import frame, journal_records, journal_verify
from clets_core.sample import write_california

NOTE = "M0010003.{:010}.U000031.AM.CA0010100.I0340001.TXT\r\nSYNTHETIC, FOR MEASURING ONLY."
USERS = 60
INVALID_EVERY = 5
MARK = """
@id("Z-{part}") @effect("label") @label("BUNDLE {name} {part}")
@cite("Only for a measurement") @text("Says by which bundle it was judged.") @from("2000-01-01")
forbid (principal, action == Action::"administer", resource) when {{ {condition} }};
"""


@dataclass
class Played:
    """What happened."""

    sent: int = 0
    accepted: int = 0
    delivered: int = 0
    reloads: int = 0
    refused: int = 0
    mixed: int = 0
    of_another: int = 0
    """Messages judged by another bundle than the record before them put in force."""
    seconds: list[float] = field(default_factory=list)
    """How long each reload took."""
    quiet_ms: list[float] = field(default_factory=list)
    busy_ms: list[float] = field(default_factory=list)
    """From send to acknowledgement, before and during the reloads."""


class Paced(Line):
    """Sends at a fixed rate from the intended time, and notes how long each answer takes."""

    def __init__(self, name: str, latencies: list[float]) -> None:
        super().__init__(name)
        self.latencies = latencies
        self.sent = self.accepted = 0
        self.due: dict[int, float] = {}

    async def run(self, rate: float, until: asyncio.Event) -> None:
        begun, first = time.perf_counter(), self.sent
        while not until.is_set():
            now = time.perf_counter()
            while (due := begun + (self.sent - first) / rate) <= now:
                self.sent += 1
                self.due[self.sent] = due
                body = NOTE.format(self.sent).encode()
                self.transport.write(frame("native", "data", body, sequence=self.sent))
            await asyncio.sleep(0.001)
        while self.accepted < self.sent:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    def on_frames(self, frames: list[Any]) -> None:
        now = time.perf_counter()
        for it in frames:
            assert it.kind in {"accept", "heartbeat"}, it.body
            if it.kind == "accept":
                self.accepted += 1
                self.latencies.append(1000 * (now - self.due.pop(it.sequence)))


def write_bundles(folder: Path, port_base: int) -> dict[str, Path]:
    """Bundles ``a`` and ``b``, which label what they judge, and ``wrong``, which is not valid."""
    plain = folder / "plain"
    write_california(plain, port_base=port_base)
    users = (plain / "users.csv").read_text("utf-8").splitlines(keepends=True)
    (plain / "users.csv").write_text("".join(users[: USERS + 1]), "utf-8")
    found = {}
    for name in ("a", "b", "wrong"):
        found[name] = folder / name
        shutil.copytree(plain, found[name])
        parts = {"ENTERED": "!resource.inherited", "LEG": "resource.inherited"}
        text = "".join(
            MARK.format(part=part, name=name.upper(), condition=condition)
            for part, condition in parts.items()
        )
        if name == "wrong":
            text = text.replace("resource.inherited", "resource.inherit")
        (found[name] / "policy" / "99-mark.cedar").write_text(text, "utf-8")
    return found


async def ask(control: Path, **request: str) -> dict[str, Any]:
    reader, writer = await asyncio.open_unix_connection(str(control))
    writer.write(json.dumps(request).encode() + b"\n")
    answer: dict[str, Any] = json.loads(await reader.readline())
    writer.close()
    return answer


async def play(
    folder: Path, *, port_base: int, reloads: int, pause: float, rate: float, quiet: float
) -> Played:
    """Runs a switch, loads it at ``rate`` a second and reloads it; quiet seconds come first."""
    bundles = write_bundles(folder, port_base)
    played, journal = Played(), folder / "journal"
    switch = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "clets_core.cli", "run", str(bundles["a"]), "--no-table"),
        *("--journal", str(journal)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert switch.stdout is not None
    try:
        async with asyncio.timeout(60):
            assert (await switch.stdout.readline()).strip() == b"ready"
        loop = asyncio.get_running_loop()
        sender = Paced(SENDER[1], played.quiet_ms)
        receiver = Receiver(RECEIVER[1], 1 << 62)
        for line, (host, _) in ((sender, SENDER), (receiver, RECEIVER)):
            address = {"local_addr": (host, 0)}
            await loop.create_connection(lambda it=line: it, "127.0.0.1", port_base + 1, **address)
            await line.up.wait()
        stop = asyncio.Event()
        load = asyncio.create_task(sender.run(rate, stop))
        await asyncio.sleep(quiet)
        sender.latencies = played.busy_ms
        for number in range(1, reloads + 1):
            wrong = number % INVALID_EVERY == 0
            path = bundles["wrong" if wrong else "ab"[number % 2]]
            begun = time.perf_counter()
            request = {"verb": "bundle.reload", "path": str(path), "reason": "measurement"}
            told = await ask(journal / "control.sock", **request)
            played.seconds.append(time.perf_counter() - begun)
            assert told["ok"] is not wrong, told
            played.refused += wrong
            played.reloads += 1
            await asyncio.sleep(pause)
        stop.set()
        async with asyncio.timeout(30):
            await load
            while (1 << 62) - receiver.left < sender.sent:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        played.sent, played.accepted = sender.sent, sender.accepted
        played.delivered = (1 << 62) - receiver.left
    finally:
        with contextlib.suppress(ProcessLookupError):
            switch.send_signal(signal.SIGINT)
        await switch.wait()
    look(journal, played)
    return played


def look(journal: Path, played: Played) -> None:
    """Asks the journal by which bundle each message was judged."""
    journal_verify(journal)
    names: dict[str, str] = {}
    in_force = ""
    for _number, kind, _time, body in journal_records(journal):
        found = msgspec.msgpack.decode(body)
        if kind == "started":
            in_force = names[found["bundle"]] = "A"
        elif kind == "bundle" and not found["refused"]:
            in_force = names.setdefault(found["bundle"], "B")
        elif kind == "accepted" and found["line"] == SENDER[1]:
            by = {label.split()[1] for label in found["labels"]}
            parts = Counter(label.split()[2] for label in found["labels"])
            played.mixed += len(by) != 1 or parts != {"ENTERED": 1, "LEG": 1}
            played.of_another += by != {in_force}


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def main() -> None:
    reloads = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory(prefix="clets-bench-") as name:
        given = {"port_base": 23_000, "reloads": reloads, "rate": 500.0}
        played = uvloop.run(play(Path(name), **given, pause=0.8, quiet=60.0))  # type: ignore[arg-type]
    print(f"{played.reloads} reloads, {played.refused} of them refused as not valid")
    print(f"sent {played.sent}, acknowledged {played.accepted}, delivered {played.delivered}")
    print(f"judged by two bundles {played.mixed}, by another than in force {played.of_another}")
    print(f"a reload takes {1000 * percentile(played.seconds, 0.5):.0f} ms (median)")
    for share in (0.5, 0.99, 0.999):
        quiet, busy = percentile(played.quiet_ms, share), percentile(played.busy_ms, share)
        ratio = busy / quiet
        print(f"p{100 * share:g}: {quiet:.2f} ms without, {busy:.2f} ms during: {ratio:.2f} x")


if __name__ == "__main__":
    main()
