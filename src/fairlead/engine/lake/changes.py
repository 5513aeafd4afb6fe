"""What a session has changed in its private copy of a lake: the form in which it is checked and then committed.

A worker is not trusted. A change set is what the gateway has read out of the worker's private copy, checked for form;
whether the user may make these changes is decided on it, and the writer applies it with statements of our own making.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class TableRef:
    """A table by name, and by its id in the lake where it was there before (None: made by this change set)."""

    schema: str
    name: str
    table_id: int | None = None


@dataclass(frozen=True, slots=True)
class NewColumn:
    """A column as it is to be made.

    Args:
        name: as typed.
        type: in DuckDB's spelling, built from the lake's own type names, never a text of the user's.
        nullable: whether NULL is allowed.
        default: as SQL, built by us from a literal or one of a few functions, None for none.
    """

    name: str
    type: str
    nullable: bool = True
    default: str | None = None


@dataclass(frozen=True, slots=True)
class SchemaCreated:
    """CREATE SCHEMA."""

    name: str


@dataclass(frozen=True, slots=True)
class SchemaDropped:
    """DROP SCHEMA; what is in it is dropped by changes of its own."""

    name: str


@dataclass(frozen=True, slots=True)
class TableCreated:
    """CREATE TABLE, without its rows."""

    table: TableRef
    columns: tuple[NewColumn, ...]


@dataclass(frozen=True, slots=True)
class TableDropped:
    """DROP TABLE."""

    table: TableRef


@dataclass(frozen=True, slots=True)
class TableRenamed:
    """ALTER TABLE ... RENAME TO; ``table`` has the old name."""

    table: TableRef
    new_name: str


@dataclass(frozen=True, slots=True)
class ColumnChanged:
    """One ALTER TABLE of one column; ``table`` has the name after all renames of the change set.

    Args:
        table: of the column.
        action: what is done.
        name: of the column, before the action.
        column: as it is to be, for ``add``; for the others only the field that changes matters.
        parents: names from the table's column down to what holds the field, empty for a column of the table itself.
    """

    table: TableRef
    action: Literal["add", "drop", "rename", "retype", "nullable", "default"]
    name: str
    column: NewColumn
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TablePartitioned:
    """ALTER TABLE ... SET PARTITIONED BY: (column, transform) pairs, none of them = RESET."""

    table: TableRef
    keys: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Commented:
    """COMMENT ON TABLE or COLUMN; an empty text takes the comment away."""

    table: TableRef
    column: str | None
    comment: str


Structure = (
    SchemaCreated
    | SchemaDropped
    | TableCreated
    | TableDropped
    | TableRenamed
    | ColumnChanged
    | TablePartitioned
    | Commented
)


@dataclass(frozen=True, slots=True)
class RowChanges:
    """The changed rows of one table. The table has the name and shape that it has after the structure's changes.

    Args:
        table: where.
        inserted: number of new rows.
        updated: number of rows with new values.
        deleted: number of rows that are gone.
        inserts: Parquet files with the table's columns, by name.
        updates: Parquet file with ``fairlead_rowid`` and all columns of the table, None where there are none.
        deletes: Parquet file with ``fairlead_rowid``, None where there are none.
        columns: names of the table's columns, all of them.
        emptied: whether every row that was there before is gone.
    """

    table: TableRef
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    inserts: tuple[Path, ...] = ()
    updates: Path | None = None
    deletes: Path | None = None
    columns: tuple[str, ...] = ()
    emptied: bool = False


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Everything that one transaction changed in one lake, in the order in which it can be applied.

    Args:
        database_id: whose lake.
        base: snapshot that the private copy was made of.
        structure: changes of schemas, tables and columns.
        rows: changes of rows.
    """

    database_id: int
    base: int
    structure: tuple[Structure, ...] = ()
    rows: tuple[RowChanges, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing was changed."""
        return not self.structure and not self.rows
