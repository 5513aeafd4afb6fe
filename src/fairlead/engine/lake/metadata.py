"""Reads the real catalog of a lake, a SQLite file that only the writer process opens for writing."""

from __future__ import annotations

import sqlite3
import threading
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote as percent_encoded

from fairlead.engine.lake import relations
from fairlead.engine.lake.columntypes import duckdb_types, live_fields
from fairlead.engine.lake.conflicts import changed_since
from fairlead.engine.lake.names import literal
from fairlead.engine.lake.reading import CopyReader
from fairlead.errors import LakeUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from fairlead.engine.lake.copying import CatalogCopy, Row, Selection

BUSY_SECONDS: Final = 10.0
"""How long a read waits for the writer where it must (a checkpoint, a recovery); a reader of a WAL seldom does."""

_LIVE = "begin_snapshot <= :at AND (end_snapshot IS NULL OR end_snapshot > :at)"


@dataclass(frozen=True, slots=True)
class LakeColumn:
    """A column of a table.

    Args:
        column_id: does not change when the column is renamed; parts of nested columns have ids too.
        name: as typed.
        type: in DuckDB's spelling.
        nullable: whether NULL is allowed.
        default: an SQL expression, None = NULL.
    """

    column_id: int
    name: str
    type: str
    nullable: bool
    default: str | None


@dataclass(frozen=True, slots=True)
class LakeTable:
    """A table.

    Args:
        table_id: does not change when the table is renamed or altered.
        uuid: the same, and unique over lakes.
        schema: name of its schema.
        name: of the table.
        prefix: folder of its files, below the lake's data path or absolute, with a slash at its end.
        columns: in order.
        comment: None = none.
        column_comments: by column id, those there are.
        keys: (name of a column, transform) pairs by which it is partitioned.
    """

    table_id: int
    uuid: str
    schema: str
    name: str
    prefix: str
    columns: tuple[LakeColumn, ...]
    comment: str | None
    column_comments: Mapping[int, str] = field(default_factory=dict)
    keys: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class TableDetails:
    """What is known of a table beside its shape: how many rows and bytes it has, and the comments by column id."""

    rows: int | None
    bytes: int | None
    comments: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """A commit: its number, when it was made, and what the writer said of it."""

    id: int
    time: datetime
    author: str | None
    message: str | None
    extra: str | None


class LakeReader:
    """Reads a lake's catalog. May be used by several threads at once; each call sees one state of the catalog.

    Args:
        catalog_file: the SQLite file.
    """

    def __init__(self, catalog_file: Path) -> None:
        self._file = catalog_file
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def close(self) -> None:
        """Close the file. The next call opens it again."""
        with self._lock:
            self._close()

    def snapshot(self) -> int:
        """Id of the newest snapshot."""
        with self._reading() as connection:
            return _newest(connection)

    def data_path(self) -> str:
        """Folder or URL below which the lake's files are, with a slash at its end."""
        with self._reading() as connection:
            row = connection.execute("SELECT value FROM ducklake_metadata WHERE key = 'data_path'").fetchone()
            if row is None:
                raise LakeUnreadable(f"{self._file} does not tell where the lake's files are")
            return str(row[0])

    def schemas(self) -> tuple[tuple[int, str], ...]:
        """Ids and names of the schemas."""
        sql = f"SELECT schema_id, schema_name FROM ducklake_schema WHERE {_LIVE} ORDER BY schema_id"  # noqa: S608
        with self._reading() as connection:
            return tuple(connection.execute(sql, {"at": _newest(connection)}))

    def snapshots(self) -> tuple[SnapshotInfo, ...]:
        """All commits that can still be read, oldest first."""
        sql = (
            "SELECT snapshot_id, snapshot_time, author, commit_message, commit_extra_info FROM ducklake_snapshot "
            "LEFT JOIN ducklake_snapshot_changes USING (snapshot_id) ORDER BY snapshot_id"
        )
        with self._reading() as connection:
            return tuple(SnapshotInfo(row[0], _time(row[1]), *row[2:]) for row in connection.execute(sql))

    def tables(self, at: int | None = None) -> tuple[LakeTable, ...]:
        """The tables.

        Args:
            at: a snapshot, None = the newest.
        """
        with self._reading() as connection:
            return _tables(connection, _newest(connection) if at is None else at)

    def details(self) -> dict[int, TableDetails]:
        """Sizes and comments of the tables, by table id."""
        sizes = "SELECT table_id, record_count, file_size_bytes FROM ducklake_table_stats"
        tags = f"SELECT table_id, column_id, value FROM ducklake_column_tag WHERE key = 'comment' AND {_LIVE}"  # noqa: S608
        with self._reading() as connection:
            comments: dict[int, dict[int, str]] = defaultdict(dict)
            for table_id, column_id, text in connection.execute(tags, {"at": _newest(connection)}):
                comments[table_id][column_id] = text
            found = {
                row[0]: TableDetails(row[1], row[2], comments.pop(row[0], {})) for row in connection.execute(sizes)
            }
        return found | {table_id: TableDetails(None, None, texts) for table_id, texts in comments.items()}

    def changed_since(self, table_id: int, base: int) -> bool:
        """Whether a later commit stands against changing rows or the shape of a table as it was at a snapshot.

        True if a commit after ``base`` has updated or deleted rows of the table, altered, renamed or dropped it, or if
        that cannot be told any more because the commits have expired. Rows that were only added, and care in the
        background (flushing, merging and rewriting of files), do not count: row ids survive them.
        """
        with self._reading() as connection:
            return changed_since(connection, table_id, base)

    def copy(self, selection: Selection, at: int | None = None) -> CatalogCopy:
        """Read what a worker's private copy of the catalog is made of.

        Args:
            selection: what goes into it.
            at: a snapshot, None = the newest.

        Raises:
            UndefinedObject: a selected table, or the snapshot, is not there.
            InvalidSchemaName: a schema that is named is not there.
            LakeMoved: the snapshot is an older one that cannot stand by itself any more; never with the newest.
            LakeUnreadable: the catalog is not what it should be.
        """
        with self._reading() as connection:
            return CopyReader(connection, selection, _newest(connection) if at is None else at).read()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time, in a transaction that sees one state of the catalog."""
        with self._lock:
            try:
                connection = self._connection or self._open()
                connection.execute("BEGIN")
                yield connection
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._close()
                raise LakeUnreadable(f"The catalog of the lake cannot be read: {error}") from error
            except BaseException:
                self._close()
                raise

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{percent_encoded(str(self._file))}?mode=ro",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        self._connection = connection
        row = connection.execute("SELECT value FROM ducklake_metadata WHERE key = 'version'").fetchone()
        if row is None or row[0] != relations.FORMAT:
            raise LakeUnreadable(
                f"{self._file} is a catalog of DuckLake {row[0] if row else '(unknown)'}, not of {relations.FORMAT}",
                hint="Use the version of Fairlead that wrote it, or a newer one",
            )
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _newest(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT max(snapshot_id) FROM ducklake_snapshot").fetchone()
    if row[0] is None:
        raise LakeUnreadable("The catalog has no snapshot")
    return int(row[0])


def _time(text: str) -> datetime:
    """DuckDB's spelling of a time with its zone, which has no minutes (``+00``)."""
    return datetime.fromisoformat(text)


def _tables(connection: sqlite3.Connection, at: int) -> tuple[LakeTable, ...]:
    columns = _columns(connection, at)
    comments = dict(
        connection.execute(
            f"SELECT object_id, value FROM ducklake_tag WHERE key = 'comment' AND {_LIVE}",  # noqa: S608
            {"at": at},
        )
    )
    of_columns, keys = _column_comments(connection, at), _keys(connection, at)
    live = _LIVE.replace("begin", "t.begin").replace("end_", "t.end_")
    rows = connection.execute(
        "SELECT table_id, table_uuid, schema_name, table_name, "  # noqa: S608
        "CASE WHEN t.path_is_relative THEN s.path || t.path ELSE t.path END "
        f"FROM ducklake_table t JOIN ducklake_schema s USING (schema_id) WHERE {live} ORDER BY table_id",
        {"at": at},
    )
    return tuple(
        LakeTable(
            *(table, unique, schema, name, prefix, columns[table], comments.get(table)),
            column_comments=of_columns.get(table, {}),
            keys=keys.get(table, ()),
        )
        for table, unique, schema, name, prefix in rows
    )


def _column_comments(connection: sqlite3.Connection, at: int) -> dict[int, dict[int, str]]:
    found: dict[int, dict[int, str]] = defaultdict(dict)
    sql = f"SELECT table_id, column_id, value FROM ducklake_column_tag WHERE key = 'comment' AND {_LIVE}"  # noqa: S608
    for table, column, comment in connection.execute(sql, {"at": at}):
        if comment:
            found[table][column] = comment
    return found


def _keys(connection: sqlite3.Connection, at: int) -> dict[int, tuple[tuple[str, str], ...]]:
    found: dict[int, tuple[tuple[str, str], ...]] = defaultdict(tuple)
    live = " AND ".join(_LIVE.replace("begin", f"{of}.begin").replace("end_", f"{of}.end_") for of in ("p", "c"))
    sql = (
        "SELECT p.table_id, c.column_name, k.transform FROM ducklake_partition_info p "  # noqa: S608
        "JOIN ducklake_partition_column k USING (partition_id) "
        "JOIN ducklake_column c ON c.table_id = p.table_id AND c.column_id = k.column_id "
        f"WHERE {live} ORDER BY p.table_id, k.partition_key_index"
    )
    for table, column, transform in connection.execute(sql, {"at": at}):
        found[table] += ((column, transform),)
    return found


def _columns(connection: sqlite3.Connection, at: int) -> dict[int, tuple[LakeColumn, ...]]:
    names = ", ".join(relations.COLUMN.columns)
    by_table: dict[int, list[Row]] = defaultdict(list)
    for row in connection.execute(f"SELECT {names} FROM ducklake_column WHERE {_LIVE}", {"at": at}):  # noqa: S608
        by_table[row[3]].append(row)
    return defaultdict(tuple, {table: _columns_of_table(rows) for table, rows in by_table.items()})


def _columns_of_table(rows: list[Row]) -> tuple[LakeColumn, ...]:
    fields, by_id = live_fields(rows), {row[0]: row for row in rows}
    types = duckdb_types(fields)
    return tuple(
        LakeColumn(item.column_id, item.name, types[item.column_id], bool(row[9]), _default(row[8], row[11]))
        for item in fields
        if item.parent is None
        for row in [by_id[item.column_id]]
    )


def _default(text: str | None, kind: str | None) -> str | None:
    # DuckLake writes the absence of a default as the literal NULL, unquoted.
    if text is None or (text == "NULL" and kind != "expression"):
        return None
    return text if kind == "expression" else literal(text)
