"""The conformance corpus, as Python reads it; in Rust: ``rust/wire/tests/golden.rs``."""

from __future__ import annotations

import json
from functools import cache

import pytest

from clets_core import decode
from clets_core._core import Framer, encode
from clets_core.cli.messages import DIALECTS, as_dict
from tests.golden import generate

MESSAGES_MIN = 400


@cache
def corpus() -> list[dict]:
    return [
        json.loads(line)
        for name in DIALECTS
        for line in (generate.HERE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]


def data_of(case: dict) -> bytes:
    return case["message"].encode("latin-1")


def test_the_corpus_is_large_and_its_names_are_unique():
    names = [case["id"] for case in corpus()]
    assert len(names) == len(set(names)) >= MESSAGES_MIN
    assert {case["decoded"]["dialect"] for case in corpus()} == set(DIALECTS)


def test_the_files_are_what_the_tables_say():
    for name, text in generate.pages().items():
        assert (generate.HERE / name).read_text(encoding="utf-8") == text, name


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_message_decodes_as_written_down(dialect):
    cases = [case for case in corpus() if case["decoded"]["dialect"] == dialect]
    assert cases
    for case in cases:
        found = as_dict(decode(data_of(case), dialect))
        plain = json.loads(json.dumps(found))
        assert list(plain.items()) == list(case["decoded"].items()), case["id"]
        fields, wanted = plain["fields"] or {}, case["decoded"]["fields"] or {}
        assert list(fields) == list(wanted), case["id"]


def test_writing_what_was_read_gives_the_same_bytes():
    for case in corpus():
        said = case["decoded"]
        # What JSON shows does not tell the system from an addressee, nor the federal mark.
        if said["dialect"] in {"clets", "dmpp"}:
            continue
        again = encode(
            said["dialect"],
            mke=said["mke"] or "",
            origin=said["origin"] or "",
            destinations=said["destinations"] or [],
            control=said["control"],
            fields=list((said["fields"] or {}).items()),
            text=said["text"],
            received=(said["received_at"], said["in_count"]) if said["received_at"] else None,
            sent=(said["sent_at"], said["out_count"]) if said["sent_at"] else None,
        )
        assert again == data_of(case), case["id"]


def test_frames_are_the_same_however_their_bytes_are_split():
    for case in corpus():
        if case["decoded"]["dialect"] != "dmpp":
            continue
        data = data_of(case)
        whole = [frame.body for frame in Framer("dmpp").feed(data)]
        for at in range(len(data) + 1):
            framer = Framer("dmpp")
            found = [*framer.feed(data[:at]), *framer.feed(data[at:])]
            assert [frame.body for frame in found] == whole, (case["id"], at)
