"""A journal of the switch, read and proved by a program that knows its description alone."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

import pytest
import uvloop
from tests.integration.center import running
from tests.unit import journal_reader
from tests.unit.journal_reader import DamagedError, Journal

from clets_core._core import journal_records, journal_verify
from clets_core.cli.stage import free_ports
from clets_core.config.bundle import load_bundle
from clets_core.errors import JournalError
from clets_core.sample import write_california

if TYPE_CHECKING:
    from pathlib import Path

NOTE = b"A0190001.R%04d.U000001.AM.CA0190000.A0380001.TXT\r\nSYNTHETIC %s"
COUNT = 60
DAMAGES = 60


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of a switch with several small segments and checkpoints."""
    folder = tmp_path_factory.mktemp("reader")
    write_california(folder / "bundle", port_base=free_ports())
    bundle = load_bundle(folder / "bundle")

    async def play() -> None:
        for run in range(2):
            async with running(bundle, folder / "journal", segment_bytes=1 << 14) as center:
                wire = await center.connect()
                for number in range(COUNT):
                    text = b"X" * random.Random(number).randrange(900)
                    wire.message(NOTE % (run * COUNT + number, text), number)
                    assert await wire.frame() is not None

    uvloop.run(play())
    return folder / "journal"


def copied(journal: Path, to: Path) -> Path:
    shutil.copytree(journal, to, ignore=lambda _, names: [it for it in names if it == "lock"])
    return to


def test_both_readers_read_the_same(journal: Path) -> None:
    found = Journal(journal)
    twin = list(journal_records(journal))
    assert [(number, time_us, body) for number, time_us, _, body in found.records] == [
        (number, time_us, bytes(body)) for number, _kind, time_us, body in twin
    ]
    report = journal_verify(journal)
    assert found.tree is not None
    assert found.tree.root().hex() == report["root"]
    assert (len(found.records), found.checkpoints) == (report["records"], report["checkpoints"])
    assert len(found.records) > 2 * COUNT


def verdict(journal: Path) -> str:
    """What the description's reader says: damaged, or how many records there are."""
    try:
        return str(len(Journal(journal).records))
    except DamagedError:
        return "damaged"


def own(journal: Path) -> str:
    """What the switch's own verification says."""
    try:
        return str(journal_verify(journal)["records"])
    except JournalError:
        return "damaged"


@pytest.mark.parametrize("seed", range(DAMAGES))
def test_both_find_the_same_damage(seed: int, journal: Path, tmp_path: Path) -> None:
    chance = random.Random(seed)
    folder = copied(journal, tmp_path / "damaged")
    path = folder / "00000000000000000000.segment"
    data = bytearray(path.read_bytes())
    used = max(at for at, byte in enumerate(data) if byte)
    at = chance.randrange(used)
    data[at] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    assert verdict(folder) == own(folder) == "damaged", at


def test_a_lost_or_forged_checkpoint_is_found(journal: Path, tmp_path: Path) -> None:
    for number, change in enumerate((b"+", b"\n")):
        folder = copied(journal, tmp_path / f"forged-{number}")
        latest = folder / "checkpoint"
        text = latest.read_bytes()
        at = text.index(b"\n") + 1
        latest.write_bytes(text[:at] + b"1" + change.strip() + text[at:])
        assert verdict(folder) == "damaged"
        assert own(folder) == "damaged"


def test_a_missing_segment_is_found(journal: Path, tmp_path: Path) -> None:
    folder = copied(journal, tmp_path / "missing")
    (folder / "00000000000000000001.segment").unlink()
    assert verdict(folder) == "damaged"
    assert own(folder) == "damaged"


def test_without_its_check_sums_the_reader_would_miss_damage(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copied(journal, tmp_path / "damaged")
    path = folder / "00000000000000000000.segment"
    data = bytearray(path.read_bytes())
    data[4092] ^= 1
    path.write_bytes(data)
    assert verdict(folder) == "damaged"

    class Anything(int):
        def __eq__(self, other: object) -> bool:
            return True

        def __ne__(self, other: object) -> bool:
            return False

        __hash__ = int.__hash__

    monkeypatch.setattr(journal_reader, "crc32c", lambda _data: Anything(0))
    assert verdict(folder) != "damaged"


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_a_pruned_journal_proves_what_is_left(journal: Path, tmp_path: Path, gone: int) -> None:
    pruned = copied(journal, tmp_path / "pruned")
    segments = sorted(pruned.glob("*.segment"))
    for oldest in segments[:gone]:
        oldest.unlink()
    whole, left = Journal(journal), Journal(pruned)
    assert 0 < len(left.records) < len(whole.records)
    assert left.records == whole.records[-len(left.records) :]
    assert left.tree is not None
    assert whole.tree is not None
    assert left.tree.root() == whole.tree.root()
    report = journal_verify(pruned)
    assert report["root"] == left.tree.root().hex()
