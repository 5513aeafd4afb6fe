"""What the calls of Flight SQL do, each in a thread of Arrow's that waits for the gateway's loop.

Rows are fetched one block ahead: while a block travels to the client, the next one is asked for. A slow client is
waited for, and through the session's worker the engine waits too.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from fairlead.errors import AdminShutdown, FairleadError, InvalidParameter, NotSupported, UndefinedObject
from fairlead.server.flight import batches, ingest, metadata
from fairlead.server.flight import messages as m
from fairlead.server.flight.options import Options
from fairlead.server.flight.parameters import Rows
from fairlead.server.flight.session import Turn
from fairlead.session_types import ResultRows, ResultValues

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator

    import pyarrow as pa

    from fairlead.server.flight.bridge import Bridge, Call
    from fairlead.server.flight.session import Answer, FlightSession
    from fairlead.server.flight.sessions import Sessions
    from fairlead.session_types import Output

_T = TypeVar("_T")
_UNKNOWN_COUNT: Final = -1
_INVALID_NAME, _INVALID_VALUE, _FAILED = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Info:
    """What a FlightInfo says: the ticket, empty where there are no rows; their schema; rows changed, -1 = unknown."""

    ticket: bytes
    schema: pa.Schema
    count: int = _UNKNOWN_COUNT


class Calls:
    """The calls of one listener.

    Args:
        sessions: of those who have logged in.
        bridge: to the gateway's loop.
        house: the gateway's rooms, for questions about its objects.
    """

    def __init__(self, sessions: Sessions, bridge: Bridge, house: Any) -> None:
        self._sessions = sessions
        self._bridge = bridge
        self._house = house

    # --- statements --------------------------------------------------------------------------------------------------

    def info(self, token: str, call: Any, raw: bytes) -> Info:
        """Run a command up to its first rows; a question about the gateway is its own ticket.

        Raises:
            FairleadError: it failed, or is not one that has rows.
        """
        command = m.command(raw)
        match command:
            case m.Query(text=text, transaction=transaction):
                return _info(self._do(token, call, lambda s, turn: s.query(turn, text, transaction)))
            case m.Prepared(handle=handle):
                return _info(self._do(token, call, lambda s, turn: s.query_prepared(turn, handle)))
            case m.Update() | m.PreparedUpdate() | m.Ingest() | m.StatementTicket():
                raise NotSupported(f"{type(command).__name__} has no FlightInfo", hint="send it with DoPut")
            case _:
                return Info(raw, metadata.schema_of(command))

    def schema(self, token: str, call: Any, raw: bytes) -> pa.Schema:
        """Return the schema of what a command gives, without running it."""
        command = m.command(raw)
        match command:
            case m.Query(text=text, transaction=transaction):
                return self._do(token, call, lambda s, turn: s.describe(turn, text, transaction))
            case m.Prepared(handle=handle):
                return self._do(token, call, lambda s, turn: s.describe_prepared(turn, handle))
            case m.Update() | m.PreparedUpdate() | m.Ingest() | m.StatementTicket():
                raise NotSupported(f"{type(command).__name__} has no schema")
            case _:
                return metadata.schema_of(command)

    def rows(self, token: str, call: Any, ticket: bytes) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """Return the rows of a ticket."""
        command = m.command(ticket)
        match command:
            case m.StatementTicket(handle=handle):
                return self._fetched(token, call, handle)
            case m.Query() | m.Prepared() | m.Update() | m.PreparedUpdate() | m.Ingest():
                raise NotSupported(f"{type(command).__name__} is no ticket")
            case _:
                asked = self._do(token, call, lambda s, turn: self._metadata(s, turn, command))
                return asked.schema, iter(asked.to_batches())

    def put(
        self, token: str, call: Any, raw: bytes, chunks: Iterable[pa.RecordBatch], schema: Callable[[], pa.Schema]
    ) -> bytes:
        """Take what a client sends, and return the answer."""
        command = m.command(raw)
        match command:
            case m.Update(text=text, transaction=transaction):
                return m.update_result(self._do(token, call, lambda s, turn: s.update(turn, text, transaction)))
            case m.Prepared(handle=handle):
                rows = _gathered(chunks)
                self._do(token, call, lambda s, _: s.bind(handle, rows))
                return m.bound(handle)
            case m.PreparedUpdate(handle=handle):
                rows = _gathered(chunks) if len(schema()) else [()]
                return m.update_result(self._do(token, call, lambda s, turn: s.update_prepared(turn, handle, rows)))
            case m.Ingest():
                return m.update_result(self._ingest(token, call, command, chunks, schema()))
            case _:
                raise NotSupported(f"{type(command).__name__} takes no data")

    def _ingest(
        self, token: str, call: Any, command: m.Ingest, chunks: Iterable[pa.RecordBatch], schema: pa.Schema
    ) -> int:
        target = ingest.target(command, schema)
        place = self._do(token, call, lambda s, turn: s.place(turn, target, command.transaction))
        try:
            count = ingest.write(place, schema, chunks)
            self._do(token, call, lambda s, turn: s.load(turn, target, place, command.transaction))
        finally:
            place.path.unlink(missing_ok=True)
        return count

    # --- actions -----------------------------------------------------------------------------------------------------

    def action(self, token: str, call: Any, name: str, body: bytes) -> list[bytes]:  # noqa: PLR0911  # one a case
        """Do an action and return its answers."""
        request = m.action(name, body)
        match request:
            case m.Prepare(text=text, transaction=transaction):
                handle, columns, count = self._do(token, call, lambda s, turn: s.prepare(turn, text, transaction))
                return [m.prepared(handle, _message(columns), _message(batches.parameters(count)))]
            case m.ClosePrepared(handle=handle):
                self._do(token, call, lambda s, _: s.close_prepared(handle))
                return []
            case m.Begin():
                return [m.begun(self._do(token, call, lambda s, turn: s.begin(turn)))]
            case m.End(transaction=transaction, action=choice):
                commit = _choice(choice)
                self._do(token, call, lambda s, turn: s.end_transaction(turn, transaction, commit=commit))
                return []
            case m.Cancel(tickets=tickets):
                for ticket in tickets:
                    self._cancel(token, call, ticket)
                return [m.cancelled(request)]
            case m.SetOptions(options=wanted):
                return [m.options_set(self._set_options(token, call, wanted))]
            case m.GetOptions():
                return [m.options(self._do(token, call, lambda s, turn: Options(s, turn).all()))]
            case m.CloseSession():
                self._bridge.run(self._sessions.close(token))
                return [m.closed()]

    def _cancel(self, token: str, call: Any, ticket: bytes) -> None:
        command = m.command(ticket)
        if isinstance(command, m.StatementTicket):
            self._do(token, call, lambda s, _: s.discard(command.handle))

    def _set_options(self, token: str, call: Any, wanted: dict[str, m.Option]) -> dict[str, int]:
        errors: dict[str, int] = {}
        for name, value in wanted.items():
            try:
                self._set_option(token, call, name, value)
            except UndefinedObject:
                errors[name] = _INVALID_NAME
            except InvalidParameter:
                errors[name] = _INVALID_VALUE
            except FairleadError:
                errors[name] = _FAILED
        return errors

    def _set_option(self, token: str, call: Any, name: str, value: m.Option) -> None:
        self._do(token, call, lambda s, turn: Options(s, turn).set(name, value))

    # --- on the loop -------------------------------------------------------------------------------------------------

    def _do(self, token: str, call: Any, work: Callable[[FlightSession, Turn], Coroutine[Any, Any, _T]]) -> _T:
        """Do some work of the session as long as the client waits."""
        turn = Turn()
        found: list[FlightSession] = []

        async def done() -> _T:
            session = await self._sessions.session(token, call.peer())
            found.append(session)
            return await work(session, turn)

        async def end() -> None:
            turn.unwanted = True
            for session in found:
                await session.give_up(turn)

        return self._bridge.wait(self._bridge.start(done()), call, end)

    async def _metadata(self, session: FlightSession, turn: Turn, request: m.Metadata) -> pa.Table:
        async def describe(text: str) -> bytes:
            return await session.shape(turn, text)

        return await metadata.answer(request, metadata.Asker(self._house, session.principal(), describe))

    def _fetched(self, token: str, call: Call, handle: bytes) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        turn = Turn()

        async def begun() -> tuple[FlightSession, pa.Schema]:
            session = await self._sessions.session(token, "")
            return session, session.fetch(handle, turn)

        session, schema = self._bridge.run(begun())
        return schema, self._batches(session, turn, call, handle, schema)

    def _batches(
        self, session: FlightSession, turn: Turn, call: Call, handle: bytes, schema: pa.Schema
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows, and let go of them when nobody wants more."""
        try:
            ahead = self._bridge.start(session.block(turn, handle))
            while (output := self._bridge.wait(ahead, call, lambda: session.give_up(turn))) is not None:
                ahead = self._bridge.start(session.block(turn, handle))
                yield _batch(output, schema)
        finally:
            with suppress(AdminShutdown):
                self._bridge.start(session.discard(handle))


def _info(answer: Answer) -> Info:
    return Info(m.ticket(answer.handle) if answer.handle else b"", answer.schema, answer.count)


def _batch(output: Output, schema: pa.Schema) -> pa.RecordBatch:
    match output:
        case ResultRows(data=data):
            return batches.batch_of(data, schema)
        case ResultValues(rows=rows):
            return batches.of_texts(schema, rows)
    raise AssertionError(output)


def _gathered(chunks: Iterable[pa.RecordBatch]) -> Any:
    rows = Rows()
    for chunk in chunks:
        if chunk is not None:
            rows.add(chunk)
    return rows.all()


def _message(schema: pa.Schema) -> bytes:
    """Return a schema as an IPC message, empty where it has no columns: then there are none, or nobody knows."""
    return schema.serialize().to_pybytes() if len(schema) else b""


def _choice(action: int) -> bool:
    if action not in (1, 2):
        raise InvalidParameter("a transaction ends with COMMIT or ROLLBACK")
    return action == 1
