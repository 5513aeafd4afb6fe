"""Who is logged in: bearer tokens, each for one session, which ends when its client says so or has long been silent.

A login gives a token; the session behind it is opened by the first call, which is the first to show the client's
address. The gateway keeps only digests of the tokens.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog

from fairlead.errors import FairleadError, LoginRefused, TooManyConnections
from fairlead.server.flight.session import FlightSession

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fairlead.server.gateway import Gateway

_log = structlog.get_logger("fairlead")
_TOKEN_BYTES: Final = 32
_ROUNDS: Final = 10  # of looking for silent sessions, in the time after which they end
_LONGEST_ROUND: Final = 15.0


class _Holder:
    """One login; its session is opened once, by whoever comes first."""

    def __init__(self, user: str, parameters: Mapping[str, str]) -> None:
        self.user = user
        self.parameters = parameters
        self.opening = asyncio.Lock()
        self.session: FlightSession | None = None
        self.last_used = 0.0


class Sessions:
    """The sessions of the listener; all methods run on the gateway's loop.

    Args:
        gateway: opens sessions.
        limit: how many there may be at a time.
        idle_seconds: of silence, after which a session ends.
        now: a clock that never goes back, seconds.
    """

    def __init__(
        self, gateway: Gateway, limit: int, idle_seconds: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._gateway = gateway
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._now = now
        self._holders: dict[bytes, _Holder] = {}

    def __len__(self) -> int:
        return len(self._holders)

    async def admit(self, user: str, parameters: Mapping[str, str]) -> str:
        """Return a token for a user who has proved who they are.

        Args:
            user: their name.
            parameters: the client's wishes: ``database``, ``application_name``.

        Raises:
            TooManyConnections: there is no place.
        """
        if len(self._holders) >= self._limit:
            raise TooManyConnections(
                f"there are {self._limit} sessions already", hint="close some, or raise worker.max_sessions"
            )
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        holder = self._holders[_digest(token)] = _Holder(user, parameters)
        holder.last_used = self._now()
        return token

    def known(self, token: str) -> bool:
        """Tell whether a token is one of ours; may be asked in any thread."""
        return _digest(token) in self._holders

    async def session(self, token: str, client: str) -> FlightSession:
        """Return the session of a token.

        Args:
            token: as the client shows it.
            client: its address, for the ledger.

        Raises:
            LoginRefused: it has ended, or never was.
        """
        holder = self._holders.get(_digest(token))
        if holder is None:
            raise ended()
        holder.last_used = self._now()
        async with holder.opening:
            if holder.session is None:
                holder.session = await self._open(holder, client)
        return holder.session

    async def close(self, token: str) -> None:
        """End the session of a token; one that has ended is no error."""
        holder = self._holders.pop(_digest(token), None)
        if holder is not None:
            await self._end(holder)

    async def expire(self) -> None:
        """End what has long been silent, for ever; to be run as a task."""
        while True:
            await asyncio.sleep(min(self._idle_seconds / _ROUNDS, _LONGEST_ROUND))
            await self.expire_now()

    async def expire_now(self) -> None:
        """End the sessions that have been silent for too long; one whose statement runs is not silent."""
        for key, holder in list(self._holders.items()):
            session = holder.session
            used = holder.last_used if session is None else max(holder.last_used, session.last_used)
            busy = holder.opening.locked() or (session is not None and session.busy)
            if not busy and self._now() - used > self._idle_seconds:
                self._holders.pop(key, None)
                await self._end(holder)

    async def stop(self) -> None:
        """End all sessions."""
        holders, self._holders = list(self._holders.values()), {}
        await asyncio.gather(*map(self._end, holders))

    async def _open(self, holder: _Holder, client: str) -> FlightSession:
        try:
            opened = await self._gateway.open_session(
                user=holder.user,
                database=holder.parameters.get("database"),
                parameters={name: value for name, value in holder.parameters.items() if name != "database"},
                client=client,
            )
        except FairleadError:
            self._holders = {key: one for key, one in self._holders.items() if one is not holder}
            raise
        return FlightSession(opened, self._now)

    async def _end(self, holder: _Holder) -> None:
        async with holder.opening:
            if holder.session is None:
                return
            with suppress(FairleadError):
                await holder.session.end()
            try:
                await self._gateway.close_session(holder.session.session)
            except Exception as error:  # noqa: BLE001  # the other sessions must end too
                _log.error("could not end a session cleanly", exc_info=error)


def ended() -> LoginRefused:
    """Return what a client with an unknown token is told."""
    return LoginRefused("the session has ended, or never was", hint="log in again")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
