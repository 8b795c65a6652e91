"""The scenario of ``clets demo``: what is asked, and what must be seen."""

from __future__ import annotations

import asyncio
import shutil
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from clets_core._core import journal_records, journal_verify
from clets_core.cli.operator import ask
from clets_core.cli.stage import REPLY_SECONDS, Stage
from clets_core.client import Answer, Client, Received, inquire
from clets_core.errors import CletsError, JournalError
from clets_core.runtime.control import SOCKET_NAME

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path


class Show(Protocol):
    """Tells the audience of one step."""

    def __call__(self, number: int, total: int, title: str, seen: str, *, passed: bool) -> None:
        """One step: its place, its title, what was seen."""


class SeenError(Exception):
    """Something else was seen than what must be."""


def _must(holds: object, what: str) -> None:
    if not holds:
        raise SeenError(what)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a station, and the line it is reached by."""

    line: str
    station: str
    ori: str
    user: str
    where: str


DEPUTY: Final = Person("county-019", "A0190001", "CA0190000", "U000001", "county line")
TRAINEE: Final = Person("county-019", "A0190001", "CA0190000", "U000002", "county line")
LAPSED: Final = Person("county-019", "A0190001", "CA0190000", "U000006", "county line")
PATROL: Final = Person("msc-01", "M0010003", "CA0010100", "U000031", "mobile behind an MSC")
DISPATCH: Final = Person("cad-01", "I0340001", "CA0340100", "U000041", "CAD system")
HARBOR: Final = Person("county-037", "A0370001", "CA0370000", "U001247", "San Diego line")
SHERIFF: Final = Person("county-038", "A0380001", "CA0380000", "U000051", "county line")

INQUIRY: Final = {"CAP": "C", "RSN": "TRAFFIC STOP", "OCA": "26-104"}
HISTORY: Final = {"CAP": "C", "PUR": "C", "ATN": "DET SAMPLE", "OCA": "26-104"}
WALTER: Final = {"NAM": "SAMPLE,WALTER", "SEX": "M", "DOB": "19800101"}
CANADA: Final = {"CAP": "C", "RSN": "RECOVERED VEHICLE"}


@dataclass(frozen=True, slots=True)
class Ask:
    """One inquiry: who, the key, its fields, and a word from each reply that must come."""

    title: str
    who: Person
    key: str
    fields: dict[str, str]
    expected: tuple[str, ...]
    to: tuple[str, ...] = ()


ASKS: Final = (
    Ask(
        "plate, in state, stolen",
        DEPUTY,
        "IV.4A",
        {"LIC": "1ABC234", "LIS": "CA", **INQUIRY},
        ("@dmv SAMPLE,STELLA", "@svs 1902600000001", "@ncic V100000001"),
    ),
    Ask(
        "plate, in state, no hit",
        PATROL,
        "IV.4A",
        {"LIC": "2DEF567", "LIS": "CA", **INQUIRY},
        ("@dmv SAMPLE,ALEX", "@svs NO RECORD", "@ncic NO RECORD"),
    ),
    Ask(
        "plate, out of state",
        DISPATCH,
        "IV.4A",
        {"LIC": "AZTEST1", "LIS": "AZ", **INQUIRY},
        ("@svs NO RECORD", "@ncic NO RECORD", "@nlets AZTEST1"),
    ),
    Ask(
        "boat",
        DEPUTY,
        "IA.QB",
        {"REG": "CF1234AB", **INQUIRY},
        ("@abs 1902600000007", "@ncic B100000007"),
    ),
    Ask(
        "firearm",
        DEPUTY,
        "IG.QG",
        {"SER": "SYNGUN001", **INQUIRY},
        ("@afs 1902600000008", "@ncic G100000008"),
    ),
    Ask(
        "property",
        DEPUTY,
        "IP.QA",
        {"SER": "SYNART001", "TYP": "BBICYCL", **INQUIRY},
        ("@aps 1902600000009", "@ncic A100000009"),
    ),
    Ask(
        "wanted person",
        DISPATCH,
        "IW.QW",
        {**WALTER, **INQUIRY},
        ("@wps 1902600000002", "@ncic W100000002"),
    ),
    Ask(
        "missing person",
        DEPUTY,
        "IM.QM",
        {"NAM": "SAMPLE,MINA", "SEX": "F", "DOB": "20100505", **INQUIRY},
        ("@mups 1902600000003", "@ncic M100000003"),
    ),
    Ask(
        "restraining order",
        DEPUTY,
        "IB.QRR",
        {"NAM": "SAMPLE,ROBERT", "SEX": "M", "DOB": "19750310", **INQUIRY},
        ("@carpos 1902600000004", "@ncic H100000004"),
    ),
    Ask(
        "supervised release",
        DEPUTY,
        "IR.QVC",
        {"NAM": "SAMPLE,PETER", "SEX": "M", "DOB": "19880707", **INQUIRY},
        ("@srf 1902600000005",),
    ),
    Ask("criminal history", DEPUTY, "IH.QHA", {**WALTER, **HISTORY}, ("@achs A00000001",)),
    Ask(
        "registrant",
        DEPUTY,
        "IX.QSA",
        {"NAM": "SAMPLE,REGIS", "SEX": "M", "DOB": "19691212", **INQUIRY},
        ("@vcin 1902600000006", "@ncic X100000006"),
    ),
    Ask(
        "driver licence",
        PATROL,
        "ID.L1",
        {"OLN": "S0000001", **INQUIRY},
        ("@dmv SAMPLE,ALEX",),
    ),
    Ask("security, NCIC only", DEPUTY, "IJ.QS", {"SER": "SYNSEC001", **INQUIRY}, ("@ncic S1000",)),
    Ask("III index", DEPUTY, "IH.R.QH", {**WALTER, **HISTORY}, ("@iii 100000AA1",)),
    Ask(
        "registration, Arizona and Texas",
        DEPUTY,
        "NLTS.RQ",
        {"LIC": "TXTEST1", "LIY": "2027", "LIT": "PC", **INQUIRY},
        ("@nlets AZ MOTOR VEHICLE", "@nlets TXTEST1"),
        ("AZ", "TX"),
    ),
    Ask(
        "driver, New York",
        PATROL,
        "NLTS.DQ",
        {"OLN": "NY0000001", **INQUIRY},
        ("@nlets NY0000001",),
        ("NY",),
    ),
    Ask(
        "vehicle, Canada",
        DEPUTY,
        "NLTS.XQ",
        {"LIC": "CNTEST1", **CANADA},
        ("@nlets CNTEST1",),
        ("CN",),
    ),
    Ask("registration, Oregon", DEPUTY, "IO.RQ", {"LIC": "ORTEST1", **INQUIRY}, ("@oregon ORTE",)),
    Ask(
        "registration, Nevada",
        DEPUTY,
        "NLTS.RQ",
        {"LIC": "NVTEST1", "LIY": "2027", "LIT": "PC", **INQUIRY},
        ("@nevada NVTEST1",),
        ("NV",),
    ),
)


@dataclass(slots=True)
class _Progress:
    """What has become of a storm of messages so far."""

    accepted: int = 0
    delivered: int = 0
    repeated: int = 0
    unmarked: int = 0


class Scenario:
    """The steps, in order; each gives what was seen or raises `SeenError`."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def steps(self) -> list[tuple[str, Callable[[], Awaitable[str]]]]:
        """Title and action of each step."""
        asks = [(ask.title, self._ask_step(ask)) for ask in ASKS]
        return [
            ("the switch starts", self._start),
            *asks,
            ("a county's own key, and the owner's licence after it", self._county),
            ("one collated reply", self._collated),
            ("a record is entered", self._enter),
            ("it is found", self._found),
            ("it is cancelled", self._cancel),
            ("and is found no more", self._found_no_more),
            ("refused: no reason", self._no_reason),
            ("refused: retired purpose", self._retired_purpose),
            ("refused: immigration enforcement", self._immigration),
            ("refused: one's own record", self._own_record),
            ("refused: a user suspended a moment ago", self._suspended),
            ("refused: less than full access", self._less_than_full),
            ("refused: training lapsed", self._lapsed),
            ("refused: a station of another line", self._spoof),
            ("message, point to point", self._point_to_point),
            ("message, point to point, to Arizona and back", self._to("AZ0070000")),
            ("message to Canada and back", self._to("CN")),
            ("unsolicited hit from NCIC", self._unsolicited),
            ("bulletin to a group", self._bulletin),
            ("broadcast to a region: held, approved, delivered", self._intercepted),
            ("and another, returned", self._returned),
            ("message for a line that is down", self._held),
            ("silent host: NO-REPLY, then a late answer", self._silent),
            ("host out of service: told at once", self._outage),
            ("kill -9 in mid-traffic: nothing accepted is lost", self._kill),
            ("the switch stops in order", self._stop),
            ("the journal proves itself", self._verify),
            ("a forged journal does not", self._forged),
        ]

    async def _start(self) -> str:
        seconds = await self._stage.start()
        for name in ("county-019", "county-038", "msc-01", "cad-01"):
            await self._stage.line(name)
        await self._hosts_up()
        hosts = len(self._stage.hosts)
        users = len(self._stage.bundle.configuration.users)
        return f"ready in {seconds:.1f} s with {users:,} users; 4 lines by TLS, {hosts} hosts"

    async def _hosts_up(self) -> None:
        """Waits until the switch has a connection to every host."""
        async with asyncio.timeout(30):
            # The systems are looked at as an operator would, now and again.
            while not all(it.connected for it in self._stage.hosts.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def _ask(
        self,
        who: Person,
        key: str,
        replies: int,
        fields: dict[str, str],
        to: Sequence[str] = (),
        seconds: float = 15,
    ) -> Answer:
        client = await self._stage.line(who.line)
        question = inquire(
            station=who.station, user=who.user, ori=who.ori, key=key, to=to, **fields
        )
        return await client.ask(question, replies=replies, timeout=seconds)

    def _ask_step(self, ask: Ask) -> Callable[[], Awaitable[str]]:
        async def step() -> str:
            answer = await self._ask(ask.who, ask.key, len(ask.expected), ask.fields, ask.to)
            found = []
            for expected in ask.expected:
                host, _, word = expected.removeprefix("@").partition(" ")
                ori = self._stage.hosts[host].ori
                # Nlets and Nevada pass on what a state answers under its own ORI.
                ori = "" if host in {"nlets", "nevada"} else ori
                reply = next((it for it in answer.replies if _from(it, ori, word)), None)
                _must(reply, f"no `{word}` from {host} in {_texts(answer.replies)}")
                found.append(f"{host} says {word}")
            return f"{ask.key} from a {ask.who.where}; " + ", ".join(found)

        return step

    async def _county(self) -> str:
        """Four replies: three files are asked, and the DMV's answer is followed to the owner."""
        answer = await self._ask(HARBOR, "QV", 4, {"LICN": "1ABC234", **INQUIRY})
        texts = _texts(answer.replies)
        _must("V100000001" in texts and "1902600000001" in texts, f"no hits in {texts}")
        keys = [reply.key for reply in answer.replies]
        _must(keys.count("QV") == 3, f"expected three replies under QV, not {keys}")
        record = self._last("accepted", lambda body: body["line"] == HARBOR.line)
        _must(record.get("follow_up") == "owner-licence", f"not followed: {record['key']}")
        return "QV with LICN asked dmv, svs, ncic; replies under QV; then IN.L1 for the owner"

    async def _collated(self) -> str:
        fields = {"LIC": "1ABC234", "LIS": "CA", **INQUIRY, "COL": "Y"}
        answer = await self._ask(DISPATCH, "IV.4A", 1, fields)
        text = _texts(answer.replies)
        _must(text.startswith("COLLATED REPLY"), f"expected a summary in {text}")
        for word in ("SAMPLE,STELLA", "1902600000001", "V100000001"):
            _must(word in text, f"no `{word}` in {text}")
        hits = next(line for line in text.splitlines() if line.startswith("HIT: "))
        return f"IV.4A with COL/Y: one message; {hits}"

    async def _enter(self) -> str:
        fields = {"LIC": "9SYN999", "LIS": "CA", "LIY": "2027", "LIT": "PC", "VMA": "FORD"}
        fields |= {"VIN": "SYN0FORDEMOENTRY1", "VYR": "2024", "DOT": "20261101", "OCA": "26-777"}
        answer = await self._ask(DEPUTY, "IA.EV", 1, fields)
        text = _texts(answer.replies)
        _must("FCN" in text, f"expected a file control number in {text}")
        return f"IA.EV; svs answers {_first_line(answer.replies)}"

    async def _vehicle(self, reply: str) -> str:
        fields = {"LIC": "9SYN999", "LIS": "CA", **INQUIRY}
        answer = await self._ask(DEPUTY, "IA.QV", 2, fields)
        found = _from_host(answer.replies, self._stage.hosts["svs"].ori)
        _must(reply in found, f"expected `{reply}` in {found}")
        return f"IA.QV; svs says {reply}"

    async def _found(self) -> str:
        return await self._vehicle("SYN0FORDEMOENTRY1")

    async def _cancel(self) -> str:
        fields = {"LIC": "9SYN999", "LIS": "CA", "VIN": "SYN0FORDEMOENTRY1", "OCA": "26-777"}
        answer = await self._ask(DEPUTY, "IA.XV", 1, {**fields, "DOC": "20261102"})
        text = _texts(answer.replies)
        _must("CANCEL" in text, f"expected a cancellation in {text}")
        return f"IA.XV; svs answers {_first_line(answer.replies)}"

    async def _found_no_more(self) -> str:
        return await self._vehicle("NO RECORD")

    async def _refused(
        self, who: Person, key: str, fields: dict[str, str], code: int, rule: str
    ) -> str:
        answer = await self._ask(who, key, 1, fields)
        text = _texts(answer.replies) + answer.receipt.text
        _must(answer.refused and f"E{code} " in text, f"expected E{code} in {text}")
        _must(f"RULE {rule}" in text, f"expected rule {rule} in {text}")
        cite = text.split("AUTHORITY ", 1)[1].split("\r\n", 1)[0]
        return f"{key} E{code}, rule {rule}, {cite}"

    async def _no_reason(self) -> str:
        fields = {"LIC": "1ABC234", "LIS": "CA", "CAP": "C"}
        return await self._refused(PATROL, "IV.4A", fields, 413, "I-10")

    async def _retired_purpose(self) -> str:
        fields = {**WALTER, **HISTORY, "PUR": "U"}
        return await self._refused(DEPUTY, "IH.R.QH", fields, 414, "I-06")

    async def _own_record(self) -> str:
        fields = {"LIC": "9OWN001", "LIS": "CA", "CAP": "C", "RSN": "TRAFFIC STOP"}
        answer = await self._ask(DEPUTY, "IV.4A", 1, fields)
        text = _texts(answer.replies) + answer.receipt.text
        _must(answer.refused and "E430 " in text, f"expected E430 in {text}")
        return "IV.4A E430: the plate is on the list of U000001's own, as a keyed digest"

    async def _suspended(self) -> str:
        why = {"user": DEPUTY.user, "operator": "SGT SAMPLE", "reason": "misuse case"}
        asked = {"LIC": "1ABC234", "LIS": "CA", "CAP": "C", "RSN": "TRAFFIC STOP"}
        done = await self._operator("user.suspend", **why)
        said = await self._refused(DEPUTY, "IV.4A", asked, 424, "A-18.1")
        await self._operator("user.restore", **why)
        passed = await self._ask(DEPUTY, "IV.4A", 3, asked)
        _must(not passed.refused, f"expected answers, not {_texts(passed.replies)}")
        return f"{said}; record {done['record']}; restored and answered"

    async def _immigration(self) -> str:
        """What is blocked names no rule to its sender; an innocent word passes."""
        plate = {"LIC": "1ABC234", "LIS": "CA", "CAP": "C"}
        blocked = plate | {"RSN": "ICE DETAINER REMOVAL"}
        answer = await self._ask(PATROL, "IV.4A", 1, blocked)
        text = _texts(answer.replies) + answer.receipt.text
        _must(answer.refused and "E430 " in text, f"expected E430 in {text}")
        _must("RULE" not in text and "15160" not in text, f"expected no rule in {text}")
        innocent = plate | {"RSN": "POSS ICE / METH SALES"}
        passed = await self._ask(PATROL, "IV.4A", 3, innocent)
        _must(not passed.refused, f"expected answers, not {_texts(passed.replies)}")
        return "IV.4A E430 and no rule named; `POSS ICE / METH SALES` is answered"

    async def _less_than_full(self) -> str:
        fields = {"LIC": "8SYN888", "LIS": "CA", "LIY": "2027", "LIT": "PC", "VMA": "FORD"}
        fields |= {"VIN": "SYN0FORDEMOENTRY2", "VYR": "2024", "DOT": "20261101", "OCA": "26-778"}
        return await self._refused(TRAINEE, "IA.EV", fields, 423, "A-13")

    async def _lapsed(self) -> str:
        fields = {"LIC": "1ABC234", "LIS": "CA", **INQUIRY}
        return await self._refused(LAPSED, "IV.4A", fields, 422, "A-11")

    async def _spoof(self) -> str:
        pretender = Person("county-038", "A0190001", "CA0190000", "U000001", "county line")
        fields = {"LIC": "1ABC234", "LIS": "CA", **INQUIRY}
        return await self._refused(pretender, "IV.4A", fields, 303, "A-05.2")

    async def _send(self, who: Person, to: Sequence[str], text: str) -> None:
        client = await self._stage.line(who.line)
        note = inquire(station=who.station, user=who.user, ori=who.ori, key="AM", to=to, text=text)
        receipt = await client.send(note)
        _must(receipt.accepted, f"not accepted: {receipt}")

    async def _arrives(self, line: str, word: str) -> Received:
        """The next message on a line that has the word; others are passed over."""
        client = await self._stage.line(line)
        async with asyncio.timeout(15):
            while True:
                message = await client.receive()
                if word in message.text:
                    return message

    async def _point_to_point(self) -> str:
        await self._send(DEPUTY, [SHERIFF.station], "PLEASE CALL SGT SAMPLE RE 26-104")
        message = await self._arrives("county-038", "SGT SAMPLE")
        return f"AM from {DEPUTY.station} arrives at {message.station}, on another county's line"

    def _to(self, member: str) -> Callable[[], Awaitable[str]]:
        async def step() -> str:
            await self._send(DEPUTY, [member], f"ATTEMPT TO LOCATE FOR DEMO {member}")
            message = await self._arrives("county-019", f"DEMO {member}")
            _must(message.key == "AM", f"expected an AM, not {message.key}")
            origin = message.message.origin if message.message else ""
            return f"AM through Nlets; the answer from {origin} arrives at {message.station}"

        return step

    async def _unsolicited(self) -> str:
        text = "$.H. DELAYED INQUIRY HIT NIC/V100000001 SYNTHETIC"
        self._stage.hosts["ncic"].unsolicited("CA0380000", text)
        message = await self._arrives("county-038", "$.H.")
        return f"routed by ORI CA0380000 to {message.station}"

    async def _bulletin(self) -> str:
        code = "GSO"
        await self._send(DISPATCH, [code], "BOLO WHITE SEDAN 9SYN999 OFFICER SAFETY")
        for line in ("county-019", "county-038"):
            await self._arrives(line, "BOLO")
        record = self._last("accepted", lambda body: body["line"] == "cad-01")
        entries = len(record["entries"])
        _must(entries > 2, f"expected an entry for each station, found {entries}")
        return f"{code}: one body, {entries} entries; 2 lines up have it, the others' wait"

    async def _waiting(self, text: str) -> int:
        """Sends a broadcast that needs an approval; gives its number in the intercept queue."""
        await self._send(DEPUTY, ["A1"], text)
        await self._arrives("county-019", "HELD FOR APPROVAL")
        (waiting,) = await self._operator("intercept.list")
        return int(waiting["message"])

    async def _operator(self, verb: str, **said: object) -> Any:  # noqa: ANN401
        """What an operator does by a verb of the control socket."""
        control = self._stage.journal / SOCKET_NAME
        return await asyncio.to_thread(ask, control, verb, **said)

    async def _intercepted(self) -> str:
        number = await self._waiting("KIDNAPPING, WHITE SEDAN 9SYN999")
        why = {"operator": "SGT SAMPLE", "reason": "urgent enough"}
        await self._operator("intercept.forward", message=number, **why)
        answer = await self._arrives("county-019", "YOUR MESSAGE WAS RECEIVED")
        _must("KIDNAPPING" in answer.text, f"expected the broadcast in {answer.text}")
        origin = answer.message.origin if answer.message else ""
        return f"A1 waits as {number} by rule B-11; forwarded by SGT SAMPLE; {origin} has it"

    async def _returned(self) -> str:
        number = await self._waiting("CHARITY RUN ON SUNDAY")
        why = {"operator": "SGT SAMPLE", "reason": "no crime information"}
        await self._operator("intercept.return", message=number, **why)
        notice = await self._arrives("county-019", "E531")
        _must("NO CRIME INFORMATION" in notice.text, f"no reason in {notice.text}")
        return f"{notice.key} E531 to {notice.station}, with the operator's reason"

    async def _held(self) -> str:
        await self._send(DEPUTY, ["A0560001"], "WAIT FOR ME")
        await asyncio.sleep(0.5)
        client = await self._stage.line("county-056")
        message = await self._arrives("county-056", "WAIT FOR ME")
        _must(client.connected, "the line is up")
        return f"accepted while county-056 was down, delivered to {message.station} on its return"

    async def _silent(self) -> str:
        achs = self._stage.hosts["achs"]
        await achs.change(delay=REPLY_SECONDS + 2)
        fields = {**WALTER, **HISTORY}
        answer = await self._ask(DEPUTY, "IH.QHA", 1, fields, seconds=REPLY_SECONDS + 10)
        _must([it.key for it in answer.replies] == ["NRP"], f"no notice: {answer.replies}")
        late = await self._arrives("county-019", "LATE REPLY")
        await achs.change(delay=0)
        _must("A00000001" in late.text, f"expected the answer in {late.text}")
        return f"NRP after {REPLY_SECONDS} s, and the answer 2 s later, marked LATE REPLY"

    async def _outage(self) -> str:
        oregon = self._stage.hosts["oregon"]
        await oregon.change(outage=True)
        await asyncio.sleep(0.3)
        fields = {"LIC": "ORTEST1", **INQUIRY}
        answer = await self._ask(DEPUTY, "IO.RQ", 1, fields)
        await oregon.change(outage=False)
        text = _texts(answer.replies)
        _must("E503" in text and "WILL NOT BE FORWARDED" in text, f"expected E503 in {text}")
        return "UND E503, will not be forwarded"

    async def _kill(self) -> str:
        """Two lines send as fast as they may; the switch is killed among it all, twice."""
        sent, people = 4_000, (PATROL, DISPATCH)
        progress = _Progress()
        collected = asyncio.create_task(self._collect("county-038", sent, progress))
        lines = [await self._stage.line(who.line) for who in people]
        tasks = [
            asyncio.create_task(
                self._storm(lines[number % 2], people[number % 2], number, progress)
            )
            for number in range(sent)
        ]
        moments = []
        for share in (0.25, 0.5):
            async with asyncio.timeout(60):
                while progress.accepted < sent * share:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
            await self._stage.stop(signal.SIGKILL)
            moments.append(f"{progress.accepted} accepted and {progress.delivered} delivered")
            await self._stage.start()
        await asyncio.gather(*tasks)
        await collected
        _must(progress.accepted == sent, f"{progress.accepted} of {sent} accepted")
        _must(progress.delivered == sent, f"{progress.delivered} of {sent} delivered")
        _must(not progress.unmarked, f"{progress.unmarked} repeated without a mark")
        await self._hosts_up()
        killed = " and at ".join(moments)
        return (
            f"killed at {killed}; in the end {sent} accepted, {sent} delivered, "
            f"{progress.repeated} repeats, all marked"
        )

    async def _storm(self, client: Client, who: Person, number: int, progress: _Progress) -> None:
        note = inquire(
            station=who.station,
            user=who.user,
            ori=who.ori,
            key="AM",
            to=[SHERIFF.station],
            text=f"STORM {number}",
        )
        receipt = await client.send(note)
        progress.accepted += receipt.accepted

    async def _collect(self, line: str, count: int, progress: _Progress) -> None:
        """Takes the storm's messages as they arrive, each once or with the mark of a repeat."""
        client = await self._stage.line(line)
        numbers: set[str] = set()
        async with asyncio.timeout(90):
            while len(numbers) < count:
                message = await client.receive()
                mark, _, number = message.text.rpartition("STORM ")
                if number in numbers:
                    progress.repeated += 1
                    progress.unmarked += "POSSIBLE DUPLICATE" not in mark
                numbers.add(number)
                progress.delivered = len(numbers)

    async def _stop(self) -> str:
        code = await self._stage.stop(signal.SIGTERM)
        _must(code == 0, f"exit code {code}")
        return "SIGTERM, exit code 0"

    async def _verify(self) -> str:
        report = journal_verify(self._stage.journal)
        _must(not report["torn_tail"], "a torn tail after an orderly stop")
        kinds = {kind for _number, kind, _time, _body in journal_records(self._stage.journal)}
        _must({"accepted", "refused", "outcomes"} <= kinds, f"kinds {kinds}")
        root, records = report["root"][:16], report["records"]
        return f"{records:,} records, {report['checkpoints']} signed checkpoints, root {root}…"

    async def _forged(self) -> str:
        copy = self._stage.folder / "forged"
        shutil.copytree(self._stage.journal, copy)
        segment = next(path for path in sorted(copy.iterdir()) if path.suffix not in _NOT_SEGMENTS)
        data = bytearray(segment.read_bytes())
        place = data.index(b"A0190001")
        data[place : place + 8] = b"A0190002"
        segment.write_bytes(data)
        try:
            journal_verify(copy)
        except JournalError as error:
            return f"one station changed in a copy: E{error.code}"
        msg = "the forgery was not noticed"
        raise SeenError(msg)

    def _last(self, kind: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        import msgspec

        found: dict[str, Any] | None = None
        for _number, known, _time, body in journal_records(self._stage.journal):
            if known == kind:
                record = msgspec.msgpack.decode(body)
                found = record if wanted(record) else found
        if found is None:
            msg = f"no such `{kind}` record"
            raise SeenError(msg)
        return found


_NOT_SEGMENTS: Final = frozenset({".vkey", ".key", ".history", ".lock", ""})


def _from(reply: Received, ori: str, word: str) -> bool:
    origin = (reply.message.origin if reply.message else None) or ""
    return origin.startswith(ori) and word in reply.text


def _from_host(replies: Sequence[Received], ori: str) -> str:
    found = [it.text for it in replies if it.message is not None and it.message.origin == ori]
    return "\n".join(found)


def _texts(replies: Sequence[Received]) -> str:
    return "\n".join(reply.text for reply in replies)


def _first_line(replies: Sequence[Received]) -> str:
    lines = [line.strip() for line in _texts(replies).splitlines()]
    return next((line for line in lines if line), "")


async def perform(folder: Path, show: Show) -> tuple[int, int]:
    """Plays all steps in a new folder; gives how many passed, and how many there are.

    A step that fails is told and the next is tried; after a start that failed there is none.
    """
    passed = 0
    async with Stage(folder) as stage:
        steps = Scenario(stage).steps()
        for number, (title, action) in enumerate(steps, 1):
            try:
                seen, held = await action(), True
            except (CletsError, OSError, SeenError, TimeoutError) as error:
                seen, held = f"{type(error).__name__}: {error}", False
            passed += held
            show(number, len(steps), title, seen, passed=held)
            if number == 1 and not held:
                break
    return passed, len(steps)
