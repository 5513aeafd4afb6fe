"""What must not be forgotten when the gateway is killed: uploads that are open, and objects that no manifest lists yet.

A line is on disk before the request that it is about is sent, and goes when nothing can be left of it in the store.
What a gateway finds at its start was left by one that was killed. The journal is a file of its own beside the catalog:
the uploads under way are one process's own business, also where many gateways share a catalog.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from fairlead.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

FILE_NAME: Final = "uploads.db"
_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS uploads (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        connection_id INTEGER NOT NULL,
        connection TEXT NOT NULL,
        store TEXT NOT NULL,
        bucket TEXT NOT NULL,
        key TEXT NOT NULL,
        export TEXT NOT NULL,
        folder TEXT,
        old INTEGER NOT NULL,
        upload_id TEXT,
        at TEXT NOT NULL
    ) STRICT
"""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_COLUMNS: Final = "connection_id, connection, store, bucket, key, export, folder, old, upload_id, at"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line.

    Args:
        connection_id: through which connection.
        connection: its full name.
        store: where that leads, as text; empty where no path of it is claimed.
        bucket: real name.
        key: of the object.
        export: id of the export that the object belongs to, empty for none.
        folder: prefix of an export of several objects: one that its manifest does not list is removed. None: the object
            stands for itself, and is there as a whole or not at all.
        old: whether it was there before, and goes when the manifest is the export's.
        upload_id: of the multipart upload; None where its id was never learnt.
        at: when it was written.
        id: number of the line.
    """

    connection_id: int
    connection: str
    store: str
    bucket: str
    key: str
    export: str = ""
    folder: str | None = None
    old: bool = False
    upload_id: str | None = None
    at: datetime = _NEVER
    id: int = 0


class Journal:
    """The lines; safe for use from many threads.

    Args:
        path: the file; None keeps them in memory only.
    """

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._lock = threading.Lock()
        self._held: set[int] = set()
        self.on_release: Callable[[], None] = lambda: None
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", _TABLE):
            self._db.execute(statement)

    def write(self, entry: Entry) -> Entry:
        """Write a line and return it with its number; it is held: a running statement answers for it.

        Raises:
            StoreError: the disk does not take it, so the request must not be sent.
        """
        at = datetime.now(UTC)
        values = (
            *(entry.connection_id, entry.connection, entry.store, entry.bucket, entry.key),
            *(entry.export, entry.folder, entry.old, entry.upload_id, at.isoformat()),
        )
        with self._lock:
            try:
                marks = ", ".join("?" * len(values))
                cursor = self._db.execute(f"INSERT INTO uploads ({_COLUMNS}) VALUES ({marks})", values)  # noqa: S608  # fixed names
            except sqlite3.Error as error:
                message = f"the journal of uploads cannot be written: {error}"
                raise StoreError(message, hint="see that the disk of the data directory has room") from None
            number = cursor.lastrowid or 0
            self._held.add(number)
        return replace(entry, id=number, at=at)

    def opened(self, number: int, upload_id: str) -> None:
        """Note the id of an upload. That this fails is no harm: the store can be asked for it."""
        with self._lock, suppress(sqlite3.Error):
            self._db.execute("UPDATE uploads SET upload_id = ? WHERE id = ?", (upload_id, number))

    def forget(self, numbers: Iterable[int]) -> None:
        """Remove lines: nothing is left of them in the store, or what is left is meant to be there."""
        gone = list(numbers)
        with self._lock:
            # A line that stays is worked off once more, which changes nothing.
            with suppress(sqlite3.Error):
                self._db.execute(
                    f"DELETE FROM uploads WHERE id IN ({', '.join('?' * len(gone))})",  # noqa: S608  # question marks
                    gone,
                )
            self._held.difference_update(gone)

    def release(self, numbers: Iterable[int]) -> None:
        """Say that no running statement answers for these lines any more."""
        with self._lock:
            self._held.difference_update(numbers)
        self.on_release()

    def left(self) -> list[Entry]:
        """Return the lines that nobody answers for, oldest first."""
        with self._lock:
            rows = self._db.execute(f"SELECT id, {_COLUMNS} FROM uploads ORDER BY id").fetchall()  # noqa: S608  # fixed names
            return [_entry(row) for row in rows if row[0] not in self._held]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()


def _entry(row: tuple[Any, ...]) -> Entry:
    number, *values, at = row
    connection_id, connection, store, bucket, key, export, folder, old, upload_id = values
    return Entry(
        *(connection_id, connection, store, bucket, key),
        export=export,
        folder=folder,
        old=bool(old),
        upload_id=upload_id,
        at=datetime.fromisoformat(at),
        id=number,
    )
