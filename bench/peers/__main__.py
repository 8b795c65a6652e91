"""The same work, side by side: this switch and what people would use instead, in one run.

``python -m bench.peers [--runs N] [--scale F] [--out FILE]`` prints one table of ratios. What the
peers need is installed by ``scripts/setup-peers``; who is not there is listed with the reason.

Passing on: one connection sends messages of about 300 bytes, at most 2,048 of them unanswered; each
is made durable before it is acknowledged and goes to a second connection, which acknowledges it;
and each must come exactly once. The best of some runs counts, and each run lasts some seconds.

What is not fair to whom: clets-core also parses, judges, numbers and journals with hashes, and its
two clients frame in Rust from Python. PostgreSQL and Redis can do much that is not asked for here.
The clients of all are in Python and share the machine's cores with the server, so that the fastest
figures say as much of them; the server's processor time a message says what is left. JetStream with
its default settings acknowledges before it syncs: it stands here for honesty, not as durable.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop
from bench.peers import clets, judging, nats, plain, postgres, redis
from bench.run import machine

if TYPE_CHECKING:
    from bench.peers.contestant import Contestant

ALWAYS = "sync_interval: always"
ROUND = 2_048
"""Counts are multiples of what may be unanswered."""
CONTESTANTS: tuple[tuple[Contestant, int], ...] = (
    (clets.Clets(), 120 * ROUND),
    (nats.JetStream("NATS JetStream, sync always, a message at a time", sync=ALWAYS), 8 * ROUND),
    (
        nats.JetStream("NATS JetStream, sync always, batches of 512", sync=ALWAYS, batches=True),
        40 * ROUND,
    ),
    (nats.JetStream("NATS JetStream, default: not durable", sync=""), 60 * ROUND),
    (redis.Redis(), 40 * ROUND),
    (postgres.Postgres(), 20 * ROUND),
    (plain.Plain(), 40 * ROUND),
)
JUDGING_SECONDS = 1.0
HEAD = ("", "messages/s", "clets-core is", "server CPU, us")


def relays(runs: int, scale: float) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    ours = 0.0
    for contestant, most in CONTESTANTS:
        if lacks := contestant.lacks():
            rows.append((contestant.name, "not available", lacks, ""))
            continue
        count = max(round(most * scale / ROUND), 1) * ROUND
        best = None
        try:
            for _ in range(runs):
                gc.collect()
                with tempfile.TemporaryDirectory(prefix="clets-bench-") as name:
                    run = uvloop.run(contestant.run(Path(name), count))
                best = run if best is None or run.seconds < best.seconds else best
        except Exception as error:
            rows.append((contestant.name, "failed", f"{type(error).__name__}: {error}", ""))
            continue
        assert best is not None
        rate = count / best.seconds
        ours = ours or rate
        cpu = f"{best.server_cpu_seconds / count * 1e6:.1f}"
        rows.append((contestant.name, f"{rate:,.0f}", f"{ours / rate:.1f}x", cpu))
    return rows


def judges(runs: int, scale: float) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    ours = 0.0
    for judge in judging.JUDGES:
        if lacks := judge.lacks():
            rows.append((judge.name, "not available", lacks, ""))
            continue
        judge.ready()
        rate = max(judging.per_second(judge, JUDGING_SECONDS * scale) for _ in range(runs))
        ours = ours or rate
        rows.append((judge.name, f"{rate:,.0f}", f"{ours / rate:.1f}x", ""))
    return rows


def table(title: str, rows: list[tuple[str, ...]]) -> str:
    cells = [(title, *HEAD[1:]), ("---", "---:", "---:", "---:"), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description="Side by side.")
    parser.add_argument("--runs", type=int, default=3, help="the best counts (default: 3)")
    parser.add_argument("--scale", type=float, default=1.0, help="so many times as many messages")
    parser.add_argument("--out", type=Path, help="where the tables go too, as Markdown")
    asked = parser.parse_args()
    text = "\n\n".join(
        (
            machine(),
            table("durable before acknowledged, delivered", relays(asked.runs, asked.scale)),
            table("parsed and judged, one process", judges(asked.runs, asked.scale)),
        )
    )
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
