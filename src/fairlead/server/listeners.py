"""The listeners of a gateway, one for each protocol that its settings ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from fairlead.errors import ConfigurationError
from fairlead.server.pgwire.server import PgServer

if TYPE_CHECKING:
    from fairlead.config import Settings
    from fairlead.server.gateway import Gateway
    from fairlead.server.http.server import HttpServer
    from fairlead.server.pgwire.throttle import LoginThrottle
    from fairlead.server.pgwire.tls import ServerCertificate
    from fairlead.server.telemetry.metrics import Metrics

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


class Listener(Protocol):
    """What takes clients of one protocol."""

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen, and return where."""
        ...

    async def stop(self) -> None:
        """End, with all clients."""
        ...


class Listeners:
    """All listeners of one gateway.

    Args:
        gateway: serves the clients.
        settings: say which there are, and where.
        certificate: of all of them.
        throttle: of their logins.
        metrics: that HTTP shows; None = there are none, and so no HTTP.

    Raises:
        ConfigurationError: a setting is no address.
    """

    def __init__(
        self,
        gateway: Gateway,
        settings: Settings,
        certificate: ServerCertificate,
        throttle: LoginThrottle,
        metrics: Metrics | None,
    ) -> None:
        self._pg = PgServer(gateway, settings, certificate, throttle=throttle)
        self._places = {"pg": parse_address(settings.pg)}
        self._others: dict[str, Listener] = {}
        self.http: HttpServer | None = None
        self.bound: dict[str, tuple[str, int]] = {}
        self._drain_seconds = settings.drain_seconds
        # What is switched off is not imported.
        if settings.http and metrics is not None:
            from fairlead.server.http.server import HttpServer  # noqa: PLC0415  # see above

            self.http = HttpServer(gateway, settings, certificate, throttle, metrics)
            self._add("http", settings.http, self.http)
        if settings.flight:
            from fairlead.server.flight.server import FlightServer  # noqa: PLC0415  # see above

            self._add("flight", settings.flight, FlightServer(gateway, settings, certificate, throttle))
        if settings.mysql:
            from fairlead.server.mysql.server import MysqlServer  # noqa: PLC0415  # see above

            self._add("mysql", settings.mysql, MysqlServer(gateway, settings, certificate, throttle))

    def _add(self, name: str, address: str, listener: Listener) -> None:
        self._places[name] = parse_address(address)
        self._others[name] = listener

    async def start(self) -> None:
        """Listen; ``bound`` then says where, by protocol.

        Raises:
            OSError: an address cannot be had.
        """
        for name, listener in {"pg": self._pg, **self._others}.items():
            self.bound[name] = await listener.start(*self._places[name])

    async def stop(self) -> None:
        """Take no more clients, let those of PostgreSQL's protocol finish what they run, and end all."""
        if self.http is not None:
            self.http.drain()
        await self._pg.stop(self._drain_seconds)
        for listener in self._others.values():
            await listener.stop()
