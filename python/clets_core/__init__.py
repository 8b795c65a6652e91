"""Message switch for law-enforcement telecommunications.

Parse a message with :func:`decode`, ask policy with :meth:`Bundle.decide`, and run a whole switch
inside your own event loop with :class:`Switch`. Importing starts no thread and no loop.
"""

from clets_core._core import Message, Verdict, decode
from clets_core.errors import CletsError

__all__ = ["CletsError", "Message", "Verdict", "decode"]
