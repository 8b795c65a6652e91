"""Fixtures: a bundle for a program of its own, and no trace of earlier runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clets_core.cli.stage import free_ports
from tests.faults.machine import sweep, workplace
from tests.faults.program import write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session", autouse=True)
def clean() -> Iterator[None]:
    sweep()
    yield
    sweep()


@pytest.fixture(scope="session")
def port_base() -> int:
    return free_ports()


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where careless libraries are built, once each."""
    return tmp_path_factory.mktemp("careless")


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory, port_base: int) -> Path:
    folder = tmp_path_factory.mktemp("faults") / "bundle"
    write_bundle(folder, port_base)
    return folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where images may be mounted."""
    with workplace() as path:
        yield path
