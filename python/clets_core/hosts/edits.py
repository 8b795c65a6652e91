"""The edits of fields: what a destination system refuses before it looks anything up.

CITE: NCIC field edits (widths as in the public California key lists and the NCIC field glossary).
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["faulty_field"]

_DATES: Final = frozenset({"DCL", "DLC", "DOB", "DOC", "DOR", "DOT", "DOW", "EXP", "ISD"})
_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    code: re.compile(form)
    for code, form in {
        "BHN": r"[A-Z0-9]{1,20}",
        "CAL": r"[A-Z0-9]{1,4}",
        "CII": r"[A-Z0-9]{8,11}",
        "FBI": r"[A-Z0-9]{1,9}",
        "FCN": r"[A-Z0-9]{13}",
        "LIC": r"[A-Z0-9]{1,10}",
        "LIS": r"[A-Z]{2}",
        "LIY": r"\d{4}|NX",
        "NAM": r"[A-Z][A-Z ,.'&-]{2,34}",
        "NIC": r"[A-Z]\d{9}|NONE",
        "OCA": r"[ -~]{1,20}",
        "OLN": r"[A-Z0-9]{1,20}",
        "OLS": r"[A-Z]{2}",
        "RAC": r"[ABIUW]",
        "REG": r"[A-Z0-9]{1,8}",
        "SER": r"[A-Z0-9]{1,20}",
        "SEX": r"[FMUX]",
        "SID": r"[A-Z0-9]{3,10}",
        "SOC": r"\d{9}",
        "VIN": r"[A-Z0-9]{1,20}",
        "VYR": r"\d{4}",
    }.items()
}


def faulty_field(fields: Mapping[str, str]) -> str | None:
    """The code of the first field with a value that its edit refuses."""
    for code, value in fields.items():
        form = _FORMS.get(code)
        if form is not None and form.fullmatch(value) is None:
            return code
        if code in _DATES and not _is_date(value):
            return code
    return None


def _is_date(value: str) -> bool:
    if re.fullmatch(r"\d{8}", value) is None:
        return False
    try:
        date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        return False
    return True
