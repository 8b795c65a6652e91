"""``clets journal``: proving a journal, and reading it without what it holds of persons."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
import msgspec

from clets_core._core import journal_records, journal_verify
from clets_core.cli.terminal import console, counted, json_option, print_json, visible
from clets_core.errors import ClientCode, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

KINDS: Final = (
    "accepted", "refused", "outcomes", "line", "started", "stopped", "bundle", "service", "case",
    "user", "reserved", "order", "shed", "intercept",
)  # fmt: skip
POLL_SECONDS: Final = 0.25
# What is shown of a record besides number, time and kind. The user, the reference and the body
# are left out: a body is shown only on request, for it tells of persons.
SHOWN: Final = (
    "line",
    "station",
    "key",
    "effect",
    "code",
    "rules",
    "labels",
    "parent",
    "leg",
    "late",
    "event",
    "peer",
    "bundle",
    "version",
    "action",
    "message",
    "operator",
    "account",
    "to",
    "held_until_us",
    "until_us",
    "precedence",
    "clock_behind_us",
)


@click.group
def journal() -> None:
    """Prove or read a journal, or count its cases; also beside a running switch."""


@journal.command
@click.option(
    "--vkey",
    type=click.Path(path_type=Path),
    help="The verifier key as an auditor kept it; default: the one beside the journal.",
)
@json_option
@click.argument("directory", type=click.Path(path_type=Path))
def verify(vkey: Path | None, as_json: bool, directory: Path) -> None:
    """Prove the journal in DIRECTORY: each record, segment and signed checkpoint.

    Whoever could change the journal could change the key beside it too; keep a copy of
    checkpoint.vkey elsewhere, and name it with --vkey.
    """
    key = None
    if vkey is not None:
        try:
            key = vkey.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            text = f"`{vkey}`: expected a verifier key that can be read"
            raise ClientError(ClientCode.INPUT.number, text) from error
    found = journal_verify(directory, key)
    if as_json:
        print_json({"ok": True, "directory": str(directory), **found})
        return
    from rich.table import Table

    table = Table("of the journal", "found")
    for name, value in found.items():
        shown = f"{value:,}" if type(value) is int else str(value)
        table.add_row(name.replace("_", " "), visible(shown))
    console().print(table)
    click.echo(f"{visible(str(directory))}: every record, segment and checkpoint holds")


@journal.command
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, help="Only this kind.")
@click.option(
    "--smn",
    type=click.IntRange(min=0),
    help="Only what concerns the message of this number: itself, its replies, their outcomes.",
)
@click.option("--follow", is_flag=True, help="Go on with what is written until interrupted.")
@click.option("--body", is_flag=True, help="Show messages too. They hold personal data.")
@json_option
@click.argument("directory", type=click.Path(path_type=Path))
def show(
    kinds: tuple[str, ...],
    smn: int | None,
    follow: bool,
    body: bool,
    as_json: bool,
    directory: Path,
) -> None:
    """Print the records of the journal in DIRECTORY, one a line, oldest first.

    It does not lock the journal and may run beside the switch; it may then be ahead of the last
    group commit. `clets journal verify` is what proves records.
    """
    chosen = Chosen(frozenset(kinds), None if smn is None else {smn})
    records = journal_records(directory)
    try:
        while True:
            for row in chosen.of(records, body=body):
                if as_json:
                    print_json(row)
                else:
                    click.echo(as_line(row))
            if not follow:
                return
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        # What ends --follow is no failure.
        if not follow:
            raise


@journal.command
@click.option("--year", type=click.IntRange(1970, 9999), help="Only cases of this year.")
@click.option(
    "--time-zone",
    "zone_name",
    default="UTC",
    show_default=True,
    help="Whose year, such as America/Los_Angeles.",
)
@json_option
@click.argument("directory", type=click.Path(path_type=Path))
def cases(year: int | None, zone_name: str, as_json: bool, directory: Path) -> None:
    """Count what rules blocked or flagged in the journal in DIRECTORY: the yearly report.

    Counts are by ORI, rule and what became of the message; no user is named. A message on which
    several rules agree is one case, and counts for each of them.
    """
    zone = _zone(zone_name)
    found = Cases()
    for _, kind, time_us, packed in journal_records(directory):
        if kind == "case" and (year is None or _year(time_us, zone) == year):
            found.add(msgspec.msgpack.decode(packed))
    rows = sorted(found.counts.items())
    if as_json:
        columns = ("ori", "rule", "effect", "cases")
        counts = [dict(zip(columns, (*by, number), strict=True)) for by, number in rows]
        print_json({"year": year, "cases": found.cases, "counts": counts})
        return
    from rich.table import Table

    table = Table("ORI", "rule", "effect")
    table.add_column("cases", justify="right")
    for by, number in rows:
        table.add_row(*map(visible, by), f"{number:,}")
    if rows:
        console().print(table)
    click.echo(counted(found.cases, "case") + (f" in {year}" if year else ""))


@dataclass
class Cases:
    """Counts of cases by ORI, rule and effect; nobody is named in them."""

    cases: int = 0
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, content: dict[str, Any]) -> None:
        """Adds the record of a case."""
        self.cases += 1
        effect = content["effect"]
        self.counts.update((content["ori"], rule, effect) for rule in set(content["rules"]))


@dataclass
class Chosen:
    """Which records to show; ``messages`` grows by the replies to those that are in it."""

    kinds: frozenset[str] = field(default_factory=frozenset)
    messages: set[int] | None = None

    def of(
        self, records: Iterable[tuple[int, str, int, bytes]], *, body: bool = False
    ) -> Iterator[dict[str, Any]]:
        """The records chosen, as they are shown."""
        for number, kind, time_us, packed in records:
            content: dict[str, Any] = msgspec.msgpack.decode(packed)
            if self._takes(number, kind, content) and (not self.kinds or kind in self.kinds):
                yield as_row(number, kind, time_us, content, body=body)

    def _takes(self, number: int, kind: str, content: dict[str, Any]) -> bool:
        wanted = self.messages
        if wanted is None:
            return True
        if kind == "outcomes":
            content["items"] = [item for item in content["items"] if item[0] in wanted]
            return bool(content["items"])
        if kind == "order":
            content["moved"] = [it for it in content["moved"] if it["message"] in wanted]
            return bool(content["moved"])
        if kind in {"case", "intercept"}:
            return content["message"] in wanted
        if kind == "accepted" and content.get("parent") in wanted:
            wanted.add(number)
        return number in wanted


def as_row(
    number: int, kind: str, time_us: int, content: dict[str, Any], *, body: bool = False
) -> dict[str, Any]:
    """A record as JSON shows it; what is empty or does not apply is left out."""
    row: dict[str, Any] = {"number": number, "time": _moment(time_us), "kind": kind}
    for name in SHOWN:
        value = content.get(name)
        # A parent may have the number 0, and a leg is counted from it.
        if value or (value == 0 and name in {"parent", "leg"}):
            row[name] = value
    if "entries" in content:
        row["entries"] = [_entry(entry) for entry in content["entries"]]
    row |= _gathered(kind, content)
    if body and content.get("reason"):
        row["reason"] = content["reason"]
    if body and "body" in content:
        row["body"] = _text(content["body"])
    return row


def _gathered(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """What a record says of many things at once."""
    names: dict[str, tuple[str, tuple[str, ...]]] = {
        "outcomes": ("outcomes", ("smn", "entry", "outcome")),
        "reserved": ("reserved", ("line", "precedence", "sequence")),
        "shed": ("shed", ("line", "code", "precedence", "count")),
    }
    if kind == "order":
        return {"moved": content["moved"]} if content["moved"] else {}
    if kind not in names:
        return {}
    name, parts = names[kind]
    return {name: [dict(zip(parts, item, strict=True)) for item in content["items"]]}


def as_line(row: dict[str, Any]) -> str:
    """A record for people: number, time, kind, line, station, key, and what became of it."""
    head = f"{row['number']:>8} {row['time']} {row['kind']:<9}"
    names = (str(row.get(name, "")) for name in ("line", "station", "key"))
    parts = [head, *(f"{visible(name):<11}" for name in names), *map(visible, _remarks(row))]
    if "reason" in row:
        parts.append(f"\n{'':>9}{visible(row['reason'])}")
    if "body" in row:
        parts.append(f"\n{'':>9}{visible(row['body'])}")
    return " ".join(parts).rstrip()


def _remarks(row: dict[str, Any]) -> list[str]:
    forms: dict[str, Callable[[Any], str]] = {
        "event": str,
        "effect": str,
        "code": lambda code: f"E{code}",
        "rules": lambda rules: f"by {', '.join(rules)}",
        "action": lambda action: f"{action} {row.get('message', '')}".rstrip(),
        "operator": lambda operator: f"by {operator} ({row.get('account', '')})",
        "parent": lambda parent: f"for {parent}{' (late)' if row.get('late') else ''}",
        "entries": lambda entries: f"to {', '.join(map(_named, entries))}" if entries else "",
        "outcomes": lambda outcomes: ", ".join(map(_outcome, outcomes)),
        "moved": lambda moved: f"{len(moved)} entries to {row.get('to') or row.get('line', '')}",
        "reserved": lambda items: ", ".join(
            f"{it['line']} P{it['precedence']} to {it['sequence']}" for it in items
        ),
        "shed": lambda items: ", ".join(
            f"{it['count']} of P{it['precedence']} from {it['line']} E{it['code']}" for it in items
        ),
        "peer": lambda peer: f"peer {peer}",
        "version": lambda version: f"version {version}",
        "bundle": lambda bundle: f"bundle {bundle[:12]}",
    }
    return [form(row[name]) for name, form in forms.items() if name in row]


def _outcome(item: dict[str, Any]) -> str:
    return f"{item['smn']}.{item['entry']} {item['outcome']}"


def _named(entry: dict[str, Any]) -> str:
    return f"{entry['line']}/{entry['to']}" if entry["to"] else str(entry["line"])


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry without the reference and user that it carries."""
    (kind, target), *_ = entry["target"].items()
    to = target["mnemonic"] if kind == "station" else target["key"]
    return {
        "line": entry["line"],
        "to": to,
        "precedence": entry["precedence"],
        "sequence": entry["sequence"],
        "deadline": _moment(entry["deadline_us"]),
    }


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise click.UsageError(f"no time zone `{name}`") from error


def _year(time_us: int, zone: ZoneInfo) -> int:
    return datetime.fromtimestamp(time_us // 1_000_000, zone).year


def _moment(time_us: int) -> str:
    seconds, micros = divmod(time_us, 1_000_000)
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        # A deadline may be as far away as the number can hold.
        return str(time_us)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{micros // 1000:03d}Z"


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("latin-1")
