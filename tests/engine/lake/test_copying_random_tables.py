"""Random tables of all types, changed at random, read the same in a private copy, and take the same changes there."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.engine.lake.lakes import Lake, Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

# Left out is what the lake itself (DuckLake of DuckDB 1.5.5, in SQLite and Parquet) does not keep: single quotes,
# backslashes and NUL within nested values that are inlined; in files, negative intervals and digits of huge integers.
VALUES: dict[str, list[str]] = {
    "BOOLEAN": ["true", "false"],
    "INTEGER": ["-2147483648", "2147483647", "0"],
    "UBIGINT": ["18446744073709551615", "0"],
    "HUGEINT": ["36893488147419103232", "-5"],
    "FLOAT": ["'nan'", "'inf'", "'-inf'", "0.1", "1e38"],
    "DOUBLE": ["'nan'", "'inf'", "'-inf'", "0.1", "1e308", "5e-324"],
    "DECIMAL(18,2)": ["1.5", "-0.01", "9999999999999999.99"],
    "DECIMAL(38,10)": ["1234567890123456789012345678.0123456789", "-1.5"],
    "VARCHAR": ["'it''s'", "'x' || chr(0) || 'y'", "E'new\\nline\\r\\ttab'", "'😀'", "''", "'NULL'", "'\\'", "'--;'"],
    "BLOB": ["'\\x00\\xFF\\x27abc'::BLOB", "''::BLOB"],
    "DATE": ["'2020-01-01'", "'infinity'", "'-infinity'", "'0044-03-15 (BC)'"],
    "TIME": ["'12:34:56.789012'", "'00:00:00'"],
    "TIMESTAMP": ["'2020-01-01 12:34:56.789012'", "'infinity'", "'290000-01-01'"],
    "TIMESTAMP_NS": ["'2020-01-01 12:34:56.789012345'"],
    "TIMESTAMPTZ": ["'2020-01-01 12:34:56.789012+02'", "'infinity'"],
    "UUID": ["'b8619bc3-fe10-48a8-a67b-dca5a04ba130'"],
    "JSON": ["""'{"a": "b''\\u0000"}'""", "'null'", "'[1, 2]'"],
    "INTERVAL": ["'1 month 3 days 04:05:06.789'", "'1 year'"],
    "INTEGER[]": ["[1, NULL, 3]", "[]"],
    "VARCHAR[]": ["['a', 'b,c', '\"q\"', '', NULL, 'NULL', '[x]', '{', ' lead ', E'new\\nline', '😀']", "[]"],
    'STRUCT(a INTEGER, "b c" VARCHAR)': ["{'a': 1, 'b c': 'x, (y) }'}", "{'a': NULL, 'b c': NULL}"],
    "MAP(VARCHAR, DOUBLE)": ["MAP {'a': 1.5, 'b=,': 'nan'::DOUBLE}", "MAP {}"],
    "STRUCT(l STRUCT(x DATE[])[], m MAP(INTEGER, VARCHAR))": [
        "{'l': [{'x': ['2020-01-01']}, {'x': NULL}], 'm': MAP {1: 'a b'}}"
    ],
}
WIDER = {"INTEGER": "BIGINT", "FLOAT": "DOUBLE"}
NAMES = ["a", "B b", 'q"uo"te', "sel ect", "ü", "x'y", "rowId2"]
numbers = itertools.count()


class Table:
    """Makes statements that change one table, from the draws of one example."""

    def __init__(self, chance: random.Random, lake: Lake) -> None:
        self.random, self.lake = chance, lake
        self.name = f"t{next(numbers)}"
        self.columns = {chance.choice(NAMES): chance.choice(list(VALUES)) for _ in range(chance.randint(0, 4))}
        shape = "".join(f", {quoted(name)} {type_}" for name, type_ in self.columns.items())
        lake.execute(f"CREATE TABLE {self.name} (i INTEGER NOT NULL{shape})")

    def value(self, type_: str) -> str:
        known = VALUES.get(type_) or VALUES["INTEGER"]
        return self.random.choice([*known, "NULL"])

    def tuples(self, count: int) -> str:
        return ", ".join(
            "(" + ", ".join([str(self.random.randint(0, 9)), *map(self.value, self.columns.values())]) + ")"
            for _ in range(count)
        )

    def draw_rows(self) -> str:
        """A change of rows, with {0} for the table."""
        where = self.random.choice(["i < 3", "i % 2 = 0", "i = 5", "i > 100", "i BETWEEN 40 AND 160"])
        match self.random.choice(["insert", "insert", "many", "update", "delete"]):
            case "insert":
                return f"INSERT INTO {{0}} VALUES {self.tuples(2)}"
            case "many":
                values = "".join(f", {self.value(type_)}" for type_ in self.columns.values())
                return f"INSERT INTO {{0}} SELECT range{values} FROM range(150)"
            case "update" if self.columns:
                column = self.random.choice(list(self.columns))
                return f"UPDATE {{0}} SET {quoted(column)} = {self.value(self.columns[column])} WHERE {where}"
            case "update":
                return f"UPDATE {{0}} SET i = i + 1 WHERE {where}"
            case _:
                return f"DELETE FROM {{0}} WHERE {where}"

    def change_shape(self) -> None:
        name = self.random.choice(NAMES)
        free = not any(name.lower() == column.lower() for column in self.columns)
        kinds = ["add", "drop", "rename", "retype", "name", "partition", "care", "other"]
        match self.random.choice(kinds):
            case "add" if free:
                self.columns[name] = type_ = self.random.choice(list(VALUES))
                self.alter(f"ADD COLUMN {quoted(name)} {type_}{self.default(type_)}")
            case "drop" if self.columns:
                column = self.random.choice(list(self.columns))
                del self.columns[column]
                self.alter(f"DROP COLUMN {quoted(column)}")
            case "rename" if self.columns and free:
                column = self.random.choice(list(self.columns))
                self.columns = {name if old == column else old: type_ for old, type_ in self.columns.items()}
                self.alter(f"RENAME COLUMN {quoted(column)} TO {quoted(name)}")
            case "retype":
                for column, type_ in self.columns.items():
                    if type_ in WIDER:
                        self.columns[column] = WIDER[type_]
                        self.alter(f"ALTER COLUMN {quoted(column)} TYPE {WIDER[type_]}")
            case "name":
                self.alter(f"RENAME TO {self.name}x")
                self.name += "x"
            case "partition":
                self.alter("SET PARTITIONED BY (i)")
            case "care":
                care = ["flush_inlined_data", "merge_adjacent_files", "rewrite_data_files"]
                self.lake.execute(f"CALL ducklake_{self.random.choice(care)}('lake')")
            case _:
                self.lake.execute(f"CREATE TABLE other{next(numbers)}(x INTEGER)")

    def default(self, type_: str) -> str:
        """Nothing, or a plain literal: DuckLake takes no other for a column that is added."""
        value = self.value(type_)
        nested = "[" in type_ or "STRUCT" in type_ or "MAP" in type_
        if value == "NULL" or nested or type_ in {"BLOB", "JSON"} or "||" in value or value.startswith("E'"):
            return ""
        return f" DEFAULT {value}" if value.startswith("'") else f" DEFAULT '{value}'"

    def alter(self, action: str) -> None:
        self.lake.execute(f"ALTER TABLE {self.name} {action}")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lake, Worker]]:
    lake = Lake(tmp_path_factory.mktemp("lake") / "real")
    worker = Worker(tmp_path_factory.mktemp("worker") / "worker")
    yield lake, worker
    worker.close()
    lake.close()


def contents(rowid: str = "rowid, ") -> str:
    return f"SELECT {rowid}COLUMNS(*)::VARCHAR FROM {{0}} ORDER BY ALL"


@settings(max_examples=8, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_a_random_table_reads_and_changes_in_a_copy_as_in_the_lake(pair: Any, seed: int) -> None:
    # One number decides all, as a statement depends on many that were made before it.
    chance = random.Random(seed)
    lake, worker = pair
    table = Table(chance, lake)
    for _ in range(chance.randint(1, 8)):
        if chance.randint(0, 2):
            lake.execute(table.draw_rows().replace("{0}", table.name))
        else:
            table.change_shape()
    history = chance.random() < 0.3
    copy = lake.reader.copy(lake.selection(table.name, history=history))
    worker.attach(copy, lake)
    try:
        private = f"lake.public.{table.name}"
        assert worker.texts(contents().replace("{0}", private)) == lake.execute(contents().replace("{0}", table.name))
        for _ in range(3):
            lake.execute(table.draw_rows().replace("{0}", table.name))
            copy = worker.refresh(copy, lake.reader.copy(lake.selection(table.name, history=history)), lake)
            assert worker.texts(contents().replace("{0}", private)) == lake.execute(
                contents().replace("{0}", table.name)
            )
            count = "SELECT count(*), max(i), min(i) FROM {0} WHERE i > 2"
            assert worker.texts(count.replace("{0}", private)) == lake.execute(count.replace("{0}", table.name))
        for _ in range(3):
            change = table.draw_rows()
            lake.execute(change.replace("{0}", table.name))
            worker.connection.execute(change.replace("{0}", private))
            after = contents("")
            assert worker.texts(after.replace("{0}", private)) == lake.execute(after.replace("{0}", table.name))
    finally:
        worker.detach()
