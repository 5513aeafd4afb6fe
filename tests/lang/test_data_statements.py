"""What the planner learns of a statement for the engine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.lang import ast, parse, render


def one(text, dialect="native"):
    (statement,) = parse(text, dialect)
    assert isinstance(statement, ast.DataStatement)
    return statement


PLACES = [
    # text, then (what the span covers, role, stage or URL, path) of each place
    ("SELECT * FROM @raw/a/*.parquet", [("@raw/a/*.parquet", "from", "raw", "a/*.parquet")]),
    ("SELECT * FROM @raw", [("@raw", "from", "raw", "")]),
    ("SELECT * FROM @db.sc.raw/x.csv t", [("@db.sc.raw/x.csv", "from", "db.sc.raw", "x.csv")]),
    ('SELECT * FROM @"my stage"/x', [('@"my stage"/x', "from", "my stage", "x")]),
    ("SELECT * FROM '@raw/a b.csv' t", [("'@raw/a b.csv'", "from", "raw", "a b.csv")]),
    ("SELECT * FROM $$@raw/it's.csv$$", [("$$@raw/it's.csv$$", "from", "raw", "it's.csv")]),
    (
        "SELECT * FROM @a/x, '@b/y' JOIN @c/z USING (id)",
        [("@a/x", "from", "a", "x"), ("'@b/y'", "from", "b", "y"), ("@c/z", "from", "c", "z")],
    ),
    ("SELECT * FROM 's3://b/k.parquet'", [("'s3://b/k.parquet'", "from", "s3://b/k.parquet", "")]),
    ("SELECT * FROM E's3://b/\\x6b'", [("E's3://b/\\x6b'", "from", "s3://b/k", "")]),
    ("SELECT * FROM 's3://b/'\n'k'", [("'s3://b/'\n'k'", "from", "s3://b/k", "")]),
    (
        "SELECT * FROM read_parquet(['@a/x', 's3://b/y'], union_by_name => true)",
        [("'@a/x'", "argument", "a", "x"), ("'s3://b/y'", "argument", "s3://b/y", "")],
    ),
    ("SELECT * FROM read_csv(@a/x.csv, header = true)", [("@a/x.csv", "argument", "a", "x.csv")]),
    ("SELECT * FROM infer_schema(location => '@s/x/')", [("'@s/x/'", "argument", "s", "x/")]),
    (
        "SELECT 'https://example.org', '@home' WHERE u LIKE '@x'",
        [("'https://example.org'", "literal", "https://example.org", "")],
    ),
    (
        "COPY (SELECT * FROM @a/x) TO @b/out/ (FORMAT parquet)",
        [("@a/x", "from", "a", "x"), ("@b/out/", "to", "b", "out/")],
    ),
    ("COPY t TO 's3://b/k' (FORMAT csv)", [("'s3://b/k'", "to", "s3://b/k", "")]),
    ("COPY t (a, b) FROM '@s/x.csv' (HEADER)", [("'@s/x.csv'", "load", "s", "x.csv")]),
    ("EXPLAIN ANALYZE COPY t FROM @s/x", [("@s/x", "load", "s", "x")]),
    ("INSERT INTO t SELECT * FROM @s/x", [("@s/x", "from", "s", "x")]),
    ("CREATE TEMP TABLE t AS FROM @s/x", [("@s/x", "from", "s", "x")]),
    ("MERGE INTO t USING @s/x AS n ON t.a = n.a WHEN MATCHED THEN DELETE", [("@s/x", "from", "s", "x")]),
    ("SELECT * FROM @s/x (PATTERN => '.*') t", [("@s/x (PATTERN => '.*')", "from", "s", "x")]),
    ("SELECT @x FROM t WHERE a = @b", []),
    ("SELECT '@s/x'", []),
]


@pytest.mark.parametrize(("text", "places"), PLACES, ids=lambda value: str(value)[:50])
def test_places_are_found_with_their_spans(text, places):
    statement = one("-- a comment before\n" + text + " ;")
    found = [
        (statement.text[slice(*ref.span)], ref.role, ref.url or str(ref.stage), ref.path) for ref in statement.locations
    ]
    assert found == places
    assert statement.text == text
    assert parse(render(statement, secrets="reveal")) == [statement]


def test_options_after_a_place_are_read_and_leave_the_text():
    statement = one(
        "SELECT * FROM @s/x (FILES => ('a', 'b'), FILE_FORMAT => 'csv' CASE_SENSITIVE => false,"
        " CONNECTION => (CONNECTION_NAME = 'd.c')) AS t"
    )
    (ref,) = statement.locations
    assert [(o.key, o.value) for o in ref.options[:3]] == [
        ("FILES", ("a", "b")),
        ("FILE_FORMAT", "csv"),
        ("CASE_SENSITIVE", False),
    ]
    (named,) = ref.options[3].value
    assert (named.name, named.value.value.reveal()) == ("CONNECTION_NAME", "d.c")
    assert statement.text[ref.span[1] :] == " AS t"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM 's3://b/x' (CONNECTION => (ACCESS_KEY_ID = 'i', SECRET_ACCESS_KEY = 'hunter2'))",
        "COPY t FROM 's3://b/x' (CONNECTION => (ACCESS_KEY_ID = 'i', SECRET_ACCESS_KEY = 'hunter2')) (FORMAT csv)",
    ],
)
def test_an_inline_credential_is_inside_the_span_that_is_replaced(text):
    statement = one(text)
    (ref,) = statement.locations
    rest = statement.text[: ref.span[0]] + statement.text[ref.span[1] :]
    assert "hunter2" not in rest
    assert "hunter2" not in repr(statement)
    (option,) = ref.options
    assert [o.name for o in option.value] == ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY"]


def test_identifiers_are_decoded_and_folded_and_calls_are_those_before_a_parenthesis():
    statement = one('SELECT "SQLITE_SCAN" /* x */ (a), Query\u00a0(\'x\') FROM \'duckdb_secrets\', "It""s"')
    assert {"sqlite_scan", "query", "duckdb_secrets", 'it"s', "a", "select"} <= statement.identifiers
    assert statement.calls == {"sqlite_scan", "query"}
    assert "x" not in statement.identifiers


@pytest.mark.parametrize(
    ("text", "count"),
    [("SELECT $1, $12, '$99', $$ $50 $$", 12), ("SELECT ?, ?", 2), ("SELECT 1", 0), ("SELECT a$7", 0)],
)
def test_parameters_are_counted(text, count):
    assert one(text).parameters == count


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("select 1", "SELECT"),
        ("((SELECT 1) UNION (SELECT 2))", "SELECT"),
        ("(((((((((((SELECT 1)))))))))))", "SELECT"),
        ("WITH a AS (SELECT 1) FROM a", "WITH"),
        ("FROM t", "FROM"),
        ("VALUES (1)", "VALUES"),
        ("TABLE t", "TABLE"),
        ("EXPLAIN (FORMAT json) SELECT 1", "EXPLAIN"),
        ("DESCRIBE t", "DESCRIBE"),
        ("DESC SELECT 1", "DESC"),
        ("SUMMARIZE t", "SUMMARIZE"),
        ("SHOW ALL TABLES", "SHOW"),
        ("PIVOT t ON a USING sum(b)", "PIVOT"),
        ("UNPIVOT t ON a INTO NAME x VALUE y", "UNPIVOT"),
        ("CREATE OR REPLACE TEMP MACRO f(x) AS x", "CREATE"),
        ("CREATE TEMPORARY VIEW v AS SELECT 1", "CREATE"),
        ("UPDATE extensions SET a = 1", "UPDATE"),
        ("DELETE FROM t", "DELETE"),
        ("DROP TABLE IF EXISTS t", "DROP"),
    ],
)
def test_statements_of_the_engine_pass(text, verb):
    assert one(text).verb == verb


@given(st.text(max_size=20).filter(lambda t: "\0" not in t and t.isascii()), st.sampled_from(["from", "argument"]))
def test_any_path_in_quotes_comes_back(path, role):
    quoted = "'@s/" + path.replace("'", "''") + "'"
    text = f"SELECT * FROM {quoted} t" if role == "from" else f"SELECT * FROM read_csv({quoted})"
    (ref,) = one(text).locations
    assert (ref.path, ref.role, str(ref.stage)) == (path, role, "s")
