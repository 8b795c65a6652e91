"""A line is its certificate: nothing else opens it, and nobody else's certificate is it."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import uvloop

from clets_core._core import Framer, frame
from clets_core.cli.stage import free_ports
from clets_core.config.bundle import load_bundle
from clets_core.net.tls import client_context
from clets_core.runtime.switch import Switch
from clets_core.sample import write_california
from tests.integration.center import Center

if TYPE_CHECKING:
    from pathlib import Path

    from clets_core.config.bundle import Bundle

NOTE = b"A0190001.%b.U000001.AM.CA0190000.A0010001.TXT\r\nBY TLS"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("guarded") / "bundle"
    write_california(folder, port_base=free_ports(), tls=True)
    return load_bundle(folder)


def context(bundle: Bundle, line: str) -> ssl.SSLContext:
    tls = bundle.configuration.path / "tls"
    lines = tls / "lines"
    return client_context(lines / f"{line}.pem", lines / f"{line}.key", tls / "authority.pem")


async def answers(
    switch: Switch, ssl_context: ssl.SSLContext | None, payload: bytes
) -> list[tuple[str, bytes]]:
    """Kinds and bodies of what comes back for one DMPP message, until silence or the end."""
    host, port = switch.addresses["agencies-dmpp"]
    name = host if ssl_context else None
    reader, writer = await asyncio.open_connection(
        host, port, ssl=ssl_context, server_hostname=name
    )
    framer, seen = Framer("dmpp"), []
    try:
        writer.write(frame("dmpp", "data", payload))
        async with asyncio.timeout(2):
            while data := await reader.read(65_536):
                seen += [(it.kind, it.body) for it in framer.feed(data)]
                if any(b"REJECTED" in body for _, body in seen):
                    break
    except TimeoutError:
        pass
    finally:
        writer.close()
    return seen


def test_the_certificate_names_the_line(guarded: Bundle, tmp_path: Path) -> None:
    async def play() -> None:
        async with Switch(guarded, journal=tmp_path / "journal") as switch:
            own = await answers(switch, context(guarded, "county-019"), NOTE % b"OWN")
            assert [kind for kind, _ in own] == ["positive_ack"]
            other = await answers(switch, context(guarded, "county-038"), NOTE % b"OTHER")
            assert any(b"REJECTED E303" in body for _, body in other), other
            center = Center(switch, guarded, tmp_path / "journal")
            await center.recorded("refused", line="county-038", code=303)

    uvloop.run(play())


def test_without_a_certificate_of_the_authority_there_is_no_line(
    guarded: Bundle, tmp_path: Path
) -> None:
    async def play() -> None:
        async with Switch(guarded, journal=tmp_path / "journal") as switch:
            nobody = ssl.create_default_context(
                cafile=guarded.configuration.path / "tls" / "authority.pem"
            )
            # In TLS 1.3 a client may learn of the refusal as an error or as the end of the stream.
            with suppress(ssl.SSLError, ConnectionError):
                assert await answers(switch, nobody, NOTE % b"A") == []
            old = context(guarded, "county-019")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                old.minimum_version = ssl.TLSVersion.TLSv1
                old.maximum_version = ssl.TLSVersion.TLSv1_1
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await answers(switch, old, NOTE % b"B")
            assert await answers(switch, None, NOTE % b"C") == []
            center = Center(switch, guarded, tmp_path / "journal")
            assert list(center.records("accepted")) == []

    uvloop.run(play())
