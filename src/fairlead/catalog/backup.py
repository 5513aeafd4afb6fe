"""A copy of the catalog before it is migrated, so that the older Fairlead can be gone back to."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final

from fairlead.errors import ConfigurationError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

FOLDER: Final = "backups"
_KEPT: Final = 5
_OURS: Final = re.compile(r"catalog-\w+-\d{8}T\d{6}Z\.db")


def back_up(file: Path, *, revision: str, at: datetime) -> Path:
    """Copy a catalog into ``backups`` beside it and return the copy; the oldest beyond five are removed.

    It is copied with SQLite's backup interface, so what still stands in the log of the database is in the copy; the
    copy is there as a whole, and on disk, or not at all.

    Args:
        file: the catalog.
        revision: of its schema, for the name.
        at: now, for the name.

    Raises:
        ConfigurationError: it cannot be written.
    """
    folder = file.parent / FOLDER
    copy = folder / f"catalog-{revision}-{at:%Y%m%dT%H%M%SZ}.db"
    part = copy.with_suffix(".part")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        _sync(part)
        part.replace(copy)
        _sync(folder)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        message = f"the catalog was not migrated, because it could not be backed up to {folder}: {error}"
        raise ConfigurationError(message, hint="see that the disk has room and is writable, and start again") from None
    _keep_newest(folder)
    return copy


def _keep_newest(folder: Path) -> None:
    ours = [path for path in folder.iterdir() if _OURS.fullmatch(path.name)]
    for path in sorted(ours, key=lambda path: path.stem.rpartition("-")[2])[:-_KEPT]:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
