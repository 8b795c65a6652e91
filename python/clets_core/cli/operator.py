"""How the verbs of an operator reach a running switch."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from clets_core.errors import ClientCode, ClientError, RefusedError
from clets_core.runtime.control import SOCKET_NAME, reachable

if TYPE_CHECKING:
    from collections.abc import Callable

# A bundle of thousands of users is read and compiled in a few seconds.
SECONDS: Final = 60.0
F = TypeVar("F", bound="Callable[..., Any]")

control_option = click.option(
    "--control",
    type=click.Path(path_type=Path),
    default=Path("journal") / SOCKET_NAME,
    show_default=True,
    help="Control socket of the running switch.",
)


def who_and_why(command: F) -> F:
    """The options that say who acts, and why."""
    named = click.option(
        "--operator", default="", help="Name for the journal; default: the account's."
    )
    why = click.option("--reason", required=True, help="Why, for the journal.")
    return named(why(command))


def ask(control: Path, verb: str, **said: object) -> Any:  # noqa: ANN401
    """One request on the control socket, and its result.

    Raises:
        ClientError: E926 no answer in time; E940 nobody listens there.
        RefusedError: The switch did not do it.
    """
    request = json.dumps({"verb": verb, **said}).encode() + b"\n"
    try:
        with socket.socket(socket.AF_UNIX) as line, reachable(control) as name:
            line.settimeout(SECONDS)
            line.connect(name)
            line.sendall(request)
            with line.makefile("rb") as answers:
                answer = answers.readline()
    except TimeoutError as error:
        text = f"`{control}`: expected an answer within {SECONDS:.0f} s"
        raise ClientError(ClientCode.UNHEARD.number, text) from error
    except OSError as error:
        text = f"`{control}`: {error.strerror}; expected the control socket of a running switch"
        raise ClientError(ClientCode.CONTROL_ABSENT.number, text) from error
    if not answer:
        text = f"`{control}`: the switch ended the connection without an answer"
        raise ClientError(ClientCode.UNHEARD.number, text)
    told = json.loads(answer)
    if not told["ok"]:
        raise RefusedError(told["code"], told["text"])
    return told["result"]
