"""Serve until told to stop: gateway, listener, ready file, signals."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import TYPE_CHECKING

import structlog

from fairlead.errors import ConfigurationError
from fairlead.server import logging
from fairlead.server.gateway import Gateway
from fairlead.server.mysql.server import MysqlServer
from fairlead.server.pgwire.server import PgServer
from fairlead.server.pgwire.throttle import LoginThrottle
from fairlead.server.pgwire.tls import ensure_certificate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fairlead.config import Settings

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
    announce: Callable[[str, int], None],
) -> None:
    """Run a gateway until SIGTERM or SIGINT.

    Args:
        settings: of the gateway.
        ready_file: written, as a whole, once clients can connect.
        welcome: called with the gateway as soon as its data directory is open.
        announce: called with the address when clients can connect.
    """
    host, port = parse_address(settings.pg)
    gateway = Gateway(settings)
    welcome(gateway)
    logging.configure(settings.log_level, terminal=sys.stderr.isatty(), scrub=gateway.scrub)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    certificate, throttle = ensure_certificate(settings), LoginThrottle()
    server = PgServer(gateway, settings, certificate, throttle=throttle)
    mysql = MysqlServer(gateway, settings, certificate, throttle) if settings.mysql else None
    try:
        await gateway.start()
        bound_host, bound_port = await server.start(host, port)
        ready = {"pg": {"host": bound_host, "port": bound_port}}
        if mysql is not None:
            mysql_host, mysql_port = await mysql.start(*parse_address(settings.mysql))
            ready["mysql"] = {"host": mysql_host, "port": mysql_port}
        for layer in gateway.layers():
            if not layer.active:
                _log.warning("a protective layer is not active", layer=layer.name, reason=layer.reason)
        if ready_file is not None:
            _write_whole(ready_file, json.dumps(ready))
        announce(bound_host, bound_port)
        _log.info("ready", host=bound_host, port=bound_port)
        await stopping.wait()
        _log.info("stopping")
    finally:
        await server.stop()
        if mysql is not None:
            await mysql.stop()
        await gateway.stop()


def _write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees all of it or nothing."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
