"""The exceptions of clets_core: one tree, each with a number that never changes its meaning.

Numbers: 1xx framing, 2xx decoding, 3xx identity, 4xx policy, 5xx routing and delivery, 6xx journal,
7xx bundle, 8xx session, 9xx client and command line. ``docs/reference/errors.md`` lists them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "BundleError",
    "CletsError",
    "ClientCode",
    "ClientError",
    "DecodeError",
    "FrameError",
    "JournalError",
    "Problem",
    "RefusedError",
    "SessionError",
]


class CletsError(Exception):
    """What all errors of this package have in common.

    ``code`` is the number shown as ``E101``; ``text`` is the sentence that goes with it.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return f"E{self.code}: {self.text}"


class _BytesError(CletsError):
    """Bytes that are not what they should be."""

    def __init__(self, code: int, offset: int, expected: str) -> None:
        super().__init__(code, f"at offset {offset}: expected {expected}")
        # What ``copy`` and ``pickle`` hand to ``__init__`` again.
        self.args = (code, offset, expected)
        self.offset = offset
        self.expected = expected


class FrameError(_BytesError):
    """Bytes of a line that are no frame (1xx). ``offset`` counts bytes into the frame."""


class DecodeError(_BytesError):
    """A payload that is no message of its dialect (2xx). ``offset`` counts bytes into it."""


class RefusedError(CletsError):
    """A message that the switch did not take: identity, policy or routing (2xx-5xx)."""


class JournalError(CletsError):
    """A journal that cannot be written, read or trusted (6xx)."""


class SessionError(CletsError):
    """A session with a line that could not be opened or had to end (8xx)."""


class ClientError(CletsError):
    """A mistake in the use of the client or the command line (9xx)."""


class ClientCode(Enum):
    """Numbers of the client and the command line, each with its name and what must hold.

    The engine has a table of its own for the other hundreds; a number never changes its meaning.
    """

    NOT_CONNECTED = (901, "not connected", "A switch must listen at the address.")
    CLOSED = (902, "client closed", "A client must stay open until its messages are answered.")
    UNANSWERED = (903, "too many unanswered", "Messages without an answer must not pile up.")
    STATE_FILE = (904, "state file", "A receiver's state file must be one that it wrote.")
    KEY_FORM = (905, "message key form", "A message key must be KEY, SYSTEM.KEY or SYSTEM.R.KEY.")
    POLICY_ABSENT = (910, "no policies", "A bundle can be written only with policies at hand.")
    PORTS = (911, "ports out of range", "All ports of a sample must lie in 1024-65535.")
    USAGE = (920, "usage", "A command line must have the form that `--help` shows.")
    INPUT = (921, "input unreadable", "The input must be a file that can be read, or `-`.")
    INPUT_LONG = (922, "input too long", "The input must stay within the limit on its length.")
    OUTPUT = (923, "output unwritable", "The place for the output must be one that can be written.")
    VERB_ABSENT = (924, "verb absent", "All parts that a verb needs must be installed.")
    ADDRESS = (925, "address not free", "The addresses to listen on must be free and local.")
    UNHEARD = (926, "no answer", "The switch must answer each message within the time given.")
    SUBJECT_KEY = (927, "key of digests", "A key of digests must be 32 hexadecimal digits.")
    VECTORS = (928, "vectors", "Vectors must have the form of docs/rules.md and fit the bundle.")

    CONTROL_ABSENT = (940, "no control socket", "A running switch must listen at the socket.")
    CONTROL_REQUEST = (941, "control request", "A request must be one JSON object on one line.")
    CONTROL_VERB = (942, "control verb", "A request must name a verb that the switch knows.")

    @property
    def number(self) -> int:
        """The number, shown as ``E901``."""
        return self.value[0]

    @property
    def title(self) -> str:
        """A short name, stable."""
        return self.value[1]

    @property
    def expected(self) -> str:
        """What must hold, as one sentence."""
        return self.value[2]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with a bundle. ``line`` counts from 1; 0 stands for the whole file."""

    file: str
    line: int
    code: int
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: E{self.code}: {self.text}"


class BundleError(CletsError):
    """A bundle that cannot be used (7xx). ``problems`` has all that was found, in file order.

    ``code`` is that of the first problem.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        code = self.problems[0].code if self.problems else 700
        super().__init__(code, "\n".join(str(problem) for problem in self.problems))
        self.args = (self.problems,)

    def __str__(self) -> str:
        return self.text
