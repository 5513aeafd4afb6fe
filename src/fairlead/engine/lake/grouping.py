"""Group commit: the appends of several clients as one change set, so that one commit serves them all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.engine.lake.changes import ChangeSet, RowChanges


def only_appends(changes: ChangeSet) -> bool:
    """Say whether a change set does nothing but add rows to tables that were there before."""
    return not changes.structure and all(
        rows.table.table_id is not None and rows.updates is None and rows.deletes is None for rows in changes.rows
    )


def together(sets: Sequence[ChangeSet]) -> ChangeSet:
    """Return change sets that only append, all of one lake, as one.

    Args:
        sets: at least one; in the order in which their rows are to be added.
    """
    first, *others = sets
    if not others:
        return first
    rows: dict[tuple[int | None, tuple[str, ...]], RowChanges] = {}
    for one in (rows for changes in sets for rows in changes.rows):
        key = one.table.table_id, one.columns
        held = rows.get(key)
        rows[key] = (
            one
            if held is None
            else replace(held, inserted=held.inserted + one.inserted, inserts=(*held.inserts, *one.inserts))
        )
    return replace(first, base=max(one.base for one in sets), rows=tuple(rows.values()))
