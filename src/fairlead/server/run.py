"""Serve until told to stop: gateway, listener, ready file, signals."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import TYPE_CHECKING

import structlog

from fairlead import __version__
from fairlead.server import logging
from fairlead.server.gateway import Gateway
from fairlead.server.listeners import Listeners
from fairlead.server.pgwire.throttle import LoginThrottle
from fairlead.server.pgwire.tls import ensure_certificate
from fairlead.server.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fairlead.config import Settings

_log = structlog.get_logger("fairlead")


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
    listeners = Listeners(gateway, settings, certificate, throttle, telemetry.metrics)
    try:
        await gateway.start()
        telemetry.attach(gateway)
        await listeners.start()
        for layer in gateway.layers():
            if not layer.active:
                _log.warning("a protective layer is not active", layer=layer.name, reason=layer.reason)
        if ready_file is not None:
            places = {name: {"host": host, "port": port} for name, (host, port) in listeners.bound.items()}
            _write_whole(ready_file, json.dumps(places))
        host, port = listeners.bound["pg"]
        announce(host, port, None if listeners.http is None else listeners.http.url)
        _log.info("ready", host=host, port=port)
        await stopping.wait()
        _log.info("stopping")
    finally:
        await listeners.stop()
        await gateway.stop()
        await telemetry.stop()


def _write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees all of it or nothing."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
