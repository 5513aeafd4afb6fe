"""The HTTP listener: Starlette's router on uvicorn's protocol, inside the gateway's own event loop."""

from __future__ import annotations

import asyncio
import os
import ssl
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from uvicorn.config import Config
from uvicorn.server import ServerState

from fairlead.errors import ConfigurationError
from fairlead.server.http.app import application
from fairlead.server.http.protocol import BoundedProtocol
from fairlead.server.http.running import RunningStatements
from fairlead.server.http.service import Service
from fairlead.server.http.sessions import Sessions
from fairlead.server.passwords import PasswordLogin
from fairlead.server.pgwire.tls import KEY_FILE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fairlead.config import Settings
    from fairlead.server.gateway import Gateway
    from fairlead.server.pgwire.throttle import LoginThrottle
    from fairlead.server.pgwire.tls import ServerCertificate
    from fairlead.server.telemetry.metrics import Metrics

_BACKLOG: Final = 512
_OTHERS: Final = 512  # connections beside those that run something: probes, and clients that keep theirs
_HEAD_BYTES: Final = 32 * 1024
_KEEP_ALIVE: Final = 75
_GRACE: Final = 2.0


class HttpServer:
    """Serves HTTP clients on one address.

    Args:
        gateway: what is served.
        settings: of the gateway.
        certificate: for TLS.
        throttle: how long failed logins wait; one for all listeners.
        metrics: what /metrics shows.
        pause: how they wait.
    """

    def __init__(
        self,
        gateway: Gateway,
        settings: Settings,
        certificate: ServerCertificate,
        throttle: LoginThrottle,
        metrics: Metrics,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        http, limit = settings.http_listener, settings.worker.max_sessions
        self._settings = settings
        self._certificate = certificate
        self._service = Service(
            backend=gateway,
            settings=http,
            login=PasswordLogin(gateway, throttle, certificate.mock_key, pause),
            sessions=Sessions(gateway, limit, http.session_idle),
            running=RunningStatements(),
        )
        self._state = ServerState()
        self._config = Config(
            application(self._service, gateway, metrics),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            h11_max_incomplete_event_size=_HEAD_BYTES,
            timeout_keep_alive=_KEEP_ALIVE,
        )
        self._most = limit + _OTHERS
        self._server: asyncio.Server | None = None
        self.url = ""

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen, and return the address; port 0 means any free one.

        Raises:
            ConfigurationError: the address cannot be used, or may not be without TLS.
        """
        http = self._settings.http_listener
        if not http.tls and not _is_loopback(host):
            raise ConfigurationError(
                f"HTTP without TLS may listen on a loopback address only, not on {host}",
                hint="passwords would be read on their way: leave http.tls on, or put a TLS proxy on this machine",
            )
        self._config.load()
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._protocol,
                host,
                port,
                backlog=_BACKLOG,
                ssl=self._tls() if http.tls else None,
                ssl_handshake_timeout=http.read_timeout if http.tls else None,
            )
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {host}:{port}: {os.strerror(error.errno) if error.errno else error}",
                hint="choose another address with --http, or switch the listener off with --no-http",
            ) from None
        bound = self._server.sockets[0].getsockname()
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        self.url = f"{'https' if http.tls else 'http'}://{shown}:{bound[1]}"
        return str(bound[0]), int(bound[1])

    def drain(self) -> None:
        """Take no more work; readiness says so, and liveness goes on."""
        self._service.draining = True

    async def stop(self) -> None:
        """Take no more clients and end what runs."""
        self.drain()
        if self._server is not None:
            self._server.close()
        try:
            async with asyncio.timeout(_GRACE):
                await self._service.running.cancel_all()
                await self._service.sessions.end_all()
                await asyncio.gather(*self._state.tasks, return_exceptions=True)
        except TimeoutError:
            pass
        for connection in list(self._state.connections):
            if connection.transport is not None:
                connection.transport.abort()

    def _protocol(self) -> BoundedProtocol:
        head_seconds = self._settings.http_listener.read_timeout
        return BoundedProtocol(self._config, self._state, head_seconds=head_seconds, most=self._most)

    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(self._certificate.path, self._settings.tls_key or self._settings.data / KEY_FILE)
        return context


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
