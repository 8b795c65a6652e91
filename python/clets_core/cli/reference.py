"""Pages of the reference that are made from code: ``python -m clets_core.cli.reference [FILE …]``.

Prints ``docs/reference/errors.md``, or writes each FILE, whose name says which page it is.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final, NamedTuple

from clets_core._core import error_codes
from clets_core.cli.catalogue import messages_page
from clets_core.cli.rulebook import policy_page
from clets_core.config.problem import Code
from clets_core.errors import ClientCode

__all__ = ["PAGES", "Row", "errors_page", "rows"]


class Row(NamedTuple):
    """One numbered error: a short name, and what must hold."""

    number: int
    name: str
    rule: str


_CLASSES: Final = (
    (1, "Framing", "FrameError", "Bytes of a line are no frame; the connection ends."),
    (2, "Decoding", "DecodeError, RefusedError", "A message cannot be understood."),
    (3, "Identity", "RefusedError", "A header claims what the line may not claim."),
    (4, "Policy", "RefusedError", "A rule refuses, and is named with its law."),
    (5, "Routing and delivery", "RefusedError", "A message cannot be brought to its destination."),
    (6, "Journal", "JournalError", "The journal cannot be written, read or trusted."),
    (7, "Bundle", "BundleError", "The bundle cannot be used; all its problems are told at once."),
    (8, "Session", "SessionError, CletsError", "A line's session cannot begin or must end."),
    (9, "Client and command line", "ClientError", "Client or command were used wrongly."),
)

_HEAD: Final = """\
# Numbered errors

<!-- Made by `make docs` from the tables in the code. -->

Every refusal and every failure has a number, shown as `E101`: in REJECT frames and REJ messages,
in exceptions (`error.code`) and in the journal. A number never changes its meaning. The sentence
says what must hold; the error says that it did not.
"""


def rows() -> list[Row]:
    """Every numbered error of both languages, in order of number."""
    found = [Row(*code) for code in error_codes()]
    found += [Row(code.number, code.name.lower().replace("_", " "), code.rule) for code in Code]
    found += [Row(code.number, code.title, code.expected) for code in ClientCode]
    return sorted(found)


def errors_page() -> str:
    """The text of ``docs/reference/errors.md``."""
    all_rows = rows()
    parts = [_HEAD]
    for hundred, title, classes, meaning in _CLASSES:
        table = [
            f"| E{row.number} | {row.name} | {row.rule} |"
            for row in all_rows
            if row.number // 100 == hundred
        ]
        head = [f"\n## {hundred}xx: {title}", "", f"{meaning} In Python: `{classes}`.", ""]
        if table:
            head += ["| number | name | what must hold |", "|---|---|---|"]
        parts.append("\n".join([*head, *table]) + "\n")
    return "".join(parts)


# Pages by the name of their file.
PAGES: Final = {
    "errors.md": errors_page,
    "messages.md": messages_page,
    "policy.md": policy_page,
}


def main(arguments: list[str]) -> None:
    """Prints the page of errors, or writes the pages that are named."""
    for name in arguments:
        path = Path(name)
        path.write_text(PAGES[path.name](), encoding="utf-8")
    if not arguments:
        sys.stdout.write(errors_page())


if __name__ == "__main__":
    main(sys.argv[1:])
