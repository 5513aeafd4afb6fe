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
from fairlead.commands.introspection.supply import Catalogs
from fairlead.commands.own_worker import OwnWorker
from fairlead.commands.spooling import Spool
from fairlead.commands.tables import SessionTables
from fairlead.commands.telling import told
from fairlead.egress.shipment import Shipment
from fairlead.engine.api import TEXT, Columns, Described, Done, Encoding, Parameter, Rows
from fairlead.engine.lake.names import literal
from fairlead.engine.planner import AliasBook, Plan, Planner
from fairlead.errors import (
    ActiveTransaction,
    FairleadError,
    PermissionDenied,
    SerializationFailure,
    WorkerLost,
)
from fairlead.session_types import Complete, Notice, Output, ResultColumns, ResultRows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
    from pathlib import Path

    from fairlead.commands.house import House
    from fairlead.commands.staging import Staged
    from fairlead.context import Context, Principal
    from fairlead.engine.engine import Engine
    from fairlead.engine.session import EngineSession
    from fairlead.lang import ast

_T = TypeVar("_T")
_READS = frozenset({"SELECT", "WITH", "FROM", "VALUES", "TABLE", "EXPLAIN", "DESCRIBE", "DESC", "SUMMARIZE", "SHOW"})
_log = structlog.get_logger("fairlead")
_COPIES = frozenset({"COPY", "EXPLAIN"})  # what may write objects: EXPLAIN ANALYZE runs its COPY
_CHANGES = frozenset({"UPDATE", "DELETE", "MERGE", "TRUNCATE", "ALTER"})
_SHAPING = frozenset({"CREATE", "ALTER", "DROP", "COMMENT"})
_ATTEMPTS = 30
_LOST_IN_BLOCK = "the session's process was lost in the middle of a transaction, which is rolled back"


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
        self.own = OwnWorker(house, engine, self._book, principal, context)
        self._in_block = False
        self.writes = 0  # statements of the block that have written
        self._deleted = False
        self._definers = Definers(house, planner, self._book, context, self._as_owner, depth)
        self._tables = SessionTables(house, self._book, principal, context, self._definers)
        self.catalogs = Catalogs(house, context, self._definers.columns)
        self._depth = depth

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
            use = await self.own.account(key_id, outcome)
        if failure is not None:
            self._note_loss(failure)
            await self._tables.blame(worker, order.statement, failure)
            raise told(failure, use.cause, order.plan) from None
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
        await self._supply(worker, order.plan)
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
            if plan.verb in _SHAPING:
                self.catalogs.reshaped()
            self.writes += in_block and (plan.verb not in _READS or done.changes)
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
        await self._supply(worker, plan)
        assert worker.folder is not None
        made = worker.folder.spill / "out" / "result.duckdb"
        try:
            async with self.own.accounted(worker, plan, "ok"):
                await worker.script([f"ATTACH {literal(str(made))} AS fairlead_out"])
                try:
                    create = f"CREATE TABLE fairlead_out.main.v AS (\n{plan.sql}\n)"
                    async for _ in worker.execute(create, aliases=self._book.real_urls()):
                        pass
                finally:
                    with suppress(FairleadError):
                        await worker.script(["DETACH fairlead_out"])
        except FairleadError as failure:
            await asyncio.to_thread(made.unlink, missing_ok=True)
            failure.position = None
            raise
        await asyncio.to_thread(_hand_over, made, into)

    async def prepared(self, statement: ast.DataStatement, *, in_block: bool) -> tuple[str, EngineSession]:
        """Plan a statement and make the worker ready for it, without running it: what may not run fails here."""
        plan = await self._planned(statement)
        worker = await self._ready(statement, in_block=in_block)
        await self._supply(worker, plan)
        return plan.sql, worker

    async def describe(
        self, statement: ast.DataStatement, type_oids: Sequence[int], *, arrow: bool = False
    ) -> Described:
        """Return the parameters and columns of a statement without running it."""
        plan = await self._planned(statement)
        worker = await self._ready(statement, in_block=self._in_block)
        await self._supply(worker, plan)
        try:
            async with self.own.accounted(worker, plan, "described"):
                return await worker.describe(plan.sql, type_oids, arrow=arrow)
        except FairleadError as failure:
            await self._tables.blame(worker, statement, failure)
            raise

    def spool(self) -> Spool:
        """Return a place for rows that are not wanted yet, as large as what a statement may spill."""
        folder = self.own.present.folder if self.own.present is not None else None
        return Spool(None if folder is None else folder.files, self._house.settings.worker.spill_limit_mb)

    def refuse_after_writes(self) -> None:
        """Refuse a change of the catalog in a block that has already written.

        Raises:
            ActiveTransaction: it has.
        """
        if self.writes:
            message = "views, grants and connections cannot be changed in a transaction block that has already written"
            raise ActiveTransaction(message, hint="COMMIT first")

    async def end_block(self, *, commit: bool) -> None:
        """End the worker's part of a transaction block."""
        in_block, self._in_block, self.writes = self._in_block, False, 0
        deleted, self._deleted = self._deleted, False
        self.catalogs.end_block(commit=commit)
        if not in_block or self.own.present is None:
            return
        if not commit:
            await self._roll_back()
            return
        worker = self.own.present
        if not worker.worker.alive:
            raise WorkerLost(_LOST_IN_BLOCK)
        key_id = worker.door_key.key_id
        self._house.egress.statement_begin(key_id)  # the rows of a lake on a store are read through it
        try:
            await self.own.quietly("COMMIT")
            await self._tables.settle(worker, truncates=not deleted)
        finally:
            await self.own.account(key_id, "commit")

    @property
    def in_block(self) -> bool:
        """Whether the worker is inside of a transaction."""
        return self._in_block

    async def undo_block(self) -> None:
        """Undo all of the transaction block, which goes on with the same copies of tables.

        Raises:
            WorkerLost: its process is gone.
        """
        if not self._in_block or self.own.present is None:
            return
        if not self.own.present.worker.alive:
            raise WorkerLost(_LOST_IN_BLOCK)
        self.writes, self._deleted = 0, False
        self.catalogs.end_block(commit=False)
        self._tables.along = frozenset()
        await self._roll_back()
        await self.own.quietly("BEGIN TRANSACTION")

    async def _roll_back(self) -> None:
        self.own.forgets()
        self._definers.undone()
        await self.own.quietly("ROLLBACK")

    async def cancel(self) -> None:
        """End the statement that runs."""
        await self._definers.cancel()
        if self.own.present is not None:
            await self.own.present.cancel()

    async def close(self) -> None:
        """End the worker and shut its door; temporary objects are gone, and the next statement gets another one."""
        self._tables.forget()
        self.catalogs.forget()
        await self._definers.close()
        await self.own.close()

    def _as_owner(self, owner: Principal, database: str, schema: str) -> DataRunner:
        """Return what runs statements as another user, for views of theirs."""

        def there() -> Context:
            return replace(self._context(), principal=owner_now(), database=database, schema=schema, search_path=())

        def owner_now() -> Principal:
            return self._house.access.principal(owner.user_name)

        return DataRunner(self._house, self._engine, self._planner, owner_now, there, self._depth + 1)

    async def _supply(self, worker: EngineSession, plan: Plan) -> None:
        """Give the worker what a statement names of PostgreSQL's catalogs."""
        await self.catalogs.supply(worker, plan.catalogs, in_block=self._in_block, wrote=self.writes > 0)

    async def _exact(
        self, worker: EngineSession, statement: ast.DataStatement, parameters: Sequence[Parameter]
    ) -> Plan | None:
        """Return the plan of a CREATE TABLE ... AS that keeps every digit, where another one is needed for that."""
        key_id = worker.door_key.key_id
        self._house.egress.statement_begin(key_id)
        try:
            return await exact_plan(worker, self._planner, statement, self._context(), self._book, parameters)
        finally:
            await self.own.account(key_id, "described")

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
        worker = self.own.present
        if worker is None:
            worker = await self.own.open()
            self._in_block = False
        if self._in_block and not worker.worker.alive:
            self._in_block = False
            raise WorkerLost(_LOST_IN_BLOCK)
        begins = in_block and not self._in_block
        prepared = self._tables.prepare(worker, statement, begins=begins, inside=self._in_block)
        await self._recorded(prepared, statement)
        await self.own.introduce(worker)
        if in_block and not self._in_block:
            await self.own.quietly("BEGIN TRANSACTION")
            self._in_block = True
        return worker

    def _note_loss(self, failure: FairleadError) -> None:
        """A lost worker takes its transaction with it; an operator should know of it."""
        if isinstance(failure, WorkerLost):
            self._in_block = False
            context = self._context()
            _log.warning("a worker was lost", user=context.principal.user_name, statement=context.statement_id)


def _hand_over(made: Path, into: Path) -> None:
    made.chmod(0o444)
    made.rename(into)
