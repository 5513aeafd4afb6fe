"""Types of parameters that a client has not given."""

from __future__ import annotations

import re

import duckdb
import pytest

from fairlead.worker import inference

COLUMNS = {
    "b": ("BOOLEAN", 16), "h": ("SMALLINT", 21), "i": ("INTEGER", 23), "q": ("BIGINT", 20), "f": ("FLOAT", 700),
    "d": ("DOUBLE", 701), "n": ("DECIMAL(10,2)", 1700), "s": ("VARCHAR", 25), "u": ("UUID", 2950), "x": ("BLOB", 17),
    "j": ("JSON", 114), "day": ("DATE", 1082), "clock": ("TIME", 1083), "t": ("TIMESTAMP", 1114),
    "z": ("TIMESTAMPTZ", 1184), "span": ("INTERVAL", 1186), "l": ("INTEGER[]", 1007), "w": ("VARCHAR[]", 1009),
}  # fmt: skip


@pytest.fixture
def instance():
    with duckdb.connect() as connection:
        connection.execute("SET errors_as_json = true")
        columns = ", ".join(f"{name} {kind}" for name, (kind, _) in COLUMNS.items())
        connection.execute(f"CREATE TABLE t ({columns})")
        connection.execute("INSERT INTO t (i, s) VALUES (1, 'a')")
        yield connection


def inferred(instance, query, **known):
    names = sorted(set(re.findall(r"\$(\d+)", query)), key=int)
    types = {name: known.get(f"p{name}", 0) for name in names}
    found = inference.infer(instance, instance.cursor(), query, types)
    return [found[name] for name in names]


@pytest.mark.parametrize(("name", "oid"), [(name, oid) for name, (_, oid) in COLUMNS.items()])
def test_what_is_stored_has_the_type_of_its_column(instance, name, oid):
    assert inferred(instance, f"INSERT INTO t ({name}) VALUES ($1)") == [oid]
    assert inferred(instance, f"UPDATE t SET {name} = $1") == [oid]


@pytest.mark.parametrize(
    ("query", "oids"),
    [
        ("SELECT * FROM t WHERE i = $1 AND s = $2 AND day > $3 AND t <= $4", [23, 25, 1082, 1114]),
        ("SELECT $1::INT, $2::TEXT, CAST($3 AS DATE), $4::DECIMAL(10, 2), $5::INT[]", [23, 25, 1082, 1700, 1007]),
        ("SELECT 1 FROM t WHERE i = ANY($1) AND s = ANY($2) AND day <> ALL($3)", [1007, 1009, 1182]),
        ("SELECT 1 WHERE 1 = ANY($1)", [1016]),
        ("DELETE FROM t WHERE u = $1", [2950]),
        ("SELECT 1 LIMIT $1 OFFSET $2", [20, 20]),
        ("SELECT i + $1, d * $2 FROM t WHERE s = $3", [23, 701, 25]),
        ("SELECT 1 FROM t WHERE i BETWEEN $1 AND $2 AND q IN ($3, $4)", [23, 23, 20, 20]),
        ("SELECT coalesce(n, $1) FROM t WHERE s LIKE $2 LIMIT $3", [1700, 25, 20]),
        ("SELECT $1 AND true", [16]),
        ("SELECT $1", [25]),
        ("SELECT upper($1)", [25]),
        ("SELECT * FROM nowhere WHERE i = $1", [25]),
        ("INSERT INTO t (i, s) SELECT $1::INT, s FROM t WHERE q = $2", [23, 20]),
    ],
)
def test_a_parameter_has_the_type_that_the_engine_would_choose(instance, query, oids):
    assert inferred(instance, query) == oids


def test_what_the_client_has_said_stands(instance):
    assert inferred(instance, "SELECT * FROM t WHERE i = $1 AND day = $2", p1=20) == [20, 1082]


@pytest.mark.parametrize(
    "query", ["SELECT 1 LIMIT $1", "INSERT INTO t (i, day) VALUES ($1, $2)", "SELECT i + $1 FROM t"]
)
def test_nothing_is_run_and_an_open_transaction_stays_sound(instance, query):
    instance.execute("BEGIN")
    instance.execute("INSERT INTO t (i) VALUES (2)")
    assert 25 not in inferred(instance, query)
    assert instance.execute("SELECT count(*) FROM t").fetchone() == (2,)
    instance.execute("COMMIT")
    plan = instance.execute("EXPLAIN SELECT 1 FROM t WHERE s = 'b' AND 1 = 2").fetchall()[0][1]
    assert "EMPTY_RESULT" in plan  # the optimizer is on again


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("SELECT 1 WHERE 'a' = ANY($1)", True),
        ("SELECT 1 WHERE 'a' <> all ( $1 )", True),
        ("SELECT $1::INT[]", True),
        ("SELECT CAST($1 AS VARCHAR[])", True),
        ("SELECT $1::DECIMAL(10, 2)[]", True),
        ("SELECT $1", False),
        ("SELECT ANY($2)", False),
        ("SELECT $1::INT", False),
        ("SELECT $11::INT[]", False),
    ],
)
def test_a_list_is_wanted_in_any_and_before_a_cast_to_one(text, wanted):
    assert inference.wants_list(text, "1") is wanted
