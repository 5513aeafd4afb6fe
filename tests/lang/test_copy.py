"""COPY FROM STDIN: PostgreSQL's two spellings of the options, Materialize's, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import InvalidParameter, NotSupported, SqlSyntaxError
from fairlead.lang import ast, parse, render

from . import strategies

T = ast.Name(("t",))
CSV = {"format": "csv", "delimiter": ",", "null": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("COPY t FROM STDIN", {}),
        ("copy t from stdin;", {}),
        ("COPY INTO t FROM STDIN", {}),
        ("COPY t (a, B) FROM STDIN", {"columns": ("a", "B")}),
        ("COPY t FROM STDIN WITH (FORMAT csv)", CSV),
        ("COPY t FROM STDIN (FORMAT = csv, DELIMITER = '|')", {**CSV, "delimiter": "|"}),
        ("COPY t FROM STDIN WITH CSV HEADER DELIMITER ','", {**CSV, "header": "skip"}),
        ("COPY t FROM STDIN CSV QUOTE AS '''' NULL AS 'x'", {**CSV, "quote": "'", "escape": "'", "null": "x"}),
        ("COPY t FROM STDIN DELIMITER E'\\x01' NULL ''", {"delimiter": "\x01", "null": ""}),
        ("COPY BINARY t FROM STDIN", {"format": "binary"}),
        ("COPY t FROM STDIN (FORMAT binary)", {"format": "binary"}),
        ("COPY t FROM STDIN BINARY", {"format": "binary"}),
        ("COPY t FROM STDIN (HEADER)", {"header": "skip"}),
        ("COPY t FROM STDIN (HEADER off)", {}),
        ("COPY t FROM STDIN (HEADER match, FREEZE, ENCODING 'UTF8', ON_ERROR stop)", {"header": "match"}),
        (
            "COPY t FROM STDIN (FORMAT csv, FORCE_NULL (a, b), FORCE_NOT_NULL *, ESCAPE '\\')",
            {**CSV, "force_null": ("a", "b"), "force_not_null": ("*",), "escape": "\\"},
        ),
        (
            "COPY t FROM STDIN CSV FORCE NOT NULL a, b FORCE NULL *",
            {**CSV, "force_not_null": ("a", "b"), "force_null": ("*",)},
        ),
    ],
)
def test_a_spelling_means_its_options(text, expected):
    assert parse(text) == [ast.CopyFromStdin(table=T, **expected)]


def query(text):
    return parse(text)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("COPY t TO STDOUT", {"query": query("SELECT *\nFROM t")}),
        ('COPY d.s.t (a, "B") TO STDOUT', {"query": query('SELECT a, "B"\nFROM d.s.t')}),
        ("COPY t TO STDOUT BINARY", {"query": query("SELECT *\nFROM t"), "format": "binary"}),
        ("COPY BINARY t TO STDOUT", {"query": query("SELECT *\nFROM t"), "format": "binary"}),
        ("COPY t TO STDOUT CSV HEADER FORCE QUOTE a, b",
         {"query": query("SELECT *\nFROM t"), **CSV, "header": True, "force_quote": ("a", "b")}),
        ("COPY t TO STDOUT (FORMAT csv, FORCE_QUOTE *, ESCAPE '\\')",
         {"query": query("SELECT *\nFROM t"), **CSV, "force_quote": ("*",), "escape": "\\"}),
    ],
)  # fmt: skip
def test_a_copy_to_the_client_is_a_query_with_a_format(text, expected):
    assert parse(text) == [ast.CopyToStdout(**expected)]


@pytest.mark.parametrize(
    "inner", ["SELECT (1)", "VALUES (1)", "(SELECT 1) UNION (SELECT 2)", "FROM t", "DELETE FROM t RETURNING a"]
)
def test_a_query_is_copied_as_it_stands(inner):
    (copy,) = parse(f"COPY ({inner}) TO STDOUT")
    assert copy.query.text == inner
    assert parse(render(copy, "native")) == [copy]


def test_a_table_may_be_called_like_a_word_of_the_statement():
    assert [parse(f"COPY {word} FROM STDIN")[0].table.parts for word in ("binary", "into")] == [("binary",), ("into",)]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("COPY t FROM STDIN (FORMAT binary, HEADER)", InvalidParameter, "HEADER in BINARY mode"),
        ("COPY BINARY t FROM STDIN DELIMITER '|'", InvalidParameter, "DELIMITER in BINARY mode"),
        ("COPY t FROM STDIN BINARY CSV", SqlSyntaxError, "conflicting"),
        ("COPY t FROM STDIN WHERE a = 1", NotSupported, "WHERE"),
        ("COPY t FROM STDIN (ON_ERROR ignore)", NotSupported, "ON_ERROR stop"),
        ("COPY t FROM STDIN (DEFAULT 'x')", NotSupported, "DEFAULT"),
        ("COPY t FROM STDIN (ENCODING 'latin1')", NotSupported, "UTF-8 only"),
        ("COPY (CREATE TABLE t (a INT)) TO STDOUT", NotSupported, "takes a query"),
        ("COPY (DELETE FROM t) TO STDOUT", NotSupported, "RETURNING"),
        ("COPY t TO STDOUT (FORCE_NULL *)", NotSupported, "FORCE_NULL is for COPY FROM|FORCE_NULL"),
        ("COPY t TO STDOUT (FORMAT csv, HEADER match)", InvalidParameter, "match"),
        ("COPY t FROM STDIN (FORMAT parquet)", InvalidParameter, 'format "parquet"'),
        ("COPY t FROM STDIN (DELIMITER 'ab')", InvalidParameter, "single one-byte"),
        ("COPY t FROM STDIN (DELIMITER 'ö')", InvalidParameter, "single one-byte"),
        ("COPY t FROM STDIN (DELIMITER '')", InvalidParameter, "single one-byte"),
        ("COPY t FROM STDIN (DELIMITER 'n')", InvalidParameter, 'cannot be "n"'),
        ("COPY t FROM STDIN (DELIMITER E'\\n')", InvalidParameter, "newline"),
        ("COPY t FROM STDIN (QUOTE '!')", InvalidParameter, "QUOTE requires CSV"),
        ("COPY t FROM STDIN (FORCE_NULL (a))", InvalidParameter, "FORCE_NULL requires CSV"),
        ("COPY t FROM STDIN CSV QUOTE ','", InvalidParameter, "must be different"),
        ("COPY t FROM STDIN (NULL E'a\\nb')", InvalidParameter, "null representation"),
        ("COPY t FROM STDIN (NULL E'a\\tb')", InvalidParameter, "delimiter character must not"),
        ("COPY t FROM STDIN CSV NULL '\"'", InvalidParameter, "quote character must not"),
        ("COPY t FROM STDIN (DELIMITER ',', DELIMITER '|')", SqlSyntaxError, "redundant"),
        ("COPY t FROM STDIN (colour 'red')", SqlSyntaxError, "Expected"),
        ("COPY (SELECT 1) FROM STDIN", SqlSyntaxError, "table name"),
        ("COPY t FROM STDIN (FORMAT csv) x", SqlSyntaxError, "end of statement"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(text, error, words):
    with pytest.raises(error, match=words):
        parse(text)


plain = st.sampled_from(list("|;,~^\t\x01!"))
some = st.lists(strategies.identifiers, min_size=1, max_size=3).map(tuple)


@st.composite
def copies(draw):
    csv = draw(st.booleans())
    delimiter = draw(plain)
    quote = draw(st.sampled_from("\"'$")) if csv else '"'
    names = {"columns": draw(some | st.just(())), "table": draw(strategies.names)}
    forced = {key: draw(some | st.just(()) | st.just(("*",))) for key in ("force_null", "force_not_null") if csv}
    return ast.CopyFromStdin(
        format="csv" if csv else "text",
        delimiter=delimiter,
        null=draw(st.sampled_from(["", "\\N", "NULL", "it''s", "ö"])) if quote != "'" else "",
        header=draw(st.sampled_from(["no", "skip", "match"])),
        quote=quote,
        escape=draw(st.just(quote) | st.just("\\")) if csv else '"',
        **names,
        **forced,
    )


@pytest.mark.parametrize("dialect", ["native", "materialize", "singlestore", "databend", "clickzetta"])
def test_what_is_rendered_parses_to_itself_in_every_dialect(dialect):
    @given(copies())
    def check(statement):
        text = render(statement, dialect)
        assert parse(text, dialect) == [statement], text

    check()
