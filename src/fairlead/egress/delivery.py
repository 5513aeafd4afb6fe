"""The end of a shipment: its objects are completed, then listed, and only then is what they replace removed.

An export into a folder counts with its manifest, which is written last: who reads the manifest sees all of an export or
nothing of it. A path that is not to be overwritten is completed under the condition that nothing is there, so that
also another gateway, or another program, cannot be overwritten by mistake.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import structlog

from fairlead.access.rules import Action
from fairlead.egress import causes, listing, sigv4
from fairlead.egress.journal import Entry
from fairlead.egress.paths import Place
from fairlead.egress.shipment import MANIFEST, PART
from fairlead.egress.stores import Request
from fairlead.errors import DuplicateFile, FairleadError, ObjectInUse, StoreError, StoreUnreachable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fairlead.egress.door import Door, ListedObject
    from fairlead.egress.exchange import Rights
    from fairlead.egress.shipment import Shipment, Target, Upload
    from fairlead.egress.statement import Statement
    from fairlead.egress.stores import Answer, StoreClient

_log = structlog.get_logger("fairlead.egress")
_NUMBERED: Final = re.compile(rf"{PART}([0-9]+)")
_ABSENT: Final = {"if-none-match": "*"}
_FORMAT: Final = "fairlead export"
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_UNCOUNTED: Final[Mapping[Place, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Delivered:
    """One object that is there now. ``asked``: as the worker called it; ``rows``: None where nobody knows."""

    asked: Place
    place: Place
    size: int
    etag: str
    rows: int | None = None


class Delivery:
    """Prepares and completes one statement's shipment. Every request is judged and recorded like a worker's.

    Args:
        shipment: what the statement sends.
        statement: whose it is.
        door: who asks.
        rights: judges and opens.
    """

    def __init__(self, shipment: Shipment, statement: Statement, door: Door, rights: Rights) -> None:
        self._shipment = shipment
        self._statement = statement
        self._door = door
        self._rights = rights
        self._old: list[str] = []
        self._manifest_etag = ""

    # --- before ------------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """See what is at the path of an export.

        Raises:
            DuplicateFile: something is, and it may not be replaced.
            FairleadError: the path cannot be looked at.
        """
        target = self._shipment.target
        if target is None:
            return
        self._admit(target.asked, Action.WRITE, target)
        found = self._below(target)
        if found and not target.overwrite:
            raise _exists(target)
        if target.folder is not None:
            self._old = [o.key for o in found if _NUMBERED.match(o.key[len(target.key) :])]
            numbers = [int(m[1]) for key in self._old if (m := _NUMBERED.match(key[len(target.key) :]))]
            # New parts never take the name of an old one: who reads by the old manifest sees the old rows.
            self._shipment.first = max(numbers, default=-1) + 1
            self._manifest_etag = next((o.etag for o in found if o.key == target.key + MANIFEST), "")

    def _below(self, target: Target) -> list[ListedObject]:
        """Return what is there: the one object, or everything below the folder."""
        where = Place(target.bucket, target.key)
        use, connection, client = self._admit(where, Action.LIST, target)
        found: list[ListedObject] = []
        for size, objects in listing.pages(client, connection, target.bucket, target.key):
            use.bytes_read += size
            found += [o for o in objects if target.folder is not None or o.key == target.key]
            if target.folder is None and (found or any(o.key > target.key for o in objects)):
                break  # listings are in order of keys, and the key itself comes first
            if found and not target.overwrite:
                break
        return [o for o in found if o.key != target.folder]  # some tools mark a folder with an empty object

    # --- at the end --------------------------------------------------------------------------------------------------

    def run(
        self, about: Mapping[str, Any] = _NOTHING, rows: Mapping[Place, int] = _UNCOUNTED, only: int | None = None
    ) -> tuple[Delivered, ...]:
        """Complete everything.

        Args:
            about: what the manifest says beside the files.
            rows: how many each object holds, by the worker's names.
            only: how many the object holds if there is only one.

        Returns:
            The objects, in the order in which the worker began them.

        Raises:
            FairleadError: something could not be completed; what was completed before is removed again.
        """
        with self._shipment.delivering:
            done: list[tuple[Delivered, Upload]] = []
            try:
                for upload in self._chosen():
                    one = self._complete(upload)
                    done.append((one, upload))
                only = only if len(done) == 1 else None
                delivered = tuple(replace(one, rows=rows.get(one.asked, only)) for one, _ in done)
                target = self._shipment.target
                if target is None or target.folder is None:
                    return delivered
                old = self._write_old(target)
                self._write_manifest(target, about, delivered)
            except FairleadError:
                self._undo(done)
                raise
            self._statement.journal.forget([upload.entry for _, upload in done])
            self._remove(target, old)
            return delivered

    def _chosen(self) -> list[Upload]:
        """Return the upload of each object; the engine may have begun one twice.

        Raises:
            StoreError: the worker never said that an object is complete.
        """
        chosen: dict[Place, Upload] = {}
        for upload in self._statement.uploads():
            before = chosen.setdefault(upload.place, upload)
            if before is not upload:
                better, worse = (before, upload) if before.parts is not None else (upload, before)
                chosen[upload.place] = better
                self._statement.abort(worse)
        unfinished = next((u for u in chosen.values() if u.parts is None and u.sizes), None)
        if unfinished is not None:
            raise StoreError(f"the object {unfinished.place} was not written to its end")
        return list(chosen.values())

    def _complete(self, upload: Upload) -> Delivered:
        target = self._shipment.target
        self._admit(upload.place, Action.WRITE, target, upload.connection_id)
        condition = {} if target is None or (target.overwrite and target.folder is None) else _ABSENT
        if upload.parts is None:  # the engine opens an upload for an empty file, and leaves it at that
            etag = self._put(upload.client, upload.place, b"", condition)
            self._statement.abort(upload)
            return Delivered(upload.asked, upload.place, 0, etag)
        request = Request(
            "POST",
            upload.place,
            (("uploadId", upload.upload_id),),
            {"content-type": "application/xml", **condition},
            hashlib.sha256(upload.parts).hexdigest(),
            upload.parts,
        )
        try:
            data, _ = self._send(upload.client, request)
        except StoreUnreachable:
            # Nobody knows whether it was completed; an upload that cannot be aborted any more was.
            if self._statement.abort(upload):
                raise
            data = b""
        self._statement.closed(upload, listed=target is not None and target.folder is not None)
        return Delivered(upload.asked, upload.place, upload.size, causes.etag(data))

    def _write_manifest(self, target: Target, about: Mapping[str, Any], delivered: Sequence[Delivered]) -> None:
        files = [
            {"name": one.place.key[len(target.key) :], "rows": one.rows, "bytes": one.size, "etag": one.etag}
            for one in delivered
        ]
        body = {"type": _FORMAT, "version": 1, "id": self._shipment.id, **about, "files": files}
        _, _, client = self._admit(target.manifest, Action.WRITE, target)
        condition = {"if-match": f'"{self._manifest_etag}"'} if self._manifest_etag else _ABSENT
        try:
            self._put(client, target.manifest, json.dumps(body, indent=1).encode() + b"\n", condition)
        except DuplicateFile:
            if target.overwrite:
                message = f'another program has exported to "{target}" meanwhile'
                raise ObjectInUse(message, hint="run the statement again") from None
            raise

    def _write_old(self, target: Target) -> list[int]:
        """Note what goes when the manifest is there."""
        journal, connection_id = self._statement.journal, target.connection_id
        fields = (connection_id, target.connection, target.store, target.bucket)
        export = self._shipment.id
        return [
            journal.write(Entry(*fields, key=key, export=export, folder=target.folder, old=True)).id
            for key in self._old
        ]

    def _remove(self, target: Target, entries: Sequence[int]) -> None:
        """Remove the parts that the manifest no longer lists; one that stays is left to the journal."""
        for entry, key in zip(entries, self._old, strict=True):
            place = Place(target.bucket, key)
            try:
                _, _, client = self._admit(place, Action.DELETE, target)
                delete(client, place)
            except FairleadError as error:
                _log.warning("an old part could not be removed", place=str(place), reason=error.message)
                self._statement.journal.release([entry])
            else:
                self._statement.journal.forget([entry])

    def _undo(self, done: Sequence[tuple[Delivered, Upload]]) -> None:
        """Remove what was completed of an export that failed; the objects of a COPY stay."""
        target = self._shipment.target
        if target is None or (target.folder is None and target.overwrite):
            return
        for one, upload in done:
            try:
                delete(upload.client, one.place)
            except FairleadError as error:
                _log.warning("a part could not be removed", place=str(one.place), reason=error.message)
                self._statement.journal.release([upload.entry])
            else:
                self._statement.journal.forget([upload.entry])

    # --- requests ----------------------------------------------------------------------------------------------------

    def _admit(
        self, place: Place, action: Action, target: Target | None, connection_id: int = 0
    ) -> tuple[Any, str, StoreClient]:
        through = target.connection_id if target is not None else connection_id
        _, use, connection, client = self._rights.admit_own(
            through, place, action, self._door.principal(), self._statement
        )
        return use, connection, client

    def _put(self, client: StoreClient, place: Place, body: bytes, condition: Mapping[str, str]) -> str:
        digest = hashlib.sha256(body).hexdigest()
        kind = {"content-type": "application/json"} if place.key.endswith(MANIFEST) else {}
        _, answer = self._send(client, Request("PUT", place, (), {**kind, **condition}, digest, body))
        return answer.headers.get("etag", "").strip('"')

    def _send(self, client: StoreClient, request: Request) -> tuple[bytes, Answer]:
        """Send a request that writes.

        Raises:
            DuplicateFile: its condition does not hold.
            FairleadError: any other failure.
        """
        with client.send(request) as answer:
            document = answer.document()
        code = causes.code_of(answer.status, document)
        if 200 <= answer.status < 300 and causes.error_code(document) is None:  # noqa: PLR2004
            return document, answer
        if answer.status == 412 or code in ("PreconditionFailed", "ConditionalRequestConflict"):  # noqa: PLR2004
            raise (
                _exists(self._shipment.target) if self._shipment.target else StoreError(f"{request.place} has changed")
            )
        conditional = {"if-none-match", "if-match"} & set(request.headers)
        if conditional and code == "NotImplemented":  # a store that cannot check: the look at the start must do
            plain = {name: value for name, value in request.headers.items() if name not in conditional}
            return self._send(client, replace(request, headers=plain))
        raise causes.from_answer(answer.status, answer.headers, document, request.place, self._name()).error

    def _name(self) -> str:
        return self._shipment.target.connection if self._shipment.target is not None else "of the upload"


def delete(client: StoreClient, place: Place) -> None:
    """Delete an object; one that is not there is no error.

    Raises:
        FairleadError: the store cannot be reached, or refuses.
    """
    with client.send(Request("DELETE", place)) as answer:
        document = answer.document()
    if answer.status not in (200, 204, 404):
        raise causes.from_answer(answer.status, answer.headers, document, place, "of the export").error


def read_manifest(client: StoreClient, place: Place) -> tuple[str, frozenset[str]]:
    """Return the id of the export that a manifest is of, and the names that it lists; empty where there is none.

    Raises:
        FairleadError: the store cannot be reached, or refuses.
    """
    with client.send(Request("GET", place, (), {}, sigv4.EMPTY_SHA256)) as answer:
        document = answer.document()
    if answer.status == 404:  # noqa: PLR2004
        return "", frozenset()
    if answer.status != 200:  # noqa: PLR2004
        raise causes.from_answer(answer.status, answer.headers, document, place, "of the export").error
    try:
        body = json.loads(document)
        return str(body["id"]), frozenset(str(file["name"]) for file in body["files"])
    except (ValueError, KeyError, TypeError):
        return "", frozenset()


def _exists(target: Target) -> DuplicateFile:
    return DuplicateFile(f'"{target}" already exists; add ENABLE_OVERWRITE to replace it')
