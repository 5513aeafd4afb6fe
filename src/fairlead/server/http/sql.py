"""``POST /v1/sql``: one request is one script or one statement with parameters, answered as it runs.

The answer begins when there is enough of it, or all: until then an error has a status of its own. After that it is the
last line of a JSON answer, and cuts an Arrow answer off. Rows are asked for as fast as the client reads them.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from starlette.requests import ClientDisconnect, Request

from fairlead.errors import FairleadError
from fairlead.observer import TRACE_PARENT
from fairlead.server.http.answer import ArrowAnswer, JsonAnswer
from fairlead.server.http.problems import HttpRefused, internal
from fairlead.server.http.request import encoding_of, read_sql
from fairlead.server.http.service import address_of
from fairlead.session_types import Notice, ResultColumns

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from starlette.types import Receive, Scope, Send

    from fairlead.engine.api import Encoding
    from fairlead.server.http.answer import Answer
    from fairlead.server.http.request import SqlRequest
    from fairlead.server.http.running import Running
    from fairlead.server.http.service import Service
    from fairlead.server.pgwire.backend import ClientSession
    from fairlead.session_types import Output

SESSION_HEADER: Final = "X-Fairlead-Session"
STATEMENT_HEADER: Final = "X-Fairlead-Statement"
_HELD_BACK: Final = 32 * 1024
_UNDONE: Final = "the request has left a transaction open, which is rolled back"
_KEEP: Final = "send COMMIT in the same request, or open a session with POST /v1/sessions"


class SqlEndpoint:
    """The endpoint, as an ASGI application.

    Args:
        service: what all requests share.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request.

        Raises:
            FairleadError: before the answer has begun.
        """
        request = Request(scope, receive)
        service = self._service
        service.admit()
        user = await service.user(request)
        TRACE_PARENT.set(request.headers.get("traceparent"))
        try:
            wanted = read_sql(await service.body(request))
        except ClientDisconnect:
            return
        encoding = encoding_of(request.headers.get("accept", ""))
        answer: Answer = (JsonAnswer if encoding.form == "jsonl" else ArrowAnswer)(service.backend.scrub)
        with service.running.enter(user.casefold(), request.headers.get(STATEMENT_HEADER)) as running:
            watch = asyncio.create_task(_end_with_client(receive, running), name="watch over an HTTP client")
            try:
                async with self._session(request, user, wanted) as (session, stays):
                    running.session = session
                    outputs = _outputs(session, wanted, encoding, running, stays=stays)
                    await Reply(answer, running, send, service.settings.write_timeout).give(outputs)
            finally:
                running.session = None
                watch.cancel()

    @asynccontextmanager
    async def _session(
        self, request: Request, user: str, wanted: SqlRequest
    ) -> AsyncIterator[tuple[ClientSession, bool]]:
        """Give the session that the request names, or one of its own, and whether it stays."""
        sessions, kept = self._service.sessions, request.headers.get(SESSION_HEADER)
        if kept is None:
            async with sessions.one(user, wanted.session, address_of(request)) as session:
                yield session, False
            return
        if wanted.names_session:
            raise HttpRefused(400, "database, dialect and settings belong to the session, which is open already")
        async with sessions.kept(user.casefold(), kept) as session:
            yield session, True


class Reply:
    """One answer on its way.

    Args:
        answer: makes its bytes.
        running: the statement.
        send: to the client.
        timeout: seconds that the client may leave it unread.
    """

    def __init__(self, answer: Answer, running: Running, send: Send, timeout: float) -> None:
        self._answer = answer
        self._running = running
        self._send = send
        self._timeout = timeout
        self._held = bytearray()
        self._begun = False

    async def give(self, outputs: AsyncGenerator[Output, None]) -> None:
        """Send all that a statement gives.

        Raises:
            FairleadError: it failed before the answer has begun.
        """
        try:
            async with aclosing(outputs):
                async for output in outputs:
                    self._running.check()
                    await self._add(await self._answer.take(output))
            await self._end(await self._answer.finish())
        except TimeoutError:
            raise CutOff from None
        except FairleadError as error:
            await self._fail(error)
        except Exception as error:  # noqa: BLE001  # a defect ends the answer, not the listener
            await self._fail(internal(error))

    async def _add(self, data: bytes) -> None:
        if self._begun:
            await self._write(data)
            return
        self._held += data
        if len(self._held) > _HELD_BACK:
            await self._begin()
            held, self._held = bytes(self._held), bytearray()
            await self._write(held)

    async def _fail(self, error: FairleadError) -> None:
        if not self._begun:
            raise error
        last = self._answer.failed(error)
        if last is None:
            raise CutOff
        await self._end(last)

    async def _end(self, data: bytes) -> None:
        if not self._begun:
            data = bytes(self._held) + data
            await self._begin()
        self._running.end()
        await self._write(data, more=False)

    async def _begin(self) -> None:
        self._begun = True
        headers = [
            (b"content-type", self._answer.media_type.encode()),
            (STATEMENT_HEADER.lower().encode(), self._running.id.encode()),
        ]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _write(self, data: bytes, *, more: bool = True) -> None:
        if data or not more:
            async with asyncio.timeout(self._timeout):
                await self._send({"type": "http.response.body", "body": data, "more_body": more})


class CutOff(Exception):
    """The answer cannot be brought to its end: the connection is to be cut."""


async def _outputs(
    session: ClientSession, wanted: SqlRequest, encoding: Encoding, running: Running, *, stays: bool
) -> AsyncGenerator[Output, None]:
    """Run what is wanted and give what comes of it."""
    running.check()
    # Only a prepared statement is known to be one, which an Arrow stream has to be, and has parameters.
    prepared = bool(wanted.parameters) or encoding.form == "arrow"
    running_now = _prepared(session, wanted, encoding) if prepared else session.run_script(wanted.sql, encoding)
    async with aclosing(cast("AsyncGenerator[Output, None]", running_now)) as outputs:
        async for output in outputs:
            yield output
    if not stays and session.transaction_status != "I":
        yield Notice("WARNING", _UNDONE, "25001", hint=_KEEP)


async def _prepared(session: ClientSession, wanted: SqlRequest, encoding: Encoding) -> AsyncGenerator[Output, None]:
    oids = [parameter.type_oid for parameter in wanted.parameters]
    await session.prepare("", wanted.sql, oids)
    await session.bind("", "", wanted.parameters, encoding)
    try:
        columns = await session.describe_portal("")
        if columns is not None:
            yield ResultColumns(columns)
        async with aclosing(cast("AsyncGenerator[Output, None]", session.execute(""))) as outputs:
            async for output in outputs:
                yield output
    finally:
        await session.close_portal("")


async def _end_with_client(receive: Receive, running: Running) -> None:
    """End a request whose client goes away."""
    message: Any = await receive()
    while message["type"] != "http.disconnect":
        message = await receive()
    await running.cancel()
