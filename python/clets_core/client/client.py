"""The client of an agency computer: one line of the switch, kept open.

The connection comes back by itself, with growing pauses. Messages that the switch has not
answered go out again in their order; what the switch sends is acknowledged once the receiver has
it. Nothing runs before ``async with``.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Literal, Self, cast

from clets_core.client.compose import Inquiry
from clets_core.client.dmpp import DmppSession
from clets_core.client.inbox import Inbox
from clets_core.client.message import Answer, Receipt, Received
from clets_core.client.native import NativeSession
from clets_core.client.receiver import FileReceiver, MemoryReceiver, Receiver
from clets_core.client.session import CLOSED, Session
from clets_core.errors import ClientError, SessionError

if TYPE_CHECKING:
    import ssl as ssl_module
    from collections.abc import AsyncIterator
    from pathlib import Path
    from types import TracebackType

__all__ = ["Client"]

NOT_CONNECTED: Final = 901
PAUSE_S: Final = 0.1
PAUSE_MAX_S: Final = 30.0
TICK_S: Final = 1.0
CLOSE_S: Final = 2.0

HOPELESS: Final = frozenset({801, 802, 803})
"""Session errors after which trying again would change nothing, or fight another session."""


class Client:
    """A line of the switch. Make one with `connect` and use it in ``async with``."""

    def __init__(
        self,
        session: Session,
        receiver: Receiver,
        inbox: Inbox,
        address: tuple[str, int],
        *,
        local_addr: tuple[str, int] | None,
        ssl: ssl_module.SSLContext | None,
        server_hostname: str | None,
        timeout: float,
    ) -> None:
        self._session = session
        self._receiver = receiver
        self._inbox = inbox
        self._address = address
        self._local = local_addr
        self._ssl = ssl
        self._server_hostname = server_hostname
        self._timeout = timeout
        self._runner: asyncio.Task[None] | None = None
        self._connection: _Connection | None = None
        self._ended: Exception | None = None
        self._closing = False
        self.connections = 0
        """How many connections there have been."""
        self.error: Exception | None = None
        """Why the last connection ended, if there was a reason."""

    @classmethod
    def connect(
        cls,
        host: str,
        port: int,
        *,
        framing: Literal["dmpp", "native"] = "dmpp",
        line: str = "",
        local_addr: str | tuple[str, int] | None = None,
        ssl: ssl_module.SSLContext | None = None,
        server_hostname: str | None = None,
        state: Path | str | None = None,
        receiver: Receiver | None = None,
        window: int | None = None,
        timeout: float = 10.0,
    ) -> Client:
        """A client of one line; ``async with`` connects it.

        Args:
            host: where the switch listens.
            port: of the listener for that framing.
            framing: ``dmpp`` or ``native``.
            line: name of the line; only the native protocol says it.
            local_addr: address to connect from; a plain line is known by it.
            ssl: with the line's certificate, unless the line is plain.
            server_hostname: name in the switch's certificate, if it is not ``host``.
            state: file of a `FileReceiver`; without it nothing is kept over a restart.
            receiver: another keeper of received messages, instead of ``state``.
            window: messages that may be unanswered; 1 for DMPP and 64 for native if not given.
            timeout: seconds that the first connection may take, in as many attempts as it needs.

        Raises:
            ClientError: E904, the state file is not one.
        """
        if receiver is None:
            receiver = FileReceiver(state) if state is not None else MemoryReceiver()
        inbox = Inbox(receiver)
        session: Session
        if framing == "native":
            session = NativeSession(receiver, inbox.put, window=window or 64, line=line)
        else:
            session = DmppSession(receiver, inbox.put, window=window or 1)
        local = (local_addr, 0) if isinstance(local_addr, str) else local_addr
        return cls(
            session,
            receiver,
            inbox,
            (host, port),
            local_addr=local,
            ssl=ssl,
            server_hostname=server_hostname,
            timeout=timeout,
        )

    async def __aenter__(self) -> Self:
        """Connects, and logs on if the protocol has a logon.

        Raises:
            ClientError: E901, no connection within the timeout.
            SessionError: the switch refuses the session.
        """
        self._runner = asyncio.get_running_loop().create_task(self._run())
        up = asyncio.create_task(self._session.up.wait())
        try:
            await asyncio.wait(
                {up, self._runner}, timeout=self._timeout, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            # A line that was up and is lost again comes back by itself, like any other.
            was_up = up.done()
            up.cancel()
            if not was_up:
                host, port = self._address
                reason = self.error or "it did not answer"
                text = f"no line to the switch at `{host}:{port}`: {reason}"
                self._end(ClientError(NOT_CONNECTED, text))
                await self.close()
        if self._ended is not None:
            raise self._ended
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Logs off and closes; messages without an answer fail with E902."""
        await self.close()

    async def close(self) -> None:
        """Logs off and closes; messages without an answer fail with E902."""
        self._closing = True
        connection = self._connection
        if connection is not None:
            self._session.goodbye()
            connection.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await connection.lost.wait()
            connection.abort()
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
        self._end(ClientError(CLOSED, "the client was closed"))

    @property
    def connected(self) -> bool:
        """True while messages can pass."""
        return self._session.up.is_set()

    @property
    def unanswered(self) -> int:
        """Messages that the switch has not answered."""
        return self._session.unanswered

    @property
    def missed(self) -> tuple[tuple[int, int, int], ...]:
        """Native: precedence, first and last number of messages that are lost to this receiver."""
        return tuple(self._session.missed) if isinstance(self._session, NativeSession) else ()

    async def send(self, payload: bytes | Inquiry) -> Receipt:
        """Sends a message and waits until the switch has it, over as many connections as needed.

        Raises:
            ClientError: E902 closed before an answer came, E903 too many messages wait.
            SessionError: the switch ended the session for good.
        """
        if self._ended is not None:
            raise self._ended
        data = payload.payload if isinstance(payload, Inquiry) else payload
        return await self._session.submit(data)

    async def receive(self, timeout: float | None = None) -> Received:  # noqa: ASYNC109
        """The next message that no `ask` waits for.

        Raises:
            TimeoutError: none came in ``timeout`` seconds.
            ClientError: E902, the client was closed.
        """
        async with asyncio.timeout(timeout):
            return await self._inbox.next()

    async def messages(self) -> AsyncIterator[Received]:
        """All messages that no `ask` waits for, until the client is closed."""
        while True:
            try:
                message = await self._inbox.next()
            except ClientError:
                return
            yield message

    async def ask(
        self,
        inquiry: Inquiry,
        *,
        replies: int = 1,
        timeout: float = 30.0,  # noqa: ASYNC109
    ) -> Answer:
        """Sends an inquiry and collects what comes back for its reference.

        It ends after ``replies`` replies (a notice that none will come counts as one, one of a
        delay does not), with a refusal, or after ``timeout`` seconds. Later replies are given by
        `receive`.

        Raises:
            ClientError: as `send`.
            TimeoutError: the switch did not even acknowledge the inquiry.
        """
        found: list[Received] = []
        complete = False
        with self._inbox.claim(inquiry.reference) as claimed:
            deadline = asyncio.get_running_loop().time() + timeout
            async with asyncio.timeout_at(deadline):
                receipt = await self.send(inquiry)
            complete = not receipt.accepted
            with suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    while not complete:
                        message = await claimed.next()
                        found.append(message)
                        counted = sum(it.key != "DLY" for it in found)
                        complete = message.key == "REJ" or counted >= replies
        return Answer(inquiry.reference, receipt, tuple(found), complete)

    async def _run(self) -> None:
        """Keeps the line connected until it is closed or hopeless."""
        pause = PAUSE_S
        while True:
            try:
                connection = await self._open()
            except OSError as error:
                self.error, connection = error, None
            if connection is not None:
                try:
                    await self._tend(connection)
                except Exception as error:
                    self.error = error
                    if isinstance(error, SessionError) and error.code in HOPELESS:
                        self._end(error)
                        return
                if connection.was_up:
                    pause = PAUSE_S
            if self._closing:
                return
            # Spread, so that the lines of a state do not all come back in the same instant.
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
            pause = min(pause * 2, PAUSE_MAX_S)

    async def _open(self) -> _Connection:
        loop = asyncio.get_running_loop()
        host, port = self._address
        _, connection = await loop.create_connection(
            lambda: _Connection(self._session),
            host,
            port,
            local_addr=self._local,
            ssl=self._ssl,
            server_hostname=self._server_hostname if self._ssl else None,
        )
        self.connections += 1
        self._connection = connection
        return connection

    async def _tend(self, connection: _Connection) -> None:
        """Watches a connection until it is gone."""
        loop = asyncio.get_running_loop()
        try:
            while not connection.lost.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(TICK_S):
                        await connection.lost.wait()
                connection.hold(self._inbox.is_full)
                if not connection.lost.is_set():
                    self._session.tick(loop.time())
            if connection.error is not None:
                raise connection.error
        finally:
            self._connection = None
            connection.abort()
            await connection.lost.wait()

    def _end(self, error: Exception) -> None:
        self._ended = self._ended or error
        self._session.fail(self._ended)
        self._inbox.close(self._ended)


class _Connection(asyncio.Protocol):
    """One connection of a session."""

    def __init__(self, session: Session) -> None:
        self.lost = asyncio.Event()
        self.error: Exception | None = None
        self.was_up = False
        self._session = session
        self._transport: asyncio.Transport | None = None
        self._held = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        now = asyncio.get_running_loop().time()
        self._session.opened(self._transport.write, now)

    def data_received(self, data: bytes) -> None:
        if self.error is not None:
            return
        try:
            self._session.feed(data, asyncio.get_running_loop().time())
        except Exception as error:
            # Not acknowledged, so it comes again over the next connection.
            self.error = error
            self.abort()
        self.was_up = self.was_up or self._session.up.is_set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.error = self.error or exc
        self._transport = None
        self._session.lost()
        self.lost.set()

    def hold(self, full: bool) -> None:  # noqa: FBT001
        """Stops or goes on reading."""
        if self._transport is not None and full != self._held:
            self._held = full
            if full:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
