"""Between the event loop and the engine: carries out what the engine orders."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, TypeVar

from clets_core.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from clets_core._core import Center, Intake, Snapshot

log = logging.getLogger("clets_core")

T = TypeVar("T")

# The number of a journal that takes no write.
_STOPPED: Final = 601
TICK_SECONDS: Final = 0.1
# A peer that reads nothing costs at most this much memory before it is dropped; what was not
# acknowledged waits in its queue and is sent again.
UNSENT_BYTES_MAX: Final = 1 << 20


class Shell:
    """Drives one :class:`~clets_core._core.Center` from the running event loop.

    When the journal fails nothing more may be acknowledged: every connection is cut and
    ``failed`` is set to the error. The process should then end.
    """

    def __init__(self, center: Center) -> None:
        self.center = center
        self._loop = asyncio.get_running_loop()
        self.failed: asyncio.Future[JournalError] = self._loop.create_future()
        self._transports: dict[int, asyncio.Transport] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False
        self._flushing = False
        # Those who wait for a record to be durable: its number, and what they wait on.
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def start(self) -> None:
        """Begins to listen for group commits, and to tell the time."""
        self._loop.add_reader(self.center.fileno(), self._committed)
        self._tick()

    def stop(self) -> None:
        """Cuts all connections and stops driving the engine."""
        if self._stopped:
            return
        self._stopped = True
        self._loop.remove_reader(self.center.fileno())
        if self._timer is not None:
            self._timer.cancel()
        for transport in list(self._transports.values()):
            transport.abort()
        self._transports.clear()
        for _, future in self._waiting:
            future.cancel()
        self._waiting.clear()

    def opened(self, transport: asyncio.Transport, line: str) -> Intake | None:
        """Tells the engine of a connection whose line is known; gives its receive buffer."""
        if self._stopped:
            transport.abort()
            return None
        intake = self.center.open(line)
        self._transports[intake.connection] = transport
        self._soon()
        return intake

    def received(self, intake: Intake, count: int) -> None:
        """Passes on that ``count`` bytes were read into ``intake``."""
        if self._stopped:
            return
        try:
            self.center.advance(intake, count)
        except JournalError as error:
            self._fail(error)
        else:
            self._soon()

    def closed(self, intake: Intake) -> None:
        """Passes on that a connection ended."""
        self._transports.pop(intake.connection, None)
        self._do(lambda: self.center.close(intake))

    def stranger(self, peer: str) -> None:
        """Passes on that somebody called whom no line matches."""
        self._do(lambda: self.center.stranger(peer))

    def service(self, line: str, family: str, state: str, source: str = "operator") -> None:
        """Passes on what an operator says of a host.

        Raises:
            CletsError: 519, there is no such host, family or state.
        """
        self._do(lambda: self.center.service(line, family, state, source))

    def reload(self, snapshot: Snapshot, source: str) -> int:
        """Puts a bundle in force; gives the number of the record.

        Raises:
            RefusedError: 541, its lines are not those that run.
            JournalError: The journal failed; the switch has stopped.
        """
        return self._told(lambda: self.center.reload(snapshot, source))

    def refuse_bundle(self, source: str, why: str) -> int:
        """Records that a bundle was refused; gives the number of the record."""
        return self._told(lambda: self.center.refuse_bundle(source, why))

    def suspend(self, user: str, source: str, *, suspended: bool) -> int:
        """Suspends a user, or lifts that; gives the number of the record.

        Raises:
            RefusedError: 304, there is no such user, or the user is not suspended.
            JournalError: The journal failed; the switch has stopped.
        """
        return self._told(lambda: self.center.suspend(user, suspended, source))

    def operate(self, command: bytes) -> bytes:
        """Carries out one step of an operator; see :meth:`Center.operate`.

        Raises:
            RefusedError: Nothing was done, and why.
            JournalError: The journal failed; the switch has stopped.
        """
        return self._told(lambda: self.center.operate(command))

    def order(self, order: bytes) -> bytes:
        """Carries out an operator's order for a line or a dead letter; see :meth:`Center.order`.

        Raises:
            RefusedError: Nothing was done, and why.
            JournalError: The journal failed; the switch has stopped.
        """
        return self._told(lambda: self.center.order(order))

    async def durable(self, record: int) -> None:
        """Waits until a record is on stable storage.

        Raises:
            JournalError: The switch stopped before it was.
        """
        if record < self.center.durable:
            return
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append((record, future))
        try:
            await future
        except asyncio.CancelledError:
            if self._stopped:
                text = "the switch stopped before the record was durable"
                raise JournalError(_STOPPED, text) from None
            raise

    def _committed(self) -> None:
        self._do(self.center.commit)
        if not self._waiting or self._stopped:
            return
        count = self.center.durable
        for record, future in self._waiting:
            if record < count and not future.done():
                future.set_result(None)
        self._waiting = [it for it in self._waiting if it[0] >= count and not it[1].done()]

    def _tick(self) -> None:
        self._do(self.center.tick)
        if not self._stopped:
            self._timer = self._loop.call_later(TICK_SECONDS, self._tick)

    def _do(self, step: Callable[[], None]) -> None:
        if self._stopped:
            return
        try:
            step()
        except JournalError as error:
            self._fail(error)
        else:
            self._soon()

    def _told(self, step: Callable[[], T]) -> T:
        """Takes a step whose result somebody waits for."""
        self._check()
        done = step()
        self._flush()
        self._check()
        return done

    def _check(self) -> None:
        if self._stopped:
            raise JournalError(_STOPPED, "the switch has stopped")

    def _soon(self) -> None:
        """Carries out what the engine orders once all that came in this turn was passed on."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self._stopped:
            return
        try:
            writes, closes = self.center.flush()
        except JournalError as error:
            self._fail(error)
            return
        for connection, data in writes:
            transport = self._transports.get(connection)
            if transport is None or transport.is_closing():
                continue
            transport.write(data)
            if transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
                log.warning("connection %d does not read: dropped", connection)
                transport.abort()
        for connection, code in closes:
            transport = self._transports.get(connection)
            if transport is not None:
                if code:
                    log.warning("connection %d closed: E%d", connection, code)
                transport.close()

    def _fail(self, error: JournalError) -> None:
        log.critical("the journal failed, nothing more is accepted: %s", error)
        self.stop()
        if not self.failed.done():
            self.failed.set_result(error)
