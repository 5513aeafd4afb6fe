"""Works off what the journal of uploads holds and no statement answers for: at the start, and after a store was away.

The rule: an open upload is aborted; then an object of a folder goes unless the manifest lists it. Whether the export
was finished is thereby decided by the store, where readers look, and not by what this process remembers.
"""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from fairlead.access.rules import EVERYTHING, Action, Rule
from fairlead.context import Context, Principal
from fairlead.egress import listing
from fairlead.egress.delivery import delete, read_manifest
from fairlead.egress.grants import Route
from fairlead.egress.paths import Place
from fairlead.egress.shipment import MANIFEST
from fairlead.egress.statement import Statement, abort_upload
from fairlead.errors import FairleadError, ObjectInUse, ObjectNotReady, UndefinedFile, UndefinedObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.egress.claims import Claims
    from fairlead.egress.door import UseLedger
    from fairlead.egress.journal import Entry, Journal
    from fairlead.egress.stores import StoreClient, Stores

_log = structlog.get_logger("fairlead.egress")
_SOON: Final = 0.5  # seconds
_LATEST: Final = 60.0  # seconds
_CLOCKS: Final = timedelta(minutes=15)  # stores refuse requests of clocks that differ by more
_GATEWAY: Final = Context("", "", Principal(0, "(gateway)", frozenset(), is_superuser=False))
_VIA: Final = "journal of uploads"


class Sweeper:
    """Runs in a thread of its own.

    Args:
        journal: what is left.
        claims: keeps a folder to one export at a time.
        stores: the clients.
        version: of a connection, now.
        ledger: takes the rows of these uses.
    """

    def __init__(
        self, journal: Journal, claims: Claims, stores: Stores, version: Callable[[int], str], ledger: UseLedger
    ) -> None:
        self._journal = journal
        self._claims = claims
        self._stores = stores
        self._version = version
        self._ledger = ledger
        self._poked = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="egress-sweeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def poke(self) -> None:
        """Say that something may be left."""
        self._poked.set()

    def stop(self) -> None:
        """End, after the request that is under way."""
        self._stopped = True
        self._poked.set()
        if self._thread.is_alive():
            self._thread.join(_LATEST)

    def _run(self) -> None:
        pause = _SOON
        while not self._stopped:
            self._poked.clear()
            left = self.sweep()
            pause = min(2 * pause, _LATEST) if left else _SOON
            self._poked.wait(pause if left else None)

    def sweep(self) -> int:
        """Work off what can be; return how many lines are left."""
        entries = self._journal.left()
        statement = Statement(lambda: _GATEWAY, self._ledger, self._journal)
        left = 0
        for entry in entries:
            if self._stopped:
                break
            try:
                self._work_off(entry, statement)
            except (UndefinedObject, LookupError):
                _log.warning("an upload is left: its connection is gone", place=f"s3://{entry.bucket}/{entry.key}")
                self._journal.forget([entry.id])
            except ObjectInUse:
                left += 1
            except FairleadError as error:
                left += 1
                if not isinstance(error, ObjectNotReady):
                    _log.warning("an upload could not be cleared away yet", key=entry.key, reason=error.message)
            else:
                self._journal.forget([entry.id])
        if entries:
            statement.end("ok" if not left else "failed")
        return left

    def _work_off(self, entry: Entry, statement: Statement) -> None:
        place = Place(entry.bucket, entry.key)
        client, connection = self._client(entry, place, Action.WRITE, statement)
        if entry.old:
            pass
        elif entry.upload_id is not None:
            abort_upload(client, place, entry.upload_id)
        else:
            for upload_id, begun in listing.uploads(client, connection, place):
                if begun >= entry.at - _CLOCKS:
                    abort_upload(client, place, upload_id)
        if entry.folder is not None:
            with self._claims.held((entry.store, entry.bucket, entry.folder)):
                self._remove_unlisted(entry, entry.folder, client, statement)

    def _remove_unlisted(self, entry: Entry, folder: str, client: StoreClient, statement: Statement) -> None:
        try:
            export, listed = read_manifest(client, Place(entry.bucket, folder + MANIFEST))
        except UndefinedFile:
            return  # the bucket is gone
        if entry.key[len(folder) :] in listed or (entry.old and export != entry.export):
            return
        place = Place(entry.bucket, entry.key)
        self._client(entry, place, Action.DELETE, statement)
        delete(client, place)

    def _client(self, entry: Entry, place: Place, action: Action, statement: Statement) -> tuple[StoreClient, str]:
        """Return the client of an entry's connection; the use is recorded before."""
        version = self._version(entry.connection_id)
        rule = Rule(entry.connection_id, place.bucket, "", EVERYTHING, _VIA, connection=entry.connection)
        statement.use(Route(entry.connection_id, place, rule), action, version)
        connection, client = self._stores.client(entry.connection_id, version)
        return client, connection
