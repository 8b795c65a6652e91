"""``docs/reference/policy.md``: the rules of the sample state, and those it cannot decide."""

from __future__ import annotations

from importlib import resources
from typing import Final

from clets_core._core import policy_rules

__all__ = ["ELSEWHERE", "FAMILIES", "policy_page", "rules"]

FAMILIES: Final = {
    "A": "Access, identity, stations, training",
    "B": "Administrative messages and broadcasts",
    "C": "Criminal history",
    "D": "Misuse",
    "I": "Immigration",
    "M": "Records that are for tests",
    "S": "Files of the state and the nation",
}

# Rules that this bundle does not decide, and where they are.
ELSEWHERE: Final = {
    "A-04": "rule A-05: the state assigns a mnemonic elsewhere only under a placement agreement",
    "A-16": "rules C-01 and I-10: purpose, reason and person are what a switch can see of the need",
    "A-20": "operations: the links' uptime is reported, not decided on a message",
    "A-21": "the agency: a switch does not see a terminal's room",
    "A-22": "lines: the connection is refused before there is a message",
    "A-23": "operations: a vacant office is reported, not decided on a message",
    "B-12": "the recipient: a switch does not see what is passed on",
    "B-14": "`rust/switch`: an ER of Nlets is the outcome of its inquiry",
    "B-15": "`rust/switch/data/traits.csv`: an alert reaches everyone, first",
    "C-03": "rule C-01: authority is the ORI's and the agency's",
    "C-04": "a court: the offense lies outside the switch",
    "C-05": "a court: the offense lies outside the switch",
    "C-06": "a court: the offense lies outside the switch",
    "C-07": "a court: the offense lies outside the switch",
    "C-08": "the agency: a switch does not see secondary dissemination",
    "C-09": "the journal: it has every recipient",
    "C-11": "rules D-01 and D-05",
    "D-02": "the journal's analysis: not on the way of a message",
    "D-03": "the journal's analysis: not on the way of a message",
    "D-04": "the journal's analysis: not on the way of a message",
    "D-06": "the journal's analysis: it needs a day of messages",
    "D-07": "the journal's analysis: it needs a month of messages",
    "D-08": "the journal's analysis: shifts are not in the bundle",
    "D-09": "the journal's analysis: it needs a month of messages",
    "D-10": "the journal's analysis: it needs two months of messages",
    "D-12": "rules C-01.3 and I-10: a reason or person that says nothing",
    "D-14": "the journal's analysis: field events are not in the bundle",
    "D-15": "the journal's analysis: it needs weeks of messages",
    "D-19": "rule A-17",
    "D-21": "the journal's analysis, as I-16",
    "I-11": "`rust/wire/data/edits.csv`: what an IAQ must hold",
    "I-16": "the journal's analysis: it needs messages of an hour",
    "I-17": "task forces are a kind of agency; the yearly count is the journal's",
    "I-20": "the journal's report: `clets journal cases`",
    "M-10": "the journal's reader: a search is no message; who may read is the machine's to say",
    "X-04": "rule I-01: a blocked message is journalled with its rule",
    "X-05": "the journal's report: `clets journal cases`; what became of a person is the agency's",
}

_HEAD: Final = """\
# Rules

<!-- Made by `make docs` from the sample's policies and `clets_core/cli/rulebook.py`. -->

The rules of the sample state, `examples/california/policy`: Cedar files that the switch reads as
they are. A rule looks at facts only; words become a topic first, by `words.csv`. The most
restrictive effect wins: block, reject, hold, redact, flag, label, allow. What no rule permits is
refused (E401). Of a block its sender is told the number and nothing of the rule.
"""


def rules() -> list[tuple[str, str, int, str, str, str, str]]:
    """Every rule of the packaged sample: id, effect, code, text, citation, first and last day."""
    with resources.as_file(resources.files("clets_core.sample") / "policy") as folder:
        files = [
            (path.name, path.read_text("utf-8"))
            for path in sorted(folder.iterdir())
            if path.suffix in {".cedar", ".csv", ".key"}
        ]
        schema = (folder / "schema.cedarschema").read_text("utf-8")
    return policy_rules(files, schema)


def policy_page() -> str:
    """The text of ``docs/reference/policy.md``."""
    parts = [_HEAD]
    found = rules()
    for letter, title in FAMILIES.items():
        parts.append(f"\n## {letter}: {title}\n\n| rule | effect | what it says | law | days |\n")
        parts.append("|---|---|---|---|---|\n")
        for name, effect, code, text, cite, first, last in found:
            if name[0] == letter:
                number = f" E{code}" if code else ""
                days = f"{first} to {last}" if last else f"from {first}"
                parts.append(f"| {name} | {effect}{number} | {text} | {cite} | {days} |\n")
    parts.append("\n## Not decided here\n\n| rule | where, or why not |\n|---|---|\n")
    parts += [f"| {name} | {why} |\n" for name, why in ELSEWHERE.items()]
    return "".join(parts)
