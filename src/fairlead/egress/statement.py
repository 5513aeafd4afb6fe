"""What one statement does outside: its rows in the ledger, its counts, its open uploads, and why it failed.

Fail closed: the first use of a connection, action and bucket writes its row before anything else happens; while the row
cannot be written, nothing is sent and no credential is opened.
"""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog

from fairlead.egress import causes
from fairlead.egress.door import StatementUse
from fairlead.egress.journal import Entry, Journal
from fairlead.egress.stores import Request
from fairlead.errors import FairleadError, LedgerUnavailable, PermissionDenied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fairlead.access.rules import Action
    from fairlead.context import Context
    from fairlead.egress.causes import Failure
    from fairlead.egress.door import UseLedger
    from fairlead.egress.grants import Route
    from fairlead.egress.paths import Place
    from fairlead.egress.shipment import Shipment, Upload
    from fairlead.egress.stores import StoreClient

_log = structlog.get_logger("fairlead.egress")
_GRACE: Final = 0.05  # seconds in which answers that are through already are booked
_CUT: Final = 5.0  # seconds in which a cut exchange must end
_MAX_REFUSALS: Final = 100  # rows of one statement: a worker must not be able to flood the ledger


@dataclass(slots=True)
class Use:
    """The account of one row in the ledger."""

    use_id: int
    requests: int = 0
    bytes_read: int = 0
    bytes_written: int = 0


@dataclass(eq=False, slots=True)
class Flight:
    """One exchange under way, with the sockets to cut to end it."""

    sockets: list[socket.socket] = field(default_factory=list)

    def watch(self, sock: socket.socket) -> None:
        """Add a socket."""
        self.sockets.append(sock)

    def cut(self) -> None:
        """End the exchange from another thread."""
        for sock in list(self.sockets):
            # The method of the plain socket: that of a TLS socket would let its reader see ciphertext.
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


class Statement:
    """One running statement.

    Args:
        context: of the statement.
        ledger: takes the rows.
        journal: takes what must be cleared away even if this process is killed.
        shipment: holds what is written until the end; None lets every object appear as soon as it is complete.
    """

    def __init__(
        self,
        context: Callable[[], Context],
        ledger: UseLedger,
        journal: Journal | None = None,
        shipment: Shipment | None = None,
    ) -> None:
        self.shipment = shipment
        self.journal = journal or Journal()
        self._context = context
        self._ledger = ledger
        self._lock = threading.Lock()
        self._landed = threading.Condition(self._lock)
        self._ended = False
        self._flights: set[Flight] = set()
        self._uses: dict[tuple[int, str, Action, str], Use] = {}
        self._uploads: dict[tuple[int, Place, str], Upload] = {}
        self._refusals: set[tuple[str, str, str]] = set()
        self._cause: FairleadError | None = None
        self._passing: FairleadError | None = None

    @contextmanager
    def flight(self) -> Iterator[Flight]:
        """Keep the statement from being closed while an exchange is under way.

        Raises:
            PermissionDenied: the statement has ended.
        """
        flight = Flight()
        with self._lock:
            if self._ended:
                raise outside_statement()
            self._flights.add(flight)
        try:
            yield flight
        finally:
            with self._lock:
                self._flights.discard(flight)
                self._landed.notify_all()

    def use(self, route: Route, action: Action, version: str) -> Use:
        """Return the account of a use, its row written at the first time.

        Raises:
            LedgerUnavailable: the row could not be written, so the credential must not be used.
        """
        key = (route.connection_id, version, action, route.place.bucket)
        with self._lock:
            use = self._uses.get(key)
            if use is None:
                use_id = self._ledger.begin(
                    self._context(),
                    connection_id=route.connection_id,
                    connection=route.rule.connection,
                    via=route.rule.via,
                    version=version,
                    action=action.value,
                    location=f"s3://{route.place.bucket}/{route.rule.prefix}",
                )
                use = self._uses[key] = Use(use_id)
            use.requests += 1
        return use

    def refused(self, action: str, location: str, error: FairleadError) -> None:
        """Record a refusal; the request is refused in any case, whether or not the row can be written."""
        row = (action, location[:512], error.message[:512])
        with self._lock:
            if row in self._refusals or len(self._refusals) >= _MAX_REFUSALS:
                return
            self._refusals.add(row)
        try:
            self._ledger.refused(self._context(), connection="", action=row[0], location=row[1], reason=row[2])
        except LedgerUnavailable as failure:
            _log.error("a refusal could not be recorded", reason=failure.message)

    def failed(self, failure: Failure) -> None:
        """Keep the first failure; one that may pass is blamed only if no other is there."""
        with self._lock:
            if failure.passing:
                self._passing = self._passing or failure.error
            else:
                self._cause = self._cause or failure.error

    def intend(self, route: Route) -> tuple[Place, int]:
        """Return the real name of an object that an upload is about to be opened for, and its line in the journal.

        Raises:
            PermissionDenied: the object is none that this statement may write.
            StoreError: the journal cannot be written, so the upload must not be opened.
        """
        shipment = self.shipment
        target = shipment.target if shipment is not None else None
        place = route.place if shipment is None else shipment.name(route.place)
        entry = self.journal.write(
            Entry(
                *(route.connection_id, route.rule.connection, "" if target is None else target.store),
                *(place.bucket, place.key),
                export="" if shipment is None else shipment.id,
                folder=None if target is None else target.folder,
            )
        )
        return place, entry.id

    def opened(self, upload: Upload) -> None:
        """Remember an upload, to be aborted unless it ends before the statement."""
        self.journal.opened(upload.entry, upload.upload_id)
        with self._lock:
            late = self._ended
            self._uploads[upload.connection_id, upload.asked, upload.upload_id] = upload
        if late:
            self.abort(upload)

    def upload(self, connection_id: int, asked: Place, upload_id: str) -> Upload | None:
        """Return an upload that this statement opened, None if it has not, or it has ended."""
        with self._lock:
            return self._uploads.get((connection_id, asked, upload_id))

    def uploads(self) -> list[Upload]:
        """Return what is open, in the order of opening."""
        with self._lock:
            return list(self._uploads.values())

    def closed(self, upload: Upload, *, listed: bool = False) -> None:
        """Forget an upload that was completed or aborted.

        Args:
            upload: the upload.
            listed: whether its line stays in the journal until a manifest lists the object.
        """
        with self._lock:
            self._uploads.pop((upload.connection_id, upload.asked, upload.upload_id), None)
        if not listed:
            self.journal.forget([upload.entry])

    @property
    def bytes_written(self) -> int:
        """Bytes sent to stores so far."""
        with self._lock:
            return sum(use.bytes_written for use in self._uses.values())

    @property
    def untouched(self) -> bool:
        """Whether nothing was asked of it so far, so that its end has nothing to wait for or to write."""
        with self._lock:
            return not (self._flights or self._uses or self._uploads)

    def end(self, outcome: str) -> StatementUse:
        """End the statement: cut what still runs, abort open uploads, write the final rows.

        Args:
            outcome: ``ok``, or how it ended instead; for the ledger.
        """
        with self._lock:
            self._ended = True
            self._landed.wait_for(lambda: not self._flights, _GRACE)
            for flight in self._flights:
                flight.cut()
            self._landed.wait_for(lambda: not self._flights, _CUT)
            uses = list(self._uses.values())
        with self.shipment.delivering if self.shipment is not None else nullcontext():
            for upload in self.uploads():
                self.abort(upload)
        if self.shipment is not None:
            self.shipment.release()
        for use in uses:
            self._finish(use, outcome)
        return StatementUse(
            cause=None if outcome == "ok" else self._cause or self._passing,
            requests=sum(use.requests for use in uses),
            bytes_read=sum(use.bytes_read for use in uses),
            bytes_written=sum(use.bytes_written for use in uses),
        )

    def abort(self, upload: Upload) -> bool:
        """Abort an upload; one that cannot be is left to the journal. Return False if it had been completed."""
        try:
            aborted = abort_upload(upload.client, upload.place, upload.upload_id)
        except FairleadError as error:
            _log.warning("an upload could not be aborted", place=str(upload.place), reason=error.message)
            self.closed(upload, listed=True)
            self.journal.release([upload.entry])
            return True
        self.closed(upload)
        return aborted

    def _finish(self, use: Use, outcome: str) -> None:
        try:
            self._ledger.finish(
                use.use_id,
                requests=use.requests,
                bytes_read=use.bytes_read,
                bytes_written=use.bytes_written,
                outcome=outcome,
            )
        except LedgerUnavailable as failure:
            # The use itself is recorded; only its account is missing.
            _log.error("the account of a use could not be recorded", use_id=use.use_id, reason=failure.message)


def outside_statement() -> PermissionDenied:
    """Return the refusal of a request that no running statement can have sent."""
    return PermissionDenied("permission denied: no statement of this session runs")


def abort_upload(client: StoreClient, place: Place, upload_id: str) -> bool:
    """Abort an upload; return False if there is none, because it was completed or aborted.

    Raises:
        FairleadError: the store cannot be reached, or refuses.
    """
    with client.send(Request("DELETE", place, (("uploadId", upload_id),))) as answer:
        document = answer.document()
    if answer.status == 404:  # noqa: PLR2004
        return False
    if answer.status != 204:  # noqa: PLR2004
        raise causes.from_answer(answer.status, answer.headers, document, place, "of the upload").error
    return True
