"""The files of a lake: which ones its metadata name, and which ones nothing names.

Names of data files hold a UUID, so a name alone tells whether the metadata know a file, in whatever folder it lies.
"""

from __future__ import annotations

import os
import re
import sqlite3
import stat
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OURS: Final = re.compile(r"ducklake-[0-9a-f-]{36}(-delete)?\.parquet")
"""Names of data files as DuckLake makes them; whatever else lies beside them is not ours to delete."""
_READ_ONLY: Final = 0o444
_NAMES: Final = """
SELECT path FROM ducklake_data_file
UNION ALL SELECT path FROM ducklake_delete_file
UNION ALL SELECT path FROM ducklake_files_scheduled_for_deletion
"""
_NEW: Final = """
WITH f AS (
    SELECT table_id, path, path_is_relative AS relative FROM ducklake_data_file WHERE data_file_id >= :since
    UNION ALL
    SELECT table_id, path, path_is_relative FROM ducklake_delete_file WHERE delete_file_id >= :since
)
SELECT DISTINCT s.path, s.path_is_relative, t.path, t.path_is_relative, f.path, f.relative
FROM f JOIN ducklake_table t ON t.table_id = f.table_id JOIN ducklake_schema s ON s.schema_id = t.schema_id
"""


def read(catalog: Path) -> closing[sqlite3.Connection]:
    """Open a lake's metadata for reading; the block's end closes them."""
    return closing(sqlite3.connect(f"file:{catalog}?mode=ro", uri=True, timeout=10))


def seal(catalog: Path, folder: Path, *, since: int) -> int:
    """Make the files of new commits read-only and durable; return the id from which files are new the next time.

    Workers hold hard links of these files, so nobody may change them. A commit is acknowledged after this.

    Args:
        catalog: the lake's metadata.
        folder: its data path.
        since: the id from which files are new.
    """
    with read(catalog) as connection:
        next_id: int = connection.execute("SELECT coalesce(max(next_file_id), 0) FROM ducklake_snapshot").fetchone()[0]
        parts = connection.execute(_NEW, {"since": since}).fetchall() if next_id > since else []
    folders: set[Path] = set()
    for file in _below(folder, parts):
        if _seal_one(file):
            folders.add(file.parent)
    for one in folders:
        _flush(one, os.O_RDONLY | os.O_DIRECTORY)
    return next_id


def missing(catalog: Path, folder: Path) -> list[Path]:
    """Return the files below the data path that the metadata need and that are not there.

    The metadata may change meanwhile: a file is missing only if they still name it afterwards.

    Args:
        catalog: the lake's metadata.
        folder: its data path.
    """
    gone: set[Path] | None = None
    for _ in range(2):
        with read(catalog) as connection:
            parts = connection.execute(_NEW, {"since": 0}).fetchall()
        named = {file for file in _below(folder, parts) if not file.exists()}
        gone = named if gone is None else gone & named
        if not gone:
            break
    return sorted(gone or ())


def _below(folder: Path, parts: Iterable[tuple[Any, ...]]) -> Iterator[Path]:
    """Give the files that ``_NEW`` has found, as far as they lie below the data path: others are not ours."""
    for schema, schema_relative, table, table_relative, path, relative in parts:
        if relative:
            below = PurePosixPath(table if not table_relative else f"{schema}/{table}")
            yield (folder / below if schema_relative else Path(below)) / path


def _seal_one(file: Path) -> bool:
    try:
        if stat.S_IMODE(file.stat().st_mode) == _READ_ONLY:
            return False
        _flush(file, os.O_RDONLY)
        file.chmod(_READ_ONLY)
    except FileNotFoundError:  # of an old commit, expired and cleaned up since
        return False
    return True


def _flush(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def orphans(catalog: Path, folder: Path) -> Iterator[Path]:
    """Give the data files that the metadata do not name: left by transactions that a crash has ended.

    Nothing may be committed to the lake meanwhile.

    Args:
        catalog: the lake's metadata.
        folder: its data path.
    """
    # The folder is listed first: a file that comes later is not in the list.
    found = [Path(where, name) for where, _, names in os.walk(folder) for name in names]
    names = set(unknown(catalog, (file.name for file in found)))
    yield from (file for file in found if file.name in names and not file.is_symlink())


def unknown(catalog: Path, paths: Iterable[str]) -> list[str]:
    """Return those paths of data files that the metadata do not name; what is not called like one of ours is left out.

    Args:
        catalog: the lake's metadata.
        paths: of files, listed before this is called.
    """
    with read(catalog) as connection:
        known = {PurePosixPath(path).name for (path,) in connection.execute(_NAMES)}
    names = ((path, PurePosixPath(path).name) for path in paths)
    return [path for path, name in names if name not in known and OURS.fullmatch(name)]


def made_in(catalog: Path) -> dict[int, int]:
    """Return the snapshot that made each table, by the table's id, as far as the metadata still know it."""
    with read(catalog) as connection:
        return dict(connection.execute("SELECT table_id, min(begin_snapshot) FROM ducklake_table GROUP BY table_id"))


def size(file: Path) -> int:
    """Return the size of a file in bytes, 0 when it has gone."""
    try:
        return file.lstat().st_size
    except FileNotFoundError:
        return 0
