"""The listener for MySQL clients."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from fairlead.errors import ConfigurationError
from fairlead.server.mysql.client import Client, Service
from fairlead.server.mysql.threads import Threads
from fairlead.server.mysql.wire import MysqlWire
from fairlead.server.passwords import PasswordLogin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fairlead.config import Settings
    from fairlead.server.pgwire.backend import Backend
    from fairlead.server.pgwire.throttle import LoginThrottle
    from fairlead.server.pgwire.tls import ServerCertificate
    from fairlead.server.pgwire.wire import Wire

_BACKLOG: Final = 512
_LOGINS: Final = 512
_STARTUP_SECONDS: Final = 30.0


class MysqlServer:
    """Serves MySQL clients on one address.

    Args:
        backend: the gateway.
        settings: of the gateway.
        certificate: for TLS, without which nobody logs in.
        throttle: how long failed logins wait; one for all listeners.
        startup_timeout: seconds for TLS and login together.
        pause: how the answer to a failed login waits.
    """

    def __init__(
        self,
        backend: Backend,
        settings: Settings,
        certificate: ServerCertificate,
        throttle: LoginThrottle,
        *,
        startup_timeout: float = _STARTUP_SECONDS,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._service = Service(
            backend=backend,
            tls=certificate.context,
            passwords=PasswordLogin(backend, throttle, certificate.mock_key, pause),
            threads=Threads(settings.worker.max_sessions),
            startup_timeout=startup_timeout,
        )
        # Connections that are still logging in come on top, so that a full house can still say so.
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
            self._server = await loop.create_server(lambda: MysqlWire(self._accept), host, port, backlog=_BACKLOG)
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {host}:{port}: {os.strerror(error.errno) if error.errno else error}",
                hint="choose another address with --mysql",
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
