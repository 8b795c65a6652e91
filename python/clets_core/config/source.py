"""The text of a bundle's files, read into structs, with the line on which each thing stands."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

import msgspec

from clets_core.config.model import Entry
from clets_core.config.problem import Code, Problems

E = TypeVar("E", bound=Entry)

_HEADER = re.compile(r"^\s*\[(\[)?\s*([\w.-]+)\s*\]")
_KEY = re.compile(r"^\s*([\w-]+)\s*=")
_CODES = {"ORI": Code.ORI, "identifier": Code.IDENTIFIER}
# A cell or value longer than this is cut in a message.
_SHOWN_MAX = 60


class TomlText:
    """Finds lines in a TOML file by scanning for headers and keys.

    Good for files in which each header and each key begins a line, as all people write them; in
    others the line of the table is told.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.lines = text.splitlines()
        self._sections: dict[tuple[str, int], tuple[int, int]] = {("", 0): (1, 1)}
        counts: dict[str, int] = {}
        current = ("", 0)
        for number, line in enumerate(self.lines, start=1):
            if found := _HEADER.match(line):
                name = found[2]
                index = counts.get(name, 0) if found[1] else 0
                counts[name] = index + 1
                current = (name, index)
                self._sections[current] = (number, number)
            else:
                self._sections[current] = (self._sections[current][0], number)

    def has(self, table: str, index: int) -> bool:
        """Whether the table has a header of its own."""
        return (table, index) in self._sections

    def line(self, table: str, index: int, key: str | None = None, item: int | None = None) -> int:
        """Line of a table, of a key in it, or of the ``item``-th inline table of that key."""
        first, last = self._sections.get((table, index), (1, len(self.lines)))
        if key is None:
            return first
        for number in range(first, last + 1):
            found = _KEY.match(self.lines[number - 1]) if number <= len(self.lines) else None
            if found and found[1] == key:
                return number if item is None else self._item(number, last, item)
        # A key can also be a table with a header of its own.
        return self._sections.get((f"{table}.{key}" if table else key, 0), (first, last))[0]

    def _item(self, first: int, last: int, item: int) -> int:
        seen, depth = -1, 0
        for number in range(first, last + 1):
            for letter in self.lines[number - 1]:
                # A table inside an item is no item.
                seen += letter == "{" and depth == 0
                depth += (letter == "{") - (letter == "}")
                if seen == item:
                    return number
        return first


@dataclass(frozen=True)
class Place:
    """Where an entry stands: a table of a TOML file, or a row of a CSV file."""

    file: str
    row: int = 0
    text: TomlText | None = None
    table: str = ""
    index: int = 0
    key: str | None = None
    item: int = 0

    def line(self, key: str | None = None) -> int:
        """Line of the entry or of one of its keys."""
        if self.text is None:
            return self.row
        if self.key is not None:
            # An entry written as an inline table has no lines for its own keys.
            return self.text.line(self.table, self.index, self.key, self.item)
        return self.text.line(self.table, self.index, key)

    def child(self, key: str, item: int = 0) -> Place:
        """Where the entry below ``key`` stands, or the ``item``-th of the entries there."""
        if self.text is None or self.key is not None:
            return self
        table = f"{self.table}.{key}" if self.table else key
        if self.text.has(table, item):
            return Place(self.file, text=self.text, table=table, index=item)
        return Place(
            self.file, text=self.text, table=self.table, index=self.index, key=key, item=item
        )


@dataclass(frozen=True)
class Located(Generic[E]):
    """An entry and where it stands."""

    entry: E
    place: Place


def read_toml(file: str, text: str, problems: Problems) -> tuple[dict[str, Any], Place] | None:
    """The whole file as a table, or nothing when it is not TOML."""
    try:
        return tomllib.loads(text), Place(file, text=TomlText(file, text))
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        problems.add(file, int(found[1]) if found else 0, Code.TOML, f"not TOML: {error}")
        return None


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The fields of a table. To ask costs more than to read one, and a bundle has thousands."""
    return msgspec.structs.fields(kind)


def read_entry(kind: type[E], raw: object, place: Place, problems: Problems) -> E | None:
    """One table as a struct; each wrong key is a problem of its own."""
    if not isinstance(raw, dict):
        problems.add(place.file, place.line(), Code.VALUE, f"expected a table, found `{raw}`")
        return None
    values: dict[str, Any] = {}
    known = _fields(kind)
    names = {info.encode_name for info in known}
    complete = True
    for key in raw:
        if key not in names:
            complete = False
            problems.add(place.file, place.line(key), Code.KEY_UNKNOWN, f"unknown key `{key}`")
    for info in known:
        key = info.encode_name
        if key not in raw:
            if info.required:
                complete = False
                problems.add(place.file, place.line(), Code.KEY_ABSENT, f"`{key}` is missing")
            continue
        value = _read_value(info.type, key, raw[key], place, problems)
        if value is _WRONG:
            complete = False
        values[info.name] = value
    return kind(**values) if complete else None


def read_table_array(
    kind: type[E], document: dict[str, Any], key: str, place: Place, problems: Problems
) -> list[Located[E]]:
    """The entries of ``[[key]]``, which must be all there is in the file."""
    for other in document:
        if other != key:
            line = place.child(other).line() if place.text else 0
            problems.add(place.file, line, Code.KEY_UNKNOWN, f"unknown table or key `{other}`")
    raw = document.get(key, [])
    if not isinstance(raw, list):
        problems.add(place.file, 1, Code.VALUE, f"`{key}` must be tables: [[{key}]]")
        return []
    found = []
    for index, table in enumerate(raw):
        at = place.child(key, index)
        entry = read_entry(kind, table, at, problems)
        if entry is not None:
            found.append(Located(entry, at))
    return found


def read_rows(kind: type[E], file: str, text: str, problems: Problems) -> list[Located[E]]:
    """The rows of a CSV file. Columns may stand in any order; an empty cell is an absent value."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[dict[str, str]] = []
    lines: list[int] = []
    try:
        header = next(reader, [])
        if not _header_fits(kind, header, file, problems):
            return []
        before = reader.line_num
        for cells in reader:
            line, before = before + 1, reader.line_num
            if not cells:
                continue
            if len(cells) != len(header):
                text = f"{len(cells)} cells in a table of {len(header)} columns"
                problems.add(file, line, Code.CSV, text)
                continue
            rows.append({key: cell for key, cell in zip(header, cells, strict=True) if cell})
            lines.append(line)
    except csv.Error as error:
        problems.add(file, reader.line_num, Code.CSV, f"not CSV: {error}")
        return []
    try:
        entries: list[E] = msgspec.convert(rows, list[kind], strict=False)  # type: ignore[valid-type]
    except msgspec.ValidationError:
        # Somewhere in the file; only now is it worth looking at each cell.
        return _read_each(kind, file, rows, lines, problems)
    places = (Place(file, row=line) for line in lines)
    return [Located(entry, place) for entry, place in zip(entries, places, strict=True)]


def _header_fits(kind: type[E], header: list[str], file: str, problems: Problems) -> bool:
    columns = [info.encode_name for info in _fields(kind)]
    wrong = [f"no column `{name}`" for name in columns if name not in header]
    wrong += [f"unknown column `{name}`" for name in header if name not in columns]
    if len(set(header)) != len(header):
        wrong.append("a column is there twice")
    for text in wrong:
        problems.add(file, 1, Code.CSV, text)
    return not wrong


def _read_each(
    kind: type[E], file: str, rows: list[dict[str, str]], lines: list[int], problems: Problems
) -> list[Located[E]]:
    found = []
    for row, line in zip(rows, lines, strict=True):
        place = Place(file, row=line)
        entry = read_entry(kind, row, place, problems)
        if entry is not None:
            found.append(Located(entry, place))
    return found


# Stands for a value that did not convert; no value of a bundle is this object.
_WRONG = object()


def _read_value(kind: object, key: str, raw: object, place: Place, problems: Problems) -> object:
    if isinstance(kind, type) and issubclass(kind, Entry):
        entry = read_entry(kind, raw, place.child(key), problems)
        return _WRONG if entry is None else entry
    inner = _items_of(kind)
    if isinstance(inner, type) and issubclass(inner, Entry) and isinstance(raw, list):
        entries = [
            read_entry(inner, item, place.child(key, at), problems) for at, item in enumerate(raw)
        ]
        if any(entry is None for entry in entries):
            return _WRONG
        raw = entries
    try:
        return msgspec.convert(raw, kind, strict=place.text is not None)
    except msgspec.ValidationError as error:
        wrong = [(kind, raw, error)]
    if inner is not None and isinstance(raw, list):
        # A list with wrong items: each of them is told, not the whole list.
        items = [(inner, item, why) for item in raw if (why := _mismatch(item, inner))]
        wrong = items or wrong
    for expected, found, mismatch in wrong:
        code = _code_of(expected)
        text = code.rule if code is not Code.VALUE else _lower(str(mismatch))
        problems.add(place.file, place.line(key), code, f"`{key}` is `{_shown(found)}`: {text}")
    return _WRONG


def _mismatch(item: object, kind: object) -> msgspec.ValidationError | None:
    try:
        msgspec.convert(item, kind)
    except msgspec.ValidationError as error:
        return error
    return None


def _items_of(kind: object) -> object:
    """The type of the items in ``tuple[T, ...]``, also when it is annotated or may be absent."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    for part in (kind, *get_args(kind)):
        if get_origin(part) is tuple:
            return get_args(part)[0]
    return None


def _code_of(kind: object) -> Code:
    """The number of the problem that a value of this type has when it has the wrong form."""
    for part in (kind, *get_args(kind)):
        for meta in getattr(part, "__metadata__", ()):
            if isinstance(meta, msgspec.Meta) and meta.description in _CODES:
                return _CODES[meta.description]
    return Code.VALUE


def _shown(raw: object) -> str:
    text = str(raw)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
