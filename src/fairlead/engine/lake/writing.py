"""The writer: the one process that commits to lakes, as the gateway holds it.

It runs one transaction at a time, so whoever wants to use it takes its turn first. When its process is lost, whatever
was attached in it is gone too: the next user gets a new process and attaches again.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, TypeVar

from fairlead.errors import EngineError, FairleadError, WorkerLost

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from fairlead.egress.door import StatementUse
    from fairlead.egress.egress import Egress
    from fairlead.engine.session import EngineSession

Rows = list[list[Any]]
_T = TypeVar("_T")


class Writer:
    """The writer. Every method is called with :attr:`turn` held.

    Args:
        session: gives the engine's session of the writer, always the same one, with its door open.
        egress: the way to lakes on a connection, None = there are none.
    """

    def __init__(self, session: Callable[[], Awaitable[EngineSession]], egress: Egress | None = None) -> None:
        self.turn = asyncio.Lock()  # waiters get it in the order in which they came
        self._session = session
        self._egress = egress
        self._lost = False
        self.generation = 0  # of the process: grows when it was lost
        self._attached: dict[str, str] = {}

    async def attach(self, name: str, sql: str) -> None:
        """Attach a lake where this process has not.

        Args:
            name: under which it is attached.
            sql: the ATTACH statement; where it differs from the last one, the lake is attached anew.

        Raises:
            EngineError: it cannot be attached.
            WorkerLost: the process ended.
        """
        session = await self._session()
        if self._lost:
            await session.script([], replace=True)
            self._lost = False
        if session.generation != self.generation:
            self.generation = session.generation
            self._attached.clear()
        if self._attached.get(name) != sql:
            await self.detach(name)
            await self.run([sql])
            self._attached[name] = sql

    async def detach(self, name: str) -> None:
        """Detach a lake, and with it all that the process has kept in memory about it."""
        if self._attached.pop(name, None) is not None:
            await self.run([f'DETACH "{name}"'])

    async def run(self, statements: Sequence[str]) -> list[Rows]:
        """Run statements and return the rows of each.

        Raises:
            EngineError: one of them failed; those before it have run, and a transaction may be open.
            FairleadError: a store failed, or refused something.
            WorkerLost: the process ended.
        """
        session = await self._session()
        if self._egress is None:
            return await self._script(session, statements)
        return await self._accounted(self._egress, session.door_key.key_id, self._script(session, statements))

    async def remove(self, connection_id: int, bucket: str, keys: Sequence[str]) -> None:
        """Delete objects of a lake on a connection; one that is not there is no error.

        Args:
            connection_id: of the connection.
            bucket: its real name.
            keys: of the objects.

        Raises:
            FairleadError: the store failed, or refused something; some may be deleted.
        """
        assert self._egress is not None
        key_id = (await self._session()).door_key.key_id
        work = asyncio.to_thread(self._egress.remove, key_id, connection_id, bucket, list(keys))
        await self._accounted(self._egress, key_id, work)

    async def _accounted(self, egress: Egress, key_id: str, work: Coroutine[None, None, _T]) -> _T:
        """Do some work as one statement of the writer's door; where it has used a connection, the ledger says so."""
        egress.statement_begin(key_id)
        try:
            result = await work
        except FairleadError as error:
            cause = (await self._account(egress, key_id, error.message)).cause
            if isinstance(error, EngineError) and cause is not None:
                raise cause from error
            raise
        except BaseException:
            await self._account(egress, key_id, "canceled")
            raise
        await self._account(egress, key_id, "ok")
        return result

    async def _script(self, session: EngineSession, statements: Sequence[str]) -> list[Rows]:
        try:
            return await session.script(list(statements))
        except WorkerLost:
            self._lost = True
            raise

    async def _account(self, egress: Egress, key_id: str, outcome: str) -> StatementUse:
        if egress.untouched(key_id):
            return egress.statement_end(key_id, outcome)
        return await asyncio.to_thread(egress.statement_end, key_id, outcome)

    async def undo(self) -> None:
        """End an open transaction, if there is one."""
        with contextlib.suppress(FairleadError):
            await self.run(["ROLLBACK"])
