"""Reads a copy out of a lake's real catalog, with one consistent view of it: only rows of selected tables.

Rows that count in none of the copy's snapshots stay out, and so do the texts of snapshots, which name tables that are
not selected. A selected table's shape goes back only as far as inlined rows need it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fairlead.engine.lake import relations
from fairlead.engine.lake.copying import CatalogCopy
from fairlead.engine.lake.inlined import read_deletes, read_rows
from fairlead.engine.lake.names import quote
from fairlead.errors import InvalidSchemaName, LakeMoved, UndefinedObject

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from fairlead.engine.lake.copying import Row, Selection
    from fairlead.engine.lake.inlined import Inlined
    from fairlead.engine.lake.relations import Relation


class CopyReader:
    """Reads one copy.

    Args:
        connection: of the real catalog, in a transaction.
        selection: what goes into the copy.
        at: newest snapshot of the copy.
    """

    def __init__(self, connection: sqlite3.Connection, selection: Selection, at: int) -> None:
        self._connection = connection
        self._selection = selection
        self._at = at
        self._since = 0 if selection.history else at
        self._rows: dict[Relation, tuple[Row, ...]] = {}

    def read(self) -> CatalogCopy:
        """Read everything.

        Raises:
            UndefinedObject: a selected table, or the snapshot, is not there.
            InvalidSchemaName: a schema that is named is not there.
            LakeMoved: the snapshot is an older one that cannot stand by itself any more.
            LakeUnreadable: the catalog contradicts itself.
        """
        selection = self._selection
        snapshots = self._snapshots()
        self._keep(relations.SNAPSHOT, snapshots)
        readable, at = selection.readable, self._at
        newest = None if selection.history else snapshots[-1][2]
        versions = self._of_tables(relations.SCHEMA_VERSIONS, selection.tables)
        shapes = selection.tables.keys() - set(readable)
        inlined = read_rows(self._connection, readable, versions, at=at, newest=newest, empty=shapes)
        self._structure(inlined.since)
        kept = versions if newest is None else self._versions(versions, newest, inlined)
        self._keep(relations.SCHEMA_VERSIONS, kept)
        self._keep(relations.INLINED_TABLES, inlined.listed)
        for relation in (relations.TAG, relations.COLUMN_TAG):
            self._keep(relation, self._of_tables(relation, selection.tables))
        self._schemas()
        self._contents()
        self._files()
        self._refuse_later_files()
        files = {row[0] for row in self._rows.get(relations.DATA_FILE, ())}
        deletes = read_deletes(self._connection, readable, files, at)
        return CatalogCopy(at, self._rows, (*inlined.relations, *deletes), selection.views)

    def _keep(self, relation: Relation, rows: Iterable[Row]) -> None:
        kept = tuple(rows)
        if kept:
            self._rows[relation] = kept

    def _select(self, relation: Relation, key: str, ids: Collection[int], since: int) -> list[Row]:
        """Rows of a relation by key, of those versions that counted at some time from ``since`` to the snapshot."""
        if not ids:
            return []
        conditions = [f"{key} IN (SELECT value FROM json_each(:ids))"]  # noqa: S608  # a name of our own
        if relation.versions != "none":
            conditions.append("begin_snapshot <= :at")
        if relation.versions == "span":
            conditions.append("(end_snapshot IS NULL OR end_snapshot > :since)")
        # What ends after the snapshot of the copy has not ended in it.
        columns = (
            "CASE WHEN end_snapshot <= :at THEN end_snapshot END" if column == "end_snapshot" else quote(column)
            for column in relation.columns
        )
        sql = f"SELECT {', '.join(columns)} FROM {relation.name} WHERE {' AND '.join(conditions)}"  # noqa: S608  # names of our own
        return self._connection.execute(sql, {"ids": json.dumps(list(ids)), "at": self._at, "since": since}).fetchall()

    def _of_tables(self, relation: Relation, tables: Collection[int]) -> list[Row]:
        return self._select(relation, relation.key, tables, self._since)

    # --- snapshots and shapes ---

    def _snapshots(self) -> list[Row]:
        # Ids of views are taken from above the lake's own, so that no new table gets one of them.
        views = len(self._selection.views)
        sql = (
            f"SELECT snapshot_id, snapshot_time, schema_version, next_catalog_id + {views}, next_file_id "  # noqa: S608
            "FROM ducklake_snapshot WHERE snapshot_id BETWEEN :since AND :at ORDER BY snapshot_id"
        )
        rows = self._connection.execute(sql, {"since": self._since, "at": self._at}).fetchall()
        if not rows or rows[-1][0] != self._at:
            raise UndefinedObject(
                f"Snapshot {self._at} does not exist",
                hint="It may have expired; read a newer one, or the table as it is",
            )
        return rows

    def _versions(self, versions: Sequence[Row], newest: int, inlined: Inlined) -> Iterator[Row]:
        """The snapshot's version of the schema as that of each table, and the older ones that are in use.

        DuckLake loads the catalog as of each version it meets; this one is loaded already.
        """
        used = {(table, version) for table, _, version in inlined.listed}
        for table in self._selection.tables:
            yield self._at, newest, table
        for begin, version, table in versions:
            if version != newest and (table, version) in used:
                yield begin, version, table

    def _structure(self, needed: Mapping[int, int]) -> None:
        """Shapes of the selected tables, back to the oldest ones that are needed to read inlined rows."""
        since = {table: min(self._since, needed.get(table, self._since)) for table in self._selection.tables}
        oldest = min(since.values(), default=self._since)
        for relation in (relations.TABLE, relations.COLUMN):
            rows = self._select(relation, "table_id", self._selection.tables, oldest)
            end, table = relation.columns.index("end_snapshot"), relation.columns.index("table_id")
            self._keep(relation, (row for row in rows if row[end] is None or row[end] > since[row[table]]))
        end = relations.TABLE.columns.index("end_snapshot")
        live = {row[0] for row in self._rows.get(relations.TABLE, ()) if row[end] is None}
        missing = self._selection.tables.keys() - live
        if missing and not self._selection.history:
            raise UndefinedObject(f"Table {min(missing)} does not exist in snapshot {self._at}")

    def _schemas(self) -> None:
        table_schemas = {row[relations.TABLE.columns.index("schema_id")] for row in self._rows.get(relations.TABLE, ())}
        named = None if self._selection.schemas is None else {name.lower() for name in self._selection.schemas}
        wanted = {view.schema.lower() for view in self._selection.views} | (named or set())
        every = self._select(relations.SCHEMA, "schema_id", self._all_schemas(), self._since)
        rows = [row for row in every if named is None or row[0] in table_schemas or row[4].lower() in wanted]
        missing = wanted - {row[4].lower() for row in rows if row[3] is None}
        if missing:
            raise InvalidSchemaName(f'Schema "{min(missing)}" does not exist in the lake')
        self._keep(relations.SCHEMA, (_with_path(relations.SCHEMA, row, f"{row[0]}/") for row in rows))

    def _all_schemas(self) -> list[int]:
        return [row[0] for row in self._connection.execute("SELECT DISTINCT schema_id FROM ducklake_schema")]

    # --- rows, files and statistics ---

    def _contents(self) -> None:
        readable = self._selection.readable
        for relation in relations.CONTENTS:
            self._keep(relation, self._of_tables(relation, readable))
        mappings = [row[0] for row in self._rows.get(relations.CONTENTS[-1], ())]
        self._keep(relations.NAME_MAPPING, self._select(relations.NAME_MAPPING, "mapping_id", mappings, self._since))

    def _files(self) -> None:
        folders = self._folders()
        for relation in relations.FILES:
            path, table = relation.columns.index("path"), relation.columns.index("table_id")
            self._keep(
                relation,
                (
                    _with_path(relation, row, folders[row[table]] + row[path] if row[path + 1] else row[path])
                    for row in self._of_tables(relation, self._selection.readable)
                ),
            )
        known = {row[0] for row in self._rows.get(relations.DATA_FILE, ())}
        tables = {row[1] for row in self._rows.get(relations.DATA_FILE, ())}
        for relation in relations.OF_FILES:
            self._keep(relation, (row for row in self._of_tables(relation, tables) if row[0] in known))
        # From here on only the files' own paths count, and a table's folder is a matter of the private lake.
        shapes = self._rows.get(relations.TABLE, ())
        self._keep(relations.TABLE, (_with_path(relations.TABLE, row, f"{row[0]}/") for row in shapes))

    def _refuse_later_files(self) -> None:
        """Refuse files that care has merged with later ones.

        DuckLake can read an older snapshot out of them, but would not count their rows rightly, nor change them, in a
        lake whose newest snapshot this is.
        """
        for relation in relations.FILES:
            rows = self._rows.get(relation, ())
            if any((row[relation.columns.index("partial_max")] or 0) > self._at for row in rows):
                raise LakeMoved(
                    f"Snapshot {self._at} shares files with later ones",
                    hint="Read it through the newest one, with AT (VERSION => ...)",
                )

    def _folders(self) -> dict[int, str]:
        """Folder of each table: below the lake's data path, or absolute."""
        sql = "SELECT schema_id, path, path_is_relative FROM ducklake_schema"
        schemas = {schema: path for schema, path, _ in self._connection.execute(sql)}
        return {row[0]: schemas[row[4]] + row[6] if row[7] else row[6] for row in self._rows.get(relations.TABLE, ())}


def _with_path(relation: Relation, row: Row, path: str) -> Row:
    at = relation.columns.index("path")
    return (*row[:at], path, 1, *row[at + 2 :])
