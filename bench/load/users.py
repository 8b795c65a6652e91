"""Locust users that speak the line protocols: terminals behind a county line, a CAD and an MSC.

What they send and how often over a day is that of the state (the shares are of all messages):
vehicles 50 %, persons 36, driver licences 5, criminal history 3, protection orders, firearms, boats
and property 1.5, entries 3, administrative messages 1, and 0.5 that policy must block. CITE: ACJIS
2004 for vehicles and persons, the rest assumed; 2.8 million messages a day on CLETS in 2018.

Locust runs this file in a process of its own, which ``python -m bench.load.day`` starts.
"""

from __future__ import annotations

import random
import time
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from bench.load.shared_line import Line
from gevent import Timeout
from gevent.lock import RLock
from locust import LoadTestShape, User, constant_throughput, events, task

import clets_core
from clets_core.client import inquire

if TYPE_CHECKING:
    from typing import Any

    from clets_core.config.model import Configuration

AVERAGE = 2.8e6 / 86_400
"""Messages a second over a day."""
PEAK_DAY = 1.31
"""Of the busiest day of a year. CITE: NCIC's record days, 1.17 to 1.32."""
SECONDS_BETWEEN = 10.0
"""A terminal asks this often; more of them when there is more to ask."""
ANSWER_SECONDS = 40.0
STOP = {"CAP": "C", "RSN": "TRAFFIC STOP", "OCA": "26-104"}
PLATE = {"LIS": "CA", "LIY": "2027", "LIT": "PC"}
HISTORY = {"CAP": "C", "PUR": "C", "ATN": "DET SAMPLE", "OCA": "26-104"}
NOTE = "SYNTHETIC MESSAGE FOR MEASURING ONLY. NOTHING IN IT IS REAL."
POLICE = ("ca_lea", "active")
BLOCKED = 430
BLOCKED_NOTICE = "REJ"


def factor(hour: float) -> float:
    """How much of the day's average there is at an hour of it."""
    if 4 <= hour < 6:
        return 0.5
    if 10 <= hour < 16:
        return 1.2
    if 20 <= hour < 24:
        return 2.0
    if 16 <= hour < 20 or hour < 1:
        return 1.5
    return 1.0


def rate(hour: float) -> float:
    """Messages a second of the whole state at an hour of its busiest day; 85 in the evening."""
    return AVERAGE * PEAK_DAY * factor(hour)


@events.init_command_line_parser.add_listener
def _options(parser: Any) -> None:
    parser.add_argument("--bundle", help="folder of the switch's bundle")
    parser.add_argument("--port", type=int, help="DMPP listener; the native one is the next port")
    parser.add_argument("--day", type=float, help="seconds in which a day passes")
    parser.add_argument("--scale", type=float, default=1.0, help="times the state's messages")


class Day(LoadTestShape):
    """As many terminals as the hour needs."""

    def tick(self) -> tuple[int, float] | None:
        options = self.runner.environment.parsed_options
        now = self.get_run_time()
        if now >= options.day:
            return None
        wanted = options.scale * rate(24 * now / options.day) * SECONDS_BETWEEN
        return max(len(Terminal.__subclasses__()), round(wanted)), max(10.0, wanted / 4)


@cache
def state(bundle: str) -> Configuration:
    """The bundle's tables."""
    return clets_core.load_bundle(bundle).configuration


_lines: dict[str, Line] = {}
_dialling = RLock()


def line(name: str, bundle: str, port: int) -> Line:
    """The line, connected by the first terminal that needs it."""
    with _dialling:
        if name not in _lines:
            it = next(it for it in state(bundle).lines if it.name == name)
            native = it.framing == "native"
            _lines[name] = Line(name, it.framing, it.peer, port + native)
        return _lines[name]


class Terminal(User):
    """A station and its user, who sends one message and waits for what comes back."""

    abstract = True
    wait_time = constant_throughput(1 / SECONDS_BETWEEN)
    lines: ClassVar[tuple[str, ...]]

    def on_start(self) -> None:
        options = self.environment.parsed_options
        tables = state(options.bundle)
        name = random.choice(self.lines)
        self.line = line(name, options.bundle, options.port)
        police = {it.code for it in tables.agencies if (it.class_, it.standing) == POLICE}
        oris = {it.ori: it for it in tables.oris if it.criminal_history and it.agency in police}
        served = [it for it in tables.stations if it.line == name and it.ori in oris]
        users: dict[str, list[str]] = {}
        for it in tables.users:
            trained = it.training_to is not None and it.training_to >= date.today()  # noqa: DTZ011
            may = it.level == "full" and it.standing == "active" and it.cleared and it.statement
            if may and trained:
                users.setdefault(it.agency, []).append(it.id)
        served = [it for it in served if oris[it.ori].agency in users]
        self.station = random.choice([it for it in served if it.kind != "receive_only"])
        self.user_id = random.choice(users[oris[self.station.ori].agency])
        others = [it for it in tables.stations if it.line == name and it is not self.station]
        self.neighbour = random.choice(others or [self.station]).mnemonic

    def _ask(self, title: str, key: str, *, blocked: bool = False, **parts: Any) -> None:
        """Sends, and tells locust how long acceptance and the first answer took."""
        who = {"station": self.station.mnemonic, "ori": self.station.ori, "user": self.user_id}
        asked = inquire(key=key, **who, **parts)
        answers = key != "AM"
        waiting = self.line.expect(asked.reference) if answers else None
        begun = time.perf_counter()
        try:
            with Timeout(ANSWER_SECONDS):
                code = self.line.send(asked.payload).get()
                wrong = code not in ({0, BLOCKED} if blocked else {0})
                self._tell("accept", title, begun, f"refused with E{code}" if wrong else "")
                if waiting is not None and not code:
                    answer, said = waiting.get()
                    wrong = (answer == BLOCKED_NOTICE) != blocked
                    self._tell("answer", title, begun, f"{answer}: {said}" if wrong else "")
        except Timeout:
            self._tell("answer", title, begun, f"nothing came in {ANSWER_SECONDS:.0f} s")
        finally:
            self.line.forget(asked.reference)

    def _tell(self, kind: str, title: str, begun: float, wrong: str) -> None:
        self.environment.events.request.fire(
            request_type=kind,
            name=title,
            response_time=1e3 * (time.perf_counter() - begun),
            response_length=0,
            exception=RuntimeError(wrong) if wrong else None,
        )

    @task(500)
    def vehicle(self) -> None:
        plate = f"{random.randint(1, 9)}{_letters(3)}{random.randint(0, 999):03}"
        self._ask("vehicle", "IV.4A", LIC=plate, LIS="CA", **STOP)

    @task(360)
    def person(self) -> None:
        self._ask("person", "IW.QW", **_person(), **STOP)

    @task(50)
    def driver(self) -> None:
        self._ask("driver licence", "ID.L1", OLN=f"S{random.randint(0, 9_999_999):07}", **STOP)

    @task(30)
    def history(self) -> None:
        self._ask("criminal history", "IH.QHA", **_person(), **HISTORY)

    @task(15)
    def property(self) -> None:
        title, key, fields = random.choice(
            (
                ("firearm", "IG.QG", {"SER": f"SYN{_letters(6)}"}),
                ("boat", "IA.QB", {"REG": f"CF{random.randint(0, 9999):04}{_letters(2)}"}),
                ("property", "IP.QA", {"SER": f"SYN{_letters(6)}", "TYP": "BBICYCL"}),
                ("protection order", "IB.QRR", _person()),
            )
        )
        self._ask(title, key, **fields, **STOP)

    @task(30)
    def entry(self) -> None:
        number = f"{random.randint(0, 99_999):05}"
        fields = {"LIC": f"9SYN{number[:3]}", **PLATE, "VMA": "FORD"}
        fields |= {"VIN": f"SYN0FORDBEN{_letters(1)}{number}", "VYR": "2024", "DOT": "20261101"}
        self._ask("entry", "IA.EV", **fields, OCA=f"26-{number}")

    @task(10)
    def message(self) -> None:
        self._ask("administrative message", "AM", to=(self.neighbour,), text=NOTE)

    @task(5)
    def blocked(self) -> None:
        fields = {"LIC": "2DEF567", "LIS": "CA", **STOP, "RSN": "ICE CIVIL IMMIGRATION DETAINER"}
        self._ask("blocked", "IV.4A", blocked=True, **fields)


class County(Terminal):
    """Behind a county's line, on DMPP."""

    weight = 5
    lines = ("county-001", "county-019", "county-030", "county-033", "county-037", "county-043")


class Msc(Terminal):
    """A mobile behind a message switching computer, which many of them share."""

    weight = 4
    lines = ("msc-01",)


class Cad(Terminal):
    """Behind a dispatch system."""

    weight = 1
    lines = ("cad-01",)


def _letters(count: int) -> str:
    return "".join(random.choices("ABCDEFGHJKLMNPRSTUVWXYZ", k=count))


def _person() -> dict[str, str]:
    born = f"19{random.randint(50, 99)}{random.randint(1, 12):02}{random.randint(1, 28):02}"
    return {"NAM": f"SAMPLE,{_letters(6)}", "SEX": random.choice("FM"), "DOB": born}
