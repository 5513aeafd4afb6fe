"""The listener for Flight SQL clients: Arrow's server, started and stopped beside the gateway's event loop.

Arrow serves calls in threads of its own; what they do runs on the gateway's loop. At the end Arrow waits for every
call, be its client ever so slow, and so would the process: after some seconds what is left is cut.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import structlog

from fairlead.errors import ConfigurationError
from fairlead.server.flight.bridge import Bridge
from fairlead.server.flight.calls import Calls
from fairlead.server.flight.gate import Gate
from fairlead.server.flight.login import Login
from fairlead.server.flight.service import Service
from fairlead.server.flight.sessions import Sessions

if TYPE_CHECKING:
    from fairlead.config import Settings
    from fairlead.server.gateway import Gateway
    from fairlead.server.pgwire.throttle import LoginThrottle
    from fairlead.server.pgwire.tls import ServerCertificate

_log = structlog.get_logger("fairlead")
_END_SECONDS: Final = 5.0


class FlightServer:
    """Serves Flight SQL clients on one address, with TLS always.

    Args:
        gateway: opens sessions.
        settings: of the gateway.
        certificate: for TLS.
        throttle: says how long failed logins wait; one for all listeners.
    """

    def __init__(
        self, gateway: Gateway, settings: Settings, certificate: ServerCertificate, throttle: LoginThrottle
    ) -> None:
        self._gateway = gateway
        self._settings = settings
        self._certificate = certificate
        self._throttle = throttle
        self._sessions = Sessions(gateway, settings.worker.max_sessions, settings.flight_idle_timeout)
        self._service: Any = None
        self._expiring: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen, and return the address; port 0 means any free one.

        Raises:
            ConfigurationError: the address cannot be used.
        """
        bridge = Bridge(asyncio.get_running_loop())
        login = Login(self._gateway, bridge, self._certificate.mock_key, self._throttle)
        gate = Gate(login, self._sessions, bridge, self._settings.worker.max_sessions)
        calls = Calls(self._sessions, bridge, self._gateway.house)
        certificate, key = self._certificate.path.read_bytes(), self._certificate.key.read_bytes()
        where = f"[{host}]" if ":" in host else host
        try:
            self._service = await asyncio.to_thread(
                Service, f"grpc+tls://{where}:{port}", certificate, key, gate, calls, self._gateway.scrub
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise ConfigurationError(
                f"cannot listen on {host}:{port} for Flight SQL: {error}", hint="choose another address with --flight"
            ) from None
        threading.Thread(target=self._service.connections.watch, name="Flight SQL connections", daemon=True).start()
        self._expiring = asyncio.create_task(self._sessions.expire(), name="end of silent Flight SQL sessions")
        return host, int(self._service.port)

    async def stop(self) -> None:
        """Take no more clients, end the sessions of those that are there, and wait a little for their calls."""
        if self._service is None:
            return
        if self._expiring is not None:
            self._expiring.cancel()
        self._service.connections.end()
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()

        def shut_down() -> None:
            self._service.shutdown()
            loop.call_soon_threadsafe(ended.set)

        threading.Thread(target=shut_down, name="end of Flight SQL", daemon=True).start()
        await self._sessions.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), _END_SECONDS)
            return
        _log.warning("calls of Flight SQL clients did not end in time; their connections are cut")
        await asyncio.to_thread(self._service.connections.cut)
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), _END_SECONDS)
