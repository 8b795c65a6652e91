"""A connection that is cut after a number of bytes, and the book that is kept of its messages."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import time
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from clets_core._core import Framer
from clets_core.client import MemoryReceiver

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clets_core._core import Frame
    from clets_core.client import Received

Direction = Literal["down", "up"]
Ending = Literal["fin", "rst"]

DUPLICATE_MARK = b"POSSIBLE DUPLICATE MESSAGE\r\n"
POSSIBLE_DUPLICATE = 1
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_TOKEN = re.compile(rb"CUT (\d) (\d+) END")


def text_of(precedence: int, number: int) -> str:
    """A text that says its precedence and a number of its own; what is whole has the END."""
    return f"CUT {precedence} {number} END"


@dataclass(frozen=True)
class Cut:
    """Where a connection is cut: when ``after`` bytes have gone in a direction."""

    direction: Direction
    after: int
    ending: Ending


class Proxy:
    """Stands between one client and the switch. Only the connections after `arm` are cut.

    Bytes are sent on at once and synchronously: those before a cut have left, and none behind it
    ever does. ``seen`` is given each frame that has gone down whole.
    """

    def __init__(
        self, target: tuple[str, int], peer: str, framing: str, seen: Callable[[Frame], None]
    ) -> None:
        self.port = 0
        self.was_cut = asyncio.Event()
        self.cut_at = 0.0
        self.byte_by_byte = False
        self.change: Callable[[Frame], bytes] | None = None
        """Control: what goes down in place of a frame."""
        self.target = target
        self.peer = peer
        self.framing = framing
        self.seen = seen
        self._armed: list[Cut] = []
        self._passing: list[_Passing] = []

    async def __aenter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        asyncio.get_running_loop().add_reader(self._listener, self._accept)
        return self

    async def __aexit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._listener)
        self._listener.close()
        for it in self._passing:
            it.close()

    def arm(self, *cuts: Cut) -> None:
        """The next connections will be cut there, one after the other."""
        self._armed = list(cuts)
        self.was_cut.clear()

    @property
    def passed(self) -> Counter[Direction]:
        """Bytes of the latest connection."""
        return self._passing[-1].passed

    def cut_now(self, ending: Ending) -> None:
        """Cuts the latest connection."""
        self._passing[-1].end(ending)

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        far = socket.socket()
        far.bind((self.peer, 0))
        # Loopback: the kernel answers, whatever the switch does.
        far.connect(self.target)
        self._passing = [it for it in self._passing if it.open]
        cut = self._armed.pop(0) if self._armed else None
        self._passing.append(_Passing(self, near, far, cut))


class _Passing:
    """One connection on its way through."""

    def __init__(
        self, proxy: Proxy, near: socket.socket, far: socket.socket, cut: Cut | None
    ) -> None:
        self.passed: Counter[Direction] = Counter()
        self.open = True
        self._proxy = proxy
        self._cut = cut
        self._ending = False
        self._unchanged = Framer(proxy.framing, 1 << 20)
        self._framer = Framer(proxy.framing, 1 << 20)
        self._sockets = (near, far)
        loop = asyncio.get_running_loop()
        for it in self._sockets:
            it.setblocking(False)
            it.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop.add_reader(near, self._readable, "up", near, far)
        loop.add_reader(far, self._readable, "down", far, near)
        if cut is not None and cut.after == 0:
            self.end(cut.ending)

    def _readable(self, direction: Direction, source: socket.socket, sink: socket.socket) -> None:
        try:
            data = source.recv(65_536)
            if not data:
                self.close()
            elif not self._ending:
                self._pass(direction, sink, data)
        except BlockingIOError:
            pass
        except OSError:
            self.close()

    def _pass(self, direction: Direction, sink: socket.socket, data: bytes) -> None:
        change = self._proxy.change if direction == "down" else None
        if change is not None:
            data = b"".join(change(it) for it in self._unchanged.feed(data))
        cut = self._cut if self._cut and self._cut.direction == direction else None
        data = data[: cut.after - self.passed[direction]] if cut else data
        step = 1 if self._proxy.byte_by_byte else max(len(data), 1)
        for at in range(0, len(data), step):
            sent = sink.send(data[at : at + step])
            assert sent == len(data[at : at + step]), "more than a socket takes at once"
        self.passed[direction] += len(data)
        if direction == "down":
            for it in self._framer.feed(data):
                self._proxy.seen(it)
        if cut and self.passed[direction] == cut.after:
            self.end(cut.ending)

    def end(self, ending: Ending) -> None:
        self._proxy.cut_at = time.perf_counter()
        self._proxy.was_cut.set()
        self._ending = True
        for it in self._sockets:
            if ending == "rst":
                it.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            else:
                # Closed when the other end has: to close with bytes unread would be a reset.
                with suppress(OSError):
                    it.shutdown(socket.SHUT_WR)
        if ending == "rst":
            self.close()

    def close(self) -> None:
        if self.open:
            self.open = False
            for it in self._sockets:
                asyncio.get_running_loop().remove_reader(it)
                it.close()


class Book:
    """What one line was promised of the messages to it, and what it saw.

    A message is its text's precedence and number; the numbers of a sender grow.
    """

    def __init__(self) -> None:
        self.sent: set[tuple[int, int]] = set()
        """Submitted, whatever became of it."""
        self.accepted: set[tuple[int, int]] = set()
        self.taken: list[tuple[int, int, bool]] = []
        """What the application got: precedence, number, marked as a possible duplicate."""
        self.wire: list[tuple[int, int, bool]] = []
        """The same of whole frames on the wire."""
        self.changed = asyncio.Event()

    def note(self, place: list[tuple[int, int, bool]], body: bytes, *, marked: bool) -> None:
        """Notes a message that was seen."""
        found = _TOKEN.search(body)
        assert found is not None, body
        place.append((int(found[1]), int(found[2]), marked))
        self.changed.set()

    def saw(self, frame: Frame) -> None:
        """A frame went down whole."""
        if frame.kind == "data":
            marked = bool(frame.flags & POSSIBLE_DUPLICATE) or DUPLICATE_MARK in frame.body
            self.note(self.wire, frame.body, marked=marked)

    async def arrives(self, message: tuple[int, int], seconds: float) -> None:
        """Waits until the application has a message, or the time is over: then it is missing."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while message not in {it[:2] for it in self.taken[-50:]}:
                    self.changed.clear()
                    await self.changed.wait()

    def faults(self, *, numbered: bool) -> list[str]:
        """All that was broken. A numbered line gives its application each message once."""
        found = []
        counts = Counter(it[:2] for it in self.taken)
        found += [f"lost: {it}" for it in sorted(self.accepted - counts.keys())]
        found += [f"from nowhere: {it}" for it in sorted(counts.keys() - self.sent)]
        if numbered:
            found += [f"taken {n} times: {it}" for it, n in sorted(counts.items()) if n > 1]
        for name, place in (("application", self.taken), ("wire", self.wire)):
            known = set()
            latest: dict[int, int] = defaultdict(int)
            for precedence, number, marked in place:
                if (precedence, number) not in known:
                    known.add((precedence, number))
                    if number < latest[precedence]:
                        found.append(f"out of order ({name}): {(precedence, number)}")
                    latest[precedence] = number
                elif not marked:
                    found.append(f"repeated without the mark ({name}): {(precedence, number)}")
        return found


class BookReceiver(MemoryReceiver):
    """Takes custody, and writes it into the book."""

    def __init__(self, book: Book) -> None:
        super().__init__()
        self.book = book

    def take(self, messages: Sequence[Received], resume: Sequence[int]) -> None:
        super().take(messages, resume)
        for it in messages:
            self.book.note(self.book.taken, it.payload, marked=it.possible_duplicate)
