"""The cases, by number: what is done, what is expected, on which lines, and what it needs.

A number never changes its meaning. Tens belong together; gaps are for cases to come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clets_core import _core
from clets_core.conformance import custody, traffic
from clets_core.conformance.fields import PERSON, PURPOSE, REASON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from clets_core.conformance.bench import Bench
    from clets_core.conformance.custody import Script

__all__ = ["CASES", "Case"]

BOTH: Final = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One case. ``framing`` is empty when it is for every line.

    ``hosts``: the records of the simulated hosts are needed. ``connected``: it begins with a
    connection; other cases open their own.
    """

    number: int
    title: str
    expectation: str
    script: Script
    framing: str = BOTH
    hosts: bool = False
    connected: bool = True


_BAD_CHECK: Final = bytearray(_core.frame("native", "heartbeat"))
_BAD_CHECK[20] ^= 0xFF
_BAD_KIND: Final = bytearray(_core.frame("native", "heartbeat"))
_BAD_KIND[3] = 99
_BAD_VERSION: Final = bytearray(_core.frame("native", "heartbeat"))
_BAD_VERSION[2] = 9
_BAD_PRECEDENCE: Final = bytearray(_core.frame("native", "heartbeat"))
_BAD_PRECEDENCE[16] = 7
_HTTP: Final = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
_TLS: Final = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"

_CLOSED: Final = "the connection is closed, and the line may come back"
_FRAMING: Final = (
    Case(1, "the line comes up", "a connection; LOGON is acknowledged", custody.comes_up,
         connected=False),
    Case(2, "keep-alive", "it is answered", custody.keeps_alive),
    Case(3, "a message in one piece", "accepted, delivered", custody.in_pieces(0)),
    Case(4, "a message cut in its header", "accepted, delivered", custody.in_pieces(7, 15)),
    Case(5, "a message cut before its last byte", "accepted, delivered", custody.in_pieces(-1)),
    Case(6, "a message byte by byte", "accepted, delivered", custody.in_pieces()),
    Case(7, "two messages in one write", "both accepted, in order", custody.together(2)),
    Case(8, "twenty messages in one write", "all accepted, in order", custody.together(20)),
    Case(9, "keep-alives between messages in one write", "all accepted, in order",
         custody.together(5, heartbeat=True)),
    Case(10, "a message in two blocks", "one acknowledgement", custody.in_blocks, "dmpp"),
    Case(11, "a message of 40,000 characters", "there and back, whole", custody.long_message),
    Case(12, "bytes that are no frame", _CLOSED,
         custody.closes(101, _HTTP, _HTTP), connected=False),
    Case(13, "the wrong kind of connection", _CLOSED, custody.closes(101, _TLS, _TLS),
         connected=False),
    Case(14, "a header that announces too much", f"refused as too long; {_CLOSED}",
         custody.closes(102, bytes.fromhex("ff00aa557fffffff0010000200000000"),
                   bytes.fromhex("434c01027fffffff0000000000000001") + bytes(8), nak=0x14),
         connected=False),
    Case(15, "a frame over the limit", _CLOSED,
         custody.closes(102, _core.frame("dmpp", "data", b"X" * 2_000_000),
                        _core.frame("native", "data", b"X" * 2_000_000, sequence=1),
                        nak=0x14, told=False),
         connected=False),
    Case(16, "a frame that ends wrong", _CLOSED,
         custody.closes(104, _core.frame("dmpp", "data", b"hello")[:-4] + b"XXXX",
                       bytes(_BAD_CHECK)),
         connected=False),
    Case(17, "a header with an unknown value", _CLOSED,
         custody.closes(105, bytes.fromhex("ff00aa5500000036002a00020000000000000000 00010001"),
                   bytes(_BAD_VERSION)), connected=False),
    Case(18, "half a message, then a break", "nothing of it is taken", custody.half_message,
         connected=False),
    Case(19, "a second connection of the line", "it ends the first", custody.superseded,
         connected=False),
    Case(20, "an unknown function", "0012 with status 0041; the line goes on",
         custody.unknown_function, "dmpp"),
    Case(21, "a message that wants no acknowledgement", "delivered, not acknowledged",
         custody.unwanted_acknowledgement, "dmpp"),
    Case(22, "odd validation bytes", "they come back as they are", custody.odd_validations, "dmpp"),
    Case(23, "an unknown kind of frame", _CLOSED, custody.closes(105, b"", bytes(_BAD_KIND)),
         "native", connected=False),
    Case(24, "a precedence that is none", _CLOSED, custody.closes(105, b"", bytes(_BAD_PRECEDENCE)),
         "native", connected=False),
    Case(25, "a message before LOGON", "REJECT E805, closed",
         custody.out_of_turn(805, "data", logged_on=False), "native", connected=False),
    Case(26, "a second LOGON", "REJECT E805, closed", custody.out_of_turn(805, "logon"), "native",
         connected=False),
    Case(27, "a message number too high", "the connection is closed",
         custody.out_of_turn(805, "data", told=False), "native", connected=False),
    Case(28, "REJECT from the agency", "REJECT E805, closed", custody.out_of_turn(805, "reject"),
         "native", connected=False),
    Case(29, "LOGON with another name", "REJECT E801, closed", custody.wrong_line, "native",
         connected=False),
)  # fmt: skip

_CUSTODY: Final = (
    Case(30, "ten messages, not waiting", "one answer to each, by its number",
         custody.answers_by_number),
    Case(31, "message numbers", "they grow", custody.numbers_grow, "native"),
    Case(32, "the same message again", "accepted again, delivered once",
         custody.repeated(reconnect=False)),
    Case(33, "the same message on another connection", "accepted again, delivered once",
         custody.repeated(reconnect=True)),
    Case(34, "the same number on another connection", "the same answer, delivered once",
         custody.same_number, "native"),
    Case(35, "the same reference, another text", "E211", custody.reused_reference),
    Case(36, "no reference, twice", "two messages", custody.no_reference),
    Case(37, "a refused message, corrected", "accepted under the same reference",
         custody.corrected),
    Case(38, "a delivery without acknowledgement, then a break",
         "it comes again, marked as a possible duplicate", custody.again_after_break),
    Case(39, "a delivery with acknowledgement, then a break", "it does not come again",
         custody.once_if_acknowledged),
    Case(40, "a delivery refused with 0012", "it comes again", custody.again_after_refusal, "dmpp"),
    Case(41, "deliveries without acknowledgement", "no more than the window", custody.window_holds),
    Case(42, "one DELIVERED for many", "none comes again", custody.cumulative, "native"),
    Case(43, "a reply and a message that wait", "the reply comes first", custody.precedence, "dmpp",
         hosts=True),
    Case(44, "counts of two precedences", "each has its own", custody.numbered_by_precedence,
         "native", hosts=True),
)  # fmt: skip


def _without(code: str) -> Callable[[Bench, bytes], bytes]:
    """The payload without a field."""

    def change(_: Bench, payload: bytes) -> bytes:
        parts = payload.split(b".")
        return b".".join(part for part in parts if not part.startswith(code.encode() + b"/"))

    return change


def _with(code: str, value: str) -> Callable[[Bench, bytes], bytes]:
    """The payload with another value in a field."""

    def change(bench: Bench, payload: bytes) -> bytes:
        return _without(code)(bench, payload) + f".{code}/{value}".encode()

    return change


def _other(part: str, value: str = "", given: str = "") -> Callable[[Bench, bytes], bytes]:
    """The payload with another station, user or ORI: ``value``, or what the case is ``given``."""

    def change(bench: Bench, payload: bytes) -> bytes:
        mine: str = getattr(bench.settings, part)
        new = bench.value(given) if given else value
        return payload.replace(mine.encode(), new.encode(), 1)

    return change


def _key(value: bytes) -> Callable[[Bench, bytes], bytes]:
    return lambda _, payload: payload.replace(b"IV.4A", value, 1)


# Number, title, code, change, key; the expectation is the code's.
_REFUSALS: Final = (
    (53, "an unknown message key", 210, _key(b"IV.9Z"), "IV.4A"),
    (54, "an unknown ORI", 301, _other("ori", "CA0999900"), "IV.4A"),
    (55, "an unknown station", 307, _other("station", "NOBODY"), "IV.4A"),
    (56, "an unknown user", 304, _other("user", "U999999"), "IV.4A"),
    (57, "no user", 306, _other("user", ""), "IV.4A"),
    (58, "an ORI of another agency", 302, _other("ori", given="foreign_ori"), "IV.4A"),
    (59, "a station of another line", 303, _other("station", given="foreign_station"), "IV.4A"),
    (60, "a user of another agency", 305, _other("user", given="foreign_user"), "IV.4A"),
    (61, "a user whose training has lapsed", 422, _other("user", given="lapsed_user"), "IV.4A"),
    (62, "an inquiry without a reason", 413, _without("RSN"), "IV.4A"),
    (63, "a purpose code that was withdrawn", 414, _with("CAP", "U"), "IV.4A"),
    (64, "criminal history without purpose", 410, _without("PUR"), "IH.QHA"),
    (65, "criminal history, purpose not valid", 411, _with("PUR", "H"), "IH.QHA"),
    (66, "criminal history without attention", 412, _without("ATN"), "IH.QHA"),
)
_REFUSED: Final = (
    Case(50, "text that is no message", "refused by frame; the line goes on",
         traffic.unreadable(201, 203, body="hello")),
    Case(51, "a header that ends too soon", "refused by frame; the line goes on",
         traffic.unreadable(203, 201, body="{station}.{ref}.{user}.AM")),
    Case(52, "a field without a value", "refused by frame; the line goes on",
         traffic.unreadable(202, 201, 203,
                       body="{station}.{ref}.{user}.IV.4A.{ori}.LIC/.RSN/CONFORMANCE TEST")),
    *(
        Case(number, title, f"E{code}", traffic.refusal(code, change, key))
        for number, title, code, change, key in _REFUSALS
    ),
    Case(67, "words of a refusal", "number, rule and law", traffic.refusal_in_words),
    Case(68, "an unknown destination", "E502", traffic.refused_note(502, "")),
    Case(69, "too many destinations", "E508", traffic.too_many),
    Case(70, "a group that this agency may not use", "E509",
         traffic.refused_note(509, "closed_group")),
    Case(71, "a message after refusals", "accepted, delivered", traffic.goes_on_after_refusals),
    Case(72, "criminal history without a case number", "E416",
         traffic.refusal(416, _without("OCA"), "IH.QHA")),
)  # fmt: skip

_MESSAGES: Final = (
    Case(80, "a message to a station", "it arrives", traffic.to_itself("station")),
    Case(81, "a message to an ORI", "it arrives at the ORI's station, once",
         traffic.to_itself("ori")),
    Case(82, "the same addressee three times", "it arrives once",
         traffic.to_itself("station", "station", "station")),
    Case(83, "a text with all signs", "it arrives byte for byte", traffic.text_unchanged),
    Case(84, "twenty messages one after the other", "they arrive in order", traffic.in_order),
    Case(85, "a message's header", "key and ORI of the sender", traffic.reply_header),
    Case(86, "a message to a group", "accepted", traffic.to_group),
)  # fmt: skip

# Number, title, key, fields, a word of each reply, addressees, key of the reply.
_R: Final = REASON
_P: Final = PURPOSE
_WALTER: Final = PERSON
_HITS: Final = (
    (100, "plate, stolen: DMV, SVS and NCIC", "IV.4A", {"LIC": "1ABC234", "LIS": "CA", **_R},
     ("SAMPLE,STELLA", "1902600000001", "V100000001"), (), ""),
    (101, "plate, no hit", "IV.4A", {"LIC": "2DEF567", "LIS": "CA", **_R},
     ("SAMPLE,ALEX", "NO RECORD", "NO RECORD"), (), ""),
    (102, "plate of another state", "IV.4A", {"LIC": "AZTEST1", "LIS": "AZ", **_R},
     ("SAMPLE,JORDAN", "NO RECORD", "NO RECORD"), (), ""),
    (103, "vehicle by its number", "IV.4V", {"VIN": "SYN0TOYCAMSTOLEN1", **_R},
     ("SAMPLE,STELLA", "1902600000001", "V100000001"), (), ""),
    (104, "driver by number", "ID.L1", {"OLN": "S0000001", **_R}, ("SAMPLE,ALEX",), (), ""),
    (105, "driver, no hit", "ID.L1", {"OLN": "S9999999", **_R}, ("NO RECORD",), (), ""),
    (106, "boat: ABS and NCIC", "IA.QB", {"REG": "CF1234AB", **_R},
     ("1902600000007", "B100000007"), (), ""),
    (107, "firearm: AFS and NCIC", "IG.QG", {"SER": "SYNGUN001", **_R},
     ("1902600000008", "G100000008"), (), ""),
    (108, "property: APS and NCIC", "IP.QA", {"SER": "SYNART001", "TYP": "BBICYCL", **_R},
     ("1902600000009", "A100000009"), (), ""),
    (109, "wanted person: WPS and NCIC", "IW.QW", {**_WALTER, **_R},
     ("1902600000002", "W100000002"), (), ""),
    (110, "wanted person, no hit", "IW.QW",
     {"NAM": "NOBODY,NORA", "SEX": "F", "DOB": "19700101", **_R},
     ("NO RECORD", "NO NCIC WANT"), (), ""),
    (111, "missing person: MUPS and NCIC", "IM.QM",
     {"NAM": "SAMPLE,MINA", "SEX": "F", "DOB": "20100505", **_R},
     ("1902600000003", "M100000003"), (), ""),
    (112, "restraining order: CARPOS and NCIC", "IB.QRR",
     {"NAM": "SAMPLE,ROBERT", "SEX": "M", "DOB": "19750310", **_R},
     ("1902600000004", "H100000004"), (), ""),
    (113, "supervised release: SRF", "IR.QVC",
     {"NAM": "SAMPLE,PETER", "SEX": "M", "DOB": "19880707", **_R}, ("1902600000005",), (), ""),
    (114, "registrant: VCIN and NCIC", "IX.QSA",
     {"NAM": "SAMPLE,REGIS", "SEX": "M", "DOB": "19691212", **_R},
     ("1902600000006", "X100000006"), (), ""),
    (115, "criminal history: ACHS", "IH.QHA", {**_WALTER, **_P}, ("A00000001",), (), ""),
    (116, "III index", "IH.R.QH", {**_WALTER, **_P}, ("100000AA1",), (), ""),
    (117, "security: NCIC only", "IJ.QS", {"SER": "SYNSEC001", **_R}, ("S100000010",), (), ""),
    (118, "registration, two states", "NLTS.RQ",
     {"LIC": "TXTEST1", "LIY": "2027", "LIT": "PC", **_R},
     ("SAMPLE,JORDAN", "NO RECORD"), ("AZ", "TX"), "RR"),
    (119, "driver, New York", "NLTS.DQ", {"OLN": "NY0000001", **_R}, ("NY0000001",), ("NY",),
     "DR"),
    (120, "driver history, Texas", "NLTS.KQ",
     {"OLN": "TX0000001", "PUR": "C", "ATN": "CONFORMANCE TEST", **_R}, ("TX0000001",), ("TX",),
     "KR"),
    (121, "criminal history, Texas", "NLTS.IQ",
     {"NAM": "SAMPLE,JORDAN", "SEX": "M", "DOB": "19820420", **_P}, ("TX00000001",), ("TX",),
     "IR"),
    (122, "boat registration, Arizona", "NLTS.BQ", {"REG": "AZ1TEST", **_R}, ("SAMPLE,JORDAN",),
     ("AZ",), "BR"),
    (123, "stolen vehicle, Canada", "NLTS.XQ",
     {"LIC": "CNTEST1", "CAP": "C", "RSN": "RECOVERED VEHICLE"}, ("CNTEST1",), ("CN",), "XR"),
    (124, "registration, Oregon's own line", "IO.RQ", {"LIC": "ORTEST1", **_R}, ("ORTEST1",),
     (), "RR"),
    (125, "registration, Nevada's own line", "NLTS.RQ",
     {"LIC": "NVTEST1", "LIY": "2027", "LIT": "PC", **_R}, ("NVTEST1",), ("NV",), "RR"),
    (126, "hit confirmation, yes", "NLTS.YQ",
     {"RTY": "SV", "RNO": "1", "PRI": "U", "OCA": "AZ-0001", "NIC": "V990650901",
      "LIC": "AZSTOL1", **_R}, ("CON/Y",), ("AZ0010000",), "YR"),
    (127, "hit confirmation, no", "NLTS.YQ",
     {"RTY": "SV", "RNO": "1", "PRI": "U", "OCA": "AZ-0002", "NIC": "V990650902",
      "LIC": "AZSTOL2", **_R}, ("CON/N",), ("AZ0010000",), "YR"),
)  # fmt: skip

_HOSTS: Final = (
    *(
        Case(number, title, f"{len(words)} replies, header restored",
             traffic.hit(key, fields, *words, to=to, reply=reply), hosts=True)
        for number, title, key, fields, words, to, reply in _HITS
    ),
    Case(140, "two inquiries at once", "each has its own replies", traffic.not_mixed, hosts=True),
    Case(141, "a record is entered", "found, and cancelled again",
         traffic.record_lives, hosts=True),
    Case(142, "a message to another state", "one comes back, by ORI", traffic.message_abroad,
         hosts=True),
    Case(150, "an unasked message of NCIC", "it arrives by ORI, text unchanged", traffic.unasked,
         hosts=True),
    Case(151, "a host too slow", "NRP at the deadline, then the late reply", traffic.late_reply,
         hosts=True),
    Case(152, "a host out of service", "told at once: E503", traffic.out_of_service, hosts=True),
)  # fmt: skip


def _numbered(*groups: tuple[Case, ...]) -> Iterator[Case]:
    for group in groups:
        yield from group


CASES: Final = tuple(_numbered(_FRAMING, _CUSTODY, _REFUSED, _MESSAGES, _HOSTS))
"""All cases, in the order of their numbers."""
