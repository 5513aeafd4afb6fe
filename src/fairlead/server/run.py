"""Serve until told to stop: gateway, listener, ready file, signals."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import TYPE_CHECKING

import structlog

from fairlead import __version__
from fairlead.errors import ConfigurationError
from fairlead.server import logging
from fairlead.server.gateway import Gateway
from fairlead.server.pgwire.server import PgServer
from fairlead.server.pgwire.throttle import LoginThrottle
from fairlead.server.pgwire.tls import ensure_certificate
from fairlead.server.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fairlead.config import Settings
    from fairlead.server.flight.server import FlightServer
    from fairlead.server.http.server import HttpServer
    from fairlead.server.pgwire.tls import ServerCertificate
    from fairlead.server.telemetry.metrics import Metrics

_log = structlog.get_logger("fairlead")
_PORTS = 65535


def parse_address(text: str) -> tuple[str, int]:
    """Return host and port of ``HOST:PORT``; port 0 means any free one.

    Raises:
        ConfigurationError: it is not an address.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > _PORTS:
        message = f"{text!r} is not HOST:PORT"
        raise ConfigurationError(message, hint="for example 127.0.0.1:7432")
    return host.strip("[]"), int(port)


async def serve(
    settings: Settings,
    *,
    ready_file: Path | None,
    welcome: Callable[[Gateway], None],
    announce: Callable[[str, int, str | None], None],
) -> None:
    """Run a gateway until SIGTERM or SIGINT.

    Args:
        settings: of the gateway.
        ready_file: written, as a whole, once clients can connect.
        welcome: called with the gateway as soon as its data directory is open.
        announce: called with host and port for PostgreSQL clients, and the address for HTTP, when they can connect.
    """
    host, port = parse_address(settings.pg)
    telemetry = Telemetry(settings)
    gateway = Gateway(settings, telemetry.observer)
    welcome(gateway)
    as_text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    logging.configure(settings.log_level, terminal=as_text, scrub=gateway.scrub)
    _log.info("starting", version=__version__, data=str(settings.data.resolve()))
    if (upgrade := gateway.house.catalog.upgrade) is not None:
        was, now = upgrade.before, upgrade.after
        _log.info("the catalog was migrated", before=was, after=now, backup=str(upgrade.backup))
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    certificate, throttle = ensure_certificate(settings), LoginThrottle()
    server = PgServer(gateway, settings, certificate, throttle=throttle)
    http = _http(gateway, settings, certificate, throttle, telemetry.metrics)
    flight = _flight(gateway, settings, certificate, throttle)
    try:
        await gateway.start()
        telemetry.attach(gateway)
        bound_host, bound_port = await server.start(host, port)
        listening = {"pg": {"host": bound_host, "port": bound_port}}
        if http is not None:
            http_host, http_port = await http.start(*parse_address(settings.http))
            listening["http"] = {"host": http_host, "port": http_port}
        if flight is not None:
            flight_host, flight_port = await flight.start(*parse_address(settings.flight))
            listening["flight"] = {"host": flight_host, "port": flight_port}
        for layer in gateway.layers():
            if not layer.active:
                _log.warning("a protective layer is not active", layer=layer.name, reason=layer.reason)
        if ready_file is not None:
            _write_whole(ready_file, json.dumps(listening))
        announce(bound_host, bound_port, None if http is None else http.url)
        _log.info("ready", host=bound_host, port=bound_port)
        await stopping.wait()
        _log.info("stopping")
    finally:
        if http is not None:
            http.drain()
        await server.stop(settings.drain_seconds)
        if http is not None:
            await http.stop()
        if flight is not None:
            await flight.stop()
        await gateway.stop()
        await telemetry.stop()


def _http(
    gateway: Gateway,
    settings: Settings,
    certificate: ServerCertificate,
    throttle: LoginThrottle,
    metrics: Metrics | None,
) -> HttpServer | None:
    """Return the HTTP listener, if there is to be one."""
    if not settings.http or metrics is None:
        return None
    parse_address(settings.http)
    from fairlead.server.http.server import HttpServer  # noqa: PLC0415  # not imported where it is switched off

    return HttpServer(gateway, settings, certificate, throttle, metrics)


def _flight(
    gateway: Gateway, settings: Settings, certificate: ServerCertificate, throttle: LoginThrottle
) -> FlightServer | None:
    """Return the listener for Flight SQL, if there is to be one."""
    if not settings.flight:
        return None
    parse_address(settings.flight)
    from fairlead.server.flight.server import FlightServer  # noqa: PLC0415  # what it needs takes a while to import

    return FlightServer(gateway, settings, certificate, throttle)


def _write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees all of it or nothing."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
