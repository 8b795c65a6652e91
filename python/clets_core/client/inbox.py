"""Received messages on their way to the application: by reference or in order."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clets_core.client.message import Received
    from clets_core.client.receiver import Receiver

__all__ = ["Inbox", "Shelf"]

MESSAGES_MAX: Final = 100_000
"""Messages that nobody has asked for; with more the client stops reading."""


class Shelf:
    """Messages in the order in which they came, for one reader or several."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.messages: deque[Received] = deque()
        self.error: Exception | None = None
        self._changed: asyncio.Event = asyncio.Event()

    def put(self, message: Received) -> None:
        """Adds a message."""
        self.messages.append(message)
        self._changed.set()

    def close(self, error: Exception) -> None:
        """No message will be added; readers get what is there, then the error."""
        self.error = error
        self._changed.set()

    async def next(self) -> Received:
        """The oldest message; the application has it from then on."""
        while not self.messages:
            if self.error is not None:
                raise self.error
            self._changed.clear()
            await self._changed.wait()
        message = self.messages.popleft()
        self._receiver.consumed(message)
        return message


class Inbox:
    """A shelf for everything, and one for each reference that somebody waits for."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._all = Shelf(receiver)
        self._claims: dict[str, Shelf] = {}
        for message in receiver.waiting():
            self._all.put(message)

    @property
    def is_full(self) -> bool:
        """True when the application is far behind."""
        return len(self._all.messages) >= MESSAGES_MAX

    def put(self, messages: list[Received]) -> None:
        """Takes messages that are in custody."""
        for message in messages:
            shelf = self._claims.get(message.reference) if self._claims else None
            (shelf or self._all).put(message)

    async def next(self) -> Received:
        """The oldest message that nobody claims."""
        return await self._all.next()

    def close(self, error: Exception) -> None:
        """No message will come."""
        for shelf in (self._all, *self._claims.values()):
            shelf.close(error)

    @contextmanager
    def claim(self, reference: str) -> Iterator[Shelf]:
        """While inside, messages with this reference go to a shelf of their own."""
        shelf = self._claims.setdefault(reference, Shelf(self._receiver))
        try:
            yield shelf
        finally:
            if self._claims.pop(reference, None) is not None:
                for message in shelf.messages:
                    self._all.put(message)
