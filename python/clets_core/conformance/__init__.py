"""The conformance pack: numbered cases that an agency plays on its own line against a switch.

``cases`` lists them, ``play`` plays them one after the other. ``docs/conformance.md`` is for those
who run it.
"""

from clets_core.conformance.bench import Settings
from clets_core.conformance.cases import CASES
from clets_core.conformance.play import Result, play

__all__ = ["CASES", "Result", "Settings", "play"]
