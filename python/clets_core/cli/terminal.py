"""How the verbs read their input and speak: JSON lines, tables, numbered errors."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from clets_core.errors import BundleError, CletsError, ClientCode, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

F = TypeVar("F", bound="Callable[..., Any]")

INPUT_BYTES_MAX: Final = 256 << 20
_PIPE_COLUMNS: Final = 140
_META: Final = "clets_core.cli.json"
# What could move a cursor or end a line: control characters and the separators of Unicode.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def json_option(command: F) -> F:
    """Adds ``--json``, which also makes errors JSON."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        is_eager=True,
        callback=_remember,
        help="Print JSON, errors too.",
    )(command)


def _remember(context: click.Context, _: click.Parameter, value: bool) -> bool:
    context.find_root().meta[_META] = value
    return value


def wants_json(context: click.Context) -> bool:
    """Whether ``--json`` was given."""
    return bool(context.find_root().meta.get(_META))


def print_json(value: object, *, err: bool = False) -> None:
    """One JSON value on one line of ASCII, whatever characters it holds."""
    click.echo(json.dumps(value), err=err)


def visible(text: str) -> str:
    """The text with control characters as escapes: it may come from a stranger's message."""
    return _UNPRINTABLE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def counted(number: int, what: str) -> str:
    """A number of things: `1 rule`, `2 rules`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def console() -> Console:
    """Standard output for tables; wide enough for them when it is a pipe."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else _PIPE_COLUMNS
    return Console(width=width, highlight=False, markup=False, emoji=False)


def tell(error: CletsError, *, as_json: bool) -> None:
    """Writes an error to standard error: its number, where, and what was expected."""
    if as_json:
        print_json(error_as_dict(error), err=True)
    else:
        for line in str(error).split("\n"):
            click.echo(visible(line), err=True)


def error_as_dict(error: CletsError) -> dict[str, object]:
    """Number, class and sentence; ``offset`` and ``expected`` or ``problems`` where it has them."""
    told: dict[str, object] = {
        "code": error.code,
        "error": type(error).__name__,
        "text": error.text,
    }
    for name in ("offset", "expected"):
        if hasattr(error, name):
            told[name] = getattr(error, name)
    if isinstance(error, BundleError):
        told["problems"] = [
            {"file": found.file, "line": found.line, "code": found.code, "text": found.text}
            for found in error.problems
        ]
    return told


def read_input(name: str) -> bytes:
    """All bytes of a file, or of standard input for ``-``.

    Raises:
        ClientError: E921 it cannot be read; E922 it is longer than 256 MiB.
    """
    try:
        if name == "-":
            data = sys.stdin.buffer.read(INPUT_BYTES_MAX + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(INPUT_BYTES_MAX + 1)
    except OSError as error:
        text = f"`{name}`: {error.strerror}; expected a file that can be read, or `-`"
        raise ClientError(ClientCode.INPUT.number, text) from error
    if len(data) > INPUT_BYTES_MAX:
        text = f"`{name}`: expected at most {INPUT_BYTES_MAX} bytes"
        raise ClientError(ClientCode.INPUT_LONG.number, text)
    return data
