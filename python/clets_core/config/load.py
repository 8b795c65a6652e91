"""From a bundle's folder to a checked configuration."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from clets_core.config.check import Draft, check
from clets_core.config.model import (
    Agency,
    Configuration,
    Dialect,
    Entry,
    FileCode,
    FollowUp,
    Group,
    Host,
    Line,
    Ori,
    PolicyFile,
    Route,
    Station,
    Switch,
    User,
)
from clets_core.config.problem import Code, Problems
from clets_core.config.source import (
    Located,
    read_entry,
    read_rows,
    read_table_array,
    read_toml,
)
from clets_core.errors import BundleError

if TYPE_CHECKING:
    from os import PathLike

E = TypeVar("E", bound=Entry)

TOML_FILES = ("switch.toml", "lines.toml", "hosts.toml", "routes.toml", "groups.toml")
CSV_FILES = ("agencies.csv", "oris.csv", "stations.csv", "users.csv")
# A bundle without these has no county dialects and no follow-up inquiries.
OPTIONAL_FILES = ("dialects.toml", "followups.toml")
SCHEMA_FILE = "policy/schema.cedarschema"
WORDS_FILE = "policy/words.csv"
# A bundle without these knows no own, watched, confidential or test records.
SUBJECT_FILES = ("policy/subjects.csv", "policy/subjects.key")


def load(path: str | PathLike[str]) -> Configuration:
    """Reads and checks the bundle in a folder.

    Everything is checked but the meaning of the policies, which is the engine's. Nothing is
    started and nothing outside the folder is read.

    Raises ``BundleError`` with every problem found, each with file, line and number (E701-E729).
    """
    folder = Path(path)
    problems = Problems()
    texts = _read(folder, problems)
    routes, file_codes = _routes(texts, problems)
    draft = Draft(
        path=folder,
        switch=_switch(texts, problems),
        lines=_tables(Line, "lines.toml", "line", texts, problems),
        hosts=_tables(Host, "hosts.toml", "host", texts, problems),
        routes=routes,
        file_codes=file_codes,
        dialects=_tables(Dialect, "dialects.toml", "dialect", texts, problems),
        follow_ups=_tables(FollowUp, "followups.toml", "followup", texts, problems),
        groups=_tables(Group, "groups.toml", "group", texts, problems),
        agencies=_rows(Agency, "agencies.csv", texts, problems),
        oris=_rows(Ori, "oris.csv", texts, problems),
        stations=_rows(Station, "stations.csv", texts, problems),
        users=_rows(User, "users.csv", texts, problems),
    )
    check(draft, problems)
    if problems or draft.switch is None:
        raise BundleError(problems.sorted())
    return Configuration(
        path=folder,
        hash=_hash(texts),
        switch=draft.switch.entry,
        lines=_entries(draft.lines),
        hosts=_entries(draft.hosts),
        routes=_entries(draft.routes),
        file_codes=_entries(draft.file_codes),
        dialects=_entries(draft.dialects),
        follow_ups=_entries(draft.follow_ups),
        groups=_entries(draft.groups),
        agencies=_entries(draft.agencies),
        oris=_entries(draft.oris),
        stations=_entries(draft.stations),
        users=_entries(draft.users),
        policies=tuple(
            PolicyFile(name=name, text=text)
            for name, text in texts.items()
            if name.endswith(".cedar") or name in {WORDS_FILE, *SUBJECT_FILES}
        ),
        schema=texts[SCHEMA_FILE],
    )


def _read(folder: Path, problems: Problems) -> dict[str, str]:
    """Every file of the bundle by its name in the folder, sorted. Others are not the bundle's."""
    if not folder.is_dir():
        problems.add(str(folder), 0, Code.FILE, "there is no such folder")
        raise BundleError(problems.sorted())
    policies = sorted(path.name for path in folder.glob("policy/*.cedar"))
    if not policies:
        problems.add("policy", 0, Code.POLICY, "there is no .cedar file: nothing is permitted")
    optional = [name for name in (*OPTIONAL_FILES, *SUBJECT_FILES) if (folder / name).exists()]
    names = [*TOML_FILES, *optional, *CSV_FILES, SCHEMA_FILE, WORDS_FILE]
    names += [f"policy/{name}" for name in policies]
    texts: dict[str, str] = {}
    for name in sorted(names):
        try:
            # Universal newlines would change the bytes that the hash is of.
            texts[name] = (folder / name).read_bytes().decode("utf-8")
        except FileNotFoundError:
            code = Code.POLICY if name in {SCHEMA_FILE, WORDS_FILE} else Code.FILE
            problems.add(name, 0, code, "the file is missing")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            problems.add(name, line, Code.FILE, f"not UTF-8: {error.reason}")
        except OSError as error:
            problems.add(name, 0, Code.FILE, f"cannot be read: {error.strerror}")
    return texts


def _hash(texts: dict[str, str]) -> str:
    """SHA-256 over each file's name, length and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for name, text in texts.items():
        data = text.encode()
        digest.update(f"{name}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


def _switch(texts: dict[str, str], problems: Problems) -> Located[Switch] | None:
    text = texts.get("switch.toml")
    read = None if text is None else read_toml("switch.toml", text, problems)
    if read is None:
        return None
    raw, place = read
    entry = read_entry(Switch, raw, place, problems)
    return None if entry is None else Located(entry, place)


def _tables(
    kind: type[E], file: str, key: str, texts: dict[str, str], problems: Problems
) -> list[Located[E]]:
    text = texts.get(file)
    read = None if text is None else read_toml(file, text, problems)
    return [] if read is None else read_table_array(kind, read[0], key, read[1], problems)


def _routes(
    texts: dict[str, str], problems: Problems
) -> tuple[list[Located[Route]], list[Located[FileCode]]]:
    """Both kinds of tables in ``routes.toml``."""
    text = texts.get("routes.toml")
    read = None if text is None else read_toml("routes.toml", text, problems)
    if read is None:
        return [], []
    document, place = read
    codes = {"file_code": document.pop("file_code")} if "file_code" in document else {}
    return (
        read_table_array(Route, document, "route", place, problems),
        read_table_array(FileCode, codes, "file_code", place, problems),
    )


def _rows(kind: type[E], file: str, texts: dict[str, str], problems: Problems) -> list[Located[E]]:
    text = texts.get(file)
    return [] if text is None else read_rows(kind, file, text, problems)


def _entries(located: list[Located[E]]) -> tuple[E, ...]:
    return tuple(item.entry for item in located)
