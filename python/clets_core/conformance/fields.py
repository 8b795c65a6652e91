"""Fields of the inquiries that the cases send. The people are synthetic."""

from __future__ import annotations

from typing import Final

__all__ = ["ASKED", "PERSON", "PURPOSE", "REASON"]

PERSON: Final = {"NAM": "SAMPLE,WALTER", "SEX": "M", "DOB": "19800101"}
REASON: Final = {"CAP": "C", "RSN": "CONFORMANCE TEST"}
PURPOSE: Final = {"CAP": "C", "PUR": "C", "ATN": "CONFORMANCE TEST", "OCA": "26-1970"}
ASKED: Final = {
    "IV.4A": {"LIC": "1ABC234", "LIS": "CA", **REASON},
    "IH.QHA": {**PERSON, **PURPOSE},
}
