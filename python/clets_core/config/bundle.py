"""A bundle that is ready for use: validated, compiled, immutable."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from clets_core._core import Snapshot
from clets_core.config.document import document
from clets_core.config.load import load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from clets_core._core import Message, Verdict
    from clets_core.config.model import Configuration


class Bundle:
    """Directory, routes, groups, policies and settings of one switch.

    Attributes:
        configuration: What the files say.
        snapshot: The same, compiled.
    """

    __slots__ = ("configuration", "snapshot")

    configuration: Configuration
    snapshot: Snapshot

    def __init__(self, configuration: Configuration) -> None:
        policies = [(policy.name, policy.text) for policy in configuration.policies]
        compiled = Snapshot(
            document(configuration),
            policies,
            configuration.schema,
            configuration.hash,
        )
        object.__setattr__(self, "configuration", configuration)
        object.__setattr__(self, "snapshot", compiled)

    def __setattr__(self, name: str, value: object) -> None:
        msg = f"a bundle is immutable: `{name}` cannot be set"
        raise AttributeError(msg)

    @property
    def hash(self) -> str:
        """SHA-256 over the bundle's files, hexadecimal."""
        return self.configuration.hash

    def decide(self, message: Message, *, line: str, at: datetime | None = None) -> Verdict:
        """Judges a message as if it had come on ``line`` at the time ``at`` (now, if absent).

        It looks at the bundle only: not at connections, queues or earlier messages.

        Raises:
            ValueError: ``at`` has no time zone.
            CletsError: E802, the bundle has no such line.
            DecodeError: E201, the line speaks another dialect.
        """
        return self.snapshot.decide(message, line, _microseconds(at))

    def effects(
        self, messages: Sequence[Message | bytes], *, line: str, at: datetime | None = None
    ) -> list[str]:
        """The effects alone of many messages, as :meth:`decide` gives them, in their order.

        A message may be given as its bytes, in the dialect of the line.

        Raises:
            ValueError: ``at`` has no time zone.
            CletsError: E802, the bundle has no such line.
            DecodeError: E201, the line speaks another dialect than one of them; 2xx, the bytes of
                one are no message.
        """
        return self.snapshot.effects(messages, line, _microseconds(at))


def _microseconds(at: datetime | None) -> int:
    """A time (now, if absent) since 1970, UTC."""
    at = at or datetime.now(UTC)
    if at.tzinfo is None:
        msg = f"`{at}`: expected a time with its time zone"
        raise ValueError(msg)
    return round((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)


def load_bundle(path: str | PathLike[str]) -> Bundle:
    """Reads, validates and compiles the bundle in a folder.

    Raises:
        BundleError: Everything that is wrong with it, each problem with file and line.
    """
    return Bundle(load(path))
