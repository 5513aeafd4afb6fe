"""From the shapes of tables before and after a transaction to the changes of structure, in an order that works.

DuckLake is choosy: NOT NULL can only be set as a table's first change, a rename after another change corrupts its
catalog, a column by which a table is partitioned cannot be dropped. So it does not matter in which order the user did
things; this order is always the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from fairlead.engine.lake import carrying
from fairlead.engine.lake.changes import (
    ColumnChanged,
    Commented,
    NewColumn,
    SchemaCreated,
    SchemaDropped,
    TableCreated,
    TableDropped,
    TablePartitioned,
    TableRef,
    TableRenamed,
)
from fairlead.engine.lake.shapes import malformed
from fairlead.errors import NotSupported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fairlead.engine.lake.changes import Structure
    from fairlead.engine.lake.shapes import Shape, State

K = TypeVar("K")


def differ(before: State, after: State) -> tuple[Structure, ...]:
    """Return the changes of structure that lead from one state to another.

    Raises:
        NotSupported: a change that tables here cannot have.
        WorkerLost: a change that no statement makes.
    """
    return tuple(_differ(before, after))


def ref(shape: Shape, before: State) -> TableRef:
    """How a change set names a table."""
    return TableRef(shape.schema, shape.name, shape.table_id if shape.table_id in before.tables else None)


def _differ(before: State, after: State) -> Iterator[Structure]:
    for table_id, shape in before.tables.items():
        if table_id not in after.tables:
            yield TableDropped(TableRef(shape.schema, shape.name, table_id))
    yield from (SchemaDropped(name) for schema, name in before.schemas.items() if schema not in after.schemas)
    yield from (SchemaCreated(name) for schema, name in after.schemas.items() if schema not in before.schemas)
    yield from _table_renames(before, after)
    created = [shape for table_id, shape in after.tables.items() if table_id not in before.tables]
    for shape in created:
        yield TableCreated(TableRef(shape.schema, shape.name), _new_columns(shape))
        yield from _partitioned(shape, TableRef(shape.schema, shape.name))
        yield from _commented(None, shape, TableRef(shape.schema, shape.name))
    for table_id, shape in after.tables.items():
        if table_id in before.tables:
            yield from _altered(before.tables[table_id], shape)


def _table_renames(before: State, after: State) -> Iterator[Structure]:
    by_schema: dict[str, dict[int, tuple[str, str]]] = {}
    for table_id, shape in after.tables.items():
        old = before.tables.get(table_id)
        if old is None:
            continue
        if old.schema != shape.schema:
            raise malformed()
        by_schema.setdefault(shape.schema, {})[table_id] = (old.name, shape.name)
    for schema, pairs in by_schema.items():
        for table_id, old_name, new_name in renames(pairs):
            yield TableRenamed(TableRef(schema, old_name, table_id), new_name)


def renames(pairs: Mapping[K, tuple[str, str]]) -> Iterator[tuple[K, str, str]]:
    """Single renames (what, from, to) that together give every thing its new name, through chains and circles.

    Args:
        pairs: old and new name of each thing.
    """
    waiting = {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
    while waiting:
        held = {old.casefold(): key for key, (old, _) in waiting.items()}
        free = [key for key, (_, new) in waiting.items() if held.get(new.casefold(), key) == key]
        for key in free:
            yield key, *waiting.pop(key)
        if not free:  # only circles are left: one of them is opened by a name that nothing has
            key, (old, new) = next(iter(waiting.items()))
            spare = f"fairlead_moving_{key}"
            yield key, old, spare
            waiting[key] = (spare, new)


def _altered(old: Shape, new: Shape) -> Iterator[Structure]:
    table = TableRef(new.schema, new.name, new.table_id)
    common = {i: (old.columns[i], column) for i, column in new.columns.items() if i in old.columns}
    if any(was.field.parent != now.field.parent for was, now in common.values()):
        raise malformed()
    yield from _made_not_null(old, new, table)
    dropped = [i for i in old.columns if i not in new.columns]
    if (old.keys and not new.keys) or any(i in dropped for i, _ in old.keys):
        yield TablePartitioned(table, ())
    for i in dropped:
        field = old.columns[i].field
        if field.parent not in dropped:
            yield ColumnChanged(table, "drop", field.name, NewColumn(field.name, ""), _path(old, i))
    yield from _renamed_columns(old, new, table)
    yield from _added(old, new, table)
    types = carrying.types(new.fields)
    for i in types:
        if i in common and _retyped(old, new, i):
            name = new.columns[i].field.name
            yield ColumnChanged(table, "retype", name, NewColumn(name, types[i]))
    yield from _values(old, new, table)
    if new.keys != old.keys:
        yield from _partitioned(new, table)
    yield from _commented(old, new, table)


def _made_not_null(old: Shape, new: Shape, table: TableRef) -> Iterator[Structure]:
    for i, column in new.columns.items():
        was = old.columns.get(i)
        if was is None or column.field.parent is not None or column.nullable or not was.nullable:
            continue
        if old.name != new.name:
            raise NotSupported(
                f'Table "{new.name}" cannot be renamed and have a column made NOT NULL in one transaction',
                hint="Commit in between",
            )
        name = was.field.name
        yield ColumnChanged(table, "nullable", name, NewColumn(name, "", nullable=False))


def _renamed_columns(old: Shape, new: Shape, table: TableRef) -> Iterator[Structure]:
    by_parent: dict[int | None, dict[int, tuple[str, str]]] = {}
    for i, column in new.columns.items():
        if i in old.columns:
            by_parent.setdefault(column.field.parent, {})[i] = (old.columns[i].field.name, column.field.name)
    # Outer names first, so that a path is always made of new names.
    for pairs in sorted(by_parent.values(), key=lambda pairs: len(_path(new, next(iter(pairs))))):
        for i, name, new_name in renames(pairs):
            yield ColumnChanged(table, "rename", name, NewColumn(new_name, ""), _path(new, i))


def _added(old: Shape, new: Shape, table: TableRef) -> Iterator[Structure]:
    for i, column in new.columns.items():
        field = column.field
        if i in old.columns or (field.parent is not None and field.parent not in old.columns):
            continue
        made = NewColumn(field.name, _type_of(new, i), default=column.initial)
        yield ColumnChanged(table, "add", field.name, made, _path(new, i))


def _values(old: Shape, new: Shape, table: TableRef) -> Iterator[Structure]:
    """Defaults, and NULL being allowed, once columns have their last names and types."""
    for i, column in new.columns.items():
        if column.field.parent is not None:
            continue
        name, was = column.field.name, old.columns.get(i)
        if was is not None and column.nullable and not was.nullable:
            yield ColumnChanged(table, "nullable", name, NewColumn(name, ""))
        if was is None and not column.nullable:
            raise NotSupported(f'Column "{name}" cannot be added as NOT NULL', hint="Commit in between")
        if column.default != (column.initial if was is None else was.default):
            yield ColumnChanged(table, "default", name, NewColumn(name, "", default=column.default))


def _partitioned(shape: Shape, table: TableRef) -> Iterator[Structure]:
    if not shape.keys:
        return
    if any(i not in shape.columns or shape.columns[i].field.parent is not None for i, _ in shape.keys):
        raise malformed()
    yield TablePartitioned(table, tuple((shape.columns[i].field.name, how) for i, how in shape.keys))


def _commented(old: Shape | None, new: Shape, table: TableRef) -> Iterator[Structure]:
    was = old.comments if old else {}
    for i in (None, *new.columns):
        if was.get(i, "") != new.comments.get(i, ""):
            yield Commented(table, None if i is None else new.columns[i].field.name, new.comments.get(i, ""))


def _new_columns(shape: Shape) -> tuple[NewColumn, ...]:
    types = carrying.types(shape.fields)
    return tuple(
        NewColumn(column.field.name, types[i], column.nullable, column.default)
        for i, column in shape.columns.items()
        if i in types
    )


def _path(shape: Shape, column_id: int) -> tuple[str, ...]:
    names: list[str] = []
    at = shape.columns[column_id].field.parent
    while at is not None:
        names.append(shape.columns[at].field.name)
        at = shape.columns[at].field.parent
    return tuple(reversed(names))


def _retyped(old: Shape, new: Shape, root: int) -> bool:
    """Say whether a column, or a part of it that was there before, has another type."""
    return any(
        i in old.columns and old.columns[i].field.type != column.field.type and _root(new, i) == root
        for i, column in new.columns.items()
    )


def _root(shape: Shape, column_id: int) -> int:
    parent = shape.columns[column_id].field.parent
    return column_id if parent is None else _root(shape, parent)


def _type_of(shape: Shape, column_id: int) -> str:
    """The type of a column or of a part."""
    fields = [replace(field, parent=None) if field.column_id == column_id else field for field in shape.fields]
    return carrying.types(fields)[column_id]
