"""Workers on call: a few blank ones, locked and ready, so that a new session need not wait for a fork."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import deque
from typing import TYPE_CHECKING, Any

from fairlead.engine.api import DoorKey, WorkerCounts
from fairlead.engine.process import WorkerProcess
from fairlead.engine.session import EngineSession
from fairlead.engine.zygote import Zygote
from fairlead.errors import ConfigurationError, TooManyConnections, WorkerLost
from fairlead.sensitive import Sensitive

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from fairlead.config import Settings


class Pool:
    """Makes workers and keeps count of them.

    Args:
        settings: of the gateway.
        common: what all workers are told, as JSON.
        spill_root: where private folders are made, None = no spilling.
        on_listener: gets the store proxy's socket, at the start and whenever the fork server had to be started again.
    """

    def __init__(
        self,
        settings: Settings,
        common: dict[str, Any],
        spill_root: Path | None,
        on_listener: Callable[[socket.socket], None],
    ) -> None:
        self._settings = settings
        self._spill_root = spill_root
        self._common = common
        self._on_listener = on_listener
        self._zygote = Zygote(common, on_listener)
        self._restarting = asyncio.Lock()
        self._spares: deque[WorkerProcess] = deque()
        self._refilling: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._opening = 0
        self._stopped = False
        self._writer: EngineSession | None = None
        self._making_writer = asyncio.Lock()
        self.sessions: set[EngineSession] = set()
        self.started = 0
        self.lost = 0

    @property
    def zygote(self) -> Zygote:
        """The present fork server."""
        return self._zygote

    async def start(self) -> WorkerProcess:
        """Start the fork server and make the first blank worker.

        Raises:
            ConfigurationError: not possible here; the message says why.
        """
        await self._zygote.start()
        try:
            first = await self.make(_new_key())
        except WorkerLost as error:
            raise ConfigurationError(error.message, detail=error.detail) from error
        self._spares.append(first)
        self._refill()
        return first

    async def checkout(self) -> EngineSession:
        """Return a session with a ready worker.

        Raises:
            TooManyConnections: all sessions that the settings allow are in use.
            WorkerLost: no worker could be made.
        """
        if len(self.sessions) + self._opening >= self._settings.worker.max_sessions:
            raise TooManyConnections(
                "too many sessions", hint="close one, or ask the administrator to raise worker.max_sessions"
            )
        self._opening += 1
        try:
            worker = await self._spare() or await self.make(_new_key())
            session = EngineSession(
                self,
                worker,
                grace=self._settings.worker.cancel_grace,
                statement_timeout=self._settings.statement_timeout,
            )
            self.sessions.add(session)
        finally:
            self._opening -= 1
        self._refill()
        return session

    async def writer(self, lake: Path) -> EngineSession:
        """Return the one session of the writer; made on the first call.

        Args:
            lake: the folder of all lakes.

        Raises:
            WorkerLost: it could not be made.
        """
        async with self._making_writer:
            if self._writer is None:
                worker = await self.make(_new_key(), lake)
                grace = self._settings.worker.cancel_grace
                self._writer = EngineSession(self, worker, grace=grace, statement_timeout=0, lake=lake)
            return self._writer

    async def make(self, key: DoorKey, lake: Path | None = None) -> WorkerProcess:
        """Make a worker; start the fork server again if it has gone.

        Args:
            key: what it signs with.
            lake: the folder of all lakes, if it is to be their writer.

        Raises:
            WorkerLost: not possible now.
        """
        self.started += 1
        try:
            return await WorkerProcess.make(self._zygote, key, self._spill_root, lake)
        except WorkerLost:
            if self._zygote.pid is not None or self._stopped:
                raise
        await self._restart()
        return await WorkerProcess.make(self._zygote, key, self._spill_root, lake)

    def counts(self) -> WorkerCounts:
        """Return how many workers there are and were."""
        busy = sum(session.running is not None for session in self.sessions)
        return WorkerCounts(len(self._spares), len(self.sessions) - busy, busy, self.started, self.lost)

    def dispose(self, worker: WorkerProcess) -> None:
        """End a worker that was lost, without waiting for it."""
        self.lost += 1
        worker.kill()
        ending = asyncio.create_task(worker.close(), name="end of a worker")
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def give_back(self, session: EngineSession) -> None:
        """End the worker of a session that is over: nothing of it is ever used for another."""
        self.sessions.discard(session)
        await session.worker.close()

    async def stop(self) -> None:
        """End everything."""
        self._stopped = True
        if self._refilling is not None:
            self._refilling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._refilling
        writer = [self._writer] if self._writer is not None else []
        await asyncio.gather(*(session.close() for session in [*self.sessions, *writer]))
        await asyncio.gather(*self._ending, *(worker.close() for worker in self._spares))
        self._spares.clear()
        self._zygote.stop()

    async def _spare(self) -> WorkerProcess | None:
        while self._spares:
            worker = self._spares.popleft()
            if worker.alive:
                return worker
            await worker.close()
        return None

    async def _restart(self) -> None:
        async with self._restarting:
            if self._zygote.pid is None:
                self._zygote.stop()
                zygote = Zygote(self._common, self._on_listener)
                try:
                    await zygote.start()
                except ConfigurationError as error:
                    raise WorkerLost(error.message, detail=error.detail) from error
                self._zygote = zygote

    def _refill(self) -> None:
        if not self._stopped and (self._refilling is None or self._refilling.done()):
            self._refilling = asyncio.create_task(self._fill_up(), name="spare workers")

    async def _fill_up(self) -> None:
        while len(self._spares) < self._settings.worker.spare:
            try:
                self._spares.append(await self.make(_new_key()))
            except WorkerLost:  # the next session that needs a worker reports why
                return


def _new_key() -> DoorKey:
    return DoorKey("W" + secrets.token_hex(10).upper(), Sensitive(secrets.token_urlsafe(32)))
