"""Fixtures: the sample state on ports of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clets_core.cli.stage import free_ports
from clets_core.config.bundle import load_bundle
from clets_core.sample import write_california

if TYPE_CHECKING:
    from clets_core.config.bundle import Bundle


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The sample state on ports of its own."""
    folder = tmp_path_factory.mktemp("california")
    write_california(folder / "bundle", port_base=free_ports())
    return load_bundle(folder / "bundle")
