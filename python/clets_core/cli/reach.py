"""The options of a verb that speaks on a line: where the switch is, and how it is reached."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from clets_core.errors import ClientCode, ClientError
from clets_core.net.tls import client_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

_PEM: Final = click.Path(path_type=Path)
_OPTIONS: Final = (
    click.option("--host", default="127.0.0.1", show_default=True, help="Where the switch is."),
    click.option(
        "--framing", type=click.Choice(["dmpp", "native"]), default="dmpp", show_default=True
    ),
    click.option("--line", default="", help="Name of the line, which the native protocol tells."),
    click.option(
        "--local", metavar="ADDRESS", help="A plain line is known by the address it comes from."
    ),
    click.option("--tls-certificate", type=_PEM, help="Of the line, PEM."),
    click.option("--tls-key", type=_PEM, help="Its key, PEM."),
    click.option("--tls-authority", type=_PEM, help="Who proves the switch."),
    click.option("--server-name", help="Name in the switch's certificate; default: the host."),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line as a verb's options tell of it; ``files`` are certificate, key and authority."""

    host: str
    framing: Literal["dmpp", "native"]
    name: str
    local: str | None
    files: tuple[Path, Path, Path] | None
    server_name: str | None

    def security(self) -> ssl.SSLContext | None:
        """What a connection with TLS needs; none on a plain line.

        Raises:
            ClientError: E921, a file cannot be read or is not what it should be.
        """
        if self.files is None:
            return None
        try:
            return client_context(*self.files)
        except OSError as error:
            files = ", ".join(f"`{file}`" for file in self.files)
            text = f"{files}: {error.strerror or error}; expected files in PEM"
            raise ClientError(ClientCode.INPUT.number, text) from error


def line_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of a line, which the verb gets as ``line``, a :class:`Line`."""

    @functools.wraps(command)
    def with_line(
        *args: object,
        host: str,
        framing: Literal["dmpp", "native"],
        line: str,
        local: str | None,
        tls_certificate: Path | None,
        tls_key: Path | None,
        tls_authority: Path | None,
        server_name: str | None,
        **options: object,
    ) -> object:
        files = None
        if tls_certificate and tls_key and tls_authority:
            files = (tls_certificate, tls_key, tls_authority)
        elif tls_certificate or tls_key or tls_authority:
            text = "--tls-certificate, --tls-key and --tls-authority belong together"
            raise click.UsageError(text)
        told = Line(host, framing, line, local, files, server_name)
        return command(*args, line=told, **options)

    for option in reversed(_OPTIONS):
        with_line = option(with_line)
    return with_line
