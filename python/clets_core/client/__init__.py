"""An asyncio client for an agency computer, and the reference receiver.

.. code-block:: python

    async with Client.connect("127.0.0.1", 17000, local_addr="127.0.1.19") as line:
        plate = inquire(
            station="A0190001", user="U000001", ori="CA0190000", key="IV.4A",
            LIC="1ABC234", LIS="CA", CAP="C", RSN="TRAFFIC STOP",
        )
        answer = await line.ask(plate, replies=3)
"""

from clets_core.client.client import Client
from clets_core.client.compose import Inquiry, inquire, new_reference
from clets_core.client.message import NOTICES, Answer, Receipt, Received
from clets_core.client.receiver import FileReceiver, MemoryReceiver, Receiver

__all__ = [
    "NOTICES",
    "Answer",
    "Client",
    "FileReceiver",
    "Inquiry",
    "MemoryReceiver",
    "Receipt",
    "Received",
    "Receiver",
    "inquire",
    "new_reference",
]
