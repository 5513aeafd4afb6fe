"""Columns and sizes of tables and views, as far as the user may know them.

Those of tables are in the lake's catalog. A view is only a text, so its columns are what the engine says of it, asked
as the view's owner, and kept until the view or a table of its database has changed.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from fairlead.commands.introspection import types
from fairlead.commands.visible import query_of
from fairlead.errors import FairleadError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    from fairlead.access.relations import TableRights, ViewRights
    from fairlead.catalog.records import DatabaseRecord
    from fairlead.commands.house import House
    from fairlead.context import Context
    from fairlead.engine.api import Column
    from fairlead.engine.lake.lake import Lake
    from fairlead.engine.lake.metadata import LakeTable, TableDetails

_MOST_VIEWS: Final = 4096
# The views that are being asked about, so that one that names the catalogs is not asked about for its own sake.
_ASKED: ContextVar[frozenset[int]] = ContextVar("asked", default=frozenset())


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """A column: its type is in the engine's spelling, its default is SQL."""

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """A table or view: ``rows`` and ``bytes`` are None where the user may not read all of it."""

    columns: tuple[ColumnShape, ...]
    comment: str | None = None
    rows: int | None = None
    bytes: int | None = None


class Shapes:
    """The shapes of one gateway's tables and views; what was asked of the engine is kept for all sessions.

    Args:
        house: the gateway's rooms.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._views = house.view_columns

    async def lake(self, database: DatabaseRecord) -> Lake | None:
        """Return the lake of a database, None where it has none yet."""
        return await self._house.lakes.lake(database.id) if self._house.lakes.has(database.id) else None

    async def of(
        self,
        database: DatabaseRecord,
        context: Context,
        describe: Callable[[ViewRights], Awaitable[tuple[Column, ...]]],
    ) -> dict[int, Shape]:
        """Return the shapes of all that the user sees in a database, by object id.

        Args:
            database: whose.
            context: who asks.
            describe: asks the engine for the columns of a view, as its owner.
        """
        principal = context.principal
        lake = await self.lake(database)
        found: dict[int, Shape] = {}
        tables: tuple[LakeTable, ...] = ()
        if lake is not None:
            tables, details = await asyncio.to_thread(_read, lake)
            rights = [one for one in self._house.access.tables(principal) if one.record.database_id == database.id]
            found.update(_tables(rights, {table.table_id: table for table in tables}, details))
        views = self._house.access.views(principal)
        under = _Under(tables, views)
        for view in views:
            if view.record.database_id == database.id:
                found[view.record.id] = Shape(await self._columns(view, under.of(view), describe))
        return found

    async def _columns(
        self,
        view: ViewRights,
        under: int,
        describe: Callable[[ViewRights], Awaitable[tuple[Column, ...]]],
    ) -> tuple[ColumnShape, ...]:
        key = (view.record.id, under)
        if key not in self._views:
            asked = _ASKED.get()
            if view.record.id in asked:  # it names the catalogs, which tell of itself
                return tuple(ColumnShape(name, "VARCHAR") for name in view.columns)
            token = _ASKED.set(asked | {view.record.id})
            try:
                described = await describe(view)
            except FairleadError:  # it has a fault, or its owner has lost a right: its names are all that is known
                return tuple(ColumnShape(name, "VARCHAR") for name in view.columns)
            finally:
                _ASKED.reset(token)
            names = view.columns or tuple(column.name for column in described)
            while len(self._views) >= _MOST_VIEWS:
                del self._views[next(iter(self._views))]
            self._views[key] = tuple(
                ColumnShape(name, types.engine_type(column.type_oid, column.type_modifier))
                for name, column in zip(names, described, strict=False)
            )
        return self._views[key]


class _Under:
    """What views may stand on: everything that has a name which they name, or which a view so named names.

    Args:
        tables: of the lake.
        views: that the user sees.
    """

    def __init__(self, tables: Iterable[LakeTable], views: Iterable[ViewRights]) -> None:
        self._tables: dict[str, list[LakeTable]] = {}
        for table in tables:
            self._tables.setdefault(table.name.casefold(), []).append(table)
        self._views: dict[str, list[ViewRights]] = {}
        for view in views:
            self._views.setdefault(view.record.name.casefold(), []).append(view)

    def of(self, view: ViewRights) -> int:
        """Return a hash of a view and of what it may stand on: another one means that its columns may be others."""
        met: dict[int, int] = {}
        waiting, names = [view], set[str]()
        while waiting:
            one = waiting.pop()
            if one.record.id not in met:
                met[one.record.id] = one.record.version
                named = query_of(one.sql, one.dialect).identifiers - names
                names |= named
                waiting += [inner for name in named & self._views.keys() for inner in self._views[name]]
        tables = [
            (table.table_id, table.schema, table.name, table.columns)
            for name in sorted(names & self._tables.keys())
            for table in self._tables[name]
        ]
        return hash((tuple(sorted(met.items())), tuple(tables)))


_DETAILS: WeakKeyDictionary[Lake, tuple[int, Mapping[int, TableDetails]]] = WeakKeyDictionary()


def _read(lake: Lake) -> tuple[tuple[LakeTable, ...], Mapping[int, TableDetails]]:
    snapshot = lake.snapshot
    known = _DETAILS.get(lake)
    if known is None or known[0] != snapshot:
        known = _DETAILS[lake] = snapshot, lake.reader.details()
    return lake.tables(), known[1]


def _tables(
    rights: list[TableRights], tables: Mapping[int, LakeTable], details: Mapping[int, TableDetails]
) -> Iterator[tuple[int, Shape]]:
    for one in rights:
        table = tables.get(one.table_id)
        if table is None:
            continue
        more = details.get(one.table_id)
        whole = "SELECT" in one.actions
        columns = tuple(
            ColumnShape(c.name, c.type, c.nullable, c.default, more.comments.get(c.column_id, "") if more else "")
            for c in table.columns
            if _knows(one, c.name)
        )
        rows, size = (more.rows, more.bytes) if more and whole else (None, None)
        yield one.record.id, Shape(columns, table.comment, rows, size)


def _knows(rights: TableRights, column: str) -> bool:
    """Tell whether the user may know a column: any right on the whole table tells all, as in SHOW CREATE TABLE."""
    if rights.owner or rights.actions or any(part.columns is None for part in rights.parts):
        return True
    return any(column.casefold() in {name.casefold() for name in part.columns or ()} for part in rights.parts)
