"""``clets policy``: what an officer asks before rules are put in force."""

from __future__ import annotations

import csv
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from clets_core.cli import subjects
from clets_core.cli.check import located, tell_problems
from clets_core.cli.terminal import console, counted, json_option, print_json, visible
from clets_core.errors import BundleError, ClientCode, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clets_core.cli.coverage import Rule
    from clets_core.cli.replay import Change, Replay
    from clets_core.cli.vectors import Outcome, Tables, Vector
    from clets_core.config.bundle import Bundle

FAILED: Final = 1
DIFFERS: Final = 3
_folder = click.Path(path_type=Path)


@click.group
def policy() -> None:
    """Check rules, compare them with others, and list whose records they protect."""


class Finding(NamedTuple):
    """What is wrong with a rule or vector, and where it stands."""

    file: str
    row: int
    id: str
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.row}" if self.row else self.file
        return f"{place}: `{self.id}`: {self.text}"


@policy.command
@click.option("--vectors", "tables", type=_folder, help="Folder of vectors that BUNDLE must meet.")
@json_option
@click.argument("bundle", type=_folder)
@click.pass_context
def check(context: click.Context, tables: Path | None, as_json: bool, bundle: Path) -> None:
    """Check the rules of BUNDLE, and tell which refuse the same.

    A bundle that cannot be loaded is told as `clets check` tells it. Then each rule is searched
    for a situation in which it decides; that takes seconds. With --vectors each vector must come
    out as it says, and each rule must be determined by one or excused in base.toml. What is found
    wanting is told as FILE:LINE: id: sentence, and the exit code is then 1.
    """
    from clets_core.cli.coverage import overlaps, rules
    from clets_core.cli.vectors import prepared, read_tables
    from clets_core.config.bundle import load_bundle

    try:
        loaded = load_bundle(bundle)
    except BundleError as error:
        tell_problems(bundle, error, as_json=as_json)
        context.exit(FAILED)
    vectors = None if tables is None else read_tables(tables)
    ready = None if vectors is None else prepared(bundle, vectors)
    found = rules(loaded, datetime.now(UTC))
    files = len({rule.file for rule in found})
    wanting = [
        _of_rule(bundle, rule, "no situation was found in which it decides")
        for rule in found
        if not rule.has_example
    ]
    run = _run(ready, vectors, found) if ready and vectors else None
    if run:
        wanting += _amiss(run)
        wanting += [_of_rule(bundle, rule, "no vector determines it") for rule in run.undetermined]
    beside = overlaps(found)
    if as_json:
        told = {"ok": not wanting, "bundle": str(bundle), "hash": loaded.hash}
        told |= {"rules": len(found), "files": files}
        told["vectors"] = None if run is None else run.counts()
        print_json({**told, "findings": [it._asdict() for it in wanting], "overlaps": beside})
    else:
        _print_check(f"{counted(len(found), 'rule')} in {counted(files, 'file')}", beside)
        if run:
            click.echo(run)
        for finding in wanting:
            click.echo(visible(str(finding)))
        click.echo(f"{visible(str(bundle))}: {counted(len(wanting), 'finding')}")
    if wanting:
        context.exit(FAILED)


def _print_check(counts: str, beside: dict[str, list[str]]) -> None:
    from rich.table import Table

    table = Table("refusal", "also refused by")
    for name, others in beside.items():
        table.add_row(name, ", ".join(others))
    if beside:
        console().print(table)
    click.echo(counts)


def _of_rule(bundle: Path, rule: Rule, text: str) -> Finding:
    return Finding(str(bundle / rule.file), rule.row, rule.id, text)


class _Run(NamedTuple):
    """What came of the vectors of a folder."""

    tables: Tables
    outcomes: dict[Vector, Outcome]
    undetermined: list[Rule]
    """Rules that no vector determines and none excuses."""
    stale: list[str]
    """Rules that are excused for nothing."""

    def counts(self) -> dict[str, object]:
        differing = [vector.id for vector in self.outcomes if vector.differs]
        run = len(self.outcomes)
        return {"run": run, "differing": differing, "excused": self.tables.untested}

    def __str__(self) -> str:
        text = counted(len(self.outcomes), "vector")
        if differing := sum(bool(vector.differs) for vector in self.outcomes):
            text += f", {differing} of which differ for a reason that they give"
        if self.tables.untested:
            text += f"; excused from them: {', '.join(sorted(self.tables.untested))}"
        return text


def _run(bundle: Bundle, tables: Tables, found: list[Rule]) -> _Run:
    from clets_core.cli.coverage import undetermined
    from clets_core.cli.vectors import outcome

    outcomes = {vector: outcome(bundle, vector) for vector in tables.vectors}
    left = undetermined(bundle, found, outcomes)
    stale = sorted(tables.untested.keys() - {rule.id for rule in left})
    left = [rule for rule in left if rule.id not in tables.untested]
    return _Run(tables, outcomes, left, stale)


def _amiss(run: _Run) -> Iterator[Finding]:
    """The vectors that do not come out as they say, and what is excused for nothing."""
    for vector, came in run.outcomes.items():
        text = ""
        if vector.differs:
            text = "said to differ, but comes out as expected" if came == vector.expected else ""
        elif came != vector.expected:
            text = f"expected {vector.expected}; found {came}"
        if text:
            yield Finding(vector.file, vector.row, vector.id, text)
    for name in run.stale:
        text = "excused, but determined by a vector or no rule at all"
        yield Finding(run.tables.base, 0, name, text)


@policy.command
@click.option("--journal", type=_folder, required=True, help="Journal whose messages are judged.")
@json_option
@click.argument("old", type=_folder)
@click.argument("new", type=_folder)
@click.pass_context
def diff(context: click.Context, journal: Path, as_json: bool, old: Path, new: Path) -> None:
    """Tell what the bundle NEW decides otherwise than OLD on journalled messages.

    Each message that an agency or a host sent is judged by both as of its own time; each bundle
    must have its line. Rules on several messages together are not replayed. Counts are by rule and
    by ORI, or by line where neither bundle has the ORI. --json prints an object for each message
    that differs, without its text, and then the counts. Exit code 3: one or more messages are
    newly refused, held, redacted or permitted.
    """
    from clets_core._core import journal_records
    from clets_core.cli.replay import Replay

    replay = Replay(_load(old), _load(new))
    for change in replay.of(journal_records(journal)):
        if as_json:
            print_json(_change(change))
    if as_json:
        print_json(_counts(replay))
    else:
        _print_diff(replay)
    if replay.changes_fates:
        context.exit(DIFFERS)


def _load(path: Path) -> Bundle:
    """Loads one of two bundles; its problems say which of them they are of."""
    from clets_core.config.bundle import load_bundle

    try:
        return load_bundle(path)
    except BundleError as error:
        raise BundleError(located(path, problem) for problem in error.problems) from error


def _change(change: Change) -> dict[str, object]:
    told = {name: getattr(change, name) for name in ("number", "line", "key", "ori")}
    return {
        **told,
        "change": change.kind,
        "old": change.old._asdict(),
        "new": change.new._asdict(),
    }


def _counts(replay: Replay) -> dict[str, object]:
    return {
        "messages": replay.messages,
        "unreadable": replay.unreadable,
        "unruled": replay.unruled,
        "changes": {
            kind: {
                "messages": tally.messages,
                "rules": dict(tally.rules.most_common()),
                "agencies": dict(tally.agencies.most_common()),
            }
            for kind, tally in replay.tallies.items()
        },
    }


def _print_diff(replay: Replay) -> None:
    from rich.table import Table

    from clets_core.cli.replay import CHANGES

    for kind, tally in replay.tallies.items():
        click.echo(f"{CHANGES[kind]}: {counted(tally.messages, 'message')}")
        for title, counts in (("rule", tally.rules), ("agency", tally.agencies)):
            if not counts:
                continue
            table = Table(title)
            table.add_column("messages", justify="right")
            for name, number in counts.most_common():
                table.add_row(visible(name), f"{number:,}")
            console().print(table)
    click.echo(
        f"of {counted(replay.messages, 'message')}; {replay.unruled} refused by both before any "
        f"rule, {replay.unreadable} more could not be read"
    )


@policy.command
@click.option(
    "--key", "key_file", type=_folder, required=True, help="File of the key, `subjects.key`."
)
@click.option("--user", default="", help="Whose own record it is; for the list `own` only.")
@click.option("--cite", required=True, help="Why the record is listed, such as its law.")
@json_option
@click.argument("listed", metavar="LIST", type=click.Choice(subjects.LISTS))
@click.argument("fields", metavar="FIELD=VALUE...", nargs=-1, required=True)
def digest(
    key_file: Path, user: str, cite: str, as_json: bool, listed: str, fields: tuple[str, ...]
) -> None:
    """Print rows of policy/subjects.csv, which list records without naming anybody.

    LIST is own, confidential, watched or test. Each number gives a row, such as VIN=..., and so
    does NAM=LAST,FIRST, which wants DOB=ccyymmdd. LIS= says which state gave a LIC, OLS= an OLN and
    RES= a REG; it is CA unless given. What is printed has none of these values in it.
    """
    if (listed == "own") != bool(user):
        raise click.UsageError("`own` wants --user, and no other list takes it")
    if user and not (user.isalnum() and user.isascii()):
        raise click.UsageError("--user: expected the letters and digits of a user's id")
    if not cite.strip():
        raise click.UsageError("--cite: expected why the record is listed")
    try:
        found = subjects.identifiers(fields)
        if listed == "own":
            # Or a user would ask for their own name and leave the date of birth out.
            found += [one._replace(beside="") for one in found if one.code == subjects.NAME]
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    try:
        key = key_file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        text = f"`{key_file}`: expected the key of digests, as a file that can be read"
        raise ClientError(ClientCode.INPUT.number, text) from error
    rows = [(listed, subjects.digest(key, one, user), cite) for one in found]
    if as_json:
        for row in rows:
            print_json(dict(zip(subjects.COLUMNS, row, strict=True)))
    else:
        csv.writer(sys.stdout, lineterminator="\n").writerows(rows)
