"""The forms in which destination systems are asked and answer.

The control field or reference of a request comes back in its reply, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from clets_core import _core
from clets_core.hosts.answering import Request

__all__ = ["DIALECTS", "Reply", "read", "write"]

DIALECTS: Final = ("clets", "ncic", "niem", "nlets")
UNASKED_STATION: Final = "UNASKED"
"""Station of a CLETS message that answers nobody; the switch routes it by its ORI."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A message from a destination system.

    ``to`` is the ORI that it is for. Nlets alone stamps messages: times as ``hh:mm mm/dd/yyyy``
    and running numbers, of its reception and of its sending. ``after`` is how many delays of a
    person who answers go by before it is sent.
    """

    key: str
    origin: str
    to: str
    text: str
    reference: str = ""
    station: str = ""
    user: str = ""
    received: tuple[str, int] | None = None
    sent: tuple[str, int] | None = None
    after: int = 0


def read(dialect: str, payload: bytes) -> Request:
    """A request in the form in which this system is asked.

    Raises:
        DecodeError: the payload is no message of that dialect.
    """
    message = _core.decode(payload, dialect if dialect == "clets" else f"{dialect}-in")
    reference = message.reference if dialect == "clets" else message.control
    fields: dict[str, str] = {}
    for code, value in (message.fields or {}).items():
        # A code that stands several times has a tuple of values; the first is looked up.
        fields[code] = value if isinstance(value, str) else value[0]
    return Request(
        key=message.mke or "",
        ori=message.origin or "",
        reference=reference or "",
        station=message.station or "",
        user=message.user or "",
        destinations=tuple(message.destinations or ()),
        fields=fields,
        text=message.text or "",
        raw=payload,
    )


def write(dialect: str, reply: Reply) -> bytes:
    """A reply in the form in which this system answers."""
    if dialect == "clets":
        return _core.encode(
            "clets",
            mke=reply.key,
            origin=reply.origin,
            destinations=(reply.to,),
            reference=reply.reference,
            station=reply.station or UNASKED_STATION,
            user=reply.user,
            text=reply.text,
        )
    return _core.encode(
        f"{dialect}-out",
        mke=reply.key,
        origin=reply.origin,
        destinations=(reply.to,),
        control=reply.reference or None,
        text=reply.text,
        received=reply.received,
        sent=reply.sent,
    )
