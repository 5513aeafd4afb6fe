"""How clients reach the gateway: its certificate, and the addresses that it listens on."""

from __future__ import annotations

import socket
import stat
from contextlib import closing
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from cryptography import x509

from fairlead.catalog.datadir import holder
from fairlead.errors import ConfigurationError
from fairlead.server.doctor.finding import Finding, failed, ok, skipped, warning
from fairlead.server.listeners import parse_address
from fairlead.server.pgwire.tls import CERTIFICATE_FILE, KEY_FILE, load_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fairlead.config import Settings

_LISTENERS: Final = ("pg", "http", "flight", "mysql")
_SOON_DAYS: Final = 30
_PATIENCE: Final = 3.0  # seconds


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at the certificate and at every address that the settings name."""
    yield from _certificate(settings)
    running = holder(settings.data) if settings.data.is_dir() else None
    for name in _LISTENERS:
        address = getattr(settings, name, "")
        if address:
            yield _port(name, address, running)


def _certificate(settings: Settings) -> Iterator[Finding]:
    certificate = settings.tls_certificate or settings.data / CERTIFICATE_FILE
    key = settings.tls_key or settings.data / KEY_FILE
    if settings.tls_certificate is None and not certificate.exists():
        yield skipped("certificate", "there is none yet", "fairlead serve makes a self-signed one at the first start")
        return
    try:
        load_certificate(certificate, key)
        parsed = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (ConfigurationError, OSError, ValueError) as error:
        yield failed("certificate", str(error), "give a PEM certificate and its key, or none for a self-signed one")
        return
    yield _validity(parsed, certificate)
    mode = stat.S_IMODE(key.stat().st_mode)
    if mode & stat.S_IRWXO:
        yield failed("certificate", f"everybody can read the key {key} (mode {mode:04o})", f"chmod 600 {key}")
    yield from _names(parsed, settings)


def _validity(parsed: x509.Certificate, path: Path) -> Finding:
    now, end = datetime.now(UTC), parsed.not_valid_after_utc
    left = (end - now).days
    remedy = "put a new certificate in its place and start the gateway again"
    if path.name == CERTIFICATE_FILE:
        remedy = f"remove {path} and start the gateway again: it makes a new one"
    if parsed.not_valid_before_utc > now:
        return failed("certificate", f"it is valid only from {parsed.not_valid_before_utc:%Y-%m-%d}", "set the clock")
    if end <= now:
        return failed("certificate", f"it expired on {end:%Y-%m-%d}", remedy)
    if left < _SOON_DAYS:
        return warning("certificate", f"it expires in {left} days, on {end:%Y-%m-%d}", remedy)
    return ok("certificate", f"valid until {end:%Y-%m-%d}")


def _names(parsed: x509.Certificate, settings: Settings) -> Iterator[Finding]:
    """Clients with ``sslmode=verify-full`` compare the name that they connect to with these."""
    try:
        found = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        said = "it names no host, so clients with sslmode=verify-full refuse it"
        yield warning("certificate", said, "make one with subject alternative names")
        return
    named = [str(one.value) for one in found]
    host, _ = parse_address(settings.pg)
    if _is_particular(host) and host not in named:
        said = f"it does not name {host}, where the gateway listens; it names {', '.join(named)}"
        yield warning("certificate", said, "make one that names it, or have clients use a name that it has")
    else:
        yield ok("certificate", f"for {', '.join(named)}")


def _is_particular(host: str) -> bool:
    """Tell an address that clients use from one that means every address of the machine."""
    try:
        return not ip_address(host).is_unspecified
    except ValueError:
        return True


def _port(name: str, address: str, running: str | None) -> Finding:
    check = f"listener {name}"
    try:
        host, port = parse_address(address)
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (ConfigurationError, OSError) as error:
        return failed(check, f"{address} cannot be used: {error}", "name an address of this machine, HOST:PORT")
    family, kind, protocol, _, where = found
    with closing(socket.socket(family, kind, protocol)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(where)
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            said = f"{address} is free"
            if running is not None and port:
                said += ", though a gateway runs on this data directory: it listens elsewhere, or not at all"
            return ok(check, said)
    if running is not None and _answers(host, port):
        return ok(check, f"something answers at {address}, while process {running} serves this data directory")
    return failed(check, f"{address} cannot be used: {reason}", "end what listens there, or choose another address")


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=_PATIENCE).close()
    except OSError:
        return False
    return True
