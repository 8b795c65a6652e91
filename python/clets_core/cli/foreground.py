"""What verbs that run until they are told to stop have in common."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

from clets_core.errors import ClientCode, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator


def stop_event() -> asyncio.Event:
    """An event of the running loop that SIGINT and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


@contextlib.contextmanager
def listening() -> Iterator[None]:
    """Around the opening of listeners: an address that cannot be had is an error of the user.

    Raises:
        ClientError: E925, an address is taken or not of this machine.
    """
    try:
        yield
    except OSError as error:
        text = f"{error.strerror or error}; expected addresses that are free and local"
        raise ClientError(ClientCode.ADDRESS.number, text) from error
