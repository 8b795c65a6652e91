"""The sample state with as many further lines as a measurement needs.

Each has an agency, an ORI, a station, a user and a loopback address of its own, and a broadcast
group in which its station is alone: so a line can be sent every precedence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from clets_core.sample import write_california

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

USERS = 60
"""Users of the sample that stay: 20,000 more would only take time to read."""
HOST_PORT = 10
"""The first host of the sample listens this many ports above the first listener."""
FILLER = (
    "SYNTHETIC MESSAGE FOR MEASURING ONLY. NOTHING IN IT IS REAL, NOBODY IS NAMED IN IT, AND "
    "NOBODY HAS TO DO ANYTHING ABOUT IT."
)


@dataclass(frozen=True)
class Place:
    """One line and what belongs to it."""

    number: int
    framing: Literal["dmpp", "native"]
    window: int = 0
    """Messages on the wire at a time; 0 for what the protocol has by default."""
    stations: int = 1
    """All in its group; the first is the one that is written to and writes."""

    @property
    def name(self) -> str:
        return f"load-{self.number}"

    @property
    def peer(self) -> str:
        return f"127.1.{self.number >> 8}.{self.number & 255}"

    @property
    def ori(self) -> str:
        return f"CA9{self.number:06}"

    @property
    def station(self) -> str:
        return f"L{self.number:07}"

    @property
    def all_stations(self) -> list[str]:
        further = (f"K{self.number:03}{count:04}" for count in range(1, self.stations))
        return [self.station, *further]

    @property
    def user(self) -> str:
        return f"L{self.number}"

    @property
    def group(self) -> str:
        return f"GL{self.number}"

    def message(self, precedence: int, reference: str, to: Place, text: str = FILLER) -> bytes:
        """What this line's station sends another line's station with a precedence.

        P2 is an inquiry, and no station is sent one: it goes to the system ``svs``.
        """
        # The same case for all: a new request takes the place of the one before, unanswered.
        hit = "LIC/1ABC234.LIS/CA.OCA/26-000001"
        remark = text.replace(".", " ")
        asks = f"RTY/SV.RNO/1.PRI/U.{hit}.RNA/BENCH.REM/{remark}"
        answers = f"RTY/SV.RNO/1.PRI/R.{hit}.CON/Y.RNA/BENCH.REM/{remark}"
        key, tail = (
            ("NLTS.YQ", f"{to.ori}.{asks}"),
            ("NLTS.YR", f"{to.ori}.{answers}"),
            ("IA.QVK", "VIN/1HGCM82633A004352.VMA/HOND.CAP/C.RSN/TRAFFIC STOP"),
            ("AM", f"{to.station}.TXT\r\n{text}"),
            ("AM", f"{to.group}.TXT\r\n{text}"),
        )[precedence]
        return f"{self.station}.{reference}.{self.user}.{key}.{self.ori}.{tail}".encode()


def write_lines(folder: Path, places: Iterable[Place], *, port_base: int) -> None:
    """Writes the bundle; DMPP lines connect to ``port_base``, native ones to the next port."""
    places = list(places)
    write_california(folder, port_base=port_base)
    users = folder / "users.csv"
    kept = users.read_text("utf-8").splitlines(keepends=True)[: USERS + 1]
    users.write_text("".join(kept), "utf-8")
    # The one inquiry asks the state's file alone, so that one small host can answer it.
    routes = folder / "routes.toml"
    routes.write_text(
        re.sub(
            r'keys = \["IA.QV", "IA.QVK"\]\nlegs = \[[^]]*\]',
            'keys = ["IA.QV", "IA.QVK"]\nlegs = [{ host = "svs" }]',
            routes.read_text("utf-8"),
        ),
        "utf-8",
    )
    # One frame at a time to that host would be measured, not the switch.
    hosts = folder / "hosts.toml"
    text = hosts.read_text("utf-8")
    hosts.write_text(text.replace('name = "svs"\n', 'name = "svs"\nwindow = 1024\n'), "utf-8")
    rows: dict[str, list[str]] = {
        name: [] for name in ("lines.toml", "groups.toml", "agencies.csv", "oris.csv")
    } | {"stations.csv": [], "users.csv": []}
    for it in places:
        window = f"window = {it.window}\n" if it.window else ""
        rows["lines.toml"].append(
            f'\n[[line]]\nname = "{it.name}"\ntitle = "Measured line"\nframing = "{it.framing}"\n'
            f'county = 1\npeer = "{it.peer}"\n{window}agencies = ["{it.name}"]\n'
        )
        members = ", ".join(f'"{station}"' for station in it.all_stations)
        rows["groups.toml"].append(
            f'\n[[group]]\ncode = "{it.group}"\ntitle = "Stations"\nmembers = [{members}]\n'
        )
        rows["agencies.csv"].append(f"{it.name},Measured,ca_lea,active,1,false,false,true\n")
        rows["oris.csv"].append(f"{it.ori},{it.name},true,true,{it.station}\n")
        rows["stations.csv"].extend(
            f"{station},{it.name},{it.ori},fixed\n" for station in it.all_stations
        )
        trained = "2015-03-02,2015-04-06,2099-12-31"
        rows["users.csv"].append(f"{it.user},{it.name},full,active,true,true,{trained}\n")
    for name, added in rows.items():
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write("".join(added))
