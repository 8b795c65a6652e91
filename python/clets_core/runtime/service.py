"""The verb ``service.set`` on the control socket: what a host takes from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from clets_core.errors import ClientCode, ClientError

if TYPE_CHECKING:
    from clets_core.net.shell import Shell
    from clets_core.runtime.control import Control, Request

PARTS: Final = {"host", "family", "state", "operator", "reason"}
WORDS_MAX: Final = 200


def join(control: Control, shell: Shell) -> None:
    """Adds ``service.set``; it is answered when its record is durable."""

    async def put(request: Request, account: str) -> Any:  # noqa: ANN401
        given = {name: request.get(name, "") for name in PARTS}
        words = [value for value in given.values() if isinstance(value, str)]
        unfit = set(request) - PARTS or len(words) < len(PARTS)
        if unfit or not given["reason"] or max(map(len, words)) > WORDS_MAX:
            text = f"expected {', '.join(sorted(PARTS))} as texts, and a reason"
            raise ClientError(ClientCode.CONTROL_REQUEST.number, text)
        operator = given["operator"] or account
        source = f"operator {operator} ({account}): {given['reason']}"
        shell.service(given["host"], given["family"], given["state"], source)
        record = msgspec.json.decode(shell.center.status())["next_number"] - 1
        await shell.durable(record)
        return {"record": record, "host": given["host"], "state": given["state"]}

    control.verbs["service.set"] = put
