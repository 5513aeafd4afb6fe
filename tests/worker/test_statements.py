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
    "CREATE TABLE t (i INT)",
    "CREATE TABLE IF NOT EXISTS a.b.t AS SELECT 1",
    "CREATE OR REPLACE TABLE temp AS FROM x",
    "CREATE SCHEMA s",
    "DROP SCHEMA IF EXISTS s CASCADE",
    "ALTER TABLE t ADD COLUMN x INT",
    "ALTER TABLE IF EXISTS t RENAME TO u",
    "COMMENT ON TABLE t IS 'x'",
    "COMMENT ON COLUMN t.i IS NULL",
    "MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE",
    "COPY t FROM 's3://b/x'",
    "COPY t (\"to\") FROM 's3://b/x' (FORMAT csv)",
    "EXPLAIN ANALYZE COPY t FROM 's3://b/x'",
    "EXPLAIN CREATE TABLE t (i INT)",
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
    ("CREATE VIEW v AS SELECT 1", "CREATE TEMP VIEW"),
    ("CREATE SEQUENCE s", "CREATE SEQUENCE is not available: the tables of a database have no sequences"),
    ("CREATE TEMP SEQUENCE s", "have no sequences"),
    ("DROP SEQUENCE s", "have no sequences"),
    ("ALTER SEQUENCE s OWNED BY t", "have no sequences"),
    ("CREATE TYPE e AS ENUM ('a')", "CREATE TYPE is not available: the tables of a database have no types"),
    ("DROP TYPE e", "have no types"),
    ("CREATE INDEX i ON t (x)", "CREATE INDEX is not available: the tables of a database have no indexes"),
    ("CREATE UNIQUE INDEX i ON t (x)", "have no indexes"),
    ("DROP INDEX i", "have no indexes"),
    ("CREATE OR REPLACE VIEW v AS SELECT 1", "CREATE TEMP VIEW"),
    ("CREATE MACRO m(x) AS x", "CREATE TEMP MACRO"),
    ("CREATE FUNCTION m(x) AS x", "CREATE TEMP FUNCTION"),
    ("ALTER VIEW v RENAME TO w", "ALTER VIEW"),
    ("COMMENT ON VIEW v IS 'x'", "COMMENT ON VIEW"),
    ("COMMENT ON MACRO m IS 'x'", "COMMENT ON MACRO"),
    ("EXPLAIN ANALYZE CREATE VIEW v AS SELECT 1", "TEMP VIEW"),
    ("COPY t FROM STDIN", "COPY ... FROM STDIN"),
    ("COPY t (i) FROM /* */ stdin (FORMAT csv)", "COPY ... FROM STDIN"),
    ("COPY t FROM PROGRAM 'x'", "COPY ... FROM PROGRAM"),
    ("EXPLAIN ANALYZE COPY t FROM STDIN", "COPY ... FROM STDIN"),
    ("COPY FROM DATABASE a TO b", "several"),
    ("SELECT 1; SELECT 2", "several"),
    ("CREATE TEMP TABLE t (i INT); SELECT 1", "several"),
    ("EXPLAIN ANALYZE CALL enable_logging()", "CALL"),
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


# What may leave a lake other than it was, and the tag with the engine's count of 3 rows.
KINDS = [
    ("SELECT 1", False, "SELECT 3"),
    ("SHOW TABLES", False, "SELECT 3"),
    ("BEGIN", False, "BEGIN"),
    ("COMMIT", False, "COMMIT"),
    ("SET TimeZone = 'UTC'", False, "SET"),
    ("COPY t TO 's3://b/x'", False, "COPY 3"),
    ("COPY (SELECT 1 AS \"from\") TO 's3://b/x'", False, "COPY 3"),
    ("CREATE TEMP TABLE t AS SELECT 1", False, "SELECT 3"),
    ("CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1", False, "CREATE VIEW"),
    ("CREATE TEMP MACRO m(x) AS x", False, "CREATE MACRO"),
    ("EXPLAIN SELECT 1", False, "EXPLAIN"),
    ("EXPLAIN ANALYZE INSERT INTO t VALUES (1)", True, "EXPLAIN"),
    ("EXPLAIN (ANALYZE) DELETE FROM t", True, "EXPLAIN"),
    ("INSERT INTO t VALUES (1)", True, "INSERT 0 3"),
    ("WITH a AS (SELECT 1) INSERT INTO t FROM a", True, "INSERT 0 3"),
    ("UPDATE t SET i = 1", True, "UPDATE 3"),
    ("DELETE FROM t", True, "DELETE 3"),
    ("MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE", True, "MERGE 3"),
    ("TRUNCATE t", True, "TRUNCATE TABLE"),
    ("TRUNCATE TABLE t", True, "TRUNCATE TABLE"),
    ("COPY t FROM 's3://b/x'", True, "COPY 3"),
    ("CREATE TABLE t AS SELECT 1", True, "SELECT 3"),
    ("CREATE OR REPLACE TABLE temp AS SELECT 1", True, "SELECT 3"),
    ("CREATE SCHEMA s", True, "CREATE SCHEMA"),
    ("DROP TABLE t", True, "DROP TABLE"),
    ("DROP SCHEMA s", True, "DROP SCHEMA"),
    ("DROP VIEW v", True, "DROP VIEW"),
    ("ALTER TABLE t ADD COLUMN x INT", True, "ALTER TABLE"),
    ("COMMENT ON TABLE t IS 'x'", True, "COMMENT"),
    ("", False, ""),
]


@pytest.mark.parametrize(("text", "changes", "tag"), KINDS)
def test_a_statement_is_known_by_its_tag_and_by_whether_it_may_change_a_lake(instance, text, changes, tag):
    checked = statements.read(instance, text, allow_all=False)
    assert checked.changes is changes
    counted = None if tag in ("BEGIN", "COMMIT", "SET", "EXPLAIN", "") else 3
    assert checked.tag_of(counted) == tag


@pytest.mark.parametrize("text", ["CREATE TABLE t (i INT)", "CREATE TEMP TABLE t (i INT)"])
def test_a_table_without_rows_of_its_own_has_no_count(instance, text):
    assert statements.read(instance, text, allow_all=False).tag_of(None) == "CREATE TABLE"


@pytest.mark.parametrize("text", ["CALL enable_logging()", "ATTACH 'x.db'", "CREATE SECRET s (TYPE s3)", "VACUUM"])
def test_what_is_not_known_may_have_changed_anything(instance, text):
    assert statements.read(instance, text, allow_all=True).changes
