"""The sample state: complete, synthetic, the same for the same seed, and what is in examples/."""

from __future__ import annotations

import csv
import ssl
import stat
from collections import Counter
from pathlib import Path

import pytest

from clets_core.config import Configuration, load
from clets_core.config.bundle import load_bundle
from clets_core.errors import ClientError
from clets_core.sample import write_california
from clets_core.sample.counties import COUNTIES, REGIONS

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "california"
PACKAGED_POLICY = ROOT / "python" / "clets_core" / "sample" / "policy"
KEYS = ROOT / "rust" / "wire" / "data" / "keys.csv"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("california")
    write_california(folder)
    return folder


@pytest.fixture(scope="module")
def state(sample: Path) -> Configuration:
    return load(sample)


def files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_the_example_is_what_the_generator_writes(sample: Path) -> None:
    made, kept = files(sample), files(EXAMPLE)
    assert sorted(made) == sorted(kept)
    assert [name for name in made if made[name] != kept[name]] == []


def test_the_packaged_policies_are_those_of_the_example() -> None:
    assert files(PACKAGED_POLICY) == files(EXAMPLE / "policy")


def test_the_engine_takes_it(sample: Path, state: Configuration) -> None:
    bundle = load_bundle(sample)
    assert bundle.hash == state.hash


def test_another_seed_gives_other_users_in_the_same_state(sample: Path, tmp_path: Path) -> None:
    write_california(tmp_path, seed=2)
    first, second = files(sample), files(tmp_path)
    changed = {name for name in first if first[name] != second[name]}
    assert changed == {"README.md", "users.csv"}


def test_it_is_as_large_as_a_state(state: Configuration) -> None:
    assert len(state.agencies) >= 300
    assert len(state.stations) >= 1_500
    assert len(state.users) >= 20_000
    assert len(state.hosts) == 17
    assert len(state.lines) == 60


def test_every_county_has_its_number_and_its_line(state: Configuration) -> None:
    assert len(COUNTIES) == 58
    assert list(COUNTIES) == sorted(COUNTIES)
    lines = state.lines[:58]
    assert [line.county for line in lines] == list(range(1, 59))
    assert [line.name for line in lines] == [f"county-{number:03}" for number in range(1, 59)]
    assert [line.title for line in lines] == [f"{name} County" for name in COUNTIES]
    assert {line.framing for line in lines} == {"dmpp"}
    assert [line.peer for line in lines] == [f"127.0.1.{number}" for number in range(1, 59)]
    direct = [(line.name, line.framing, line.peer) for line in state.lines[58:]]
    assert direct == [("msc-01", "native", "127.0.2.1"), ("cad-01", "native", "127.0.2.2")]
    regions = Counter(number for _, numbers in REGIONS.values() for number in numbers)
    assert regions == Counter(range(1, 59))


def test_names_are_used_once_and_each_agency_is_manned(state: Configuration) -> None:
    assert max(Counter(agency.name for agency in state.agencies).values()) == 1
    users = Counter(user.agency for user in state.users if user.id > "U000100")
    # But for an office beyond the state, of which only the ORI counts.
    assert set(users) == {agency.code for agency in state.agencies} - {"lesc"}
    assert min(users.values()) >= 10


def test_the_named_entries_stand_first_and_mean_what_they_say(state: Configuration) -> None:
    users = {user.id: user for user in state.users}
    head = [user.id for user in state.users[:25]]
    assert head == [*(f"U{n:06}" for n in range(1, 17)), *head[16:]]
    assert head[16:21] == ["U000021", "U000022", "U000023", "U000024", "U000031"]
    assert (users["U000001"].agency, users["U000001"].level) == ("so-019", "full")
    assert users["U000002"].level == "less_than_full"
    assert users["U000003"].level == "practitioner"
    assert users["U000007"].trained is None
    assert not users["U000008"].cleared
    assert not users["U000009"].statement
    assert users["U000010"].standing == "suspended"
    agencies = {agency.code: agency for agency in state.agencies}
    assert agencies[users["U000022"].agency].standing == "no_chi"
    assert agencies[users["U000071"].agency].class_ == "fed_ice_ero"
    stations = {station.mnemonic: station for station in state.stations}
    assert (stations["A0190001"].ori, stations["A0190001"].line) == ("CA0190000", "county-019")
    assert (stations["M0010003"].ori, stations["M0010003"].line) == ("CA0010100", "msc-01")
    assert (stations["I0340001"].ori, stations["I0340001"].line) == ("CA0340100", "cad-01")
    readme = (EXAMPLE / "README.md").read_text("utf-8")
    for word in ("U000001", "A0190001", "M0010003", "I0340001", "CA0190000", "GSTATE"):
        assert f"`{word}`" in readme


def test_groups_hold_groups_and_the_statewide_one_has_senders(state: Configuration) -> None:
    groups = {group.code: group for group in state.groups}
    assert set(groups["GSTATE"].members) == set(REGIONS)
    assert groups["GSTATE"].senders == ("doj", "hwp")
    assert groups["GBAY"].senders is None
    assert len(groups) >= 8


def test_every_key_that_asks_or_changes_has_a_route(state: Configuration) -> None:
    routed = {key for route in state.routes for key in route.keys}
    with KEYS.open(encoding="utf-8") as rows:
        known = list(csv.DictReader(rows))
    names = {".".join(part for part in (row["system"], row["key"]) if part) for row in known}
    # With the R mark a key is that of the same name without it.
    assert {key.replace(".R.", ".") for key in routed} <= names
    needed = {
        f"{row['system']}.{row['key']}"
        for row in known
        if row["system"] and row["action"] not in {"reply", "status"}
    }
    reached = {key.replace(".R.", ".") for key in routed}
    assert needed <= reached


def test_destination_codes_are_of_states_other_than_this(state: Configuration) -> None:
    members = {host.name: host.members for host in state.hosts if host.members}
    assert set(members) == {"nlets", "nevada"}
    assert members["nevada"] == ("NV",)
    assert {"AZ", "OR", "CN", "DC"} <= set(members["nlets"])
    assert not {"CA", "NV"} & set(members["nlets"])


def test_ports_follow_the_base(tmp_path: Path) -> None:
    write_california(tmp_path, port_base=20_000)
    state = load(tmp_path)
    assert [item.address for item in state.switch.listener] == [
        "127.0.0.1:20000",
        "127.0.0.1:20001",
    ]
    assert [host.address for host in state.hosts] == [
        f"127.0.0.1:{20_010 + place}" for place in range(17)
    ]


@pytest.mark.parametrize("port", [0, 80, 65_530, 70_000])
def test_a_port_base_without_room_is_refused(tmp_path: Path, port: int) -> None:
    with pytest.raises(ClientError) as raised:
        write_california(tmp_path, port_base=port)
    assert raised.value.code == 911


def test_policies_are_copied_or_missed(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    with pytest.raises(ClientError) as raised:
        write_california(tmp_path / "state", policy=own)
    assert raised.value.code == 910
    (own / "1.cedar").write_text("permit (principal, action, resource);\n")
    (own / "schema.cedarschema").write_text("entity Peer;\n")
    write_california(tmp_path / "state", policy=own)
    assert sorted(files(tmp_path / "state" / "policy")) == ["1.cedar", "schema.cedarschema"]
    write_california(tmp_path / "state")
    assert files(tmp_path / "state" / "policy") == files(PACKAGED_POLICY)


def test_with_tls_every_line_has_a_certificate(tmp_path: Path) -> None:
    write_california(tmp_path, tls=True)
    state = load(tmp_path)
    assert all(line.peer is None for line in state.lines)
    assert state.lines[18].certificate == "county-019.lines.clets.example"
    assert not any(listener.plain for listener in state.switch.listener)
    folder = tmp_path / "tls"
    assert (folder / ".gitignore").read_text() == "*\n"
    keys = list(folder.rglob("*.key"))
    assert len(keys) == 61
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}

    authority = folder / "authority.pem"
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "switch.pem", folder / "switch.key")
    server.load_verify_locations(authority)
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.create_default_context(cafile=str(authority))
    client.load_cert_chain(folder / "lines/county-019.pem", folder / "lines/county-019.key")
    names = handshake(client, server)
    assert names == (("DNS", "county-019.lines.clets.example"),)


def handshake(client: ssl.SSLContext, server: ssl.SSLContext) -> object:
    """Both ends in memory; the names in the certificate that the server saw."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there, server_hostname="127.0.0.1")
    theirs = server.wrap_bio(there, back, server_side=True)
    for end in (ours, theirs) * 3:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    certificate = theirs.getpeercert()
    assert certificate is not None
    return certificate["subjectAltName"]
