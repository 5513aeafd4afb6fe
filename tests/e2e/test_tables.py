"""Native tables as their users meet them: made, filled, read, shared in part, and kept on a connection."""

from __future__ import annotations

import re
import secrets
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.e2e.conftest import ANALYST_PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.services.gateway import Gateway
    from tests.services.lake import Lake

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def db(gateway: Gateway, admin: Connection) -> Iterator[Connection]:
    """The administrator in a database of the test's own."""
    name = f"d{secrets.token_hex(4)}"
    admin.execute(f"CREATE DATABASE {name}")
    with gateway.connect(dbname=name) as who:
        yield who


@pytest.fixture
def reader(gateway: Gateway, db: Connection) -> Iterator[Connection]:
    """The analyst in the same database."""
    with gateway.connect("analyst", ANALYST_PASSWORD, dbname=db.info.dbname) as who:
        yield who


def rows(connection: Connection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()  # type: ignore[call-overload]


def state(connection: Connection, sql: str) -> str | None:
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(sql)  # type: ignore[call-overload]
    return caught.value.sqlstate


def test_rows_are_inserted_changed_and_deleted_with_postgresqls_tags(db: Connection) -> None:
    assert db.execute("CREATE TABLE t (id BIGINT NOT NULL, v VARCHAR DEFAULT 'x')").statusmessage == "CREATE TABLE"
    assert db.execute("INSERT INTO t VALUES (1, 'a'), (2, 'b')").statusmessage == "INSERT 0 2"
    assert db.execute("INSERT INTO t (id) SELECT range FROM range(10, 13)").statusmessage == "INSERT 0 3"
    assert db.execute("UPDATE t SET v = v || id WHERE id < 3").statusmessage == "UPDATE 2"
    assert db.execute("DELETE FROM t WHERE id = 11").statusmessage == "DELETE 1"
    merge = "MERGE INTO t USING (VALUES (1, 'm'), (9, 'n')) s (id, v) ON t.id = s.id"
    both = " WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v)"
    assert db.execute(merge + both).statusmessage == "MERGE 2"  # type: ignore[call-overload]
    assert rows(db, "SELECT * FROM t ORDER BY id") == [(1, "m"), (2, "b2"), (9, "n"), (10, "x"), (12, "x")]
    assert db.execute("CREATE TABLE u AS SELECT * FROM t").statusmessage == "SELECT 5"
    assert db.execute("TRUNCATE t").statusmessage == "TRUNCATE TABLE"
    assert rows(db, "SELECT count(*) FROM t") == [(0,)]
    assert state(db, "INSERT INTO t (id) VALUES (NULL)") == "23502"
    assert state(db, "INSERT INTO t VALUES ('abc', 'x')") == "22P02"
    assert rows(db, "SELECT count(*) FROM t") == [(0,)]


def test_an_insert_returns_what_it_has_put_in(db: Connection) -> None:
    db.execute("CREATE TABLE t (id INTEGER, v VARCHAR DEFAULT 'x')")
    assert rows(db, "INSERT INTO t (id) VALUES (1), (2) RETURNING t.id, v") == [(1, "x"), (2, "x")]
    assert rows(db, "SELECT count(*) FROM t") == [(2,)]


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("STRUCT(x VARCHAR)[]", "[{'x': 'it''s \"a\" \\ b'}]"),
        ("MAP(INTEGER, VARCHAR)", "MAP {1: 'a}b', 2: 'c,d'}"),
        ("DECIMAL(38, 10)", "1234567890123456789012345678.0123456789"),
        ("TIMESTAMPTZ", "'2026-01-02 03:04:05.678901+00'"),
        ("DOUBLE", "'NaN'"),
        ("BLOB", "'\\x00\\xFF'"),
        ("JSON", "'{\"a\": [1, null]}'"),
        ("UUID", "'9a8b7c6d-0000-4000-8000-0123456789ab'"),
        ("VARCHAR", "'tab\t, quote '' and emoji \U0001f6a2'"),
    ],
)
def test_a_value_is_read_as_it_was_written_small_large_changed_and_cared_for(
    db: Connection, type_: str, value: str
) -> None:
    db.execute(f"CREATE TABLE t (n INTEGER, v {type_})")  # type: ignore[call-overload]
    db.execute(f"INSERT INTO t VALUES (0, {value})")  # type: ignore[call-overload]
    db.execute(f"INSERT INTO t SELECT 1 + range, {value} FROM range(300)")  # type: ignore[call-overload]
    db.execute("UPDATE t SET n = -1 WHERE n = 0")
    same = f"SELECT count(*) FROM t WHERE v::VARCHAR = ({value})::{type_}::VARCHAR"
    assert rows(db, same) == [(301,)]
    db.execute("VACUUM")
    assert rows(db, same) == [(301,)]


def test_sums_that_are_kept_keep_every_digit(db: Connection) -> None:
    db.execute("CREATE TABLE t AS SELECT range AS n, sum(9007199254740993 + range) AS s FROM range(300) GROUP BY range")
    assert rows(db, "SELECT s FROM t WHERE n = 2") == [(Decimal(9007199254740995),)]
    db.execute("VACUUM")
    assert rows(db, "SELECT s FROM t WHERE n = 299") == [(Decimal(9007199254741292),)]
    assert rows(db, "SELECT typeof(s) FROM t LIMIT 1") == [("DECIMAL(38,0)",)]


def test_names_of_databases_and_schemas_lead_to_their_tables(db: Connection) -> None:
    name = db.info.dbname
    db.execute("CREATE SCHEMA s")
    db.execute("CREATE TABLE s.t AS SELECT 1 AS a")
    db.execute("CREATE TABLE t AS SELECT 2 AS a")
    db.execute("USE main")
    db.execute(f"CREATE TABLE {name}_t AS SELECT 3 AS a")  # type: ignore[call-overload]
    assert rows(db, f"SELECT a FROM {name}.s.t") == [(1,)]
    assert rows(db, f"SELECT a FROM {name}.t") == rows(db, f"SELECT a FROM {name}.public.t") == [(2,)]
    joined = f"SELECT x.a, y.a FROM main.{name}_t x, {name}.t y WHERE {name}.t.a IS NULL OR y.a = 2"
    assert rows(db, joined.replace(f"{name}.t.a IS NULL OR ", "")) == [(3, 2)]
    db.execute(f"DROP TABLE main.public.{name}_t")  # type: ignore[call-overload]


def test_a_table_is_altered_with_its_rows(db: Connection) -> None:
    db.execute("CREATE TABLE t (a INTEGER, b VARCHAR)")
    db.execute("INSERT INTO t VALUES (1, 'x')")
    for change in (
        "ADD COLUMN c DECIMAL(6, 2) DEFAULT 1.5",
        "RENAME COLUMN b TO bb",
        "ALTER a TYPE BIGINT",
        "ALTER c SET DEFAULT 2.5",
        "RENAME TO t2",
    ):
        db.execute(f"ALTER TABLE t {change}")  # type: ignore[call-overload]
    db.execute("INSERT INTO t2 (a) VALUES (3000000000)")
    assert rows(db, "SELECT * FROM t2 ORDER BY a") == [
        (1, "x", Decimal("1.50")),
        (3_000_000_000, None, Decimal("2.50")),
    ]
    db.execute("ALTER TABLE t2 DROP COLUMN bb")
    assert rows(db, "SELECT * FROM t2 WHERE a = 1") == [(1, Decimal("1.50"))]
    assert state(db, "SELECT * FROM t") == "42P01"


@pytest.mark.parametrize(
    ("statement", "sqlstate"),
    [
        ("CREATE TABLE k (id INTEGER PRIMARY KEY)", "0A000"),
        ("CREATE TABLE k (id INTEGER CHECK (id > 0))", "0A000"),
        ("CREATE SEQUENCE s", "0A000"),
        ("CREATE TABLE t (a INTEGER)", "42P07"),
        ("DROP TABLE nothing", "42P01"),
        ("INSERT INTO nothing VALUES (1)", "42P01"),
        ("SAVEPOINT a", "25P01"),
        ("CREATE TABLE k (h HUGEINT)", "0A000"),
        ("CREATE TABLE k (i STRUCT(x INTERVAL))", "0A000"),
        ("ALTER TABLE t ADD COLUMN z TIMETZ", "0A000"),
        ("DROP SCHEMA public", "2BP01"),
    ],
)
def test_what_cannot_be_done_is_said(db: Connection, statement: str, sqlstate: str) -> None:
    db.execute("CREATE TABLE t (a INTEGER)")
    assert state(db, statement) == sqlstate


def test_a_transaction_is_all_or_nothing_over_several_tables(gateway: Gateway, db: Connection) -> None:
    db.execute("CREATE TABLE a (n INTEGER)")
    with gateway.connect(dbname=db.info.dbname, autocommit=False) as one:
        one.execute("INSERT INTO a VALUES (1)")
        one.execute("CREATE TABLE b AS SELECT n + 1 AS n FROM a")
        assert rows(one, "SELECT a.n, b.n FROM a, b") == [(1, 2)]
        assert state(db, "SELECT * FROM b") == "42P01"
        assert rows(db, "SELECT count(*) FROM a") == [(0,)]
        one.rollback()
        assert rows(one, "SELECT count(*) FROM a") == [(0,)]
        one.execute("INSERT INTO a VALUES (1)")
        one.execute("CREATE TABLE b AS SELECT n + 1 AS n FROM a")
        one.commit()
    assert rows(db, "SELECT a.n, b.n FROM a, b") == [(1, 2)]


def test_the_first_committer_wins(gateway: Gateway, db: Connection) -> None:
    db.execute("CREATE TABLE t AS SELECT 1 AS n")
    with gateway.connect(dbname=db.info.dbname, autocommit=False) as slow:
        slow.execute("UPDATE t SET n = n + 10")
        db.execute("UPDATE t SET n = n + 1")
        with pytest.raises(psycopg.errors.SerializationFailure):
            slow.commit()
        assert rows(slow, "SELECT n FROM t") == [(2,)]


def test_older_versions_can_be_read(db: Connection) -> None:
    db.execute("CREATE TABLE t AS SELECT 1 AS n")
    db.execute("INSERT INTO t VALUES (2)")
    db.execute("DELETE FROM t")
    versions = rows(db, "SHOW SNAPSHOTS LIMIT 3")
    assert [row[2] for row in versions] == ["fairlead"] * 3
    read = [sorted(rows(db, f"SELECT n FROM t AT (VERSION => {row[0]})")) for row in versions]
    assert read == [[], [(1,), (2,)], [(1,)]]
    at = versions[1][1]
    assert sorted(rows(db, f"SELECT n FROM t AT (TIMESTAMP => TIMESTAMPTZ '{at}')")) == [(1,), (2,)]


def test_versions_are_shown_to_those_who_see_a_table(db: Connection, reader: Connection) -> None:
    db.execute("CREATE TABLE t AS SELECT 1 AS n")
    assert rows(reader, "SHOW SNAPSHOTS") == []
    db.execute("GRANT SELECT ON t TO analyst")
    shown = rows(reader, "SHOW SNAPSHOTS")
    assert shown
    assert {row[2] for row in shown} == {""}, "who committed is for the owner of the database"


def test_a_grant_opens_a_table_at_once_and_its_end_closes_it(db: Connection, reader: Connection) -> None:
    db.execute("CREATE TABLE t AS SELECT range AS n FROM range(500)")
    assert state(reader, "SELECT * FROM t") == "42P01"
    db.execute("GRANT SELECT ON t TO analyst")
    assert rows(reader, "SELECT count(*) FROM t") == [(500,)]
    assert state(reader, "INSERT INTO t VALUES (1)") == "42501"
    db.execute("GRANT INSERT ON t TO analyst")
    reader.execute("INSERT INTO t VALUES (-1)")
    assert state(reader, "DELETE FROM t") == "42501"
    db.execute("REVOKE SELECT ON t FROM analyst")
    assert rows(reader, "SELECT count(*) FROM t") == [(0,)], "what may only be inserted into is empty to look at"
    reader.execute("INSERT INTO t VALUES (-2)")
    db.execute("REVOKE INSERT ON t FROM analyst")
    assert state(reader, "SELECT * FROM t") == "42P01"
    assert rows(db, "SELECT count(*) FROM t") == [(502,)]


def test_a_right_that_ends_inside_a_transaction_ends_there(gateway: Gateway, db: Connection) -> None:
    db.execute("CREATE TABLE t AS SELECT range AS n FROM range(500)")
    db.execute("GRANT SELECT, INSERT ON t TO analyst")
    with gateway.connect("analyst", ANALYST_PASSWORD, dbname=db.info.dbname, autocommit=False) as who:
        who.execute("INSERT INTO t VALUES (-1)")
        db.execute("REVOKE SELECT, INSERT ON t FROM analyst")
        assert state(who, "SELECT * FROM t") == "42501"
        who.rollback()
    with gateway.connect("analyst", ANALYST_PASSWORD, dbname=db.info.dbname, autocommit=False) as who:
        db.execute("GRANT SELECT, INSERT ON t TO analyst")
        who.execute("INSERT INTO t VALUES (-1)")
        db.execute("REVOKE INSERT ON t FROM analyst")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            who.commit()
    assert rows(db, "SELECT count(*) FROM t") == [(500,)]


def test_parts_of_a_table_add_up(db: Connection, reader: Connection) -> None:
    db.execute("CREATE TABLE t (id INTEGER, region VARCHAR, pay INTEGER)")
    db.execute("INSERT INTO t VALUES (1, 'EU', 10), (2, 'US', 20), (3, 'AS', 30)")
    db.execute("GRANT SELECT (id, region) ON t WHERE region <> 'AS' TO analyst")
    assert rows(reader, "SELECT * FROM t ORDER BY id") == [(1, "EU"), (2, "US")]
    db.execute("GRANT SELECT (id, pay) ON t WHERE region = 'EU' TO analyst")
    assert rows(reader, "SELECT id, region, pay FROM t ORDER BY id") == [(1, "EU", 10), (2, "US", None)]
    db.execute("INSERT INTO t VALUES (4, 'EU', 40)")
    assert rows(reader, "SELECT pay FROM t WHERE id = 4") == [(40,)], "a part is computed anew for each statement"
    db.execute("REVOKE SELECT ON t FROM analyst")
    assert state(reader, "SELECT * FROM t") == "42P01"


def test_a_view_reads_as_its_owner(db: Connection, reader: Connection, admin: Connection) -> None:
    db.execute("CREATE TABLE t AS SELECT range AS n FROM range(10)")
    db.execute("CREATE VIEW odd AS SELECT n FROM t WHERE n % 2 = 1")
    db.execute("CREATE VIEW on_a_stage (customer) AS SELECT n FROM t")
    db.execute("CREATE OR REPLACE VIEW on_a_stage (customer) AS SELECT n FROM odd")
    db.execute("GRANT SELECT ON VIEW odd, on_a_stage TO analyst")
    assert rows(reader, "SELECT sum(n) FROM odd") == [(25,)]
    assert rows(reader, "SELECT sum(customer) FROM on_a_stage") == [(25,)]
    assert state(reader, "SELECT * FROM t") == "42P01"
    db.execute("INSERT INTO t VALUES (101)")
    assert rows(reader, "SELECT max(n) FROM odd") == [(101,)]
    db.execute("GRANT SELECT ON t TO analyst")
    plan = "\n".join(row[1] for row in rows(reader, "EXPLAIN SELECT * FROM odd WHERE n = 3"))
    assert "DUCKLAKE" in plan.upper(), "whoever may read it all has the view itself, not its result"


def test_a_view_on_a_stage_needs_no_right_on_the_stage(db: Connection, reader: Connection) -> None:
    db.execute("CREATE VIEW people AS SELECT count(*) AS n FROM @main.public.raw/customers.csv")
    db.execute("GRANT SELECT ON VIEW people TO analyst")
    assert rows(reader, "SELECT n FROM people") == [(50,)]


def test_rows_come_from_a_stage(db: Connection, lake: Lake) -> None:
    db.execute("CREATE TABLE c AS SELECT * FROM @main.public.raw/customers.csv LIMIT 0")
    assert db.execute("INSERT INTO c SELECT * FROM @main.public.raw/customers.csv").statusmessage == "INSERT 0 50"
    assert db.execute(f"COPY c FROM 's3://{lake.bucket}/raw/customers.csv'").statusmessage == "COPY 50"  # type: ignore[call-overload]
    assert rows(db, "SELECT count(*) FROM c") == [(100,)]


def test_a_database_keeps_its_tables_on_a_connection(gateway: Gateway, admin: Connection, lake: Lake) -> None:
    name, bucket = f"far{secrets.token_hex(4)}", lake.store.bucket("warehouse")
    admin.execute(f"CREATE DATABASE {name} DATA PATH 's3://{bucket}/wh/' CONNECTION = lake")  # type: ignore[call-overload]
    with gateway.connect(dbname=name) as db, gateway.connect("analyst", ANALYST_PASSWORD, dbname=name) as reader:
        db.execute("CREATE TABLE t AS SELECT range AS n, 'some text' AS v FROM range(5000)")
        db.execute("CREATE TABLE hidden AS SELECT range AS n FROM range(5000)")
        db.execute("UPDATE t SET v = 'changed' WHERE n < 1000")
        db.execute("INSERT INTO t VALUES (-1, 'small')")
        db.execute("GRANT SELECT ON t TO analyst")
        assert rows(reader, "SELECT v, count(*) FROM t GROUP BY v ORDER BY v") == [
            ("changed", 1000),
            ("small", 1),
            ("some text", 4000),
        ]
        keys = [one["Key"] for one in lake.store.client().list_objects_v2(Bucket=bucket)["Contents"]]
        assert keys
        assert all(key.startswith("wh/public/") for key in keys)
        hidden = next(key for key in keys if "hidden" in key)
        assert state(reader, f"SELECT * FROM 's3://{bucket}/{hidden}'") == "42501"
        admin.execute("GRANT USAGE ON CONNECTION lake TO analyst")
        through = "(CONNECTION => (CONNECTION_NAME = 'main.public.lake'))"
        for closed in (
            f"SELECT * FROM 's3://{bucket}/{hidden}'",
            f"SELECT * FROM 's3://{bucket}/{hidden}' {through}",
            f"SELECT 1 INTO LINK main.lake '{bucket}/{hidden}' FORMAT PARQUET ENABLE_OVERWRITE",
            f"SELECT 1 INTO LINK main.lake '{bucket}/wh/public/hidden/evil.parquet' FORMAT PARQUET",
            f"COPY (SELECT 1 AS n) TO 's3://{bucket}/wh/public/hidden/evil.parquet' (FORMAT parquet)",
        ):
            assert state(reader, closed) == "42501", closed
            if not closed.startswith("SELECT *"):
                assert state(db, closed) == "42501", f"as superuser: {closed}"
        admin.execute("REVOKE USAGE ON CONNECTION lake FROM analyst")
        assert rows(db, "SELECT count(*) FROM hidden") == [(5000,)]
        ledger = admin.execute("SHOW LEDGER LIMIT 200").fetchall()
        assert any("warehouse" in str(row) for row in ledger)


def test_a_dropped_database_takes_its_tables_along_only_when_it_is_empty(gateway: Gateway, db: Connection) -> None:
    name = db.info.dbname
    db.execute("CREATE TABLE t AS SELECT 1 AS n")
    with gateway.connect() as admin:
        assert state(admin, f"DROP DATABASE {name}") == "2BP01"
        db.execute("DROP TABLE t")
        db.close()
        admin.execute(f"DROP DATABASE {name}")  # type: ignore[call-overload]


def test_what_is_there_survives_kill_9(start_gateway: Any) -> None:
    gateway = start_gateway()
    with gateway.connect() as admin:
        admin.execute("CREATE TABLE t AS SELECT range AS n FROM range(1000)")
        admin.execute("INSERT INTO t VALUES (-1)")
    gateway.kill()
    gateway.start()
    with gateway.connect() as admin:
        assert rows(admin, "SELECT count(*), min(n) FROM t") == [(1001, -1)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT DISTINCT filename FROM t",
        "SELECT string_agg(filename) FROM t",
        "SELECT * FROM options()",
        "SELECT * FROM settings()",
        "SELECT * FROM table_info()",
        "SELECT * FROM snapshots()",
        "SELECT * FROM duckdb_tables()",
    ],
)
def test_nothing_that_the_engine_shows_tells_of_the_machine(
    gateway: Gateway, db: Connection, reader: Connection, statement: str
) -> None:
    db.execute("CREATE TABLE t AS SELECT range AS n, 'some text' AS v FROM range(500)")
    db.execute("INSERT INTO t VALUES (-1, 'small')")
    db.execute("CREATE TABLE hidden_from_others AS SELECT range AS n FROM range(500)")
    db.execute("GRANT SELECT ON t TO analyst")
    assert rows(reader, "SELECT count(*), max(file_row_number) FROM t WHERE n >= 0") == [(500, 499)]
    shown = re.sub(r"[\s\u2500-\u257f]", "", "\n".join(str(row) for row in rows(reader, statement)))
    assert shown
    for telling in (str(gateway.data), gateway.data.name + "/spill", "worker-", "/tmp", "hidden_from_others"):
        assert telling not in shown
    if "filename" in statement:
        assert re.search(r"files/ducklake-[0-9a-f-]+\.parquet", shown)
