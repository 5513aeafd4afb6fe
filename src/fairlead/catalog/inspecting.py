"""Looking at a catalog file without opening it for work: nothing is created, migrated or written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.catalog.migrations import REVISIONS

if TYPE_CHECKING:
    from pathlib import Path

_BUSY_SECONDS = 10
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a catalog file is.

    Args:
        revision: of its schema; None where it is no catalog of Fairlead.
        problems: what SQLite says of damage, empty for a sound file.
    """

    revision: str | None
    problems: tuple[str, ...] = ()

    @property
    def is_newer(self) -> bool:
        """Whether a newer Fairlead has written it."""
        return self.revision is not None and self.revision not in REVISIONS

    @property
    def is_older(self) -> bool:
        """Whether opening it will migrate it."""
        return self.revision in REVISIONS[:-1]


def inspect(file: Path) -> Inspection:
    """Read the revision of a catalog and check the whole file for damage; a gateway may be at work on it.

    Args:
        file: the catalog.

    Raises:
        OSError: it cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)) as opened:
            problems = [str(row[0]) for row in opened.execute(f"PRAGMA integrity_check({_SHOWN})") if row[0] != "ok"]
            for table, row, parent, _ in opened.execute("PRAGMA foreign_key_check").fetchmany(_SHOWN):
                problems.append(f"row {row} of {table} points to a row of {parent} that is not there")
            return Inspection(_revision(opened), tuple(problems))
    except sqlite3.DatabaseError as error:
        return Inspection(None, (str(error),))


def _revision(opened: sqlite3.Connection) -> str | None:
    known = opened.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    row = opened.execute("SELECT version_num FROM alembic_version").fetchone() if known else None
    return None if row is None else str(row[0])
