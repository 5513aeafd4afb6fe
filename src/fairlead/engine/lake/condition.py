"""What state a lake is in, read from its metadata: what its care decides on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from fairlead.engine.lake import files
from fairlead.engine.lake.names import quote

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

_FILES: Final = """
SELECT f.table_id, f.data_file_id, f.path, f.path_is_relative, f.record_count, f.file_size_bytes, f.row_id_start,
       coalesce((SELECT max(d.delete_count) FROM ducklake_delete_file d
                 WHERE d.data_file_id = f.data_file_id AND d.end_snapshot IS NULL), 0)
FROM ducklake_data_file f WHERE f.end_snapshot IS NULL
"""

_SCHEDULED: Final = "SELECT path, schedule_start FROM ducklake_files_scheduled_for_deletion WHERE path_is_relative"


@dataclass(frozen=True, slots=True)
class DataFile:
    """A data file of the newest snapshot.

    Args:
        table_id: whose.
        file_id: its own.
        path: below the table's folder, or absolute.
        relative: which of the two.
        rows: in it, deleted ones as well.
        size: in bytes.
        numbered: whether DuckLake takes its row ids to be consecutive.
        deleted: number of its rows that delete files take away.
    """

    table_id: int
    file_id: int
    path: str
    relative: bool
    rows: int
    size: int
    numbered: bool
    deleted: int


@dataclass(frozen=True, slots=True)
class Condition:
    """The state of a lake.

    Args:
        files: data files of the newest snapshot.
        inlined: number of rows and of deletions that are kept in the metadata, by table.
        expired: snapshots that are older than they have to be kept; never the newest.
    """

    files: tuple[DataFile, ...]
    inlined: dict[int, int]
    expired: tuple[int, ...]


def read(catalog: Path, *, expire_before: datetime) -> Condition:
    """Read the state of a lake.

    Args:
        catalog: its metadata.
        expire_before: snapshots made before this need not be kept.
    """
    with files.read(catalog) as connection:
        connection.execute("BEGIN")  # one state of the metadata
        found = tuple(
            DataFile(table, file, path, bool(relative), rows, size, start is not None, deleted)
            for table, file, path, relative, rows, size, start, deleted in connection.execute(_FILES)
        )
        snapshots = connection.execute(
            "SELECT snapshot_id, snapshot_time FROM ducklake_snapshot ORDER BY snapshot_id"
        ).fetchall()
        return Condition(
            found,
            _inlined(connection),
            tuple(number for number, text in snapshots[:-1] if moment(text) < expire_before),
        )


def scheduled(catalog: Path, *, before: datetime) -> list[str]:
    """Return the files that were given up before a point in time, by their paths below the lake's data path.

    Args:
        catalog: the lake's metadata.
        before: that point.
    """
    with files.read(catalog) as connection:
        rows = connection.execute(_SCHEDULED).fetchall()
    return [path for path, text in rows if moment(text) <= before]


def moment(text: str) -> datetime:
    """Return a point in time as DuckLake writes it into SQLite."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _inlined(connection: sqlite3.Connection) -> dict[int, int]:
    counts: dict[int, int] = {}
    for table, name in connection.execute("SELECT table_id, table_name FROM ducklake_inlined_data_tables").fetchall():
        counts[table] = counts.get(table, 0) + _count(connection, name)
    names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'ducklake_inlined_delete_[0-9]*'"
    for (name,) in connection.execute(names).fetchall():
        table = int(name.rpartition("_")[2])
        counts[table] = counts.get(table, 0) + _count(connection, name)
    return counts


def _count(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {quote(name)}").fetchone()[0])  # noqa: S608  # a quoted name
