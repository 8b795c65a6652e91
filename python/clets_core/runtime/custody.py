"""The verbs of lines, queues and dead letters on the control socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from clets_core.errors import ClientCode, ClientError

if TYPE_CHECKING:
    from clets_core.net.shell import Shell
    from clets_core.runtime.control import Control, Request

ORDERS: Final = {
    "dead_letter.cancel": "cancel",
    "dead_letter.replay": "replay",
    "line.drain": "drain",
    "line.hold": "hold",
    "line.release": "release",
    "line.reroute": "reroute",
    "traffic.minimize": "minimize",
    "traffic.normal": "normal",
}
"""Verbs that change something, and what the engine calls them."""
SHOWN_MAX: Final = 1_000


def join(control: Control, shell: Shell) -> None:
    """Adds ``line.*``, ``traffic.*``, ``queue.*`` and ``dead_letter.*``."""

    async def queues(request: Request, account: str) -> Any:  # noqa: ANN401
        del account
        _only(request)
        return msgspec.json.decode(shell.center.status())

    async def queue(request: Request, account: str) -> Any:  # noqa: ANN401
        del account
        line = request.get("line", "")
        _only(request, "line")
        if not isinstance(line, str):
            raise ClientError(ClientCode.CONTROL_REQUEST.number, "expected `line` as a text")
        return msgspec.json.decode(shell.center.queue(line, SHOWN_MAX))

    async def letters(request: Request, account: str) -> Any:  # noqa: ANN401
        del account
        _only(request)
        return msgspec.json.decode(shell.center.dead_letters())

    control.verbs |= {"queue.list": queues, "queue.show": queue, "dead_letter.list": letters}
    for verb, action in ORDERS.items():
        control.verbs[verb] = _order(shell, action)


def _order(shell: Shell, action: str) -> Any:  # noqa: ANN401
    async def ordered(request: Request, account: str) -> Any:  # noqa: ANN401
        # The account is the operating system's word, whatever the request says.
        named = {"operator": account, **request, "action": action, "account": account}
        done = msgspec.json.decode(shell.order(msgspec.json.encode(named)))
        await shell.durable(done["record"])
        return done

    return ordered


def _only(request: Request, *parts: str) -> None:
    for name in request:
        if name not in parts:
            raise ClientError(ClientCode.CONTROL_REQUEST.number, f"expected no `{name}`")
