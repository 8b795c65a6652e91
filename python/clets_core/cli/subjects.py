"""Rows of ``policy/subjects.csv``: identifiers as keyed digests, so that the list names nobody."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from clets_core._core import subject_digest
from clets_core.errors import ClientCode, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterable

LISTS: Final = ("own", "confidential", "watched", "test")
COLUMNS: Final = ("list", "digest", "cite")
NAME: Final = "NAM"
# Fields of a number, each with the field that says whose number it is where a state gives it.
NUMBERS: Final = {
    "BHN": "",
    "CII": "",
    "FBI": "",
    "LIC": "LIS",
    "NIC": "",
    "OAN": "",
    "OLN": "OLS",
    "REG": "RES",
    "SER": "",
    "SID": "",
    "SOC": "",
    "VIN": "",
}
BESIDE: Final = {NAME: "DOB", **{code: beside for code, beside in NUMBERS.items() if beside}}
STATE: Final = "CA"
_WILD: Final = re.compile(r"[*?%]")
_STATE: Final = re.compile(r"[A-Z]{2}")
_BIRTH: Final = re.compile(r"\d{8}")


class Identifier(NamedTuple):
    """A name or number, with what belongs to it: the state of a number, the birth of a person."""

    code: str
    value: str
    beside: str


def identifiers(given: Iterable[str]) -> list[Identifier]:
    """Reads ``FIELD=VALUE`` texts.

    Raises:
        ValueError: One of them names nothing that can be listed; no value is in the words.
    """
    values: dict[str, str] = {}
    for text in given:
        code, equals, value = text.partition("=")
        code = code.strip().upper()
        if not equals or code not in {NAME, *NUMBERS, *BESIDE.values()}:
            known = ", ".join((NAME, *NUMBERS, *BESIDE.values()))
            raise ValueError(f"expected FIELD=VALUE with one of the fields {known}")
        if code in values:
            raise ValueError(f"expected {code} once")
        if _WILD.search(value) or not re.search("[A-Za-z0-9]", value):
            raise ValueError(f"{code}: expected one record's own letters and digits")
        values[code] = value.strip()
    found = [
        Identifier(code, value, _beside(code, values))
        for code, value in values.items()
        if code == NAME or code in NUMBERS
    ]
    for code, beside in BESIDE.items():
        if beside in values and code not in values:
            raise ValueError(f"{beside}: expected {code} with it")
    if not found:
        raise ValueError("expected a name or a number")
    for one in found:
        _check(one)
    return found


def _beside(code: str, values: dict[str, str]) -> str:
    if code not in BESIDE:
        return ""
    return values.get(BESIDE[code], "" if code == NAME else STATE)


def _check(one: Identifier) -> None:
    if one.code == NAME:
        last, _, first = one.value.partition(",")
        if not (last.strip() and first.strip()):
            raise ValueError("NAM: expected LAST,FIRST")
        if not (_BIRTH.fullmatch(one.beside) and _is_day(one.beside)):
            raise ValueError("NAM: expected DOB with it, as ccyymmdd")
    elif BESIDE.get(one.code) and not _STATE.fullmatch(one.beside.upper()):
        raise ValueError(f"{BESIDE[one.code]}: expected a state's two letters")


def _is_day(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007
    except ValueError:
        return False
    return True


def digest(key: str, identifier: Identifier, user: str) -> str:
    """The digest of an identifier; with a user, that of the user's own.

    Raises:
        ClientError: E927, the key is no key.
    """
    try:
        return subject_digest(key, *identifier, user)
    except ValueError as error:
        # The field is one of the table, so it is the key that is wrong.
        raise ClientError(ClientCode.SUBJECT_KEY.number, str(error)) from error
