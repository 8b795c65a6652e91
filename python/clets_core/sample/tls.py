"""A throw-away certificate authority, for trying TLS on one machine."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_VALID = timedelta(days=825)
_CLOCK_SKEW = timedelta(hours=1)
_KEY_MODE = 0o600


def write_certificates(directory: Path, names: Mapping[str, str]) -> None:
    """Writes authority, switch and client certificates with their keys.

    ``names`` maps each line to the name in its certificate, ``lines/LINE.pem``. The authority's
    own key is kept nowhere. A ``.gitignore`` keeps all of it out of version control.
    """
    (directory / "lines").mkdir(parents=True, exist_ok=True)
    (directory / ".gitignore").write_text("*\n", encoding="utf-8")
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "clets sample authority")])
    authority = (
        _builder(authority_name, authority_name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    _write(directory / "authority.pem", authority)

    def issue(path: Path, alternatives: Iterable[x509.GeneralName], purpose: x509.ObjectIdentifier,
              common_name: str) -> None:  # fmt: skip
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        certificate = (
            _builder(subject, authority_name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .sign(authority_key, hashes.SHA256())
        )
        _write(path.with_suffix(".pem"), certificate)
        _write_key(path.with_suffix(".key"), key)

    loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    server = [x509.DNSName("localhost"), x509.DNSName("switch.clets.example"), loopback]
    issue(directory / "switch", server, ExtendedKeyUsageOID.SERVER_AUTH, "switch.clets.example")
    for line, name in names.items():
        issue(
            directory / "lines" / line,
            [x509.DNSName(name)],
            ExtendedKeyUsageOID.CLIENT_AUTH,
            name,
        )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _VALID)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.touch(mode=_KEY_MODE)
    path.chmod(_KEY_MODE)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
