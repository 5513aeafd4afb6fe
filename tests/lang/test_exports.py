"""SELECT ... INTO LINK and COPY ... TO with a connection, as text."""

from __future__ import annotations

import pytest

from fairlead.errors import FairleadError, SqlSyntaxError
from fairlead.lang import ast, parse, render
from fairlead.lang.masking import redact


def one(text, dialect="native"):
    (statement,) = parse(text, dialect)
    return statement


INTO = [
    # dialect, text, query, path, what differs from the defaults
    ("native", "SELECT * FROM t1 INTO LINK demouser_S3 'testing/output'", "SELECT * FROM t1", "testing/output", {}),
    ("singlestore", "SELECT * FROM t1 INTO LINK productdb.l 'b/k'", "SELECT * FROM t1", "b/k", {}),
    ("native", "SELECT 1 INTO LINK l 'b/d/' FORMAT PARQUET", "SELECT 1", "b/d/", {"format": "parquet"}),
    ("native", "SELECT 1 INTO FORMAT PARQUET LINK l 'b/k'", "SELECT 1", "b/k", {"format": "parquet"}),
    (
        "native",
        "SELECT 1 INTO ENABLE_OVERWRITE LINK l 'b/k' FORMAT JSON WITH COMPRESSION",
        "SELECT 1",
        "b/k",
        {"format": "json", "compression": True, "overwrite": True},
    ),
    ("native", "SELECT 1 INTO LINK l 's3://b/k' HEADER FORMAT CSV", "SELECT 1", "s3://b/k", {"header": True}),
    (
        "native",
        """(SELECT 1) UNION (SELECT 2) ORDER BY 1 LIMIT 3 -- so
        INTO LINK l 'b/k' LINES STARTING BY '>' FIELDS ESCAPED BY '^' OPTIONALLY ENCLOSED BY '"' TERMINATED BY '||'""",
        "(SELECT 1) UNION (SELECT 2) ORDER BY 1 LIMIT 3",
        "b/k",
        {"csv": ast.Csv(terminated="||", enclosed='"', optionally=True, escaped="^", starting=">")},
    ),
    (
        "singlestore",
        "SELECT 1 INTO LINK db.`my l` \"b/k\" COLUMNS TERMINATED BY ',' ENCLOSED BY '\\'' LINES TERMINATED BY '\\r\\n'",
        "SELECT 1",
        "b/k",
        {"csv": ast.Csv(terminated=",", enclosed="'", ending="\r\n")},
    ),
    (
        "native",
        "FROM t INTO LINK l 'b/k' FIELDS TERMINATED BY '\\t' ESCAPED BY '\\' LINES TERMINATED BY E'\\r\\n'",
        "FROM t",
        "b/k",
        {"csv": ast.Csv(ending="\r\n")},
    ),
    ("native", "WITH a AS (SELECT 1) FROM a INTO LINK l 'b/it''s'", "WITH a AS (SELECT 1) FROM a", "b/it's", {}),
]


@pytest.mark.parametrize(("dialect", "text", "query", "path", "more"), INTO, ids=lambda value: str(value)[:40])
def test_into_is_read_and_written_back(dialect, text, query, path, more):
    statement = one(text, dialect)
    assert isinstance(statement, ast.SelectInto)
    assert (statement.query.text, statement.path) == (query, path)
    for name in ("format", "csv", "header", "compression", "overwrite"):
        assert getattr(statement, name) == more.get(name, ast.SelectInto.__dataclass_fields__[name].default)
    assert one(render(statement, dialect, secrets="reveal"), dialect) == statement


def test_places_inside_the_query_are_found_where_they_stand():
    statement = one("SELECT * FROM @raw/x.parquet JOIN 's3://b/y.csv' USING (id) INTO LINK l 'b/k'")
    assert [statement.query.text[slice(*ref.span)] for ref in statement.query.locations] == [
        "@raw/x.parquet",
        "'s3://b/y.csv'",
    ]


def test_the_statement_after_an_export_is_read_by_its_own_rules():
    first, second = parse("SELECT 1 INTO LINK l 'b;k' FIELDS ENCLOSED BY '\\''; SELECT '\\'", "singlestore")
    assert (first.path, second.text) == ("b;k", "SELECT '\\'")


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO link VALUES ('a')",
        "WITH x AS (SELECT 1) INSERT INTO link SELECT * FROM x",
        "UNPIVOT t ON a INTO NAME link VALUE y",
        "SELECT 'x INTO LINK l ''p'''",
        'SELECT "INTO" FROM link',
    ],
)
def test_other_uses_of_the_word_are_left_alone(text):
    assert isinstance(one(text), ast.DataStatement)


REFUSED = [
    # dialect, text, SQLSTATE, words
    ("native", "SELECT * FROM (SELECT 1 INTO LINK l 'b/k')", "42601", "end of a whole query"),
    ("native", "SELECT 1 INTO LINK l 'b/k' UNION SELECT 2", "42601", "end of a whole query"),
    ("native", "CREATE TEMP VIEW v AS SELECT 1 INTO LINK l 'b/k'", "42601", "end of a whole query"),
    ("native", "EXPLAIN SELECT 1 INTO LINK l 'b/k'", "42601", "end of a whole query"),
    ("native", "SELECT 1) x (SELECT 2 INTO LINK l 'b/k'", "42601", "end of a whole query"),
    ("native", "SELECT 1 INTO LINK l 'b/k' HEADER HEADER", "42601", "HEADER is given twice"),
    ("native", "SELECT 1 INTO HEADER LINK l 'b/k' HEADER", "42601", "HEADER is given twice"),
    ("native", "SELECT 1 INTO LINK l 'b/k' FIELDS TERMINATED BY 'a' TERMINATED BY 'b'", "42601", "given twice"),
    ("native", "SELECT 1 INTO LINK l 'b/k' FIELDS TERMINATED BY 'a' COLUMNS ESCAPED BY 'b'", "42601", "given twice"),
    ("native", "SELECT 1 INTO LINK l 'b/k' FIELDS ENCLOSED BY 'ab'", "42601", "one character"),
    ("native", "SELECT 1 INTO LINK l 'b/k' FIELDS", "42601", "TERMINATED BY"),
    ("native", "SELECT 1 INTO LINK l 'b/k' FORMAT PARQUET FIELDS ESCAPED BY 'x'", "42601", "describe CSV"),
    ("native", "SELECT 1 INTO LINK l 'b/k' FORMAT JSON HEADER", "42601", "first line of CSV"),
    ("native", "SELECT 1 INTO LINK l 'b/k' FORMAT PARQUET WITH COMPRESSION", "42601", "compressed inside"),
    ("native", "SELECT 1 INTO LINK l 'b/k' FORMAT AVRO", "42601", "PARQUET, CSV, or JSON"),
    ("native", "SELECT 1 INTO LINK l", "42601", "the path"),
    ("native", "SELECT 1 INTO LINK l 'b/k' ENABLE_OVERWRITING", "42601", "ENABLE_OVERWRITE"),
    ("singlestore", "SELECT 1 INTO LINK l 'b/k' FORMAT JSON", "42601", "FORMAT JSON is not part of"),
    ("singlestore", "SELECT 1 INTO LINK l 'b/k' HEADER", "42601", "HEADER is not part of"),
    ("native", "SELECT 1 INTO OUTFILE 'f'", "0A000", "files of the server"),
    ("native", "SELECT 1 INTO FS '/tmp/f'", "0A000", "files of the server"),
    ("native", "SELECT 1 INTO S3 'b/k' CREDENTIALS '{\"aws_secret_access_key\": \"hunter2\"}'", "0A000", "CREATE LINK"),
    ("native", "SELECT 1 INTO KAFKA 'h:9092/t' CREDENTIALS '{\"sasl.password\": \"hunter2\"}'", "0A000", "CREATE LINK"),
    ("native", "SELECT 1 INTO HDFS 'hdfs://n/d'", "0A000", "CREATE LINK"),
    ("native", "COPY t TO 's3://b/x' WITH (AWS CONNECTION = c)", "22023", "COPY TO <expr> requires a FORMAT option"),
    (
        "materialize",
        "COPY t TO 's3://b/x' WITH (FORMAT = 'csv')",
        "22023",
        "AWS CONNECTION is required for COPY ... TO <expr>",
    ),
    ("materialize", "COPY t TO 's3://b/x'", "22023", "requires a FORMAT option"),
    ("native", "COPY t TO 's3://b/x' WITH (AWS CONNECTION = c, FORMAT = 'orc')", "22023", "unknown FORMAT: orc"),
    ("native", "COPY t TO 's3://b/x' WITH (AWS CONNECTION = c, FORMAT = 'text')", "0A000", "not supported"),
    (
        "native",
        "COPY t TO 's3://b/x' WITH (AWS CONNECTION = c, FORMAT = 'csv', MAX FILE SIZE = '1MB')",
        "22023",
        "MAX FILE SIZE cannot be less than 16MB",
    ),
    (
        "native",
        "COPY t TO 's3://b/x' WITH (AWS CONNECTION = c, FORMAT = 'csv', MAX FILE SIZE = '5GB')",
        "22023",
        "MAX FILE SIZE cannot be greater than 4GB",
    ),
    (
        "native",
        "COPY (SELECT 1 ORDER BY 1) TO 's3://b/x' WITH (AWS CONNECTION = c, FORMAT = 'csv')",
        "0A000",
        "ORDER BY is not supported in SELECT query for COPY statements",
    ),
    (
        "native",
        "COPY t (a, b) TO 's3://b/x' WITH (AWS CONNECTION = c, FORMAT = 'csv')",
        "0A000",
        "specifying columns for COPY <table_name> TO commands not yet supported; use COPY (SELECT...) TO ... instead",
    ),
    (
        "native",
        "COPY t TO 's3://b/x' WITH (AWS CONNECTION = c, FORMAT = 'parquet', QUOTE = 'x')",
        "22023",
        "COPY quote available only in CSV mode",
    ),
    (
        "native",
        "COPY t TO 's3://b/x' WITH (AWS CONNECTION = c, FORMAT = 'csv', DELIMITER = 'xx')",
        "22023",
        "COPY delimiter must be a single one-byte character",
    ),
]


@pytest.mark.parametrize(("dialect", "text", "state", "words"), REFUSED, ids=lambda value: str(value)[:60])
def test_what_is_not_offered_is_refused(dialect, text, state, words):
    with pytest.raises(FairleadError) as caught:
        parse(text, dialect)
    told = f"{caught.value} {caught.value.hint} {caught.value.detail}"
    assert (caught.value.sqlstate, words in told, "hunter2" in told) == (state, True, False), told
    assert "hunter2" not in redact(text, dialect)


def test_a_slip_in_the_options_shows_where():
    with pytest.raises(SqlSyntaxError) as caught:
        parse("SELECT 1 INTO LINK l 'b/k' FEILDS ESCAPED BY 'x'")
    assert (caught.value.position, caught.value.hint) == (28, "did you mean FIELDS?")


COPIES = [
    ("COPY t TO 's3://b/x' WITH (AWS CONNECTION = c, FORMAT = 'csv')", "FROM t", {}),
    ("COPY a.\"b c\" TO 's3://b/x' (AWS CONNECTION d.s.c, FORMAT parquet)", 'FROM a."b c"', {"format": "parquet"}),
    (
        """COPY (SELECT ')' FROM (SELECT 1 ORDER BY 1)) TO 's3://b/x/' WITH (FORMAT csv, AWS CONNECTION = c, HEADER,
            MAX FILE SIZE 16 MB, DELIMITER = ';', QUOTE '''', NULL 'n')""",
        "SELECT ')' FROM (SELECT 1 ORDER BY 1)",
        {"header": True, "max_file_size": 16 << 20, "delimiter": ";", "quote": "'", "escape": "'", "null": "n"},
    ),
]


@pytest.mark.parametrize("dialect", ["native", "materialize"])
@pytest.mark.parametrize(("text", "query", "more"), COPIES)
def test_copy_is_read_and_written_back(dialect, text, query, more):
    statement = one(text, dialect)
    assert isinstance(statement, ast.CopyToStore)
    assert statement.query.text == query
    assert {name: getattr(statement, name) for name in more} == more
    again = one(render(statement, dialect, secrets="reveal"), dialect)
    assert again == statement


def test_the_name_of_a_copied_table_keeps_its_place():
    text = "COPY   orders TO 's3://b/x' WITH (AWS CONNECTION = c, FORMAT = 'csv')"
    (name,) = one(text).query.names
    start = one(text).query.span[0]
    assert text[start + name.span[0] : start + name.span[1]] == "orders"


@pytest.mark.parametrize("text", ["COPY t TO 's3://b/k' (FORMAT csv)", "COPY (SELECT 1) TO @s/x.parquet"])
def test_a_plain_copy_stays_the_engines(text):
    assert isinstance(one(text), ast.DataStatement)
