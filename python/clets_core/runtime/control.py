"""The local control socket: how an operator's command reaches a running switch.

A Unix socket beside the journal, for the account that runs the switch only (mode 0600). A
connection carries JSON objects, one a line, and gets one line for each, in order::

    {"verb": "intercept.return", "message": 17, "operator": "SAMPLE", "reason": "NOT URGENT"}
    {"ok": true, "result": {...}}
    {"ok": false, "code": 532, "text": "The message must stand in the intercept queue."}

Who is speaking the operating system says (``SO_PEERCRED``), and the verbs are told; a request
cannot claim an account. What changes something is answered when its record is durable.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
import stat
import struct
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from clets_core.errors import CletsError, ClientCode, ClientError

if TYPE_CHECKING:
    from pathlib import Path

SOCKET_NAME: Final = "control.sock"
REQUEST_BYTES_MAX: Final = 1 << 20
CONNECTIONS_MAX: Final = 32
_CREDENTIALS: Final = struct.Struct("3i")
_PATH_BYTES_MAX: Final = 107

Request = dict[str, Any]
Verb = Callable[[Request, str], Awaitable[Any]]
"""What a verb does: it takes the request without ``verb`` and the peer's account, and gives what
is told as ``result``. A :class:`CletsError` that it raises is told with its number."""


class Control:
    """A control socket and the table of its verbs.

    Others join by ``verbs["noun.verb"] = coroutine function`` before it is opened.

    Args:
        path: Where the socket stands. What a killed switch left there is replaced.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.verbs: dict[str, Verb] = {}
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begins to listen.

        Raises:
            ClientError: E925 the path is taken by something else, or cannot be written.
        """
        try:
            listening = _bind(self.path)
        except OSError as error:
            text = f"`{self.path}`: {error.strerror or error}; expected a path free for a socket"
            raise ClientError(ClientCode.ADDRESS.number, text) from error
        self._server = await asyncio.start_unix_server(
            self._connected, sock=listening, limit=REQUEST_BYTES_MAX
        )

    async def close(self) -> None:
        """Ends all connections and takes the socket away."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self.path.unlink(missing_ok=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= CONNECTIONS_MAX:
            writer.close()
            return
        self._connections.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            # The peer has gone, or the switch stops; what was recorded stays so.
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        account = _account(writer.get_extra_info("socket"))
        while True:
            try:
                line = await reader.readline()
            except ValueError:
                text = f"expected at most {REQUEST_BYTES_MAX} bytes"
                writer.write(_refusal(ClientError(ClientCode.CONTROL_REQUEST.number, text)))
                return
            if not line.endswith(b"\n"):
                return
            writer.write(await self.answer(line, account))
            await writer.drain()

    async def answer(self, line: bytes, account: str) -> bytes:
        """The line that answers a request."""
        try:
            request = _read(line)
            name = request.pop("verb", None)
            verb = self.verbs.get(name) if isinstance(name, str) else None
            if verb is None:
                text = f"`{name}`: expected one of {', '.join(sorted(self.verbs))}"
                return _refusal(ClientError(ClientCode.CONTROL_VERB.number, text))
            result = await verb(request, account)
        except CletsError as error:
            return _refusal(error)
        return _line({"ok": True, "result": result})


def _read(line: bytes) -> Request:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError as error:
        text = f"{error}; expected one JSON object on one line"
        raise ClientError(ClientCode.CONTROL_REQUEST.number, text) from error


def _refusal(error: CletsError) -> bytes:
    return _line({"ok": False, "code": error.code, "text": error.text})


def _line(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def _bind(path: Path) -> socket.socket:
    """A listening socket that nobody else may open, not even for a moment."""
    if path.exists() and not stat.S_ISSOCK(path.stat().st_mode):
        raise FileExistsError(0, "there is a file")
    if path.exists():
        with socket.socket(socket.AF_UNIX) as probe, reachable(path) as name:
            if probe.connect_ex(name) == 0:
                raise FileExistsError(0, "another switch listens there")
        path.unlink()
    kind = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
    listening = socket.socket(socket.AF_UNIX, kind)
    before = os.umask(0o177)
    try:
        with reachable(path) as name:
            listening.bind(name)
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(before)
    listening.listen()
    return listening


class reachable:  # noqa: N801
    """The path of a socket in a form that the system takes: at most 107 bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder: int | None = None

    def __enter__(self) -> str:
        """The path itself, or one through an open descriptor of its folder."""
        if len(os.fsencode(self._path)) <= _PATH_BYTES_MAX:
            return str(self._path)
        self._folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._folder}/{self._path.name}"

    def __exit__(self, *_: object) -> None:
        """Lets go of the folder."""
        if self._folder is not None:
            os.close(self._folder)


def _account(peer: socket.socket) -> str:
    """The name of the account at the other end, as the operating system knows it."""
    size = _CREDENTIALS.size
    _pid, uid, _gid = _CREDENTIALS.unpack(
        peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    )
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
