"""Statements about tables, views and schemas: which are the gateway's own, and how they read."""

from __future__ import annotations

import pytest

from fairlead.errors import InvalidParameter, NotSupported, SqlSyntaxError
from fairlead.lang import ast, parse, redact, render

IDENTITIES = [
    ("create view v as select 1", "CREATE VIEW v AS select 1"),
    (
        "CREATE OR REPLACE VIEW a.b (x, y) AS -- c\n(VALUES (1, 2)) ;",
        "CREATE OR REPLACE VIEW a.b (x, y) AS (VALUES (1, 2))",
    ),
    ("ALTER VIEW v OWNER TO r", "ALTER VIEW v OWNER TO r"),
    ("alter table if exists a.b.c owner to r", "ALTER TABLE IF EXISTS a.b.c OWNER TO r"),
    ('ALTER TABLE "owner to" OWNER TO r', 'ALTER TABLE "owner to" OWNER TO r'),
    ("SHOW TABLES IN SCHEMA s LIKE 'x%'", "SHOW TABLES FROM s LIKE 'x%'"),
    ("GRANT SELECT ON t, a.b TO r", "GRANT SELECT ON TABLE t, a.b TO r"),
    ("GRANT SELECT (a) ON t TO r", "GRANT SELECT (a) ON TABLE t TO r"),
    ("GRANT ALL ON d.* TO r", "GRANT ALL ON DATABASE d TO r"),
    ("GRANT SELECT, INSERT ON *.* TO r", "GRANT SELECT, INSERT ON SYSTEM TO r"),
    ("GRANT SELECT TABLE ON SCHEMA s TO r", "GRANT SELECT TABLE ON SCHEMA s TO r"),
    ("SHOW GRANTS ON d.t", "SHOW GRANTS ON TABLE d.t"),
    (
        "REVOKE ALL PRIVILEGES ON ALL TABLES IN SCHEMA s FROM r",
        "REVOKE ALL PRIVILEGES ON ALL TABLES IN SCHEMA s FROM r",
    ),
    (
        "CREATE DATABASE d DATA PATH = 's3://b/p/' CONNECTION c",
        "CREATE DATABASE d DATA PATH 's3://b/p/' CONNECTION = c",
    ),
    (
        "ALTER DEFAULT PRIVILEGES FOR USER u GRANT SELECT ON TABLES TO r",
        "ALTER DEFAULT PRIVILEGES FOR ROLE u GRANT SELECT ON TABLES TO r",
    ),
]


@pytest.mark.parametrize(("text", "canonical"), IDENTITIES, ids=lambda value: value[:40])
def test_a_statement_has_one_canonical_text(text, canonical):
    (statement,) = parse(text)
    assert render(statement, secrets="reveal") == canonical
    assert parse(canonical) == [statement]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE t (owner int)",
        "CREATE SCHEMA s",
        "ALTER TABLE t RENAME TO owner",
        "ALTER TABLE t ADD COLUMN owner int",
        "ALTER TABLE owner RENAME TO b",
        "DROP TABLE t",
        "DROP SCHEMA s",
        "CREATE TEMP VIEW v AS SELECT 1",
        "CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1",
        "DESCRIBE t",
    ],
)
def test_what_changes_the_lake_or_is_temporary_goes_to_the_engine(text):
    (statement,) = parse(text)
    assert isinstance(statement, ast.DataStatement)


def test_the_condition_is_kept_as_typed_up_to_the_last_to():
    (statement,) = parse("GRANT SELECT ON t WHERE \"to\" SIMILAR  TO 'a' TO r, s")
    assert isinstance(statement, ast.Grant)
    assert (statement.condition, statement.grantees) == ("\"to\" SIMILAR  TO 'a'", ("r", "s"))


def test_a_query_is_read_under_the_rules_of_the_engine_in_every_dialect():
    for dialect in ("native", "materialize", "singlestore", "databend", "clickzetta"):
        (statement,) = parse("CREATE VIEW v AS SELECT 'a\\' AS \"b;\"; ", dialect)
        assert isinstance(statement, ast.CreateView)
        assert statement.query == "SELECT 'a\\' AS \"b;\""


REFUSED = [
    ("CREATE VIEW v AS WITH x AS (SELECT 1) INSERT INTO t SELECT 1", SqlSyntaxError),
    ("CREATE VIEW v AS (WITH x AS (SELECT 1) DELETE FROM t)", SqlSyntaxError),
    ("CREATE VIEW v AS SELECT 1 INTO LINK l 'p'", SqlSyntaxError),
    ("CREATE VIEW v AS INSERT INTO t VALUES (1)", SqlSyntaxError),
    ("CREATE VIEW v AS EXPLAIN SELECT 1", SqlSyntaxError),
    ("CREATE VIEW v AS COPY t TO 's3://b/x'", SqlSyntaxError),
    ("CREATE VIEW v AS", SqlSyntaxError),
    ("CREATE VIEW v AS SELECT $1", InvalidParameter),
    ("CREATE VIEW v AS SELECT ?", InvalidParameter),
    ("CREATE OR REPLACE VIEW IF NOT EXISTS v AS SELECT 1", SqlSyntaxError),
    ("ALTER VIEW v AS SELECT 1", SqlSyntaxError),
    ("ALTER DATABASE d RENAME TO e", SqlSyntaxError),
    ("GRANT SELECT (a) ON t TO r WITH GRANT OPTION", SqlSyntaxError),
    ("GRANT SELECT ON t WHERE a TO r WITH GRANT OPTION", SqlSyntaxError),
    ("GRANT INSERT (a) ON t TO r", SqlSyntaxError),
    ("GRANT SELECT (a), INSERT ON t TO r", SqlSyntaxError),
    ("GRANT INSERT ON t WHERE a TO r", SqlSyntaxError),
    ("GRANT SELECT (a) ON DATABASE d TO r", SqlSyntaxError),
    ("GRANT SELECT (a) ON ALL TABLES IN SCHEMA s TO r", SqlSyntaxError),
    ("GRANT SELECT ON d.* WHERE a TO r", SqlSyntaxError),
    ("GRANT SELECT ON t WHERE TO r", SqlSyntaxError),
    ("GRANT SELECT ON ALL TABLES TO r", SqlSyntaxError),
    ("REVOKE GRANT OPTION FOR SELECT (a) ON t FROM r", SqlSyntaxError),
    ("ALTER DEFAULT PRIVILEGES GRANT USAGE ON CONNECTIONS TO r", NotSupported),
    ("CREATE DATABASE d DATA PATH 's3://b/'", SqlSyntaxError),
    ("EXPLAIN CREATE VIEW v AS SELECT 1", NotSupported),
]


@pytest.mark.parametrize(("text", "error"), REFUSED, ids=lambda value: str(value)[:50])
def test_what_is_not_one_of_these_is_refused(text, error):
    with pytest.raises(error):
        parse(text)


def test_the_text_of_a_view_is_redacted_as_a_query_is():
    text = "CREATE VIEW v AS SELECT 'plain' FROM 's3://b/x' (CONNECTION => (SECRET_ACCESS_KEY = 'hunter2'))"
    assert "hunter2" not in redact(text)
    assert "'plain'" in redact(text)
    (statement,) = parse(text)
    assert "hunter2" not in render(statement)
    assert "hunter2" not in repr(statement)
