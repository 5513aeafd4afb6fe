"""One request of a worker that has been authenticated: judged, recorded, sent to the store, answered."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fairlead.egress import causes, listing, replies, sigv4
from fairlead.egress.causes import Failure
from fairlead.egress.door import Alias
from fairlead.egress.grants import route
from fairlead.egress.http1 import PeerGone
from fairlead.egress.operations import Operation
from fairlead.egress.paths import Place
from fairlead.egress.shipment import Upload
from fairlead.egress.stores import Body, Request
from fairlead.errors import FairleadError, StoreError, StoreUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.access.rules import Action, Rule
    from fairlead.context import Principal
    from fairlead.egress.door import Door
    from fairlead.egress.grants import Route
    from fairlead.egress.http1 import Stream
    from fairlead.egress.operations import Call
    from fairlead.egress.statement import Flight, Statement, Use
    from fairlead.egress.stores import Answer, StoreClient, Stores

_METHODS = {
    Operation.GET: "GET",
    Operation.HEAD: "HEAD",
    Operation.LIST: "GET",
    Operation.PUT: "PUT",
    Operation.DELETE: "DELETE",
    Operation.CREATE_UPLOAD: "POST",
    Operation.UPLOAD_PART: "PUT",
    Operation.COMPLETE_UPLOAD: "POST",
    Operation.ABORT_UPLOAD: "DELETE",
}

_ONE_PART: Final = (
    '<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<Part><ETag>&quot;{etag}&quot;</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>"
)


class WorkerGone(ConnectionError):
    """The worker closed its connection."""


class StoreFailed(Exception):
    """A store's answer was no success.

    Args:
        failure: what it means.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.error.message)
        self.failure = failure


class Rights:
    """Asks for rights and targets; the same for all doors.

    Args:
        rules: of a principal, in force now.
        version: of a connection, now.
        stores: the clients.
    """

    def __init__(
        self, rules: Callable[[Principal], tuple[Rule, ...]], version: Callable[[int], str], stores: Stores
    ) -> None:
        self._rules = rules
        self._version = version
        self._stores = stores

    def admit(self, call: Call, door: Door, statement: Statement) -> Admitted:
        """Judge and record a request, and only then open the connection.

        Raises:
            PermissionDenied: no right; recorded.
            LedgerUnavailable: the use could not be recorded.
            FairleadError: the connection cannot be opened.
        """
        try:
            found = route(call.place, call.action, self._rules(door.principal()), door.aliases)
        except FairleadError as error:
            alias = door.aliases.get(call.place.bucket)
            place = Place(alias.bucket if alias else call.place.bucket, call.place.key)
            statement.refused(call.action.value, str(place), error)
            raise
        return Admitted(call, *self._opened(found, call.action, statement))

    def admit_own(
        self, connection_id: int, place: Place, action: Action, principal: Principal, statement: Statement
    ) -> tuple[Route, Use, str, StoreClient]:
        """Judge and record a request that the gateway itself makes for a statement.

        Raises:
            PermissionDenied, LedgerUnavailable, FairleadError: as ``admit``.
        """
        aliases = {place.bucket: Alias(connection_id, place.bucket)}
        return self._opened(route(place, action, self._rules(principal), aliases), action, statement)

    def _opened(self, found: Route, action: Action, statement: Statement) -> tuple[Route, Use, str, StoreClient]:
        version = self._version(found.connection_id)
        use = statement.use(found, action, version)
        connection, client = self._stores.client(found.connection_id, version)
        return found, use, connection, client


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may be sent."""

    call: Call
    route: Route
    use: Use
    connection: str
    client: StoreClient


class Exchange:
    """Carries out one admitted request.

    Args:
        admitted: the request.
        statement: whose it is.
        flight: takes the store's socket.
        worker: the connection to the worker.
    """

    def __init__(self, admitted: Admitted, statement: Statement, flight: Flight, worker: Stream) -> None:
        self._call = admitted.call
        self._route = admitted.route
        self._place = admitted.route.place
        self._connection_id = admitted.route.connection_id
        self._use = admitted.use
        self._connection = admitted.connection
        self._client = admitted.client
        self._statement = statement
        self._flight = flight
        self._worker = worker
        self.body_taken = False

    def run(self) -> None:
        """Send the request and answer the worker.

        Raises:
            StoreFailed: the store refused; nothing has been said to the worker.
            FairleadError: the store could not be asked; the same.
            WorkerGone: nobody is there to be answered.
        """
        match self._call.operation:
            case Operation.GET:
                self._get()
            case Operation.HEAD:
                self._head()
            case Operation.LIST:
                self._list()
            case Operation.PUT | Operation.UPLOAD_PART:
                self._put()
            case Operation.CREATE_UPLOAD:
                self._create_upload()
            case Operation.COMPLETE_UPLOAD:
                self._complete_upload()
            case Operation.DELETE | Operation.ABORT_UPLOAD:
                self._delete()

    def _get(self) -> None:
        headers = {} if self._call.range is None else {"range": self._call.range}
        with self._ask(headers=headers) as answer:
            length = answer.length
            if length is None:
                raise StoreError(f"the store of connection {self._connection} sent {self._place} without its length")
            first = replies.head(answer.status, replies.object_headers(answer.headers))
            try:
                answer.relay(first, self._say)
            except PeerGone as error:
                lost = StoreUnreachable(f"the connection to the store broke while {self._place} was read")
                self._statement.failed(Failure(lost, 424, "StoreUnreachable", passing=True))
                raise WorkerGone from error  # what has been sent cannot be taken back; the worker sees a short body
            self._use.bytes_read += length

    def _head(self) -> None:
        with self._ask() as answer:
            self._say(replies.head(answer.status, replies.object_headers(answer.headers)))

    def _list(self) -> None:
        with self._ask(place=Place(self._place.bucket, "")) as answer:
            data = answer.document()
            self._use.bytes_read += len(data)
        self._refuse_hidden_error(data)
        rule = self._route.rule
        if rule.closed:
            encoded = dict(self._call.query).get("encoding-type") == "url"
            data = listing.without(data, lambda name: rule.shows(self._place.bucket, name), encoded=encoded)
        self._say(replies.document(200, data))

    def _put(self) -> None:
        if self._call.operation is Operation.UPLOAD_PART:
            upload = self._require_upload()
            etag = self._put_part(upload, dict(self._call.query)["partNumber"])
        elif self._statement.shipment is not None:
            upload = self._open_upload()
            etag = self._put_part(upload, "1")
            upload.parts = _ONE_PART.format(etag=etag.strip('"')).encode()
        else:
            self.body_taken = True
            with self._ask(body=Body(self._worker, self._call.length)) as answer:
                answer.document()
                etag = answer.headers.get("etag", "")
            self._use.bytes_written += self._call.length
        self._say(replies.head(200, {"content-length": "0"} | ({"etag": etag} if etag else {})))

    def _put_part(self, upload: Upload, number: str) -> str:
        """Send the body as a part of an upload, return its ETag."""
        self.body_taken = True
        self._place = upload.place
        query = (("partNumber", number), ("uploadId", upload.upload_id))
        with self._ask(body=Body(self._worker, self._call.length), query=query) as answer:
            answer.document()
        self._use.bytes_written += self._call.length
        upload.sizes[number] = self._call.length
        return answer.headers.get("etag", "")

    def _create_upload(self) -> None:
        upload = self._open_upload()
        place = self._call.place
        self._say(replies.document(200, replies.upload_opened(place.bucket, place.key, upload.upload_id)))

    def _open_upload(self) -> Upload:
        """Open an upload at the store: into the journal first, so that it is aborted whatever happens."""
        self._place, entry = self._statement.intend(self._route)
        try:
            with self._ask(Operation.CREATE_UPLOAD, query=(("uploads", ""),)) as answer:
                upload_id = causes.upload_id(answer.document())
        except StoreFailed as error:
            journal = self._statement.journal
            # A store that says no has opened none; one that failed itself may have.
            (journal.release if error.failure.passing else journal.forget)([entry])
            raise
        except BaseException:
            self._statement.journal.release([entry])
            raise
        if upload_id is None:
            self._statement.journal.release([entry])
            raise StoreError(f"the store of connection {self._connection} opened an upload without an id")
        upload = Upload(self._client, self._connection_id, self._route.place, self._place, upload_id, entry)
        self._statement.opened(upload)
        return upload

    def _complete_upload(self) -> None:
        upload = self._require_upload()
        parts = self._worker.read_exactly(self._call.length)
        self.body_taken = True
        if self._statement.shipment is not None:
            upload.parts = parts
            etag = hashlib.md5(parts, usedforsecurity=False).hexdigest()  # of no meaning: the object is not there yet
        else:
            self._place = upload.place
            with self._ask(body=parts) as answer:
                data = answer.document()
            self._refuse_hidden_error(data)
            self._statement.closed(upload)
            etag = causes.etag(data)
        place = self._call.place
        self._say(replies.document(200, replies.upload_completed(place.bucket, place.key, etag)))

    def _delete(self) -> None:
        if self._call.operation is Operation.ABORT_UPLOAD:
            upload = self._require_upload()
            self._place = upload.place
            with self._ask() as answer:
                answer.document()
            self._statement.closed(upload)
        else:
            with self._ask() as answer:
                answer.document()
        self._say(replies.head(204, {}))

    def _ask(
        self,
        operation: Operation | None = None,
        *,
        place: Place | None = None,
        query: tuple[tuple[str, str], ...] | None = None,
        headers: dict[str, str] | None = None,
        body: bytes | Body = b"",
    ) -> Answer:
        """Send the request, or one that stands for it, and return the answer if it is a success."""
        operation = operation or self._call.operation
        sent = dict(headers or {})
        if self._call.content_type is not None and self._call.length:
            sent["content-type"] = self._call.content_type
        request = Request(
            _METHODS[operation],
            place or self._place,
            self._call.query if query is None else query,
            sent,
            self._call.payload_hash if body else sigv4.EMPTY_SHA256,
            body,
        )
        answer = self._client.send(request, self._flight.watch)
        if 200 <= answer.status < 300:  # noqa: PLR2004
            return answer
        with answer:
            document = answer.document()
        if self._call.operation is Operation.HEAD:
            document = self._reason()
        failure = causes.from_answer(answer.status, answer.headers, document, self._place, self._connection)
        raise StoreFailed(failure)

    def _reason(self) -> bytes:
        """Ask again with GET for one byte: the answer to a HEAD has no body, so it cannot say why."""
        request = Request("GET", self._place, (), {"range": "bytes=0-0"})
        with self._client.send(request, self._flight.watch) as answer:
            return answer.document() if answer.status >= 300 else b""  # noqa: PLR2004

    def _require_upload(self) -> Upload:
        upload = self._statement.upload(self._connection_id, self._place, self._call.upload_id or "")
        if upload is None:
            error = StoreError(f"no upload of this statement is open at {self._place}")
            raise StoreFailed(Failure(error, 404, "NoSuchUpload"))
        return upload

    def _refuse_hidden_error(self, data: bytes) -> None:
        code = causes.error_code(data)
        if code is not None:
            raise StoreFailed(causes.from_answer(400, {}, data, self._place, self._connection))

    def _say(self, data: bytes | memoryview) -> None:
        try:
            self._worker.sock.sendall(data)
        except OSError as error:
            raise WorkerGone from error
