"""The verbs of the intercept queue on the control socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from clets_core.errors import ClientCode, ClientError

if TYPE_CHECKING:
    from clets_core.net.shell import Shell
    from clets_core.runtime.control import Control, Request

STEPS: Final = ("edit", "forward", "lock", "return", "show", "unlock")


def join(control: Control, shell: Shell) -> None:
    """Adds ``intercept.list`` and one verb for each step of an operator."""

    async def listed(request: Request, account: str) -> Any:  # noqa: ANN401
        del account
        if request:
            text = f"expected no `{next(iter(request))}`"
            raise ClientError(ClientCode.CONTROL_REQUEST.number, text)
        return msgspec.json.decode(shell.center.intercepts())

    control.verbs["intercept.list"] = listed
    for step in STEPS:
        control.verbs[f"intercept.{step}"] = _step(shell, step)


def _step(shell: Shell, step: str) -> Any:  # noqa: ANN401
    async def taken(request: Request, account: str) -> Any:  # noqa: ANN401
        # The account is the operating system's word, whatever the request says.
        command = {"operator": account, **request, "action": step, "account": account}
        done = msgspec.json.decode(shell.operate(msgspec.json.encode(command)))
        await shell.durable(done["record"])
        return done

    return taken
