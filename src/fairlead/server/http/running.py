"""Statements that run for HTTP clients: each has an id, by which its own user may end it."""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from fairlead.errors import ObjectInUse, QueryCanceled
from fairlead.server.http.problems import HttpRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fairlead.server.pgwire.backend import ClientSession

_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,100}", re.ASCII)
_AGAIN_SECONDS: Final = 0.2


class Running:
    """One request that runs.

    Args:
        statement_id: of it.
        forget: takes the id out of use.
    """

    def __init__(self, statement_id: str, forget: Callable[[], object]) -> None:
        self.id = statement_id
        self._forget = forget
        self.cancelled = False
        self.session: ClientSession | None = None
        self._ended = asyncio.Event()

    def check(self) -> None:
        """Go on only if nobody has cancelled.

        Raises:
            QueryCanceled: somebody has.
        """
        if self.cancelled:
            raise QueryCanceled("canceling statement due to user request")

    async def cancel(self) -> None:
        """End it, and return when it has ended.

        A session can end only what it runs at that moment, and a request may be just before or between statements: so
        it is told again until nothing runs any more.
        """
        self.cancelled = True
        while not self._ended.is_set():
            if self.session is not None:
                await self.session.cancel()
            try:
                async with asyncio.timeout(_AGAIN_SECONDS):
                    await self._ended.wait()
            except TimeoutError:
                continue

    def end(self) -> None:
        """Note that it has ended: before the last of its answer is sent, so that the client may use the id again."""
        if not self._ended.is_set():
            self._ended.set()
            self._forget()


class RunningStatements:
    """All requests that run now, by user and id."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, str], Running] = {}

    def __len__(self) -> int:
        return len(self._running)

    @contextmanager
    def enter(self, user: str, wanted: str | None) -> Iterator[Running]:
        """Run a request under an id.

        Args:
            user: whose it is.
            wanted: the id that the client has chosen, None = make one.

        Raises:
            HttpRefused: that cannot be an id.
            ObjectInUse: another request of the user has it.
        """
        if wanted is not None and not _ID.fullmatch(wanted):
            raise HttpRefused(400, "an id of a statement has up to 100 letters, digits and _ . : -")
        key = (user, wanted or secrets.token_hex(16))
        if key in self._running:
            raise ObjectInUse(f'a statement with the id "{wanted}" runs already')
        running = self._running[key] = Running(key[1], lambda: self._running.pop(key))
        try:
            yield running
        finally:
            running.end()

    async def cancel(self, user: str, statement_id: str) -> bool:
        """End a user's own request; tell whether there was one."""
        found = self._running.get((user, statement_id))
        if found is not None:
            await found.cancel()
        return found is not None

    async def cancel_all(self) -> None:
        """End them all."""
        await asyncio.gather(*(one.cancel() for one in list(self._running.values())))
