"""One client's statements: each message becomes a call of the session, and what the session gives becomes an answer."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, cast

from fairlead.engine.api import Encoding, Parameter
from fairlead.server.pgwire import answers as a
from fairlead.server.pgwire import messages as m
from fairlead.server.pgwire.portals import Leftovers, split_rows
from fairlead.session_types import (
    Complete,
    CopyIn,
    CopyOut,
    CopyRows,
    EmptyStatement,
    Notice,
    Output,
    ResultColumns,
    ResultRows,
    ResultValues,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from fairlead.engine.api import Column
    from fairlead.server.pgwire.backend import ClientSession
    from fairlead.server.pgwire.connection import Event
    from fairlead.server.pgwire.wire import Wire


class Statements:
    """Runs a client's messages in its session.

    Args:
        session: of the client.
        wire: to the client.
        answers: encodes what is sent.
        copy_in: has the client send the data of a COPY.
    """

    def __init__(
        self,
        session: ClientSession,
        wire: Wire,
        answers: a.Answers,
        copy_in: Callable[[CopyIn], Awaitable[None]],
    ) -> None:
        self._session = session
        self._wire = wire
        self._answers = answers
        self._copy_in = copy_in
        self._leftovers = Leftovers()
        self._types: dict[str, tuple[int, ...]] = {}
        self._formats: dict[str, tuple[int, ...]] = {}
        self._copying_out = False

    async def handle(self, event: Event) -> None:
        """Run one message and send its answer, up to what ends it (ReadyForQuery is the caller's).

        Raises:
            FairleadError: what the client is to be told.
        """
        self._copying_out = False
        match event:
            case m.Query(text=text):
                await self._query(text)
            case m.Parse():
                await self._parse(event)
            case m.Bind():
                await self._bind(event)
            case m.Describe():
                await self._describe(event)
            case m.Execute():
                await self._execute(event.portal, event.max_rows)
            case m.Close():
                await self._close(event)
            case m.Sync():
                await self._session.sync()
            case m.Flush():
                self._wire.flush()
            case m.Refused(error=error):
                raise error

    def end_of_answer(self) -> bytes:
        """Return what goes before ReadyForQuery: settings that changed. Outside a transaction no portal lives on."""
        if self._session.transaction_status == "I":
            self._leftovers.clear()
            self._formats.clear()
        return self._answers.parameter_statuses(self._session.pending_parameter_status())

    async def _query(self, text: str) -> None:
        self._leftovers.take("")
        async with _closing(self._session.run_script(text)) as outputs:
            async for output in outputs:
                await self._relay(output)

    # --- extended query --------------------------------------------------------------------------------------------

    async def _parse(self, event: m.Parse) -> None:
        await self._session.prepare(event.name, event.text, event.type_oids)
        self._types[event.name] = event.type_oids
        self._wire.send(a.PARSE_COMPLETE)

    async def _bind(self, event: m.Bind) -> None:
        types = self._types.get(event.statement, ())
        padded = types + (0,) * (len(event.values) - len(types))
        parameters = [
            Parameter(value, type_oid, binary) for (value, binary), type_oid in zip(event.values, padded, strict=False)
        ]
        self._leftovers.take(event.portal)
        await self._session.bind(event.portal, event.statement, parameters, Encoding("rows", event.results))
        self._formats[event.portal] = event.results
        self._wire.send(a.BIND_COMPLETE)

    async def _describe(self, event: m.Describe) -> None:
        if event.kind == "S":
            types, columns = await self._session.describe_statement(event.name)
            # A client that saw these types sends its binary parameters in them.
            self._types[event.name] = types
            self._wire.send(self._answers.parameter_description(types))
            self._wire.send(self._columns(columns, ()))
        else:
            columns = await self._session.describe_portal(event.name)
            self._wire.send(self._columns(columns, self._formats.get(event.name, ())))

    def _columns(self, columns: tuple[Column, ...] | None, formats: tuple[int, ...]) -> bytes:
        return a.NO_DATA if columns is None else self._answers.row_description(columns, formats)

    async def _execute(self, portal: str, max_rows: int) -> None:
        """Run a portal; with a limit, end after that many rows even if they were the last (as PostgreSQL does)."""
        sent = 0
        data, count = self._leftovers.take(portal)
        if count:
            sent = await self._limited(portal, data, count, max_rows)
        if max_rows and sent == max_rows:
            self._wire.send(a.PORTAL_SUSPENDED)
            return
        ended = False
        async with _closing(self._session.execute(portal)) as outputs:
            async for output in outputs:
                data, count = self._rows(output)
                if max_rows and count:
                    sent += await self._limited(portal, data, count, max_rows - sent)
                    if sent == max_rows:
                        self._wire.send(a.PORTAL_SUSPENDED)
                        return
                else:
                    await self._relay(output)
                ended = ended or isinstance(output, Complete | EmptyStatement)
        if not ended:  # the portal had been read to its end before
            self._wire.send(self._answers.command_complete("SELECT 0"))

    def _rows(self, output: Output) -> tuple[bytes, int]:
        match output:
            case ResultRows(data=data, count=count):
                return data, count
            case ResultValues(rows=rows):
                return self._answers.data_rows(rows), len(rows)
        return b"", 0

    async def _limited(self, portal: str, data: bytes, count: int, limit: int) -> int:
        """Send at most ``limit`` rows (0: all), keep the others, return how many were sent."""
        if limit and count > limit:
            data, rest = split_rows(data, limit)
            self._leftovers.keep(portal, rest, count - limit)
            count = limit
        await self._wire.send_block(data)
        return count

    async def _close(self, event: m.Close) -> None:
        if event.kind == "S":
            self._types.pop(event.name, None)
            await self._session.close_statement(event.name)
        else:
            self._leftovers.take(event.name)
            self._formats.pop(event.name, None)
            await self._session.close_portal(event.name)
        self._wire.send(a.CLOSE_COMPLETE)

    # --- outputs ---------------------------------------------------------------------------------------------------

    async def _relay(self, output: Output) -> None:
        match output:
            case ResultRows(data=data):
                await self._wire.send_block(data)
            case ResultValues(rows=rows):
                await self._wire.send_block(self._answers.data_rows(rows))
            case ResultColumns(columns=columns):
                self._wire.send(self._answers.row_description(columns))
            case CopyRows(data=data):
                await self._wire.send_block(data)
            case CopyOut(columns=columns, binary=binary):
                self._wire.send(self._answers.copy_out(columns, binary=binary))
                self._copying_out = True
            case Complete(tag=tag):
                self._wire.send(self._end_of_copy() + self._answers.command_complete(tag))
            case Notice():
                self._wire.send(self._answers.notice(output))
            case EmptyStatement():
                self._wire.send(a.EMPTY_QUERY)
            case CopyIn():
                await self._copy_in(output)

    def _end_of_copy(self) -> bytes:
        done, self._copying_out = a.COPY_DONE if self._copying_out else b"", False
        return done


def _closing(outputs: AsyncIterator[Output]) -> aclosing[AsyncGenerator[Output, None]]:
    """Close an iterator at the end of a block: it holds a worker's statement and must not wait for the collector."""
    return aclosing(cast("AsyncGenerator[Output, None]", outputs))
