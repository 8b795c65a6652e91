"""What the documents show is run, and what they say came out is compared."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from clets_core import _core, decode
from clets_core.sample import write_california

ROOT = Path(__file__).parents[2]
EXAMPLES = "examples/california"
PORTS_NEEDED = 40
# These neither run for long nor need a switch that runs.
SAFE = re.compile(r"^(printf .*|clets (check|decide|decode|policy|sample) .*)$")
REFUSED = 3


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    """The code blocks of a document in one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text(name), re.M | re.S)


def hex_blocks(name: str) -> dict[str, bytes]:
    found = re.findall(r"^```hex (\w+)\n(.*?)^```$", text(name), re.M | re.S)
    return {kind: bytes.fromhex(digits) for kind, digits in found}


def port_base() -> int:
    """A run of ports that nobody holds now, below those that systems give out."""
    for base in range(20_000, 30_000, PORTS_NEEDED):
        try:
            for port in range(base, base + PORTS_NEEDED):
                with socket.socket() as tried:
                    tried.bind(("127.0.0.1", port))
        except OSError:
            continue
        return base
    pytest.fail("no run of free ports; expected one between 20000 and 30000")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder as the documents' reader has it, but with ports of its own."""
    made = tmp_path_factory.mktemp("reader")
    policy = ROOT / EXAMPLES / "policy"
    (made / EXAMPLES).mkdir(parents=True)
    write_california(made / EXAMPLES, port_base=port_base(), policy=policy)
    (made / "tests").symlink_to(ROOT / "tests")
    return made


@pytest.mark.parametrize("name", ["README.md", "docs/embedding.md"])
def test_python_examples_print_what_they_say(name, folder):
    source = "\n".join(blocks(name, "python"))
    said = re.findall(r"^ *print\(.*\)  # (.*)$", source, re.M)
    assert len(said) == source.count("print(")
    command = [sys.executable, "-W", "error", "-c", source]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == said


def sessions(name: str) -> list[list[tuple[str, list[str]]]]:
    """Commands of each console block with the lines of output that the document shows."""
    found = []
    for block in blocks(name, "console"):
        session: list[tuple[str, list[str]]] = []
        for line in block.splitlines():
            if line.startswith("$ "):
                session.append((line[2:], []))
            else:
                session[-1][1].append(line)
        found.append(session)
    return found


@pytest.mark.parametrize(("name", "commands"), [("README.md", 5), ("docs/rules.md", 4)])
def test_shell_examples_print_what_they_say(name, commands, folder):
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    ran = [step for session in sessions(name) for step in session]
    assert len(ran) >= commands
    for command, shown in ran:
        assert SAFE.match(command), command
        done = subprocess.run(
            ["bash", "-c", command],  # noqa: S607
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        wanted = REFUSED if command.startswith("clets decide") else 0
        assert done.returncode == wanted, f"{command}: {done.stderr}"
        lines = done.stdout.splitlines()
        for line in shown:
            start = line.removesuffix("...").rstrip()
            assert any(printed.startswith(start) for printed in lines), f"{command}: {line}"


def test_line_protocol_examples_are_what_the_switch_writes():
    (message,) = (it.strip().encode() for it in blocks("docs/reference/line-protocol.md", "text"))
    assert decode(message, "clets").mke == "4A"
    logon = b'{"line":"cad-01","receive":[1,1,1,1,1]}'
    wanted = {
        "logon": _core.frame("native", "logon", logon),
        "data": _core.frame("native", "data", message, sequence=1),
        "accept": _core.frame("native", "accept", (4711).to_bytes(8, "big"), sequence=1),
        "delivered": _core.frame("native", "delivered", sequence=1, precedence=2),
        "heartbeat": _core.frame("native", "heartbeat"),
    }
    assert hex_blocks("docs/reference/line-protocol.md") == wanted
    for kind, frame in wanted.items():
        assert [found.kind for found in _core.Framer("native").feed(frame)] == [kind]


def test_line_protocol_can_be_written_from_its_page_alone():
    """A frame made by hand from the table of section 1 is one to the switch."""

    def crc32c(data: bytes) -> int:
        check = 0xFFFF_FFFF
        for byte in data:
            check ^= byte
            for _ in range(8):
                check = check >> 1 ^ (0x82F6_3B78 if check & 1 else 0)
        return check ^ 0xFFFF_FFFF

    body = b"REASON"
    head = b"CL" + bytes([1, 9]) + len(body).to_bytes(4, "big") + (7).to_bytes(8, "big")
    head += bytes([2, 1]) + (413).to_bytes(2, "big")
    frame = head + crc32c(head + body).to_bytes(4, "big") + body
    made = _core.frame("native", "reject", body, sequence=7, precedence=2, flags=1, code=413)
    assert frame == made


def test_dmpp_example_is_what_the_switch_writes():
    page = "docs/reference/dmpp.md"
    keep_alive = _core.frame("dmpp", "status_request", validation=b"1618")
    assert hex_blocks(page) == {"status_request": keep_alive}
    for line in re.findall(r"^A0190001\..*$", text(page), re.M):
        assert decode(line.replace("⏎", "\r\n").encode(), "clets").station == "A0190001"


def test_kinds_on_the_page_are_those_of_the_protocol():
    rows = re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", text("docs/reference/line-protocol.md"), re.M)
    kinds = {name.lower(): int(number) for number, name in rows}
    assert len(kinds) == 10
    for name, number in kinds.items():
        assert _core.frame("native", name)[3] == number


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_named_files_exist(name):
    for path in re.findall(r"`((?:docs|rust|python|tests|examples)/[\w./-]*)`", text(name)):
        assert any(ROOT.glob(f"{path.rstrip('/')}*")), path
