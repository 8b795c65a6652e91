"""The numbered problems of a bundle, and the list they are collected in."""

from __future__ import annotations

from enum import Enum

from clets_core.errors import Problem


class Code(Enum):
    """Number and rule of each problem. A number never changes its meaning."""

    FILE = (701, "Every file of the bundle must be there and hold UTF-8 text.")
    TOML = (702, "A .toml file must be TOML.")
    KEY_UNKNOWN = (703, "A table must hold only the keys that the reference names.")
    KEY_ABSENT = (704, "A table or row must hold every key that has no default.")
    VALUE = (705, "A value must have the type, form and range that the reference gives.")
    CSV = (706, "A .csv file must have the named columns, and every row as many cells.")
    DUPLICATE = (707, "A name must be given once.")
    REFERENCE = (708, "What an entry names must be in the bundle.")
    ORI = (709, "An ORI must be two letters and seven letters or digits.")
    IDENTIFIER = (710, "A mnemonic, user id or code must be capital letters and digits.")
    PEER = (711, "A line must be known by a peer address or a certificate that a listener takes.")
    PEER_SHARED = (712, "Two lines must not be known by the same address or certificate.")
    ADDRESS = (713, "An address must be HOST:PORT and be used once.")
    SECURITY = (714, "A connection must have TLS files that exist, or say that it is plain.")
    BINDING = (715, "A station must work for an agency of its line.")
    DATES = (716, "Hire, training and its end must follow each other.")
    CIRCLE = (717, "A group must not contain itself.")
    TOO_WIDE = (718, "A group must not reach more stations than the limit.")
    CONDITION = (719, "A route's condition must be a field with `is` or with `is_not`.")
    UNREACHABLE = (720, "A route must not stand behind one that takes all of its messages.")
    LEG = (721, "A leg must have a key and a destination of the kind that its host wants.")
    POLICY = (722, "The policy folder must hold a schema and policies that validate against it.")
    AMBIGUOUS = (723, "An address must name one thing: station, ORI, group or destination code.")
    SNAPSHOT = (724, "The engine must be able to take the bundle.")
    TOO_MANY = (725, "There must not be more entries than the engine can number.")
    DIALECT = (726, "A dialect must give each entered key one meaning.")
    STATEMENT = (727, "Only the requester may state purpose, reason, attention and case.")
    NOT_ROUTED = (728, "A key that a dialect, file code or follow-up leads to must have a route.")
    FILE_CODE = (729, "A file code must change the key of a leg, once for each key.")
    ALTERNATE = (
        730,
        "An alternate must serve the same agencies, or be of the same system and form.",
    )

    @property
    def number(self) -> int:
        """The number, shown as ``E701``."""
        return self.value[0]

    @property
    def rule(self) -> str:
        """What must hold, as one sentence."""
        return self.value[1]


class Problems:
    """Collects problems, so that all are told at once."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, file: str, line: int, code: Code, text: str) -> None:
        """Adds one; ``line`` counts from 1, and 0 stands for the whole file."""
        self._found.append(Problem(file, line, code.number, text))

    def __bool__(self) -> bool:
        return bool(self._found)

    def sorted(self) -> tuple[Problem, ...]:
        """All of them by file and line, each once."""
        return tuple(sorted(set(self._found)))
