"""What an operator says of a host, and the settings of hit confirmation and alerts."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

import clets_core
from clets_core._core import Center
from clets_core.errors import BundleError, CletsError
from clets_core.runtime.status import Status

CALIFORNIA = Path(__file__).parents[2] / "examples" / "california"
SNAPSHOT = clets_core.load_bundle(CALIFORNIA).snapshot


def lines(center: Center) -> dict[str, object]:
    status = msgspec.json.decode(center.status(), type=Status)
    return {line.name: line.service for line in status.lines if line.service}


def test_a_state_of_service_is_journalled_and_survives(tmp_path: Path) -> None:
    center = Center(SNAPSHOT, tmp_path)
    center.service("iii", "", "held")
    center.service("nlets", "vehicle", "removed")
    center.service("ncic", "QV", "held")
    center.service("ncic", "QV", "up")
    expected = {"iii": (("", "held"),), "nlets": (("vehicle", "removed"),)}
    assert lines(center) == expected
    center.stop()
    again = Center(SNAPSHOT, tmp_path)
    assert lines(again) == expected
    again.stop()


@pytest.mark.parametrize(
    ("line", "family", "state"),
    [
        ("nowhere", "", "held"),
        ("county-019", "", "held"),
        ("iii", "tea", "held"),
        ("iii", "", "on"),
    ],
)
def test_what_names_nothing_is_refused(tmp_path: Path, line: str, family: str, state: str) -> None:
    center = Center(SNAPSHOT, tmp_path)
    with pytest.raises(CletsError) as caught:
        center.service(line, family, state)
    assert caught.value.code == 519
    assert lines(center) == {}
    center.stop()


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ('control_station = "A0340004"', 'control_station = "NOBODY"', "no station `NOBODY`"),
        ('alert_group = "GSTATE"', 'alert_group = "GNONE"', "no group `GNONE`"),
    ],
)
def test_settings_name_what_exists(tmp_path: Path, old: str, new: str, part: str) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(CALIFORNIA, folder)
    settings = folder / "switch.toml"
    settings.write_text(settings.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(BundleError, match=part):
        clets_core.load_bundle(folder)
