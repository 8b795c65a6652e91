"""Seeded choices that give the same sample on every machine and version of Python."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


class Draw:
    """Choices from one seed.

    Only ``random()`` is used: Python promises its sequence for a seed, and not that of the rest.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 (a sample, not a secret)

    def below(self, limit: int) -> int:
        """A whole number from 0 up to ``limit``, without it."""
        return int(self._random.random() * limit)

    def chance(self, percent: float) -> bool:
        """True in this many of a hundred cases."""
        return self._random.random() * 100 < percent

    def one_of(self, choices: Sequence[T]) -> T:
        """One of the choices."""
        return choices[self.below(len(choices))]
