"""The catalogue of message keys as people read it: rows, and ``docs/reference/messages.md``."""

from __future__ import annotations

from typing import Any, Final

from clets_core._core import message_keys

__all__ = ["COLUMNS", "messages_page", "rows"]

# What stands behind a CLETS destination code (CITE: California CLETS inquiry keys).
_SYSTEMS: Final = {
    "IA": "stolen vehicles and boats (SVS, ABS)",
    "IB": "restraining orders (CARPOS)",
    "ID": "DMV drivers",
    "IE": "wanted, restrained and missing persons together",
    "IG": "firearms (AFS)",
    "IH": "criminal history (ACHS)",
    "IJ": "files of NCIC only",
    "IL": "DMV occupational licences",
    "IM": "missing and unidentified persons (MUPS)",
    "IN": "DMV by name",
    "IO": "Oregon LEDS",
    "IP": "property (APS)",
    "IR": "supervised release (SRF)",
    "IV": "DMV vehicles",
    "IW": "wanted persons (WPS)",
    "IX": "sex and arson registrants (VCIN)",
    "IY": "armed and prohibited persons (APPS)",
    "NLTS": "Nlets, to the states and members that are named",
    "UM": "missing and unidentified persons (MUPS)",
}
# A key without a system belongs to the network that its source describes.
_NETWORKS: Final = (
    ("California CLETS inquiry keys, Canada", "Nlets, to Canada"),
    ("California CLETS", "mental health firearms prohibition (MHFPS)"),
    ("NCIC", "NCIC"),
    ("Nlets", "Nlets"),
    ("Oregon", "Oregon LEDS"),
    ("clets-core", "lines"),
)
COLUMNS: Final = (
    "key",
    "family",
    "action",
    "direction",
    "class",
    "precedence",
    "destinations",
    "replies",
    "title",
    "source",
)

_HEAD: Final = """\
# Message keys

<!-- Made by `make docs` from rust/wire/data/keys.csv. -->

Every key that the switch knows; `clets keys` prints the same. A key has its CLETS destination in
front, if it has one. *Direction* is seen from the agencies' lines. An answer of NCIC or of the
state's systems comes under the key of its inquiry; a key that no reply is named for has none.

Where each fact comes from: key, family, action, fields and replies from the row's source. The data
class is the project's own reading of the source, under which the policies judge the key
(`docs/reference/bundle.md`); precedence follows Nlets' order of service (status before hit
confirmation before inquiries, those of a region last); destinations are what the California inquiry
keys list behind a code, and routes of a bundle may add to them.
"""


def rows() -> list[dict[str, Any]]:
    """Every key, in the order of the table, with ``destinations`` in words."""
    return [
        row
        | {
            "name": ".".join(part for part in (row["system"], row["key"]) if part),
            "precedence": f"P{row['precedence']}",
            "destinations": _destination(row),
        }
        for row in message_keys()
    ]


def messages_page() -> str:
    """The text of ``docs/reference/messages.md``."""
    parts = [_HEAD]
    all_rows = rows()
    for family in sorted({row["family"] for row in all_rows}):
        of_family = [row for row in all_rows if row["family"] == family]
        parts.append(f"\n## {family}\n\n{_table(of_family)}")
    return "".join(parts)


def _table(found: list[dict[str, Any]]) -> str:
    head = (
        "| key | what | action | direction | data class | precedence | destinations | replies "
        "| must carry | source |\n|---|---|---|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(
        f"| {row['name']} | {row['title']} | {row['action']} | {row['direction']} "
        f"| {row['class']} | {row['precedence']} | {row['destinations']} "
        f"| {' '.join(row['replies'])} | {_required(row)} | {row['source']} |\n"
        for row in found
    )


def _required(row: dict[str, Any]) -> str:
    if row["text"]:
        return "text"
    return " or ".join(" + ".join(codes) for codes in row["required"])


def _destination(row: dict[str, Any]) -> str:
    if row["system"]:
        return _SYSTEMS[row["system"]]
    if row["direction"] == "from":
        return "lines"
    if row["class"] == "chi_iii":
        return "III"
    source = str(row["source"])
    return next(name for begin, name in _NETWORKS if source.startswith(begin))
