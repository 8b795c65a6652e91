"""The tidy rules that no linter has: each takes text and gives complaints, so each can be tried."""

from __future__ import annotations

import ast
import re
import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

LINES_MAX = 800
COLUMNS_MAX = 100

# Written in pieces, so that this file does not break its own rules.
REMINDERS = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|HA" + r"CK)\b|\bto" + r"do!")
XXX_IN_COMMENT = re.compile(r"(//|#).*\bXX" + r"X\b")
MACHINE_PATHS = re.compile(r"(?<![\w.])/(wo" + r"rk|ro" + r"ot|ho" + r"me)/|\.\./sha" + r"red\b")
REGISTRY_HOSTS = re.compile(
    r"crates\.i" + r"o\b|pypi\.or" + r"g|pythonhosted\.or" + r"g|npmjs\.|proxy\.golan" + r"g", re.I
)
# What is said to a tool is not read by people, and cannot be wrapped.
PRAGMA = re.compile(r"  # (type: ignore|noqa|fmt:).*$")
UNSAFE = re.compile(r"\bunsafe\b(?!_)")
FORBID_UNSAFE = "#![forbid(unsafe_code)]"
PACKAGE = "clets_core"

Edges = dict[str, frozenset[str]]


def size(name: str, text: str) -> Iterator[str]:
    """A file fits in one head and a line on one screen."""
    lines = text.splitlines()
    if len(lines) > LINES_MAX:
        yield f"{name}: {len(lines)} lines, {LINES_MAX} at most"
    for number, line in enumerate(lines, 1):
        columns = len(PRAGMA.sub("", line))
        if columns > COLUMNS_MAX:
            yield f"{name}:{number}: {columns} columns, {COLUMNS_MAX} at most"


def reminders(name: str, text: str) -> Iterator[str]:
    """What is not done is not merged."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := REMINDERS.search(line) or XXX_IN_COMMENT.search(line):
            yield f"{name}:{number}: leftover `{found[0]}`"


def words(name: str, text: str) -> Iterator[str]:
    """Nothing in the project depends on one machine or one registry."""
    for number, line in enumerate(text.splitlines(), 1):
        for pattern in (MACHINE_PATHS, REGISTRY_HOSTS):
            if found := pattern.search(line):
                yield f"{name}:{number}: `{found[0]}` has no place here"


def forbids_unsafe(name: str, text: str) -> Iterator[str]:
    """Every crate but the bindings is safe Rust only."""
    if FORBID_UNSAFE not in text:
        yield f"{name}: no `{FORBID_UNSAFE}`"


def uses_unsafe(name: str, text: str) -> Iterator[str]:
    """In the bindings one file alone may be unsafe; this is for the others."""
    for number, line in enumerate(text.splitlines(), 1):
        if UNSAFE.search(line.split("//")[0]):
            yield f"{name}:{number}: `unsafe` belongs in buffer.rs"


def table(text: str, heading: str) -> Edges:
    """Rows of the table below a heading: first cell to the words in back-ticks of the second."""
    _, _, rest = text.partition(f"\n### {heading}\n")
    section = re.split(r"\n#+ ", rest, maxsplit=1)[0]
    rows = re.findall(r"^\| `([^`]+)` \|([^|]*)\|", section, re.M)
    return {name: frozenset(re.findall(r"`([^`]+)`", cell)) for name, cell in rows}


def same_edges(kind: str, written: Edges, found: Edges) -> Iterator[str]:
    """The documented directions are the real ones, no more and no fewer."""
    for name in sorted(written.keys() | found.keys()):
        if name not in written or name not in found:
            where = "ARCHITECTURE.md" if name in written else "the tree"
            yield f"{kind} `{name}` is only in {where}"
            continue
        for extra in sorted(found[name] - written[name]):
            yield f"{kind} `{name}` uses `{extra}`, which ARCHITECTURE.md does not say"
        for extra in sorted(written[name] - found[name]):
            yield f"{kind} `{name}` does not use `{extra}`, as ARCHITECTURE.md says"


def no_circle(kind: str, edges: Edges) -> Iterator[str]:
    """Dependencies go one way."""
    left = dict(edges)
    while free := [name for name, uses in left.items() if not uses & left.keys()]:
        for name in free:
            del left[name]
    if left:
        yield f"{kind}s in a circle: {', '.join(sorted(left))}"


def crate_edges(manifests: Mapping[str, str]) -> Edges:
    """Crates of the workspace by folder: what each names of the others, in any table."""
    edges: Edges = {}
    for crate, text in manifests.items():
        manifest = tomllib.loads(text)
        tables = [manifest, *manifest.get("target", {}).values()]
        named = {
            name
            for part in tables
            for kind in ("dependencies", "dev-dependencies", "build-dependencies")
            for name in part.get(kind, {})
        }
        edges[crate] = frozenset(
            name.removeprefix("clets-") for name in named if name.startswith("clets-")
        )
    return edges


def imported(text: str, parts: frozenset[str]) -> Iterator[str]:
    """The parts of the package that a file imports, for types too; ``""`` is its root."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == PACKAGE:
                part = rest.partition(".")[0]
                yield part if part in parts else ""


def layer_edges(sources: Iterable[tuple[str, str]], parts: frozenset[str]) -> Edges:
    """Parts of the package: what each imports of the others. Pairs are (path, text)."""
    edges: dict[str, set[str]] = {}
    for path, text in sources:
        part = path.removesuffix(".py").partition("/")[0]
        part = "" if part == "__init__" else part
        edges.setdefault(part, set()).update(imported(text, parts))
    return {
        part or PACKAGE: frozenset((use or PACKAGE) for use in uses - {part})
        for part, uses in edges.items()
    }


def adr_numbers(names: Sequence[str]) -> Iterator[str]:
    """Decisions are numbered from 1 without gaps."""
    numbers = [name[:4] for name in sorted(names)]
    wanted = [f"{number:04}" for number in range(1, len(names) + 1)]
    if numbers != wanted:
        yield f"docs/adr: numbers {', '.join(numbers)}; expected 0001 and on without gaps"


def client_codes(numbers: Iterable[int], sources: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A 9xx number that stands in the code is one that the table of numbers explains."""
    told = set(numbers)
    for name, text in sources:
        for node in ast.walk(ast.parse(text)):
            is_call = isinstance(node, ast.Call) and "ClientError" in ast.unparse(node.func)
            is_constant = isinstance(node, ast.Assign | ast.AnnAssign)
            values = node.args[:1] if is_call else [node.value] if is_constant else []
            for value in values:
                number = value.value if isinstance(value, ast.Constant) else None
                if isinstance(number, int) and 900 <= number < 1000 and number not in told:
                    yield f"{name}:{node.lineno}: E{number} is not in the table of numbers"


def locked(requirements: Sequence[str], lock: str) -> Iterator[str]:
    """Every requirement has one exact version, by name only."""
    pins = [line for line in lock.splitlines() if line and not line.startswith("#")]
    names = set()
    for pin in pins:
        if not (found := re.fullmatch(r"([A-Za-z0-9._-]+)==[A-Za-z0-9.+!]+", pin)):
            yield f"requirements.lock: `{pin}` is not NAME==VERSION"
            continue
        names.add(re.sub(r"[-_.]+", "-", found[1]).lower())
    for requirement in requirements:
        name = re.split(r"[<>=!~\[ ;]", requirement, maxsplit=1)[0]
        if re.sub(r"[-_.]+", "-", name).lower() not in names:
            yield f"requirements.lock: `{name}` of pyproject.toml is not locked"
