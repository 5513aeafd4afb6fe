"""What no dialect takes: where and how the error says so."""

from __future__ import annotations

import pytest

from fairlead.errors import FairleadError, InvalidJson, InvalidParameter, NotSupported, SqlSyntaxError
from fairlead.lang import parse

SYNTAX = [
    # dialect, text, position, message, hint
    ("native", "CRAETE SECRET s AS 'x'", 1, "Expected a statement, found a word", "did you mean CREATE?"),
    ("native", "CREATE SERCET s AS 'x'", 8, None, "did you mean SECRET?"),
    ("native", "CREATE TABEL t (a INTEGER)", 8, None, "did you mean TABLE?"),
    ("native", "CREATE VEIW v AS SELECT 1", 8, None, "did you mean VIEW?"),
    ("native", "DROP SHEMA s", 6, None, "did you mean SCHEMA?"),
    ("native", "ALTER TABEL t RENAME TO u", 7, None, "did you mean TABLE?"),
    (
        "native",
        "SELECT 1 INTO LINK '/acme/x'",
        20,
        "Expected the name of a link, found a string literal",
        "write INTO LINK name 'bucket/path': SHOW LINKS lists those you may use",
    ),
    ("native", "CREATE SECRET s 'x'", 17, "Expected AS, found a string literal", None),
    ("native", "CREATE SECRET s AS", 19, "Expected a string literal, found the end of the statement", None),
    ("native", "CREATE CONNECTION c TO KAFKA (SASL MECHANISM 'x')", 31, None, "did you mean SASL MECHANISMS?"),
    ("native", "CREATE CONNECTION c TO KAFAK (BROKER 'x')", 24, None, "did you mean KAFKA?"),
    ("native", "CREATE CONNECTION c TO AWS ()", 29, None, None),
    ("native", "CREATE CONNECTION c TO AWS (REGION 'a',)", 40, None, None),
    ("native", "CREATE CONNECTION c TO AWS (REGION 'a',, REGION 'b')", 40, None, None),
    (
        "native",
        "CREATE CONNECTION c TO KAFKA (BROKERS ('a' 'b'))",
        44,
        "Expected right parenthesis, found a string literal",
        None,
    ),
    ("native", "CREATE CONNECTION c TO KAFKA (USER a.b)", 39, None, None),
    (
        "native",
        "CREATE CONNECTION c TO SSH TUNNEL (PUBLIC KEY 3 'x')",
        47,
        "Expected 1 or 2 after PUBLIC KEY, found a number",
        None,
    ),
    (
        "native",
        "CREATE CONNECTION c TO SSH TUNNEL (PORT <SSH_BASTION_PORT>)",
        41,
        "replace the placeholder <SSH_BASTION_PORT> with a value",
        None,
    ),
    (
        "native",
        "CREATE CONNECTION <connection_name> STORAGE_TYPE = 's3'",
        19,
        "replace the placeholder <connection_name> with a value",
        None,
    ),
    ("native", "CREATE CONNECTION c TO AWS (REGION = ...)", 38, "replace the placeholder ... with a value", None),
    (
        "materialize",
        "CREATE CONNECTION c TO KAFKA (BROKER 'b' SECURITY PROTOCOL PLAINTEXT)",
        42,
        "Expected right parenthesis, found SECURITY",
        None,
    ),
    (
        "materialize",
        "CREATE CONNECTION c TO AWS (CREDENTIAL = 'x' || SECRET s)",
        46,
        'Expected right parenthesis, found operator "||"',
        None,
    ),
    ("materialize", "CREATE CONNECTION c TO AWS (PORT <X>)", 34, 'Expected option value, found operator "<"', None),
    (
        "materialize",
        "CREATE CONNECTION c TO KAFKA (AWS PRIVATELINK (PORT 9))",
        47,
        "Expected identifier, found left parenthesis",
        None,
    ),
    (
        "materialize",
        "CREATE OR REPLACE CONNECTION c TO AWS (REGION 'x')",
        8,
        None,
        "the native dialect has it: SET dialect = 'native'",
    ),
    ("materialize", "CREATE SECRET s", 16, "Expected AS, found EOF", None),
    ("materialize", "ALTER CONNECTION c RENAME TO a.b", 31, "Expected end of statement, found dot", None),
    (
        "databend",
        "CREATE CONNECTION c STORAGE_TYPE = 's3', REGION = 'x'",
        40,
        "Expected the name of an option, found comma",
        None,
    ),
    ("databend", "CREATE CONNECTION d.s.c STORAGE_TYPE = 's3'", 19, None, None),
    ("databend", "CREATE CONNECTION c STORAGE_TYPE = s3", 36, "Expected string literal, found S3", None),
    ("native", "CREATE CONNECTION c STORAGE_TYPE = s3", 36, "Expected string literal, found S3", None),
    ("native", "CREATE CONNECTION c STORAGE_TYPE = 5", 36, "Expected string literal, found a number", None),
    (
        "native",
        "CREATE CONNECTION c STORAGE_TYPE = 's3' REGION = \"x\"",
        50,
        "Expected string literal, found a quoted identifier",
        None,
    ),
    (
        "databend",
        "CREATE OR REPLACE CONNECTION IF NOT EXISTS c STORAGE_TYPE = 's3'",
        30,
        "option IF NOT EXISTS and OR REPLACE are incompatible.",
        None,
    ),
    (
        "native",
        "CREATE OR REPLACE CONNECTION IF NOT EXISTS c STORAGE_TYPE = 's3'",
        30,
        "option IF NOT EXISTS and OR REPLACE are incompatible.",
        None,
    ),
    (
        "databend",
        "ALTER CONNECTION c SET (REGION = 'x')",
        18,
        None,
        "the native dialect has it: SET dialect = 'native'",
    ),
    ("databend", r"CREATE CONNECTION c STORAGE_TYPE = 'a\qb'", 36, "invalid escape or unicode", None),
    ("clickzetta", "CREATE STORAGE CONNECTION c TYPE = OSS", 34, None, None),
    ("clickzetta", "CREATE STORAGE CONNECTION c TYPE OSS ENDPOINT = 'e', REGION = 'x'", 52, None, None),
    ("clickzetta", "CREATE CATALOG CONNECTION c TYPE HMS STORAGE_CONNECTION = s", 59, None, None),
    (
        "native",
        "DROP STORAGE CONNECTION c",
        6,
        None,
        "connections of all categories share one name space: DROP CONNECTION name",
    ),
    ("native", "CREATE STORAGE CONNECTION c TYPE S3 ACESS_KEY 'x'", 37, None, "did you mean ACCESS_KEY?"),
    (
        "native",
        "CREATE LINK l AS S3CREDENTIALS '{}'",
        18,
        "a blank is missing between two words",
        "write S3 CREDENTIALS",
    ),
    ("native", "CREATE LINK l AS KAFKACONFIG '{}'", 18, "a blank is missing between two words", "write KAFKA CONFIG"),
    (
        "native",
        "CREATE LINK l AS POSTGRES CREDENTIALS '{}'",
        18,
        "Expected one of S3, AZURE, GCS, HDFS, HTTP, KAFKA, MONGODB, or MYSQL, found POSTGRES",
        None,
    ),
    ("native", "CREATE LINK l AS S3 CONFIG '{}' CONFIG '{}'", 33, "CONFIG is given twice", None),
    (
        "singlestore",
        "CREATE OR REPLACE LINK IF NOT EXISTS l AS S3",
        24,
        "OR REPLACE and IF NOT EXISTS cannot be used together",
        None,
    ),
    (
        "singlestore",
        "DROP LINK IF EXISTS l",
        11,
        "DROP LINK IF EXISTS is not part of the singlestore dialect",
        "the native dialect has it: SET dialect = 'native'",
    ),
    ("singlestore", "CREATE LINK l AS S3 CREDENTIALS STORED", 33, None, None),
    ("native", "ALTER LINK l SET CONFIG '{}' SET CONFIG '{}'", 34, "SET CONFIG is given twice", None),
    (
        "native",
        "GRANT CREATE LINK ON productdb.t1 TO u",
        22,
        "LINK privileges can be granted on *.* or db.* only",
        "for one link: GRANT USAGE ON LINK db.name TO user",
    ),
    ("native", "GRANT USGAE ON CONNECTION c TO u", 7, "Expected a privilege, found a word", "did you mean USAGE?"),
    ("native", "ALTER USER u PASSWORD hunter2", 23, "Expected the password in single quotes, found a word", None),
    ("native", "CREATE STAGE s URL = 's3://b/' URL = 's3://c/'", 32, "URL is given twice", None),
    ("native", "SELECT * FROM @s/x (FILE_FORMAT = 'csv')", 33, "Expected arrow, found equals sign", None),
    ("native", "SELECT * FROM @s/x (PATERN => 'csv')", 21, None, "did you mean PATTERN?"),
    (
        "native",
        "SELECT 1 FROM t CONNECTION = (SECRET_ACCESS_KEY = 'x')",
        17,
        "a CONNECTION clause cannot stand here",
        None,
    ),
    ("native", "SHOW LEDGER LIMIT x", 19, 'Expected literal integer, found identifier "x"', None),
]


@pytest.mark.parametrize(("dialect", "text", "position", "message", "hint"), SYNTAX, ids=lambda value: str(value)[:50])
def test_a_syntax_error_says_where_and_what(dialect, text, position, message, hint):
    with pytest.raises(SqlSyntaxError) as caught:
        parse(text, dialect)
    error = caught.value
    assert error.position == position
    assert message is None or error.message == message
    if hint is not None:
        assert hint in (error.hint or "")
    assert (error.line, error.column) == (1, position)
    excerpt, caret = error.detail.split("\n")[1:]
    assert caret.strip() == "^"
    assert len(caret) <= len(excerpt) + 1


def test_line_and_column_count_from_one_over_the_whole_script():
    with pytest.raises(SqlSyntaxError) as caught:
        parse("SELECT 1;\n\nCREATE CONNECTION c\n  TO AWSS (REGION 'x')")
    error = caught.value
    assert (error.line, error.column, error.suggestion) == (4, 6, "AWS")
    assert error.detail == "line 4, column 6:\nTO <redacted> (REGION '<redacted>')\n   ^"


REFUSED = [
    ("ATTACH 'x.db'", NotSupported, 1),
    ("PREPARE p AS CREATE TABLE t (a INT)", NotSupported, 14),
    ("EXECUTE p (1 + 1)", NotSupported, 14),
    ("CALL f()", NotSupported, 1),
    ("INSTALL httpfs", NotSupported, 1),
    ("UPDATE EXTENSIONS", NotSupported, 1),
    ("UPDATE EXTENSIONS (httpfs)", NotSupported, 1),
    ("FORCE CHECKPOINT", NotSupported, 1),
    ("EXPLAIN ATTACH 'x'", NotSupported, 9),
    ("EXPLAIN ANALYZE CREATE SECRET s AS 'x'", NotSupported, 17),
    ("CREATE TEMP SEQUENCE s", NotSupported, 1),
    ("CREATE SECRET s (TYPE s3, SECRET 'x')", NotSupported, 15),
    ("CREATE PERSISTENT SECRET s (TYPE s3)", NotSupported, 19),
    ("SET VARIABLE x = 1", NotSupported, 5),
    ("SHOW CONNECTIONS WHERE a = 1", NotSupported, 18),
    ("COPY FROM DATABASE a TO b", NotSupported, 6),
    ("COPY INTO t FROM @s/x", NotSupported, 6),
    ("COPY t TO PROGRAM 'x'", NotSupported, 11),
    ("COPY t TO 'out.csv'", InvalidParameter, 11),
    ("COPY t FROM '/etc/passwd'", InvalidParameter, 13),
    ("COPY t TO ('s3://a/b' || $1)", InvalidParameter, 11),
    ("COPY t TO 's3://a/b' || 'c'", InvalidParameter, 11),
    ("COPY t TO $1", InvalidParameter, 11),
    ("SELECT * FROM @~/x", NotSupported, 15),
    ("LIST @~", NotSupported, 6),
    ("CREATE STAGE ~", NotSupported, 14),
    ("GRANT USAGE ON CONNECTION c (READ) TO u", NotSupported, 29),
    ("CREATE USER 'u'@'10.0.0.1'", InvalidParameter, 17),
    ("CREATE CONNECTION k TO KAFKA (AWS PRIVATELINK (PORT 9))", InvalidParameter, 47),
    ("CREATE CONNECTION k TO AWS (REGION 'x') WITH (VALIDATE = 5)", InvalidParameter, 58),
    ("CREATE SECRET a.b.c.d AS 'x'", FairleadError, 15),
]


@pytest.mark.parametrize(("text", "error", "position"), REFUSED, ids=lambda value: str(value)[:50])
def test_what_is_not_offered_is_refused_by_name(text, error, position):
    with pytest.raises(error) as caught:
        parse(text)
    assert caught.value.position == position


SECRET_ERRORS = [
    ("5", "AS must have type bytea, not type integer"),
    ("1.5", "AS must have type bytea, not type numeric"),
    ("'a' || 'b'", "AS must have type bytea, not type text"),
    ("'x'::text", "AS must have type bytea, not type text"),
    ("NULL", "secret value can not be null"),
    ("(SELECT 1)", "AS does not allow subqueries"),
    ("$1", "AS does not allow parameters"),
    ("'" + "x" * 524289 + "'", "secrets can not be bigger than 512KiB"),
    (r"'\xff'", "secret value must be valid UTF-8"),
    (r"'hunter2\z'", "could not evaluate secret value"),
    ("decode('hunter2!', 'base64')", "could not evaluate secret value"),
    ("decode('hunter2', 'hex')", "could not evaluate secret value"),
    ("decode('hunter2', 'rot13')", "could not evaluate secret value"),
    ("convert_to('hunter2', 'latin1')", "could not evaluate secret value"),
]


@pytest.mark.parametrize(("expression", "message"), SECRET_ERRORS, ids=lambda value: value[:30])
def test_a_secret_must_be_a_constant_of_bytes(expression, message):
    with pytest.raises(InvalidParameter) as caught:
        parse(f"CREATE SECRET s AS {expression}")
    assert caught.value.message == message
    assert "hunter2" not in f"{caught.value.hint}{caught.value.detail}"


JSON_ERRORS = [
    ("CONFIG", '{"region":}', "CONFIG is not valid JSON: line 1, column 11"),
    ("CONFIG", '{\n"region" 1}', "CONFIG is not valid JSON: line 2, column 10"),
    ("CREDENTIALS", '{"k": hunter2}', "CREDENTIALS is not valid JSON: line 1, column 7"),
    ("CREDENTIALS", "[1]", "CREDENTIALS must be one JSON object"),
    ("CREDENTIALS", '"hunter2"', "CREDENTIALS must be one JSON object"),
    ("CONFIG", '{"a": 1, "a": 2}', 'CONFIG: key "a" is given twice'),
    ("CONFIG", '{"a": null}', 'CONFIG: key "a" is null'),
    ("CREDENTIALS", '{"hunter2": null}', "CREDENTIALS: a key is null"),
    ("CONFIG", '{"a": {"b": 1}}', 'CONFIG: key "a" must be a string, a number or a boolean'),
    ("CONFIG", '{"a": NaN}', "CONFIG is not valid JSON"),
    ("CONFIG", '{"a": "\\ud800"}', 'CONFIG: key "a" is not valid Unicode'),
    ("CONFIG", '{"a": "\\u0000"}', 'CONFIG: key "a" holds the character NUL'),
    ("CONFIG", "[" * 100_000, "CONFIG is not valid JSON"),
]


@pytest.mark.parametrize(("clause", "text", "message"), JSON_ERRORS, ids=lambda value: value[:30])
def test_a_json_clause_is_one_flat_object(clause, text, message):
    with pytest.raises(InvalidJson) as caught:
        parse(f"CREATE LINK l AS S3 {clause} '{text}'")
    assert caught.value.message == message
    assert "hunter2" not in f"{caught.value.hint}{caught.value.detail}"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("COPY t FROM '/tmp/x'", "COPY table FROM"),
        ("COPY t TO '/tmp/x'", "COPY ... TO"),
        ("UPSERT INTO t VALUES (1)", "MERGE INTO"),
        ("REPLACE INTO t VALUES (1)", "MERGE INTO"),
        ("UNDROP TABLE t", "AT (VERSION => n)"),
        ("REFRESH MATERIALIZED VIEW v", "CREATE OR REPLACE TABLE"),
    ],
)
def test_what_to_write_instead_is_something_that_exists(text, word):
    with pytest.raises(FairleadError) as caught:
        parse(text)
    assert word in (caught.value.hint or "")
