"""One client from its first byte to its last: TLS, login, session, commands, goodbye."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import structlog

from fairlead.errors import AdminShutdown, FairleadError, QueryCanceled
from fairlead.server.mysql import login
from fairlead.server.mysql import messages as m
from fairlead.server.mysql.codes import MysqlError
from fairlead.server.mysql.connection import Connection, State
from fairlead.server.mysql.facts import Facts
from fairlead.server.mysql.protocol import SCRAMBLE_BYTES
from fairlead.server.mysql.sessions import MysqlSession, Transactions
from fairlead.server.mysql.statements import Statements
from fairlead.server.mysql.threads import Thread
from fairlead.server.mysql.variables import VERSION
from fairlead.server.pgwire.wire import ClientGone

if TYPE_CHECKING:
    import ssl

    from fairlead.server.mysql.steps import Row
    from fairlead.server.mysql.threads import Threads
    from fairlead.server.passwords import PasswordLogin
    from fairlead.server.pgwire.backend import Backend
    from fairlead.server.pgwire.wire import Wire

_log = structlog.get_logger("fairlead")
_CLOSE_SECONDS: Final = 0.5
_INSECURE: Final = 3159


@dataclass(frozen=True, slots=True)
class Service:
    """What all clients of one listener share."""

    backend: Backend
    tls: ssl.SSLContext
    passwords: PasswordLogin
    threads: Threads
    startup_timeout: float


class Client:
    """One client.

    Args:
        service: what all clients share.
        wire: to this one.
    """

    def __init__(self, service: Service, wire: Wire) -> None:
        self._service = service
        self._wire = wire
        self._core = Connection(service.backend.scrub)
        self._number = service.threads.number()
        self._session: MysqlSession | None = None
        self._thread: Thread | None = None
        self._task: asyncio.Task[None] | None = None
        self._cancelling: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve the client to the end; cancelling this tells it that the gateway, or another session, ends it."""
        self._task = cast("asyncio.Task[None]", asyncio.current_task())
        try:
            statements = await self._start_in_time()
            if statements is not None:
                self._wire.on_lost = self._lost
                await self._converse(statements)
        except asyncio.CancelledError:
            # The task ends here anyway, and what follows must still be awaited.
            self._say_goodbye(AdminShutdown("terminating connection due to administrator command"))
        except FairleadError as error:
            self._say_goodbye(error)
        except ClientGone as error:
            _log.debug("a client is gone", client=self._wire.address, reason=str(error))
        except Exception as error:  # noqa: BLE001  # nothing that a client does may end the listener
            self._say_goodbye(_internal(error))
        finally:
            await self._end()

    # --- start -------------------------------------------------------------------------------------------------------

    async def _start_in_time(self) -> Statements | None:
        limit = asyncio.timeout(self._service.startup_timeout)
        try:
            async with limit:
                return await self._start()
        except TimeoutError:
            if limit.expired():
                raise QueryCanceled("the login took too long") from None
            raise

    async def _start(self) -> Statements | None:
        scramble = bytes(1 + secrets.randbelow(127) for _ in range(SCRAMBLE_BYTES))  # no zero bytes: it is a string
        self._wire.send(self._core.greet(VERSION, self._number, scramble))
        hello = await self._greeted()
        if hello is None:
            return None
        service = self._service
        if not await login.prove(self._core, hello, scramble, self._wire.address, self._exchange, service.passwords):
            return None
        with service.threads.place():
            session = await self._open(hello)
            transactions = Transactions(session)
            user = session.context().principal.user_name
            self._thread = Thread(user, self._wire.address, lambda: transactions.database, session.cancel, self._kill)
            service.threads.admit(self._number, self._thread)
        facts = Facts(
            user,
            self._wire.address,
            self._number,
            lambda: transactions.database,
            self._processes,
            transactions.variables,
        )
        statements = Statements(transactions, self._core, self._wire, facts, service.threads)
        self._wire.send(self._core.ready(self._core.answers.ok(transactions.status())))
        return statements

    async def _greeted(self) -> m.HandshakeResponse | None:
        """Wait until the client has said who it is, over TLS.

        Raises:
            MysqlError: it has done so in clear.
        """
        event = await self._next()
        if isinstance(event, m.SslRequest):
            self._core.receive(self._wire.stop_reading())
            await self._wire.start_tls(self._service.tls)
            self._core.tls_started()
            event = await self._next()
        if not isinstance(event, m.HandshakeResponse):
            return None
        if not self._core.secure:
            message = "Connections using insecure transport are prohibited: this server accepts only TLS connections"
            raise MysqlError(message, _INSECURE, hint="use --ssl, or ssl-mode=REQUIRED")
        return event

    async def _open(self, hello: m.HandshakeResponse) -> MysqlSession:
        program = hello.attributes.get("program_name") or hello.attributes.get("_client_name", "")
        self._session = cast(
            "MysqlSession",
            await self._service.backend.open_session(
                user=hello.user,
                database=hello.database,
                parameters={"application_name": program},
                client=self._wire.address,
            ),
        )
        return self._session

    # --- commands ----------------------------------------------------------------------------------------------------

    async def _converse(self, statements: Statements) -> None:
        assert self._thread is not None
        while True:
            event = await self._next()
            if event is None or isinstance(event, m.Quit):
                return
            self._thread.note(busy=True)
            try:
                await statements.handle(event)
            except FairleadError as error:
                self._failed(error)
            except ClientGone:
                raise
            except Exception as error:  # noqa: BLE001  # a defect ends the statement, not the session
                self._failed(_internal(error))
            self._thread.note(busy=False)

    def _failed(self, error: FairleadError) -> None:
        """Tell of an error, where the client waits for an answer."""
        if self._core.state is State.COMMAND:
            self._wire.send(self._core.ready(self._core.answers.error(error)))

    def _processes(self) -> list[Row]:
        """Return the rows of SHOW PROCESSLIST: what runs is not shown, because it could hold a secret."""
        assert self._thread is not None
        now = time.monotonic()
        return [
            (
                str(number),
                one.user,
                one.address,
                one.database(),
                "Query" if one.busy else "Sleep",
                str(int(now - one.since)),
                "executing" if one.busy else "",
                None,
            )
            for number, one in self._service.threads.of(self._thread.user)
        ]

    async def _exchange(self, data: bytes) -> m.Event | None:
        self._wire.send(data)
        return await self._next()

    async def _next(self) -> m.Event | None:
        """Return the next message, None at the end of the stream."""
        while (event := self._core.next_event()) is None:
            self._wire.flush()
            await self._wire.drain()
            data = await self._wire.read()
            if not data:
                return None
            self._core.receive(data)
        return event

    # --- end ---------------------------------------------------------------------------------------------------------

    def _kill(self) -> None:
        """End the connection, at the wish of another session of the user."""
        if self._task is not None:
            self._task.cancel()

    def _lost(self) -> None:
        """Stop what runs for a client that is gone."""
        if self._session is not None:
            task = asyncio.ensure_future(self._session.cancel())
            self._cancelling.add(task)
            task.add_done_callback(self._cancelled)

    def _cancelled(self, task: asyncio.Task[None]) -> None:
        self._cancelling.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("could not cancel for a client that is gone", error=type(error).__name__)

    def _say_goodbye(self, error: FairleadError) -> None:
        self._wire.send(self._core.fatal(error))

    async def _end(self) -> None:
        session, self._session = self._session, None
        self._service.threads.leave(self._number)
        ends = [self._wire.close(_CLOSE_SECONDS)]
        if session is not None:
            ends.append(self._service.backend.close_session(session))
        for result in await asyncio.gather(*ends, return_exceptions=True):
            if isinstance(result, Exception):
                _log.error("could not end a session cleanly", exc_info=result)


def _internal(error: Exception) -> FairleadError:
    """Return what a client may know of a defect: a number that leads to the log."""
    number = secrets.token_hex(4)
    _log.error("internal error", error_id=number, exc_info=error)
    return FairleadError("internal error", detail=f"The log of the gateway tells more under {number}.")
