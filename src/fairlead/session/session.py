"""One client: its settings, prepared statements, portals and transaction state.

A session runs scripts and prepared statements. Statements about secrets, connections, stages and people are commands
and run in the gateway; every other statement is planned and runs in the session's own worker, which is taken from the
pool when it is first needed. The session knows nothing of protocol bytes.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import aclosing
from typing import TYPE_CHECKING, Literal, TypeVar

from fairlead.commands import binding, dispatch, views
from fairlead.commands.copy_out import copy_out
from fairlead.commands.copying import Copying
from fairlead.commands.data import DataRunner
from fairlead.commands.ingesting import Ingesting
from fairlead.commands.introspection.base import Activity
from fairlead.commands.observing import observed
from fairlead.commands.outputs import outputs_of, text_columns
from fairlead.context import Context, Principal, SessionFacts
from fairlead.engine.api import TEXT, Column, Encoding, Parameter
from fairlead.errors import (
    FairleadError,
    PermissionDenied,
    SqlSyntaxError,
    UndefinedObject,
)
from fairlead.lang import ast, parse
from fairlead.session.blocks import Block
from fairlead.session.cursors import Cursors
from fairlead.session.portals import Portal, Portals
from fairlead.session.statements import PreparedStatements
from fairlead.session.values import Values, parameters_of
from fairlead.session_types import (
    Complete,
    EmptyStatement,
    Notice,
    Output,
)

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


_Data = ast.DataStatement | ast.CopyFromStdin | ast.CopyToStdout | ast.Export | ast.Fetch


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
        self._started = house.clock.now().isoformat()
        self._values = Values(house, database, application)
        self._settings = self._values.settings
        self._prepared = PreparedStatements()
        self._data = DataRunner(house, engine, planner, self.principal, self.context)
        self._block = Block(self._data, self._settings)
        self._data.catalogs.settings = self._settings
        self._portals = Portals(self._run_portal, self._data.spool)
        self._cursors = Cursors(self._portals)
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

    @property
    def database(self) -> str:
        """The current database."""
        return self._values.database

    def activity(self) -> Activity:
        """Tell of the session to those who may know of it."""
        return Activity(
            *(self.process_id, self.id, self._user, self.database, self._settings.application_name, self._client),
            self._started,
        )

    def pending_parameter_status(self) -> dict[str, str]:
        """Return settings that changed since the last call and that clients follow."""
        return self._settings.take_reports()

    def configure(self, name: str, value: str) -> None:
        """Set a setting from the connection string, before the first statement."""
        self._settings.set(name, value)
        self._data.own.time_zone = self._settings.time_zone

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
            await self._portals.settle()
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
        await self._portals.settle()  # the worker does one thing at a time
        if isinstance(statement, ast.DataStatement):
            described = await self._guarded(self._data.describe(statement, prepared.type_oids))
            return () if prepared.values else described.parameters, described.columns or None
        if isinstance(statement, ast.Export | ast.DeclareCursor):
            described = await self._guarded(self._data.describe(statement.query, prepared.type_oids))
            return described.parameters, None
        types = parameters_of(statement) if isinstance(statement, ast.SetConfig) else ()
        return types, await self._command_columns(statement)

    async def describe_arrow(self, text: str) -> Described | None:
        """Describe one statement with the Arrow types of its rows; an error leaves a transaction block as it is.

        Returns:
            None where the text is no data statement: its rows, if it has any, are texts.
        """
        statements = await self._parsed(text)
        if len(statements) != 1 or not isinstance(statements[0], ast.DataStatement):
            return None
        await self._portals.settle()
        return await self._data.describe(statements[0], (), arrow=True)

    async def bind(
        self, portal: str, statement: str, parameters: Sequence[Parameter], encoding: Encoding = TEXT
    ) -> None:
        """Give a prepared statement its parameters, and say how its rows are wanted."""
        prepared = self._prepared.find(statement)
        await self._portals.close(portal)
        self._portals.add(portal, Portal(prepared, prepared.values or parameters, encoding))

    async def describe_portal(self, portal: str) -> tuple[Column, ...] | None:
        """Return the columns of a portal; a data statement is started for that."""
        entry = self._portals.find(portal)
        if not entry.described:
            entry.described = True
            statement = entry.prepared.statement
            if isinstance(statement, ast.DataStatement):
                await self._portals.start(entry)
            else:
                entry.columns = await self._command_columns(statement)
        return entry.columns

    async def execute(self, portal: str) -> AsyncIterator[Output]:
        """Give what is left of a portal, without its columns."""
        entry = self._portals.find(portal)
        if entry.outputs is None and entry.prepared.statement is None:
            yield EmptyStatement()
            return
        if entry.outputs is None:
            await self._portals.start(entry)
        while (output := await self._guarded(self._portals.next_of(entry))) is not None:
            yield output

    async def close_statement(self, name: str) -> None:
        """Forget a prepared statement; an unknown name is no error."""
        self._prepared.forget(name)

    async def close_portal(self, name: str) -> None:
        """Forget a portal and end what it runs; an unknown name is no error."""
        await self._portals.close(name)

    async def sync(self) -> None:
        """End a batch of the extended protocol: outside a transaction block portals end with it."""
        if self.transaction_status == "I":
            await self._portals.close_all(keep_held=True)

    # --- bulk load ---------------------------------------------------------------------------------------------------

    async def place_rows(self, target: Target) -> Place:
        """Return where the rows of a bulk load are to be put, as one Parquet file, before ``load_rows``."""
        await self._portals.settle()
        return await self._guarded(self._ingesting.place(target, in_block=self.transaction_status == "T"))

    async def load_rows(self, target: Target, place: Place) -> AsyncIterator[Output]:
        """Load the rows that were put there."""
        await self._portals.settle()
        self._count += 1
        in_block, time_limit = self.transaction_status == "T", self._settings.statement_timeout
        try:
            self._block.check_load()
            async with aclosing(
                self._ingesting.run(target, place, in_block=in_block, time_limit=time_limit)
            ) as outputs:
                async for output in outputs:
                    yield output
        except FairleadError:
            self._block.fail()
            raise

    # --- end ---------------------------------------------------------------------------------------------------------

    async def cancel(self) -> None:
        """End the statement that runs, if one does."""
        self._copying.cancel()
        await self._data.cancel()

    async def close(self) -> None:
        """End the session and its worker."""
        await self._portals.close_all(keep_held=False)
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
            self._block.check(statement)
            if isinstance(statement, ast.DropObjects):
                statement = views.for_engine(statement, self._house, self.context()) or statement
            if isinstance(statement, ast.DataStatement):
                statement = views.renamed(statement, self._house, self.context()) or statement
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
                    await self._portals.close_all(keep_held=True)
                return outputs
            case ast.SetVariable() | ast.ResetVariable() | ast.ShowVariable() | ast.SetConfig() | ast.Use():
                outputs = self._values.run(statement, parameters)
                await self._data.own.set_time_zone(self._settings.time_zone)
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
        await binding.bind(statement, self._data, self._house, self.context())
        result = await asyncio.to_thread(dispatch.run, statement, self._house, self.context())
        return [*outputs, *outputs_of(result)]

    async def _discard(self, statement: ast.Discard) -> list[Output]:
        if statement.what == "ALL":
            self._prepared.clear()
            self._settings.reset(None)
            await self._portals.close_all(keep_held=False)
        if statement.what in ("ALL", "TEMP"):
            await self._data.close()
        return [Complete(f"DISCARD {statement.what}")]

    # --- inside ------------------------------------------------------------------------------------------------------

    def _run_portal(self, portal: Portal) -> AsyncGenerator[Output, None]:
        assert portal.prepared.statement is not None
        return self._run(portal.prepared.statement, portal.parameters, portal.encoding)

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
