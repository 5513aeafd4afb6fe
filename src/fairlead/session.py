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
from fairlead.commands.copying import Copying
from fairlead.commands.data import DataRunner
from fairlead.commands.ingesting import Ingesting
from fairlead.commands.observing import observed
from fairlead.commands.outputs import outputs_of, text_columns
from fairlead.context import Context, Principal
from fairlead.dialects import names
from fairlead.dialects import settings as session_settings
from fairlead.engine.api import TEXT, Column, Encoding, Parameter
from fairlead.errors import (
    DuplicateObject,
    FairleadError,
    InFailedTransaction,
    PermissionDenied,
    SqlSyntaxError,
    UndefinedObject,
    UndefinedPortal,
    UndefinedStatement,
)
from fairlead.lang import ast, parse
from fairlead.session_types import Complete, CopyIn, EmptyStatement, Notice, Output, ResultColumns, ResultValues

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Sequence

    from fairlead.commands.house import House
    from fairlead.commands.ingesting import Place, Target
    from fairlead.engine.api import Described
    from fairlead.engine.engine import Engine
    from fairlead.engine.planner import Planner

_T = TypeVar("_T")

_LONG_TEXT = 16_384  # characters
_AT_ONCE = "takes effect at once; ROLLBACK does not undo it"


@dataclass(slots=True)
class _Prepared:
    statement: ast.Statement | None
    type_oids: tuple[int, ...]


@dataclass(slots=True)
class _Portal:
    prepared: _Prepared
    parameters: Sequence[Parameter]
    encoding: Encoding = TEXT
    outputs: AsyncGenerator[Output, None] | None = None
    columns: tuple[Column, ...] | None = None
    described: bool = False
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
        self.transaction_status: Literal["I", "T", "E"] = "I"
        self._house = house
        self._user = user
        self._user_id = house.access.principal(user).user_id
        self._database = database
        self._client = client
        self._count = 0
        self._settings = session_settings.SessionSettings(application_name=application)
        self._prepared: dict[str, _Prepared] = {}
        self._portals: dict[str, _Portal] = {}
        self._running: _Portal | None = None
        self._data = DataRunner(house, engine, planner, self.principal, self.context)
        self._copying = Copying(self._data, house.settings.worker.spill_limit_mb)
        self._ingesting = Ingesting(self._data, house.settings.worker.spill_limit_mb)

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
        return Context(
            session_id=self.id,
            statement_id=f"{self.id}-{self._count}",
            principal=self.principal(),
            database=self._database,
            dialect=self._settings.dialect,
            application=self._settings.application_name,
            client=self._client,
            validate_connections=self._settings.validate_connections,
        )

    @property
    def database(self) -> str:
        """The current database."""
        return self._database

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
            self._fail()
            raise
        if not statements:
            yield EmptyStatement()
        for statement in statements:
            await self._settle()
            async for output in self._run(statement, (), encoding):
                yield output

    # --- extended query ----------------------------------------------------------------------------------------------

    async def prepare(self, name: str, text: str, type_oids: Sequence[int]) -> None:
        """Parse one statement under a name; the empty name is overwritten at will."""
        try:
            statements = await self._parsed(text)
        except FairleadError:
            self._fail()
            raise
        if len(statements) > 1:
            message = "cannot insert multiple commands into a prepared statement"
            raise SqlSyntaxError(message)
        if name and name in self._prepared:
            message = f'prepared statement "{name}" already exists'
            raise DuplicateObject(message, hint="DEALLOCATE it first")
        self._prepared[name] = _Prepared(statements[0] if statements else None, tuple(type_oids))

    async def describe_statement(self, name: str) -> tuple[tuple[int, ...], tuple[Column, ...] | None]:
        """Return the types of the parameters and the columns of the result, None where there are none."""
        prepared = self._statement(name)
        statement = prepared.statement
        if isinstance(statement, ast.DataStatement | ast.Export):
            await self._settle()  # the worker does one thing at a time
        if isinstance(statement, ast.DataStatement):
            described = await self._guarded(self._data.describe(statement, prepared.type_oids))
            return described.parameters, described.columns or None
        if isinstance(statement, ast.Export):
            described = await self._guarded(self._data.describe(statement.query, prepared.type_oids))
            return described.parameters, None
        return (), await self._command_columns(statement)

    async def describe_arrow(self, text: str) -> Described | None:
        """Describe one statement with the Arrow types of its rows; an error leaves a transaction block as it is.

        Returns:
            None where the text is no data statement: its rows, if it has any, are texts.
        """
        statements = await self._parsed(text)
        if len(statements) != 1 or not isinstance(statements[0], ast.DataStatement):
            return None
        await self._settle()
        return await self._data.describe(statements[0], (), arrow=True)

    async def bind(
        self, portal: str, statement: str, parameters: Sequence[Parameter], encoding: Encoding = TEXT
    ) -> None:
        """Give a prepared statement its parameters, and say how its rows are wanted."""
        prepared = self._statement(statement)
        await self.close_portal(portal)
        self._portals[portal] = _Portal(prepared, parameters, encoding)

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
        self._prepared.pop(name, None)

    async def close_portal(self, name: str) -> None:
        """Forget a portal and end what it runs; an unknown name is no error."""
        entry = self._portals.pop(name, None)
        if entry is not None and entry.outputs is not None:
            await entry.outputs.aclose()
            if self._running is entry:
                self._running = None

    async def sync(self) -> None:
        """End a batch of the extended protocol: outside a transaction block portals end with it."""
        if self.transaction_status == "I":
            for name in list(self._portals):
                await self.close_portal(name)

    # --- bulk load ---------------------------------------------------------------------------------------------------

    async def place_rows(self, target: Target) -> Place:
        """Return where the rows of a bulk load are to be put, as one Parquet file, before ``load_rows``."""
        await self._settle()
        return await self._guarded(self._ingesting.place(target, in_block=self.transaction_status == "T"))

    async def load_rows(self, target: Target, place: Place) -> AsyncIterator[Output]:
        """Load the rows that were put there."""
        await self._settle()
        self._count += 1
        in_block, time_limit = self.transaction_status == "T", self._settings.statement_timeout
        try:
            self._refuse_after_failure()
            async with aclosing(
                self._ingesting.run(target, place, in_block=in_block, time_limit=time_limit)
            ) as outputs:
                async for output in outputs:
                    yield output
        except FairleadError:
            self._fail()
            raise

    # --- end ---------------------------------------------------------------------------------------------------------

    async def cancel(self) -> None:
        """End the statement that runs, if one does."""
        self._copying.cancel()
        await self._data.cancel()

    async def close(self) -> None:
        """End the session and its worker."""
        for name in list(self._portals):
            await self.close_portal(name)
        await self._data.close()

    # --- one statement -----------------------------------------------------------------------------------------------

    def _run(
        self, statement: ast.Statement, parameters: Sequence[Parameter], encoding: Encoding
    ) -> AsyncGenerator[Output, None]:
        self._count += 1
        outputs = self._outputs_of(statement, parameters, encoding)
        return observed(self._house.observer, self.context(), statement, outputs)

    async def _outputs_of(
        self, statement: ast.Statement, parameters: Sequence[Parameter], encoding: Encoding
    ) -> AsyncGenerator[Output, None]:
        try:
            if not isinstance(statement, ast.Transaction):
                self._refuse_after_failure()
            if isinstance(statement, ast.DropObjects):
                statement = views.for_engine(statement, self._house, self.context()) or statement
            if isinstance(statement, ast.DataStatement | ast.CopyFromStdin | ast.Export):
                async with aclosing(self._running_data(statement, parameters, encoding)) as outputs:
                    async for output in outputs:
                        yield output
                return
            for output in await self._command(statement):
                yield output
        except FairleadError:
            self._fail()
            raise

    def _running_data(
        self,
        statement: ast.DataStatement | ast.CopyFromStdin | ast.Export,
        parameters: Sequence[Parameter],
        encoding: Encoding,
    ) -> AsyncGenerator[Output, None]:
        in_block, time_limit = self.transaction_status == "T", self._settings.statement_timeout
        if isinstance(statement, ast.CopyFromStdin):
            return self._copying.run(statement, in_block=in_block, time_limit=time_limit)
        if isinstance(statement, ast.Export):
            return self._data.export(statement, parameters, in_block=in_block, time_limit=time_limit)
        return self._data.run(statement, parameters, in_block=in_block, time_limit=time_limit, encoding=encoding)

    async def _command(self, statement: ast.Statement) -> list[Output]:
        match statement:
            case ast.Transaction():
                return await self._transaction(statement)
            case ast.SetVariable() | ast.ResetVariable() | ast.ShowVariable():
                return await self._setting(statement)
            case ast.Use():
                return self._use(statement)
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
        return [*outputs, *outputs_of(result)]

    async def _transaction(self, statement: ast.Transaction) -> list[Output]:
        if statement.action == "begin":
            if self.transaction_status != "I":
                return [Notice("WARNING", "there is already a transaction in progress", "25001"), Complete("BEGIN")]
            self.transaction_status = "T"
            self._settings.begin()
            return [Complete("BEGIN")]
        failed = self.transaction_status == "E"
        if self.transaction_status == "I":
            tag = "COMMIT" if statement.action == "commit" else "ROLLBACK"
            return [Notice("WARNING", "there is no transaction in progress", "25P01"), Complete(tag)]
        self.transaction_status = "I"
        commit = statement.action == "commit" and not failed
        try:
            await self._data.end_block(commit=commit)
        except FairleadError:
            self._settings.end(commit=False)
            raise
        self._settings.end(commit=commit)
        await self._data.set_time_zone(self._settings.time_zone)
        return [Complete("COMMIT" if commit else "ROLLBACK")]

    async def _setting(self, statement: ast.SetVariable | ast.ResetVariable | ast.ShowVariable) -> list[Output]:
        if isinstance(statement, ast.ShowVariable):
            columns, rows = self._settings.show(statement.name)
            return [ResultColumns(text_columns(columns)), ResultValues(rows), Complete("SHOW")]
        if isinstance(statement, ast.SetVariable):
            notice = self._settings.set(statement.name, statement.value, local=statement.scope == "local")
            tag = "SET"
        else:
            notice = self._settings.reset(statement.name)
            tag = "RESET"
        await self._data.set_time_zone(self._settings.time_zone)
        return [*([Notice("WARNING", notice)] if notice else []), Complete(tag)]

    def _use(self, statement: ast.Use) -> list[Output]:
        with self._house.catalog.read() as snapshot:
            self._database = names.database(snapshot, statement.database).name
        return [Complete("USE")]

    async def _discard(self, statement: ast.Discard) -> list[Output]:
        if statement.what in ("ALL", "TEMP", "PLANS", "SEQUENCES"):
            if statement.what == "ALL":
                self._prepared.clear()
                self._settings.reset(None)
            if statement.what in ("ALL", "TEMP"):
                await self._data.restart()
            return [Complete(f"DISCARD {statement.what}")]
        name = statement.what.removeprefix("statement:")
        if statement.what == "statements":
            self._prepared.clear()
        elif self._prepared.pop(name, None) is None:
            message = f'prepared statement "{name}" does not exist'
            raise UndefinedStatement(message)
        return [Complete("DEALLOCATE")]

    # --- portals -----------------------------------------------------------------------------------------------------

    async def _start(self, entry: _Portal) -> None:
        """Start a portal and keep what comes before its first rows."""
        if entry.prepared.statement is None:
            return
        await self._settle()
        entry.outputs = self._run(entry.prepared.statement, entry.parameters, entry.encoding)
        self._running = entry
        if isinstance(entry.prepared.statement, ast.Export):
            return  # it has no columns, and its notices are not to wait for its end
        async for output in entry.outputs:
            if isinstance(output, ResultColumns):
                entry.columns = output.columns
                return
            entry.held.append(output)
            if isinstance(output, Complete | CopyIn):
                return

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
        if statement is None or isinstance(statement, ast.Transaction):
            return None
        if isinstance(statement, ast.ShowVariable):
            return text_columns(self._settings.show(statement.name)[0])
        known = dispatch.COLUMNS.get(type(statement))
        if known is not None:
            return text_columns(known)
        if type(statement) in dispatch.SHOWS:
            result = await self._guarded(asyncio.to_thread(dispatch.run, statement, self._house, self.context()))
            return text_columns(result.columns)
        return None

    def _statement(self, name: str) -> _Prepared:
        if name not in self._prepared:
            message = f'prepared statement "{name}" does not exist'
            raise UndefinedStatement(message)
        return self._prepared[name]

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

    def _refuse_after_failure(self) -> None:
        if self.transaction_status == "E":
            message = "current transaction is aborted, commands ignored until end of transaction block"
            raise InFailedTransaction(message)

    def _fail(self) -> None:
        if self.transaction_status == "T":
            self.transaction_status = "E"

    async def _guarded(self, work: Awaitable[_T]) -> _T:
        """Await some work; an error of it fails the transaction."""
        try:
            return await work
        except FairleadError:
            self._fail()
            raise
