"""What is kept of a machine beside its figures."""

from __future__ import annotations

from typing import Any


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Which kind it is, and not which one."""
    machine_info.pop("node", None)
    machine_info.pop("release", None)
