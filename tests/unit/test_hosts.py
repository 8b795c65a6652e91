"""Simulated destination systems over real sockets on loopback."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clets_core import _core
from clets_core.client import Client
from clets_core.config import load
from clets_core.hosts import Host, Hosts, start_hosts
from clets_core.hosts.answering import Answerer, Request
from clets_core.hosts.holdings import records_of_system
from clets_core.hosts.nlets import MEMBERS, REGIONS, SERVED, Nlets
from clets_core.hosts.synthetic import population
from clets_core.hosts.systems import FILES, SYSTEMS, system_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

ORI = "CA0190100"
STATE_FILES = "svs abs afs aps wps mups carpos srf achs vcin apps"


@dataclass(frozen=True)
class Entry:
    name: str
    system: str = "state"
    dialect: str = "clets"
    address: str = "127.0.0.1:0"
    ori: str = "CA0349400"
    station: str = "CLETSCA"


ENTRIES = (
    *(Entry(name) for name in STATE_FILES.split()),
    Entry("dmv", "dmv"),
    Entry("ncic", "ncic", "ncic", ori="DCFBI0000"),
    Entry("iii", "iii", "ncic", ori="DCFBI0001"),
    Entry("nlets", "nlets", "nlets", ori="NL0000000"),
    Entry("oregon", "oregon", ori="ORLEDS000"),
    Entry("nevada", "nevada", "nlets", ori="NVNCJIS00"),
)


def clets(reference: str, body: str) -> bytes:
    return f"CLETSCA.{reference}.U000001.{body}".encode()


async def ask(host: Host, payload: bytes, count: int = 1) -> list[bytes]:
    async with Client.connect(*host.address, window=8) as line:
        assert (await line.send(payload)).accepted
        return [(await line.receive(5)).payload for _ in range(count)]


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not done():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest.fixture
def run() -> Callable[..., None]:
    return lambda main: asyncio.run(main)


# What each system is asked in its dialect, and a word of its hit and of its no-hit.
INQUIRIES = [
    ("svs", "IA.QV", "LIC/1ABC234.LIS/CA", "LIC/8QQQ999.LIS/CA", "FCN/1902600000001", "NO RECORD"),
    ("svs", "IA.QVK", "VIN/SYN0TOYCAMSTOLEN1", "VIN/X", "STOLEN VEHICLE", "NO RECORD"),
    ("abs", "IA.QB", "REG/CF1234AB", "REG/CF0", "STOLEN BOAT", "NO RECORD"),
    ("afs", "IG.QG", "SER/SYNGUN001.CAL/9", "SER/SYNGUN001.CAL/45", "STOLEN GUN", "NO RECORD"),
    ("aps", "IP.QA", "SER/SYNART001", "SER/0", "STOLEN ARTICLE", "NO RECORD"),
    ("wps", "IW.QW", "NAM/SAMPLE,WALTER.DOB/19800101", "NAM/SAMPLE,WALTER.DOB/19800102",
     "WANTED PERSON", "NO RECORD"),
    ("mups", "IM.QM", "NAM/SAMPLE,MINA.SEX/F", "NAM/SAMPLE,MINA.SEX/M", "MISSING PERSON",
     "NO RECORD"),
    ("carpos", "IB.QRR", "NAM/SAMPLE,ROBERT.SEX/M", "NAM/SAMPLE,RUTH", "PROTECTION ORDER",
     "NO RECORD"),
    ("srf", "IR.QVC", "NAM/SAMPLE,PETER", "NAM/SAMPLE,PAUL", "SUPERVISED PERSON", "NO RECORD"),
    ("achs", "IH.QHA", "NAM/SAMPLE,WALTER", "NAM/SAMPLE,WILMA", "CII/A00000001",
     "NO RECORD ON FILE"),
    ("achs", "IH.QHC", "CII/A00000001", "CII/A99999999", "CYCLE 001", "NO RECORD ON FILE"),
    ("vcin", "IX.QSA", "NAM/SAMPLE,REGIS", "NAM/SAMPLE,RONA", "REGISTRANT", "NO RECORD"),
    ("apps", "IY.QYP", "NAM/SAMPLE,ARNOLD", "NAM/SAMPLE,ANNA", "PROHIBITED PERSON", "NO RECORD"),
    ("dmv", "IV.4A", "LIC/2DEF567.LIS/CA", "LIC/8QQQ999", "R/O: SAMPLE,ALEX", "NO RECORD FOR"),
    ("dmv", "IV.4B", "REG/CF1234AB", "REG/CF0", "VESSEL REGISTRATION", "NO RECORD FOR"),
    ("dmv", "ID.L1", "OLN/S0000001", "OLN/S9", "NAME: SAMPLE,ALEX", "NO RECORD FOR"),
    ("dmv", "IN.L1", "NAM/SAMPLE,ALEX.DOB/19850615", "NAM/SAMPLE,ALMA", "DL/NO: S0000001",
     "NO RECORD FOR"),
    ("oregon", "IO.RQ", "LIC/ORTEST1", "LIC/NONE1", "VEHICLE REGISTRATION", "NO RECORD FOUND"),
    ("oregon", "IO.DQ", "OLN/OR0000001", "OLN/OR1", "DRIVER LICENSE", "NO RECORD FOUND"),
    ("oregon", "IO.BQ", "REG/OR1TEST", "REG/OR1", "VESSEL REGISTRATION", "NO RECORD FOUND"),
    ("ncic", "QV", "LIC/1ABC234.LIS/CA", "LIC/1TEST11.LIS/CA", "NIC/V100000001",
     "NO RECORD LIC/1TEST11 LIS/CA"),
    ("ncic", "QW", "NAM/SAMPLE,WALTER.DOB/19800101", "NAM/DOE,JOHN.DOB/19800101",
     "MKE/WANTED PERSON", "NO NCIC WANT NAM/DOE,JOHN"),
    ("ncic", "QA", "SER/SYNART001", "SER/0", "MKE/STOLEN ARTICLE", "NO RECORD"),
    ("ncic", "QB", "REG/CF1234AB", "REG/CF0", "MKE/STOLEN BOAT", "NO RECORD"),
    ("ncic", "QG", "SER/SYNGUN001", "SER/0", "MKE/STOLEN GUN", "NO RECORD"),
    ("ncic", "QO", "ORI/CA0190000", "ORI/CA0000000", "SHERIFF", "NO RECORD"),
    ("ncic", "QM", "NAM/SAMPLE,MINA", "NAM/SAMPLE,NOA", "MKE/MISSING PERSON", "NO RECORD"),
    ("iii", "QH", "NAM/SAMPLE,WALTER.DOB/19800101.PUR/C.ATN/X", "NAM/SAMPLE,WILMA.PUR/C.ATN/X",
     "FBI/100000AA1", "NO IDENTIFIABLE RECORD"),
    ("iii", "QR", "FBI/100000AA1.PUR/C.ATN/X", "FBI/1.PUR/C.ATN/X", "CYCLE 001",
     "NO IDENTIFIABLE RECORD"),
]  # fmt: skip


def test_every_system_hits_and_misses_in_its_own_form(run: Callable[..., None]) -> None:
    async def main() -> None:
        async with start_hosts(ENTRIES, seed=3) as hosts:
            for name, key, known, unknown, hit, miss in INQUIRIES:
                for number, (fields, words) in enumerate([(known, hit), (unknown, miss)]):
                    control = f"00000000{number:02}"
                    if hosts[name].ori.startswith("DC"):
                        request = f"1N01{control}.{key}.{ORI}.{fields}".encode()
                        (reply,) = await ask(hosts[name], request)
                        message = _core.decode(reply, "ncic-out")
                        assert message.control == control
                    else:
                        (reply,) = await ask(hosts[name], clets(control, f"{key}.{ORI}.{fields}"))
                        message = _core.decode(reply, "clets")
                        assert (message.reference, message.station) == (control, "CLETSCA")
                        assert (message.user, message.origin) == ("U000001", hosts[name].ori)
                    assert message.destinations == (ORI,)
                    assert words in (message.text or ""), (name, key, fields, message.text)

    run(main())


NLETS = [
    ("nlets", "RQ", "AZ", "LIC/AZTEST1.LIS/AZ", "RR", "R/O: SAMPLE,JORDAN"),
    ("nlets", "RQ", "TX", "LIC/TXTEST0", "RR", "NO RECORD FOUND"),
    ("nlets", "DQ", "NY", "OLN/NY0000001", "DR", "DL/NO: NY0000001"),
    ("nlets", "KQ", "TX", "OLN/TX0000001.PUR/C.ATN/X", "KR", "DL/NO: TX0000001"),
    ("nlets", "BQ", "AZ", "REG/AZ1TEST", "BR", "VESSEL REGISTRATION"),
    (
        "nlets",
        "IQ",
        "TX",
        "NAM/SAMPLE,JORDAN.SEX/M.DOB/19820420.PUR/C.ATN/X",
        "IR",
        "SID/TX00000001",
    ),
    ("nlets", "FQ", "TX", "SID/TX00000001.PUR/C.ATN/X", "FR", "CYCLE 001"),
    ("nlets", "AQ", "TX", "PLEASE SEND THE FILE", "AR", "NO FURTHER INFORMATION"),
    ("nlets", "MQ", "WA", "UNN/1203", "MR", "GASOLINE"),
    ("nlets", "IAQ", "VT", "NAM/DOE,JOHN.DOB/19800101", "IAR", "NO RECORD FOUND"),
    ("nlets", "RQ", "NL", "LIC/WATEST1", "RR", "HIT: WA"),
    ("nlets", "CAQ", "CN", "SER/CNART001", "CAR", "STOLEN ARTICLE"),
    ("nlets", "CBQ", "CN", "REG/CN1TEST", "CBR", "STOLEN BOAT"),
    ("nlets", "CGQ", "CN", "SER/CNGUN001", "CGR", "STOLEN GUN"),
    ("nlets", "CSQ", "CN", "SER/CNSEC001", "CSR", "STOLEN SECURITY"),
    ("nlets", "UQ", "CN", "OLN/CN0000001", "UR", "DRIVER LICENSE"),
    ("nlets", "VQ", "CN", "LIC/CNTEST1", "VR", "VEHICLE REGISTRATION"),
    ("nlets", "WQ", "CN", "NAM/SAMPLE,CAMILLE", "WR", "WANTED PERSON"),
    ("nlets", "XQ", "CN", "LIC/CNTEST1", "XR", "STOLEN VEHICLE"),
    ("nlets", "RQ", "XX", "LIC/1", "ER", ".19."),
    ("nlets", "QZZ", "AZ", "LIC/1", "ER", ".02."),
    ("nlets", "RQ", "AZ", "LIY/2027", "ER", ".14."),
    ("nlets", "DQ", "AZ", "NAM/DOE,JOHN.DOB/1980", "ER", ".05."),
    ("nevada", "RQ", "NV", "LIC/NVTEST1", "RR", "VEHICLE REGISTRATION"),
    ("nevada", "DQ", "NV", "OLN/NV0000001", "DR", "DRIVER LICENSE"),
    ("nevada", "RQ", "AZ", "LIC/AZTEST1", "ER", ".19."),
]


def test_nlets_echoes_the_control_field_and_stamps_every_reply(run: Callable[..., None]) -> None:
    async def main() -> None:
        async with start_hosts(ENTRIES) as hosts:
            counts: dict[str, list[int | None]] = {"nlets": [], "nevada": []}
            for name, key, to, body, reply_key, words in NLETS:
                request = f"{key}.{ORI}.{to}.*MRI0000001.TXT\r\n{body}".encode()
                (reply,) = await ask(hosts[name], request)
                message = _core.decode(reply, "nlets-out")
                assert (message.mke, message.control) == (reply_key, "MRI0000001"), key
                assert message.destinations == (ORI,)
                assert words in (message.text or ""), message.text
                assert re.fullmatch(r"\d\d:\d\d \d\d/\d\d/\d{4}", message.sent_at or "")
                counts[name].append(message.out_count)
            for numbers in counts.values():
                assert numbers == list(range(1, len(numbers) + 1))

    run(main())


def test_an_administrative_message_comes_back_unasked(run: Callable[..., None]) -> None:
    async def main() -> None:
        async with start_hosts(ENTRIES) as hosts:
            request = f"AM.{ORI}.AZ,CN.*MRI0000001.TXT\r\nATTN ANYONE".encode()
            replies = await ask(hosts["nlets"], request, 2)
            messages = [_core.decode(reply, "nlets-out") for reply in replies]
            assert [it.origin for it in messages] == ["AZ0000000", "CN0000000"]
            assert [(it.mke, it.control, it.destinations) for it in messages] == [
                ("AM", None, (ORI,))
            ] * 2
            (reply,) = await ask(hosts["oregon"], clets("R1", f"AM.{ORI}.OR.TXT\r\nHELLO"))
            assert _core.decode(reply, "clets").reference is None

    run(main())


def test_a_region_is_answered_by_each_of_its_states(run: Callable[..., None]) -> None:
    async def main() -> None:
        async with start_hosts(ENTRIES) as hosts:
            request = f"RQG.{ORI}.H1.*MRI0000001.TXT\r\nLIC/AZTEST1".encode()
            replies = await ask(hosts["nlets"], request, 3)
            origins = [_core.decode(reply, "nlets-out").origin for reply in replies]
            assert origins == ["AZLIC0000", "NVLIC0000", "ORLIC0000"]

    run(main())


@pytest.mark.parametrize("name", ["svs", "ncic"])
def test_a_record_is_entered_found_modified_located_and_cancelled(
    run: Callable[..., None], name: str
) -> None:
    async def main() -> None:
        async with start_hosts([it for it in ENTRIES if it.name == name]) as hosts:
            count = 0

            async def tell(body: str) -> str:
                nonlocal count
                count += 1
                if name == "ncic":
                    request = f"1N01{count:010}.{body}".encode()
                    return (await ask(hosts[name], request))[0].decode().split("\r\n\r\n", 1)[1]
                (reply,) = await ask(hosts[name], clets(f"{count:010}", f"IA.{body}"))
                return _core.decode(reply, "clets").text or ""

            plate = "LIC/7NEW777.LIS/CA"
            assert "NO RECORD" in await tell(f"QV.{ORI}.{plate}")
            assert "REJ - MANDATORY FIELD MISSING OCA" in await tell(f"EV.{ORI}.{plate}")
            entered = await tell(f"EV.{ORI}.{plate}.LIY/2027.LIT/PC.VMA/FORD.OCA/26-1")
            found = re.search(r"(FCN/\d{13}|NIC/V\d{9})", entered)
            assert found is not None
            number = found.group()
            hit = await tell(f"QV.{ORI}.{plate}")
            assert number in hit
            assert f"ORI/{ORI}" in hit
            assert "REJ - ON FILE" in await tell(f"EV.{ORI}.{plate}.OCA/26-1")
            assert "BELONGS TO" in await tell(f"XV.CA0380000.{number}.OCA/26-1")
            assert "MODIFIED" in await tell(f"MV.{ORI}.{number}.OCA/26-1.VCO/RED")
            assert "VCO/RED" in await tell(f"QV.{ORI}.{plate}")
            assert "LOCATED" in await tell(f"LV.CA0380000.{number}.OCA/26-1")
            assert "*LOCATED*" in await tell(f"QV.{ORI}.{plate}")
            assert "CANCELLED" in await tell(f"XV.{ORI}.{number}.OCA/26-1")
            assert "NO RECORD" in await tell(f"QV.{ORI}.{plate}")
            assert "RECORD NOT ON FILE" in await tell(f"CV.{ORI}.{number}.OCA/26-1")

    run(main())


def test_a_wanted_person_has_supplements() -> None:
    wps = Answerer(SYSTEMS["wps"], records_of_system("wps", "FCN", 1))
    number = {"FCN": "1902600000002", "OCA": "26-000777"}
    ori = "CA0190000"

    def tell(key: str, **fields: str) -> str:
        return wps.answer(Request(key, ori, fields=number | fields))[1]

    assert "SUPPLEMENT ENTERED" in tell("EN", DOB="19810101")
    assert "ALSO: DOB/19810101" in tell("QW")
    assert "SUPPLEMENT CANCELLED" in tell("XN")
    assert "ALSO" not in tell("QW")


def test_a_repeated_entry_is_answered_as_before(run: Callable[..., None]) -> None:
    async def main() -> None:
        async with start_hosts([Entry("svs")]) as hosts:
            entry = clets("0000000001", f"IA.EV.{ORI}.LIC/7NEW777.LIS/CA.OCA/26-1")
            (first,) = await ask(hosts["svs"], entry)
            (second,) = await ask(hosts["svs"], entry)
            assert first == second
            assert b"ENTERED" in first
            assert hosts["svs"].tally.repeated == 1

    run(main())


def test_a_bad_field_is_rejected_by_name(run: Callable[..., None]) -> None:
    async def main() -> None:
        async with start_hosts(ENTRIES) as hosts:
            for fields, code in [
                ("NAM/DOE,JOHN.DOB/19801301", "DOB"),
                ("NAM/DOE,JOHN.SEX/Q", "SEX"),
                ("FBI/0123456789", "FBI"),
            ]:
                request = f"1N010000000001.QW.{ORI}.{fields}".encode()
                (reply,) = await ask(hosts["ncic"], request)
                assert f"REJ - FIELD ERROR {code}".encode() in reply

    run(main())


def test_what_cannot_be_read_is_refused_and_the_line_stays_open(run: Callable[..., None]) -> None:
    async def main() -> None:
        async with start_hosts([Entry("svs")]) as hosts:
            async with Client.connect(*hosts["svs"].address) as line:
                receipt = await line.send(b"nothing of the kind")
                assert (receipt.accepted, receipt.status) == (False, 0x13)
                assert (await line.send(clets("1", f"IA.QV.{ORI}.LIC/1ABC234"))).accepted
                assert b"FCN/1902600000001" in (await line.receive(5)).payload
            assert hosts["svs"].tally.refused_here == 1

    run(main())


def test_behaviour_changes_at_run_time(run: Callable[..., None]) -> None:
    async def main() -> None:
        async with start_hosts([Entry("svs")], seed=5) as hosts:
            svs = hosts["svs"]
            request = f"IA.QV.{ORI}.LIC/1ABC234"
            async with Client.connect(*svs.address) as line:
                await svs.change(silent=True)
                assert (await line.send(clets("1", request))).accepted
                await svs.change(silent=False, loss=1.0)
                assert (await line.send(clets("2", request))).accepted
                with pytest.raises(TimeoutError):
                    await line.receive(0.1)
                await svs.change(loss=0.0, delay=0.2)
                start = asyncio.get_running_loop().time()
                assert (await line.send(clets("3", request))).accepted
                assert (await line.receive(5)).reference == "3"
                assert asyncio.get_running_loop().time() - start >= 0.19
            assert svs.tally.forgotten == 2
            with pytest.raises(ValueError, match="loss"):
                await svs.change(loss=2.0)

    run(main())


def test_loss_is_the_same_under_the_same_seed(run: Callable[..., None]) -> None:
    async def lost(seed: int) -> list[bool]:
        async with start_hosts([Entry("svs")], seed=seed) as hosts:
            svs = hosts["svs"]
            await svs.change(loss=0.5)
            pattern = []
            for number in range(20):
                before = svs.tally.forgotten
                svs.take(clets(f"{number}", f"IA.QV.{ORI}.LIC/1ABC234"))
                pattern.append(svs.tally.forgotten > before)
            return pattern

    async def main() -> None:
        first = await lost(1)
        assert first == await lost(1)
        assert first != await lost(2)
        assert {True, False} == set(first)

    run(main())


def test_an_answer_is_kept_until_it_is_acknowledged(run: Callable[..., None]) -> None:
    class Deaf(asyncio.Protocol):
        """Sends a request and never acknowledges what comes."""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            payload = clets("0000000001", f"IA.QV.{ORI}.LIC/1ABC234")
            transport.write(_core.frame("dmpp", "data", payload, validation=b"0001"))

    async def main() -> None:
        async with start_hosts([Entry("svs")]) as hosts:
            svs = hosts["svs"]
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_connection(Deaf, *svs.address)
            await until(lambda: svs.unacknowledged == 1)
            transport.abort()
            await svs.change(outage=True)
            with pytest.raises(OSError, match=r"."):
                await loop.create_connection(asyncio.Protocol, *svs.address)
            svs.unsolicited(ORI, "$.A. SENT DURING THE OUTAGE")
            await svs.change(outage=False)
            async with Client.connect(*svs.address) as line:
                assert (await line.receive(5)).reference == "0000000001"
                assert "DURING THE OUTAGE" in (await line.receive(5)).text
                await until(lambda: svs.unacknowledged == 0)

    run(main())


def test_unsolicited_messages_differ_and_answer_nobody(run: Callable[..., None]) -> None:
    async def main() -> None:
        async with start_hosts(ENTRIES) as hosts:
            for name, dialect in [("ncic", "ncic-out"), ("nlets", "nlets-out"), ("svs", "clets")]:
                async with Client.connect(*hosts[name].address) as line:
                    for _ in range(2):
                        hosts[name].unsolicited(ORI, "$.H. DELAYED INQUIRY HIT")
                    payloads = [(await line.receive(5)).payload for _ in range(2)]
                assert payloads[0] != payloads[1]
                message = _core.decode(payloads[0], dialect)
                assert message.destinations == (ORI,)
                assert "$.H. DELAYED" in (message.text or "")
                assert message.reference is None
                assert len(message.control or "") != 10

    run(main())


def test_keep_alives_are_answered(run: Callable[..., None]) -> None:
    async def main() -> None:
        async with start_hosts([Entry("svs")]) as hosts:
            reader, writer = await asyncio.open_connection(*hosts["svs"].address)
            writer.write(_core.frame("dmpp", "status_request", validation=b"1618"))
            (reply,) = _core.Framer("dmpp").feed(await reader.read(1024))
            assert (reply.kind, reply.validation, reply.status) == ("status_reply", b"1618", 0x21)
            writer.write(b"garbage that begins no frame at all")
            assert await reader.read(1024) == b""
            writer.close()

    run(main())


async def lines(port: int, *commands: object) -> AsyncIterator[dict[str, object]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for command in commands:
        writer.write(json.dumps(command).encode() + b"\n")
        yield json.loads(await reader.readline())
    writer.close()


def test_another_process_steers_over_the_control_socket(run: Callable[..., None]) -> None:
    async def main() -> None:
        async with start_hosts([Entry("ncic", "ncic", "ncic")], control=0) as hosts:
            assert hosts.control
            commands = [
                {"host": "ncic", "delay": 0.5, "loss": 0.25},
                {"host": "ncic", "outage": True},
                {"host": "ncic", "outage": False, "delay": 0},
                {"host": "ncic", "notice": {"ori": ORI, "text": "$.H. HIT"}},
                {"host": "nobody"},
                {"host": "ncic", "loud": True},
                {"host": "ncic", "loss": 7},
            ]
            told = [it async for it in lines(hosts.control, *commands)]
            assert [it["ok"] for it in told] == [True] * 4 + [False] * 3
            assert told[0]["behaviour"] == {
                "delay": 0.5, "loss": 0.25, "outage": False, "silent": False, "person": 0.0,
            }  # fmt: skip
            assert told[1]["behaviour"]["outage"] is True  # type: ignore[index]
            assert hosts["ncic"].behaviour.loss == 0.25
            assert hosts["ncic"].tally.unsolicited == 1

    run(main())


def test_hosts_are_a_mapping_and_start_together_or_not_at_all(run: Callable[..., None]) -> None:
    async def main() -> None:
        async with start_hosts([Entry("svs")]) as hosts:
            assert isinstance(hosts, Hosts)
            assert (list(hosts), len(hosts)) == (["svs"], 1)
            taken = "{}:{}".format(*hosts["svs"].address)
            with pytest.raises(OSError, match="in use"):
                async with start_hosts([Entry("abs"), Entry("afs", address=taken)]):
                    pass

    run(main())
    for bad in [Entry("svs", dialect="morse"), Entry("svs", address="nowhere")]:
        with pytest.raises(ValueError, match="svs"):
            start_hosts([bad])


def test_the_seed_decides_the_bulk_and_never_the_well_known() -> None:
    one, again, other = population(1, "CA"), population.__wrapped__(1, "CA"), population(2, "CA")
    assert one == again
    assert one != other
    plates = {vehicle["LIC"] for vehicle in one.vehicles}
    assert len(plates) == len(one.vehicles)
    assert not plates & {"1ABC234", "2DEF567"}
    assert all(person["SOC"].startswith("000") for person in one.people)
    for name, system in SYSTEMS.items():
        if name != "oregon":
            assert len(records_of_system(name, system.number, 1)) > 0, name


def test_the_bulk_is_found_too() -> None:
    people = population(7, "CA").people
    wps = Answerer(SYSTEMS["wps"], records_of_system("wps", "FCN", 7))
    wanted = [
        person
        for person in people
        if "WANTED PERSON"
        in wps.answer(Request("QW", ORI, fields={"NAM": person["NAM"], "DOB": person["DOB"]}))[1]
    ]
    assert len(wanted) >= len(people) // 25


def test_every_leg_of_the_sample_is_served() -> None:
    configuration = load(Path(__file__).parents[2] / "examples" / "california")
    kinds = {host.name: host for host in configuration.hosts}
    for route in configuration.routes:
        for leg in route.legs:
            host = kinds[leg.host]
            served = set(SERVED)
            if host.dialect != "nlets":
                served = {*system_of(host.name, host.system).rules, "AM", "AML"}
            keys = [leg.key] if leg.key else list(route.keys)
            assert {key.split(".")[-1] for key in keys} <= served, (host.name, keys)
    for host in configuration.hosts:
        assert set(host.members) <= MEMBERS | set(REGIONS) | {"NL", "OD"}, host.name


def test_every_line_of_every_file_names_fields() -> None:
    for file in FILES.values():
        for line in file.lines:
            codes = [pair.rpartition("=")[2] for pair in re.split(r"[;|]", line)]
            assert all(re.fullmatch(r"[A-Z]{3}", code) for code in codes), line


def test_a_state_file_of_another_name_serves_all_state_keys() -> None:
    system = system_of("newfile", "state")
    assert {"QV", "QW", "QRR", "QSA"} <= set(system.rules)
    assert system_of("leds", "oregon") is SYSTEMS["oregon"]


def test_every_member_answers() -> None:
    nlets = Nlets(1)
    for member in sorted(MEMBERS - {"CN", "NA"}):
        request = Request("RQ", ORI, "C1", destinations=(member,), fields={"LIC": f"{member}TEST1"})
        (reply,) = nlets.answer(request)
        assert (reply.key, reply.reference) == ("RR", "C1")
        assert "VEHICLE REGISTRATION" in reply.text
