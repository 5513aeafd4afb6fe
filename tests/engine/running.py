"""A started engine for tests, with a listener that answers like an empty object store and remembers its requests."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fairlead.config import Layers, Settings, WorkerSettings
from fairlead.engine.api import Columns, Done, Rows
from fairlead.engine.engine import Engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Sequence
    from pathlib import Path

    from fairlead.engine.api import Event, Parameter
    from fairlead.engine.session import EngineSession


class EmptyStore:
    """Answers 404 to everything; one thread per listener."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.listeners: list[socket.socket] = []
        self._stopped = False

    def serve(self, listener: socket.socket) -> None:
        self.listeners.append(listener)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def stop(self) -> None:
        self._stopped = True
        for listener in self.listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopped:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                text = b""
                while b"\r\n\r\n" not in text:
                    received = connection.recv(65536)
                    if not received:
                        break
                    text += received
                self.requests.append(text.decode(errors="replace"))
                connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@asynccontextmanager
async def started(
    folder: Path, *, layers: dict[str, Any] | None = None, statement_timeout: float = 0.0, **worker: Any
) -> AsyncIterator[tuple[Engine, EmptyStore]]:
    """Start an engine with its data in a folder; small and with one spare worker unless told otherwise."""
    settings = Settings(
        data=folder,
        statement_timeout=statement_timeout,
        layers=Layers(**(layers or {})),
        worker=WorkerSettings(**{"spare": 1, "memory_limit_mb": 1024, "address_space_mb": 3072, **worker}),
    )
    store = EmptyStore()
    engine = Engine(settings, on_listener=store.serve)
    await engine.start()
    try:
        yield engine, store
    finally:
        await engine.stop()
        store.stop()


async def events(session: EngineSession, sql: str, parameters: Sequence[Parameter] = (), **more: Any) -> list[Event]:
    """Run a statement to its end."""
    return [event async for event in session.execute(sql, parameters, **more)]


async def rows(session: EngineSession, sql: str, parameters: Sequence[Parameter] = (), **more: Any) -> list[Any]:
    """Run a statement and read its DataRow messages as a client would."""
    found: list[Any] = []
    for event in await events(session, sql, parameters, **more):
        if isinstance(event, Rows):
            read = data_rows(event.data)
            assert len(read) == event.count
            found += read
    return found


def data_rows(data: bytes) -> list[tuple[str | None, ...]]:
    """Read DataRow messages, byte by byte as the protocol has them."""
    found, at = [], 0
    while at < len(data):
        assert data[at : at + 1] == b"D"
        end = at + 1 + int.from_bytes(data[at + 1 : at + 5], "big")
        number, at = int.from_bytes(data[at + 5 : at + 7], "big"), at + 7
        values: list[str | None] = []
        for _ in range(number):
            length = int.from_bytes(data[at : at + 4], "big", signed=True)
            at += 4
            values.append(None if length < 0 else data[at : at + length].decode())
            at += max(length, 0)
        assert at == end
        found.append(tuple(values))
    return found


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a test's body, with a bound on its time."""

    async def bounded() -> None:
        async with asyncio.timeout(120):
            await work

    asyncio.run(bounded())


async def ended(session: EngineSession) -> None:
    """Kill the session's worker and wait for its end."""
    handle = os.pidfd_open(session.worker_pid)
    waiting = asyncio.Event()
    asyncio.get_running_loop().add_reader(handle, waiting.set)
    signal.pidfd_send_signal(handle, signal.SIGKILL)
    await waiting.wait()
    asyncio.get_running_loop().remove_reader(handle)
    os.close(handle)


def tag(found: Sequence[Event]) -> str:
    """The command tag at the end of a statement."""
    last = found[-1]
    assert isinstance(last, Done)
    return last.tag


def oids(found: Sequence[Event]) -> list[int]:
    """The announced types of a result's columns."""
    first = found[0]
    assert isinstance(first, Columns)
    return [column.type_oid for column in first.columns]
