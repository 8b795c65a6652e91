"""The 58 counties of California in alphabetical order, which is that of their NCIC numbers."""

COUNTIES = (
    "Alameda",
    "Alpine",
    "Amador",
    "Butte",
    "Calaveras",
    "Colusa",
    "Contra Costa",
    "Del Norte",
    "El Dorado",
    "Fresno",
    "Glenn",
    "Humboldt",
    "Imperial",
    "Inyo",
    "Kern",
    "Kings",
    "Lake",
    "Lassen",
    "Los Angeles",
    "Madera",
    "Marin",
    "Mariposa",
    "Mendocino",
    "Merced",
    "Modoc",
    "Mono",
    "Monterey",
    "Napa",
    "Nevada",
    "Orange",
    "Placer",
    "Plumas",
    "Riverside",
    "Sacramento",
    "San Benito",
    "San Bernardino",
    "San Diego",
    "San Francisco",
    "San Joaquin",
    "San Luis Obispo",
    "San Mateo",
    "Santa Barbara",
    "Santa Clara",
    "Santa Cruz",
    "Shasta",
    "Sierra",
    "Siskiyou",
    "Solano",
    "Sonoma",
    "Stanislaus",
    "Sutter",
    "Tehama",
    "Trinity",
    "Tulare",
    "Tuolumne",
    "Ventura",
    "Yolo",
    "Yuba",
)
"""Name by position; the NCIC county number is the position plus one."""

CITIES = {
    1: 9,
    7: 6,
    10: 5,
    15: 4,
    19: 30,
    27: 3,
    30: 14,
    33: 9,
    34: 5,
    36: 9,
    37: 11,
    38: 1,
    39: 4,
    41: 7,
    42: 3,
    43: 9,
    48: 4,
    49: 4,
    50: 4,
    54: 3,
    56: 5,
}
"""City police departments of the larger counties; all others have two, the smallest none."""

WITHOUT_CITIES = frozenset({2, 22, 26, 46, 53})

REGIONS = {
    "GBAY": ("San Francisco Bay", (1, 7, 21, 28, 38, 41, 43, 48, 49)),
    "GCENT": ("Central valley and coast", (10, 15, 16, 20, 24, 27, 35, 39, 40, 44, 50, 54)),
    "GMTN": ("Sierra", (2, 3, 5, 9, 14, 22, 26, 29, 31, 32, 46, 55)),
    "GNORTH": ("North", (4, 6, 8, 11, 12, 17, 18, 23, 25, 34, 45, 47, 51, 52, 53, 57, 58)),
    "GSOUTH": ("South", (13, 19, 30, 33, 36, 37, 42, 56)),
}
"""Region groups: code to title and county numbers. Every county is in one."""


def county_name(number: int) -> str:
    """The county with this NCIC number, 1-58."""
    return COUNTIES[number - 1]
