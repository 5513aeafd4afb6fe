"""The shapes of a private lake's tables before and after a transaction, read from what a worker says of its metadata.

The worker may be hostile. Every value is checked for its form here, so that what follows can rely on it; what the
values say is judged elsewhere, by privileges.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from fairlead.engine.lake import carrying
from fairlead.engine.lake.columntypes import Field
from fairlead.engine.lake.defaults import expression_default, literal_default
from fairlead.errors import InvalidName, NotSupported, WorkerLost

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Rows = list[list[Any]]
K = TypeVar("K")

_LARGEST: Final = 2**63 - 1
_LONGEST_NAME: Final = 255
_LONGEST_TEXT: Final = 65536
_WIDTHS: Final = (4, 5, 12, 4, 5, 6)  # of the answers that tell of shapes
_TRANSFORM: Final = re.compile(r"identity|year|month|day|hour|bucket\(\d{1,6}\)")
_RESERVED: Final = frozenset({"rowid", "fairlead_rowid"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column, or a part of a nested one.

    Args:
        field: id, name, type, and what it is a part of.
        nullable: whether NULL is allowed; says nothing for a part.
        initial: value that rows from before the column have, as SQL, None for NULL.
        default: for new rows, as SQL, None for none.
    """

    field: Field
    nullable: bool
    initial: str | None
    default: str | None


@dataclass(frozen=True, slots=True)
class Shape:
    """A table without its rows.

    Args:
        table_id: in the lake.
        schema: name of its schema.
        name: of the table.
        columns: by id, in order; parts of nested ones too.
        keys: (column id, transform) pairs by which it is partitioned.
        comments: by column id, None for the table's own; those there are.
    """

    table_id: int
    schema: str
    name: str
    columns: dict[int, Column]
    keys: tuple[tuple[int, str], ...] = ()
    comments: dict[int | None, str] = field(default_factory=dict)

    @property
    def fields(self) -> list[Field]:
        """All columns and parts, in order."""
        return [column.field for column in self.columns.values()]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order, without parts."""
        return tuple(field.name for field in self.fields if field.parent is None)


@dataclass(frozen=True, slots=True)
class State:
    """Schemas and touched tables of a lake at one time, both by id."""

    schemas: dict[int, str]
    tables: dict[int, Shape]


def malformed() -> WorkerLost:
    """The error for an answer that no honest worker gives."""
    return WorkerLost("The worker's account of its tables is malformed", hint="Run the transaction again")


def checked_rows(rows: Any, width: int) -> Rows:
    """The rows of a statement, each of so many values."""
    if not isinstance(rows, list) or any(not isinstance(row, list) or len(row) != width for row in rows):
        raise malformed()
    return rows


def number(value: Any) -> int:
    """A checked id or count."""
    if type(value) is not int or not 0 <= value <= _LARGEST:
        raise malformed()
    return value


def text(value: Any, longest: int = _LONGEST_TEXT) -> str:
    """A checked text of bounded length."""
    if not isinstance(value, str):
        raise malformed()
    if len(value) > longest:
        raise NotSupported(f"A text of {len(value)} characters is too long here; {longest} are allowed")
    return value


def name(value: Any) -> str:
    """A checked name."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise malformed()
    if len(value) > _LONGEST_NAME:
        raise InvalidName(f"A name has {len(value)} characters; {_LONGEST_NAME} are allowed")
    return value


def questions(catalog: str, snapshot: int, tables: Iterable[int], *, reshaped: bool) -> list[str]:
    """Statements whose answers :func:`states` understands.

    Args:
        catalog: the private metadata, quoted.
        snapshot: id of the snapshot that the transaction has made.
        tables: ids of those that it has touched.
        reshaped: whether it has done more than to change rows.
    """
    span = "begin_snapshot, end_snapshot"
    counts = f"(end_snapshot IS NULL OR end_snapshot = {snapshot})"
    ids = ", ".join(map(str, tables)) or "NULL"

    def of_tables(columns: str, relation: str, key: str = "table_id", where: str = counts) -> str:
        return f"SELECT {columns} FROM {catalog}.{relation} WHERE {key} IN ({ids}) AND {where}"  # noqa: S608

    always = [
        f"SELECT {span}, schema_id, schema_name FROM {catalog}.ducklake_schema WHERE {counts}",  # noqa: S608
        of_tables(f"{span}, table_id, schema_id, table_name", "ducklake_table"),
        of_tables(
            f"{span}, table_id, column_id, column_order, column_name, column_type, parent_column, nulls_allowed,"
            " initial_default, default_value, default_value_type",
            "ducklake_column",
        ),
    ]
    if not reshaped:
        return always
    comment = f"{counts} AND key = 'comment'"
    return [
        *always,
        of_tables(f"{span}, object_id, value", "ducklake_tag", "object_id", comment),
        of_tables(f"{span}, table_id, column_id, value", "ducklake_column_tag", where=comment),
        of_tables(
            f"{span}, p.table_id, k.partition_key_index, k.column_id, k.transform",
            f"ducklake_partition_info p JOIN {catalog}.ducklake_partition_column k USING (partition_id)",
            "p.table_id",
        ),
        of_tables("table_id", "ducklake_sort_info", where=f"{snapshot} IN (begin_snapshot, end_snapshot)"),
    ]


def states(answers: Sequence[Rows], base: int) -> tuple[State, State]:
    """What there was before and what there is after a transaction, of the tables that it touched.

    Args:
        answers: to :func:`questions`.
        base: snapshot before the transaction.

    Raises:
        WorkerLost: an answer is malformed.
        NotSupported: a change that tables here cannot have.
    """
    if any(answers[len(_WIDTHS) :]):
        raise NotSupported("Tables cannot be sorted here", hint="Partition the table, or sort in the query")
    given = [*answers, *([] for _ in _WIDTHS)]
    versions = [checked_rows(rows, width) for rows, width in zip(given, _WIDTHS, strict=False)]
    return _state([list(_at(rows, base)) for rows in versions]), _state([list(_now(rows)) for rows in versions])


def _at(rows: Rows, base: int) -> Iterator[list[Any]]:
    for begin, end, *rest in rows:
        if number(begin) <= base and (end is None or number(end) > base):
            yield rest


def _now(rows: Rows) -> Iterator[list[Any]]:
    for _, end, *rest in rows:
        if end is None:
            yield rest


def _state(answers: Sequence[Rows]) -> State:
    schemas, tables, columns, comments, column_comments, keys = answers
    names = {number(schema): name(called) for schema, called in schemas}
    ordered = sorted(columns, key=lambda row: number(row[2]))
    shapes: dict[int, Shape] = {}
    for table, schema, called in tables:
        if number(schema) not in names:
            raise malformed()
        own = _unique((number(row[1]), _column(row[1:])) for row in ordered if row[0] == table)
        shape = Shape(number(table), names[schema], name(called), own, tuple(_keys(keys, table)))
        if shape.table_id in shapes:
            raise _twice()
        _check_parts(shape)
        shapes[shape.table_id] = shape
    for table, comment in comments:
        _comment(shapes, table, None, comment)
    for table, column, comment in column_comments:
        _comment(shapes, table, number(column), comment)
    return State(names, shapes)


def _column(row: Sequence[Any]) -> Column:
    column_id, _, called, type_, parent, nullable, initial, default, kind = row
    if type(nullable) is not bool or kind not in ("literal", "expression", "", None):
        raise malformed()
    field_ = Field(number(column_id), name(called), text(type_), None if parent is None else number(parent))
    initial = None if initial is None else text(initial)
    if default is None or kind != "literal":
        value = expression_default(field_.name, text(default)) if kind == "expression" and default is not None else None
    else:
        # DuckLake writes NULL for no default, so that the text NULL cannot be told from it but by the initial value.
        value = None if default == "NULL" and initial != "NULL" else literal_default(text(default))
    return Column(field_, nullable, literal_default(initial), value)


def _check_parts(shape: Shape) -> None:
    for column in shape.columns.values():
        if column.field.parent is not None and column.field.parent not in shape.columns:
            raise malformed()
    for called in shape.names:
        if called.casefold() in _RESERVED:
            raise InvalidName(f'A column cannot have the name "{called}"', hint="It names the row's own id")
    carrying.types(shape.fields)


def _keys(rows: Rows, table: int) -> Iterator[tuple[int, str]]:
    for _, _, column, transform in sorted((row for row in rows if row[0] == table), key=lambda row: number(row[1])):
        if not _TRANSFORM.fullmatch(text(transform)):
            raise NotSupported(f'Tables cannot be partitioned by the transform "{transform}"')
        yield number(column), transform


def _comment(shapes: dict[int, Shape], table: Any, column: int | None, comment: Any) -> None:
    shape = shapes.get(number(table))
    if shape is not None and comment and (column is None or column in shape.columns):
        shape.comments[column] = text(comment)


def _unique(items: Iterable[tuple[K, Column]]) -> dict[K, Column]:
    found: dict[K, Column] = {}
    for key, column in items:
        if key in found:
            raise _twice()
        found[key] = column
    return found


def _twice() -> NotSupported:
    # DuckLake 1.0 writes a second row instead of a new version when a table is altered and then renamed
    # (its issue 1332). The private copy is lost by it, so it is worth a clear message.
    return NotSupported(
        "A table cannot be renamed after it has been altered in the same transaction",
        hint="Rename it first, or commit in between",
    )
