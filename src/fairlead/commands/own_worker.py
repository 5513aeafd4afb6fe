"""The one worker of a session: taken from the pool when it is first needed, with a door of its own at the store proxy.

What the worker must know of its session (who asks, where, in which time zone) is told when that has changed, and what
it does at the door is accounted for, statement by statement.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fairlead.commands.telling import told
from fairlead.egress.door import STORE_KIND, Door
from fairlead.engine import session_functions
from fairlead.errors import FairleadError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fairlead.commands.house import House
    from fairlead.context import Context, Principal
    from fairlead.egress.door import StatementUse
    from fairlead.engine.engine import Engine
    from fairlead.engine.planner import AliasBook, Plan
    from fairlead.engine.session import EngineSession

_UTC = "UTC"


class OwnWorker:
    """The worker of one session.

    Args:
        house: the gateway's rooms.
        engine: where workers come from.
        book: aliases of the session's door.
        principal: gives the user with the roles in force now.
        context: gives the context of the statement that runs now.
    """

    def __init__(
        self,
        house: House,
        engine: Engine,
        book: AliasBook,
        principal: Callable[[], Principal],
        context: Callable[[], Context],
    ) -> None:
        self.present: EngineSession | None = None
        self.time_zone = _UTC
        self._house = house
        self._engine = engine
        self._book = book
        self._principal = principal
        self._context = context
        self._introduced: tuple[object, ...] | None = None

    async def open(self) -> EngineSession:
        """Take a worker, and open its door; there is none at present.

        Raises:
            FairleadError: there is none to be had.
        """
        worker = self.present = await self._engine.session()
        key = worker.door_key
        self._house.egress.open_door(
            Door(
                key_id=key.key_id,
                secret=key.secret,
                principal=self._principal,
                context=self._context,
                aliases=self._book.entries,
            )
        )
        self._introduced = None
        if self.time_zone != _UTC:
            await self.quietly(_set_time_zone(self.time_zone))
        return worker

    async def introduce(self, worker: EngineSession) -> None:
        """Let the worker know whose session it is, where it does not yet."""
        facts = self._context().facts
        if facts is None:
            return
        known = worker.generation, facts.user, facts.database, facts.search_path
        if known != self._introduced:
            await worker.script(session_functions.macros(facts))
            self._introduced = known

    def forgets(self) -> None:
        """A rollback has undone what the worker was told."""
        self._introduced = None

    async def set_time_zone(self, name: str) -> None:
        """Let the worker show times in another zone."""
        if name != self.time_zone:
            self.time_zone = name
            await self.quietly(_set_time_zone(name))

    async def quietly(self, sql: str) -> None:
        """Run a statement of the gateway's own, without a result, if there is a worker."""
        if self.present is not None:
            async for _ in self.present.execute(sql):
                pass

    @asynccontextmanager
    async def accounted(self, worker: EngineSession, plan: Plan, outcome: str) -> AsyncIterator[None]:
        """Keep the account of some work at the door; an error of it is told in the user's terms.

        Args:
            worker: the present one.
            plan: of what it is doing.
            outcome: for the ledger, where it ends well.
        """
        key_id = worker.door_key.key_id
        self._house.egress.statement_begin(key_id)
        failure: FairleadError | None = None
        try:
            yield
        except FairleadError as error:
            failure = error
        finally:
            use = await self.account(key_id, outcome if failure is None else "failed")
        if failure is not None:
            raise told(failure, use.cause, plan) from None

    async def account(self, key_id: str, outcome: str) -> StatementUse:
        """End the statement at the door; the ledger's rows are written beside the event loop."""
        egress = self._house.egress
        if egress.untouched(key_id):
            return egress.statement_end(key_id, outcome)
        use = await asyncio.to_thread(egress.statement_end, key_id, outcome)
        self._house.observer.store_traffic(STORE_KIND, use.bytes_read, use.bytes_written)
        return use

    async def close(self) -> None:
        """End the worker and shut its door."""
        worker, self.present = self.present, None
        if worker is not None:
            await worker.close()
            await asyncio.to_thread(self._house.egress.close_door, worker.door_key.key_id)


def _set_time_zone(name: str) -> str:
    quoted = name.replace("'", "''")
    return f"SET TimeZone = '{quoted}'"
