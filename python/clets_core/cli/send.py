"""``clets send``: an agency's computer for one moment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import click

from clets_core.cli.messages import as_dict, payloads
from clets_core.cli.reach import Line, line_options
from clets_core.cli.terminal import json_option, print_json, read_input, visible
from clets_core.client import Client
from clets_core.errors import ClientCode, ClientError

if TYPE_CHECKING:
    from clets_core.client import Receipt, Received

REFUSED: Final = 3
CONNECT_SECONDS_MAX: Final = 10.0


@click.command
@line_options
@click.option("--port", type=click.IntRange(1, 65_535), required=True, help="Its port.")
@click.option("--replies", type=click.IntRange(min=0), help="End after so many messages came.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="Seconds to wait for each receipt, and then for replies.",
)
@json_option
@click.argument("file", default="-")
@click.pass_context
def send(
    context: click.Context,
    line: Line,
    port: int,
    replies: int | None,
    timeout: float,
    as_json: bool,
    file: str,
) -> None:
    """Send each message of FILE (or of standard input) to a switch.

    The messages are in the CLETS form, with the ETX character between them. Prints a receipt for
    each, then what comes back. Exit code 1: too few replies, or a message was not answered; 3: a
    message was refused.
    """
    client = Client.connect(
        line.host,
        port,
        framing=line.framing,
        line=line.name,
        local_addr=line.local,
        ssl=line.security(),
        server_hostname=line.server_name,
        timeout=min(timeout, CONNECT_SECONDS_MAX),
    )
    exchange = Exchange(client, timeout, as_json=as_json)
    asyncio.run(exchange.run(list(payloads(read_input(file))), replies))
    if exchange.refused:
        context.exit(REFUSED)


class Exchange:
    """Sends messages over a client, and prints what the switch says."""

    def __init__(self, client: Client, timeout: float, *, as_json: bool) -> None:
        self._client = client
        self._timeout = timeout
        self._as_json = as_json
        self.refused = False

    async def run(self, messages: list[bytes], replies: int | None) -> None:
        """Sends all, then prints messages until there are enough or the time is over.

        Raises:
            ClientError: E926, a receipt or some of the replies did not come in time.
        """
        async with self._client as client:
            for number, message in enumerate(messages, 1):
                try:
                    async with asyncio.timeout(self._timeout):
                        receipt = await client.send(message)
                except TimeoutError:
                    what = f"message {number}: expected a receipt within {self._timeout:g} s"
                    raise ClientError(ClientCode.UNHEARD.number, what) from None
                self._print_receipt(number, receipt)
            found = await self._receive(replies)
        if replies is not None and found < replies:
            what = f"{found} of {replies} replies came; expected all within {self._timeout:g} s"
            raise ClientError(ClientCode.UNHEARD.number, what)

    async def _receive(self, replies: int | None) -> int:
        found = 0
        try:
            async with asyncio.timeout(self._timeout):
                while replies is None or found < replies:
                    received = await self._client.receive()
                    found += 1
                    self._print_reply(found, received)
        except TimeoutError:
            pass
        return found

    def _print_receipt(self, number: int, receipt: Receipt) -> None:
        self.refused = self.refused or not receipt.accepted
        if self._as_json:
            print_json(
                {
                    "receipt": number,
                    "accepted": receipt.accepted,
                    "smn": receipt.smn,
                    "code": receipt.code or None,
                    "status": receipt.status or None,
                    "text": receipt.text or None,
                }
            )
            return
        parts = ["accepted" if receipt.accepted else "refused"]
        if receipt.smn is not None:
            parts.append(f"as number {receipt.smn}")
        if receipt.code:
            parts.append(f"E{receipt.code}")
        if receipt.status:
            parts.append(f"status {receipt.status:#06x}")
        click.echo(visible(f"message {number}: {' '.join([*parts, receipt.text])}".rstrip()))

    def _print_reply(self, number: int, received: Received) -> None:
        self.refused = self.refused or received.key == "REJ"
        if self._as_json:
            message = None if received.message is None else as_dict(received.message)
            payload = received.payload.decode("latin-1") if message is None else None
            repeated = received.possible_duplicate
            print_json(
                {
                    "reply": number,
                    "precedence": received.precedence,
                    "sequence": received.sequence,
                    "possible_duplicate": repeated,
                    "message": message,
                    "payload": payload,
                }
            )
            return
        heading = (received.key, received.station, received.reference)
        click.echo(visible(f"reply {number}: {' '.join(part for part in heading if part)}"))
        for line in received.text.splitlines():
            click.echo(f"    {visible(line)}")
