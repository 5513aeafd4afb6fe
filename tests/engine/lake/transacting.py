"""A real lake, and transactions of it: run there directly, or in a private copy, collected and applied.

All of it in this process; the script that runs in a worker is a plain connection of DuckDB.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import json
import uuid
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import duckdb

from fairlead.engine.lake import relations
from fairlead.engine.lake.applying import apply_script
from fairlead.engine.lake.collecting import collect
from fairlead.engine.lake.names import literal, quote
from fairlead.engine.lake.numbering import numbering_script
from tests.engine.lake.lakes import extension

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from fairlead.engine.lake.changes import ChangeSet

_META = "__ducklake_metadata_{}.main"
_RELATIONS = [
    relation.name
    for relation in (
        relations.SNAPSHOT,
        relations.SCHEMA,
        relations.VIEW,
        relations.INLINED_TABLES,
        relations.NAME_MAPPING,
        *relations.STRUCTURE,
        *relations.FILES,
        *relations.OF_FILES,
        *relations.CONTENTS,
    )
]
_counter = itertools.count()


class CountsDiffer(AssertionError):
    """A step has changed another number of rows than it must."""


def connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": "2",
            "allow_unsigned_extensions": "true",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    connection.execute(f"LOAD '{extension('ducklake')}'")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


class RealLake:
    """A lake with its metadata in memory, attached as ``lake``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.connection = connect()
        self.connection.execute(
            f"ATTACH 'ducklake::memory:' AS lake (DATA_PATH '{folder}/', DATA_INLINING_ROW_LIMIT 100)"
        )
        self.run("CREATE SCHEMA lake.public", "DROP SCHEMA lake.main", "USE lake.public")

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.connection.execute(statement)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    @property
    def snapshot(self) -> int:
        return self.rows(f"SELECT max(snapshot_id) FROM {_META.format('lake')}.ducklake_snapshot")[0][0]

    def tables(self) -> list[SimpleNamespace]:
        meta = _META.format("lake")
        found = self.rows(
            f"SELECT t.table_id, s.schema_name, t.table_name FROM {meta}.ducklake_table t "
            f"JOIN {meta}.ducklake_schema s USING (schema_id) WHERE t.end_snapshot IS NULL"
        )
        return [SimpleNamespace(table_id=table, schema=schema, name=name) for table, schema, name in found]

    def apply(self, changes: ChangeSet) -> None:
        """Commit a change set as the writer does."""
        self.run("BEGIN")
        for step in apply_script(changes, attached="lake", tables=self.tables()):
            answer = [list(row) for row in self.connection.execute(step.sql).fetchall()]
            if step.rows is not None and answer != [[step.rows]]:
                self.run("ROLLBACK")
                raise CountsDiffer(f"{step}: {answer}")
        self.run("COMMIT")

    def shape(self) -> dict[str, Any]:
        """Everything about schemas and tables but their rows and ids."""
        meta = _META.format("lake")
        schemas = self.rows(f"SELECT schema_name FROM {meta}.ducklake_schema WHERE end_snapshot IS NULL")
        return {"schemas": sorted(schemas), **{f"{t.schema}.{t.name}": self._shape(t.table_id) for t in self.tables()}}

    def _shape(self, table: int) -> dict[str, Any]:
        meta = _META.format("lake")
        columns = self.rows(
            f"SELECT column_id, parent_column, column_name, column_type, default_value, default_value_type, "
            f"parent_column IS NOT NULL OR nulls_allowed FROM {meta}.ducklake_column "
            f"WHERE table_id = {table} AND end_snapshot IS NULL ORDER BY column_order"
        )
        names = {row[0]: row[2] for row in columns}
        return {
            "columns": [
                (
                    names.get(row[1]),
                    *row[2:4],
                    # A part's default says nothing, and DuckLake writes it one way or the other.
                    *((None if row[4] == "NULL" else row[4], row[5]) if row[1] is None else ()),
                    row[6],
                )
                for row in columns
            ],
            "keys": [
                (names[column], transform)
                for column, transform in self.rows(
                    f"SELECT column_id, transform FROM {meta}.ducklake_partition_info i "
                    f"JOIN {meta}.ducklake_partition_column USING (partition_id) "
                    f"WHERE i.table_id = {table} AND end_snapshot IS NULL ORDER BY partition_key_index"
                )
            ],
            "comments": sorted(
                (names.get(column, ""), comment)
                for column, comment in self.rows(
                    f"SELECT NULL, value FROM {meta}.ducklake_tag WHERE object_id = {table} AND end_snapshot IS NULL "
                    f"UNION ALL SELECT column_id, value FROM {meta}.ducklake_column_tag "
                    f"WHERE table_id = {table} AND end_snapshot IS NULL"
                )
                if comment and (column is None or column in names)
            ),
        }

    def next_rows(self) -> dict[int, int]:
        """By table, the number from which new rows will get their ids."""
        stats = f"{_META.format('lake')}.ducklake_table_stats"
        return dict(self.connection.execute(f"SELECT table_id, next_row_id FROM {stats}").fetchall())

    def contents(self, next_rows: dict[int, int]) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of every table as texts; with their ids where they were there before, else with -1.

        Args:
            next_rows: what :meth:`next_rows` was before.
        """
        return {
            f"{table.schema}.{table.name}": sorted(
                self.rows(
                    f"SELECT CASE WHEN rowid < {next_rows.get(table.table_id, 0)} THEN rowid ELSE -1 END, t::VARCHAR "
                    f'FROM lake."{table.schema}"."{table.name}" t'
                )
            )
            for table in self.tables()
        }


class Private:
    """A private copy of a whole lake, attached as ``d`` in a worker of its own."""

    def __init__(self, lake: RealLake, folder: Path, *, connection: duckdb.DuckDBPyConnection | None = None) -> None:
        self.folder = folder
        self.spill = folder / "spill"
        (self.spill / "lake").mkdir(parents=True)
        self.connection = connection or connect()
        self.scripts: list[Sequence[str]] = []
        self.base = lake.snapshot
        self.name = f"d{next(_counter)}"
        self.run(
            f"ATTACH 'ducklake::memory:' AS {self.name} (DATA_PATH '{self.spill}/lake/', DATA_INLINING_ROW_LIMIT 100)"
        )
        self._fill(lake)
        self.run(*numbering_script(_META.format(self.name)), f"USE {self.name}.public")

    def _fill(self, lake: RealLake) -> None:
        source, target = _META.format("lake"), _META.format(self.name)
        (data_path,) = lake.rows(f"SELECT value FROM {source}.ducklake_metadata WHERE key = 'data_path'")[0]
        below = (
            f"SELECT s.path || t.path FROM {source}.ducklake_table t JOIN {source}.ducklake_schema s USING (schema_id) "
            "WHERE t.table_id = f.table_id LIMIT 1"
        )
        place = f"CASE WHEN path_is_relative THEN {literal(data_path)} || ({below}) || path ELSE path END"
        for name in [*_RELATIONS, *self._inlined(lake)]:
            what = "*"
            if name in {"ducklake_data_file", "ducklake_delete_file"}:
                what = f"* REPLACE ({place} AS path, false AS path_is_relative)"
            where = f"WHERE snapshot_id = {self.base}" if name == "ducklake_snapshot" else ""
            if name in _RELATIONS:
                self.run(f"DELETE FROM {target}.{name}")
            else:
                columns = lake.rows(f"DESCRIBE SELECT * FROM {source}.{name}")
                self.run(f"CREATE TABLE {target}.{name} ({', '.join(f'{quote(c)} {t}' for c, t, *_ in columns)})")
                what = "COLUMNS(*)::VARCHAR"  # Arrow has not all of DuckDB's types
            taken = lake.connection.execute(f"SELECT {what} FROM {source}.{name} f {where}").to_arrow_table()
            self.connection.register("taken", taken)
            self.run(f"INSERT INTO {target}.{name} FROM taken")
            self.connection.unregister("taken")
        self.run(f"DELETE FROM {target}.ducklake_snapshot_changes")

    @staticmethod
    def _inlined(lake: RealLake) -> Iterator[str]:
        source = _META.format("lake")
        yield from (name for (name,) in lake.rows(f"SELECT table_name FROM {source}.ducklake_inlined_data_tables"))
        for (table,) in lake.rows(f"SELECT DISTINCT table_id FROM {source}.ducklake_table"):
            try:
                lake.rows(f"FROM {source}.{relations.inlined_deletes(table)}")
            except duckdb.CatalogException:
                continue
            yield relations.inlined_deletes(table)

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.connection.execute(statement)

    async def script(self, statements: Sequence[str]) -> list[list[list[Any]]]:
        self.scripts.append(statements)
        return [
            [[_json(value) for value in row] for row in self.connection.execute(statement).fetchall()]
            for statement in statements
        ]

    def collect(self, inbox: Path) -> ChangeSet:
        return asyncio.run(
            collect(self.script, attached=self.name, base=self.base, database_id=7, out=self.spill / "out", inbox=inbox)
        )


def transact(lake: RealLake, folder: Path, *statements: str) -> ChangeSet:
    """Run a transaction in a private copy of a lake and commit it to the lake."""
    private = Private(lake, folder)
    private.run("BEGIN", *statements, "COMMIT")
    changes = private.collect(folder / "inbox")
    lake.apply(changes)
    return changes


def _json(value: Any) -> Any:
    if isinstance(value, uuid.UUID | dt.datetime):
        return str(value)
    json.dumps(value)
    return value
