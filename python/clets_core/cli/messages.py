"""Files of messages: where each begins and ends, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clets_core._core import Framer, decode, decode_all
from clets_core.errors import DecodeError, FrameError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clets_core._core import Message

DMPP: Final = "dmpp"
DIALECTS: Final = (
    "clets",
    "ncic-in",
    "ncic-out",
    "nlets-in",
    "nlets-out",
    "niem-in",
    "niem-out",
    DMPP,
)
KEYS: Final = (
    "dialect",
    "mke",
    "origin",
    "destinations",
    "control",
    "reference",
    "user",
    "station",
    "fields",
    "text",
    "received_at",
    "sent_at",
    "in_count",
    "out_count",
)
ETX: Final = b"\x03"
FRAME_BYTES_MAX: Final = 16 << 20
# Where a frame tells its length (DMPP-2020, block length).
LENGTH_AT: Final = 4
LENGTH_END: Final = 8
_TRUNCATED: Final = 103


def messages(data: bytes, dialect: str) -> Iterator[Message]:
    """The messages of a file, in order.

    ``dmpp`` is a recording of frames, of which those with data have messages. In a text dialect
    ETX may stand between messages and behind the last; a line feed behind the last is the file's
    own. (A message's lines end with CR LF, so that one which ends the file belongs to it.)

    Raises:
        DecodeError, FrameError: At the first bytes that are no message, after those before it
            were given. ``offset`` counts from the beginning of ``data``.
    """
    for begin, piece in _frames(data) if dialect == DMPP else _texts(data):
        try:
            yield from decode_all(piece, DMPP) if dialect == DMPP else [decode(piece, dialect)]
        except (DecodeError, FrameError) as error:
            raise type(error)(error.code, begin + error.offset, error.expected) from None


def payloads(data: bytes) -> Iterator[bytes]:
    """The messages of a file as bytes, whatever they say: all but ETX and the last line feed."""
    return (piece for _, piece in _texts(data))


def as_dict(message: Message) -> dict[str, object]:
    """A message as ``clets decode`` prints it: always the same keys in the same order."""
    return {key: getattr(message, key) for key in KEYS}


def _texts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Pieces between ETX with their offsets; at least one, which may be empty."""
    if data.endswith(b"\n") and not data.endswith(b"\r\n"):
        data = data[:-1]
    begin, several = 0, False
    while True:
        end = data.find(ETX, begin)
        piece = data[begin:] if end < 0 else data[begin:end]
        # Line ends behind an ETX are there for the eye.
        start = begin + len(piece) - len(piece.lstrip(b"\r\n")) if several else begin
        piece = piece[start - begin :]
        if piece or not several:
            yield start, piece
        if end < 0:
            return
        begin, several = end + 1, True


def _frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Frames of one message each, with their offsets; those that carry none are passed over."""
    if not data:
        raise FrameError(_TRUNCATED, 0, "a frame")
    framer = Framer(DMPP, FRAME_BYTES_MAX)
    at = begin = 0
    within = False
    while at < len(data):
        # What the frame says of its length decides how much is looked at, and nothing else.
        size = int.from_bytes(data[at + LENGTH_AT : at + LENGTH_END], "big")
        piece = data[at : at + max(size, LENGTH_END)]
        try:
            found = framer.feed(piece)
        except FrameError as error:
            raise FrameError(error.code, at + error.offset, error.expected) from None
        if not found:
            expected = f"the rest of the frame that begins at {at}"
            raise FrameError(_TRUNCATED, len(data), expected)
        (frame,) = found
        if not within:
            begin = at
        at += len(piece)
        if frame.kind == "data_more":
            within = True
        elif frame.kind == "data":
            within = False
            yield begin, data[begin:at]
    if within:
        raise FrameError(_TRUNCATED, len(data), "the next block of the message")
