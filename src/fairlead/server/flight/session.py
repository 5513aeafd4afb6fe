"""One logged-in client of Flight SQL: statements, prepared statements and results over one :class:`Session`.

Clients may make several calls at a time and read several results side by side; a session does one thing at a time. So
calls take turns, and a result is read block by block, a turn for each: another statement may come between two blocks,
and the session keeps the rest of the result for later. A statement runs when a client asks for its FlightInfo, so that
errors come then and the schema is the true one; the ticket only fetches its rows, once.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from fairlead.engine.api import ARROW, Parameter
from fairlead.errors import (
    ActiveTransaction,
    InFailedTransaction,
    InvalidParameter,
    NotSupported,
    QueryCanceled,
    UndefinedStatement,
    WorkerLost,
)
from fairlead.server.flight import batches
from fairlead.session_types import Complete, CopyIn, Output, ResultRows, ResultValues

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence

    import pyarrow as pa

    from fairlead.commands.ingesting import Place, Target
    from fairlead.context import Principal
    from fairlead.engine.api import Described
    from fairlead.session.session import Session

_UNKNOWN_COUNT: Final = -1
_MOST_RESULTS: Final = 100
_MOST_PREPARED: Final = 1000
_AGAIN: Final = 0.1  # seconds
_UNNAMED: Final = ""
Row = tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement gave.

    Args:
        handle: of the rows that are there to be fetched; empty where there are none.
        schema: of the rows.
        count: of rows that the statement has changed, -1 = unknown.
    """

    handle: bytes
    schema: pa.Schema
    count: int = _UNKNOWN_COUNT


@dataclass(slots=True)
class _Portal:
    """A statement that has begun; ``held`` are the rows of a command, which come at once."""

    name: str
    held: ResultValues | None = None


@dataclass(slots=True)
class _Result:
    """Rows that wait to be fetched: one portal after the other, all of one shape."""

    schema: pa.Schema
    portals: list[_Portal]
    fetched: bool = False


@dataclass(slots=True)
class _Statement:
    name: str
    described: Described | None
    rows: Sequence[Row] = ((),)


class Turn:
    """One call's wish to use the session."""

    def __init__(self) -> None:
        self.unwanted = False


class FlightSession:
    """The session of one token; all methods run on the gateway's loop.

    Args:
        session: opened for it.
        now: a clock that never goes back, seconds.
    """

    def __init__(self, session: Session, now: Callable[[], float]) -> None:
        self.session = session
        self._now = now
        self.last_used = now()
        self._lock = asyncio.Lock()
        self._holder: Turn | None = None
        self._prepared: dict[bytes, _Statement] = {}
        self._results: dict[bytes, _Result] = {}
        self._turns: dict[bytes, Turn] = {}
        self._transaction = b""
        self._count = 0

    @property
    def busy(self) -> bool:
        """Whether a statement runs."""
        return self._lock.locked()

    # --- statements --------------------------------------------------------------------------------------------------

    async def query(self, turn: Turn, text: str, transaction: bytes) -> Answer:
        """Run a text and return what its rows are like.

        Raises:
            FairleadError: it failed.
        """
        async with self._taking(turn):
            self._require(transaction)
            await self.session.prepare(_UNNAMED, text, ())
            return await self._answer(_UNNAMED, ((),))

    async def update(self, turn: Turn, text: str, transaction: bytes) -> int:
        """Run a text to its end and return how many rows it has changed, -1 = unknown."""
        async with self._taking(turn):
            self._require(transaction)
            await self.session.prepare(_UNNAMED, text, ())
            return await self._changed(_UNNAMED, ())

    async def describe(self, turn: Turn, text: str, transaction: bytes) -> pa.Schema:
        """Return the schema of a text's rows without running it."""
        async with self._taking(turn):
            self._require(transaction)
            await self.session.prepare(_UNNAMED, text, ())
            return await self._schema(_UNNAMED, await self.session.describe_arrow(text))

    # --- prepared statements -----------------------------------------------------------------------------------------

    async def prepare(self, turn: Turn, text: str, transaction: bytes) -> tuple[bytes, pa.Schema, int]:
        """Prepare a text; return its handle, the schema of its rows, and the number of its parameters."""
        async with self._taking(turn):
            self._require(transaction)
            if len(self._prepared) >= _MOST_PREPARED:
                raise InvalidParameter(f"a session may have {_MOST_PREPARED} prepared statements", hint="close some")
            handle = secrets.token_hex(16).encode()
            name = f"flight {handle.decode()}"
            await self.session.prepare(name, text, ())
            try:
                described = await self.session.describe_arrow(text)
                schema = await self._schema(name, described)
            except BaseException:
                await self.session.close_statement(name)
                raise
            self._prepared[handle] = _Statement(name, described)
            return handle, schema, len(described.parameters) if described is not None else 0

    async def bind(self, handle: bytes, rows: Sequence[Row]) -> None:
        """Give a prepared statement its parameters; it runs once for each row of them."""
        self._statement(handle).rows = rows

    async def query_prepared(self, turn: Turn, handle: bytes) -> Answer:
        """Run a prepared statement with the parameters that were bound last."""
        async with self._taking(turn):
            statement = self._statement(handle)
            return await self._answer(statement.name, statement.rows)

    async def update_prepared(self, turn: Turn, handle: bytes, rows: Sequence[Row]) -> int:
        """Run a prepared statement to its end, once for each row of parameters, all of them or none."""
        async with self._taking(turn):
            name = self._statement(handle).name
            if len(rows) == 1:
                return await self._changed(name, rows[0])
            return await self._changed_at_once(name, rows)

    async def describe_prepared(self, turn: Turn, handle: bytes) -> pa.Schema:
        """Return the schema of a prepared statement's rows."""
        async with self._taking(turn):
            statement = self._statement(handle)
            return await self._schema(statement.name, statement.described)

    async def close_prepared(self, handle: bytes) -> None:
        """Forget a prepared statement; an unknown one is no error."""
        statement = self._prepared.pop(handle, None)
        if statement is not None:
            await self.session.close_statement(statement.name)

    # --- bulk load ---------------------------------------------------------------------------------------------------
    # ADBC's driver names no transaction here: a load always belongs to the one that is open.

    async def place(self, turn: Turn, target: Target, transaction: bytes) -> Place:
        """Return where the rows of a bulk load are to be put."""
        async with self._taking(turn):
            self._require(transaction or self._transaction)
            return await self.session.place_rows(target)

    async def load(self, turn: Turn, target: Target, place: Place, transaction: bytes) -> None:
        """Load the rows that were put there, all of them or none."""
        async with self._taking(turn):
            self._require(transaction or self._transaction)
            alone = self.session.transaction_status == "I" and target.mode == "create_append"  # two statements
            async with self._together() if alone else nullcontext():
                async for _ in self.session.load_rows(target, place):
                    pass

    # --- transactions ------------------------------------------------------------------------------------------------

    async def begin(self, turn: Turn) -> bytes:
        """Begin a transaction and return its handle.

        Raises:
            ActiveTransaction: there is one.
        """
        async with self._taking(turn):
            if self.session.transaction_status != "I":
                raise ActiveTransaction("there is already a transaction in progress", hint="end it first")
            await self._command("BEGIN")
            self._transaction = secrets.token_hex(16).encode()
            return self._transaction

    async def end_transaction(self, turn: Turn, transaction: bytes, *, commit: bool) -> None:
        """Commit a transaction, or roll it back.

        Raises:
            InFailedTransaction: it cannot be committed, because a statement in it has failed; it is rolled back.
        """
        async with self._taking(turn):
            self._require(transaction or b"?")
            self._transaction = b""
            tag = await self._command("COMMIT" if commit else "ROLLBACK")
            if commit and tag != "COMMIT":
                message = "the transaction is rolled back, because a statement in it has failed"
                raise InFailedTransaction(message)

    # --- rows --------------------------------------------------------------------------------------------------------

    def fetch(self, handle: bytes, turn: Turn) -> pa.Schema:
        """Take the rows of a ticket, which only one call may do; return their schema.

        Raises:
            UndefinedStatement: it is not a ticket of this session, or was used.
        """
        result = self._results.get(handle)
        if result is None or result.fetched:
            raise UndefinedStatement("there is no such result in this session", hint="a ticket can be used once")
        result.fetched = True
        self._turns[handle] = turn
        return result.schema

    async def block(self, turn: Turn, handle: bytes) -> Output | None:
        """Return the next rows of a ticket that was taken, None at their end."""
        async with self._taking(turn):
            result = self._results.get(handle)
            while result is not None and result.portals:
                portal = result.portals[0]
                held, portal.held = portal.held, None
                output = held or await self._next(portal.name)
                match output:
                    case Complete():
                        await self.session.close_portal(result.portals.pop(0).name)
                    case ResultRows(count=count) if count:
                        return output
                    case ResultValues():
                        return output
                    case None:
                        # It failed while another statement had the turn, and was told that one's client.
                        raise WorkerLost("the rest of this result was lost", hint="run the statement again")
            return None

    async def discard(self, handle: bytes) -> None:
        """Forget a result and end what still runs for it; an unknown one is no error."""
        result = self._results.pop(handle, None)
        turn = self._turns.pop(handle, None)
        if result is None:
            return
        if turn is not None:
            await self.give_up(turn)
        async with self._lock:
            await self._close_all(result.portals)

    # --- end ---------------------------------------------------------------------------------------------------------

    async def give_up(self, turn: Turn) -> None:
        """Have a call end soon: cancel its statement if one runs, else it will not start."""
        turn.unwanted = True
        while self._holder is turn:
            await self.session.cancel()
            await asyncio.sleep(_AGAIN)  # it may have been between two steps

    async def end(self) -> None:
        """Cancel what runs; the session itself is closed by who opened it."""
        if self._holder is not None:
            await self.give_up(self._holder)

    # --- what the session is -----------------------------------------------------------------------------------------

    def principal(self) -> Principal:
        """Return the user with the roles in force now."""
        return self.session.principal()

    def database(self) -> str:
        """Return the current database."""
        return self.session.database

    async def shape(self, turn: Turn, text: str) -> bytes:
        """Return the Arrow schema of a query as an IPC message, empty where it has none; no transaction fails by it."""
        async with self._taking(turn):
            described = await self.session.describe_arrow(text)
            return b"" if described is None else described.arrow

    async def run(self, turn: Turn, text: str) -> list[Output]:
        """Run a command of the gateway's and return all that it gives."""
        async with self._taking(turn):
            return await self._all(text)

    # --- one turn ----------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _taking(self, turn: Turn) -> AsyncIterator[None]:
        async with self._lock:
            if turn.unwanted:
                raise QueryCanceled("canceling statement due to user request")
            self._holder = turn
            try:
                yield
            finally:
                self._holder = None
                self.last_used = self._now()

    def _require(self, transaction: bytes) -> None:
        """Refuse a statement that is not meant for the transaction that is open.

        Raises:
            UndefinedStatement: it names another one.
            ActiveTransaction: it names none, and wants to be on its own.
        """
        if transaction and transaction != self._transaction:
            raise UndefinedStatement("there is no such transaction in this session")
        if not transaction and self._transaction:
            raise ActiveTransaction(
                "a transaction is in progress, and the statement is not meant to be part of it",
                hint="a session has one transaction at a time: log in once more for the other statement",
            )

    def _statement(self, handle: bytes) -> _Statement:
        if handle not in self._prepared:
            raise UndefinedStatement("there is no such prepared statement in this session")
        return self._prepared[handle]

    async def _schema(self, name: str, described: Described | None) -> pa.Schema:
        if described is not None:
            return batches.schema_of(described.arrow) if described.arrow else batches.NO_COLUMNS
        _, columns = await self.session.describe_statement(name)
        return batches.NO_COLUMNS if columns is None else batches.texts([column.name for column in columns])

    async def _answer(self, statement: str, rows: Sequence[Row]) -> Answer:
        """Start a statement, for each row of parameters, and return what its rows are like."""
        if len(self._results) >= _MOST_RESULTS:
            raise InvalidParameter(f"{_MOST_RESULTS} results wait to be fetched", hint="fetch some, or log in again")
        if not rows:
            raise InvalidParameter("there are no parameters to run the statement with")
        portals = [_Portal(self._portal()) for _ in rows]
        try:
            begun = [await self._begun(portal, statement, row) for portal, row in zip(portals, rows, strict=True)]
        except BaseException:
            await self._close_all(portals)
            raise
        schema = begun[0][0]
        if not len(schema) or any(found != schema for found, _ in begun):
            await self._close_all(portals)
            if any(found != schema for found, _ in begun):
                raise InvalidParameter("the rows of parameters give results of different types")
            return Answer(b"", schema, _total(count for _, count in begun))
        handle = secrets.token_hex(16).encode()
        self._results[handle] = _Result(schema, portals)
        return Answer(handle, schema)

    async def _begun(self, portal: _Portal, statement: str, row: Row) -> tuple[pa.Schema, int]:
        """Start a portal; return the schema of its rows; where there are none, how many it has changed."""
        await self.session.bind(portal.name, statement, row, ARROW)
        columns = await self.session.describe_portal(portal.name)
        if columns is None:
            return batches.NO_COLUMNS, await self._drained(portal.name)
        async with aclosing(self._outputs(portal.name)) as outputs:
            async for output in outputs:
                match output:
                    case ResultRows(data=data, count=0):
                        return batches.schema_of(data), _UNKNOWN_COUNT
                    case ResultValues():
                        portal.held = output
                        return batches.texts([column.name for column in columns]), _UNKNOWN_COUNT
        raise WorkerLost("the session's process gave rows without their types")

    async def _close_all(self, portals: Sequence[_Portal]) -> None:
        for portal in portals:
            await self.session.close_portal(portal.name)

    async def _changed(self, statement: str, row: Row) -> int:
        portal = self._portal()
        await self.session.bind(portal, statement, row, ARROW)
        try:
            return await self._drained(portal)
        finally:
            await self.session.close_portal(portal)

    async def _changed_at_once(self, statement: str, rows: Sequence[Row]) -> int:
        """Run a statement for each row of parameters in one transaction."""
        async with self._together() if self.session.transaction_status == "I" else nullcontext():
            return _total([await self._changed(statement, row) for row in rows])

    @asynccontextmanager
    async def _together(self) -> AsyncIterator[None]:
        """Make one transaction of several statements."""
        await self._command("BEGIN")
        try:
            yield
        except BaseException:
            await self._command("ROLLBACK")
            raise
        await self._command("COMMIT")

    async def _drained(self, portal: str) -> int:
        """Run a portal to its end, without its rows; return how many rows its tag counts."""
        tag = ""
        async with aclosing(self._outputs(portal)) as outputs:
            async for output in outputs:
                if isinstance(output, Complete):
                    tag = output.tag
        last = tag.rpartition(" ")[2]
        return int(last) if last.isdecimal() else _UNKNOWN_COUNT

    async def _command(self, text: str) -> str:
        """Run a statement that has no rows and return its tag."""
        return next((output.tag for output in await self._all(text) if isinstance(output, Complete)), "")

    async def _all(self, text: str) -> list[Output]:
        portal = self._portal()
        await self.session.prepare(_UNNAMED, text, ())
        await self.session.bind(portal, _UNNAMED, (), ARROW)
        try:
            async with aclosing(self._outputs(portal)) as outputs:
                return [output async for output in outputs]
        finally:
            await self.session.close_portal(portal)

    async def _next(self, portal: str) -> Output | None:
        """Return the next output of a portal; what follows it is not lost by ending the iterator."""
        async with aclosing(self._outputs(portal)) as outputs:
            return await anext(outputs, None)

    async def _outputs(self, portal: str) -> AsyncGenerator[Output, None]:
        running = cast("AsyncGenerator[Output, None]", self.session.execute(portal))
        async with aclosing(running) as outputs:
            async for output in outputs:
                if isinstance(output, CopyIn):
                    output.intake.fail(NotSupported("COPY FROM STDIN is not offered over Flight SQL"))
                else:
                    yield output

    def _portal(self) -> str:
        self._count += 1
        return f"flight {self._count}"


def _total(counts: Iterable[int]) -> int:
    known = list(counts)
    return _UNKNOWN_COUNT if any(count < 0 for count in known) else sum(known)
