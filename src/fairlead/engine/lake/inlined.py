"""Reads the rows of tables that are kept in the catalog itself: small writes, until they are flushed to files.

There is one relation of them per version of a table's schema, and for each DuckLake loads the whole catalog as it was
at that version, which is the dearest thing it does. In a copy of one snapshot they are therefore brought into the shape
that the table has in it, under the version that the snapshot has, wherever that needs no conversion: columns that were
added have their default, those that were dropped are left out. What needs one, DuckLake converts, with the old shape
in the copy.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.engine.lake import relations
from fairlead.engine.lake.columntypes import duckdb_types, live_fields
from fairlead.engine.lake.copying import InlinedRows
from fairlead.engine.lake.names import quote
from fairlead.errors import LakeUnreadable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from fairlead.engine.lake.copying import Row

_BOOKKEEPING = (("row_id", "BIGINT"), ("begin_snapshot", "BIGINT"), ("end_snapshot", "BIGINT"))
_DELETES = (("file_id", "BIGINT"), ("row_id", "BIGINT"), ("begin_snapshot", "BIGINT"))
_LEAD = len(_BOOKKEEPING)


@dataclass(frozen=True, slots=True)
class _Version:
    """A table's shape at one version of its schema, and the inlined rows of that version."""

    table: int
    number: int
    begin: int
    columns: tuple[tuple[int, str, str, str | None], ...]
    """Id, name, type in DuckDB's spelling, and the default that rows get from before there was the column."""
    rows: tuple[Row, ...] = ()

    def relation(self) -> InlinedRows:
        shape = tuple((name, type_) for _, name, type_, _ in self.columns)
        return InlinedRows(relations.inlined_rows(self.table, self.number), (*_BOOKKEEPING, *shape), self.rows)

    def as_now(self, now: _Version) -> Iterator[Row] | None:
        """The rows in the newest shape; None if that needs a conversion."""
        at = {column[0]: (place, column[2]) for place, column in enumerate(self.columns, start=_LEAD)}
        if any(column[0] in at and at[column[0]][1] != column[2] for column in now.columns):
            return None
        return (
            row[:_LEAD] + tuple(row[at[key][0]] if key in at else default for key, _, _, default in now.columns)
            for row in self.rows
        )


@dataclass(frozen=True, slots=True)
class Inlined:
    """What was read.

    Args:
        relations: with inlined rows; each is to be listed in ``ducklake_inlined_data_tables`` as in ``listed``.
        listed: rows of that relation.
        since: by table, the oldest snapshot whose shape is needed to read the rows.
    """

    relations: tuple[InlinedRows, ...]
    listed: tuple[Row, ...]
    since: dict[int, int]


def read_rows(
    connection: sqlite3.Connection,
    tables: Collection[int],
    versions: Sequence[Row],
    *,
    at: int,
    newest: int | None,
    empty: Collection[int] = (),
) -> Inlined:
    """Read the inlined rows of tables as of a snapshot.

    Every table gets a relation for them, also where there are none: DuckLake mistakes one table for another when it
    has to make such a relation in a transaction that makes a table too.

    Args:
        connection: of the real catalog, in a transaction.
        tables: ids.
        versions: rows of ``ducklake_schema_versions`` of the tables, up to ``at``.
        at: the snapshot.
        newest: its version of the schema, under which the rows are brought into the newest shape; None = all rows that
            counted in any snapshot up to this one, as they are.
        empty: ids of tables of which only the shape is wanted.

    Raises:
        LakeUnreadable: the catalog does not tell the shape of inlined rows, or another than they have.
    """
    kept: list[_Version] = []
    since = 0 if newest is None else at
    for of_table in _by_table(connection, tables, empty, versions, at):
        filled = [_filled(connection, version, since, at) for version in of_table if version.table not in empty]
        now = of_table[-1]
        kept += filled if newest is None else _merged(filled, _Version(now.table, newest, at, now.columns))
    oldest: dict[int, int] = {}
    for version in kept:
        oldest[version.table] = min(version.begin, oldest.get(version.table, at))
    made = tuple(version.relation() for version in kept)
    listed = tuple(
        (version.table, relations.inlined_rows(version.table, version.number), version.number) for version in kept
    )
    return Inlined(made, listed, oldest)


def read_deletes(
    connection: sqlite3.Connection, tables: Collection[int], files: Collection[int], at: int
) -> tuple[InlinedRows, ...]:
    """Read which rows of data files are deleted without a delete file, as of a snapshot."""
    made = []
    for name in _existing(connection, [relations.inlined_deletes(table) for table in tables]):
        sql = f"SELECT file_id, row_id, begin_snapshot FROM {quote(name)} WHERE begin_snapshot <= ?"  # noqa: S608
        rows = tuple(row for row in connection.execute(sql, (at,)) if row[0] in files)
        if rows:
            made.append(InlinedRows(name, _DELETES, rows))
    return tuple(made)


def _by_table(
    connection: sqlite3.Connection,
    tables: Collection[int],
    empty: Collection[int],
    versions: Sequence[Row],
    at: int,
) -> Iterator[list[_Version]]:
    """The versions of each table that have a relation of inlined rows, oldest first, and the newest in any case."""
    names = [relations.inlined_rows(table, version) for _, version, table in versions if table in tables]
    existing = set(_existing(connection, names))
    columns = _columns(connection, [*tables, *empty], at)
    by_table: dict[int, list[Row]] = defaultdict(list)
    for row in sorted(versions, key=lambda row: (row[0], row[1])):
        by_table[row[2]].append(row)
    for table in (*tables, *empty):
        wanted = [row for row in by_table[table] if relations.inlined_rows(table, row[1]) in existing]
        if by_table[table]:
            yield [_shape(columns[table], row) for row in dict.fromkeys([*wanted, by_table[table][-1]])]


def _columns(connection: sqlite3.Connection, tables: Collection[int], at: int) -> dict[int, list[Row]]:
    sql = (
        f"SELECT {', '.join(relations.COLUMN.columns)} FROM ducklake_column "  # noqa: S608  # names of our own
        "WHERE table_id IN (SELECT value FROM json_each(?)) AND begin_snapshot <= ?"
    )
    found: dict[int, list[Row]] = defaultdict(list)
    for row in connection.execute(sql, (json.dumps(list(tables)), at)):
        found[row[3]].append(row)
    return found


def _shape(columns: Iterable[Row], version: Row) -> _Version:
    begin, number, table = version
    live = [row for row in columns if row[1] <= begin and (row[2] is None or row[2] > begin)]
    fields, defaults = live_fields(live), {row[0]: row[7] for row in live}
    types = duckdb_types(fields)
    shape = tuple(
        (item.column_id, item.name, types[item.column_id], defaults[item.column_id])
        for item in fields
        if item.parent is None
    )
    return _Version(table, number, begin, shape)


def _filled(connection: sqlite3.Connection, version: _Version, since: int, at: int) -> _Version:
    name = relations.inlined_rows(version.table, version.number)
    if not _existing(connection, [name]):
        return version
    cursor = connection.execute(
        f"SELECT * FROM {quote(name)} WHERE begin_snapshot <= :at"  # noqa: S608  # a name made of two numbers
        " AND (end_snapshot IS NULL OR end_snapshot > :since) ORDER BY row_id, begin_snapshot",
        {"at": at, "since": since},
    )
    names = [column[0] for column in cursor.description[_LEAD:]]
    if names != [column[1] for column in version.columns]:
        raise LakeUnreadable(f"Inlined rows of table {version.table} have other columns than the catalog says")
    # A row that ends after the newest snapshot of the copy has not ended in it.
    rows = tuple((row[0], row[1], row[2] if row[2] and row[2] <= at else None, *row[_LEAD:]) for row in cursor)
    return _Version(version.table, version.number, version.begin, version.columns, rows)


def _merged(filled: Sequence[_Version], now: _Version) -> list[_Version]:
    """The rows in the newest shape, and before it the versions whose rows need a conversion."""
    rows: list[Row] = []
    apart = []
    for version in filled:
        moved = version.as_now(now)
        if moved is not None:
            rows += moved
        elif version.rows:
            apart.append(version)
    # Even without rows the newest is needed: DuckLake puts small writes into the last that is listed.
    rows.sort(key=lambda row: row[0])
    return [*apart, _Version(now.table, now.number, now.begin, now.columns, tuple(rows))]


def _existing(connection: sqlite3.Connection, names: Collection[str]) -> list[str]:
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN (SELECT value FROM json_each(?))"
    return [row[0] for row in connection.execute(sql, (json.dumps(list(names)),))]
