"""The tables of ``tests/vectors``: each message, the decision on it and the rules that decided."""

from __future__ import annotations

import csv
import io
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from clets_core import Bundle, decode, load_bundle
from clets_core.cli.decide import dialect_of
from clets_core.cli.rulebook import rules
from clets_core.sample import write_california

if TYPE_CHECKING:
    from datetime import datetime

    from clets_core import Verdict

HERE: Final = Path(__file__).parents[1] / "vectors"
REFUSALS: Final = {"block", "reject"}

# Rules that no vector can name, and why.
NEVER_NAMED: Final = {
    "A-17": "it needs two messages: `rust/switch/src/habits.rs`",
    "D-18": "it needs twenty messages: `rust/switch/tests/engine/misuse.rs`",
    "I-03.2": "a permit; what it permits is flagged by I-03.3, which alone is named",
    "I-05": "a permit; what it permits is flagged by I-03.3, which alone is named",
    "I-12.2": "a permit; what it permits is flagged by I-12.3, which alone is named",
    "I-13.1": "a permit; what it permits is labelled by I-13.2, which alone is named",
}


TABLES: Final[dict[str, dict[str, Any]]] = {
    path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(HERE.glob("*.toml"))
}
BASE: Final = TABLES.pop("base")


@dataclass(frozen=True, kw_only=True)
class Vector:
    """One row. ``message`` is the key and what follows the ORI; of a host, the text as it comes."""

    id: str
    what: str
    message: str
    sender: str = ""
    line: str = ""
    station: str = ""
    user: str | None = None
    ori: str = ""
    at: datetime = BASE["at"]
    effect: str = "allow"
    code: int = 0
    rules: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    differs: str = ""
    """Why the engine answers otherwise than the rule's words say, where it does."""

    def where(self) -> str:
        return self.line or str(BASE["senders"][self.sender]["line"])

    def text(self) -> bytes:
        if not self.sender:
            return self.message.encode()
        header = BASE["senders"][self.sender]
        station, ori = self.station or header["station"], self.ori or header["ori"]
        user = header["user"] if self.user is None else self.user
        key, _, rest = self.message.partition(" ")
        return f"{station}.R1.{user}.{key}.{ori}.{rest}".encode()


VECTORS: Final = [Vector(**row) for table in TABLES.values() for row in table["vector"]]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("vectors")
    write_california(folder)
    for name, rows in BASE["changes"].items():
        change(folder / name, rows)
    return load_bundle(folder)


def change(path: Path, changes: dict[str, dict[str, str]]) -> None:
    """Writes columns of the rows that the first column names; a new row is like the first."""
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
    key = next(iter(rows[0]))
    by_key = {row[key]: row for row in rows}
    for name, columns in changes.items():
        assert columns.keys() <= rows[0].keys(), name
        by_key[name] = {**by_key.get(name, rows[0]), key: name, **columns}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(by_key.values())


def decide(bundle: Bundle, vector: Vector) -> Verdict:
    message = decode(vector.text(), dialect_of(bundle.configuration, vector.where()))
    return bundle.decide(message, line=vector.where(), at=vector.at)


@pytest.mark.parametrize(
    "vector",
    [
        pytest.param(it, id=it.id, marks=[pytest.mark.xfail(reason=it.differs)] * bool(it.differs))
        for it in VECTORS
    ],
)
def test_vector(bundle: Bundle, vector: Vector) -> None:
    verdict = decide(bundle, vector)
    code = verdict.code if verdict.effect in REFUSALS else 0
    found = (verdict.effect, code, sorted(verdict.rules), list(verdict.labels))
    expected = (vector.effect, vector.code, vector.rules, vector.labels)
    assert found == expected, f"{vector.what}\n{verdict.explanation}"


def test_what_is_held_has_no_number(bundle: Bundle) -> None:
    held = next(vector for vector in VECTORS if vector.id == "B-04.2")
    assert decide(bundle, held).code == 0


def test_ids_are_unique() -> None:
    ids = [vector.id for vector in VECTORS]
    assert len(ids) == len(set(ids))


def test_every_rule_decides_a_vector() -> None:
    known = {name for name, *_ in rules()}
    named = {rule for vector in VECTORS if not vector.differs for rule in vector.rules}
    assert named <= known
    assert known - named == NEVER_NAMED.keys()
