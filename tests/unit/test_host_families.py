"""Each family of traffic has a simulated counterpart: what is asked, and what comes back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.unit.test_hosts import Entry

from clets_core import _core
from clets_core.client import Client
from clets_core.hosts import Host
from clets_core.hosts.answering import Answerer, Request
from clets_core.hosts.holdings import records_of_system
from clets_core.hosts.known import CONFIRMATIONS
from clets_core.hosts.nlets import Nlets
from clets_core.hosts.systems import FILES, SYSTEMS, Rule
from clets_core.hosts.unasked import KINDS

ORI = "CA0190100"
NLETS = Entry("nlets", "nlets", "nlets", ori="NL0000000")

# System, then the keys of one life: enter, modify, locate, clear; the file is entered twice.
LIVES = [
    (name, rule.files[0], key)
    for name, system in SYSTEMS.items()
    for key, rule in system.rules.items()
    if rule.action == "enter"
]
VALUES = {
    "GNG": "TEST GROUP", "IMN": "M000000001", "LIC": "9LIF001", "NAM": "LIFE,LINA", "NIC": "",
    "OAN": "OAN0001", "PNO": "SYN-9", "REG": "CF9LIFE", "SER": "SYNLIFE1", "SEX": "F",
    "VIN": "SYNLIFE0000001", "BHN": "SYNLIFEHULL1", "FCN": "",
}  # fmt: skip


def now() -> datetime:
    return datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(("name", "file", "enter"), LIVES)
def test_a_record_lives_and_ends_in_every_file(name: str, file: str, enter: str) -> None:
    system = SYSTEMS[name]
    answerer = Answerer(system, records_of_system(name, system.number, 1), now=now)
    required = FILES[file].required or ("NAM",)
    code = next((it for it in required if VALUES.get(it)), "NAM")
    named = {code: VALUES[code]}
    fields = {**named, "NAM": VALUES["NAM"], "OCA": "26-LIFE"}

    def ask(key: str, **more: str) -> str:
        return answerer.answer(Request(key, ORI, fields={**fields, **more}))[1]

    def keys(action: str) -> list[str]:
        wanted = Rule((file,), action)
        return [key for key, rule in system.rules.items() if rule == wanted]

    assert "ENTERED" in ask(enter)
    assert "REJ" in ask(enter), "it is on file"
    assert "MODIFIED" in ask(keys("modify")[0], MIS="SEEN")
    assert "LOCATED" in ask(keys("locate")[0])
    assert "CLEARED" in ask(keys("clear")[0])
    assert "NOT ON FILE" in ask(keys("cancel")[0])
    assert "ENTERED" in ask(enter)
    assert "CANCELLED" in ask(keys("cancel")[0])


def test_another_agency_serves_an_order_and_reports_a_contact() -> None:
    for name, key, field, done in (
        ("carpos", "SPO", {"PNO": "SYN-RO-0001"}, "PROOF OF SERVICE"),
        ("srf", "SVC", {"NAM": "SAMPLE,PETER"}, "CONTACT RECORDED"),
    ):
        system = SYSTEMS[name]
        answerer = Answerer(system, records_of_system(name, system.number, 1), now=now)
        request = Request(key, "CA0380000", fields=field)
        assert done in answerer.answer(request)[1]
        asked = replace(request, key={"SPO": "QRR", "SVC": "QVC"}[key])
        assert "20261102 CA0380000" in answerer.answer(asked)[1]


FAMILIES = [
    ("IQ", "TX", {"NAM": "SAMPLE,JORDAN"}, "IR", "CRIMINAL HISTORY INDEX"),
    ("FQ", "TX", {"SID": "TX00000001"}, "FR", "CYCLE 001"),
    ("FQ", "TX", {"FBI": "200000AA2"}, "CR", "CYCLE 001"),
    ("KQ", "TX", {"OLN": "TX0000001"}, "KR", "POINTS 2"),
    ("BQ", "AZ", {"REG": "AZ1TEST"}, "BR", "VESSEL"),
    ("SQ", "MN", {"REG": "MNSNOW1"}, "SR", "SNOWMOBILE"),
    ("GQ", "AZ", {"REG": "N1AZ"}, "GR", "AIRCRAFT"),
    ("GQ", "AZ", {"REG": "N9"}, "GR", "NO RECORD"),
    ("MQ", "WA", {"UNN": "1203"}, "MR", "GASOLINE"),
    ("PPQ", "OH", {"NAM": "SAMPLE,JORDAN"}, "PPR", "PROBATION"),
    ("PBQ", "OH", {"NAM": "SAMPLE,JORDAN"}, "PBR", "PROBATION"),
    ("PCQ", "OH", {"NAM": "SAMPLE,JORDAN"}, "PCR", "PROBATION"),
    ("PAQ", "OH", {"NAM": "SAMPLE,NOBODY"}, "PAR", "NO RECORD"),
    ("SWQ", "OH", {"NAM": "SAMPLE,WARREN"}, "SWR", "WANTED PERSON"),
    ("IAQ", "VT", {"NAM": "SAMPLE,IMRE", "DOB": "19910404"}, "IAR", "STATUS ON FILE"),
    ("NAQ", "NA", {"VIN": "SYN0TOYCAMSTOLEN1"}, "NAR", "IMPOUNDED"),
    ("NIQ", "NA", {"VIN": "SYN0"}, "NIR", "NO RECORD"),
    ("RQ", "NA", {"LIC": "1"}, "ER", ".02."),
    ("TQ", "OD", {"ORI": "AZ0010000"}, "TR", "PHO/0005550100"),
    ("TQ", "OD", {"ORI": "AZ9999999"}, "TR", "NO RECORD"),
    ("TQ", "AZ", {"ORI": "AZ0010000"}, "ER", ".02."),
]


@pytest.mark.parametrize(("key", "to", "fields", "reply", "word"), FAMILIES)
def test_every_family_is_answered(
    key: str, to: str, fields: dict[str, str], reply: str, word: str
) -> None:
    (found,) = Nlets(1).answer(Request(key, ORI, "C1", destinations=(to,), fields=fields))
    assert (found.key, found.reference) == (reply, "C1")
    assert word in found.text


def test_the_directory_belongs_to_each_state() -> None:
    nlets = Nlets(1)

    def ask(key: str, ori: str, **fields: str) -> str:
        asked = {"ORI": ori, **fields}
        (reply,) = nlets.answer(Request(key, ORI, "C1", destinations=("OD",), fields=asked))
        return reply.text

    assert "REJECTED" in ask("TA", "AZ0020000", NAM="X")
    assert "ADDED" in ask("TA", "CA0020000", NAM="NEW AGENCY", PHO="5550101")
    assert "ON FILE" in ask("TA", "CA0020000", NAM="NEW AGENCY")
    assert "UPDATED" in ask("TU", "CA0020000", PHO="0000000")
    shown = ask("TQ", "CA0020000")
    assert "NEW AGENCY" in shown
    assert "PHO" not in shown
    assert "DELETED" in ask("TD", "CA0020000")
    assert "NOT ON FILE" in ask("TU", "CA0020000")


def test_help_files_are_read_written_extended_and_cancelled() -> None:
    nlets = Nlets(1)

    def ask(address: str, text: str = "") -> str:
        (reply,) = nlets.answer(Request("AM", ORI, destinations=(address,), text=text))
        assert (reply.key, reply.origin) == ("AM", "NL0000000")
        return reply.text

    assert "GENERAL INFORMATION" in ask("AZGENHELP")
    assert "NO INFORMATION" in ask("CAROTHELP")
    assert "UPDATED" in ask("CAROTUPDT", "FIRST LINE")
    assert "APPENDED" in ask("CAROTAPND", "SECOND LINE")
    assert ask("CAROTHELP") == "FIRST LINE\r\nSECOND LINE"
    assert "CANCELLED" in ask("CAROTCNCL")
    assert "NO INFORMATION" in ask("CAROTHELP")
    assert "REJECTED" in ask("AZGENUPDT", "NOT OURS")
    assert "TOO LONG" in ask("CAROTUPDT", "X" * 20_000)


@pytest.mark.parametrize("number", range(1, len(CONFIRMATIONS) + 1))
@pytest.mark.parametrize("by", ["OCA", "LIC"])
def test_the_record_decides_how_a_hit_is_confirmed(number: int, by: str) -> None:
    value = f"AZ-{number:04}" if by == "OCA" else f"AZSTOL{number}"
    asked = {"RTY": "SV", "RNO": "1", "PRI": "U", by: value}
    replies = Nlets(1).answer(Request("YQ", ORI, "C1", destinations=("AZ0010000",), fields=asked))
    assert [it.text.split("CON/")[1][0] for it in replies] == CONFIRMATIONS[number - 1].split()
    assert [it.after for it in replies] == list(range(1, len(replies) + 1))
    assert all(it.key == "YR" and it.origin == "AZ0010000" for it in replies)
    assert ("HRS/1" in replies[0].text) == (number == 3)


def test_what_is_not_on_file_is_not_confirmed() -> None:
    asked = {"RTY": "WP", "RNO": "1", "PRI": "R", "OCA": "NONE-1", "NIC": "NONE"}
    (reply,) = Nlets(1).answer(Request("YQ", ORI, destinations=("CN0010000",), fields=asked))
    assert "CON/N" in reply.text


def test_a_hit_of_another_state_leads_to_its_confirmation() -> None:
    ncic = Answerer(SYSTEMS["ncic"], records_of_system("ncic", "NIC", 1))
    hit = ncic.answer(Request("QV", ORI, fields={"LIC": "AZSTOL2", "LIS": "AZ"}))[1]
    assert "ORI IS AZ0010000" in hit
    assert "CON" not in hit.replace("CONFIRM", "")
    nic = hit.split("NIC/")[1][:10]
    asked = {"RTY": "SV", "RNO": "1", "PRI": "U", "NIC": nic, "OCA": "AZ-0002"}
    (reply,) = Nlets(1).answer(Request("YQ", ORI, destinations=("AZ0010000",), fields=asked))
    assert "CON/N" in reply.text


def test_a_person_takes_time_to_confirm() -> None:
    async def main() -> None:
        host = Host(NLETS)
        await host.open()
        await host.change(person=0.15)
        body = "RTY/SV.RNO/1.PRI/U.OCA/AZ-0003"
        request = f"YQ.{ORI}.AZ0010000.*MRI0000001.TXT\r\n{body}".encode()
        async with Client.connect(*host.address) as line:
            clock = asyncio.get_running_loop().time
            begun = clock()
            assert (await line.send(request)).accepted
            first = _core.decode((await line.receive(5)).payload, "nlets-out")
            between = clock()
            second = _core.decode((await line.receive(5)).payload, "nlets-out")
            assert min(between - begun, clock() - between) > 0.1
        assert [(it.fields or {})["CON"] for it in (first, second)] == ["I", "Y"]
        assert {it.control for it in (first, second)} == {"MRI0000001"}
        await host.close()

    asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_unasked_message_is_sent_on_command(kind: str) -> None:
    async def main() -> None:
        entry = Entry("ncic", "ncic", "ncic") if kind.startswith("$") else NLETS
        host = Host(entry)
        await host.open()
        async with Client.connect(*host.address) as line:
            host.announce(kind, ORI, {"member": "NM"})
            payload = (await line.receive(5)).payload
        message = _core.decode(payload, f"{entry.dialect}-out")
        assert message.destinations == (ORI,)
        text = message.text or ""
        if kind.startswith("$"):
            assert text.startswith(kind)
        else:
            assert message.mke == kind[:2]
            assert "NM" in text or kind.startswith("ER")
        assert "{" not in text
        with pytest.raises(ValueError, match="kind"):
            host.announce("NONE", ORI)
        with pytest.raises(ValueError, match="value"):
            host.announce(kind, ORI, {"nothing": "X"})
        await host.close()

    asyncio.run(main())
