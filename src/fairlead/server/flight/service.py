"""Arrow's Flight server: each call, in a thread of Arrow's, is read, handed to the gateway's loop, and answered.

What a call may do stands in ``calls.py``; here is only what pyarrow wants of a server. A call that fails ends with an
error of ``failures.py``, whatever it was, so that no traceback leaves the gateway.
Source: arrow.apache.org, "Flight RPC" and "Flight SQL".
"""

from __future__ import annotations

import functools
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, Final

import pyarrow.flight as fl

from fairlead.errors import LoginRefused, NotSupported, QueryCanceled
from fairlead.server.flight import failures, messages
from fairlead.server.flight.connections import Connections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from fairlead.server.flight.calls import Calls
    from fairlead.server.flight.gate import Gate

_KEY: Final = "fairlead"


class _NoHandshake(fl.ServerAuthHandler):  # type: ignore[misc]  # pyarrow ships no types
    """Lets a handshake succeed: the middleware has done the login before."""

    def authenticate(self, outgoing: Any, incoming: Any) -> None:
        """Do nothing."""

    def is_valid(self, token: bytes) -> bytes:  # noqa: ARG002  # the middleware looks at the real token
        """Name nobody."""
        return b""


class _Passed(fl.ServerMiddleware):  # type: ignore[misc]  # pyarrow ships no types
    """One call that was let in: its token, and the place that it holds."""

    def __init__(self, gate: Gate, token: str, *, fresh: bool) -> None:
        self.token = token
        self._gate = gate
        self._fresh = fresh

    def sending_headers(self) -> dict[str, str]:
        """Hand out the token of a login."""
        return {"authorization": f"Bearer {self.token}"} if self._fresh else {}

    def call_completed(self, exception: Exception | None) -> None:  # noqa: ARG002  # part of the interface
        """Leave the place to the next."""
        self._gate.leave(self.token)


class _Entrance(fl.ServerMiddlewareFactory):  # type: ignore[misc]  # pyarrow ships no types
    """Lets calls in: a handshake with a password, all others with a token."""

    def __init__(self, gate: Gate, scrub: Callable[[str], str]) -> None:
        self._gate = gate
        self._scrub = scrub

    def start_call(self, info: Any, headers: dict[str, list[str]]) -> _Passed:
        """Return what the call is known by."""
        fresh = info.method == fl.FlightMethod.HANDSHAKE
        try:
            token = self._gate.login(headers) if fresh else self._gate.enter(headers)
        except BaseException as error:  # noqa: BLE001  # pyarrow would show the traceback of any other
            raise _entrance_error(error, self._scrub) from None
        return _Passed(self._gate, token, fresh=fresh)


def _entrance_error(error: BaseException, scrub: Callable[[str], str]) -> Exception:
    told: Exception = failures.told(error, scrub)
    if not isinstance(told, fl.FlightError):
        told = fl.FlightUnauthenticatedError(str(told))
    return told


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    """Have every error of a method end the call as one of ``failures.py``."""

    @functools.wraps(method)
    def guarded(self: Service, *arguments: Any) -> Any:
        try:
            return method(self, *arguments)
        except BaseException as error:  # noqa: BLE001  # the same
            raise self.told(error) from None

    return guarded


class Service(fl.FlightServerBase):  # type: ignore[misc]  # pyarrow ships no types
    """The server.

    Args:
        location: URI to listen on.
        certificate: PEM, with its chain.
        key: PEM.
        gate: lets calls in.
        calls: answers them.
        scrub: takes secrets out of texts.
    """

    def __init__(
        self, location: str, certificate: bytes, key: bytes, gate: Gate, calls: Calls, scrub: Callable[[str], str]
    ) -> None:
        self._calls = calls
        self._scrub = scrub
        super().__init__(
            location,
            auth_handler=_NoHandshake(),
            tls_certificates=[(certificate, key)],
            middleware={_KEY: _Entrance(gate, scrub)},
        )
        self.connections = Connections(self.port)

    def told(self, error: BaseException) -> Exception:
        """Return the error that ends a call."""
        return failures.told(_cancelled(error), self._scrub)

    @_guarded
    def get_flight_info(self, context: Any, descriptor: Any) -> Any:
        """Run what a descriptor says, up to its first rows."""
        answer = self._calls.info(self._token(context), context, _command(descriptor))
        return fl.FlightInfo(answer.schema, descriptor, _endpoints(answer.ticket), answer.count, -1)

    def get_schema(self, context: Any, descriptor: Any) -> Any:
        """Say what rows a descriptor would give."""
        try:
            return fl.SchemaResult(self._calls.schema(self._token(context), context, _command(descriptor)))
        except BaseException as error:  # noqa: BLE001  # the same
            raise failures.bare(self.told(error)) from None

    @_guarded
    def do_get(self, context: Any, ticket: Any) -> Any:
        """Give the rows of a ticket."""
        schema, found = self._calls.rows(self._token(context), context, ticket.ticket)
        return fl.GeneratorStream(schema, self._rows(found))

    @_guarded
    def do_put(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:
        """Take parameters, updates or rows."""
        chunks = (chunk.data for chunk in reader)
        answer = self._calls.put(self._token(context), context, _command(descriptor), chunks, lambda: reader.schema)
        writer.write(answer)

    @_guarded
    def do_action(self, context: Any, action: Any) -> list[bytes]:
        """Do something beside statements."""
        return self._calls.action(self._token(context), context, action.type, action.body.to_pybytes())

    @_guarded
    def list_actions(self, context: Any) -> list[tuple[str, str]]:  # noqa: ARG002  # part of the interface
        """Name the actions."""
        return list(messages.ACTIONS.items())

    @_guarded
    def list_flights(self, context: Any, criteria: bytes) -> Any:  # noqa: ARG002  # part of the interface
        """Refuse: statements are not known before they are run."""
        raise NotSupported("flights are not listed", hint="run a statement")

    @_guarded
    def do_exchange(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:  # noqa: ARG002  # the same
        """Refuse: Flight SQL has no use for it."""
        raise NotSupported("DoExchange is not offered")

    def _rows(self, found: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:
            yield from found
        except Exception as error:  # noqa: BLE001  # the same
            raise self.told(error) from None

    def _token(self, context: Any) -> str:
        passed = context.get_middleware(_KEY)
        if not isinstance(passed, _Passed):
            raise LoginRefused("log in first")
        self.connections.proved(context.peer())
        return passed.token


def _cancelled(error: BaseException) -> BaseException:
    return QueryCanceled("the call has ended") if isinstance(error, CancelledError) else error


def _command(descriptor: Any) -> bytes:
    if descriptor.descriptor_type != fl.DescriptorType.CMD:
        raise NotSupported("only commands of Flight SQL are understood, not paths")
    return bytes(descriptor.command)


def _endpoints(ticket: bytes) -> list[Any]:
    return [fl.FlightEndpoint(fl.Ticket(ticket), [])] if ticket else []
