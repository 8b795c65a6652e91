"""What is done in cases about refusals, messages and hosts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from clets_core.conformance.bench import LeftOutError, must, unique
from clets_core.conformance.fields import ASKED, REASON

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from clets_core.client import Received
    from clets_core.conformance.bench import Bench

    Script = Callable[[Bench], Awaitable[str]]


def unreadable(*codes: int, body: str) -> Script:
    """A payload that is no message: refused by frame, and the line goes on."""

    async def script(bench: Bench) -> str:
        mine = bench.settings
        text = body.format(
            station=mine.station, user=mine.user, ori=mine.ori, ref=unique("R")[-10:]
        )
        answer = await bench.send(text.encode())
        if bench.dmpp:
            must((answer.kind, answer.status) == ("nak", 0x13), f"expected 0012, 0013: {answer}")
        else:
            must(answer.code in codes, f"expected E{codes[0]}, not {answer}")
        await bench.accepted(bench.note(unique("AFTER")).payload)
        return "0012 with status 0013" if bench.dmpp else f"E{answer.code}"

    return script


def refusal(code: int, change: Callable[[Bench, bytes], bytes], key: str = "IV.4A") -> Script:
    """An inquiry, changed so that it must be refused by a number."""

    async def script(bench: Bench) -> str:
        asked = bench.ask(key, **ASKED[key])
        payload = change(bench, asked.payload)
        found, text = await bench.refused(payload, asked.reference)
        must(found == code, f"expected E{code}, not E{found}: {text[:100]}")
        return text.split("\r\n", 1)[0]

    return script


async def refusal_in_words(bench: Bench) -> str:
    """The parts of a refusal."""
    asked = bench.ask("IV.4A", LIC="1ABC234", LIS="CA", CAP="C")
    code, text = await bench.refused(asked.payload, asked.reference)
    for wanted in ("REJECTED E", "RULE ", "AUTHORITY "):
        must(wanted in text, f"expected `{wanted}` in {text[:120]}")
    head = asked.payload[:40].decode()
    must(not bench.dmpp or head in text, "expected the beginning of the message")
    return f"E{code} with rule and law"


async def goes_on_after_refusals(bench: Bench) -> str:
    """Refusals do no harm to the line."""
    for _ in range(5):
        note = bench.note("X", ["NOSUCHST"])
        await bench.refused(note.payload, note.reference)
    word = unique("STILL HERE")
    await bench.accepted(bench.note(word).payload)
    await bench.arrival(word)
    return "five refusals, and the next message passes"


async def too_many(bench: Bench) -> str:
    """More addressees than the limit, each of them known."""
    note = bench.note(unique("REFUSED"), bench.value("stations").split(","))
    code, text = await bench.refused(note.payload, note.reference)
    must(code == 508, f"expected E508, not E{code}: {text[:100]}")
    return text.split("\r\n", 1)[0]


def refused_note(code: int, value: str) -> Script:
    """A message to an addressee that the case is given."""

    async def script(bench: Bench) -> str:
        note = bench.note(unique("REFUSED"), [bench.value(value) if value else "NOSUCHST"])
        found, text = await bench.refused(note.payload, note.reference)
        must(found == code, f"expected E{code}, not E{found}: {text[:100]}")
        return text.split("\r\n", 1)[0]

    return script


def to_itself(*kinds: str) -> Script:
    """A message to this station by its mnemonic, its ORI, or several times."""

    async def script(bench: Bench) -> str:
        if "ori" in kinds:
            _ori_is_here(bench)
        word = unique("TO MYSELF")
        names = {"station": bench.settings.station, "ori": bench.settings.ori}
        await bench.accepted(bench.note(word, [names[kind] for kind in kinds]).payload)
        await bench.arrival(word)
        await bench.quiet()
        found = await bench.arrival(word)
        must(len(found) == 1, f"expected it once, not {len(found)} times")
        return f"arrived at {found[0].message.station}"

    return script


async def text_unchanged(bench: Bench) -> str:
    """Lower case, signs, dots, slashes and lines."""
    text = unique("Mixed Case, a.b/c: 'quoted' (x) #1 * & $ % = + - _ ; ? !")
    lines = f"{text}\r\nSECOND LINE.\r\n  INDENTED/LINE"
    await bench.accepted(bench.note(lines).payload)
    (found,) = await bench.arrival(text)
    must(lines in found.message.text, f"expected it byte for byte, not {found.message.text!r}")
    return "byte for byte"


async def in_order(bench: Bench) -> str:
    """The order of acceptance."""
    word = unique("ORDER")
    for place in range(20):
        await bench.accepted(bench.note(f"{word} {place}").payload)
    found = await bench.arrival(word, 20)
    order = [int(it.message.text.rsplit(" ", 1)[1].strip()) for it in found]
    must(order == list(range(20)), f"expected 0 to 19, not {order}")
    return "twenty messages in the order of their acceptance"


async def to_group(bench: Bench) -> str:
    """A broadcast to a group that the agency may use."""
    code = bench.value("group")
    await bench.accepted(bench.note(unique("GROUP TEST, DISREGARD"), [code]).payload)
    return f"accepted for {code}"


async def reply_header(bench: Bench) -> str:
    """What a receiver sees above the text."""
    word = unique("HEADER")
    await bench.accepted(bench.note(word).payload)
    (found,) = await bench.arrival(word)
    message = found.message.message
    must(message is not None, "expected a message of the CLETS form")
    if message is not None:
        must(message.origin == bench.settings.ori, f"expected its ORI, not {message.origin}")
        must(message.mke == "AM", f"expected AM, not {message.mke}")
    return f"AM from {bench.settings.ori}"


def hit(
    key: str, fields: dict[str, str], *words: str, to: tuple[str, ...] = (), reply: str = ""
) -> Script:
    """An inquiry; each word must be in a reply of its own, and every header restored."""

    async def script(bench: Bench) -> str:
        asked = bench.ask(key, to, **fields)
        await bench.accepted(asked.payload)

        def found() -> list[Received]:
            return [it.message for it in bench.arrived if it.message.reference == asked.reference]

        def done() -> bool:
            # What the switch asks besides may be answered in between.
            return any(it.key == "REJ" for it in found()) or not _missing(found(), words)

        await bench.until(done, f"replies with {', '.join(words)}", found)
        missing = _missing(found(), words)
        must(not missing, f"expected `{missing}`: {' | '.join(it.text[:90] for it in found())}")
        for it in found():
            who = (it.station, it.message.user if it.message else "")
            mine = (bench.settings.station, bench.settings.user)
            must(who == mine, f"expected station and user {mine}, not {who}")
            must(not reply or it.key in {reply, "DLY"}, f"expected {reply}, not {it.key}")
        return f"{len(found())} replies: " + ", ".join(words)

    return script


def _missing(found: list[Received], words: tuple[str, ...]) -> str:
    """The first word that no reply of its own has; empty when each has one."""
    left = list(found)
    for word in words:
        one = next((it for it in left if word in it.text), None)
        if one is None:
            return word
        left = [it for it in left if it is not one]
    return ""


async def not_mixed(bench: Bench) -> str:
    """Two inquiries on their way together."""
    plates = {"1ABC234": "SAMPLE,STELLA", "2DEF567": "SAMPLE,ALEX"}
    asked = {plate: bench.ask("IV.4A", LIC=plate, LIS="CA", **REASON) for plate in plates}
    for one in asked.values():
        await bench.accepted(one.payload)
    for plate, owner in plates.items():
        found = await bench.replies(asked[plate].reference, 3)
        must(any(owner in it.text for it in found), f"expected {owner} for {plate}")
        others = set(plates.values()) - {owner}
        must(not any(word in it.text for it in found for word in others), "replies were mixed")
    return "two inquiries at once, each with its own replies"


async def record_lives(bench: Bench) -> str:
    """An entry in a state file of the simulation."""
    plate = f"8C{unique('')[-5:]}"
    theft = {"LIC": plate, "LIS": "CA", "LIY": "2027", "LIT": "PC", "VMA": "FORD"}
    theft |= {"VIN": f"SYN{plate}", "VYR": "2024", "DOT": "20261101", "OCA": "CONFORMANCE"}
    named = {"LIC": plate, "LIS": "CA", "VIN": f"SYN{plate}", "OCA": "CONFORMANCE"}
    steps = (
        ("IA.EV", theft, "ENTERED"),
        ("IA.QV", {"LIC": plate, "LIS": "CA", **REASON}, f"SYN{plate}"),
        ("IA.XV", {**named, "DOC": "20261102"}, "CANCELLED"),
    )
    for key, fields, word in steps:
        asked = bench.ask(key, **fields)
        await bench.accepted(asked.payload)
        found = await bench.replies(asked.reference, 2 if key == "IA.QV" else 1)
        text = " ".join(it.text for it in found)
        must(word in text, f"{key}: expected `{word}` in {text[:120]}")
    return "entered, found, cancelled"


def _ori_is_here(bench: Bench) -> None:
    """What comes by ORI goes to the ORI's own station, which may be behind another line."""
    if bench.settings.values.get("ori_elsewhere"):
        raise LeftOutError("the ORI's own station is behind another line")


async def message_abroad(bench: Bench) -> str:
    """An administrative message through Nlets."""
    _ori_is_here(bench)
    word = unique("CONFORMANCE")
    await bench.accepted(bench.note(word, ["AZ"]).payload)
    (found,) = await bench.arrival(word)
    must(found.message.reference == "", "expected it without a reference: nobody asked for it")
    return "through Nlets; what Arizona sent back was routed by ORI"


async def late_reply(bench: Bench) -> str:
    """A host that answers after the deadline."""
    deadline = bench.settings.deadline
    await bench.steer(host="oregon", delay=deadline + 1)
    try:
        asked = bench.ask("IO.RQ", LIC="ORTEST1", **REASON)
        await bench.accepted(asked.payload)

        def keys() -> list[str]:
            return [it.message.key for it in bench.arrived]

        await bench.until(lambda: "NRP" in keys(), "NRP", keys, deadline + 5)
        await bench.until(lambda: "RR" in keys(), "the late reply", keys, deadline + 5)
    finally:
        await bench.steer(host="oregon", delay=0)
    return "NRP at the deadline, then the reply"


async def out_of_service(bench: Bench) -> str:
    """A host that takes no connection, and comes back."""
    await bench.steer(host="oregon", outage=True)
    try:
        await asyncio.sleep(0.3)
        asked = bench.ask("IO.RQ", LIC="ORTEST1", **REASON)
        await bench.accepted(asked.payload)
        (found,) = await bench.replies(asked.reference, 1)
        must("E503" in found.text, f"expected E503, not {found.text[:80]}")
    finally:
        await bench.steer(host="oregon", outage=False)
    for _ in range(int(bench.settings.patience * 4)):
        asked = bench.ask("IO.RQ", LIC="ORTEST1", **REASON)
        await bench.accepted(asked.payload)
        (back,) = await bench.replies(asked.reference, 1)
        if back.key == "RR":
            break
        await asyncio.sleep(0.25)
    must(back.key == "RR", f"expected a reply once it is back, not {back.text[:80]}")
    return found.text.split("\r\n", 1)[0]


async def unasked(bench: Bench) -> str:
    """A message of NCIC that answers nobody."""
    _ori_is_here(bench)
    ori, word = bench.settings.ori, unique("SYN")
    notice = {"ori": ori, "kind": "$.A.", "values": {"words": word}}
    await bench.steer(host="ncic", notice=notice)
    (found,) = await bench.arrival(word)
    must(found.message.reference == "", "expected an empty reference")
    must("$.A." in found.message.text, "expected NCIC's text unchanged")
    return f"routed by ORI {ori}"
