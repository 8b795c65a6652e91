"""The reference receiver: who takes custody of messages before they are acknowledged.

A message is acknowledged only after `Receiver.take` returned. With the native protocol the switch
numbers what it sends, per precedence; a receiver that writes the number and the effect of a
message in one step has every message exactly once, whatever breaks in between.
"""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from clets_core.client.message import Received
from clets_core.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FileReceiver", "MemoryReceiver", "Receiver"]

PRECEDENCES: Final = 5
BAD_STATE: Final = 904


class Receiver(Protocol):
    """Takes messages in custody, in the order in which they came."""

    def resume(self) -> list[int]:
        """The next native number wanted of each precedence, five of them, from 1."""

    def take(self, messages: Sequence[Received], resume: Sequence[int]) -> None:
        """Stores messages and the numbers wanted next. They are acknowledged when it returns.

        Whatever it raises ends the connection; the switch sends the messages again.
        """

    def waiting(self) -> list[Received]:
        """Messages that were taken and not yet `consumed`, oldest first; asked once, at start."""

    def consumed(self, message: Received) -> None:
        """The application has the message."""


class MemoryReceiver:
    """Keeps nothing over a restart: the default, enough for a terminal that a person watches."""

    def __init__(self) -> None:
        """Starts with number 1 of each precedence."""
        self._resume = [1] * PRECEDENCES

    def resume(self) -> list[int]:
        """The next number wanted of each precedence."""
        return list(self._resume)

    def take(self, messages: Sequence[Received], resume: Sequence[int]) -> None:
        """Remembers the numbers."""
        del messages
        self._resume = list(resume)

    def waiting(self) -> list[Received]:
        """Nothing."""
        return []

    def consumed(self, message: Received) -> None:
        """Nothing to do."""


class _State(msgspec.Struct, forbid_unknown_fields=True):
    """The file: numbers wanted next, and messages that nobody has consumed."""

    receive: list[int]
    messages: list[_Kept] = []


class _Kept(msgspec.Struct, forbid_unknown_fields=True):
    payload: bytes
    precedence: int
    sequence: int
    possible_duplicate: bool


class FileReceiver:
    """Keeps numbers and unconsumed messages in one file, replaced atomically and synced.

    A message that was consumed shortly before a crash comes once more, marked as a possible
    duplicate, for a consumed message leaves the file with the next write.
    """

    def __init__(self, path: Path | str) -> None:
        """Reads the file if there is one.

        Raises:
            ClientError: E904, the file is not one of this class.
        """
        self._path = Path(path)
        self._state = _State(receive=[1] * PRECEDENCES)
        try:
            self._state = msgspec.json.decode(self._path.read_bytes(), type=_State)
        except FileNotFoundError:
            pass
        except msgspec.MsgspecError as error:
            raise ClientError(BAD_STATE, f"state file `{self._path}`: {error}") from None
        if len(self._state.receive) != PRECEDENCES:
            raise ClientError(BAD_STATE, f"state file `{self._path}`: expected five numbers")
        self._kept = deque(self._state.messages)

    def resume(self) -> list[int]:
        """The next number wanted of each precedence."""
        return list(self._state.receive)

    def take(self, messages: Sequence[Received], resume: Sequence[int]) -> None:
        """Writes messages and numbers together, and syncs them."""
        kept = [*self._kept, *(_keep(message) for message in messages)]
        state = _State(receive=list(resume), messages=kept)
        _replace(self._path, msgspec.json.encode(state))
        # Only now: had the write failed, the old state would still be the true one.
        self._state, self._kept = state, deque(kept)

    def waiting(self) -> list[Received]:
        """What a run before this one took and did not consume."""
        return [
            Received(it.payload, it.precedence, it.sequence, possible_duplicate=True)
            for it in self._kept
        ]

    def consumed(self, message: Received) -> None:
        """Lets go of a message; the file follows with the next write."""
        for kept in self._kept:
            same = (kept.precedence, kept.sequence) == (message.precedence, message.sequence)
            if same and kept.payload == message.payload:
                self._kept.remove(kept)
                return


def _keep(message: Received) -> _Kept:
    return _Kept(message.payload, message.precedence, message.sequence, message.possible_duplicate)


def _replace(path: Path, data: bytes) -> None:
    """Writes a file so that after any crash it is whole, old or new."""
    new = path.with_name(path.name + ".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
