"""Exports: SELECT ... INTO LINK and COPY ... TO with a connection, each object there as a whole or not at all.

An export is a query that the data runner plans and runs like any other; what is here says where its rows go, what the
worker runs instead of the query, and what happens between the last row and the command tag.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from fairlead.commands import connections
from fairlead.connectors import declaration
from fairlead.connectors.locations import parse_url
from fairlead.dialects import definition as meaning
from fairlead.dialects import errors as texts
from fairlead.dialects import names
from fairlead.egress.paths import Place
from fairlead.egress.shipment import Shipment, Target
from fairlead.engine import exporting
from fairlead.engine.api import Done, Progress, Rows
from fairlead.errors import FairleadError, InvalidParameter, ObjectNotReady, WrongObjectType
from fairlead.lang import ast
from fairlead.session_types import Complete, Notice, Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.catalog.records import ObjectRecord
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.commands.house import House
    from fairlead.context import Context
    from fairlead.egress.delivery import Delivered, Delivery
    from fairlead.engine.api import Event, Parameter
    from fairlead.engine.planner import AliasBook, Plan
    from fairlead.engine.session import EngineSession

_LINK: Final[ast.Noun] = "LINK"
_CONNECTION: Final[ast.Noun] = "CONNECTION"
_EVERY: Final = 2.0  # seconds between two notices
_SUFFIXES: Final = {"csv": ".csv", "json": ".json", "parquet": ".parquet"}
_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB")


class Export:
    """One run of one statement.

    Args:
        statement: the statement.
        house: the gateway's rooms.
        context: of the statement.
        book: the session's aliases of buckets.

    Raises:
        PermissionDenied: the caller may not use the connection, or there is none.
        WrongObjectType: it leads to no object store.
        InvalidParameter: the path is none.
    """

    def __init__(self, statement: ast.Export, house: House, context: Context, book: AliasBook) -> None:
        self._statement = statement
        self._house = house
        self._book = book
        self._target = _target(statement, house, context)
        self.shipment = Shipment(self._target)
        self._started = self._said = time.monotonic()
        self._key_id = ""
        self._delivery: Delivery | None = None
        self._counts: list[bytes] | None = None

    async def begin(self, worker: EngineSession, plan: Plan, parameters: Sequence[Parameter]) -> Plan:
        """Look at the path, and return what the worker runs instead of the query.

        Raises:
            DuplicateFile: something is at the path.
            FairleadError: the path cannot be looked at, or the query is none.
        """
        self._key_id = worker.door_key.key_id
        self._delivery = self._house.egress.delivery(self._key_id)
        await asyncio.to_thread(self._delivery.prepare)
        written = self._written(plan.sql, await self._columns(worker, plan, parameters))
        self._counts = [] if written.counted else None
        return written.plan(plan)

    async def _columns(
        self, worker: EngineSession, plan: Plan, parameters: Sequence[Parameter]
    ) -> list[exporting.Column]:
        sql, aliases = exporting.describe_sql(plan.sql), self._book.real_urls()
        try:
            events = worker.execute(sql, parameters, aliases=aliases)
            told = [event.data async for event in events if isinstance(event, Rows)]
        except FairleadError as error:
            if error.position is not None:
                error.position -= len(exporting.DESCRIBE)
            raise
        return exporting.described(told)

    def take(self, event: Event) -> list[Output]:
        """Take what the worker says on the way; return what the client hears of it."""
        if isinstance(event, Rows) and self._counts is not None:
            self._counts.append(event.data)
        now = time.monotonic()
        if not isinstance(event, Progress) or now - self._said < _EVERY:
            return []
        self._said = now
        sent = _size(self._house.egress.bytes_written(self._key_id))
        read = f"{event.fraction:.0%} read, " if event.fraction > 0 else ""  # the engine cannot tell for every source
        return [Notice("NOTICE", f"exporting: {read}{sent} written, {now - self._started:.0f} s")]

    async def finish(self, done: Done | None) -> list[Output]:
        """Let the objects appear.

        Raises:
            FairleadError: they cannot; none of them is there.
        """
        assert self._delivery is not None
        assert done is not None
        counts = self._rows()
        rows = sum(counts.values()) if self._counts is not None else int(done.tag.rpartition(" ")[2] or 0)
        about = {"format": self._statement.format, "rows": rows}
        only = rows if self._counts is None else None
        delivered = await asyncio.to_thread(self._delivery.run, about, counts, only)
        tag = "SELECT" if isinstance(self._statement, ast.SelectInto) else "COPY"
        return [self._summary(rows, delivered), Complete(f"{tag} {rows}")]

    def _written(self, query: str, columns: list[exporting.Column]) -> exporting.Written:
        bucket = self._book.alias(self._target.connection_id, self._target.bucket)
        url = f"s3://{bucket}/{self._target.asked.key}"
        if isinstance(self._statement, ast.CopyToStore):
            return exporting.copy_to_store_sql(self._statement, query, columns, url)
        folder = self._target.folder is not None
        return exporting.select_into_sql(self._statement, query, columns, url, folder=folder)

    def _rows(self) -> dict[Place, int]:
        """Return how many rows the worker says each object holds."""
        found: dict[Place, int] = {}
        for block in self._counts or ():
            for name, count, *_ in exporting.data_rows(block):
                bucket, _, key = (name or "").removeprefix("s3://").partition("/")
                found[Place(bucket, key)] = int(count or 0)
        return found

    def _summary(self, rows: int, delivered: Sequence[Delivered]) -> Notice:
        files, size = len(delivered), sum(one.size for one in delivered)
        seconds = time.monotonic() - self._started
        message = (
            f"exported {rows} row{'s' * (rows != 1)} in {files} file{'s' * (files != 1)}, {size} bytes, "
            f'in {seconds:.1f} s to "{self._target}"'
        )
        return Notice("NOTICE", message)


def _target(statement: ast.Export, house: House, context: Context) -> Target:
    if isinstance(statement, ast.CopyToStore):
        name, path, noun = statement.connection, statement.url, _CONNECTION
        refusal, overwrite, zipped = "only AWS CONNECTION is supported for COPY ... TO <expr>", False, False
    else:
        name, path, noun = statement.link, statement.path, _LINK
        refusal, overwrite, zipped = "", statement.overwrite, statement.compression
    with house.catalog.read() as snapshot:
        connection = _usable(snapshot, name, noun, house, context)
        defined = connections.definition(snapshot, connection)
    connector = declaration.connector(defined.kind)
    if "s3" not in connector.schemes:
        shown = connector.shown_types.get("singlestore", defined.kind)
        raise WrongObjectType(refusal or f"a {shown} link cannot be used by SELECT ... INTO")
    bucket, key = parse_url(path if "://" in path else f"s3://{path}")
    if noun is _CONNECTION and key:
        key = key.removesuffix("/") + "/"  # Materialize takes every URL for a prefix
    if not key and not path.endswith("/") and noun is _LINK:
        message = f'"{bucket}" names a bucket, not an object in it'
        raise InvalidParameter(message, hint="write bucket/key for one object, bucket/folder/ for several")
    return Target(
        *(connection.id, connection.full_name, meaning.destination(defined), bucket, key),
        overwrite=overwrite,
        suffix=_SUFFIXES[statement.format] + (".gz" if zipped else ""),
    )


def _usable(snapshot: Snapshot, name: ast.Name, noun: ast.Noun, house: House, context: Context) -> ObjectRecord:
    """Return a connection that the caller may use; a missing one looks like one that they may not."""
    first = noun == "LINK"
    found = names.find(snapshot, "connection", name, context, database_first=first)
    if found is None or not house.access.can(context.principal, "USAGE", "connection", found.id):
        where = str(names.place(snapshot, name, context, database_first=first))
        if found is None and context.principal.is_superuser:
            raise texts.missing("connection", where, context.dialect, noun=noun)
        raise texts.denied("connection", where, context.dialect, noun=noun)
    if not found.enabled:
        message = f'connection "{found.full_name}" is disabled'
        raise ObjectNotReady(message, hint=f"ALTER CONNECTION {found.name} ENABLE")
    return found


def _size(count: float) -> str:
    unit = 0
    while count >= 1024 and unit + 1 < len(_UNITS):  # noqa: PLR2004
        count, unit = count / 1024, unit + 1
    return f"{count:.0f} {_UNITS[unit]}" if unit == 0 else f"{count:.1f} {_UNITS[unit]}"
