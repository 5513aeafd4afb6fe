"""The allow-list of statement kinds, as a table."""

from __future__ import annotations

import duckdb
import pytest

from fairlead.worker import statements

ALLOWED = [
    "SELECT 1",
    "  -- a comment\n SELECT 1;",
    "/* a */ WITH a AS (SELECT 1) FROM a",
    "(SELECT 1) UNION ALL (SELECT 2)",
    "VALUES (1)",
    "TABLE x",
    "SHOW TABLES",
    "DESCRIBE SELECT 1",
    "SUMMARIZE SELECT 1",
    "PIVOT x ON y",
    "UNPIVOT x ON y INTO NAME n VALUE v",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE SELECT 1",
    "EXPLAIN (FORMAT json) SELECT 1",
    "BEGIN",
    "START TRANSACTION",
    "COMMIT",
    "ROLLBACK",
    "COPY (SELECT 1 AS \"from\") TO 's3://b/x'",
    "COPY t TO 's3://b/x' (FORMAT parquet)",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1",
    "CREATE TEMP MACRO m(x) AS x",
    "CREATE TEMP FUNCTION m(x) AS x",
    "INSERT INTO t VALUES (1)",
    "UPDATE t SET i = 1",
    "DELETE FROM t",
    "TRUNCATE t",
    "DROP TABLE IF EXISTS t",
    "DROP VIEW v",
    "DROP MACRO m",
    "SET TimeZone = 'UTC'",
    "SET SESSION timezone TO 'UTC'",
    "SET TIME ZONE 'UTC'",
    "RESET TimeZone",
    "",
    ";",
]

REFUSED = [
    ("ATTACH 'x.db'", "ATTACH"),
    ("/* */ attach 'x.db'", "ATTACH"),
    ("DETACH x", "DETACH"),
    ("INSTALL httpfs", "INSTALL"),
    ("FORCE INSTALL httpfs", "FORCE"),
    ("LOAD httpfs", "LOAD"),
    ("IMPORT DATABASE 'http://h/x'", "IMPORT"),
    ("EXPORT DATABASE 'x'", "EXPORT"),
    ("UPDATE EXTENSIONS", "UPDATE"),
    ("USE x", "USE"),
    ("SET threads = 4", "SET THREADS"),
    ("SET GLOBAL TimeZone = 'UTC'", "SET GLOBAL"),
    ("SET VARIABLE x = 1", "SET VARIABLE"),
    ("RESET lock_configuration", "RESET"),
    ("PRAGMA version", "PRAGMA"),
    ("PRAGMA database_list", "PRAGMA"),
    ("CALL enable_logging()", "CALL"),
    ("CHECKPOINT", "CHECKPOINT"),
    ("VACUUM", "VACUUM"),
    ("ANALYZE", "ANALYZE"),
    ("PREPARE p AS SELECT 1", "PREPARE"),
    ("EXECUTE p", "EXECUTE"),
    ("DEALLOCATE p", "DEALLOCATE"),
    ("CREATE SECRET s (TYPE s3)", "CREATE SECRET"),
    ("CREATE PERSISTENT SECRET s (TYPE s3)", "CREATE PERSISTENT"),
    ("CREATE OR REPLACE TEMPORARY SECRET s (TYPE s3)", "CREATE SECRET"),
    ("DROP SECRET s", "DROP SECRET"),
    ("CREATE TABLE t (i INT)", "CREATE TEMP TABLE"),
    ("CREATE VIEW v AS SELECT 1", "CREATE TEMP VIEW"),
    ("CREATE SCHEMA s", "CREATE SCHEMA"),
    ("CREATE SEQUENCE s", "CREATE SEQUENCE"),
    ("CREATE TYPE e AS ENUM ('a')", "CREATE TYPE"),
    ("CREATE INDEX i ON t (x)", "CREATE INDEX"),
    ("DROP SCHEMA s", "DROP SCHEMA"),
    ("ALTER TABLE t ADD COLUMN x INT", "ALTER"),
    ("COMMENT ON TABLE t IS 'x'", "COMMENT"),
    ("MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE", "MERGE"),
    ("COPY t FROM 's3://b/x'", "COPY ... FROM"),
    ("COPY FROM DATABASE a TO b", "several"),
    ("SELECT 1; SELECT 2", "several"),
    ("CREATE TEMP TABLE t (i INT); SELECT 1", "several"),
    ("EXPLAIN ANALYZE CALL enable_logging()", "CALL"),
    ("EXPLAIN ANALYZE COPY t FROM 's3://b/x'", "COPY ... FROM"),
    ("EXPLAIN (FORMAT json) CREATE TABLE t (i INT)", "TEMP TABLE"),
]


@pytest.fixture(scope="module")
def instance():
    with duckdb.connect(config={"threads": 1}) as opened:
        yield opened


@pytest.mark.parametrize("text", ALLOWED)
def test_what_a_session_needs_is_allowed(instance, text):
    assert statements.read(instance, text, allow_all=False).text == text


@pytest.mark.parametrize(("text", "named"), REFUSED)
def test_everything_else_is_refused_by_name(instance, text, named):
    with pytest.raises(statements.Refused, match=named.replace(".", r"\.")):
        statements.read(instance, text, allow_all=False)


@pytest.mark.parametrize("text", ["ATTACH 'x.db'", "SET threads = 4", "CREATE SECRET s (TYPE s3)"])
def test_with_the_layer_off_every_kind_is_read(instance, text):
    assert statements.read(instance, text, allow_all=True).kind is not None


def test_what_is_no_statement_is_a_parser_error(instance):
    with pytest.raises(duckdb.ParserException):
        statements.read(instance, "SELEC 1", allow_all=False)


def test_parameters_and_rows_are_known_before_anything_runs(instance):
    assert statements.read(instance, "SELECT $2, $1", allow_all=False).parameters == {"1", "2"}
    assert statements.read(instance, "INSERT INTO t VALUES (?) RETURNING i", allow_all=False).returns_rows
    assert not statements.read(instance, "INSERT INTO t VALUES ('returning')", allow_all=False).returns_rows
