"""Writes the conformance corpus: ``python -m tests.golden.generate``, or ``--check`` to compare.

It composes each message from the tables with writers of its own, a few lines each, so that what a
message must decode to is known before any decoder has seen it. The files it writes are data that
people review: one message a line, ``{"id", "family", "message", "decoded"}``, where ``message`` has
one character for each byte and ``decoded`` has the keys of ``clets decode`` in their order.
"""

from __future__ import annotations

import csv
import json
import shlex
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from tests.golden import tables

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE: Final = Path(__file__).parent
CRLF: Final = "\r\n"
KEYS: Final = (
    "dialect",
    "mke",
    "origin",
    "destinations",
    "control",
    "reference",
    "user",
    "station",
    "fields",
    "text",
    "received_at",
    "sent_at",
    "in_count",
    "out_count",
)
ORIS: Final = ("CA0190100", "CA0380100", "CA0190000")
STATIONS: Final = ("A0190001", "B0380001", "XX048063Y")
USERS: Final = ("U000001", "U000123", "1234567")

Fields = list[tuple[str, str]]


class Row:
    """One row of a table: a family, a key with its system, and the bodies it may have."""

    def __init__(self, line: str) -> None:
        self.family, name, rest = line.split(None, 2)
        *system, self.key = name.split(".")
        self.system = system[0] if system else None
        self.rest = rest

    def bodies(self) -> Iterator[tuple[str, str]]:
        """Addressees (may be empty) and the codes or the quoted text, of each body."""
        for body in [self.rest] if '"' in self.rest else self.rest.split(";"):
            to, mark, codes = body.strip().partition(" > ")
            yield (to, codes) if mark else ("", body.strip())


class Maker:
    """Takes values in turn, so that neighbours differ and two runs agree."""

    def __init__(self) -> None:
        self.turn = count()

    def pick(self, values: tuple[str, ...]) -> str:
        return values[next(self.turn) % len(values)]

    def body(self, codes: str, *, period: bool = True) -> tuple[Fields, str | None]:
        """The fields of a list of codes, or the text between quotation marks.

        To Nlets a period within a value makes the body a text, but for a hit confirmation.
        """
        if codes.startswith('"'):
            (text,) = shlex.split(codes)
            return [], text.replace("\\r\\n", CRLF)
        found = [(code, self.pick(tables.VALUES[code])) for code in codes.split()]
        # Only the last value may hold a period that nobody can mistake.
        last = found[-1][0] if period else ""
        return [(c, v if c == last else v.replace(".", "")) for c, v in found], None


def rows(table: str) -> Iterator[Row]:
    return (Row(line) for line in table.strip().splitlines())


def decoded(dialect: str, **parts: Any) -> dict[str, Any]:
    """What must come out, with every key; what is empty is null."""
    given = {"dialect": dialect, **parts}
    fields: dict[str, Any] = {}
    for code, value in given.pop("fields", []):
        fields[code] = [fields[code], value] if code in fields else value
    numbers = {key: given[key] for key in ("in_count", "out_count") if key in given}
    return {key: given.get(key) or None for key in KEYS} | {"fields": fields or None} | numbers


def written(fields: Fields) -> str:
    return ".".join(f"{code}/{value}" for code, value in fields)


def clets() -> Iterator[dict[str, Any]]:
    """The agencies' form: inquiries and updates, messages to people, replies, federal marks."""
    maker = Maker()
    for place, (row, federal) in enumerate(_clets_rows()):
        for to, codes in row.bodies():
            fields, text = maker.body(codes)
            head = {
                "station": maker.pick(STATIONS),
                "reference": "" if place % 7 == 0 else f"REF{next(maker.turn):07}",
                "user": "" if place % 11 == 0 else maker.pick(USERS),
                "mke": row.key,
                "origin": maker.pick(ORIS),
            }
            address = [part for part in (row.system, "R" if federal else None) if part]
            parts = [head["station"], head["reference"], head["user"], *address]
            parts += [row.key, head["origin"], *([to] if to else [])]
            parts += [f"TXT{CRLF}{text}" if text is not None else written(fields)]
            names = [*([row.system] if row.system else []), *(to.split(",") if to else [])]
            body = {"fields": fields} | ({} if text is None else {"text": text})
            yield {
                "family": row.family,
                "message": ".".join(parts),
                "decoded": decoded("clets", destinations=names, **head, **body),
            }


def _clets_rows() -> Iterator[tuple[Row, bool]]:
    for row in rows(tables.STATE):
        yield row, False
    for row in rows(tables.LINES):
        yield row, False
    # The federal mark stands behind a system of the state.
    for row in rows(tables.NATION):
        if row.key in {"QW", "QM", "QV", "QA", "QG", "QH", "QR"}:
            row.system = {"QW": "IW", "QM": "IM", "QV": "IA", "QA": "IP", "QG": "IG"}.get(
                row.key, "IH"
            )
            yield row, True


def ncic_in() -> Iterator[dict[str, Any]]:
    """To NCIC, every second message with a control header."""
    maker = Maker()
    for place, row in enumerate(rows(tables.NATION)):
        for _, codes in row.bodies():
            fields, _ = maker.body(codes)
            control = f"GACC{place:011}"[: 5 + place % 11] if place % 2 else ""
            origin = maker.pick(ORIS)
            head = f"1N01{control}." if control else ""
            yield {
                "family": row.family,
                "message": f"{head}{row.key}.{origin}.{written(fields)}",
                "decoded": decoded(
                    "ncic-in", mke=row.key, origin=origin, control=control, fields=fields
                ),
            }


def ncic_out() -> Iterator[dict[str, Any]]:
    """From NCIC: header line, receiver, blank line, text."""
    maker = Maker()
    for place, line in enumerate(tables.RETURNS.strip().splitlines()):
        family, quoted = line.split(None, 1)
        _, text = maker.body(quoted)
        control, receiver = f"SWCH{place:06}", maker.pick(ORIS)
        yield {
            "family": family,
            "message": f"1L01{control}{CRLF}{receiver}{CRLF}{CRLF}{text}",
            "decoded": decoded("ncic-out", destinations=[receiver], control=control, text=text),
        }


def nlets_in() -> Iterator[dict[str, Any]]:
    """To Nlets, every third message without a control field."""
    maker = Maker()
    for place, row in enumerate(rows(tables.MEMBERS)):
        for to, codes in row.bodies():
            fields, text = maker.body(codes, period=row.family == "hit")
            control = f"CTL{place:07}" if place % 3 else ""
            origin = maker.pick(ORIS)
            star = f"*{control}." if control else ""
            body = written(fields) if text is None else text
            said = {"fields": fields} if text is None else {"text": text}
            yield {
                "family": row.family,
                "message": f"{row.key}.{origin}.{to}.{star}TXT{CRLF}{body}",
                "decoded": decoded(
                    "nlets-in", mke=row.key, origin=origin, destinations=to.split(","),
                    control=control, **said,
                ),
            }  # fmt: skip


def nlets_out() -> Iterator[dict[str, Any]]:
    """From Nlets: stamps and running numbers, every fourth message without a control field."""
    maker = Maker()
    for place, line in enumerate(tables.ANSWERS.strip().splitlines()):
        family, key, origin, body = line.split(None, 3)
        fields, text = maker.body(body.removeprefix("> "), period=family == "hit")
        receiver = maker.pick(ORIS)
        control = f"MRI{place:07}" if place % 4 else ""
        stamp = [f"{place % 24:02}:{place % 60:02} 11/{1 + place % 30:02}/2026" for _ in "ab"]
        counts = (place * 1999 % 100_000, place * 31 % 100_000)
        lines = [f"{key}.{origin}", f"{stamp[0]} {counts[0]:05}"]
        lines += [f"{stamp[1]} {counts[1]:05} {receiver}", *([f"*{control}"] if control else [])]
        said = {"fields": fields} if text is None else {"text": text}
        yield {
            "family": family,
            "message": CRLF.join([*lines, "TXT", written(fields) if text is None else text]),
            "decoded": decoded(
                "nlets-out", mke=key, origin=origin, destinations=[receiver], control=control,
                received_at=stamp[0], sent_at=stamp[1], in_count=counts[0], out_count=counts[1],
                **said,
            ),
        }  # fmt: skip


# The elements of each field, by key and code; in the order in which they are written.
ELEMENTS: Final = list(
    csv.DictReader((HERE.parents[1] / "rust/wire/data/niem.csv").read_text("utf-8").splitlines())
)
SPACES: Final = {
    "n2": "http://www.nlets.org/niem/1.0",
    "nh2": "http://www.nlets.org/niem/nlets-hdr/1.0",
    "n2c": "http://www.nlets.org/niem/nlets-core/1.0",
    "nc": "http://niem.gov/niem/niem-core/2.0",
    "j": "http://niem.gov/niem/domains/jxdm/4.1",
}


def niem_in() -> Iterator[dict[str, Any]]:
    """What goes to Nlets, as XML."""
    return (_as_xml(case, "niem-in") for case in nlets_in())


def niem_out() -> Iterator[dict[str, Any]]:
    """What comes from Nlets, as XML."""
    return (_as_xml(case, "niem-out") for case in nlets_out())


def _as_xml(case: dict[str, Any], dialect: str) -> dict[str, Any]:
    said = case["decoded"] | {"dialect": dialect}
    key = said["mke"]
    header = [("MessageKeyCodeText", key), ("OriginatingORIID", said["origin"])]
    header += [("DestinationORIID", to) for to in said["destinations"]]
    header += [("DocumentControlFieldText", said["control"])] if said["control"] else []
    if dialect == "niem-out":
        for way, at in (("Receive", said["received_at"]), ("Send", said["sent_at"])):
            time, date = at.split()
            header += [(f"Message{way}Date", date), (f"Message{way}Time", time)]
        header += [("ReceiveMessageNumeric", f"{said['in_count']:05}")]
        header += [("SendMessageNumeric", f"{said['out_count']:05}")]
    if said["fields"]:
        found = [(_element(key, code), value) for code, value in said["fields"].items()]
        found.sort(key=lambda pair: ELEMENTS.index(pair[0]))
        said["fields"] = {row["field"]: value.replace(".", " ") for row, value in found}
        written = zip(found, said["fields"].values(), strict=True)
        leaves = [(row["path"], _value(row["kind"], value)) for (row, _), value in written]
    else:
        leaves = [(_element(key, "TXT")["path"], said["text"])]
    spaces = "".join(f' xmlns:{prefix}="{space}"' for prefix, space in SPACES.items())
    parts = "".join(f"<nh2:{name}>{escape(value)}</nh2:{name}>" for name, value in header)
    body = _body(key, text=not said["fields"])
    return case | {
        "message": f'<?xml version="1.0" encoding="UTF-8"?>{CRLF}<n2:NLETS{spaces} '
        f'n2:version="4.00"><n2:NLETSMessageHeader>{parts}</n2:NLETSMessageHeader>'
        f'<{body} n2:key="{key}">{_nested(leaves)}</{body}></n2:NLETS>',
        "decoded": said,
    }


def _value(kind: str, value: str) -> str:
    return f"{value[:4]}-{value[4:6]}-{value[6:]}" if kind == "date" else value


def _element(key: str, code: str) -> dict[str, str]:
    rows = [row for row in ELEMENTS if row["field"] == code and row["kind"] != "body"]
    return next(row for scope in (key, "*") for row in rows if row["scope"] == scope)


def _body(key: str, *, text: bool) -> str:
    rows = [row for row in ELEMENTS if row["kind"] == "body"]
    own = [row for row in rows if row["scope"] == key]
    common = [row for row in rows if (row["scope"], row["field"] == "TXT") == ("*", text)]
    return (own or common)[0]["path"][1:]


def _nested(leaves: list[tuple[str, str]]) -> str:
    """Elements that stand next to each other within the same ones are written within one."""
    groups: list[tuple[str, list[tuple[str, str]]]] = []
    for path, value in leaves:
        _, name, *rest = path.split("/")
        if not rest or not groups or groups[-1][0] != name:
            groups.append((name, []))
        groups[-1][1].append((f"/{'/'.join(rest)}" if rest else "", value))
    return "".join(
        f"<{name}>{escape(inside[0][1]) if not inside[0][0] else _nested(inside)}</{name}>"
        for name, inside in groups
    )


def dmpp() -> Iterator[dict[str, Any]]:
    """CLETS messages in DMPP-2020 frames: whole ones, and some in three blocks."""
    for place, case in enumerate(clets()):
        if place % 9:
            continue
        data = case["message"]
        third = len(data) // 3
        blocks = [data[:third], data[third : 2 * third], data[2 * third :]]
        validation = f"{place:04}"
        frames = [_block(3, validation, block) for block in blocks[:2]]
        frames += [_block(2, validation, blocks[2])]
        whole = [_block(2 - place % 2, validation, data)]
        yield {
            "family": case["family"],
            "message": "".join(frames if place % 2 == 0 and place % 4 else whole),
            "decoded": case["decoded"] | {"dialect": "dmpp"},
        }


def _block(function: int, validation: str, data: str) -> str:
    """CITE: DMPP-2020, block layout; integers are big-endian, the length counts everything."""
    head = b"\xff\x00\xaa\x55" + (len(data) + 28).to_bytes(4, "big") + b"\x00\x10"
    head += function.to_bytes(2, "big") + validation.encode() + len(data).to_bytes(4, "big")
    return head.decode("latin-1") + "\0\1\0\1" + data + b"\x55\xaa\x00\xff".decode("latin-1")


DIALECTS: Final = {
    "clets": clets,
    "dmpp": dmpp,
    "ncic-in": ncic_in,
    "ncic-out": ncic_out,
    "nlets-in": nlets_in,
    "nlets-out": nlets_out,
    "niem-in": niem_in,
    "niem-out": niem_out,
}


def pages() -> dict[str, str]:
    """Every file of the corpus by its name."""
    found = {}
    for dialect, make in DIALECTS.items():
        lines = [
            json.dumps(
                {"id": f"{dialect}-{number:03}", **case}, ensure_ascii=False, separators=(",", ":")
            )
            for number, case in enumerate(make(), 1)
        ]
        found[f"{dialect}.jsonl"] = "\n".join(lines) + "\n"
    return found


def main(arguments: list[str]) -> int:
    """Writes the files, or with ``--check`` tells which differ."""
    bad = 0
    for name, text in pages().items():
        path = HERE / name
        if "--check" in arguments:
            bad += path.read_text(encoding="utf-8") != text
        else:
            path.write_text(text, encoding="utf-8", newline="\n")
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
