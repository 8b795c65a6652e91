"""Parsing and policy alone, in one process: who judges batches of the same messages, and how fast.

All but clets-core have the same parser and look-ups in Python in front, and the same four rules:
the ORI is one of the line's, the person is a cleared and trained user of the ORI's agency, the
message key is one that agencies of its class may send, and an inquiry says its reason.
"""

from __future__ import annotations

import csv
import re
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

from bench.peers.packages import lacking, module

import clets_core

BUNDLE = Path(__file__).resolve().parents[2] / "examples" / "california"
LINE = "msc-01"
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
BATCH = 256
PLATE = (
    "M0010003.{:010}.U000031.IV.4A.CA0010100.LIC/1ABC234.LIS/CA.LIY/2027.LIT/PC.CAP/C."
    "RSN/TRAFFIC STOP.OCA/26-000104"
)
BROKEN = (
    ("U000031", "U999999"),
    ("U000031", "U000001"),
    ("CA0010100", "CA0190000"),
    (".RSN/TRAFFIC STOP", ""),
)
"""Each of the four is wrong in one message of sixteen."""
PASSES = frozenset({"allow", "label", "flag"})
PERMITTED = {"ca_lea": ["AM", "IV", "4A", "QV", "QW"], "ncja": ["AM"], "private": []}
HEADER = re.compile(
    r"(?P<station>\w{8})\.(?P<reference>\w{1,10})\.(?P<user>\w{7})\.(?P<to>\w+)"
    r"\.(?P<key>\w{1,4})\.(?P<ori>\w{9})\.?"
)
CEDAR = """
permit (principal, action, resource);
forbid (principal, action, resource) unless { context.ori_line == context.line };
forbid (principal, action, resource) unless {
    context.user_agency == context.agency && context.active && context.cleared && context.trained
};
forbid (principal, action, resource) unless { context.permitted.contains(context.key) };
forbid (principal, action, resource) unless { context.reason };
"""
REGO = """
package peers
default allow := false
allow if {
    input.ori_line == input.line
    input.user_agency == input.agency
    input.active
    input.cleared
    input.trained
    input.key in input.permitted
    input.reason
}
"""


class Judge(Protocol):
    """Says of each message whether it may pass."""

    name: str

    def lacks(self) -> str | None:
        """What is missing here for it to run."""

    def ready(self) -> None:
        """Loads its rules, which is not measured."""

    def judge(self, batch: list[bytes]) -> list[bool]:
        """Parses and judges each."""


def messages() -> tuple[list[bytes], list[bool]]:
    """A batch, and which of it may pass."""
    texts = [PLATE.format(number) for number in range(BATCH)]
    passes = [number % 16 >= len(BROKEN) for number in range(BATCH)]
    for number, text in enumerate(texts):
        if not passes[number]:
            texts[number] = text.replace(*BROKEN[number % 16])
    return [text.encode() for text in texts], passes


def per_second(judge: Judge, seconds: float) -> float:
    """Whole batches for so long; each must be judged rightly."""
    batch, passes = messages()
    begun, count = time.perf_counter(), 0
    while (spent := time.perf_counter() - begun) < seconds:
        assert judge.judge(batch) == passes, "it judged wrongly"
        count += len(batch)
    return count / spent


class Clets:
    """The embedded surface, under all rules of the sample bundle."""

    name = "clets-core"

    def lacks(self) -> str | None:
        return None

    def ready(self) -> None:
        self._bundle = clets_core.load_bundle(BUNDLE)

    def judge(self, batch: list[bytes]) -> list[bool]:
        effects = self._bundle.effects(batch, line=LINE, at=NOON)
        return [it in PASSES for it in effects]


def _rows(name: str, key: str) -> dict[str, dict[str, str]]:
    with (BUNDLE / name).open(newline="") as file:
        return {row[key]: row for row in csv.DictReader(file)}


class Facts:
    """The parser, and the tables of who is who."""

    def __init__(self) -> None:
        stations = _rows("stations.csv", "mnemonic")
        self._line_of_ori = {row["ori"]: row["line"] for row in stations.values()}
        self._oris = _rows("oris.csv", "ori")
        self._classes = {code: row["class"] for code, row in _rows("agencies.csv", "code").items()}
        self._users = {
            name: {
                "user_agency": row["agency"],
                "active": row["standing"] == "active",
                "cleared": row["cleared"] == "true",
                "trained": date.fromisoformat(row["training_to"]) >= NOON.date(),
            }
            for name, row in _rows("users.csv", "id").items()
            if row["training_to"]
        }
        self._stranger = {"user_agency": "", "active": False, "cleared": False, "trained": False}

    def of(self, data: bytes) -> dict[str, Any]:
        text = data.decode("ascii")
        header = HEADER.match(text)
        assert header is not None
        fields = dict(it.split("/", 1) for it in text[header.end() :].split("."))
        agency = self._oris[header["ori"]]["agency"] if header["ori"] in self._oris else ""
        return {
            **self._users.get(header["user"], self._stranger),
            "agency": agency,
            "key": header["key"],
            "line": LINE,
            "ori_line": self._line_of_ori.get(header["ori"], ""),
            "permitted": PERMITTED.get(self._classes.get(agency, ""), []),
            "reason": bool(fields.get("RSN")),
        }


class Python:
    """A regular expression, dictionaries and ifs."""

    name = "pure Python, 4 rules"

    def lacks(self) -> str | None:
        return None

    def ready(self) -> None:
        self._facts = Facts()

    def judge(self, batch: list[bytes]) -> list[bool]:
        return [_may_pass(self._facts.of(it)) for it in batch]


def _may_pass(facts: dict[str, Any]) -> bool:
    if facts["ori_line"] != facts["line"]:
        return False
    if facts["user_agency"] != facts["agency"]:
        return False
    if not (facts["active"] and facts["cleared"] and facts["trained"]):
        return False
    return facts["key"] in facts["permitted"] and facts["reason"]


class Cedar:
    """Policies and entities are parsed once; facts come as context."""

    name = "cedarpy, 4 rules"

    def lacks(self) -> str | None:
        return lacking(modules=("cedarpy",))

    def ready(self) -> None:
        cedarpy = module("cedarpy")
        self._facts = Facts()
        self._decide = cedarpy.is_authorized_batch
        self._policies = cedarpy.PolicySet.from_str(CEDAR)
        self._entities = cedarpy.Entities.from_json_str("[]")
        self._who = {
            "principal": {"type": "Line", "id": LINE},
            "action": {"type": "Action", "id": "send"},
            "resource": {"type": "Message", "id": "one"},
        }

    def judge(self, batch: list[bytes]) -> list[bool]:
        asked = [{**self._who, "context": self._facts.of(it)} for it in batch]
        return [it.allowed for it in self._decide(asked, self._policies, self._entities)]


class Rego:
    """The rule is compiled once; facts come as input, one query for each message."""

    name = "regopy, 4 rules"

    def lacks(self) -> str | None:
        return lacking(modules=("regopy",))

    def ready(self) -> None:
        self._facts = Facts()
        self._rego = module("regopy").Interpreter()
        self._rego.add_module("peers", REGO)
        self._rules = self._rego.build(None, ["peers/allow"])

    def judge(self, batch: list[bytes]) -> list[bool]:
        return [self._allows(self._facts.of(it)) for it in batch]

    def _allows(self, facts: dict[str, Any]) -> bool:
        self._rego.set_input(facts)
        answer = self._rego.query_bundle_entrypoint(self._rules, "peers/allow")
        return bool(answer.results[0].expressions[0])


JUDGES: tuple[Judge, ...] = (Clets(), Python(), Cedar(), Rego())
