"""One simulated destination system: a TCP server with records, and behaviour that can be changed.

It acknowledges at once, answers under its behaviour, and keeps every answer until the switch has
acknowledged it: over a new connection what was not acknowledged goes out again, in order.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from clets_core.errors import DecodeError
from clets_core.hosts.answering import Answerer, Request, utc_now
from clets_core.hosts.dialects import DIALECTS, Reply, read, write
from clets_core.hosts.holdings import records_of_member, records_of_system
from clets_core.hosts.link import Link
from clets_core.hosts.nlets import MEMBERS, Nlets
from clets_core.hosts.systems import system_of
from clets_core.hosts.unasked import KINDS, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

__all__ = ["Behaviour", "BundleHost", "Host", "Tally"]

OUTBOX_MAX: Final = 100_000
"""Answers that wait for an acknowledgement; beyond, requests are refused."""
REMEMBERED_MAX: Final = 20_000
"""Requests whose answer is remembered, so that a repetition does not enter a record twice."""


class BundleHost(Protocol):
    """What is needed of a destination system's entry in a bundle."""

    @property
    def name(self) -> str:
        """Name, such as ``svs``."""

    @property
    def system(self) -> str:
        """Kind, such as ``state`` or ``ncic``."""

    @property
    def address(self) -> str:
        """Where it listens, ``host:port``."""

    @property
    def dialect(self) -> str:
        """``clets``, ``ncic``, ``niem`` or ``nlets``."""

    @property
    def ori(self) -> str:
        """ORI under which it answers."""

    @property
    def station(self) -> str:
        """Mnemonic that the switch uses toward it."""


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a system behaves. ``delay`` is in seconds, ``loss`` the share of requests it forgets.

    ``silent`` acknowledges and never answers; ``outage`` takes no connection. ``person`` is how
    long, in seconds, somebody takes who has to answer in person, as to a hit confirmation.
    """

    delay: float = 0.0
    loss: float = 0.0
    outage: bool = False
    silent: bool = False
    person: float = 0.0


class Tally(msgspec.Struct):
    """What a system has seen."""

    received: int = 0
    repeated: int = 0
    answered: int = 0
    forgotten: int = 0
    unsolicited: int = 0
    refused_here: int = 0
    refused_there: int = 0


class Host:
    """A destination system. It runs between `open` and `close`; see `change` for its behaviour."""

    def __init__(
        self, entry: BundleHost, *, seed: int = 1, now: Callable[[], datetime] = utc_now
    ) -> None:
        """Takes the bundle's entry and the seed of the records.

        Raises:
            ValueError: the entry has a dialect or an address that no system can have.
        """
        if entry.dialect not in DIALECTS:
            raise ValueError(f"host `{entry.name}`: dialect `{entry.dialect}` is not known")
        self.name = entry.name
        self.ori = entry.ori
        self.behaviour = Behaviour()
        self.tally = Tally()
        self.address = _address(entry)
        self._dialect = entry.dialect
        self._station = entry.station
        self._now = now
        self._chance = random.Random(f"loss:{seed}:{entry.name}")  # noqa: S311
        self._system = _system(entry, seed, now)
        self._server: asyncio.Server | None = None
        self._links: list[Link] = []
        self._outbox: OrderedDict[bytes, bytes] = OrderedDict()
        self._remembered: OrderedDict[bytes, tuple[bytes, ...]] = OrderedDict()
        self._validation = 0
        self._waiting: set[asyncio.TimerHandle] = set()

    async def open(self) -> None:
        """Begins to listen. Port 0 takes a free one, which `address` then tells.

        Raises:
            OSError: the address cannot be used.
        """
        loop = asyncio.get_running_loop()
        host, port = self.address
        self._server = await loop.create_server(lambda: Link(self), host, port)
        self.address = host, self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Ends all connections and stops listening; what waits to be answered is dropped."""
        for handle in self._waiting:
            handle.cancel()
        self._waiting.clear()
        await self._hang_up()

    async def change(
        self,
        *,
        delay: float | None = None,
        loss: float | None = None,
        outage: bool | None = None,
        silent: bool | None = None,
        person: float | None = None,
    ) -> Behaviour:
        """Changes what is given and leaves the rest; gives the behaviour from now on."""
        negative = any(seconds is not None and seconds < 0 for seconds in (delay, person))
        if negative or (loss is not None and not 0 <= loss <= 1):
            raise ValueError("delays must not be negative, and loss must be between 0 and 1")
        before = self.behaviour
        self.behaviour = Behaviour(
            delay=before.delay if delay is None else delay,
            loss=before.loss if loss is None else loss,
            outage=before.outage if outage is None else outage,
            silent=before.silent if silent is None else silent,
            person=before.person if person is None else person,
        )
        if self.behaviour.outage and self._server is not None:
            await self._hang_up()
        elif not self.behaviour.outage and self._server is None:
            await self.open()
        return self.behaviour

    def unsolicited(self, ori: str, text: str, *, key: str = "AM", origin: str = "") -> None:
        """Sends a message that nobody asked for, such as NCIC's ``$.H.`` delayed hit.

        Its number keeps two equal texts apart, for the switch drops an exact repetition.
        """
        self.tally.unsolicited += 1
        number = self.tally.unsolicited
        # Not ten characters long, so that it cannot be taken for an echo.
        control = f"UNASKED{number:06}" if self._dialect == "ncic" else ""
        if self._dialect == "clets":
            text = f"MESSAGE {number:06} FROM {self.name.upper()}\r\n{text}"
        self._deliver(
            Reply(key, origin or self.ori, ori, text, reference=control, station=self._station)
        )

    def announce(
        self, kind: str, ori: str, values: Mapping[str, str] | None = None, *, origin: str = ""
    ) -> None:
        """Sends an unsolicited message of a kind of `KINDS`, such as ``SM-OUT`` or ``$.H.``.

        Raises:
            ValueError: there is no such kind, or no such blank to fill in.
        """
        text = text_of(kind, values or {})
        self.unsolicited(ori, text, key=KINDS[kind].key, origin=origin)

    @property
    def unacknowledged(self) -> int:
        """Answers that the switch has not acknowledged."""
        return len(self._outbox)

    @property
    def connected(self) -> bool:
        """True while the switch has a connection to it."""
        return bool(self._links)

    def linked(self, link: Link) -> None:
        """A connection is open: sends again what was not acknowledged."""
        self._links.append(link)
        for validation, payload in self._outbox.items():
            link.send(payload, validation)

    def unlinked(self, link: Link) -> None:
        """A connection is gone."""
        if link in self._links:
            self._links.remove(link)

    def acknowledged(self, validation: bytes) -> None:
        """The switch has custody of an answer."""
        self._outbox.pop(validation, None)

    def refused(self, validation: bytes) -> None:
        """The switch will not have an answer; it is not sent again."""
        if self._outbox.pop(validation, None) is not None:
            self.tally.refused_there += 1

    def take(self, payload: bytes) -> bool:
        """Takes a request; false when it cannot be read or too much waits."""
        try:
            request = read(self._dialect, payload)
        except DecodeError:
            self.tally.refused_here += 1
            return False
        if len(self._outbox) >= OUTBOX_MAX:
            self.tally.refused_here += 1
            return False
        self.tally.received += 1
        behaviour = self.behaviour
        if behaviour.silent or (behaviour.loss and self._chance.random() < behaviour.loss):
            self.tally.forgotten += 1
        else:
            self._later(behaviour.delay, request)
        return True

    def _later(self, delay: float, request: Request) -> None:
        """Answers after the delay, and never before the acknowledgement is written."""
        if delay:
            self._wait(delay, lambda: self._serve(request))
        else:
            asyncio.get_running_loop().call_soon(self._serve, request)

    def _wait(self, delay: float, act: Callable[[], object]) -> None:
        def run() -> None:
            self._waiting.discard(handle)
            act()

        handle = asyncio.get_running_loop().call_later(delay, run)
        self._waiting.add(handle)

    def _serve(self, request: Request) -> None:
        # A repeated entry is answered as before and not made again.
        once = bool(request.reference) and self._system.changes(request.key)
        name = hashlib.sha256(request.raw).digest() if once else b""
        known = self._remembered.get(name)
        if known is not None:
            self.tally.repeated += 1
            for payload in known:
                self._post(payload)
            return
        self.tally.answered += 1
        payloads = tuple(self._deliver(reply) for reply in self._answers(request))
        if once:
            self._remembered[name] = payloads
            if len(self._remembered) > REMEMBERED_MAX:
                self._remembered.popitem(last=False)

    def _answers(self, request: Request) -> list[Reply]:
        if isinstance(self._system, Nlets):
            return self._system.answer(request)
        if request.key in {"AM", "AML"}:
            text = f"{self.name.upper()} TERMINAL\r\nYOUR MESSAGE WAS RECEIVED"
            return [Reply(request.key, self.ori, request.ori, text, station=self._station)]
        key, text = self._system.answer(request)
        return [
            Reply(
                key,
                self.ori,
                request.ori,
                text,
                reference=request.reference,
                station=request.station,
                user=request.user,
            )
        ]

    def _deliver(self, reply: Reply) -> bytes:
        if isinstance(self._system, Nlets):
            reply = self._system.stamp(reply)
        payload = write(self._dialect, reply)
        delay = reply.after * self.behaviour.person
        if delay:
            self._wait(delay, lambda: self._post(payload))
        else:
            self._post(payload)
        return payload

    def _post(self, payload: bytes) -> None:
        """Sends on the newest connection, and keeps the message until it is acknowledged."""
        self._validation = (self._validation + 1) & 0xFFFF_FFFF
        validation = self._validation.to_bytes(4, "big")
        self._outbox[validation] = payload
        if self._links:
            self._links[-1].send(payload, validation)

    async def _hang_up(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for link in list(self._links):
            link.abort()
        if server is not None:
            await server.wait_closed()


def _system(entry: BundleHost, seed: int, now: Callable[[], datetime]) -> Answerer | Nlets:
    if entry.dialect in {"niem", "nlets"}:
        # A state on a line of its own is reached under its own code alone.
        alone = {"nevada": ("NV",), "oregon": ("OR",)}.get(entry.system)
        return Nlets(seed, alone or MEMBERS, now=now)
    system = system_of(entry.name, entry.system)
    if entry.system == "oregon":
        records = records_of_member("OR", seed)
    else:
        records = records_of_system(entry.name, system.number, seed)
    return Answerer(system, records, first_number=seed % 1000 * 1000 + 1, now=now)


def _address(entry: BundleHost) -> tuple[str, int]:
    host, _, port = entry.address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise ValueError(f"host `{entry.name}`: address `{entry.address}` is not host:port")
    return host.strip("[]"), int(port)
