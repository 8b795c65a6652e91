"""Entry point of ``clets``: finds the verb, and tells every error with its number.

Exit codes: 0 done, 1 the operation failed, 2 the command line was wrong, 3 a message was refused
(``decide``) or would fare otherwise (``policy diff``), 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

import click

from clets_core.cli.terminal import tell, wants_json
from clets_core.errors import CletsError, ClientCode, ClientError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Verb to its line of help. The module has the verb's name, and in it the command has it too.
VERBS: Final = {
    "check": "Check a bundle and tell everything that is wrong with it.",
    "conformance": "Play the numbered conformance cases on a line of a switch.",
    "dead-letter": "List what could not be delivered, send it again or give it up.",
    "decide": "Ask a bundle's policy about a message or a situation.",
    "decode": "Print messages as JSON, one a line.",
    "demo": "Drive a switch with the sample state through a scenario.",
    "intercept": "Approve or return the broadcasts that a switch holds.",
    "journal": "Prove or read a journal, or count its cases.",
    "keys": "Print the catalogue of message keys.",
    "line": "Hold, release, reroute or drain a line of a running switch.",
    "minimize": "Let what is not urgent wait, for a time.",
    "policy": "Check rules, compare them with others, list whose records they protect.",
    "queue": "List what waits in a running switch.",
    "reload": "Put another bundle in force on a running switch.",
    "run": "Run the switch of a bundle until SIGINT or SIGTERM.",
    "sample": "Write a sample bundle.",
    "send": "Send messages as an agency's computer and print what comes back.",
    "service": "Say what a host of a running switch takes.",
    "shadow": "Let a candidate bundle judge beside the one in force.",
    "simulate": "Run simulated destination systems for others to test against.",
    "trace": "Print the way of one message through custody.",
    "user": "Suspend a user of a running switch at once.",
}
FAILED: Final = 1
MISUSED: Final = 2
INTERRUPTED: Final = 130
_MISUSES: Final = frozenset(
    code.number for code in (ClientCode.USAGE, ClientCode.INPUT, ClientCode.PORTS)
)


class Verbs(click.Group):
    """A group whose commands are modules, none of which is imported before it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs that are installed."""
        del ctx
        return [verb for verb in sorted(VERBS) if find_spec(_module(verb)) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command; ``None`` when there is no such verb."""
        del ctx
        if cmd_name not in VERBS:
            return None
        name = _module(cmd_name)
        try:
            module = import_module(name)
        except ModuleNotFoundError as error:
            text = f"`{error.name}` is not there; expected it to be installed with `{cmd_name}`"
            raise ClientError(ClientCode.VERB_ABSENT.number, text) from error
        return cast("click.Command", getattr(module, cmd_name.replace("-", "_")))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list of verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, VERBS[verb]) for verb in self.list_commands(ctx)])

    def main(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        **extra: Any,  # noqa: ANN401
    ) -> NoReturn:
        """Runs a verb and ends the process with its exit code."""
        extra.pop("standalone_mode", None)
        given = list(sys.argv[1:] if args is None else args)
        sys.exit(_run(self, given, prog_name or "clets", extra))


def _module(verb: str) -> str:
    return f"clets_core.cli.{verb.replace('-', '_')}"


def _run(verbs: Verbs, args: list[str], name: str, extra: dict[str, Any]) -> int:
    """Runs a verb; every error becomes one line with its number, and an exit code."""
    as_json = "--json" in args
    try:
        with verbs.make_context(name, args, **extra) as context:
            as_json = wants_json(context) or as_json
            verbs.invoke(context)
            sys.stdout.flush()
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.UsageError as error:
        tell(ClientError(ClientCode.USAGE.number, _usage(error)), as_json=as_json)
        return MISUSED
    except CletsError as error:
        tell(error, as_json=as_json)
        return MISUSED if error.code in _MISUSES else FAILED
    except BrokenPipeError:
        # The reader has gone, as `head` does. Nobody is left to be told, at exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    return 0


def _usage(error: click.UsageError) -> str:
    said = " ".join(error.format_message().split()).rstrip(".")
    if error.ctx is None:
        return said
    form = error.ctx.get_usage().removeprefix("Usage: ")
    return f"{said}; expected `{' '.join(form.split())}`"


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="clets-core", prog_name="clets")
def main() -> None:
    """Message switch for law-enforcement telecommunications."""
