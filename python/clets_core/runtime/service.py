"""The verb ``service.set`` on the control socket: what a host takes from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from clets_core.runtime.words import words

if TYPE_CHECKING:
    from clets_core.net.shell import Shell
    from clets_core.runtime.control import Control, Request


def join(control: Control, shell: Shell) -> None:
    """Adds ``service.set``; it is answered when its record is durable."""

    async def put(request: Request, account: str) -> Any:  # noqa: ANN401
        given, source = words(request, account, ("host", "family", "state"), reason=True)
        shell.service(given["host"], given["family"], given["state"], source)
        record = msgspec.json.decode(shell.center.status())["next_number"] - 1
        await shell.durable(record)
        return {"record": record, "host": given["host"], "state": given["state"]}

    control.verbs["service.set"] = put
