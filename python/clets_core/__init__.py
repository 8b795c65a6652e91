"""Message switch for law-enforcement telecommunications.

Parse a message with :func:`decode`, ask policy with :meth:`Bundle.decide`, and run a whole switch
inside your own event loop with :class:`Switch`. Importing starts no thread and no loop.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from clets_core._core import Message, Verdict, decode
from clets_core.errors import CletsError

if TYPE_CHECKING:
    from clets_core.config.bundle import Bundle, load_bundle
    from clets_core.runtime.switch import Switch

    __version__: str

__all__ = [
    "Bundle",
    "CletsError",
    "Message",
    "Switch",
    "Verdict",
    "__version__",
    "decode",
    "load_bundle",
]

# Imported when first asked for: who only parses does not pay for asyncio and the bundle's model.
_LATER: Final = {
    "Bundle": "clets_core.config.bundle",
    "Switch": "clets_core.runtime.switch",
    "load_bundle": "clets_core.config.bundle",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        value: object = version("clets-core")
    elif name in _LATER:
        value = getattr(import_module(_LATER[name]), name)
    else:
        msg = f"module `{__name__}` has no attribute `{name}`"
        raise AttributeError(msg)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
