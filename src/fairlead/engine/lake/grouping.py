"""How change sets are committed: the appends of several clients together, and some so that every row goes to a file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fairlead.engine.lake.changes import ColumnChanged, TableCreated

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fairlead.engine.lake.changes import ChangeSet, RowChanges
    from fairlead.engine.lake.metadata import LakeTable

_NESTED = ("STRUCT(", "MAP(", "[]", "UNION(")


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


def has_nested_rows(changes: ChangeSet, tables: Iterable[LakeTable]) -> bool:
    """Say whether rows of a table with a nested column are changed.

    Args:
        changes: what is committed.
        tables: of the lake before the commit.
    """
    changed = {rows.table.table_id for rows in changes.rows}
    types = [column.type for table in tables if table.table_id in changed for column in table.columns]
    for change in changes.structure:
        if isinstance(change, TableCreated):
            types += [column.type for column in change.columns]
        elif isinstance(change, ColumnChanged):
            types.append(change.column.type)
    return bool(changes.rows) and any(part in type_ for type_ in types for part in _NESTED)
