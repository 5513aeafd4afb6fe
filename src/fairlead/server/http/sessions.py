"""Sessions that outlive a request: temporary tables, transactions and settings stay until the client or time ends them.

An id is a secret of its user: it is random, and works only with that user's password.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.errors import ObjectInUse, TooManyConnections
from fairlead.server.http.problems import HttpRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fairlead.server.http.request import SessionRequest
    from fairlead.server.pgwire.backend import Backend, ClientSession


@dataclass(slots=True)
class _Kept:
    user: str
    session: ClientSession
    busy: bool = False
    timer: asyncio.TimerHandle | None = None


class Sessions:
    """All sessions of HTTP clients.

    Args:
        backend: opens and closes them.
        limit: how many there may be at a time.
        idle: seconds until one that nobody uses ends.
    """

    def __init__(self, backend: Backend, limit: int, idle: float) -> None:
        self._backend = backend
        self._limit = limit
        self._idle = idle
        self._count = 0
        self._kept: dict[str, _Kept] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return self._count

    @asynccontextmanager
    async def one(self, user: str, wanted: SessionRequest, client: str) -> AsyncIterator[ClientSession]:
        """Give a session for one request.

        Raises:
            TooManyConnections: there are as many as there may be.
            FairleadError: it cannot be opened.
        """
        session = await self._open(user, wanted, client)
        try:
            yield session
        finally:
            await self._close(session)

    async def keep(self, user: str, wanted: SessionRequest, client: str) -> str:
        """Open a session that stays; return its id.

        Raises:
            TooManyConnections, FairleadError: as ``one``.
        """
        session = await self._open(user, wanted, client)
        session_id = secrets.token_urlsafe(24)
        kept = self._kept[session_id] = _Kept(user.casefold(), session)
        self._wind(session_id, kept)
        return session_id

    @asynccontextmanager
    async def kept(self, user: str, session_id: str) -> AsyncIterator[ClientSession]:
        """Use a session that was kept; one request at a time.

        Raises:
            HttpRefused: the user has no such session.
            ObjectInUse: another request uses it.
        """
        found = self._find(user, session_id)
        if found.busy:
            raise ObjectInUse("the session runs another statement", hint="wait for it, or cancel it by its id")
        found.busy = True
        if found.timer is not None:
            found.timer.cancel()
        try:
            yield found.session
        finally:
            found.busy = False
            if session_id in self._kept:
                self._wind(session_id, found)

    async def end(self, user: str, session_id: str) -> None:
        """End a session that was kept, with whatever it runs.

        Raises:
            HttpRefused: the user has no such session.
        """
        found = self._find(user, session_id)
        await self._drop(session_id, found)

    async def end_all(self) -> None:
        """End all that were kept."""
        await asyncio.gather(*(self._drop(*one) for one in list(self._kept.items())), *self._ending)

    def _find(self, user: str, session_id: str) -> _Kept:
        found = self._kept.get(session_id)
        if found is None or found.user != user:
            raise HttpRefused(404, "there is no such session", hint="it has ended, or was idle for too long")
        return found

    def _wind(self, session_id: str, kept: _Kept) -> None:
        kept.timer = asyncio.get_running_loop().call_later(self._idle, self._expire, session_id)

    def _expire(self, session_id: str) -> None:
        task = asyncio.ensure_future(self._drop(session_id, self._kept[session_id]))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _drop(self, session_id: str, kept: _Kept) -> None:
        if self._kept.pop(session_id, None) is None:
            return
        if kept.timer is not None:
            kept.timer.cancel()
        await self._close(kept.session)

    async def _open(self, user: str, wanted: SessionRequest, client: str) -> ClientSession:
        if self._count >= self._limit:
            raise TooManyConnections(
                f"there are {self._limit} sessions already", hint="close some, or raise worker.max_sessions"
            )
        self._count += 1
        try:
            return await self._backend.open_session(
                user=user, database=wanted.database, parameters=wanted.settings, client=client
            )
        except BaseException:
            self._count -= 1
            raise

    async def _close(self, session: ClientSession) -> None:
        try:
            await self._backend.close_session(session)
        finally:
            self._count -= 1
