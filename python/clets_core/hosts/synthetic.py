"""Seeded people, vehicles and things: the same seed always gives the same ones.

Nobody here exists. Surnames are put together from syllables, social security numbers begin with
000 (never issued), and identification numbers of vehicles begin with ``SYN``.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

__all__ = ["Population", "population"]

SIZE: Final = 400
"""People, and as many vehicles, of each state."""

_HEADS: Final = ("BEL", "COR", "DAN", "FEN", "GAL", "HOR", "KES", "LOR", "MAR", "NOL", "PEL", "TAV")
_MIDDLES: Final = ("A", "ANDRO", "E", "ESTI", "I", "IMO", "O", "ORU", "U")
_TAILS: Final = ("BRICK", "DALEN", "FIELDT", "KVIST", "MONDT", "QUEST", "RIDGEN", "WICKET")
_GIVEN_F: Final = ("ADA", "BRIA", "CELIA", "DORA", "ELIN", "FAYE", "GRETA", "IRIS", "MINA", "VERA")
_GIVEN_M: Final = ("ABEL", "BORIS", "CALEB", "DEAN", "EMIL", "FELIX", "HUGO", "IVAN", "OSCAR")
_STREETS: Final = ("ALPHA ST", "BRAVO AVE", "CEDAR LN", "DELTA RD", "ELM CT")
_CITIES: Final = ("SAMPLETON", "TESTVILLE", "MOCKFIELD", "PROOFBURG")
_MODELS: Final = (
    ("TOYT", "CAM", "4D"), ("HOND", "CIV", "4D"), ("FORD", "F15", "PK"), ("CHEV", "TAH", "LL"),
    ("NISS", "SEN", "4D"), ("TESL", "MD3", "4D"), ("SUBA", "OUT", "SW"), ("BMW", "R12", "MC"),
)  # fmt: skip
_COLOURS: Final = ("BLK", "BLU", "GRY", "RED", "SIL", "WHI")
_LETTERS: Final = "ABCDEFGHJKLMNPRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Population:
    """One state's people, vehicles, boats, guns and articles, as fields of message formats."""

    state: str
    people: tuple[dict[str, str], ...]
    vehicles: tuple[dict[str, str], ...]
    boats: tuple[dict[str, str], ...]
    guns: tuple[dict[str, str], ...]
    articles: tuple[dict[str, str], ...]


@lru_cache(maxsize=128)
def population(seed: int, state: str, size: int = SIZE) -> Population:
    """The synthetic inhabitants of a state (two letters) and what they own."""
    chance = random.Random(f"population:{seed}:{state}")  # noqa: S311 - to be repeatable
    people = tuple(_person(chance, state, number) for number in range(size))
    return Population(
        state=state,
        people=people,
        vehicles=tuple(_vehicle(chance, state, n, people[n]) for n in range(size)),
        boats=tuple(_boat(chance, state, n, people[n]) for n in range(size // 10)),
        guns=tuple(_gun(chance, state, n) for n in range(size // 10)),
        articles=tuple(_article(chance, state, n) for n in range(size // 10)),
    )


def _person(chance: random.Random, state: str, number: int) -> dict[str, str]:
    sex = chance.choice("FM")
    surname = chance.choice(_HEADS) + chance.choice(_MIDDLES) + chance.choice(_TAILS)
    given = chance.choice(_GIVEN_F if sex == "F" else _GIVEN_M)
    born = f"{chance.randint(1945, 2006)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}"
    serial = f"{chance.randint(0, 999):03}{number:04}"
    return {
        "NAM": f"{surname},{given} {chance.choice(_LETTERS)}",
        "SEX": sex,
        "RAC": chance.choice("ABIUW"),
        "DOB": born,
        "HGT": f"{chance.randint(5, 6)}{chance.randint(0, 11):02}",
        "WGT": f"{chance.randint(110, 260)}",
        "EYE": chance.choice(("BLU", "BRO", "GRN", "HAZ")),
        "HAI": chance.choice(("BLK", "BLN", "BRO", "GRY")),
        "OLN": f"{chance.choice(_LETTERS)}{serial}",
        "OLS": state,
        "OLY": f"{chance.randint(2027, 2032)}",
        "SOC": f"000{chance.randint(10, 99)}{number:04}",
        "CII": f"A{chance.randint(1, 9)}{serial}",
        "FBI": f"{serial}{chance.choice(_LETTERS)}A",
        "SID": f"{state}9{serial}",
        "ADR": f"{chance.randint(1, 9999)} {chance.choice(_STREETS)}",
        "CTY": chance.choice(_CITIES),
        "ZIP": f"{chance.randint(0, 99999):05}",
    }


def _vehicle(
    chance: random.Random, state: str, number: int, owner: dict[str, str]
) -> dict[str, str]:
    make, model, style = chance.choice(_MODELS)
    letters = "".join(chance.choices(_LETTERS, k=3))
    # Californian plates are digit, letters, digits; 8 and 9 keep clear of the well-known ones.
    head = f"{chance.randint(8, 9)}" if state == "CA" else "Q"
    return {
        "LIC": f"{head}{letters}{number:03}",
        "LIS": state,
        "LIY": f"{chance.randint(2027, 2028)}",
        "LIT": "MC" if style == "MC" else "PC",
        "VIN": f"SYN{chance.randint(0, 9)}{state}{letters}{chance.randint(0, 9999):04}{number:04}",
        "VYR": f"{chance.randint(1998, 2026)}",
        "VMA": make,
        "VMO": model,
        "VST": style,
        "VCO": chance.choice(_COLOURS),
        "NAM": owner["NAM"],
        "ADR": owner["ADR"],
        "CTY": owner["CTY"],
        "ZIP": owner["ZIP"],
    }


def _boat(chance: random.Random, state: str, number: int, owner: dict[str, str]) -> dict[str, str]:
    prefix = "CF" if state == "CA" else state
    letters = "".join(chance.choices(_LETTERS, k=2))
    return {
        "REG": f"{prefix}{9000 + number}{letters}",
        "RES": state,
        "BHN": f"SYN{letters}{chance.randint(0, 99999):05}{number:02}",
        "BMA": chance.choice(("BAYL", "SERA", "YAMA")),
        "BYR": f"{chance.randint(1990, 2025)}",
        "NAM": owner["NAM"],
        "CTY": owner["CTY"],
    }


def _gun(chance: random.Random, state: str, number: int) -> dict[str, str]:
    return {
        "SER": f"SYN{state}{chance.randint(0, 99999):05}{number:02}",
        "MAK": chance.choice(("COL", "GLC", "RUG", "SW")),
        "CAL": chance.choice(("22", "38", "45", "9")),
        "TYP": chance.choice(("PI", "RB", "RI", "SS")),
    }


def _article(chance: random.Random, state: str, number: int) -> dict[str, str]:
    return {
        "SER": f"SY{state}{chance.randint(0, 999999):06}{number:02}",
        "TYP": chance.choice(("BBICYCL", "CCAMERA", "DCOMPUT", "TTELEPH")),
        "BRA": chance.choice(("ACME", "GLOBEX", "INITECH")),
    }
