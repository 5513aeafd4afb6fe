"""MySQL's quoting: what clients put into a text comes out as the value that it was, and as nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymysql.converters import escape_bytes, escape_string

from fairlead.errors import FairleadError, InvalidEncoding, NotSupported, SqlSyntaxError
from fairlead.lang.lexer import DATA, tokenize
from fairlead.server.mysql.lexing import statements
from fairlead.server.mysql.rewriting import rewritten


def written(text: str, dialect: str = "native", *, parameters: bool = False) -> str:
    (tokens,) = statements(text)
    return rewritten(text, tokens, dialect, lambda token: f"<{token.value}>", parameters=parameters)[0]


CASES = [
    ('SELECT `a b`, `a``b`, "c d" FROM t', 'SELECT "a b", "a`b", "c d" FROM t'),
    (r"SELECT 'it\'s', 'a''b', 'x\\y', '\%'", r"SELECT 'it''s', 'a''b', 'x\y', '\%'"),
    ("SELECT 'a' 'b'\n'c'", "SELECT 'abc'"),
    ("SELECT 1 -- x'\n, 2 # y'\n, 3 /* z' */", "SELECT 1 , 2 , 3"),
    ("SELECT 5--3", "SELECT 5- -3"),
    (
        "SELECT x'4142', 0x4142, _binary'AB', b'101'",
        "SELECT '\\x41\\x42'::BLOB, '\\x41\\x42'::BLOB, '\\x41\\x42'::BLOB, '101'::BIT",
    ),
    ("SELECT _utf8mb4'ü', n'x'", "SELECT 'ü', 'x'"),
    ("SELECT e'a\\'b'", "SELECT e 'a''b'"),
    ("SELECT @@version, DATABASE( ), t.database()", "SELECT <version>, <DATABASE>, t.database()"),
    ("SELECT @@session.sql_mode, @@GLOBAL.`port`", "SELECT <sql_mode>, <port>"),
    ("SELECT * FROM @raw/2026/*.parquet r", "SELECT * FROM @raw/2026/*.parquet r"),
    ("SELECT a->>'$.b', c::INT, d||e, f<=g", "SELECT a->>'$.b', c::INT, d||e, f<=g"),
    ("SELECT 1.5e3, .5, 7", "SELECT 1.5e3, .5, 7"),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text for text, _ in CASES])
def test_a_statement_is_written_as_the_gateway_reads_it(text, expected):
    assert written(text) == expected


def test_a_text_is_cut_at_semicolons_outside_of_quotes():
    assert [tokens[0].value for tokens in statements("SELECT ';'; ;INSERT /*;*/ x;-- ;\n")] == ["SELECT", "INSERT"]


def test_question_marks_are_numbered_outside_of_quotes():
    assert written("SELECT ?, '?', `?`, ?", parameters=True) == "SELECT $1, '?', \"?\", $2"


@pytest.mark.parametrize("text", ["SELECT 'a", 'SELECT "a', "SELECT `a", "SELECT /* a", "SELECT $$a$$", r"SELECT 'a\'"])
def test_what_is_not_closed_is_a_syntax_error(text):
    with pytest.raises(SqlSyntaxError):
        statements(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1 /*!40101 , 2 */",
        "SELECT _latin1'a'",
        "SELECT @a/*.x",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(text):
    with pytest.raises(NotSupported):
        statements(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("SELECT 1 LIMIT 5, 10", "OFFSET"),
        ("REPLACE INTO t VALUES (1)", "MERGE"),
        ("INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 1", "MERGE"),
        ("INSERT IGNORE INTO t VALUES (1)", "MERGE"),
        ("LOAD DATA INFILE 'x' INTO TABLE t", "stage"),
        ("SELECT 1 INTO OUTFILE 'x'", "LINK"),
        ("SELECT @a := 1", "parameter"),
        ("LOCK TABLES t READ", "snapshot"),
    ],
)
def test_what_only_mysql_has_is_refused_with_what_to_write_instead(text, hint):
    with pytest.raises(NotSupported) as told:
        written(text)
    assert hint in (told.value.hint or "")


def test_in_a_dialect_with_escapes_of_its_own_its_statements_stay_as_they_are():
    text = r"""CREATE LINK l AS S3 CREDENTIALS '{"a": "\\"}' DESCRIPTION "it's" """
    assert written(text, "singlestore") == text.strip()
    query = r"SELECT `a`, '\\' FROM t INTO LINK l 's3://b/k' FIELDS ESCAPED BY '\\'"
    assert written(query, "singlestore") == query.replace("`", '"').replace(r"'\\' FROM", r"'\' FROM")
    assert written(r"SELECT 'a\'b'", "singlestore") == "SELECT 'a''b'"


def test_bytes_that_are_no_utf8_are_refused_unless_they_are_bytes():
    broken = b"\xff".decode("utf-8", "surrogateescape")
    assert written(f"SELECT _binary'{broken}'") == "SELECT '\\xff'::BLOB"
    for text in (f"SELECT '{broken}'", f"SELECT `{broken}`", f"SELECT {broken}", "SELECT 'a\\0b'"):
        with pytest.raises(InvalidEncoding):
            statements(text)


@given(st.text(), st.text())
def test_a_value_that_a_client_escapes_is_one_string_for_the_engine(first, second):
    text = f"SELECT '{escape_string(first)}', '{escape_string(second)}'"
    try:
        sql = written(text)
    except InvalidEncoding:  # zero bytes, and lone surrogates
        assert "\0" in first + second or any("\ud800" <= char <= "\udfff" for char in first + second)
        return
    tokens, end = tokenize(sql, DATA)
    assert end == len(sql)
    assert [(token.kind, token.text) for token in tokens[1:4]] == [("string", first), ("op", ","), ("string", second)]


@given(st.binary())
def test_bytes_that_a_client_escapes_are_these_bytes_for_the_engine(data):
    sql = written(f"SELECT {escape_bytes(data)}, 1")
    digits = sql.removeprefix("SELECT '").removesuffix("'::BLOB, 1").replace("\\x", "")
    assert bytes.fromhex(digits) == data


@given(st.text(alphabet="'\"`\\-/*#@$;,.() \n\t\0abxeEn_?1é", max_size=40))
def test_whatever_is_written_is_cut_by_the_engine_into_the_same_strings(text):
    try:
        found = statements(text)
    except FairleadError:
        return
    for tokens in found:
        try:
            sql, _ = rewritten(text, tokens, "native", lambda token: f"'{token.value}'")
        except FairleadError:
            continue
        strings = [token.value for token in tokens if token.kind == "string"]
        if any(token.kind in ("stage", "variable", "bytes") for token in tokens):
            continue
        try:
            read, end = tokenize(sql, DATA)
        except Exception:  # noqa: BLE001  # not a statement: it runs nowhere
            continue
        assert end == len(sql)
        assert [token.text for token in read if token.kind == "string"] == strings
