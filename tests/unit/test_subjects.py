"""Digests of identifiers: the switch computes SipHash-2-4 with 128 bits, here written plainly."""

from __future__ import annotations

import random

import pytest

from clets_core._core import subject_digest

KEY = "000102030405060708090a0b0c0d0e0f"
_MASK = (1 << 64) - 1


def _turn(word: int, by: int) -> int:
    return (word << by | word >> (64 - by)) & _MASK


def _rounds(state: list[int], count: int) -> None:
    for _ in range(count):
        a, b, c, d = state
        a, c = a + b & _MASK, c + d & _MASK
        b, d = _turn(b, 13) ^ a, _turn(d, 16) ^ c
        a = _turn(a, 32)
        c, a = c + b & _MASK, a + d & _MASK
        b, d = _turn(b, 17) ^ c, _turn(d, 21) ^ a
        state[:] = a, b, _turn(c, 32), d


def siphash(key: bytes, data: bytes) -> str:
    """SipHash-2-4-128 by the description of its authors (Aumasson and Bernstein)."""
    low, high = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    begin = (0x736F6D6570736575, 0x646F72616E646F6D ^ 0xEE, 0x6C7967656E657261, 0x7465646279746573)
    state = [word ^ part for word, part in zip(begin, (low, high, low, high), strict=True)]
    padded = data + bytes(-(len(data) + 1) % 8) + bytes([len(data) & 0xFF])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        state[3] ^= word
        _rounds(state, 2)
        state[0] ^= word
    state[2] ^= 0xEE
    _rounds(state, 4)
    first = state[0] ^ state[1] ^ state[2] ^ state[3]
    state[1] ^= 0xDD
    _rounds(state, 4)
    second = state[0] ^ state[1] ^ state[2] ^ state[3]
    return (first.to_bytes(8, "little") + second.to_bytes(8, "little")).hex()


def test_the_plain_twin_gives_the_published_digest() -> None:
    assert siphash(bytes.fromhex(KEY), b"") == "a3817f04ba25a8e66df67214c7550293"


def test_the_switch_digests_the_text_that_the_manual_says() -> None:
    random.seed(1970)
    for _ in range(500):
        key = random.randbytes(16)
        number = "".join(random.choices("ABC0123 -", k=random.randrange(20)))
        plain = "".join(sign for sign in number if sign.isalnum())
        given = subject_digest(key.hex(), "OLN", number.lower(), "CA", "U000001")
        assert given == siphash(key, f"U000001@OLN/CA/{plain}".encode())
        assert subject_digest(key.hex(), "VIN", number) == siphash(key, f"VIN//{plain}".encode())
    person = siphash(bytes.fromhex(KEY), b"PERSON/DOE/JANE/19800101")
    assert subject_digest(KEY, "NAM", "Doe, Jane Q", "19800101") == person


@pytest.mark.parametrize(("key", "field"), [("00", "OLN"), ("zz" * 16, "OLN"), (KEY, "SEX")])
def test_a_wrong_key_or_field_is_refused(key: str, field: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        subject_digest(key, field, "X")
