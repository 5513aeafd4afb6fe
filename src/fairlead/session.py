"""One client: its settings, prepared statements, portals and transaction state.

A session runs scripts and prepared statements. Statements about secrets, connections, stages and people are commands
and run in the gateway; every other statement is planned and runs in the session's own worker, which is taken from the
pool when it is first needed. The session knows nothing of protocol bytes.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar

from fairlead.commands import dispatch, views
from fairlead.commands.copy_out import copy_out
from fairlead.commands.copying import Copying
from fairlead.commands.data import DataRunner
from fairlead.context import Context, Principal, SessionFacts
from fairlead.engine.api import TEXT, Column, Encoding, Parameter
from fairlead.errors import (
    FairleadError,
    PermissionDenied,
    SqlSyntaxError,
    UndefinedObject,
    UndefinedPortal,
)
from fairlead.lang import ast, parse
from fairlead.session_blocks import Block
from fairlead.session_cursors import Cursors
from fairlead.session_statements import Prepared, PreparedStatements
from fairlead.session_types import (
    Complete,
    CopyIn,
    EmptyStatement,
    Notice,
    Output,
    ResultColumns,
    ResultValues,
)
from fairlead.session_values import Values, parameters_of, text_columns

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Sequence

    from fairlead.commands.house import House, Result
    from fairlead.engine.engine import Engine
    from fairlead.engine.planner import Planner
    from fairlead.session_cursors import CursorPortal

_T = TypeVar("_T")

_LONG_TEXT = 16_384  # characters
_AT_ONCE = "takes effect at once; ROLLBACK does not undo it"


_Data = ast.DataStatement | ast.CopyFromStdin | ast.CopyToStdout | ast.Export | ast.Fetch


@dataclass(slots=True)
class _Portal:
    prepared: Prepared
    parameters: Sequence[Parameter]
    encoding: Encoding = TEXT
    outputs: AsyncGenerator[Output, None] | None = None
    columns: tuple[Column, ...] | None = None
    described: bool = False
    hold: bool = False  # outlives its transaction
    held: list[Output] = field(default_factory=list)


class Session:
    """One client session.

    Args:
        house: the gateway's rooms.
        engine: gives the worker.
        planner: plans data statements.
        user: name of the user, who is authenticated.
        database: current database at the start.
        application: ``application_name`` of the client.
        client: address of the client, for the ledger.
    """

    def __init__(
        self,
        house: House,
        engine: Engine,
        planner: Planner,
        *,
        user: str,
        database: str,
        application: str = "",
        client: str = "",
    ) -> None:
        self.id = secrets.token_hex(8)
        self.process_id = 0  # by which clients cancel; whoever gives it out sets it
        self._house = house
        self._user = user
        self._user_id = house.access.principal(user).user_id
        self._client = client
        self._count = 0
        self._values = Values(house, database, application)
        self._settings = self._values.settings
        self._prepared = PreparedStatements()
        self._portals: dict[str, _Portal] = {}
        self._running: _Portal | None = None
        self._cursors = Cursors(self._open_cursor, self._next_of, self.close_portal)
        self._data = DataRunner(house, engine, planner, self.principal, self.context)
        self._block = Block(self._data, self._settings)
        self._copying = Copying(self._data, house.settings.worker.spill_limit_mb)

    # --- who and where -----------------------------------------------------------------------------------------------

    def principal(self) -> Principal:
        """Return the user with the roles in force now.

        Raises:
            PermissionDenied: the user was dropped.
        """
        try:
            found = self._house.access.principal(self._user)
        except UndefinedObject:
            found = None
        if found is None or found.user_id != self._user_id:  # a new user of the same name is somebody else
            message = f'role "{self._user}" no longer exists'
            raise PermissionDenied(message)
        return found

    def context(self) -> Context:
        """Return the context of the statement that runs now."""
        path = self._values.search_path
        return Context(
            session_id=self.id,
            statement_id=f"{self.id}-{self._count}",
            principal=self.principal(),
            database=self._values.database,
            dialect=self._settings.dialect,
            application=self._settings.application_name,
            client=self._client,
            validate_connections=self._settings.validate_connections,
            schema=path[0],
            search_path=path,
            facts=SessionFacts(self._user, self._values.database, path, self.process_id, self._client, self._settings),
        )

    @property
    def user(self) -> str:
        """Name of the user, as it is stored."""
        return self._user

    @property
    def transaction_status(self) -> Literal["I", "T", "E"]:
        """Idle, in a transaction block, or in one that has failed."""
        return self._block.status

    @property
    def patience(self) -> float:
        """Seconds that the session may wait for its client; 0 = for ever."""
        idle = self.transaction_status == "I"
        return self._settings.idle_timeout if idle else self._settings.idle_in_transaction_timeout

    def pending_parameter_status(self) -> dict[str, str]:
        """Return settings that changed since the last call and that clients follow."""
        return self._settings.take_reports()

    def configure(self, name: str, value: str) -> None:
        """Set a setting from the connection string, before the first statement."""
        self._settings.set(name, value)
        self._data.time_zone = self._settings.time_zone

    # --- simple query ------------------------------------------------------------------------------------------------

    async def run_script(self, text: str, encoding: Encoding = TEXT) -> AsyncIterator[Output]:
        """Run every statement of a script in turn; the first error ends it."""
        try:
            statements = await self._parsed(text)
        except FairleadError:
            self._block.fail()
            raise
        if not statements:
            yield EmptyStatement()
        committed = False
        try:
            for number, statement in enumerate(statements, start=1):
                last = number == len(statements)
                async with aclosing(self._of_script(statement, encoding, last=last)) as outputs:
                    async for output in outputs:
                        yield output
            committed = True
        finally:
            if not committed:
                await self._block.leave(commit=False)

    async def _of_script(
        self, statement: ast.Statement, encoding: Encoding, *, last: bool
    ) -> AsyncGenerator[Output, None]:
        """Run one statement of a script; what ends the last one is given when all of them are committed."""
        if not isinstance(statement, ast.Fetch):
            await self._settle()
        statement, parameters = self._prepared.resolved(statement)
        if self.transaction_status != "E":
            await self._block.enter(statement, last=last)
        ending: list[Output] = []
        async with aclosing(self._run(statement, parameters, encoding)) as outputs:
            async for output in outputs:
                if last and isinstance(output, Complete):
                    ending.append(output)
                else:
                    yield output
        if last:
            await self._block.leave(commit=True)
        for output in ending:
            yield output

    # --- extended query ----------------------------------------------------------------------------------------------

    async def prepare(self, name: str, text: str, type_oids: Sequence[int]) -> None:
        """Parse one statement under a name; the empty name is overwritten at will."""
        try:
            statements = await self._parsed(text)
        except FairleadError:
            self._block.fail()
            raise
        if len(statements) > 1:
            message = "cannot insert multiple commands into a prepared statement"
            raise SqlSyntaxError(message)
        self._prepared.keep(name, statements[0] if statements else None, type_oids)

    async def describe_statement(self, name: str) -> tuple[tuple[int, ...], tuple[Column, ...] | None]:
        """Return the types of the parameters and the columns of the result, None where there are none."""
        prepared = self._prepared.find(name)
        statement = prepared.statement
        if isinstance(statement, ast.DataStatement):
            described = await self._guarded(self._data.describe(statement, prepared.type_oids))
            return () if prepared.values else described.parameters, described.columns or None
        if isinstance(statement, ast.Export | ast.DeclareCursor):
            described = await self._guarded(self._data.describe(statement.query, prepared.type_oids))
            return described.parameters, None
        types = parameters_of(statement) if isinstance(statement, ast.SetConfig) else ()
        return types, await self._command_columns(statement)

    async def bind(
        self, portal: str, statement: str, parameters: Sequence[Parameter], encoding: Encoding = TEXT
    ) -> None:
        """Give a prepared statement its parameters, and say how its rows are wanted."""
        prepared = self._prepared.find(statement)
        await self.close_portal(portal)
        self._portals[portal] = _Portal(prepared, prepared.values or parameters, encoding)

    async def describe_portal(self, portal: str) -> tuple[Column, ...] | None:
        """Return the columns of a portal; a data statement is started for that."""
        entry = self._portal(portal)
        if not entry.described:
            entry.described = True
            statement = entry.prepared.statement
            if isinstance(statement, ast.DataStatement):
                await self._start(entry)
            else:
                entry.columns = await self._command_columns(statement)
        return entry.columns

    async def execute(self, portal: str) -> AsyncIterator[Output]:
        """Give what is left of a portal, without its columns."""
        entry = self._portal(portal)
        if entry.outputs is None and entry.prepared.statement is None:
            yield EmptyStatement()
            return
        if entry.outputs is None:
            await self._start(entry)
        while entry.held:
            yield entry.held.pop(0)
        if entry.outputs is None:
            return
        async for output in entry.outputs:
            if not isinstance(output, ResultColumns):
                yield output
        if self._running is entry:
            self._running = None

    async def close_statement(self, name: str) -> None:
        """Forget a prepared statement; an unknown name is no error."""
        self._prepared.forget(name)

    async def close_portal(self, name: str) -> None:
        """Forget a portal and end what it runs; an unknown name is no error."""
        entry = self._portals.pop(name, None)
        self._cursors.forget(name)
        if entry is not None and entry.outputs is not None:
            await entry.outputs.aclose()
            if self._running is entry:
                self._running = None

    async def sync(self) -> None:
        """End a batch of the extended protocol: outside a transaction block portals end with it."""
        if self.transaction_status == "I":
            await self._close_portals(keep_held=True)

    # --- end ---------------------------------------------------------------------------------------------------------

    async def cancel(self) -> None:
        """End the statement that runs, if one does."""
        self._copying.cancel()
        await self._data.cancel()

    async def close(self) -> None:
        """End the session and its worker."""
        await self._close_portals(keep_held=False)
        await self._data.close()

    # --- one statement -----------------------------------------------------------------------------------------------

    async def _run(
        self, statement: ast.Statement, parameters: Sequence[Parameter], encoding: Encoding
    ) -> AsyncGenerator[Output, None]:
        self._count += 1
        try:
            self._block.check(statement)
            if isinstance(statement, ast.DropObjects):
                statement = views.for_engine(statement, self._house, self.context()) or statement
            if isinstance(statement, _Data):
                async with aclosing(self._running_data(statement, parameters, encoding)) as outputs:
                    async for output in outputs:
                        if not isinstance(output, Notice) or self._settings.wants(output.severity):
                            yield output
                return
            for output in await self._command(statement, parameters):
                if not isinstance(output, Notice) or self._settings.wants(output.severity):
                    yield output
        except FairleadError:
            self._block.fail()
            raise

    def _running_data(
        self,
        statement: _Data,
        parameters: Sequence[Parameter],
        encoding: Encoding,
    ) -> AsyncGenerator[Output, None]:
        in_block, time_limit = self.transaction_status == "T", self._settings.statement_timeout
        if isinstance(statement, ast.Fetch):
            return self._cursors.fetch(statement, encoding)
        if isinstance(statement, ast.CopyFromStdin):
            return self._copying.run(statement, in_block=in_block, time_limit=time_limit)
        if isinstance(statement, ast.CopyToStdout):
            return copy_out(self._data, statement, in_block=in_block, time_limit=time_limit)
        if isinstance(statement, ast.Export):
            return self._data.export(statement, parameters, in_block=in_block, time_limit=time_limit)
        return self._data.run(statement, parameters, in_block=in_block, time_limit=time_limit, encoding=encoding)

    async def _command(self, statement: ast.Statement, parameters: Sequence[Parameter]) -> list[Output]:  # noqa: PLR0911  # a table of statements
        match statement:
            case ast.Transaction() | ast.Savepoint() | ast.SetTransaction():
                outputs = await self._block.run(statement)
                if self.transaction_status == "I":
                    await self._close_portals(keep_held=True)
                return outputs
            case ast.SetVariable() | ast.ResetVariable() | ast.ShowVariable() | ast.SetConfig() | ast.Use():
                outputs = self._values.run(statement, parameters)
                await self._data.set_time_zone(self._settings.time_zone)
                return outputs
            case ast.Prepare() | ast.Discard() if outputs := self._prepared.run(statement):
                return outputs
            case ast.DeclareCursor():
                await self._cursors.declare(statement, parameters, in_block=self.transaction_status == "T")
                return [Complete("DECLARE CURSOR")]
            case ast.CloseCursor():
                return await self._cursors.close(statement)
            case ast.Discard():
                return await self._discard(statement)
            case _:
                return await self._catalog_command(statement)

    async def _catalog_command(self, statement: ast.Statement) -> list[Output]:
        outputs: list[Output] = []
        if type(statement) in dispatch.CHANGES and self.transaction_status == "T":
            self._data.refuse_after_writes()
            outputs.append(Notice("NOTICE", f"{dispatch.words(statement)} {_AT_ONCE}"))
        result = await asyncio.to_thread(dispatch.run, statement, self._house, self.context())
        return [*outputs, *_outputs(result)]

    async def _discard(self, statement: ast.Discard) -> list[Output]:
        if statement.what == "ALL":
            self._prepared.clear()
            self._settings.reset(None)
            await self._close_portals(keep_held=False)
        if statement.what in ("ALL", "TEMP"):
            await self._data.close()
        return [Complete(f"DISCARD {statement.what}")]

    # --- portals -----------------------------------------------------------------------------------------------------

    async def _start(self, entry: _Portal) -> None:
        """Start a portal and keep what comes before its first rows."""
        if entry.prepared.statement is None:
            return
        takes_worker = isinstance(entry.prepared.statement, _Data) and not isinstance(
            entry.prepared.statement, ast.Fetch
        )
        if takes_worker:
            await self._settle()
        entry.outputs = self._run(entry.prepared.statement, entry.parameters, entry.encoding)
        if takes_worker:
            self._running = entry
        if isinstance(entry.prepared.statement, ast.Export | ast.CopyToStdout):
            return  # it has no columns, and its notices are not to wait for its end
        async for output in entry.outputs:
            if isinstance(output, ResultColumns):
                entry.columns = output.columns
                return
            entry.held.append(output)
            if isinstance(output, Complete | CopyIn):
                return

    async def _open_cursor(
        self,
        name: str,
        query: ast.DataStatement,
        parameters: Sequence[Parameter],
        encoding: Encoding,
        *,
        hold: bool,
    ) -> _Portal:
        """Make a portal of a cursor, and start it; one of the same name is closed."""
        await self.close_portal(name)
        entry = _Portal(Prepared(query, ()), parameters, encoding, described=True, hold=hold)
        await self._start(entry)
        self._portals[name] = entry
        return entry

    async def _next_of(self, entry: CursorPortal) -> Output | None:
        """Return what a portal gives next, None at its end."""
        if self._running is not entry:
            await self._settle()
        if entry.held:
            return entry.held.pop(0)
        output = await anext(entry.outputs, None) if entry.outputs is not None else None
        if output is None and self._running is entry:
            self._running = None
        return output

    async def _close_portals(self, *, keep_held: bool) -> None:
        for name, entry in [*self._portals.items()]:
            runs = getattr(entry.outputs, "ag_running", False)  # the COMMIT that closes the others
            if not runs and not (keep_held and entry.hold):
                await self.close_portal(name)

    async def _settle(self) -> None:
        """Read a suspended portal to its end before the next statement takes the worker."""
        entry, self._running = self._running, None
        if entry is None or entry.outputs is None:
            return
        async for output in entry.outputs:
            if not isinstance(output, ResultColumns):
                entry.held.append(output)

    async def _command_columns(self, statement: ast.Statement | None) -> tuple[Column, ...] | None:
        """Return the columns of a command: one that only shows is run for that, others give none."""
        if statement is None:
            return None
        if isinstance(statement, ast.ShowVariable | ast.SetConfig):
            return self._values.columns(statement)
        if isinstance(statement, ast.Fetch):
            return None if statement.move else self._cursors.find(statement.name).columns
        if (known := dispatch.COLUMNS.get(type(statement))) is not None:
            return text_columns(known)
        if type(statement) in dispatch.SHOWS:
            result = await self._guarded(asyncio.to_thread(dispatch.run, statement, self._house, self.context()))
            return text_columns(result.columns)
        return None

    def _portal(self, name: str) -> _Portal:
        if name not in self._portals:
            message = f'portal "{name}" does not exist'
            raise UndefinedPortal(message)
        return self._portals[name]

    async def _parsed(self, text: str) -> list[ast.Statement]:
        """Return the statements of a text; a long one is read beside the event loop, so that nobody waits for it."""
        if len(text) > _LONG_TEXT:
            return await asyncio.to_thread(parse, text, self._settings.dialect)
        return parse(text, self._settings.dialect)

    async def _guarded(self, work: Awaitable[_T]) -> _T:
        """Await some work; an error of it fails the transaction."""
        try:
            return await work
        except FairleadError:
            self._block.fail()
            raise


def _outputs(result: Result) -> list[Output]:
    outputs: list[Output] = list(result.notices)
    if result.columns:
        outputs += [ResultColumns(text_columns(result.columns)), ResultValues(result.rows)]
    return [*outputs, Complete(result.tag)]
