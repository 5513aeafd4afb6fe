"""Data statements: planned, run in the session's worker, and accounted for by egress.

The worker is taken when it is first needed and replaced when it was lost. Errors are told in the user's own terms:
what the store proxy knows (expired key, refused by a grant) goes before what the engine saw of it.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import structlog

from fairlead.commands import records
from fairlead.egress.door import Door
from fairlead.engine.api import Columns, Described, Done, Parameter, Rows
from fairlead.engine.planner import AliasBook, Plan, Planner
from fairlead.errors import (
    ActiveTransaction,
    EngineError,
    FairleadError,
    PermissionDenied,
    StoreUnreachable,
    UndefinedFile,
    WorkerLost,
)
from fairlead.session_types import Complete, Notice, Output, ResultColumns, ResultRows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from fairlead.commands.house import House
    from fairlead.context import Context, Principal
    from fairlead.egress.door import StatementUse
    from fairlead.engine.engine import Engine
    from fairlead.engine.session import EngineSession
    from fairlead.lang import ast

_READS = frozenset({"SELECT", "WITH", "FROM", "VALUES", "TABLE", "EXPLAIN", "DESCRIBE", "DESC", "SUMMARIZE", "SHOW"})
_log = structlog.get_logger("fairlead")
_UTC = "UTC"
_STORE_FAILURES = frozenset({"58030", "58P01"})


class DataRunner:
    """Runs one session's data statements.

    Args:
        house: the gateway's rooms.
        engine: where workers come from.
        planner: plans statements.
        principal: gives the user with the roles in force now.
        context: gives the context of the statement that runs now.
    """

    def __init__(
        self,
        house: House,
        engine: Engine,
        planner: Planner,
        principal: Callable[[], Principal],
        context: Callable[[], Context],
    ) -> None:
        self._house = house
        self._engine = engine
        self._planner = planner
        self._principal = principal
        self._context = context
        self._book = AliasBook()
        self._worker: EngineSession | None = None
        self._in_block = False
        self._wrote = False
        self.time_zone = _UTC

    async def run(
        self, statement: ast.DataStatement, parameters: Sequence[Parameter], *, in_block: bool, time_limit: float
    ) -> AsyncGenerator[Output, None]:
        """Run one statement.

        Args:
            statement: what to run.
            parameters: values of ``$1`` and so on.
            in_block: whether a transaction block is open.
            time_limit: seconds, 0 for none.

        Raises:
            FairleadError: in the user's terms.
        """
        plan = await self._planned(statement)
        worker = await self._ready(in_block=in_block)
        worker.statement_timeout = time_limit
        key_id = worker.door_key.key_id
        self._house.egress.statement_begin(key_id)
        failure: FairleadError | None = None
        done: Done | None = None
        outcome = "failed"
        try:
            async with aclosing(worker.execute(plan.sql, parameters, aliases=self._book.real_urls())) as events:
                async for event in events:
                    match event:
                        case Columns(columns=columns):
                            yield ResultColumns(columns)
                        case Rows(data=data, count=count):
                            yield ResultRows(data, count)
                        case Done():
                            done, outcome = event, "ok"
        except FairleadError as error:
            failure = error
        except GeneratorExit:
            outcome = "closed"  # the client wants no more rows
            raise
        finally:
            use = await self._account(key_id, outcome)
        if failure is not None:
            self._note_loss(failure)
            raise _told(failure, use.cause, plan) from None
        for notice in worker.take_notices():
            yield Notice("WARNING", notice, "01000")
        if done is not None:
            self._wrote = self._wrote or (in_block and plan.verb not in _READS)
            yield Complete(done.tag)

    async def describe(self, statement: ast.DataStatement, type_oids: Sequence[int]) -> Described:
        """Return the parameters and columns of a statement without running it."""
        plan = await self._planned(statement)
        worker = await self._ready(in_block=False)
        key_id = worker.door_key.key_id
        self._house.egress.statement_begin(key_id)
        failure: FairleadError | None = None
        described = Described((), ())
        try:
            described = await worker.describe(plan.sql, type_oids)
        except FairleadError as error:
            failure = error
        finally:
            use = await self._account(key_id, "described")
        if failure is not None:
            raise _told(failure, use.cause, plan) from None
        return described

    def refuse_after_writes(self) -> None:
        """Refuse a change of the catalog in a block that has already written.

        Raises:
            ActiveTransaction: it has.
        """
        if self._wrote:
            message = "connections and grants cannot be changed in a transaction block that has already written"
            raise ActiveTransaction(message, hint="COMMIT first")

    async def end_block(self, *, commit: bool) -> None:
        """End the worker's part of a transaction block."""
        in_block, self._in_block, self._wrote = self._in_block, False, False
        if in_block and self._worker is not None:
            await self._quietly("COMMIT" if commit else "ROLLBACK")

    async def set_time_zone(self, name: str) -> None:
        """Let the worker show times in another zone."""
        if name != self.time_zone:
            self.time_zone = name
            if self._worker is not None:
                await self._quietly(_set_time_zone(name))

    async def cancel(self) -> None:
        """End the statement that runs."""
        if self._worker is not None:
            await self._worker.cancel()

    async def restart(self) -> None:
        """Give the worker back; temporary objects are gone."""
        await self.close()

    async def close(self) -> None:
        """End the worker and shut its door."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.close()
            await asyncio.to_thread(self._house.egress.close_door, worker.door_key.key_id)

    async def _planned(self, statement: ast.DataStatement) -> Plan:
        """Return the plan of a statement; one that the caller may not run is on record."""
        try:
            return self._planner.plan(statement, self._context(), self._book)
        except PermissionDenied:
            await asyncio.to_thread(records.refused, self._house, self._context(), statement.verb)
            raise

    async def _ready(self, *, in_block: bool) -> EngineSession:
        """Return the worker, its door open and its transaction begun where a block is open.

        Raises:
            WorkerLost: it went in the middle of a transaction block.
        """
        if self._worker is None:
            self._worker = await self._engine.session()
            key = self._worker.door_key
            self._house.egress.open_door(
                Door(
                    key_id=key.key_id,
                    secret=key.secret,
                    principal=self._principal,
                    context=self._context,
                    aliases=self._book.entries,
                )
            )
            self._in_block = False
            if self.time_zone != _UTC:
                await self._quietly(_set_time_zone(self.time_zone))
        if self._in_block and not self._worker.worker.alive:
            self._in_block = False
            message = "the session's process was lost in the middle of a transaction, which is rolled back"
            raise WorkerLost(message)
        if in_block and not self._in_block:
            await self._quietly("BEGIN TRANSACTION")
            self._in_block = True
        return self._worker

    def _note_loss(self, failure: FairleadError) -> None:
        """A lost worker takes its transaction with it; an operator should know of it."""
        if isinstance(failure, WorkerLost):
            self._in_block = False
            context = self._context()
            _log.warning("a worker was lost", user=context.principal.user_name, statement=context.statement_id)

    async def _account(self, key_id: str, outcome: str) -> StatementUse:
        """End the statement at the door; the ledger's rows are written beside the event loop."""
        egress = self._house.egress
        if egress.untouched(key_id):
            return egress.statement_end(key_id, outcome)
        return await asyncio.to_thread(egress.statement_end, key_id, outcome)

    async def _quietly(self, sql: str) -> None:
        """Run a statement of the gateway's own, without a result."""
        if self._worker is not None:
            async for _ in self._worker.execute(sql):
                pass


def _told(failure: FairleadError, cause: FairleadError | None, plan: Plan) -> FairleadError:
    """Return an error in the user's terms: the cause that egress kept, else the engine's at its place in their text."""
    if cause is not None and isinstance(failure, EngineError | PermissionDenied):
        # A missing file, or a busy store, may have been met and got over before something else failed.
        passing = isinstance(cause, UndefinedFile | StoreUnreachable)
        if not passing or failure.sqlstate in _STORE_FAILURES:
            return cause
    if failure.position is not None:
        failure.position = plan.typed_position(failure.position)
    return failure


def _set_time_zone(name: str) -> str:
    quoted = name.replace("'", "''")
    return f"SET TimeZone = '{quoted}'"
