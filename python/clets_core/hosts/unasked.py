"""What systems say without having been asked, as a table: status, errors, NCIC's ``$.`` messages.

CITE: Nlets guide, SM and ER sections; NCIC's tags by the public descriptions of them. The words
are this simulation's own, after the shapes those sources describe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KINDS", "Kind", "text_of"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of message. ``key`` is its message key, ``text`` has blanks in braces."""

    key: str
    text: str


_ERRORS: Final[Mapping[str, str]] = {
    "0": "FORMAT ERROR",
    "1": ".01. INVALID HEADER",
    "2": ".02. MESSAGE TYPE NOT ALLOWED TO DESTINATION",
    "3": ".03. TXT NOT FOUND",
    "5": ".05. DOB INVALID OR MISSING",
    "6": ".06. FORMAT WRONG FOR CANADA",
    "10": ".10. YEAR FIELD INVALID OR MISSING",
    "14": ".14. FIELDS MISSING",
    "16": ".16. ATN INVALID",
    "19": ".19. INVALID DESTINATION ORIS",
    "22": ".22. INVALID FORMAT",
}

KINDS: Final[Mapping[str, Kind]] = {
    "SM-OUT": Kind("SM", "{member} TEMPORARILY OUT OF SERVICE UNTIL {until}"),
    "SM-IN": Kind("SM", "{member} IN SERVICE"),
    "SM-01": Kind("SM", ".01. {member} DOES NOT TAKE {mke}. MESSAGE WILL NOT BE FORWARDED"),
    "SM-02": Kind("SM", ".02. {member} OUT OF SERVICE. MESSAGE WILL BE FORWARDED"),
    "SM-04": Kind(
        "SM",
        ".04. {member} ON REMOVE STATUS FOR {mke}. MESSAGE WILL NOT BE FORWARDED. RESEND LATER",
    ),
    **{
        f"ER-{number}": Kind("ER", f"{text}\r\nORIGINAL MESSAGE\r\n{{original}}")
        for number, text in _ERRORS.items()
    },
    "$.H.": Kind("AM", "$.H. DELAYED INQUIRY HIT NIC/{nic} OCA/{oca}"),
    "$.8.": Kind("AM", "$.8. VEHICLE OF A PERSON RECORD NIC/{nic} LIC/{lic}"),
    "$.K.": Kind("AM", "$.K. RECORD NIC/{nic} STILL LACKS DATA AFTER 30 DAYS"),
    "$.A.": Kind("AM", "$.A. {words}"),
    "$.E.": Kind("AM", "$.E. SERIOUS ERROR IN RECORD NIC/{nic}"),
    "$.F.": Kind("AM", "$.F. RECORD NIC/{nic} CANCELLED BY FBI"),
    "$.L.": Kind("AM", "$.L. LOCATE PLACED ON NIC/{nic} OCA/{oca}"),
    "$.M.": Kind("AM", "$.M. POSSIBLE MATCH NIC/{nic} WITH UNIDENTIFIED PERSON"),
    "$.P.": Kind("AM", "$.P. RECORDS TO BE RETIRED NIC/{nic}"),
}
"""Every kind by the name that a command gives it."""

_BLANKS: Final[Mapping[str, str]] = {
    "lic": "1ABC234",
    "member": "AZ",
    "mke": "RQ",
    "nic": "V100000001",
    "oca": "26-000123",
    "original": "",
    "until": "1430 MST",
    "words": "SYNTHETIC NOTICE",
}


def text_of(kind: str, values: Mapping[str, str]) -> str:
    """The text of a kind; blanks that are not given get a value of the sample.

    Raises:
        ValueError: there is no such kind, or a value for a blank that no kind has.
    """
    known = KINDS.get(kind)
    if known is None:
        raise ValueError(f"kind `{kind}`: expected one of {', '.join(KINDS)}")
    for name in values:
        if name not in _BLANKS:
            raise ValueError(f"value `{name}`: expected one of {', '.join(_BLANKS)}")
    return known.text.format_map({**_BLANKS, **values})
