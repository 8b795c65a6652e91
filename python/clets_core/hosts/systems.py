"""What each destination system is: its title, its keys, and how it words its replies. Tables only.

CITE: keys after the public lists of California CLETS inquiry keys, NCIC key letters and the Nlets
guide. The wording of replies is this simulation's own, after the shapes those sources describe.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CANADA",
    "FILES",
    "MEMBER_SYSTEMS",
    "SHEETS",
    "SYSTEMS",
    "File",
    "Rule",
    "Sheet",
    "State",
    "Style",
    "System",
    "system_of",
]

PERSON: Final = ("NAM;SEX;RAC;DOB", "HGT;WGT;EYE;HAI", "OLN;OLS;OLY;SOC", "FBI;SID;CII")
OWNER: Final = ("R/O=NAM", "ADR=ADR|CITY=CTY|ZIP=ZIP")
CLOSING: Final = ("ORI;OCA;FCN;NIC", "DTE", "MIS")


@dataclass(frozen=True, slots=True)
class File:
    """A kind of record: caption of a hit, letter of its NCIC number, and the lines of a hit.

    A line lists codes: ``;`` between ``CODE/value`` pairs, ``|`` between ``caption=CODE`` pairs.
    """

    caption: str
    letter: str
    lines: tuple[str, ...]
    required: tuple[str, ...] = ()


FILES: Final[Mapping[str, File]] = {
    "aircraft": File(
        "AIRCRAFT REGISTRATION", "", ("N NUMBER=REG|MAKE=VMA|MODEL=VMO|YEAR=VYR", *OWNER)
    ),
    "article": File(
        "STOLEN ARTICLE", "A", ("TYP;SER;OAN;BRA;MOD", "DOT", *CLOSING), ("SER", "OAN")
    ),
    "boat": File("STOLEN BOAT", "B", ("REG;RES;BHN;SER", "BMA;BYR;DOT", *CLOSING), ("REG", "BHN")),
    "boat_registration": File(
        "VESSEL REGISTRATION", "", ("CF#=REG|HIN=BHN|MAKE=BMA|YRMD=BYR", *OWNER)
    ),
    "directory": File("AGENCY", "", ("ORI", "AGENCY=NAM", "CITY=CTY")),
    "gang": File("GANG", "T", ("GNG", "NAM;SEX;DOB", *CLOSING), ("GNG", "NAM")),
    "gang_member": File("GANG MEMBER", "T", (*PERSON, "GNG", *CLOSING), ("NAM",)),
    "gun": File("STOLEN GUN", "G", ("SER;MAK;MOD;CAL;TYP", "DOT", *CLOSING), ("SER",)),
    "hazard": File("HAZARDOUS MATERIAL", "", ("UN NUMBER=UNN|NAME=NAM", "MIS")),
    "history": File("CRIMINAL HISTORY INDEX", "", PERSON),
    "identity": File("IDENTITY THEFT", "J", (*PERSON, *CLOSING), ("NAM",)),
    "image": File("IMAGE", "I", ("IMN;IMT", *CLOSING), ("IMN", "NIC", "FCN")),
    "impound": File(
        "INSURANCE CRIME BUREAU RECORD",
        "",
        ("VIN=VIN|YEAR=VYR|MAKE=VMA", "EVENT=TYP|DATE=DOT", "MIS"),
    ),
    "immigration": File("IMMIGRATION STATUS", "", ("NAM;DOB;POB", "MIS")),
    "licence": File(
        "DRIVER LICENSE",
        "",
        ("DL/NO=OLN|STATE=OLS|EXP=OLY", "NAME=NAM|B/D=DOB|SEX=SEX", "HGT;WGT;EYE;HAI", *OWNER[1:]),
    ),
    "missing": File("MISSING PERSON", "M", (*PERSON, "DLC", *CLOSING), ("NAM", "SEX")),
    "occupational": File("OCCUPATIONAL LICENSE", "", ("LIC", "NAM;OLN")),
    "pawned": File("PAWNED ARTICLE", "", ("TYP;SER;BRA", "NAM;DOB", "DOT", *CLOSING), ("SER",)),
    "prohibited": File("PROHIBITED PERSON", "", ("NAM;SEX;DOB", "SER", "MIS")),
    "protection": File(
        "PROTECTION ORDER", "H", (*PERSON, "PNO;BRD;ISD;EXP", "SVC", *CLOSING), ("NAM", "PNO")
    ),
    "registrant": File("REGISTRANT", "X", (*PERSON, "CDC", *CLOSING), ("NAM",)),
    "registration": File(
        "VEHICLE REGISTRATION",
        "",
        (
            "REG VALID TO=LIY|LIC#=LIC|STATE=LIS|TYPE=LIT",
            "YRMD=VYR|MAKE=VMA|MODEL=VMO|BTM=VST|COLOR=VCO",
            "VIN=VIN",
            *OWNER,
        ),
    ),
    "security": File("STOLEN SECURITY", "S", ("TYP;SER;DEN;ISS;OWN", "DOT", *CLOSING), ("SER",)),
    "snowmobile": File(
        "SNOWMOBILE REGISTRATION", "", ("REG=REG|VIN=VIN|MAKE=VMA|YRMD=VYR", *OWNER)
    ),
    "supervision": File("SUPERVISED PERSON", "C", (*PERSON, "CTT", *CLOSING), ("NAM",)),
    "unidentified": File("UNIDENTIFIED PERSON", "U", ("SEX;RAC;HGT;WGT", *CLOSING), ("SEX",)),
    "vehicle": File(
        "STOLEN VEHICLE",
        "V",
        ("LIC;LIS;LIY;LIT", "VIN;VYR;VMA;VMO;VST;VCO", "DOT", *CLOSING),
        ("LIC", "VIN", "OAN"),
    ),
    "violation": File(
        "PROTECTION ORDER VIOLATION", "", ("NAM;DOB", "PNO;DOV", *CLOSING), ("NAM", "PNO")
    ),
    "wanted": File("WANTED PERSON", "W", (*PERSON, "OFF;DOW", "ALSO=AKA", *CLOSING), ("NAM",)),
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A longer printout below a hit: its caption, and lines that time and a field fill in.

    ``{y24}`` is the year in which the person of the record was 24, ``{mm}`` the month of birth.
    """

    caption: str
    lines: tuple[str, ...]


SHEETS: Final[Mapping[str, Sheet]] = {
    "driving": Sheet(
        "DRIVER HISTORY RECORD",
        (
            "VIOLATION {y24}{mm}04  SPEED 20 OVER LIMIT  CONVICTED {y24}1201  POINTS 2",
            "ACCIDENT  {y26}{mm}19  PROPERTY DAMAGE, NOT AT FAULT",
            "SUSPENSIONS NONE  WITHDRAWALS NONE",
            "END OF DRIVER HISTORY",
        ),
    ),
    "history": Sheet(
        "CRIMINAL HISTORY RECORD",
        (
            "* * * * * * * * * *  CYCLE 001  * * * * * * * * * *",
            "ARRESTED {y24}{mm}11  AGENCY SAMPLETON PD  CASE SYN-{y24}-01",
            "  CHARGE 01  BURGLARY, SECOND DEGREE (SYNTHETIC)",
            "COURT {y25}0315  DISPOSITION CONVICTED, PROBATION 036 MONTHS",
            "* * * * * * * * * *  END OF RECORD  * * * * * * * *",
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """How one message key is served: which files, what is done, and the key of the reply.

    ``sheet`` names a printout of `SHEETS`; ``reply_when`` gives another key of the reply for a
    field that was asked by.
    """

    files: tuple[str, ...]
    action: str = "inquire"
    reply: str = ""
    sheet: str = ""
    reply_when: tuple[str, str] = ("", "")

    @property
    def changes(self) -> bool:
        """True when serving it twice is not the same as serving it once."""
        return self.action != "inquire"


@dataclass(frozen=True, slots=True)
class Style:
    """The words around hits. Braces name what is put in; an empty line is left out."""

    heading: str
    no_hit: str
    hit: str
    tail: str
    accepted: str
    reject: str = "REJ - {reason}"
    no_hit_of: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class System:
    """One destination system. ``number`` is the field in which it numbers its own entries."""

    title: str
    style: Style
    rules: Mapping[str, Rule]
    number: str = "FCN"


def _ask(
    files: str,
    keys: str,
    reply: str = "",
    *,
    sheet: str = "",
    reply_when: tuple[str, str] = ("", ""),
) -> dict[str, Rule]:
    rule = Rule(tuple(files.split()), "inquire", reply, sheet, reply_when)
    return dict.fromkeys(keys.split(), rule)


def _keep(file: str, letter: str, enter: str) -> dict[str, Rule]:
    """Entries under ``enter``; modify, locate, clear and cancel by NCIC's key letters."""
    files = (file,)
    verbs = {"M": "modify", "L": "locate", "C": "clear", "X": "cancel"}
    rules = {verb + letter: Rule(files, action) for verb, action in verbs.items()}
    return rules | {key: Rule(files, "enter") for key in enter.split()}


_DOJ: Final = Style(
    heading="{title}\nRE: {key} {search}\n",
    no_hit="NO RECORD",
    hit="*** {caption} ***{located}",
    tail="CONFIRM WITH ENTERING AGENCY {ori}",
    accepted="{key} {done}\n{echo}\n{number}",
)
_FILE: Final = Style(  # A file of facts: nothing to confirm.
    heading="{title}\nRE: {key} {search}\n",
    no_hit="NO RECORD ON FILE",
    hit="{caption}",
    tail="END OF RECORD",
    accepted="{key} {done}\n{echo}\n{number}",
)
_DMV: Final = Style(
    heading="{title}\nDATE: {date} TIME: {time}\n{key} {search}\n",
    no_hit="NO RECORD FOR CRITERIA GIVEN",
    hit="{caption}",
    tail="END",
    accepted="",
)
_NCIC: Final = Style(
    heading="",
    no_hit="NO RECORD {search}",
    hit="MKE/{caption}{located}",
    tail="ORI IS {ori}\nIMMED CONFIRM RECORD WITH ORI",
    accepted="{done} {number} {echo}",
    no_hit_of={"wanted": "NO NCIC WANT {search}"},
)
_III: Final = Style(
    heading="THIS NCIC INTERSTATE IDENTIFICATION INDEX RESPONSE IS THE RESULT OF YOUR INQUIRY"
    "\n{key} {search}\n",
    no_hit="NO IDENTIFIABLE RECORD IN THE INTERSTATE IDENTIFICATION INDEX",
    hit="{caption}",
    tail="THE RECORD CAN BE OBTAINED BY FBI OR SID NUMBER. END",
    accepted="",
)
_STATE: Final = Style(
    heading="{title}\n{key} {search}\n",
    no_hit="NO RECORD FOUND",
    hit="{caption}",
    tail="END OF RESPONSE",
    accepted="",
)
_CPIC: Final = Style(
    heading="CPIC {key} {search}\n",
    no_hit="CPIC: NO RECORD",
    hit="CPIC: {caption}",
    tail="CONFIRM WITH {ori} BEFORE ACTION",
    accepted="",
)

_VEHICLE: Final = _ask("vehicle", "QV QVK") | _keep("vehicle", "V", "EV EF EL EP")
_BOAT: Final = _ask("boat", "QB") | _keep("boat", "B", "EB")
_ARTICLE: Final = _ask("article", "QA QAB QAN") | _keep("article", "A", "EA")
_WANTED: Final = (
    _ask("wanted", "QW")
    | _keep("wanted", "W", "EW EWJ ET")
    | {"EN": Rule(("wanted",), "supplement"), "XN": Rule(("wanted",), "strip")}
)
_MISSING: Final = (
    _ask("missing", "QM")
    | _keep("missing", "M", "EMD EME EMI EMJ EMO EMV")
    | {"EN": Rule(("missing",), "supplement"), "XN": Rule(("missing",), "strip")}
)
_UNIDENTIFIED: Final = _ask("unidentified", "QU") | _keep("unidentified", "U", "EUD EUL EUV")
_ORDERS: Final = _ask("protection", "QPO") | _keep("protection", "PO", "EPO ETO")
_SECURITY: Final = _ask("security", "QS") | _keep("security", "S", "ES")
_PLATES: Final = "4A 4C 4E 4F 4H 4I 4K 4L 4M 4P 4S 4T 4V A1 VC VP"

State: Final = System(
    "MOTOR VEHICLE AND CRIMINAL RECORDS",
    _STATE,
    _ask("registration", "RQ RQG", "RR")
    | _ask("registration", "RNQ", "RNR")
    | _ask("registration", "RPQ", "RPR")
    | _ask("licence", "DQ DQG", "DR")
    | _ask("licence", "DNQ", "DNR")
    | _ask("licence", "KQ", "KR", sheet="driving")
    | _ask("boat_registration", "BQ", "BR")
    | _ask("snowmobile", "SQ", "SR")
    | _ask("history", "IQ", "IR")
    | _ask("history", "FQ", "FR", sheet="history", reply_when=("FBI", "CR"))
    | _ask("wanted", "SWQ", "SWR")
    | _ask("supervision", "PPQ", "PPR")
    | _ask("supervision", "PBQ", "PBR")
    | _ask("supervision", "PCQ", "PCR")
    | _ask("supervision", "PAQ", "PAR")
    | _ask("hazard", "MQ", "MR")
    | _ask("aircraft", "GQ", "GR")
    | _ask("immigration", "IAQ", "IAR"),
)
"""Every state, and Oregon and Nevada on lines of their own."""

CANADA: Final = System(
    "CANADIAN POLICE INFORMATION CENTRE",
    _CPIC,
    _ask("article", "CAQ", "CAR")
    | _ask("boat", "CBQ", "CBR")
    | _ask("gun", "CGQ", "CGR")
    | _ask("security", "CSQ", "CSR")
    | _ask("licence", "UQ", "UR")
    | _ask("registration", "VQ", "VR")
    | _ask("wanted", "WQ", "WR")
    | _ask("vehicle", "XQ", "XR"),
)

NICB: Final = System(
    "NATIONAL INSURANCE CRIME BUREAU",
    _STATE,
    _ask("impound", "NAQ", "NAR") | _ask("impound", "NIQ", "NIR"),
)
"""The insurers' bureau behind Nlets: all files at once, or impounds and exports alone."""

MEMBER_SYSTEMS: Final[Mapping[str, System]] = {"CN": CANADA, "NA": NICB}
"""Members of Nlets that are not asked as a state is."""

SYSTEMS: Final[Mapping[str, System]] = {
    "abs": System("AUTOMATED BOAT SYSTEM", _DOJ, _BOAT),
    "achs": System(
        "AUTOMATED CRIMINAL HISTORY SYSTEM",
        _FILE,
        _ask("history", "QHA QH QHN QHY QHT")
        | _ask("history", "QHC QR", sheet="history")
        | _keep("history", "H", "EH"),
    ),
    "afs": System(
        "AUTOMATED FIREARMS SYSTEM",
        _DOJ,
        _ask("gun", "QG QGB QGH") | _keep("gun", "G", "EG EL EF ER"),
    ),
    "apps": System("ARMED PROHIBITED PERSONS", _FILE, _ask("prohibited", "QYP QYN QYG FQA")),
    "aps": System(
        "AUTOMATED PROPERTY SYSTEM",
        _DOJ,
        _ARTICLE | _ask("pawned article", "QAN") | _keep("pawned", "AN", "EAN"),
    ),
    "carpos": System(
        "RESTRAINING AND PROTECTIVE ORDER SYSTEM",
        _DOJ,
        _ask("protection", "QRR")
        | _ask("protection violation", "QRRH QRP")
        | _ORDERS
        | _keep("protection", "GV", "EGV")
        | _keep("violation", "VO", "EVO")
        | {"SPO": Rule(("protection",), "serve")},
    ),
    "dmv": System(
        "CALIFORNIA DEPARTMENT OF MOTOR VEHICLES",
        _DMV,
        _ask("registration", _PLATES)
        | _ask("boat_registration", "4B")
        | _ask("licence", "L1")
        | _ask("occupational", "A6"),
        number="",
    ),
    "iii": System(
        "INTERSTATE IDENTIFICATION INDEX",
        _III,
        _ask("history", "QH ZI") | _ask("history", "QR ZR", sheet="history"),
        number="",
    ),
    "mups": System("MISSING AND UNIDENTIFIED PERSONS", _DOJ, _MISSING | _UNIDENTIFIED),
    "ncic": System(
        "NATIONAL CRIME INFORMATION CENTER",
        _NCIC,
        _VEHICLE
        | _BOAT
        | _ARTICLE
        | _WANTED
        | _MISSING
        | _UNIDENTIFIED
        | _ORDERS
        | _SECURITY
        | _ask("gun", "QG")
        | _keep("gun", "G", "EG EL EF ER")
        | _keep("gang", "GG", "EGG")
        | _keep("gang_member", "GM", "EGM")
        | _keep("registrant", "XS", "EXS")
        | _keep("supervision", "C", "EC")
        | _keep("identity", "ID", "EID")
        | _keep("image", "IM", "EIM")
        | _ask("wanted missing protection supervision registrant", "QWA QWB QWI")
        | _ask("gang", "QGG")
        | _ask("gang_member gang", "QGM")
        | _ask("registrant", "QXS")
        | _ask("identity", "QID")
        | _ask("image", "QII")
        | _ask("directory", "QO ZO")
        | _ask("vehicle", "ZV")
        | _ask("wanted", "ZW"),
        number="NIC",
    ),
    "oregon": System(
        State.title,
        _STATE,
        dict(State.rules)
        | _ask("article", "QA")
        | _ask("gun", "QG")
        | _ask("wanted", "QW")
        | _ask("history", "QH"),
    ),
    "srf": System(
        "SUPERVISED RELEASE FILE",
        _DOJ,
        _ask("supervision", "QVC")
        | _keep("supervision", "VC", "EVC")
        | {"SVC": Rule(("supervision",), "contact")},
    ),
    "svs": System("STOLEN VEHICLE SYSTEM", _DOJ, _VEHICLE),
    "vcin": System(
        "VIOLENT CRIME INFORMATION NETWORK",
        _DOJ,
        _ask("registrant", "QSA") | _keep("registrant", "SA", "ESA"),
    ),
    "wps": System(
        "WANTED PERSONS SYSTEM", _DOJ, _WANTED | _ask("wanted protection missing", "WRM")
    ),
}
"""Systems by the name that a bundle's ``hosts.toml`` gives them. Nlets and Nevada: `.nlets`."""

_ALIASES: Final = {"leds": "oregon", "mhfps": "apps"}


def system_of(name: str, kind: str) -> System:
    """The system of a host by its name, else by its kind (``dmv``, ``ncic`` ...).

    A state file with a name of its own serves the keys of all state files.
    """
    known = SYSTEMS.get(_ALIASES.get(name, name)) or SYSTEMS.get(kind)
    if known is not None:
        return known
    rules: dict[str, Rule] = {}
    for system in SYSTEMS.values():
        if system.style is _DOJ or system.style is _FILE:
            rules.update(system.rules)
    return System(name.upper(), _DOJ, rules)
