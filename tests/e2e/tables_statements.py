"""The statements that clients of the model run: each as SQL, and as what it does to the tables in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.e2e.tables_model import (
    CONVERSION,
    DUPLICATE_COLUMN,
    DUPLICATE_TABLE,
    NO_COLUMN,
    NO_TABLE,
    Assignment,
    Column,
    Condition,
    Fails,
    Row,
    Statement,
    Table,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def conditions(n: int) -> list[Condition]:
    """Return the conditions of statements, for a small number."""
    return [
        Condition("true", lambda _: True),
        Condition(f"id = {n}", lambda row: row["id"] == n),
        Condition(f"id % 3 = {n % 3}", lambda row: row["id"] % 3 == n % 3),  # type: ignore[operator]
        Condition(f"a > {n}", lambda row: row["a"] is not None and row["a"] > n),  # type: ignore[operator]
        Condition("a IS NULL", lambda row: row["a"] is None),
        Condition(f"b LIKE '%{'xyz'[n % 3]}%'", lambda row: "xyz"[n % 3] in str(row["b"] or "")),
    ]


def assignments(n: int) -> list[Assignment]:
    """Return the assignments of an UPDATE, for a small number."""
    return [
        Assignment("a", f"coalesce(a, 0) + {n}", lambda row: (row["a"] or 0) + n),  # type: ignore[operator]
        Assignment("a", "id % 5", lambda row: row["id"] % 5),  # type: ignore[operator]
        Assignment("a", "NULL", lambda _: None),
        Assignment("b", f"coalesce(b, '') || '{'xyz'[n % 3]}'", lambda row: str(row["b"] or "") + "xyz"[n % 3]),
        Assignment("id", f"id + {n}", lambda row: row["id"] + n),  # type: ignore[operator]
        Assignment("c", f"{n}", lambda _: n),  # a column that may not be there
    ]


def insert(name: str, rows: list[dict[str, Value]]) -> Statement:
    """INSERT ... VALUES."""
    values = ", ".join(f"({_literal(row['id'])}, {_literal(row['a'])}, {_literal(row['b'])})" for row in rows)

    def apply(tables: Mapping[str, Table]) -> tuple[Mapping[str, Table], int]:
        return {**tables, name: _find(tables, name).with_rows(rows)}, len(rows)

    return Statement(f"INSERT INTO {name} (id, a, b) VALUES {values}", apply)


def insert_many(name: str, first: int, count: int) -> Statement:
    """INSERT of so many rows that they make a file."""
    rows: list[dict[str, Value]] = [{"id": i, "a": i % 10, "b": "x"} for i in range(first, first + count)]
    sql = f"INSERT INTO {name} (id, a, b) SELECT i, i % 10, 'x' FROM range({first}, {first + count}) r(i)"
    return replace(insert(name, rows), sql=sql)


def copy(name: str, rows: list[dict[str, Value]]) -> Statement:
    """COPY ... FROM STDIN."""
    lines = ("\t".join("\\N" if row[c] is None else str(row[c]) for c in ("id", "a", "b")) for row in rows)
    data = "".join(f"{line}\n" for line in lines)
    return replace(insert(name, rows), sql=f"COPY {name} (id, a, b) FROM STDIN", data=data)


def insert_select(name: str, source: str, condition: Condition, offset: int) -> Statement:
    """INSERT ... SELECT from the same or another table."""

    def apply(tables: Mapping[str, Table]) -> tuple[Mapping[str, Table], int]:
        target = _find(tables, name)
        found: list[dict[str, Value]] = [
            {"id": row["id"] + offset, "a": row["a"], "b": row["b"]}  # type: ignore[operator]
            for row in _where(_find(tables, source), condition).values()
        ]
        return {**tables, name: target.with_rows(found)}, len(found)

    sql = f"INSERT INTO {name} (id, a, b) SELECT id + {offset}, a, b FROM {source} WHERE {condition.sql}"
    return Statement(sql, apply)


def update(name: str, assignment: Assignment, condition: Condition) -> Statement:
    """UPDATE of one column."""

    def apply(tables: Mapping[str, Table]) -> tuple[Mapping[str, Table], int]:
        table = _find(tables, name)
        column = _column(table, assignment.column)
        new = {
            key: Row({**table.rows[key].values, column.id: assignment.value(row)})
            for key, row in _where(table, condition).items()
        }
        return {**tables, name: replace(table, rows={**table.rows, **new})}, len(new)

    return Statement(f"UPDATE {name} SET {assignment!r} WHERE {condition.sql}", apply)


def delete(name: str, condition: Condition) -> Statement:
    """DELETE."""
    return _removal(name, condition, f"DELETE FROM {name} WHERE {condition.sql}", counted=True)


def truncate(name: str) -> Statement:
    """TRUNCATE."""
    return _removal(name, conditions(0)[0], f"TRUNCATE {name}", counted=False)


def merge(name: str, rows: list[dict[str, Value]], *, removes: bool) -> Statement:
    """MERGE that updates or removes what matches, and adds the rest; ids of ``rows`` are unique."""
    values = ", ".join(f"({_literal(row['id'])}, {_literal(row['a'])}, {_literal(row['b'])})" for row in rows)
    matched = "DELETE" if removes else "UPDATE SET a = s.a, b = coalesce(t.b, '') || coalesce(s.b, '')"
    sql = (
        f"MERGE INTO {name} AS t USING (VALUES {values}) AS s(id, a, b) ON t.id = s.id "
        f"WHEN MATCHED THEN {matched} WHEN NOT MATCHED THEN INSERT (id, a, b) VALUES (s.id, s.a, s.b)"
    )

    def apply(tables: Mapping[str, Table]) -> tuple[Mapping[str, Table], int]:
        table = _find(tables, name)
        by_id, (_, a, b) = {row["id"]: row for row in rows}, table.columns[:3]
        kept, met, count = dict(table.rows), set(), 0
        for key, row in table.rows.items():
            old = table.named(row)
            source = by_id.get(old["id"])
            if source is None:
                continue
            met.add(old["id"])
            count += 1
            del kept[key]
            if not removes:
                joined = str(old["b"] or "") + str(source["b"] or "")
                kept[key] = Row({**row.values, a.id: source["a"], b.id: joined})
        added = [row for row in rows if row["id"] not in met]
        return {**tables, name: replace(table, rows=kept).with_rows(added)}, count + len(added)

    return Statement(sql, apply)


def fail_in_the_middle(name: str) -> Statement:
    """UPDATE that fails at the first row with a text; without one it changes every row."""

    def apply(tables: Mapping[str, Table]) -> tuple[Mapping[str, Table], int]:
        table = _find(tables, name)
        if any(table.named(row)["b"] is not None for row in table.rows.values()):
            raise Fails(CONVERSION)
        always = conditions(0)[0]
        return update(name, Assignment("a", "NULL", lambda _: None), always).apply(tables)  # type: ignore[return-value]

    return Statement(f"UPDATE {name} SET a = CAST('not a number: ' || b AS INTEGER)", apply)


def create(name: str) -> Statement:
    """CREATE TABLE."""

    def apply(tables: Mapping[str, Table]) -> tuple[Mapping[str, Table], None]:
        return {**tables, name: _new(tables, name)}, None

    return Statement(f"CREATE TABLE {name} (id BIGINT, a INTEGER, b VARCHAR)", apply)


def create_as(name: str, source: str, condition: Condition) -> Statement:
    """CREATE TABLE AS."""

    def apply(tables: Mapping[str, Table]) -> tuple[Mapping[str, Table], None]:
        # The engine looks for the source first.
        rows = list(_where(_find(tables, source), condition).values())
        return {**tables, name: _new(tables, name).with_rows(rows)}, None

    return Statement(f"CREATE TABLE {name} AS SELECT id, a, b FROM {source} WHERE {condition.sql}", apply)


def drop(name: str) -> Statement:
    """DROP TABLE."""

    def apply(tables: Mapping[str, Table]) -> tuple[Mapping[str, Table], None]:
        _find(tables, name)
        return {other: table for other, table in tables.items() if other != name}, None

    return Statement(f"DROP TABLE {name}", apply)


def rename(name: str, new: str) -> Statement:
    """ALTER TABLE ... RENAME TO."""

    def apply(tables: Mapping[str, Table]) -> tuple[Mapping[str, Table], None]:
        table = _find(tables, name)
        if new in tables:
            raise Fails(DUPLICATE_TABLE)
        rest = {other: one for other, one in tables.items() if other != name}
        return {**rest, new: replace(table, name=new)}, None

    return Statement(f"ALTER TABLE {name} RENAME TO {new}", apply)


def add_column(name: str, column: str, default: Value) -> Statement:
    """ALTER TABLE ... ADD COLUMN, whose default the rows that are there get too."""

    def change(table: Table) -> tuple[Column, ...]:
        if any(one.name == column for one in table.columns):
            raise Fails(DUPLICATE_COLUMN)
        return (*table.columns, Column(column, "INTEGER", default))

    tail = f" DEFAULT {default}" if default is not None else ""
    return _alteration(name, f"ADD COLUMN {column} INTEGER{tail}", change)


def rename_column(name: str, column: str, new: str) -> Statement:
    """ALTER TABLE ... RENAME COLUMN."""

    def change(table: Table) -> tuple[Column, ...]:
        _column(table, column)
        if any(one.name == new for one in table.columns):
            raise Fails(DUPLICATE_COLUMN)
        return tuple(replace(one, name=new) if one.name == column else one for one in table.columns)

    return _alteration(name, f"RENAME COLUMN {column} TO {new}", change)


def drop_column(name: str, column: str) -> Statement:
    """ALTER TABLE ... DROP COLUMN."""

    def change(table: Table) -> tuple[Column, ...]:
        _column(table, column)
        return tuple(one for one in table.columns if one.name != column)

    return _alteration(name, f"DROP COLUMN {column}", change)


# --- inside ----------------------------------------------------------------------------------------------------------


def _alteration(name: str, action: str, change: Callable[[Table], tuple[Column, ...]]) -> Statement:
    def apply(tables: Mapping[str, Table]) -> tuple[Mapping[str, Table], None]:
        table = _find(tables, name)
        return {**tables, name: replace(table, columns=change(table))}, None

    return Statement(f"ALTER TABLE {name} {action}", apply)


def _removal(name: str, condition: Condition, sql: str, *, counted: bool) -> Statement:
    def apply(tables: Mapping[str, Table]) -> tuple[Mapping[str, Table], int | None]:
        table = _find(tables, name)
        gone = _where(table, condition)
        rest = {key: row for key, row in table.rows.items() if key not in gone}
        return {**tables, name: replace(table, rows=rest)}, len(gone) if counted else None

    return Statement(sql, apply)


def _new(tables: Mapping[str, Table], name: str) -> Table:
    if name in tables:
        raise Fails(DUPLICATE_TABLE)
    return Table(name, (Column("id", "BIGINT"), Column("a", "INTEGER"), Column("b", "VARCHAR")))


def _find(tables: Mapping[str, Table], name: str) -> Table:
    if name not in tables:
        raise Fails(NO_TABLE)
    return tables[name]


def _column(table: Table, name: str) -> Column:
    for column in table.columns:
        if column.name == name:
            return column
    raise Fails(NO_COLUMN)


def _where(table: Table, condition: Condition) -> dict[int, dict[str, Value]]:
    return {key: named for key, named in _each(table) if condition.holds(named)}


def _each(table: Table) -> Iterator[tuple[int, dict[str, Value]]]:
    return ((key, table.named(row)) for key, row in table.rows.items())


def _literal(value: Value) -> str:
    return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)
