"""From a change set to the statements with which the writer makes its changes in the real lake.

Nothing that a worker has written is part of a statement but names and texts, quoted, and types and defaults that were
rendered from closed lists. The statements stand in one transaction of the writer, between BEGIN and COMMIT.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.engine.lake.changes import (
    ColumnChanged,
    Commented,
    NewColumn,
    SchemaCreated,
    SchemaDropped,
    TableCreated,
    TableDropped,
    TablePartitioned,
    TableRenamed,
)
from fairlead.engine.lake.names import literal, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from fairlead.engine.lake.changes import ChangeSet, RowChanges, Structure, TableRef
    from fairlead.engine.lake.metadata import LakeTable


@dataclass(frozen=True, slots=True)
class Step:
    """A statement of the writer.

    Args:
        sql: the statement.
        rows: number of rows that it must report to have changed, None where it reports none. Another number means that
            the lake is not as the transaction has seen it: roll back.
    """

    sql: str
    rows: int | None = None


def apply_script(changes: ChangeSet, *, attached: str, tables: Iterable[LakeTable]) -> list[Step]:
    """Return the statements that make the changes, in order.

    Args:
        changes: checked already: by privileges, and for conflicts; the latter makes sure that their tables are there.
        attached: name of the real lake in the writer.
        tables: of the lake as it is now. A table may have another name than in the change set.
    """
    return list(_Applying(attached, {table.table_id: (table.schema, table.name) for table in tables}).steps(changes))


class _Applying:
    """Writes the statements, and follows the names of tables while they are renamed."""

    def __init__(self, attached: str, names: dict[int, tuple[str, str]]) -> None:
        self._lake = quote(attached)
        self._names = names

    def steps(self, changes: ChangeSet) -> Iterator[Step]:
        for change in changes.structure:
            yield Step(self._structure(change))
        for rows in changes.rows:
            yield from self._rows(rows)

    def _table(self, table: TableRef) -> str:
        schema, name = table.schema, table.name
        if table.table_id is not None:
            schema, name = self._names[table.table_id]
        return f"{self._lake}.{quote(schema)}.{quote(name)}"

    def _structure(self, change: Structure) -> str:  # noqa: C901, PLR0911  # a table: one line for each kind
        match change:
            case SchemaCreated(name):
                return f"CREATE SCHEMA {self._lake}.{quote(name)}"
            case SchemaDropped(name):
                return f"DROP SCHEMA {self._lake}.{quote(name)}"
            case TableCreated(table, columns):
                return f"CREATE TABLE {self._table(table)} ({', '.join(map(_definition, columns))})"
            case TableDropped(table):
                return f"DROP TABLE {self._table(table)}"
            case TableRenamed(table, new_name):
                return self._renamed(table, new_name)
            case ColumnChanged():
                return f"ALTER TABLE {self._table(change.table)} {_column_action(change)}"
            case TablePartitioned(table, ()):
                return f"ALTER TABLE {self._table(table)} RESET PARTITIONED BY"
            case TablePartitioned(table, keys):
                return f"ALTER TABLE {self._table(table)} SET PARTITIONED BY ({', '.join(_key(*key) for key in keys)})"
            case Commented(table, None, comment):
                return f"COMMENT ON TABLE {self._table(table)} IS {_comment(comment)}"
            case Commented(table, column, comment):
                return f"COMMENT ON COLUMN {self._table(table)}.{quote(column or '')} IS {_comment(comment)}"

    def _renamed(self, table: TableRef, new_name: str) -> str:
        sql = f"ALTER TABLE {self._table(table)} RENAME TO {quote(new_name)}"
        if table.table_id is not None:
            self._names[table.table_id] = (self._names[table.table_id][0], new_name)
        return sql

    def _rows(self, rows: RowChanges) -> Iterator[Step]:
        table = self._table(rows.table)
        names = ", ".join(map(quote, rows.columns))
        if rows.updates is not None:
            values = ", ".join(f"{quote(name)} = u.{quote(name)}" for name in rows.columns)
            source = f"{_read(rows.updates)} AS u"
            matched = "t.rowid = u.fairlead_rowid"
            yield Step(f"UPDATE {table} AS t SET {values} FROM {source} WHERE {matched}", rows.updated)  # noqa: S608
        if rows.deletes is not None:
            gone = f"SELECT fairlead_rowid FROM {_read(rows.deletes)}"  # noqa: S608
            yield Step(f"DELETE FROM {table} WHERE rowid IN ({gone})", rows.deleted)  # noqa: S608
        if rows.inserts:
            yield Step(f"INSERT INTO {table} ({names}) SELECT {names} FROM {_read(*rows.inserts)}", rows.inserted)  # noqa: S608


def _read(*files: Path) -> str:
    paths = ", ".join(literal(str(file)) for file in files)
    return f"system.main.read_parquet([{paths}], hive_partitioning = false)"


def _definition(column: NewColumn) -> str:
    default = "" if column.default is None else f" DEFAULT {column.default}"
    return f"{quote(column.name)} {column.type}{default}{'' if column.nullable else ' NOT NULL'}"


def _column_action(change: ColumnChanged) -> str:  # noqa: PLR0911  # a table: one line for each action
    name = ".".join(map(quote, (*change.parents, change.name)))
    match change.action:
        case "add":
            default = "" if change.column.default is None else f" DEFAULT {change.column.default}"
            return f"ADD COLUMN {name} {change.column.type}{default}"
        case "drop":
            return f"DROP COLUMN {name}"
        case "rename":
            return f"RENAME COLUMN {name} TO {quote(change.column.name)}"
        case "retype":
            return f"ALTER COLUMN {name} SET DATA TYPE {change.column.type}"
        case "nullable":
            return f"ALTER COLUMN {name} {'DROP' if change.column.nullable else 'SET'} NOT NULL"
        case "default" if change.column.default is None:
            return f"ALTER COLUMN {name} DROP DEFAULT"
        case "default":
            return f"ALTER COLUMN {name} SET DEFAULT {change.column.default}"


def _key(column: str, transform: str) -> str:
    if transform == "identity":
        return quote(column)
    if transform.startswith("bucket("):
        return f"{transform[:-1]}, {quote(column)})"
    return f"{transform}({quote(column)})"


def _comment(text: str) -> str:
    return literal(text) if text else "NULL"
