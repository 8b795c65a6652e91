"""TLS 1.2 or newer, both ends with certificates (CJISSECPOL SC-8, SC-23; PPP 1.6.6)."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path


def server_context(certificate: Path, key: Path, authority: Path) -> ssl.SSLContext:
    """For listeners: a peer without a certificate of ``authority`` cannot connect."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    return _with_files(context, certificate, key, authority)


def client_context(certificate: Path, key: Path, authority: Path) -> ssl.SSLContext:
    """For those who connect: the listener must prove its name with ``authority``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return _with_files(context, certificate, key, authority)


def _with_files(
    context: ssl.SSLContext, certificate: Path, key: Path, authority: Path
) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Only suites with authenticated encryption and forward secrecy (SP 800-52r2).
    context.set_ciphers("ECDHE+AESGCM")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority)
    return context


def certificate_names(transport: asyncio.BaseTransport) -> tuple[str, ...]:
    """The DNS names of the peer's certificate, which TLS has already verified."""
    certificate = transport.get_extra_info("peercert") or {}
    names = certificate.get("subjectAltName", ())
    return tuple(name for kind, name in names if kind == "DNS")
