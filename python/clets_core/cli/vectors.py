"""Tables of vectors: messages, each with the decision on it and the rules that must be named.

A folder of vectors has ``base.toml`` and tables beside it, in the form of ``docs/rules.md``. They
are run by ``clets policy check`` and by the project's own tests.
"""

from __future__ import annotations

import csv
import io
import tempfile
import tomllib
from contextlib import contextmanager
from datetime import datetime  # noqa: TC003 (msgspec reads the annotations when it runs)
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import msgspec

from clets_core._core import decode
from clets_core.cli.decide import dialect_of
from clets_core.config.bundle import load_bundle
from clets_core.config.load import CSV_FILES
from clets_core.config.source import TomlText
from clets_core.errors import BundleError, CletsError, ClientCode, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clets_core.config.bundle import Bundle

BASE: Final = "base.toml"
T = TypeVar("T")

Changes = dict[str, dict[str, dict[str, str]]]


class Outcome(NamedTuple):
    """What is decided on a message. The rules are sorted; 0 is no number."""

    effect: str
    code: int
    rules: tuple[str, ...]
    labels: tuple[str, ...]

    def __str__(self) -> str:
        number = f" E{self.code}" if self.code else ""
        rules = f" by {', '.join(self.rules)}" if self.rules else " by no rule"
        labels = f" with {', '.join(self.labels)}" if self.labels else ""
        return f"{self.effect}{number}{rules}{labels}"


class Vector(NamedTuple):
    """One message on one line at one time, and what must be decided on it."""

    id: str
    what: str
    line: str
    data: bytes
    at: datetime
    expected: Outcome
    differs: str
    """Why the engine answers otherwise than the rule's words say, where it does."""
    file: str
    row: int
    """Where it stands: line ``row`` of ``file``."""


class Tables(NamedTuple):
    """All vectors of a folder, and what its file ``base`` says of them."""

    base: str
    vectors: tuple[Vector, ...]
    changes: Changes
    """Columns of rows of the bundle's CSV files, by file and by the row's first column."""
    untested: dict[str, str]
    """Rules that no vector can determine, and why."""


class _Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table as it is written."""


class _Sender(_Form, frozen=True):
    line: str
    station: str
    user: str
    ori: str


class _Base(_Form, frozen=True):
    at: datetime
    senders: dict[str, _Sender] = {}
    changes: Changes = {}
    untested: dict[str, str] = {}


class _Row(_Form, frozen=True):
    id: str
    what: str
    message: str
    sender: str = ""
    line: str = ""
    station: str = ""
    user: str | None = None
    ori: str = ""
    at: datetime | None = None
    effect: str = "allow"
    code: int = 0
    rules: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    differs: str = ""


class _Table(_Form, frozen=True):
    vector: tuple[_Row, ...]


def read_tables(folder: Path) -> Tables:
    """Reads the vectors of a folder, in the order of the files' names.

    Raises:
        ClientError: E921, a file cannot be read; E928, a table has another form.
    """
    base = _convert(_Base, folder / BASE, _text(folder / BASE))
    vectors: dict[str, Vector] = {}
    for path in sorted(folder.glob("*.toml")):
        if path.name == BASE:
            continue
        text = _text(path)
        places = TomlText(path.name, text)
        for number, row in enumerate(_convert(_Table, path, text).vector):
            if row.id in vectors:
                raise _wrong(path, f"vector `{row.id}`: expected an id that no other vector has")
            at = places.line("vector", number)
            vectors[row.id] = _vector(base, row, path, at)
    if not vectors:
        raise _wrong(folder, "expected one vector or more")
    return Tables(str(folder / BASE), tuple(vectors.values()), base.changes, base.untested)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        text = f"`{path}`: expected a table of vectors that can be read"
        raise ClientError(ClientCode.INPUT.number, text) from error


def _convert(kind: type[T], path: Path, text: str) -> T:
    try:
        return msgspec.convert(tomllib.loads(text), kind)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise _wrong(path, str(error)) from error


def _wrong(path: Path, text: str) -> ClientError:
    return ClientError(ClientCode.VECTORS.number, f"`{path}`: {text}")


def _vector(base: _Base, row: _Row, path: Path, place: int) -> Vector:
    at = row.at or base.at
    if at.tzinfo is None:
        raise _wrong(path, f"vector `{row.id}`: expected a time with its time zone")
    header = base.senders.get(row.sender)
    if header is None and (row.sender or not row.line):
        raise _wrong(path, f"vector `{row.id}`: expected a sender of {BASE}, or a line")
    if header is None:
        line, data = row.line, row.message
    else:
        line = row.line or header.line
        station, ori = row.station or header.station, row.ori or header.ori
        user = header.user if row.user is None else row.user
        key, _, rest = row.message.partition(" ")
        data = f"{station}.R1.{user}.{key}.{ori}.{rest}"
    expected = Outcome(row.effect, row.code, tuple(sorted(row.rules)), row.labels)
    return Vector(
        row.id, row.what, line, data.encode(), at, expected, row.differs, str(path), place
    )


def outcome(bundle: Bundle, vector: Vector) -> Outcome:
    """What a bundle decides on a vector; what it cannot even read is refused."""
    try:
        message = decode(vector.data, dialect_of(bundle.configuration, vector.line))
        verdict = bundle.decide(message, line=vector.line, at=vector.at)
    except CletsError as error:
        return Outcome("reject", error.code, (), ())
    return Outcome(verdict.effect, verdict.code, tuple(sorted(verdict.rules)), verdict.labels)


@contextmanager
def changed(folder: Path, changes: Changes) -> Iterator[Path]:
    """A stand-in for the bundle in a folder, with the changes; gone when the context ends.

    Only the files that change are written anew; the others are links to the bundle's own.
    ``folder`` holds a bundle that loads.

    Raises:
        ClientError: E928, a change names no CSV file or column of the bundle.
    """
    with tempfile.TemporaryDirectory(prefix="clets-vectors-") as made:
        stand_in = Path(made)
        for path in folder.resolve().iterdir():
            if path.name not in changes:
                (stand_in / path.name).symlink_to(path)
        for name, rows in changes.items():
            if name not in CSV_FILES:
                known = ", ".join(CSV_FILES)
                raise _wrong(Path(BASE), f"changes: expected one of {known}, not `{name}`")
            (stand_in / name).write_text(_changed(folder / name, rows), encoding="utf-8")
        yield stand_in


def _changed(path: Path, changes: dict[str, dict[str, str]]) -> str:
    """A CSV file with columns of the rows that the first column names; new rows are like the first.

    The first is that of the file.
    """
    reader = csv.DictReader(io.StringIO(path.read_text("utf-8")))
    rows: list[dict[str, Any]] = list(reader)
    columns = list(reader.fieldnames or ())
    if not rows:
        raise _wrong(path, "expected a CSV file with a row or more")
    by_key = {row[columns[0]]: row for row in rows}
    for key, values in changes.items():
        if unknown := sorted(values.keys() - set(columns)):
            raise _wrong(path, f"changes of `{key}`: no column `{unknown[0]}`")
        by_key[key] = {**by_key.get(key, rows[0]), columns[0]: key, **values}
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(by_key.values())
    return text.getvalue()


def prepared(folder: Path, tables: Tables) -> Bundle:
    """The bundle in a folder as the vectors want it.

    Raises:
        ClientError: E928, the bundle does not hold together with the changes.
    """
    with changed(folder, tables.changes) as stand_in:
        try:
            return load_bundle(stand_in)
        except BundleError as error:
            raise _wrong(Path(BASE), f"with its changes: {error.problems[0]}") from error
