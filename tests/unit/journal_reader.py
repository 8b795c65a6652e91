"""A reader of journals, made from `docs/internals/journal-format.md` alone."""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

if TYPE_CHECKING:
    from pathlib import Path

RECORDS_AT = 4096
TABLE = list(range(256))
for _ in range(8):
    TABLE = [it >> 1 ^ (0x82F63B78 if it & 1 else 0) for it in TABLE]


class Sound(NamedTuple):
    place: int
    count: int
    end: int
    record: tuple[int, int, int, bytes]


class DamagedError(Exception): ...


def crc32c(data: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value = TABLE[(value ^ byte) & 255] ^ value >> 8
    return value ^ 0xFFFFFFFF


class Tree:
    def __init__(self, size: int, edge: list[bytes]) -> None:
        self.size, self.edge = size, edge

    def add(self, leaf: bytes) -> None:
        root, size = hashlib.sha256(b"\0" + leaf).digest(), self.size
        while size & 1:
            root = hashlib.sha256(b"\1" + self.edge.pop() + root).digest()
            size >>= 1
        self.edge.append(root)
        self.size += 1

    def root(self) -> bytes:
        root = self.edge[-1] if self.edge else hashlib.sha256(b"").digest()
        for left in reversed(self.edge[:-1]):
            root = hashlib.sha256(b"\1" + left + root).digest()
        return root


class Journal:
    """Reads and proves everything at once, or raises :class:`DamagedError`."""

    def __init__(self, folder: Path) -> None:
        self.records: list[tuple[int, int, int, bytes]] = []  # number, time, kind, body
        self.torn = False
        self.tree: Tree | None = None
        paths = sorted(folder.glob("?" * 20 + ".segment"))
        first = int(paths[0].name[:20]) if paths else 0
        pages = [path.read_bytes() for path in paths]
        begun = [it for it in pages if any(it[:RECORDS_AT])]
        whole = [int(it.name[:20]) for it in paths] == list(range(first, first + len(paths)))
        if not whole or begun != pages[: len(begun)] or any(len(it) < 8192 for it in pages):
            raise DamagedError("a segment is missing, short, or begun behind a blank one")
        self.roots: dict[int, bytes] = {}
        for number, data in enumerate(begun, first):
            last = number == first + len(begun) - 1
            if self._header(number, data):
                self._segment(data, last=last)
            elif not last or any(data[RECORDS_AT:]):
                raise DamagedError(f"segment {number}: bad header")
        self.checkpoints = self._notes(folder)

    def _header(self, number: int, data: bytes) -> bool:
        magic, version, _, own, length, first = struct.unpack_from(">8sIIQQQ", data)
        (total,) = struct.unpack_from(">I", data, 4092)
        if magic != b"CLETSJNL" or version != 1 or crc32c(data[:4092]) != total:
            return False
        if own != number or length != len(data):
            raise DamagedError(f"segment {number}: the header is of another file")
        edge = [data[at : at + 32] for at in range(64, 64 + 32 * first.bit_count(), 32)]
        if self.tree is None:
            # Older segments were removed: the edge is taken as given, and checkpoints confirm it.
            self.tree = Tree(first, edge)
            self.roots[first] = self.tree.root()
        elif (self.tree.size, self.tree.edge) != (first, edge):
            raise DamagedError(f"segment {number}: the tree before it is another")
        return True

    def _sound(self, data: bytes, at: int) -> Sound | None:
        if at + 29 > len(data):
            return None
        check, length, place, count, *record = struct.unpack_from(">IIHHQqB", data, at)
        end, padded = at + 29 + length, at + -(-(29 + length) // 8) * 8
        whole = length <= 16_777_216 and place < count and padded <= len(data)
        if not whole or any(data[end:padded]) or crc32c(data[12:16] + data[at + 4 : end]) != check:
            return None
        return Sound(place, count, padded, (*record, data[at + 29 : end]))

    def _segment(self, data: bytes, *, last: bool) -> None:
        assert self.tree is not None
        at, batch, begin = RECORDS_AT, [], RECORDS_AT
        while found := self._sound(data, at):
            place, count, at, record = found
            if (place, record[0]) != (len(batch), self.tree.size + len(batch)):
                break
            batch.append((count, record))
            if count != batch[0][0]:
                break
            if len(batch) == count:
                for _, it in batch:
                    self.tree.add(struct.pack(">QqB", *it[:3]) + it[3])
                    self.roots[self.tree.size] = self.tree.root()
                    self.records.append(it)
                batch, begin = [], at
        if any(data[begin:]):
            rest = (self._sound(data, it) for it in range(begin, len(data), 8))
            if not last or any(it and it[3][0] - it[0] != self.tree.size for it in rest):
                raise DamagedError(f"records are damaged behind byte {begin}")
            self.torn = True

    def _notes(self, folder: Path) -> int:
        name, _, key = (folder / "checkpoint.vkey").read_text().strip().split("+", 2)
        public = base64.b64decode(key)
        identity = hashlib.sha256(f"{name}\n".encode() + public).digest()[:4]
        history = (folder / "checkpoint.history").read_text()
        latest = (folder / "checkpoint").read_text()
        notes = re.findall(r"(.*\n.*\n.*\n)\n— \S+ (\S+)\n\n", history)
        if not notes or latest != f"{notes[-1][0]}\n— {name} {notes[-1][1]}\n":
            raise DamagedError("the latest checkpoint is not the last of the history")
        for text, signature in notes:
            (origin, size, root), signed = text.splitlines(), base64.b64decode(signature)
            try:
                Ed25519PublicKey.from_public_bytes(public[1:]).verify(signed[4:], text.encode())
            except InvalidSignature:
                raise DamagedError(f"the checkpoint at {size} is not signed") from None
            known = self.roots.get(int(size), base64.b64decode(root))
            if (origin, signed[:4], base64.b64decode(root)) != (name, identity, known):
                raise DamagedError(f"the checkpoint at {size} is of other records")
            if int(size) > max(self.roots, default=0):
                raise DamagedError("records that a checkpoint covers are gone")
        return len(notes)
