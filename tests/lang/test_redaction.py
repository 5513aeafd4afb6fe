"""No secret shows: not in an error, not in redacted text, wherever a person may put it by mistake."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import FairleadError
from fairlead.lang import parse, redact
from fairlead.lang.vocabulary import VOCABULARY

DIALECTS = ["native", "materialize", "singlestore", "databend", "clickzetta"]
CANARY = "hunter2Zq"

# %s is where the secret stands. None of these is a statement that only holds it as a plain, public text.
PLANTED = [
    "CREATE SECRET s '%s'",
    "CREATE SECRET s AS %s",
    "CREATE SECRET s AS '%s",
    "CREATE SECRET s AS 'a'%s'",
    'CREATE SECRET s AS "%s"',
    "CREATE SECRET s AS `%s`",
    "CREATE SECRET s AS $$%s$$ x",
    "CREATE SECRET s AS $$%s",
    "CREATE SECRET s AS $%s",
    "CREATE SECRET s AS '' || %s",
    "CREATE SECRET s = '%s'",
    "CREATE SECRET s = %s",
    "CREATE SECRET s AS <%s>",
    "CREATE SECRET s AS f('%s')",
    "CREATE SECRET s AS %s('x')",
    "CREATE SECRET s AS E'\\ud800%s'",
    "CREATE SECRET s AS decode('%s', 'hex')",
    "CREATE SECRET s AS '%s'::%s",
    "CREATE SECRET s AS @%s",
    "CREATE SECRET s AS 'x' /* %s */ y",
    "CREATE SECRET s AS 'x' -- %s\n y",
    "CREATE SECRET s AS 'x'\n'%s' y",
    "CREATE SECRET (TYPE s3, KEY_ID 'x', SECRET '%s')",
    "CREATE SECRET x (TYPE s3, SECRET %s)",
    "CRAETE SECRET s AS '%s'",
    "CRAETE SECRET s AS %s",
    "%s SECRET s AS 'x'",
    "CREATE %s SECRET s",
    "'%s'",
    "%s",
    "ALTER SECRET s AS %s",
    "ALTER SECRET s '%s'",
    "CREATE USER u PASSWORD %s",
    "CREATE USER u PASWORD '%s'",
    'CREATE USER u PASSWORD "%s"',
    "CREATE USER u IDENTIFIED BY %s",
    "CREATE USER u WITH %s",
    "ALTER USER u PASSWORD %s",
    "ALTER USER u %s",
    "ALTER USER u SET PASSWORD = '%s'",
    "GRANT USAGE ON CONNECTION c TO u IDENTIFIED BY '%s'",
    "GRANT USAGE ON CONNECTION c TO u IDENTIFIED BY %s",
    "GRANT %s ON CONNECTION c TO u",
    "SET PASSWORD FOR u = '%s'",
    "SET PASSWORD %s",
    "SET s3_secret_access_key = '%s' x",
    "SET s3_secret_access_key TO %s y",
    "CREATE CONNECTION c TO AWS (SECRET ACCESS KEY = %s.x)",
    "CREATE CONNECTION c TO AWS (SECRET ACCESS KEY = '%s' 'x')",
    "CREATE CONNECTION c TO AWS (SECRET ACCESS KEY = <%s>)",
    "CREATE CONNECTION c TO AWS (SECRET ACCESS KEY = -%s)",
    "CREATE CONNECTION c TO AWS (%s = 'x')",
    "CREATE CONNECTION c TO AWS (ACCESS KEY %s)",
    "CREATE CONNECTION c TO AWS ('%s')",
    "CREATE CONNECTION c TO %s (REGION 'x')",
    "CREATE CONNECTION c STORAGE_TYPE = 's3' SECRET_ACCESS_KEY = %s",
    "CREATE CONNECTION c STORAGE_TYPE = 's3' SECRET_ACCESS_KEY '%s'",
    "CREATE CONNECTION c STORAGE_TYPE = 's3' %s",
    "CREATE CONNECTION c STORAGE_TYPE = %s",
    "CREATE STORAGE CONNECTION c TYPE S3 %s",
    "CREATE STORAGE CONNECTION c TYPE S3 SECRET_KEY '%s'",
    "CREATE STORAGE CONNECTION c TYPE S3 SECRET_KEY = 'x' '%s'",
    "CREATE STORAGE CONNECTION c TYPE S3 PROPERTIES (%s = 'x')",
    "CREATE LINK l AS S3 CREDENTIALS '{\"k\": %s}'",
    "CREATE LINK l AS S3 CREDENTIALS '{\"%s\"}'",
    "CREATE LINK l AS S3 CREDENTIALS '{\"%s\": null}'",
    'CREATE LINK l AS S3 CREDENTIALS \'{"a": {"%s": {}}}\'',
    "CREATE LINK l AS S3 CREDENTIALS '\"%s\"'",
    "CREATE LINK l AS S3 CREDENTIALS %s",
    "CREATE LINK l AS S3 CREDENTIALS '{}' CONFIG '{}' %s",
    "ALTER LINK l SET CREDENTIALS ::%s = 'x' y",
    "ALTER LINK l SET CREDENTIALS ::a = %s",
    "ALTER CONNECTION c SET (PASSWORD %s.y)",
    "ALTER CONNECTION c SET (%s)",
    "CREATE STAGE s URL = 's3://b/' CONNECTION = (SECRET_ACCESS_KEY = %s)",
    "CREATE STAGE s URL = 's3://b/' CONNECTION = (SECRET_ACCESS_KEY '%s')",
    "ATTACH 'postgres://u:%s@h/db'",
    "ATTACH 'x' (TYPE postgres, SECRET %s)",
    "EXPLAIN CREATE SECRET s AS '%s'",
    "COPY t TO 'x' (SECRET_ACCESS_KEY '%s')",
    "COPY INTO t FROM 's3://b/' CONNECTION = (SECRET_ACCESS_KEY = '%s')",
    "SELECT 1 FROM t CONNECTION = (SECRET_ACCESS_KEY = '%s')",
    "SELECT * FROM 's3://b/x' (CONNECTION => (SECRET_ACCESS_KEY = %s))",
    "CREATE VIEW v AS SELECT * FROM 's3://b/x' (CONNECTION => (SECRET_ACCESS_KEY = %s))",
    "CREATE VIEW v AS SELECT 1 FROM t CONNECTION = (SECRET_ACCESS_KEY = '%s')",
    "ALTER VIEW v PASSWORD '%s'",
    "GRANT SELECT ON t WHERE password = '%s'",
    "ALTER DEFAULT PRIVILEGES GRANT '%s' ON TABLES TO u",
    "CREATE DATABASE d PASSWORD '%s'",
    "SELECT * FROM 's3://b/x' (CONNECTION => (SECRET_ACCESS_KEY = '%s' 'y'))",
    "SELECT * FROM 's3://b/x' (CONECTION => (SECRET_ACCESS_KEY = '%s'))",
    "SELECT 'x; CREATE SECRET b AS '%s'; SELECT 1",
    "SELECT 1; CREATE SECRET s AS %s; SELECT 2",
    "CREATE SECRET a AS 'x; CREATE SECRET b AS '%s'; SELECT 1",
]


def everything_said(error):
    parts = [str(error), repr(error), error.message, error.hint, error.detail, getattr(error, "found", "")]
    parts += [getattr(error, "suggestion", ""), *getattr(error, "expected", ())]
    parts += traceback.format_exception_only(error)
    seen = [repr(error.__cause__), repr(error.__context__ if not error.__suppress_context__ else None)]
    return " ".join(map(str, parts + seen))


def error_of(text, dialect="native"):
    try:
        parse(text, dialect)
    except FairleadError as error:
        return error
    return None


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("text", PLANTED)
def test_a_secret_in_the_wrong_place_is_in_no_error(text, dialect):
    error = error_of(text.replace("%s", CANARY), dialect)
    assert error is None or CANARY not in everything_said(error)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("text", PLANTED)
def test_a_secret_in_the_wrong_place_is_in_no_redacted_text(text, dialect):
    assert CANARY not in redact(text.replace("%s", CANARY), dialect)


def test_planted_secrets_do_fail_to_parse_natively_so_that_the_errors_were_seen():
    refused = [text for text in PLANTED if error_of(text.replace("%s", CANARY))]
    assert len(refused) >= len(PLANTED) - 4


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("CREATE SECRET lake.k AS 'x' -- y", "CREATE SECRET lake.k AS '<redacted>'"),
        ("CREATE USER ann PASSWORD 'x'", "CREATE USER ann PASSWORD '<redacted>'"),
        ("GRANT USAGE ON CONNECTION lake TO ann, bob", "GRANT USAGE ON CONNECTION lake TO ann, bob"),
        ("DROP SECRET a, b", "DROP SECRET a, b"),
        ("SELECT 'x', a FROM t", "SELECT 'x', a FROM t"),
        ("SELECT /* hint */ 1", "SELECT 1"),
        ("SELECT {'secret': 'x', 'y': 'z'}", "SELECT {'secret': '<redacted>', 'y': 'z'}"),
        (
            "SELECT * FROM f(token := 'a' || 'b', c => 'd')",
            "SELECT * FROM f(token := '<redacted>' || '<redacted>', c => 'd')",
        ),
        ("SELECT * FROM 'https://u:p@h/x'", "SELECT * FROM '<redacted>'"),
        ("SELECT * FROM 'https://h/x?X-Amz-Signature=1'", "SELECT * FROM '<redacted>'"),
        ("SET dialect = 'databend'", "SET dialect = 'databend'"),
        ("CREATE SECRET s AS 'x", "CREATE '<redacted>'"),
        ("boo 'x", "'<redacted>'"),
        ("SELECT 1; CREATE SECRET s AS 'x'", "SELECT 1; CREATE SECRET s AS '<redacted>'"),
    ],
)
def test_redacted_text_stays_readable(text, shown):
    assert redact(text) == shown


# --- fuzz: nothing but errors of the house, and no unknown word shown ------------------------------------------------

WORDS = sorted(VOCABULARY)
TOKENS = [
    *(
        "'x'",
        '"x"',
        "`x`",
        "$$x$$",
        "$1",
        "1",
        "-",
        "(",
        ")",
        "[",
        "]",
        ",",
        ".",
        "=",
        "=>",
        "::",
        "||",
        ";",
        "*",
        "@",
        "@s/x",
        "~",
    ),
    *(
        "'{}'",
        "'{\"a\":1}'",
        "E'\\n'",
        "X'61'",
        "'s3://b/k'",
        "'@s/x'",
        "--\n",
        "/**/",
        "<name>",
        "...",
        "?",
        "%",
        "{",
        "}",
    ),
    *(
        "CREATE SECRET s AS",
        "CREATE CONNECTION c TO AWS (",
        "CREATE CONNECTION c STORAGE_TYPE = 's3'",
        "CREATE LINK l AS S3",
    ),
    *(
        "ALTER LINK l SET CONFIG",
        "CREATE STAGE s",
        "GRANT USAGE ON",
        "ALTER CONNECTION c SET",
        "COPY t TO",
        "SELECT * FROM",
    ),
    *("CREATE STORAGE CONNECTION c TYPE S3", "EXPLAIN", "LIST", "CREATE USER u", "COPY (SELECT 1) TO", "read_csv("),
]
soup = st.lists(st.sampled_from(TOKENS) | st.sampled_from(WORDS), max_size=12).map(" ".join)
noise = st.text(max_size=40)


@given(soup | noise | st.tuples(soup, noise).map("".join), st.sampled_from(DIALECTS))
def test_any_text_parses_or_gives_an_error_of_the_house(text, dialect):
    error = error_of(text, dialect)
    if error is not None:
        assert error.position is None or 1 <= error.position <= len(text) + 1
        assert error.message


@given(soup | noise | st.tuples(soup, noise).map("".join), st.sampled_from(DIALECTS))
def test_redaction_never_raises(text, dialect):
    assert isinstance(redact(text, dialect), str)


@given(
    st.sampled_from(
        ["CREATE SECRET s AS", "ALTER USER u", "CREATE CONNECTION c TO AWS (", "CREATE LINK l AS S3", "FOO"]
    ),
    st.lists(st.sampled_from(TOKENS) | st.sampled_from(WORDS), max_size=5).map(" ".join),
    st.sampled_from(
        [CANARY, f"'{CANARY}'", f'"{CANARY}"', f"`{CANARY}`", f"$$ {CANARY} $$", f"'{CANARY}", f"/* {CANARY} */"]
    ),
    st.sampled_from(DIALECTS),
)
def test_a_secret_after_the_name_is_never_shown(start, middle, planted, dialect):
    if "SELECT" in middle.split(";")[-1] or ";" in middle:
        return
    text = f"{start} {middle} {planted} )"
    assert CANARY not in redact(text, dialect)
    error = error_of(text, dialect)
    assert error is None or CANARY not in everything_said(error)
