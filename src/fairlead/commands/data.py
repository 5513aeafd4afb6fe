"""Data statements: planned, run in the session's worker, and accounted for by egress.

The worker is taken when it is first needed and replaced when it was lost. Errors are told in the user's own terms:
what the store proxy knows (expired key, refused by a grant) goes before what the engine saw of it.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

import structlog

from fairlead.commands import records
from fairlead.commands.definers import Definers
from fairlead.commands.definitions import DEFINES, defined
from fairlead.commands.exact import exact_plan
from fairlead.commands.exports import Export
from fairlead.commands.tables import SessionTables
from fairlead.egress.door import Door
from fairlead.egress.shipment import Shipment
from fairlead.engine.api import TEXT, Columns, Described, Done, Encoding, Parameter, Rows
from fairlead.engine.lake.names import literal
from fairlead.engine.planner import AliasBook, Plan, Planner
from fairlead.errors import (
    ActiveTransaction,
    EngineError,
    FairleadError,
    PermissionDenied,
    SerializationFailure,
    StoreUnreachable,
    UndefinedFile,
    WorkerLost,
)
from fairlead.session_types import Complete, Notice, Output, ResultColumns, ResultRows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
    from pathlib import Path

    from fairlead.commands.house import House
    from fairlead.commands.staging import Staged
    from fairlead.context import Context, Principal
    from fairlead.egress.door import StatementUse
    from fairlead.engine.engine import Engine
    from fairlead.engine.session import EngineSession
    from fairlead.lang import ast

_T = TypeVar("_T")
_READS = frozenset({"SELECT", "WITH", "FROM", "VALUES", "TABLE", "EXPLAIN", "DESCRIBE", "DESC", "SUMMARIZE", "SHOW"})
_log = structlog.get_logger("fairlead")
_COPIES = frozenset({"COPY", "EXPLAIN"})  # what may write objects: EXPLAIN ANALYZE runs its COPY
_CHANGES = frozenset({"UPDATE", "DELETE", "MERGE", "TRUNCATE", "ALTER"})
_UTC = "UTC"
_ATTEMPTS = 30
_LOST_IN_BLOCK = "the session's process was lost in the middle of a transaction, which is rolled back"
_STORE_FAILURES = frozenset({"58030", "58P01"})


@dataclass(slots=True)
class _Order:
    """One statement that runs, and what becomes of it."""

    statement: ast.DataStatement
    parameters: Sequence[Parameter]
    in_block: bool
    time_limit: float
    encoding: Encoding
    export: Export | None
    staged: Staged | None
    plan: Plan
    done: Done | None = None
    notices: tuple[Notice, ...] = ()
    ending: list[Output] = field(default_factory=list)


class DataRunner:
    """Runs one session's data statements.

    Args:
        house: the gateway's rooms.
        engine: where workers come from.
        planner: plans statements.
        principal: gives the user with the roles in force now.
        context: gives the context of the statement that runs now.
        depth: how many views of other owners stand above these statements.
    """

    def __init__(
        self,
        house: House,
        engine: Engine,
        planner: Planner,
        principal: Callable[[], Principal],
        context: Callable[[], Context],
        depth: int = 0,
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
        self._deleted = False
        self._definers = Definers(house, planner, self._book, context, self._as_owner, depth)
        self._tables = SessionTables(house, self._book, principal, context, self._definers)
        self._depth = depth
        self.time_zone = _UTC

    async def run(
        self,
        statement: ast.DataStatement,
        parameters: Sequence[Parameter],
        *,
        in_block: bool,
        time_limit: float,
        encoding: Encoding = TEXT,
        export: Export | None = None,
    ) -> AsyncGenerator[Output, None]:
        """Run one statement.

        Args:
            statement: what to run.
            parameters: values of ``$1`` and so on.
            in_block: whether a transaction block is open.
            time_limit: seconds, 0 for none.
            encoding: how its rows come back.
            export: where the rows of a query go, None = to the client.

        Raises:
            FairleadError: in the user's terms.
        """
        plan = await self._planned(statement)
        staged = None if in_block else await self._recorded(self._tables.way(statement), statement)
        order = _Order(statement, parameters, in_block, time_limit, encoding, export, staged, plan)
        contends = plan.verb in _CHANGES and not in_block
        for attempt in range(_ATTEMPTS):
            given = False
            try:
                async with (
                    self._tables.turn(statement, waiting=attempt > 0, changes=contends),
                    aclosing(self._attempt(order)) as outputs,
                ):
                    async for output in outputs:
                        given = given or isinstance(output, ResultRows)
                        yield output
            except SerializationFailure:
                # The statement is a transaction of its own, and nobody has seen anything of it: run it again.
                if in_block or given or attempt + 1 == _ATTEMPTS:
                    raise
            else:
                return

    async def _attempt(self, order: _Order) -> AsyncGenerator[Output, None]:
        """Run a statement once, with its account at the door."""
        worker = await self._set_up(order)
        key_id = worker.door_key.key_id
        export = order.export
        shipment = export.shipment if export is not None else Shipment() if order.plan.verb in _COPIES else None
        self._house.egress.statement_begin(key_id, shipment)
        failure: FairleadError | None = None
        outcome = "failed"
        try:
            async with aclosing(self._events(worker, order)) as outputs:
                async for output in outputs:
                    yield output
            await self._conclude(worker, order)
            if export is None and shipment is not None and not self._house.egress.untouched(key_id):
                await asyncio.to_thread(self._house.egress.delivery(key_id).run)
            outcome = "ok"
        except FairleadError as error:
            failure = error
        except GeneratorExit:
            outcome = "closed"  # the client wants no more rows
            raise
        finally:
            use = await self._account(key_id, outcome)
        if failure is not None:
            self._note_loss(failure)
            await self._tables.blame(worker, order.statement, failure)
            raise _told(failure, use.cause, order.plan) from None
        for notice in worker.take_notices():
            yield Notice("WARNING", notice, "01000")
        for output in (*order.notices, *order.ending):
            yield output

    async def _set_up(self, order: _Order) -> EngineSession:
        """Return the worker with all that a statement needs, and leave in the order what the worker is to run."""
        statement, staged = order.statement, order.staged
        rest = statement if staged is None else staged.rest(statement)
        worker = await self._ready(rest, in_block=order.in_block)
        worker.statement_timeout = order.time_limit
        if staged is not None and await self._tables.begin_staged(worker, staged):
            instead = {staged.target.span: staged.name}
            order.plan = self._planner.plan(statement, self._context(), self._book, instead)
        else:
            order.staged = None
        if statement.query_at >= 0:
            order.plan = await self._exact(worker, statement, order.parameters) or order.plan
        if statement.verb in DEFINES:
            found = await defined(self._house, self._context(), statement, order.plan, worker)
            order.plan, order.notices = found.plan, found.notices
            self._tables.along |= found.along.views
        return worker

    async def _events(self, worker: EngineSession, order: _Order) -> AsyncGenerator[Output, None]:
        """Run the statement and give what comes before its end."""
        export = order.export
        if export is not None:
            order.plan = await export.begin(worker, order.plan, order.parameters)
        aliases, progress = self._book.real_urls(), export is not None
        running = worker.execute(
            order.plan.sql, order.parameters, aliases=aliases, encoding=order.encoding, progress=progress
        )
        async with aclosing(running) as events:
            async for event in events:
                match event:
                    case Done():
                        order.done = event
                    case _ if export is not None:
                        for output in export.take(event):
                            yield output
                    case Columns(columns=columns):
                        yield ResultColumns(columns)
                    case Rows(data=data, count=count):
                        yield ResultRows(data, count)

    async def _conclude(self, worker: EngineSession, order: _Order) -> None:
        """Bring what the statement has done to where it belongs, and leave in the order what ends it."""
        done, plan, in_block = order.done, order.plan, order.in_block
        if order.export is not None:
            order.ending = await order.export.finish(done)
        elif order.staged is not None:
            await self._tables.settle_staged(worker, order.staged)
        elif done is not None and done.changes and not in_block:
            await self._tables.settle(worker, truncates=plan.verb == "TRUNCATE")
        if done is not None:
            self._wrote = self._wrote or (in_block and plan.verb not in _READS)
            self._deleted = self._deleted or (in_block and plan.verb in ("DELETE", "MERGE", "WITH"))
            order.ending = order.ending or [Complete(done.tag)]

    async def export(
        self, statement: ast.Export, parameters: Sequence[Parameter], *, in_block: bool, time_limit: float
    ) -> AsyncGenerator[Output, None]:
        """Write the rows of a query into a store; arguments and errors as for ``run``."""
        try:
            export = Export(statement, self._house, self._context(), self._book)
        except PermissionDenied:
            await asyncio.to_thread(records.refused, self._house, self._context(), "EXPORT")
            raise
        query = statement.query
        async with aclosing(
            self.run(query, parameters, in_block=in_block, time_limit=time_limit, export=export)
        ) as outputs:
            async for output in outputs:
                yield output

    async def materialise(self, statement: ast.DataStatement, into: Path) -> None:
        """Run a query and leave its result as a file of the engine's own format.

        Args:
            statement: one query.
            into: where the file goes, on the file system of the data directory; other workers may read it.

        Raises:
            FairleadError: the query failed, in the user's terms.
        """
        plan = await self._planned(statement)
        worker = await self._ready(statement, in_block=False)
        assert worker.folder is not None
        made = worker.folder.spill / "out" / "result.duckdb"
        key_id = worker.door_key.key_id
        self._house.egress.statement_begin(key_id)
        failure: FairleadError | None = None
        try:
            await worker.script([f"ATTACH {literal(str(made))} AS fairlead_out"])
            create = f"CREATE TABLE fairlead_out.main.v AS (\n{plan.sql}\n)"
            async for _ in worker.execute(create, aliases=self._book.real_urls()):
                pass
        except FairleadError as error:
            failure = error
        finally:
            with suppress(FairleadError):
                await worker.script(["DETACH fairlead_out"])
            use = await self._account(key_id, "ok" if failure is None else "failed")
        if failure is not None:
            await asyncio.to_thread(made.unlink, missing_ok=True)
            failure.position = None
            raise _told(failure, use.cause, plan) from None
        await asyncio.to_thread(_hand_over, made, into)

    async def prepared(self, statement: ast.DataStatement, *, in_block: bool) -> tuple[str, EngineSession]:
        """Plan a statement and make the worker ready for it, without running it: what may not run fails here."""
        plan = await self._planned(statement)
        return plan.sql, await self._ready(statement, in_block=in_block)

    async def describe(self, statement: ast.DataStatement, type_oids: Sequence[int]) -> Described:
        """Return the parameters and columns of a statement without running it."""
        plan = await self._planned(statement)
        worker = await self._ready(statement, in_block=self._in_block)
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
            await self._tables.blame(worker, statement, failure)
            raise _told(failure, use.cause, plan) from None
        return described

    def refuse_after_writes(self) -> None:
        """Refuse a change of the catalog in a block that has already written.

        Raises:
            ActiveTransaction: it has.
        """
        if self._wrote:
            message = "views, grants and connections cannot be changed in a transaction block that has already written"
            raise ActiveTransaction(message, hint="COMMIT first")

    async def end_block(self, *, commit: bool) -> None:
        """End the worker's part of a transaction block."""
        in_block, self._in_block, self._wrote = self._in_block, False, False
        deleted, self._deleted = self._deleted, False
        if not in_block or self._worker is None:
            return
        if not commit:
            await self._quietly("ROLLBACK")
            return
        worker = self._worker
        if not worker.worker.alive:
            raise WorkerLost(_LOST_IN_BLOCK)
        key_id = worker.door_key.key_id
        self._house.egress.statement_begin(key_id)  # the rows of a lake on a store are read through it
        try:
            await self._quietly("COMMIT")
            await self._tables.settle(worker, truncates=not deleted)
        finally:
            await self._account(key_id, "commit")

    async def set_time_zone(self, name: str) -> None:
        """Let the worker show times in another zone."""
        if name != self.time_zone:
            self.time_zone = name
            if self._worker is not None:
                await self._quietly(_set_time_zone(name))

    async def cancel(self) -> None:
        """End the statement that runs."""
        await self._definers.cancel()
        if self._worker is not None:
            await self._worker.cancel()

    async def restart(self) -> None:
        """Give the worker back; temporary objects are gone."""
        await self.close()

    async def close(self) -> None:
        """End the worker and shut its door."""
        worker, self._worker = self._worker, None
        self._tables.forget()
        await self._definers.close()
        if worker is not None:
            await worker.close()
            await asyncio.to_thread(self._house.egress.close_door, worker.door_key.key_id)

    def _as_owner(self, owner: Principal, database: str) -> DataRunner:
        """Return what runs statements as another user, for views of theirs."""

        def there() -> Context:
            return replace(self._context(), principal=owner_now(), database=database)

        def owner_now() -> Principal:
            return self._house.access.principal(owner.user_name)

        return DataRunner(self._house, self._engine, self._planner, owner_now, there, self._depth + 1)

    async def _exact(
        self, worker: EngineSession, statement: ast.DataStatement, parameters: Sequence[Parameter]
    ) -> Plan | None:
        """Return the plan of a CREATE TABLE ... AS that keeps every digit, where another one is needed for that."""
        key_id = worker.door_key.key_id
        self._house.egress.statement_begin(key_id)
        try:
            return await exact_plan(worker, self._planner, statement, self._context(), self._book, parameters)
        finally:
            await self._account(key_id, "described")

    async def _planned(self, statement: ast.DataStatement) -> Plan:
        """Return the plan of a statement."""

        async def plan() -> Plan:
            return self._planner.plan(statement, self._context(), self._book)

        return await self._recorded(plan(), statement)

    async def _recorded(self, work: Awaitable[_T], statement: ast.DataStatement) -> _T:
        """Await some work; a statement that the caller may not run is on record."""
        try:
            return await work
        except PermissionDenied:
            await asyncio.to_thread(records.refused, self._house, self._context(), statement.verb)
            raise

    async def _ready(self, statement: ast.DataStatement, *, in_block: bool) -> EngineSession:
        """Return the worker, its door open, with the tables of a statement, its transaction begun in a block.

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
            raise WorkerLost(_LOST_IN_BLOCK)
        begins = in_block and not self._in_block
        prepared = self._tables.prepare(self._worker, statement, begins=begins, inside=self._in_block)
        await self._recorded(prepared, statement)
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


def _hand_over(made: Path, into: Path) -> None:
    made.chmod(0o444)
    made.rename(into)


def _set_time_zone(name: str) -> str:
    quoted = name.replace("'", "''")
    return f"SET TimeZone = '{quoted}'"
