"""The server's certificate: the one of the settings, else a self-signed one that is made at the first start."""

from __future__ import annotations

import hashlib
import hmac
import os
import socket
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fairlead.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.config import Settings

CERTIFICATE_FILE: Final = "server.crt"
KEY_FILE: Final = "server.key"
_VALID: Final = timedelta(days=3650)
_NAME_LIMIT: Final = 64
_ALPN: Final = "postgresql"


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """What the listener needs for TLS.

    Args:
        context: ready for server-side handshakes.
        path: of the certificate, which clients may give as ``sslrootcert`` when it is self-signed.
        key: path of its private key.
        fingerprint: SHA-256 of the certificate, as ``AB:CD:...``, for a person to compare.
        end_point: hash for SCRAM channel binding (RFC 5929, tls-server-end-point), None where none is defined.
        mock_key: makes the salts of users that do not exist, the same after a restart.
    """

    context: ssl.SSLContext
    path: Path
    key: Path
    fingerprint: str
    end_point: bytes | None
    mock_key: bytes = field(repr=False)


def ensure_certificate(settings: Settings) -> ServerCertificate:
    """Return the server's certificate; make one where there is none.

    Raises:
        ConfigurationError: certificate or key cannot be read, or do not fit together.
    """
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise ConfigurationError("tls_certificate and tls_key must be set together")
    if settings.tls_certificate is not None and settings.tls_key is not None:
        return _asking(load_certificate(settings.tls_certificate, settings.tls_key), settings)
    certificate, key = settings.data / CERTIFICATE_FILE, settings.data / KEY_FILE
    if not (certificate.exists() and key.exists()):
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(certificate, key)
    return _asking(load_certificate(certificate, key), settings)


def _asking(server: ServerCertificate, settings: Settings) -> ServerCertificate:
    """Let the server ask clients for a certificate, where there is an authority to check it by.

    One that does not hold ends the handshake; whether one is needed is decided when the user is known.

    Raises:
        ConfigurationError: the authority's certificate cannot be read.
    """
    if settings.tls_client_ca is None:
        return server
    try:
        server.context.load_verify_locations(settings.tls_client_ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"tls_client_ca {settings.tls_client_ca} cannot be used: {error}", hint="it must be a PEM file"
        ) from None
    server.context.verify_mode = ssl.CERT_OPTIONAL
    return server


def load_certificate(certificate: Path, key: Path) -> ServerCertificate:
    """Read a certificate with its key, both PEM.

    Raises:
        ConfigurationError: they cannot be read, or do not fit together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.num_tickets = 0  # no PostgreSQL client resumes TLS sessions
    context.set_alpn_protocols([_ALPN])
    try:
        context.load_cert_chain(certificate, key)
        parsed = x509.load_pem_x509_certificate(certificate.read_bytes())
        mock_key = hmac.digest(key.read_bytes(), b"fairlead: salts of users that do not exist", "sha256")
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"the TLS certificate {certificate} with the key {key} cannot be used: {error}",
            hint="both must be PEM files, and the key must belong to the certificate",
        ) from None
    der = parsed.public_bytes(serialization.Encoding.DER)
    fingerprint = hashlib.sha256(der).hexdigest().upper()
    colons = ":".join(fingerprint[at : at + 2] for at in range(0, len(fingerprint), 2))
    return ServerCertificate(context, certificate, key, colons, _end_point(parsed, der), mock_key)


def _end_point(certificate: x509.Certificate, der: bytes) -> bytes | None:
    """Hash as RFC 5929 section 4.1 says: by the signature's own hash, but by SHA-256 where that is MD5 or SHA-1."""
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None:
        return None
    name = "sha256" if algorithm.name in ("md5", "sha1") else algorithm.name
    return hashlib.new(name, der).digest() if name in hashlib.algorithms_available else None


def _make(certificate_path: Path, key_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    host = socket.gethostname()
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    names += [x509.IPAddress(ip_address(address)) for address in ("127.0.0.1", "::1")]
    if host.isascii() and host not in ("", "localhost"):
        names.append(x509.DNSName(host))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, (host or "localhost")[:_NAME_LIMIT])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write_private(
        key_path,
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    _write_private(certificate_path, certificate.public_bytes(serialization.Encoding.PEM))


def _write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read, as a whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
