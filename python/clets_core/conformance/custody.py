"""What is done in cases about the line, custody and repetition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clets_core import _core
from clets_core.conformance.bench import LeftOutError, must, unique
from clets_core.conformance.fields import REASON

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from clets_core.conformance.bench import Bench

    Script = Callable[[Bench], Awaitable[str]]

WINDOW: Final = {"dmpp": 1, "native": 64}
"""Messages the switch sends without an acknowledgement, unless its bundle says otherwise."""
LONG_BYTES: Final = 40_000
HELD_SECONDS: Final = 1.0


async def comes_up(bench: Bench) -> str:
    """A connection, and a logon where there is one."""
    await bench.connect()
    return "connected" if bench.dmpp else f"LOGON_ACK, {bench.received} dealt with before"


async def keeps_alive(bench: Bench) -> str:
    """A status request, or a heartbeat, and its answer."""
    if bench.dmpp:
        bench.write(_core.frame("dmpp", "status_request", validation=b"1618"))
        reply = await bench.other("status_reply", "0022")
        must(reply.validation == b"1618", f"expected its validation back, not {reply.validation!r}")
        return "0022 with the same validation"
    bench.write(_core.frame("native", "heartbeat"))
    await bench.other("heartbeat", "HEARTBEAT after 5 s without traffic")
    return "HEARTBEAT"


def in_pieces(*cuts: int) -> Script:
    """A message whose frame is cut at offsets; none stands for every byte by itself."""

    async def script(bench: Bench) -> str:
        word = unique("PIECES")
        number = bench.next_number()
        data = bench.framed(bench.note(word).payload, number)
        places = sorted({cut % len(data) for cut in cuts or range(1, len(data))} - {0})
        for start, end in zip([0, *places], [*places, len(data)], strict=True):
            bench.write(data[start:end])
            if cuts:
                await bench.flush()
        answer = await bench.answer(number)
        must(answer.kind == "accept", f"expected acceptance, not {answer}")
        await bench.arrival(word)
        return f"accepted and delivered from {len(places) + 1} pieces"

    return script


def together(count: int, *, heartbeat: bool = False) -> Script:
    """Several messages in one write, with a keep-alive after each if wanted."""

    async def script(bench: Bench) -> str:
        word = unique("TOGETHER")
        numbers, data = [], b""
        alive = "status_request" if bench.dmpp else "heartbeat"
        for place in range(count):
            numbers.append(bench.next_number())
            data += bench.framed(bench.note(f"{word} {place}").payload, numbers[-1])
            data += _core.frame(bench.settings.framing, alive) if heartbeat else b""
        bench.write(data)
        for number in numbers:
            answer = await bench.answer(number)
            must(answer.kind == "accept", f"expected each to be accepted, not {answer}")
        found = await bench.arrival(word, count)
        order = [int(it.message.text.rsplit(" ", 1)[1].strip()) for it in found]
        must(order == list(range(count)), f"expected them in order, not {order}")
        return f"{count} accepted and delivered in order"

    return script


async def in_blocks(bench: Bench) -> str:
    """One message in two DMPP blocks."""
    word, number = unique("BLOCKS"), bench.next_number()
    payload = bench.note(word).payload
    validation = number.to_bytes(4, "big")
    for kind, part in (("data_more", payload[:30]), ("data", payload[30:])):
        bench.write(_core.frame("dmpp", kind, part, validation=validation))
        await bench.flush()
    answer = await bench.answer(number)
    must(answer.kind == "accept", f"expected acceptance, not {answer}")
    await bench.arrival(word)
    await bench.quiet()
    must(len(bench.answers[number]) == 1, "expected one acknowledgement for both blocks")
    return "0003 and 0002 made one message, acknowledged once"


async def long_message(bench: Bench) -> str:
    """A text that takes several blocks on DMPP."""
    word = unique("LONG")
    text = f"{word} " + "ABCDEFGHI " * (LONG_BYTES // 10)
    await bench.accepted(bench.note(text).payload)
    (found,) = await bench.arrival(word)
    must(text.strip() in found.message.text, "expected the whole text")
    return f"{len(text)} characters there and back"


def closes(code: int, dmpp: bytes, native: bytes, *, nak: int = 0, told: bool = True) -> Script:
    """Bytes that end the connection; the line may come back and work.

    Not ``told``: TCP may drop the refusal, because more bytes come than the switch reads.
    """

    async def script(bench: Bench) -> str:
        await bench.connect()
        bench.write(dmpp if bench.dmpp else native)
        said = await bench.closed()
        seen = "closed"
        if bench.dmpp and nak:
            naks = [it.status for found in bench.answers.values() for it in found]
            must(
                naks == [nak] or not (told or naks),
                f"expected 0012 with status {nak:04x}, not {naks}",
            )
            seen = f"0012 with status {nak:04x}, closed" if naks else seen
        if not bench.dmpp:
            codes = [it.code for it in said if it.kind == "reject"]
            must(codes == [code] or not (told or codes), f"expected REJECT E{code}, not {codes}")
            seen = f"REJECT E{code}, closed" if codes else seen
        await bench.connect()
        await bench.accepted(bench.note(unique("BACK")).payload)
        return f"{seen}; the line came back"

    return script


def out_of_turn(code: int, kind: str, *, logged_on: bool = True, told: bool = True) -> Script:
    """A native frame where it has no place. Not ``told``: the close may come without a word."""

    async def script(bench: Bench) -> str:
        await bench.connect(logon=logged_on)
        body = b'{"line":"x","receive":[1,1,1,1,1]}' if kind == "logon" else b"X"
        sequence = bench.received + 2 if kind == "data" and logged_on else 1
        bench.write(_core.frame("native", kind, body, sequence=sequence))
        said = await bench.closed()
        codes = [it.code for it in said if it.kind == "reject"]
        must(codes == [code] or not (told or codes), f"expected REJECT E{code}, not {codes}")
        return f"REJECT E{code}, closed" if codes else "closed"

    return script


async def wrong_line(bench: Bench) -> str:
    """LOGON for a line that this connection is not."""
    await bench.connect(logon=False)
    body = b'{"line":"no-such-line","receive":[1,1,1,1,1]}'
    bench.write(_core.frame("native", "logon", body))
    said = await bench.closed()
    codes = [it.code for it in said if it.kind == "reject"]
    must(codes == [801], f"expected REJECT E801, not {codes}")
    return "REJECT E801, closed"


async def half_message(bench: Bench) -> str:
    """A break in the middle of a frame."""
    await bench.connect()
    note = bench.note(unique("HALF"))
    data = bench.framed(note.payload, bench.next_number())
    bench.write(data[: len(data) // 2])
    await bench.flush()
    await bench.connect()
    word = unique("WHOLE")
    # Under the same reference: had the half been taken, this would be refused.
    whole = bench.ask("AM", [bench.settings.station], word, note.reference)
    await bench.accepted(whole.payload)
    await bench.arrival(word)
    return "nothing of the half message was taken"


async def superseded(bench: Bench) -> str:
    """Two connections at once."""
    await bench.connect()
    older = await bench.leave()
    await bench.connect()
    try:
        said = await older.closed()
        codes = [it.code for it in said if it.kind == "reject"]
        must(bench.dmpp or codes == [803], f"expected REJECT E803, not {codes}")
    finally:
        await older.drop()
    await bench.accepted(bench.note(unique("NEWER")).payload)
    return "the older connection was closed, the newer works"


async def answers_by_number(bench: Bench) -> str:
    """Several messages before the first answer."""
    numbers = []
    for _ in range(10):
        numbers.append(bench.next_number())
        bench.write(bench.framed(bench.note(unique("ONCE")).payload, numbers[-1]))
    for number in numbers:
        answer = await bench.answer(number)
        must(answer.kind == "accept", f"expected acceptance, not {answer}")
    await bench.quiet()
    counts = {number: len(found) for number, found in bench.answers.items()}
    must(counts == dict.fromkeys(numbers, 1), f"expected one answer to each, not {counts}")
    return "ten messages, one answer to each"


async def odd_validations(bench: Bench) -> str:
    """Validation bytes that could be taken for something else."""
    for number in (0, 0xFFFF_FFFF, 0x55AA_00FF):
        bench.write(bench.framed(bench.note(unique("ODD")).payload, number))
        answer = await bench.answer(number)
        must(answer.kind == "accept", f"expected acceptance, not {answer}")
    return "00000000, ffffffff and 55aa00ff came back"


async def unwanted_acknowledgement(bench: Bench) -> str:
    """DMPP function 0001."""
    word, number = unique("UNWANTED"), bench.next_number()
    bench.write(bench.framed(bench.note(word).payload, number, wants_ack=False))
    await bench.arrival(word)
    await bench.quiet()
    must(number not in bench.answers, "expected no acknowledgement of function 0001")
    return "delivered, and not acknowledged"


async def unknown_function(bench: Bench) -> str:
    """A DMPP function that nobody knows."""
    data = bytearray(_core.frame("dmpp", "status_request", validation=b"0099"))
    data[10:12] = b"\x00\x99"
    bench.write(bytes(data))
    answer = await bench.answer(int.from_bytes(b"0099", "big"))
    must((answer.kind, answer.status) == ("nak", 0x41), f"expected 0012, 0041, not {answer}")
    await bench.accepted(bench.note(unique("AFTER")).payload)
    return "0012 with status 0041, and the line goes on"


async def numbers_grow(bench: Bench) -> str:
    """Switch message numbers of the native protocol."""
    smns = [(await bench.accepted(bench.note(unique("SMN")).payload)).smn for _ in range(5)]
    must(smns == sorted(set(smns)) and smns[0] > 0, f"expected growing numbers, not {smns}")
    return f"message numbers {', '.join(map(str, smns))}"


def repeated(*, reconnect: bool) -> Script:
    """The same bytes again, on the same or on another connection."""

    async def script(bench: Bench) -> str:
        word = unique("REPEATED")
        payload = bench.note(word).payload
        first = await bench.accepted(payload)
        await bench.arrival(word)
        if reconnect:
            await bench.connect()
        again = await bench.accepted(payload)
        await bench.quiet()
        found = await bench.arrival(word)
        must(len(found) == 1, f"expected one delivery, not {len(found)}")
        must(first.smn == again.smn, f"expected number {first.smn} again, not {again.smn}")
        return "accepted twice, delivered once"

    return script


async def same_number(bench: Bench) -> str:
    """What was accepted goes out again under its number."""
    word = unique("NUMBERED")
    payload = bench.note(word).payload
    first = await bench.accepted(payload)
    await bench.arrival(word)
    count = bench.next_number() - 1
    bench.give_back()
    await bench.connect()
    must(bench.received == count, f"expected `received` {count}, not {bench.received}")
    bench.write(bench.framed(payload, bench.received))
    again = await bench.answer(bench.received)
    must((again.kind, again.smn) == ("accept", first.smn), f"expected {first}, not {again}")
    await bench.quiet()
    found = await bench.arrival(word)
    must(len(found) == 1, f"expected one delivery, not {len(found)}")
    return f"number {bench.received} was answered again with {again.smn}"


async def no_reference(bench: Bench) -> str:
    """Without a reference every message is new."""
    word = unique("NAMELESS")
    note = bench.ask("AM", [bench.settings.station], word, "")
    await bench.accepted(note.payload)
    await bench.accepted(note.payload)
    await bench.arrival(word, 2)
    return "two messages without a reference, two deliveries"


async def reused_reference(bench: Bench) -> str:
    """One reference for two texts."""
    note = bench.note(unique("FIRST"))
    await bench.accepted(note.payload)
    other = bench.ask("AM", [bench.settings.station], unique("SECOND"), note.reference)
    code, _ = await bench.refused(other.payload, note.reference)
    must(code == 211, f"expected E211, not E{code}")
    return "E211"


async def corrected(bench: Bench) -> str:
    """A refusal leaves the reference free."""
    note = bench.note(unique("WRONG"), ["NOSUCHST"])
    code, _ = await bench.refused(note.payload, note.reference)
    word = unique("RIGHT")
    again = bench.ask("AM", [bench.settings.station], word, note.reference)
    await bench.accepted(again.payload)
    await bench.arrival(word)
    return f"E{code}, then accepted under the same reference"


async def again_after_break(bench: Bench) -> str:
    """Custody stays with the switch until it is acknowledged."""
    word = unique("UNACKNOWLEDGED")
    bench.hold = True
    await bench.accepted(bench.note(word).payload)
    await bench.arrival(word)
    await bench.connect()
    _, again = await bench.arrival(word, 2)
    must(again.message.possible_duplicate, "expected the mark of a possible duplicate")
    bench.acknowledge(again)
    bench.hold = False
    await bench.flush()
    await bench.accepted(bench.note(unique("AFTER")).payload)
    return "came again, marked as a possible duplicate"


async def once_if_acknowledged(bench: Bench) -> str:
    """Custody goes over with the acknowledgement."""
    word = unique("ACKNOWLEDGED")
    await bench.accepted(bench.note(word).payload)
    await bench.arrival(word)
    # An answer shows that the acknowledgement before it was read.
    await bench.accepted(bench.note(unique("NEXT")).payload)
    await bench.connect()
    await bench.quiet(HELD_SECONDS)
    found = await bench.arrival(word)
    must(len(found) == 1, f"expected it once, not {len(found)} times")
    return "not sent again"


async def again_after_refusal(bench: Bench) -> str:
    """A negative acknowledgement is no custody."""
    word = unique("NOT NOW")
    bench.hold = True
    await bench.accepted(bench.note(word).payload)
    (first,) = await bench.arrival(word)
    bench.refuse(first)
    *_, again = await bench.arrival(word, 2)
    bench.acknowledge(again)
    return "came again after 0012"


async def window_holds(bench: Bench) -> str:
    """The switch waits when the window is full."""
    window = bench.settings.window or WINDOW[bench.settings.framing]
    word = unique("WINDOW")
    bench.hold = True
    for _ in range(window + 2):
        await bench.accepted(bench.note(word).payload)
    await bench.quiet(HELD_SECONDS)
    count = len(await bench.arrival(word, window))
    must(count == window, f"expected {window} without an acknowledgement, not {count}")
    bench.hold = False
    for held in list(bench.arrived):
        bench.acknowledge(held)
    await bench.arrival(word, window + 2)
    return f"{window} came, the others after the acknowledgement"


async def cumulative(bench: Bench) -> str:
    """DELIVERED covers all numbers below it."""
    word = unique("CUMULATIVE")
    bench.hold = True
    for _ in range(5):
        await bench.accepted(bench.note(word).payload)
    found = await bench.arrival(word, 5)
    bench.acknowledge(found[-1])
    bench.hold = False
    await bench.accepted(bench.note(unique("NEXT")).payload)
    await bench.connect()
    await bench.quiet(HELD_SECONDS)
    must(len(await bench.arrival(word)) == 5, "expected none of them again")
    return "one DELIVERED for five messages"


async def precedence(bench: Bench) -> str:
    """What waits goes out by precedence."""
    if (bench.settings.window or WINDOW[bench.settings.framing]) != 1:
        raise LeftOutError("needs a window of 1")
    word = unique("PRECEDENCE")
    bench.hold = True
    for place in (1, 2):
        await bench.accepted(bench.note(f"{word} {place}").payload)
    (first,) = await bench.arrival(word)
    asked = bench.ask("ID.L1", OLN="S0000001", **REASON)
    await bench.accepted(asked.payload)
    await bench.quiet(HELD_SECONDS)
    bench.hold = False
    bench.acknowledge(first)
    await bench.replies(asked.reference, 1)
    await bench.arrival(word, 2)
    keys = [it.message.key for it in bench.arrived][-2:]
    must(keys == ["L1", "AM"], f"expected the reply before the message, not {keys}")
    return "the reply overtook a message that waited"


async def numbered_by_precedence(bench: Bench) -> str:
    """Native out sequences, one for each precedence."""
    word = unique("COUNT")
    await bench.accepted(bench.note(word).payload)
    (note,) = await bench.arrival(word)
    asked = bench.ask("ID.L1", OLN="S0000001", **REASON)
    await bench.accepted(asked.payload)
    (reply,) = await bench.replies(asked.reference, 1)
    seen = (note.message.precedence, reply.precedence)
    must(seen == (3, 2), f"expected precedence 3 and 2, not {seen}")
    return "message P3, reply P2, each with a count of its own"
