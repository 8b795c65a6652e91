"""What a client sends and gets: receipts, received messages, answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from clets_core import _core
from clets_core.errors import DecodeError

__all__ = ["NOTICES", "Answer", "Receipt", "Received"]

NOTICES: Final = frozenset({"DLY", "NRP", "REJ", "UND"})
"""Keys of the switch's own notices: delayed, no reply, refused, not delivered."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The switch's word on one message.

    ``accepted``: the switch has durable custody. ``smn`` is the switch message number, which only
    the native protocol tells. A refusal has ``code`` and ``text`` (native), or the ``status`` of a
    negative acknowledgement (DMPP; there the words come in a message of key ``REJ``, and the
    message itself is acknowledged).
    """

    accepted: bool
    smn: int | None = None
    code: int = 0
    text: str = ""
    status: int = 0


@dataclass(frozen=True)
class Received:
    """A message from the switch.

    ``sequence`` and ``precedence`` (0-4) are those of the native protocol and 0 on DMPP lines.
    ``possible_duplicate``: the switch may have sent it before.
    """

    payload: bytes
    precedence: int = 0
    sequence: int = 0
    possible_duplicate: bool = False

    @cached_property
    def message(self) -> _core.Message | None:
        """The payload decoded; ``None`` when it is no CLETS message."""
        try:
            return _core.decode(self.payload, "clets")
        except DecodeError:
            return None

    @property
    def key(self) -> str:
        """Message key, such as ``RR`` or ``REJ``."""
        return (self.message.mke if self.message else None) or ""

    @property
    def reference(self) -> str:
        """The reference of the inquiry that this answers; empty when nobody asked."""
        return (self.message.reference if self.message else None) or ""

    @property
    def station(self) -> str:
        """Mnemonic of the station that it is for."""
        return (self.message.station if self.message else None) or ""

    @property
    def text(self) -> str:
        """The text, or the whole payload when it has none."""
        text = self.message.text if self.message else None
        return self.payload.decode("utf-8", "replace") if text is None else text


@dataclass(frozen=True, slots=True)
class Answer:
    """All that came back for one inquiry.

    ``complete``: as many replies as were waited for came, or the switch refused the inquiry.
    """

    reference: str
    receipt: Receipt
    replies: tuple[Received, ...]
    complete: bool

    @property
    def refused(self) -> bool:
        """True when the switch did not take the inquiry."""
        return not self.receipt.accepted or any(it.key == "REJ" for it in self.replies)
