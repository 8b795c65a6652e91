"""Records with fixed keys, the same under every seed, for demonstrations, tests and teaching.

================  =======================================================  =======================
what              key                                                      found in
================  =======================================================  =======================
stolen car        plate 1ABC234 (CA), VIN SYN0TOYCAMSTOLEN1                svs, ncic, dmv
clean car         plate 2DEF567 (CA), owner SAMPLE,ALEX                    dmv
wanted man        SAMPLE,WALTER 19800101                                   wps, ncic, achs, iii, dmv
missing girl      SAMPLE,MINA 20100505                                     mups, ncic
restrained man    SAMPLE,ROBERT 19750310                                   carpos, ncic
on release        SAMPLE,PETER 19880707                                    srf, ncic, achs
registrant        SAMPLE,REGIS 19691212                                    vcin, ncic
armed prohibited  SAMPLE,ARNOLD 19810909                                   apps
boat              REG CF1234AB                                             abs, ncic, dmv
gun               SER SYNGUN001                                            afs, ncic
article           SER SYNART001, type BBICYCL                              aps, ncic
security          SER SYNSEC001                                            ncic
gang              group SAMPLE STREET CREW                                 ncic
agency            ORI CA0190000                                            ncic
driver            OLN S0000001 (CA)                                        dmv
history           CII A00000001, FBI 100000AA1, SID CA00000001             achs, iii
material          UNN 1203                                                 nlets, any state
snowmobile        REG <state>SNOW1                                         nlets, nevada, oregon
aircraft          REG N1<state>                                            nlets, any state
status            SAMPLE,IMRE 19910404                                     nlets, any state
insurers          VIN SYN0TOYCAMSTOLEN1                                    nlets, member NA
to be confirmed   OCA <state>-0001 to -0004, plate <state>STOL1 ...        nlets, any state; AZ ncic
other states      plate <state>TEST1, OLN <state>0000001, boat <state>1TEST  nlets, nevada, oregon
histories there   SID <state>00000001, FBI 200000AA2                       nlets
Canada            plate CNTEST1 (stolen), SAMPLE,CAMILLE 19900202,         nlets, member CN
                  SER CNGUN001, CNART001, CNSEC001, REG CN1TEST
================  =======================================================  =======================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clets_core.hosts.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["WELL_KNOWN", "Known", "of_member", "of_system"]

SHERIFF: Final = "CA0190000"
"""The agency that entered the well-known records of California."""


@dataclass(frozen=True, slots=True)
class Known:
    """A fixed record and the systems that hold it, one ``file@system`` each."""

    places: str
    fields: Mapping[str, str]
    ori: str = SHERIFF

    def files_of(self, system: str) -> Iterator[str]:
        """The files of a system that hold this record."""
        for place in self.places.split():
            file, _, holder = place.partition("@")
            if holder == system:
                yield file


def _known(places: str, fields: str) -> Known:
    pairs = (pair.split("=", 1) for pair in fields.split("; "))
    return Known(places, dict(pairs))


WELL_KNOWN: Final = (
    _known(
        "vehicle@svs vehicle@ncic registration@dmv",
        "LIC=1ABC234; LIS=CA; LIY=2027; LIT=PC; VIN=SYN0TOYCAMSTOLEN1; VYR=2019; VMA=TOYT; "
        "VMO=CAM; VST=4D; VCO=WHI; DOT=20261001; OCA=26-000123; FCN=1902600000001; "
        "NIC=V100000001; NAM=SAMPLE,STELLA; ADR=1 ALPHA ST; CTY=SAMPLETON; ZIP=90000",
    ),
    _known(
        "registration@dmv",
        "LIC=2DEF567; LIS=CA; LIY=2027; LIT=PC; VIN=SYN0HONCIVCLEAN02; VYR=2021; VMA=HOND; "
        "VMO=CIV; VST=4D; VCO=BLU; NAM=SAMPLE,ALEX; ADR=2 BRAVO AVE; CTY=TESTVILLE; ZIP=90001",
    ),
    _known(
        "licence@dmv",
        "OLN=S0000001; OLS=CA; OLY=2029; NAM=SAMPLE,ALEX; DOB=19850615; SEX=M; HGT=510; WGT=170; "
        "EYE=BRO; HAI=BRO; ADR=2 BRAVO AVE; CTY=TESTVILLE; ZIP=90001",
    ),
    _known(
        "wanted@wps wanted@ncic history@achs history@iii licence@dmv",
        "NAM=SAMPLE,WALTER; SEX=M; RAC=W; DOB=19800101; HGT=600; WGT=190; EYE=BLU; HAI=BRO; "
        "OLN=S0000002; OLS=CA; OLY=2028; OFF=2202; DOW=20260115; OCA=26-000777; "
        "FCN=1902600000002; NIC=W100000002; CII=A00000001; FBI=100000AA1; SID=CA00000001; "
        "MIS=SYNTHETIC WARRANT, BURGLARY",
    ),
    _known(
        "missing@mups missing@ncic",
        "NAM=SAMPLE,MINA; SEX=F; RAC=A; DOB=20100505; HGT=411; WGT=095; EYE=BRO; HAI=BLK; "
        "DLC=20261110; OCA=26-000900; FCN=1902600000003; NIC=M100000003",
    ),
    _known(
        "protection@carpos protection@ncic",
        "NAM=SAMPLE,ROBERT; SEX=M; RAC=W; DOB=19750310; PNO=SYN-RO-0001; BRD=N; ISD=20260301; "
        "EXP=20290301; OCA=26-000431; FCN=1902600000004; NIC=H100000004; "
        "MIS=STAY AWAY 100 YARDS. PROTECTED PERSON SAMPLE,NORA",
    ),
    _known(
        "supervision@srf supervision@ncic history@achs",
        "NAM=SAMPLE,PETER; SEX=M; RAC=B; DOB=19880707; HGT=509; WGT=165; EYE=BRO; HAI=BLK; "
        "OLN=S0000003; OLS=CA; CII=A00000003; FBI=100000AA3; SID=CA00000003; "
        "OCA=26-000555; FCN=1902600000005; NIC=C100000005; MIS=PAROLE, SEARCH TERMS 4TH WAIVER",
    ),
    _known(
        "registrant@vcin registrant@ncic",
        "NAM=SAMPLE,REGIS; SEX=M; RAC=W; DOB=19691212; HGT=508; WGT=180; EYE=GRN; HAI=GRY; "
        "CII=A00000004; CDC=S12345; OLN=S0000004; OLS=CA; FCN=1902600000006; NIC=X100000006; "
        "MIS=REGISTRANT, ADDRESS CURRENT",
    ),
    _known(
        "prohibited@apps",
        "NAM=SAMPLE,ARNOLD; SEX=M; DOB=19810909; SER=SYNGUN009; MIS=PROHIBITED POSSESSOR",
    ),
    _known(
        "boat@abs boat@ncic boat_registration@dmv",
        "REG=CF1234AB; RES=CA; BHN=SYNHULL00001; BMA=BAYL; BYR=2015; DOT=20260820; "
        "OCA=26-000610; FCN=1902600000007; NIC=B100000007; NAM=SAMPLE,NAUTICA; CTY=MOCKFIELD",
    ),
    _known(
        "gun@afs gun@ncic",
        "SER=SYNGUN001; MAK=GLC; CAL=9; TYP=PI; DOT=20260707; OCA=26-000611; "
        "FCN=1902600000008; NIC=G100000008",
    ),
    _known(
        "article@aps article@ncic",
        "SER=SYNART001; TYP=BBICYCL; BRA=ACME; DOT=20260909; OCA=26-000612; "
        "FCN=1902600000009; NIC=A100000009",
    ),
    _known(
        "security@ncic",
        "SER=SYNSEC001; TYP=TB; DEN=1000; ISS=US; DOT=20260909; OCA=26-000613; NIC=S100000010",
    ),
    _known(
        "directory@ncic",
        "ORI=CA0190000; NAM=SAMPLE COUNTY SHERIFF; CTY=SAMPLETON",
    ),
    _known("gang@ncic", "GNG=SAMPLE STREET CREW; NIC=T100000011; MIS=SYNTHETIC GROUP"),
)
"""Records of California and of the nation. Those of other states: `of_member`."""

_CANADA: Final = (
    _known(
        "registration@CN vehicle@CN",
        "LIC=CNTEST1; LIY=2027; LIT=PC; VIN=SYN0FORF15CANADA1; VYR=2020; VMA=FORD; VMO=F15; "
        "VST=PK; VCO=RED; NAM=SAMPLE,CELESTE; CTY=PROOFBURG; OCA=CN-00001",
    ),
    _known(
        "wanted@CN licence@CN",
        "NAM=SAMPLE,CAMILLE; SEX=F; DOB=19900202; OLN=CN0000001; HGT=506; EYE=BRO; "
        "OCA=CN-00002; MIS=SYNTHETIC WARRANT, FRAUD",
    ),
    _known("gun@CN", "SER=CNGUN001; MAK=COL; CAL=45; TYP=PI; OCA=CN-00003"),
    _known("article@CN", "SER=CNART001; TYP=CCAMERA; BRA=ACME; OCA=CN-00004"),
    _known("security@CN", "SER=CNSEC001; TYP=BO; DEN=500; ISS=CN; OCA=CN-00005"),
    _known("boat@CN", "REG=CN1TEST; BHN=SYNHULLCN001; BMA=YAMA; BYR=2018; OCA=CN-00006"),
)


def of_system(system: str) -> list[Record]:
    """The well-known records of a system."""
    found = [(file, it) for it in WELL_KNOWN for file in it.files_of(system)]
    records = [Record(file, it.ori, dict(it.fields)) for file, it in found]
    # So that a plate of Arizona is a hit in the nation's file, and Arizona is asked about it.
    return records + (confirmable("AZ") if system == "ncic" else [])


CONFIRMATIONS: Final = ("Y", "N", "I Y", "E")
"""How the far agency answers about each record to be confirmed: yes, no, in process and then yes,
valid but not returnable."""


def confirmable(member: str) -> list[Record]:
    """Stolen vehicles of another state, one for each answer that a hit confirmation can have.

    ``CON`` says the answers, one after the other; no reply shows it.
    """
    return [
        Record(
            "vehicle",
            f"{member}0010000",
            {
                "LIC": f"{member}STOL{number}",
                "LIS": member,
                "LIY": "2027",
                "LIT": "PC",
                "VIN": f"SYN0CHEVTAH{member}STOL{number}",
                "VYR": "2022",
                "VMA": "CHEV",
                "VMO": "TAH",
                "DOT": "20261002",
                "OCA": f"{member}-{number:04}",
                "NIC": f"V99{ord(member[0]):03}{ord(member[1]):03}{number}",
                "CON": answers,
            },
        )
        for number, answers in enumerate(CONFIRMATIONS, 1)
    ]


def of_member(member: str) -> list[Record]:
    """The well-known records of a state other than California, or of Canada."""
    ori = f"{member}0010000"
    if member == "CN":
        found = [(file, it) for it in _CANADA for file in it.files_of(member)]
        return [*(Record(file, ori, dict(it.fields)) for file, it in found), *confirmable(member)]
    if member == "NA":
        car = {"VIN": "SYN0TOYCAMSTOLEN1", "VYR": "2019", "VMA": "TOYT"}
        event = {"TYP": "IMPOUNDED", "DOT": "20261015", "MIS": "SAMPLETON TOW YARD"}
        return [Record("impound", ori, car | event)]
    person = {
        "NAM": "SAMPLE,JORDAN",
        "SEX": "M",
        "RAC": "W",
        "DOB": "19820420",
        "HGT": "511",
        "WGT": "180",
        "EYE": "HAZ",
        "HAI": "BRO",
        "OLN": f"{member}0000001",
        "OLS": member,
        "OLY": "2029",
        "SID": f"{member}00000001",
        "FBI": "200000AA2",
        "ADR": "5 ELM CT",
        "CTY": "PROOFBURG",
    }
    car = {
        "LIC": f"{member}TEST1",
        "LIS": member,
        "LIY": "2027",
        "LIT": "PC",
        "VIN": f"SYN0SUBOUT{member}TEST1",
        "VYR": "2020",
        "VMA": "SUBA",
        "VMO": "OUT",
        "VST": "SW",
        "VCO": "GRY",
    }
    boat = {"REG": f"{member}1TEST", "RES": member, "BHN": f"SYNHULL{member}001", "BMA": "SERA"}
    owner = {code: person[code] for code in ("NAM", "ADR", "CTY")}
    return [
        Record("registration", ori, car | owner),
        Record("licence", ori, dict(person)),
        Record("boat_registration", ori, boat | owner),
        Record("history", ori, dict(person)),
        Record("supervision", ori, {**person, "MIS": "PROBATION"}),
        Record("hazard", ori, {"UNN": "1203", "NAM": "GASOLINE", "MIS": "FLAMMABLE LIQUID"}),
        Record(
            "snowmobile",
            ori,
            {"REG": f"{member}SNOW1", "VIN": f"SYN0SNOW{member}1", "VMA": "SKID", **owner},
        ),
        Record("aircraft", ori, {"REG": f"N1{member}", "VMA": "CESS", "VMO": "172", **owner}),
        Record(
            "immigration",
            ori,
            {"NAM": "SAMPLE,IMRE", "DOB": "19910404", "POB": "HU", "MIS": "STATUS ON FILE"},
        ),
        Record("wanted", ori, {"NAM": "SAMPLE,WARREN", "DOB": "19770707", "CON": "Y"}),
        *confirmable(member),
    ]
