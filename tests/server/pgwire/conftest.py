from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass

import pytest
from psycopg.conninfo import make_conninfo

from fairlead.config import Settings
from fairlead.server.pgwire.server import PgServer
from fairlead.server.pgwire.tls import ServerCertificate, ensure_certificate
from tests.server.pgwire.double import PASSWORDS, BackendDouble
from tests.server.pgwire.raw import RawClient


@dataclass
class Running:
    """A listener in a thread of its own, with the double behind it."""

    backend: BackendDouble
    certificate: ServerCertificate
    host: str
    port: int
    loop: asyncio.AbstractEventLoop
    server: PgServer

    @property
    def address(self):
        return self.host, self.port

    def dsn(self, user="ann", **options) -> str:
        settings = {"host": self.host, "port": self.port, "user": user, "password": PASSWORDS.get(user, "none")}
        settings |= {"dbname": "main", "connect_timeout": 20, **options}
        return make_conninfo("", **settings)

    def raw(self) -> RawClient:
        return RawClient(self.address)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.server.stop(), self.loop).result(20)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> ServerCertificate:
    return ensure_certificate(Settings(data=tmp_path_factory.mktemp("data")))


@pytest.fixture
def make_server(certificate):
    running: list[Running] = []

    def make(*, startup_timeout=20.0, **options) -> Running:
        backend = BackendDouble()
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, daemon=True).start()

        async def start():
            server = PgServer(
                backend, Settings(**options), certificate, startup_timeout=startup_timeout, pause=backend.pause
            )
            return server, *(await server.start("127.0.0.1", 0))

        server, host, port = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
        running.append(Running(backend, certificate, host, port, loop, server))
        return running[-1]

    yield make
    for one in running:
        one.stop()
        one.loop.call_soon_threadsafe(one.loop.stop)


@pytest.fixture
def server(make_server) -> Running:
    return make_server()
