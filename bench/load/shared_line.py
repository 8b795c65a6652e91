"""One line of the sample state as locust needs it: shared by many terminals, in greenlets.

The package's own client belongs to asyncio; here the same frames go over gevent's sockets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import gevent
import msgspec
from gevent import socket
from gevent.event import AsyncResult

from clets_core import decode
from clets_core._core import Framer, frame
from clets_core.errors import DecodeError

if TYPE_CHECKING:
    from clets_core._core import Frame

FRAME_BYTES_MAX = 1 << 20
RECEIVE_BYTES = 1 << 16
HEARTBEAT_SECONDS = 5.0
CONNECT_SECONDS = 10.0


class Line:
    """A connection that stays up for the whole run; who waits on it gets its failure."""

    def __init__(self, name: str, framing: str, peer: str, port: int) -> None:
        self._framing = framing
        self._framer = Framer(framing, FRAME_BYTES_MAX)
        self._socket = socket.create_connection(
            ("127.0.0.1", port), CONNECT_SECONDS, source_address=(peer, 0)
        )
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sent = 0
        self._receipts: dict[int, AsyncResult] = {}
        self._answers: dict[str, AsyncResult] = {}
        self._up = AsyncResult()
        gevent.spawn(self._read)
        if framing == "native":
            logon = {"line": name, "receive": [1] * 5}
            self._socket.sendall(frame("native", "logon", msgspec.json.encode(logon)))
            self._up.get(timeout=CONNECT_SECONDS)
            gevent.spawn(self._beat)

    def send(self, payload: bytes) -> AsyncResult:
        """Puts a message on its way; gives what will be 0, or the code of a refusal."""
        self._sent += 1
        number = self._sent
        receipt = self._receipts[number] = AsyncResult()
        if self._framing == "native":
            data = frame("native", "data", payload, sequence=number)
        else:
            data = frame("dmpp", "data", payload, validation=number.to_bytes(4, "big"))
        self._socket.sendall(data)
        return receipt

    def expect(self, reference: str) -> AsyncResult:
        """What will be the first message with this reference: its key and its first line."""
        return self._answers.setdefault(reference, AsyncResult())

    def forget(self, reference: str) -> None:
        """Nobody waits for it any more."""
        self._answers.pop(reference, None)

    def _beat(self) -> None:
        while True:
            gevent.sleep(HEARTBEAT_SECONDS)
            self._socket.sendall(frame("native", "heartbeat"))

    def _read(self) -> None:
        try:
            while data := self._socket.recv(RECEIVE_BYTES):
                self._take(self._framer.feed(data))
            error: Exception = ConnectionError("the switch ended the line")
        except Exception as caught:
            error = caught
        for waiting in (*self._receipts.values(), *self._answers.values(), self._up):
            if not waiting.ready():
                waiting.set_exception(error)

    def _take(self, frames: list[Frame]) -> None:
        custody: dict[int, int] = {}
        out = []
        for it in frames:
            if it.kind in {"data", "data_more"}:
                custody[it.precedence] = it.sequence
                if self._framing == "dmpp" and it.wants_ack:
                    out.append(frame("dmpp", "positive_ack", validation=it.validation))
                self._came(it.body)
            elif it.kind in {"accept", "reject"}:
                self._answered(it.sequence, it.code)
            elif it.kind in {"positive_ack", "negative_ack"}:
                code = 0 if it.kind == "positive_ack" else it.status
                self._answered(int.from_bytes(it.validation, "big"), code)
            elif it.kind == "status_request":
                out.append(frame("dmpp", "status_reply", validation=it.validation))
            elif it.kind == "logon_ack":
                self._up.set(None)
        if self._framing == "native":
            out += [
                frame("native", "delivered", precedence=precedence, sequence=sequence)
                for precedence, sequence in custody.items()
            ]
        if out:
            self._socket.sendall(b"".join(out))

    def _answered(self, number: int, code: int) -> None:
        receipt = self._receipts.pop(number, None)
        if receipt is not None:
            receipt.set(code)

    def _came(self, payload: bytes) -> None:
        try:
            message = decode(payload, "clets")
        except DecodeError:
            return
        waiting = self._answers.get(message.reference or "")
        if waiting is not None and not waiting.ready():
            waiting.set((message.mke or "", (message.text or "").strip().split("\r\n")[0]))
