"""Whether a commit of another stands in the way of changing rows of a table: what snapshots tell about that.

DuckLake writes into every snapshot what was done to which table (``inlined_delete:2,deleted_from_table:2``). Renaming
a table shows only as the making of a table of the new name, so the table's own rows are looked at too. A flush of
inlined rows says ``deleted_from_table`` where it writes inlined deletes into files; nothing else is done in its
transaction, so a snapshot that flushes a table changes none of its rows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3

HARMLESS: Final = frozenset(
    {"inserted_into_table", "inlined_insert", "inline_flush", "merge_adjacent", "rewrite_delete"}
)

_NAME = r'"(?:[^"]|"")*"'
_CHANGE: Final = re.compile(rf"(\w+):(?:(\d+)|{_NAME}(?:\.{_NAME})?)(?:,|$)")


def changed_since(connection: sqlite3.Connection, table_id: int, base: int) -> bool:
    """See :meth:`fairlead.engine.lake.metadata.LakeReader.changed_since`."""
    texts = connection.execute(
        "SELECT c.changes_made FROM ducklake_snapshot s LEFT JOIN ducklake_snapshot_changes c USING (snapshot_id) "
        "WHERE s.snapshot_id > ?",
        (base,),
    ).fetchall()
    (newest,) = connection.execute("SELECT max(snapshot_id) FROM ducklake_snapshot").fetchone()
    expired = len(texts) != max(newest - base, 0)
    return expired or _reshaped(connection, table_id, base) or any(_touches(text, table_id) for (text,) in texts)


def _reshaped(connection: sqlite3.Connection, table_id: int, base: int) -> bool:
    """Whether the table was renamed or dropped after a snapshot, or is not known at all."""
    begin, dropped = connection.execute(
        "SELECT max(begin_snapshot), min(end_snapshot IS NOT NULL) FROM ducklake_table WHERE table_id = ?", (table_id,)
    ).fetchone()
    return begin is None or begin > base or bool(dropped)


def _touches(changes: str | None, table_id: int) -> bool:
    done = _done_to(changes or "", table_id)
    if done is None:
        return True
    if "inline_flush" in done:
        done -= {"deleted_from_table"}
    return not done <= HARMLESS


def _done_to(changes: str, table_id: int) -> set[str] | None:
    """What a snapshot has done to a table (tables, views and schemas share one count of ids); None = unreadable."""
    done: set[str] = set()
    position = 0
    while position < len(changes):
        match = _CHANGE.match(changes, position)
        if match is None:
            return None
        if match[2] == str(table_id):
            done.add(match[1])
        position = match.end()
    return done
