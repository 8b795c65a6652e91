"""Two services of the Nlets switch itself: HELP files, and ORION, the directory of agencies.

CITE: Nlets guide, HELP and ORION sections, as its public pages give them. A HELP file ``xxyyy`` is
read, replaced, extended and cancelled by a message to a nine-character address: ``xxyyyHELP``,
``xxyyyUPDT``, ``xxyyyAPND``, ``xxyyyCNCL``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from clets_core.hosts.answering import Request

__all__ = ["HELP_VERBS", "ORION_KEYS", "ORION_MEMBER", "HelpFiles", "Orion"]

HELP_VERBS: Final = frozenset({"APND", "CNCL", "HELP", "UPDT"})
"""Last four characters of the address of a HELP file."""
ORION_KEYS: Final = frozenset({"TA", "TD", "TQ", "TU"})
ORION_MEMBER: Final = "OD"
"""The destination code of the directory."""

HELP_CHARACTERS_MAX: Final = 14_400
HELP_FILES_MAX: Final = 2_000
_NONE: Final = "NO INFORMATION"
_LEFT: Final = ("ORI", "DOC", "CAP", "RSN", "ATN", "PUR")


class HelpFiles:
    """The HELP files by their five characters."""

    def __init__(self, members: Iterable[str]) -> None:
        """Each member has one file to begin with, ``xxGEN``."""
        self._texts = {
            f"{member}GEN": f"{member} GENERAL INFORMATION\r\nSAMPLE DATA ONLY"
            for member in members
        }

    def answer(self, address: str, request: Request) -> str:
        """The text that the sender gets back."""
        name, verb = address[:5], address[5:]
        text = request.text.strip("\r\n\x7f")
        held = self._texts.get(name)
        if verb == "HELP":
            return held or f"HELP FILE {name}\r\n{_NONE}"
        if request.ori[:2] != name[:2]:
            return f"HELP FILE {name}\r\nREJECTED: THE FILE BELONGS TO {name[:2]}"
        if verb == "CNCL":
            # The file stays, as an end-of-text character, and readers are told there is nothing.
            self._texts[name] = ""
            return f"HELP FILE {name}\r\nCANCELLED"
        new = f"{held}\r\n{text}" if verb == "APND" and held else text
        full = name not in self._texts and len(self._texts) >= HELP_FILES_MAX
        if full or len(new) > HELP_CHARACTERS_MAX:
            return f"HELP FILE {name}\r\nREJECTED: TOO LONG"
        self._texts[name] = new
        return f"HELP FILE {name}\r\n{'APPENDED' if verb == 'APND' else 'UPDATED'}"


class Orion:
    """The directory: agencies by ORI, changed by their own state only."""

    def __init__(self, members: Iterable[str]) -> None:
        """Each member begins with its control point and one agency."""
        self._rows: dict[str, dict[str, str]] = {}
        for member in members:
            for ori, name in (("0000000", "CONTROL POINT"), ("0010000", "SAMPLE COUNTY SHERIFF")):
                self._rows[member + ori] = {
                    "NAM": f"{member} {name}",
                    "CTY": "SAMPLETON",
                    "PHO": "0005550100",
                }

    def answer(self, request: Request) -> str:
        """The text of the TR that answers a request."""
        ori = request.fields.get("ORI", "")
        row = self._rows.get(ori)
        if request.key == "TQ":
            return _shown(ori, row) if row else f"ORION\r\nORI/{ori}\r\nNO RECORD"
        if request.ori[:2] != ori[:2] or len(ori) != 9:
            return f"ORION\r\nORI/{ori}\r\nREJECTED: NOT A RECORD OF {request.ori[:2]}"
        if (request.key == "TA") == (row is not None):
            return f"ORION\r\nORI/{ori}\r\nREJECTED: {'ON FILE' if row else 'NOT ON FILE'}"
        if request.key == "TD":
            del self._rows[ori]
            return f"ORION\r\nORI/{ori}\r\nDELETED"
        changes = {code: it for code, it in request.fields.items() if code not in _LEFT}
        # Zeros blank a field.
        kept = {code: it for code, it in ((row or {}) | changes).items() if it.strip("0")}
        self._rows[ori] = kept
        return f"ORION\r\nORI/{ori}\r\n{'ADDED' if request.key == 'TA' else 'UPDATED'}"


def _shown(ori: str, row: dict[str, str]) -> str:
    fields = "\r\n".join(f"{code}/{value}" for code, value in row.items())
    return f"ORION\r\nORI/{ori}\r\n{fields}"
