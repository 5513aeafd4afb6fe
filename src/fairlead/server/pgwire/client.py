"""One client from its first byte to its last: TLS, login, session, statements, goodbye."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from fairlead.errors import AdminShutdown, FairleadError, LoginRefused, QueryCanceled
from fairlead.server.pgwire import messages as m
from fairlead.server.pgwire import settings as startup_settings
from fairlead.server.pgwire.connection import Connection, Event, State
from fairlead.server.pgwire.statements import Statements
from fairlead.server.pgwire.wire import ClientGone

if TYPE_CHECKING:
    from fairlead.server.pgwire.backend import Backend, ClientSession
    from fairlead.server.pgwire.login import Login
    from fairlead.server.pgwire.registry import Registry
    from fairlead.server.pgwire.tls import ServerCertificate
    from fairlead.server.pgwire.wire import Wire
    from fairlead.session_types import CopyIn

_log = structlog.get_logger("fairlead")
_LONG_KEY_MINOR: Final = 2
_SHORT_KEY, _LONG_KEY = 4, 32
_CLOSE_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Service:
    """What all clients of one listener share."""

    backend: Backend
    certificate: ServerCertificate
    login: Login
    registry: Registry
    require_tls: bool
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
        self._session: ClientSession | None = None
        self._process_id = 0
        self._cancelling: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve the client to the end; cancelling this tells it that the gateway stops."""
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
        startup = await self._greet()
        if startup is None:
            return None
        if self._service.require_tls and not self._core.secure:
            raise LoginRefused("this server accepts only TLS connections", hint="use sslmode=require or better")
        settings = startup_settings.requested(startup.parameters)
        final = await self._service.login.prove(self._core, startup, self._wire.address, self._exchange)
        if final is None:
            return None
        self._wire.send(final)
        session = await self._open(startup, settings)
        statements = Statements(session, self._wire, self._core.answers, self._copy_in)
        self._wire.send(
            self._core.answers.parameter_statuses(
                startup_settings.reported(startup.parameters["user"], startup.parameters)
            )
        )
        secret = secrets.token_bytes(_LONG_KEY if startup.minor >= _LONG_KEY_MINOR else _SHORT_KEY)
        self._process_id = session.process_id = self._service.registry.admit(secret, session.cancel)
        self._wire.send(self._core.answers.backend_key(self._process_id, secret))
        self._ready(session, statements)
        return statements

    async def _greet(self) -> m.Startup | None:
        """Answer the requests for encryption, and a request to cancel, until the client says who it is."""
        while True:
            match await self._next():
                case m.SslRequest():
                    self._core.receive(self._wire.stop_reading())
                    self._wire.send(self._core.accept_tls())
                    await self._wire.start_tls(self._service.certificate.context)
                    self._core.tls_started()
                case m.GssEncRequest():
                    self._wire.send(self._core.refuse_gss())
                case m.CancelRequest(process_id=process_id, secret=secret):
                    await self._service.registry.cancel(process_id, secret)
                    return None
                case m.Startup() as startup:
                    return startup
                case _:
                    return None

    async def _open(self, startup: m.Startup, settings: dict[str, str]) -> ClientSession:
        with self._service.registry.place():
            self._session = await self._service.backend.open_session(
                user=startup.parameters["user"],
                database=startup.parameters.get("database"),
                parameters=settings,
                client=self._wire.address,
            )
        return self._session

    # --- statements ------------------------------------------------------------------------------------------------

    async def _converse(self, statements: Statements) -> None:
        assert self._session is not None
        while True:
            event = await self._next()
            if event is None or isinstance(event, m.Terminate):
                return
            try:
                await statements.handle(event)
            except FairleadError as error:
                self._wire.send(self._core.failed(error))
            except ClientGone:
                raise
            except Exception as error:  # noqa: BLE001  # a defect ends the statement, not the session
                self._wire.send(self._core.failed(_internal(error)))
            if self._core.state in (State.SIMPLE, State.SYNCING):
                self._ready(self._session, statements)

    def _ready(self, session: ClientSession, statements: Statements) -> None:
        self._wire.send(statements.end_of_answer() + self._core.ready(session.transaction_status))

    async def _copy_in(self, copy: CopyIn) -> None:
        """Have the client send the data of a COPY, until it has sent all or the statement wants no more.

        Raises:
            ClientGone: it is.
        """
        self._wire.send(self._core.copy_in(copy.columns))
        intake = copy.intake
        ending = asyncio.ensure_future(intake.unwanted())
        try:
            while intake.wanted:
                match await self._next_unless(ending):
                    case m.CopyData(data=data):
                        await intake.write(data)
                    case m.CopyDone():
                        await intake.finish()
                    case m.CopyFail(reason=reason):
                        intake.fail(QueryCanceled(f"COPY from stdin failed: {reason}"))
                    case m.Refused(error=error):
                        intake.fail(error)
                    case m.Terminate():
                        raise ClientGone
        finally:
            ending.cancel()

    async def _next_unless(self, ending: asyncio.Future[None]) -> Event | None:
        """Return the next message, None when the wait for it has ended otherwise.

        Raises:
            ClientGone: the client is.
        """
        if (event := self._core.next_event()) is not None:
            return event
        reading = asyncio.ensure_future(self._next())
        try:
            await asyncio.wait((reading, ending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not reading.done():
                reading.cancel()
        if not reading.done():
            return None
        if (event := reading.result()) is None:
            raise ClientGone
        return event

    async def _exchange(self, data: bytes) -> Event | None:
        self._wire.send(data)
        return await self._next()

    async def _next(self) -> Event | None:
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
        self._service.registry.leave(self._process_id)
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
