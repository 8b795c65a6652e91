"""An engine with its journal, driven without sockets as the shell drives it.

So figures are the switch's own, and a line costs no process.
"""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING

from clets_core._core import Center, Intake, frame

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT_SECONDS = 600


class Driver:
    """One center, and lines without sockets."""

    def __init__(self, center: Center) -> None:
        self.center = center
        self.poll = select.poll()
        self.poll.register(center.fileno(), select.POLLIN)
        self.came: dict[int, list[bytes]] = {}

    def take(self) -> None:
        writes, closes = self.center.flush()
        assert not closes, closes
        for connection, data in writes:
            self.came.setdefault(connection, []).append(data)

    def committed(self, timeout_ms: int = 1_000) -> None:
        if self.poll.poll(timeout_ms):
            self.center.commit()
            self.take()

    def logon(self, line: str, receive: Sequence[int] = (1, 1, 1, 1, 1)) -> Intake:
        intake = self.center.open(line)
        self.take()
        body = f'{{"line": "{line}", "receive": {list(receive)}}}'.encode()
        self.feed(intake, frame("native", "logon", body))
        deadline = time.monotonic() + LIMIT_SECONDS
        while not self.came.get(intake.connection):
            assert time.monotonic() < deadline
            self.committed()
        return intake

    def feed(self, intake: Intake, data: bytes) -> None:
        # One read, but for the first few of a line, whose buffer grows.
        while data:
            with memoryview(intake) as view:
                part = data[: len(view)]
                view[: len(part)] = part
            data = data[len(part) :]
            self.center.advance(intake, len(part))
            self.take()
