"""The listener for PostgreSQL clients."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from fairlead.errors import ConfigurationError
from fairlead.server.pgwire.client import Client, Service
from fairlead.server.pgwire.login import Login
from fairlead.server.pgwire.registry import Registry
from fairlead.server.pgwire.throttle import LoginThrottle
from fairlead.server.pgwire.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fairlead.config import Settings
    from fairlead.server.pgwire.backend import Backend
    from fairlead.server.pgwire.tls import ServerCertificate

_BACKLOG: Final = 512
_LOGINS: Final = 512
_STARTUP_SECONDS: Final = 30.0


class PgServer:
    """Serves PostgreSQL clients on one address.

    Args:
        backend: the gateway.
        settings: of the gateway.
        certificate: for TLS.
        startup_timeout: seconds for TLS and login together.
        pause: how the answer to a failed login waits.
        throttle: how long; one for all listeners.
    """

    def __init__(
        self,
        backend: Backend,
        settings: Settings,
        certificate: ServerCertificate,
        *,
        startup_timeout: float = _STARTUP_SECONDS,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        throttle: LoginThrottle | None = None,
    ) -> None:
        self._service = Service(
            backend=backend,
            certificate=certificate,
            login=Login(backend, certificate, throttle or LoginThrottle(), pause),
            registry=Registry(settings.worker.max_sessions),
            require_tls=settings.require_tls,
            startup_timeout=startup_timeout,
        )
        # Connections that are still logging in come on top, so that a full house can still say so, and still cancel.
        self._max_connections = settings.worker.max_sessions + _LOGINS
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen, and return the address; port 0 means any free one.

        Raises:
            ConfigurationError: the address cannot be used.
        """
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: Wire(self._accept), host, port, backlog=_BACKLOG)
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {host}:{port}: {os.strerror(error.errno) if error.errno else error}",
                hint="choose another address with --pg",
            ) from None
        bound = self._server.sockets[0].getsockname()
        return str(bound[0]), int(bound[1])

    async def stop(self) -> None:
        """Take no more clients, tell those that are there, and end their sessions."""
        if self._server is not None:
            self._server.close()
        for task in self._clients:
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    def _accept(self, wire: Wire) -> None:
        if len(self._clients) >= self._max_connections:
            wire.abort()
            return
        task = asyncio.get_running_loop().create_task(Client(self._service, wire).run())
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)
