"""Requests as an agency computer writes them: the CLETS form with a reference of its own."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clets_core import _core
from clets_core.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Inquiry", "inquire", "new_reference"]

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_REFERENCE_CHARACTERS: Final = 10
BAD_KEY: Final = 905


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A request: the bytes to send, and the reference that its replies will carry."""

    payload: bytes
    reference: str


class _Clock:
    """Microseconds since 1970 that never repeat in this process, even if the clock steps back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        with self._lock:
            self._last = max(self._last + 1, time.time_ns() // 1000)
            return self._last


_clock = _Clock()


def new_reference() -> str:
    """A reference that this computer has not used, ten characters.

    The switch knows those of the last 24 hours and takes a repeated one for the same message.
    """
    number = _clock.next()
    digits = []
    for _ in range(_REFERENCE_CHARACTERS):
        number, digit = divmod(number, 36)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def inquire(
    *,
    station: str,
    ori: str,
    key: str,
    user: str = "",
    reference: str | None = None,
    to: Sequence[str] = (),
    text: str | None = None,
    **fields: str,
) -> Inquiry:
    """A request of a station, ready to be sent.

    Args:
        station: mnemonic of the station that asks.
        ori: the agency that asks, nine characters.
        key: message key with its destination system: ``IV.4A``, ``IH.R.QH``, ``NLTS.RQ``, ``AM``.
        user: the person who asks.
        reference: at most 20 characters that the replies repeat; a new one if not given.
        to: addressees: stations, groups, ORIs or states.
        text: free text, instead of fields.
        fields: fields by their code, in the order given; empty ones are left out.

    Raises:
        ClientError: E905, the key has more parts than a key can have.
    """
    *systems, mke = key.split(".")
    if len(systems) > 2 or (len(systems) == 2 and systems[1] != "R"):
        raise ClientError(BAD_KEY, f"`{key}` is no message key: expected SYSTEM.KEY or KEY")
    reference = new_reference() if reference is None else reference
    payload = _core.encode(
        "clets",
        mke=mke,
        origin=ori,
        destinations=tuple(to),
        reference=reference,
        user=user,
        station=station,
        system=systems[0] if systems else None,
        federal_only=len(systems) == 2,
        fields=[(code, value) for code, value in fields.items() if value],
        text=text,
    )
    return Inquiry(payload, reference)
