"""Random transactions: run in the real lake, and collected from a private copy and applied, they lead to the same."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from tests.engine.lake.transacting import Private, RealLake

if TYPE_CHECKING:
    from collections.abc import Callable

SETUP = (
    "CREATE TABLE t1 (a INTEGER, b VARCHAR DEFAULT 'q', s STRUCT(x INTEGER, l INTEGER[]))",
    "INSERT INTO t1 SELECT range, NULL, {'x': range, 'l': [range, NULL]} FROM range(20)",
    "INSERT INTO t1 SELECT range, 'b' || range, NULL FROM range(20, 150)",
    "CREATE TABLE t2 (k BIGINT NOT NULL, d DATE)",
    "ALTER TABLE t2 SET PARTITIONED BY (year(d))",
    "INSERT INTO t2 SELECT range, DATE '2020-01-01' + range::INTEGER * 20 FROM range(120)",
    "CREATE TABLE t3 (m MAP(VARCHAR, INTEGER), n HUGEINT)",
)
VALUES = {
    "INTEGER": "(range % 50)::INTEGER",
    "BIGINT": "range * 1000000007",
    "HUGEINT": "range::HUGEINT * 100000000000000000000",
    "VARCHAR": "CASE WHEN range % 4 = 0 THEN NULL ELSE 'it''s ' || range END",
    "DATE": "DATE '2019-12-30' + (range % 7)::INTEGER",
    "INTEGER[]": "[range::INTEGER, NULL]",
    "MAP(VARCHAR, INTEGER)": "MAP {'k': range::INTEGER}",
    "STRUCT(x INTEGER, l INTEGER[])": "{'x': range::INTEGER, 'l': CASE WHEN range % 2 = 0 THEN [] END}",
}
ADDED = ["INTEGER", "BIGINT", "VARCHAR", "DATE", "INTEGER[]", "STRUCT(x INTEGER, l INTEGER[])"]
WIDER = {"INTEGER": "BIGINT"}


class Model:
    """What tables there are while a transaction is drawn, so that its statements are valid ones."""

    def __init__(self, draw: Callable[[st.SearchStrategy], object]) -> None:
        self.draw = draw
        self.statements: list[str] = []
        self.names = itertools.count()
        self.tables = {
            "t1": {"a": "INTEGER", "b": "VARCHAR", "s": "STRUCT(x INTEGER, l INTEGER[])"},
            "t2": {"k": "BIGINT", "d": "DATE"},
            "t3": {"m": "MAP(VARCHAR, INTEGER)", "n": "HUGEINT"},
        }
        self.fixed = {"k", "d"}  # NOT NULL, and the partition's key
        self.touched: set[str] = set()

    def step(self) -> None:
        table = self.draw(st.sampled_from(sorted(self.tables)))
        kinds = [
            self.insert,
            self.insert,
            self.update,
            self.update,
            self.delete,
            self.truncate,
            self.add,
            self.drop_column,
        ]
        kinds += [self.rename_column, self.widen, self.default, self.comment, self.create, self.replace, self.drop]
        # DuckLake corrupts its catalog when a table is renamed after another change.
        kinds += [self.rename] * (2 if table not in self.touched else 0)
        statement = self.draw(st.sampled_from(kinds))(table)
        if statement:
            self.statements.append(statement)

    def _column(self, table: str) -> str:
        return self.draw(st.sampled_from(sorted(self.tables[table])))

    def _some(self, table: str) -> str:
        numbers = [name for name, type_ in self.tables[table].items() if type_ in {"INTEGER", "BIGINT"}]
        divisor = self.draw(st.sampled_from([1, 2, 7, 60]))
        return f'coalesce("{numbers[0]}", 0) % {divisor} = 0' if numbers else "true"

    def insert(self, table: str) -> str:
        columns = self.tables[table]
        values = ", ".join(VALUES[type_] for type_ in columns.values())
        start, count = self.draw(st.integers(0, 300)), self.draw(st.sampled_from([1, 3, 130]))
        return f"INSERT INTO {table} ({_list(columns)}) SELECT {values} FROM range({start}, {start + count})"

    def update(self, table: str) -> str:
        column = self._column(table)
        number = self.draw(st.integers(0, 9))
        value = VALUES[self.tables[table][column]].replace("range", str(number))
        return f'UPDATE {table} SET "{column}" = {value} WHERE {self._some(table)}'

    def delete(self, table: str) -> str:
        return f"DELETE FROM {table} WHERE {self._some(table)}"

    def truncate(self, table: str) -> str:
        return f"TRUNCATE {table}"

    def add(self, table: str) -> str:
        self.touched.add(table)
        name, type_ = f"n {next(self.names)}", self.draw(st.sampled_from(ADDED))
        self.tables[table][name] = type_
        default = " DEFAULT '7'" if type_ in {"INTEGER", "BIGINT", "VARCHAR"} and self.draw(st.booleans()) else ""
        return f'ALTER TABLE {table} ADD COLUMN "{name}" {type_}{default}'

    def drop_column(self, table: str) -> str | None:
        column = self._column(table)
        if column in self.fixed or len(self.tables[table]) == 1:
            return None
        self.touched.add(table)
        del self.tables[table][column]
        return f'ALTER TABLE {table} DROP COLUMN "{column}"'

    def rename_column(self, table: str) -> str | None:
        column, other = self._column(table), self.draw(st.sampled_from(["a", "b", "c", "n", "s"]))
        if column in self.fixed or other in self.tables[table]:
            return None
        self.touched.add(table)
        self.tables[table] = {other if name == column else name: t for name, t in self.tables[table].items()}
        return f'ALTER TABLE {table} RENAME COLUMN "{column}" TO "{other}"'

    def widen(self, table: str) -> str | None:
        column = self._column(table)
        type_ = WIDER.get(self.tables[table][column])
        if type_ is None:
            return None
        self.touched.add(table)
        self.tables[table][column] = type_
        return f'ALTER TABLE {table} ALTER "{column}" TYPE {type_}'

    def default(self, table: str) -> str | None:
        column = self._column(table)
        if self.tables[table][column] not in {"INTEGER", "BIGINT", "VARCHAR"}:
            return None
        self.touched.add(table)
        return f"ALTER TABLE {table} ALTER \"{column}\" SET DEFAULT '{self.draw(st.integers(0, 9))}'"

    def comment(self, table: str) -> str:
        self.touched.add(table)
        text = self.draw(st.sampled_from(["NULL", "'it''s'", "'other'"]))
        if self.draw(st.booleans()):
            return f"COMMENT ON TABLE {table} IS {text}"
        return f'COMMENT ON COLUMN {table}."{self._column(table)}" IS {text}'

    def create(self, _: str) -> str:
        name = f"made{next(self.names)}"
        self.tables[name] = {"i": "BIGINT", "v": "VARCHAR"}
        self.touched.add(name)
        rows = self.draw(st.sampled_from([0, 5, 200]))
        return f"CREATE TABLE {name} AS SELECT range AS i, 'v' || range AS v FROM range({rows})"

    def replace(self, table: str) -> str:
        self.tables[table] = {"x": "INTEGER"}
        self.touched.add(table)
        return f"CREATE OR REPLACE TABLE {table} AS SELECT range::INTEGER AS x FROM range(5)"

    def drop(self, table: str) -> str | None:
        if len(self.tables) == 1:
            return None
        del self.tables[table]
        return f"DROP TABLE {table}"

    def rename(self, table: str) -> str | None:
        other = self.draw(st.sampled_from(["t1", "t2", "t3", "t4", "t5"]))
        if other in self.tables:
            return None
        self.tables[other] = self.tables.pop(table)
        return f"ALTER TABLE {table} RENAME TO {other}"


def _list(columns: dict[str, str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


@st.composite
def transactions(draw: Callable[[st.SearchStrategy], object]) -> list[str]:
    model = Model(draw)
    for _ in range(draw(st.integers(1, 8))):
        model.step()
    return model.statements


def committed(lake: RealLake, statements: list[str]) -> bool:
    """Run a transaction in a real lake; False where DuckLake cannot do it, or cannot read the lake afterwards."""
    try:
        lake.run("BEGIN", *statements, "COMMIT")
        lake.contents({})
    except duckdb.Error as error:
        event(f"{type(error).__name__}: {str(error).splitlines()[0][:90]}")
        return False
    return True


def check(statements: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        direct, collected = RealLake(folder / "direct"), RealLake(folder / "collected")
        for lake in (direct, collected):
            lake.run(*SETUP)
        next_rows = direct.next_rows()
        assume(committed(direct, statements))
        private = Private(collected, folder / "worker")
        private.run("BEGIN", *statements, "COMMIT")
        collected.apply(private.collect(folder / "inbox"))
        assert collected.shape() == direct.shape()
        assert collected.contents(next_rows) == direct.contents(next_rows)


MUCH = [HealthCheck.too_slow, HealthCheck.filter_too_much]


@settings(max_examples=10, deadline=None, suppress_health_check=MUCH)
@given(transactions())
def test_a_random_transaction_leads_to_the_same_lake(statements: list[str]) -> None:
    check(statements)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=300, deadline=None, suppress_health_check=MUCH)
@given(transactions())
def test_many_random_transactions_lead_to_the_same_lake(statements: list[str]) -> None:
    check(statements)
