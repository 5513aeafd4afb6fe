"""The store proxy: speaks the S3 API to workers on a listening socket, one blocking thread per connection.

Every request is authenticated with the dummy key of an open door, read as one of ten operations at one plain place,
judged by the grants in force at that moment, and recorded, before a credential is opened or a packet leaves.
"""

from __future__ import annotations

import socket
import threading
import time
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Literal

import structlog

from fairlead.egress import causes, replies, sigv4
from fairlead.egress.door import STORE_KIND
from fairlead.egress.exchange import Exchange, StoreFailed, WorkerGone
from fairlead.egress.http1 import BadHttp, PeerGone, RequestHead, Stream, parse_request
from fairlead.egress.operations import Unsupported, classify
from fairlead.egress.paths import BadPath, Target, parse_path, parse_target
from fairlead.errors import FairleadError, NotSupported, PermissionDenied
from fairlead.observer import NOBODY, StoreRequest

if TYPE_CHECKING:
    from fairlead.egress.doors import Doors, OpenDoor
    from fairlead.egress.exchange import Rights
    from fairlead.egress.operations import Call
    from fairlead.egress.statement import Flight, Statement
    from fairlead.observer import Observer

_log = structlog.get_logger("fairlead.egress")
_HEAD_SECONDS: Final = 10.0  # for a whole head, from its first byte
_IDLE_SECONDS: Final = 60.0  # between two requests
_MAX_CONNECTIONS: Final = 4096
_DRAIN: Final = 256 * 1024 * 1024  # bytes of a refused body that are read, so that the worker can read the refusal


class Proxy:
    """Serves workers.

    Args:
        doors: whose keys are accepted.
        rights: judges and opens.
        timeout: seconds that a worker may be silent in the middle of a body.
        idle: seconds between two requests of a connection.
        head: seconds for a head.
        observer: is told of requests.
    """

    def __init__(
        self,
        doors: Doors,
        rights: Rights,
        timeout: float,
        *,
        idle: float = _IDLE_SECONDS,
        head: float = _HEAD_SECONDS,
        observer: Observer = NOBODY,
    ) -> None:
        self._observer = observer
        self._doors = doors
        self._rights = rights
        self._timeout = timeout
        self._idle = idle
        self._head = head
        self._listeners: list[socket.socket] = []
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def serve(self, listener: socket.socket) -> None:
        """Accept on a listening socket, in a thread of its own, until ``stop``."""
        listener.setblocking(True)
        with self._lock:
            self._listeners.append(listener)
        threading.Thread(target=self._accept, args=(listener,), name="egress-accept", daemon=True).start()

    def stop(self) -> None:
        """Close the listeners and cut every connection."""
        with self._lock:
            self._stopped = True
            for sock in (*self._listeners, *self._connections):
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            for listener in self._listeners:
                listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopped:
            try:
                sock, _ = listener.accept()
            except OSError as error:
                if not self._stopped:
                    _log.warning("a listener of the store proxy ended", reason=error.strerror)
                return
            with self._lock:
                full = len(self._connections) >= _MAX_CONNECTIONS
                if not full:
                    self._connections.add(sock)
            if full:
                sock.close()
                continue
            threading.Thread(target=self._connection, args=(sock,), name="egress-worker", daemon=True).start()

    def _connection(self, sock: socket.socket) -> None:
        connection = Connection(sock, self._doors, self._rights, self._timeout, self._observer)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                sock.settimeout(self._idle)
                if not connection.serve_one(self._head):
                    return
        except (WorkerGone, OSError):
            pass  # the worker went away, or was cut
        except Exception:  # noqa: BLE001  # one connection must not take the proxy down
            # Without the frames' variables: some of them hold what is sent to stores.
            _log.error("a connection of a worker failed", trace=traceback.format_exc())
        finally:
            connection.leave()
            with self._lock:
                self._connections.discard(sock)
            sock.close()


class Connection:
    """One connection of a worker. It belongs to the door of its first request."""

    def __init__(
        self, sock: socket.socket, doors: Doors, rights: Rights, timeout: float, observer: Observer = NOBODY
    ) -> None:
        self._observer = observer
        self._stream = Stream(sock)
        self._doors = doors
        self._rights = rights
        self._timeout = timeout
        self._door: OpenDoor | None = None

    def leave(self) -> None:
        """Leave the door."""
        if self._door is not None:
            self._door.leave(self._stream.sock)

    def serve_one(self, head_seconds: float) -> bool:
        """Serve one request; return whether the connection can be used again.

        Raises:
            WorkerGone, OSError: nobody is there any more.
        """
        try:
            raw = self._stream.read_head(seconds=head_seconds)
            if raw is None:
                return False
            head = parse_request(raw)
            target = parse_target(head.target)
        except (BadHttp, BadPath) as error:
            self._stream.sock.sendall(replies.document(400, replies.error("InvalidRequest", str(error)), close=True))
            return False
        self._stream.sock.settimeout(self._timeout)
        try:
            door = self._authenticate(head, target)
        except sigv4.BadSignature as error:
            return self._refuse(head, 403, "SignatureDoesNotMatch", str(error))
        try:
            statement = door.statement
            with statement.flight() as flight:
                flight.watch(self._stream.sock)
                return self._judge_and_run(head, target, door, statement, flight)
        except PermissionDenied as error:
            return self._refuse(head, 403, "AccessDenied", error.message)

    def _authenticate(self, head: RequestHead, target: Target) -> OpenDoor:
        claim = sigv4.parse_authorization(head.headers)
        door = self._doors.find(claim.key_id)
        if door is None:
            raise sigv4.BadSignature("the key is unknown here")
        sigv4.verify(
            claim, door.door.secret, method=head.method, path=target.path, query=target.query, headers=head.headers
        )
        if self._door is None and door.enter(self._stream.sock):
            self._door = door
        if self._door is not door:
            raise sigv4.BadSignature("the connection belongs to another key")
        return door

    def _judge_and_run(
        self, head: RequestHead, target: Target, door: OpenDoor, statement: Statement, flight: Flight
    ) -> bool:
        exchange: Exchange | None = None
        call: Call | None = None
        began = time.monotonic()
        try:
            call = _read(head, target, door, statement)
            admitted = self._rights.admit(call, door.door, statement)
            exchange = Exchange(admitted, statement, flight, self._stream)
            exchange.run()
        except StoreFailed as error:
            failure = error.failure
        except PeerGone as error:
            raise WorkerGone from error
        except FairleadError as error:
            failure = causes.from_error(error)
        else:
            self._note(door, call, "ok", began)
            return True
        self._note(door, call, "refused" if isinstance(failure.error, PermissionDenied) else "failed", began)
        statement.failed(failure)
        taken = exchange is not None and exchange.body_taken
        return self._refuse(head, failure.status, failure.code, failure.error.message, body_taken=taken)

    def _note(
        self, door: OpenDoor, call: Call | None, outcome: Literal["ok", "failed", "refused"], began: float
    ) -> None:
        operation = "OTHER" if call is None else call.operation.name
        request = StoreRequest(STORE_KIND, operation, outcome, time.monotonic() - began)
        self._observer.store_request(door.door.context(), request)

    def _refuse(self, head: RequestHead, status: int, code: str, message: str, *, body_taken: bool = False) -> bool:
        """Answer with an error; return whether the connection can be used again."""
        left = 0 if body_taken else head.length
        usable = left <= _DRAIN
        if usable:
            self._stream.pump(left, lambda _: None)
        bodyless = head.method == "HEAD"
        self._stream.sock.sendall(
            replies.document(status, replies.error(code, message), bodyless=bodyless, close=not usable)
        )
        return usable


def _read(head: RequestHead, target: Target, door: OpenDoor, statement: Statement) -> Call:
    """Return what a request asks for; a refusal is recorded."""
    try:
        return classify(head, parse_path(target.path), target)
    except (BadPath, Unsupported) as error:
        location = _shown(target, door)
        refusal = (
            PermissionDenied(f"permission denied for {location}: {error}")
            if isinstance(error, BadPath)
            else NotSupported(f"the store proxy refuses a request for {location}: {error}")
        )
        statement.refused(head.method, location, refusal)
        raise refusal from error


def _shown(target: Target, door: OpenDoor) -> str:
    """Return a raw path as the user knows it."""
    bucket, slash, key = target.path[1:].partition("/")
    alias = door.door.aliases.get(bucket)
    prefix = dict(target.query).get("prefix", "")
    return f"s3://{alias.bucket if alias else bucket}{slash}{key}{prefix}"[:512]
