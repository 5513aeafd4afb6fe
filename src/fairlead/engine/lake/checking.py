"""First committer wins: whether what a change set builds on is still as it was in the snapshot that it was made of.

Appends disturb nobody. Changed and removed rows, and changed structure, build on the table as it was: they fail when
somebody else has changed or removed rows of it, or altered or dropped it. Appends fail only when the table has another
shape now. What the care of the lake does (flushing, merging, rewriting) changes no row and no row id: no conflict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.engine.lake.changes import (
    ColumnChanged,
    Commented,
    SchemaCreated,
    SchemaDropped,
    TableCreated,
    TableDropped,
    TablePartitioned,
    TableRenamed,
)
from fairlead.errors import DuplicateSchema, DuplicateTable, SerializationFailure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fairlead.engine.lake.changes import ChangeSet, TableRef
    from fairlead.engine.lake.metadata import LakeReader, LakeTable

_RETRY: Final = "run the transaction again"


def check(changes: ChangeSet, reader: LakeReader, tables: Sequence[LakeTable], head: int) -> None:
    """Refuse a change set that builds on what is no longer so.

    Args:
        changes: to be committed.
        reader: of the lake.
        tables: of the lake now.
        head: the lake's newest snapshot.

    Raises:
        SerializationFailure: somebody else was first.
        DuplicateTable, DuplicateSchema: a name that it makes is taken.
    """
    if changes.base != head:
        for table in _changed(changes):
            if table.table_id is not None and reader.changed_since(table.table_id, changes.base):
                raise _conflict(table)
        _same_shape(changes, reader, tables)
    if changes.structure:
        _table_names(changes, tables)
        _schema_names(changes, (name for _, name in reader.schemas()))


def _changed(changes: ChangeSet) -> Iterable[TableRef]:
    """Give the tables of which more was changed than that rows were added."""
    for change in changes.structure:
        match change:
            case (
                TableDropped(table)
                | TableRenamed(table)
                | ColumnChanged(table)
                | TablePartitioned(table)
                | Commented(table)
            ):
                yield table
            case _:
                continue
    for rows in changes.rows:
        if rows.updates is not None or rows.deletes is not None:
            yield rows.table


def _same_shape(changes: ChangeSet, reader: LakeReader, tables: Iterable[LakeTable]) -> None:
    if not changes.rows:
        return
    before = {table.table_id: table for table in reader.tables(changes.base)}
    now = {table.table_id: table for table in tables}
    for table in (rows.table for rows in changes.rows if rows.table.table_id is not None):
        old, new = before.get(table.table_id or 0), now.get(table.table_id or 0)
        if old is None or new is None or _shape(old) != _shape(new):
            raise _conflict(table)


def _shape(table: LakeTable) -> tuple[object, ...]:
    return table.schema, table.name, table.columns


def _conflict(table: TableRef) -> SerializationFailure:
    return SerializationFailure(
        f'could not serialize access to table "{table.schema}.{table.name}" due to concurrent changes', hint=_RETRY
    )


def _table_names(changes: ChangeSet, tables: Iterable[LakeTable]) -> None:
    taken = {(table.schema.casefold(), table.name.casefold()) for table in tables}
    for change in changes.structure:
        match change:
            case TableDropped(table):
                taken.discard((table.schema.casefold(), table.name.casefold()))
            case TableCreated(table):
                _take(taken, table.schema, table.name)
            case TableRenamed(table, new_name):
                taken.discard((table.schema.casefold(), table.name.casefold()))
                _take(taken, table.schema, new_name)
            case _:
                continue


def _take(taken: set[tuple[str, str]], schema: str, name: str) -> None:
    key = (schema.casefold(), name.casefold())
    if key in taken:
        raise DuplicateTable(f'relation "{schema}.{name}" already exists')
    taken.add(key)


def _schema_names(changes: ChangeSet, schemas: Iterable[str]) -> None:
    present = {name.casefold() for name in schemas}
    for change in changes.structure:
        match change:
            case SchemaCreated(name) if name.casefold() in present:
                raise DuplicateSchema(f'schema "{name}" already exists')
            case SchemaCreated(name):
                present.add(name.casefold())
            case SchemaDropped(name) if name.casefold() not in present:
                raise SerializationFailure(
                    f'could not serialize access to schema "{name}" due to concurrent changes', hint=_RETRY
                )
            case SchemaDropped(name):
                present.discard(name.casefold())
            case _:
                continue
