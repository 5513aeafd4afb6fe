"""What each dialect takes, and what it becomes."""

from __future__ import annotations

import pytest

from fairlead.errors import FairleadError, InvalidJson, InvalidParameter, NotSupported, SqlSyntaxError
from fairlead.lang import ast, parse, render

FOREIGN = ["materialize", "singlestore", "databend", "clickzetta"]

# (dialects that take it, the text, its canonical text in the first of them)
IDENTITIES = [
    (["native", "materialize"], "create secret IF NOT EXISTS s as 'x'", "CREATE SECRET IF NOT EXISTS s AS 'x'"),
    (
        ["native"],
        "CREATE OR REPLACE SECRET d.s.n AS 'x' COMMENT = 'c'",
        "CREATE OR REPLACE SECRET d.s.n AS 'x' COMMENT 'c'",
    ),
    (["native"], "CREATE SECRET s AS decode('aGk=', 'base64')", "CREATE SECRET s AS 'hi'"),
    (["native"], "CREATE SECRET s AS decode('6869', 'hex')", "CREATE SECRET s AS 'hi'"),
    (["native"], "CREATE SECRET s AS ('a' || 'b')::bytea", "CREATE SECRET s AS 'ab'"),
    (["native"], "CREATE SECRET s AS convert_to('hé', 'utf8')", "CREATE SECRET s AS 'hé'"),
    (["native"], r"CREATE SECRET s AS '\x6869'", "CREATE SECRET s AS 'hi'"),
    (["native"], r"CREATE SECRET s AS 'a\\b'", r"CREATE SECRET s AS 'a\\b'"),
    (["native"], "CREATE SECRET s AS CAST('hi' AS bytea) || X'21'", "CREATE SECRET s AS 'hi!'"),
    (["native"], "CREATE SECRET s AS $k$it's$k$", "CREATE SECRET s AS 'it''s'"),
    (["native"], "ALTER SECRET s OWNER TO bob", "ALTER SECRET s OWNER TO bob"),
    (["native"], "DROP SECRET a, b.c CASCADE", "DROP SECRET a, b.c CASCADE"),
    (
        ["native", "materialize"],
        "CREATE CONNECTION c FOR AWS ACCESS KEY ID 'k', SECRET ACCESS KEY SECRET s, REGION = 'r'",
        "CREATE CONNECTION c TO AWS (ACCESS KEY ID = 'k', SECRET ACCESS KEY = SECRET s, REGION = 'r')",
    ),
    (
        ["native"],
        "CREATE CONNECTION c TO AWS (REGION 'r' ENDPOINT = 'e') WITH (VALIDATE)",
        "CREATE CONNECTION c TO AWS (REGION = 'r', ENDPOINT = 'e') WITH (VALIDATE = TRUE)",
    ),
    (
        ["native"],
        "CREATE CONNECTION c TO ICEBERG CATALOG (CREDENTIAL = 'id:' || SECRET s, AWS CONNECTION = a.b)",
        "CREATE CONNECTION c TO ICEBERG CATALOG (CREDENTIAL = 'id:' || SECRET s, AWS CONNECTION = a.b)",
    ),
    (
        ["native", "materialize"],
        "CREATE CONNECTION p TO POSTGRES (HOST h, USERNAME u, PORT 5432, DATABASE d)",
        "CREATE CONNECTION p TO POSTGRES (HOST = h, USER = u, PORT = 5432, DATABASE = d)",
    ),
    (
        ["native", "materialize"],
        "CREATE CONNECTION k TO KAFKA (BROKERS ['a:1', 'b:2'], SECURITY PROTOCOL PLAINTEXT)",
        "CREATE CONNECTION k TO KAFKA (BROKERS = ('a:1', 'b:2'), SECURITY PROTOCOL = PLAINTEXT)",
    ),
    (
        ["native", "databend"],
        "CREATE CONNECTION IF NOT EXISTS c STORAGE_TYPE='s3' access_key_id='a'\n SECRET_ACCESS_KEY = 'b''c'",
        "CREATE CONNECTION IF NOT EXISTS c STORAGE_TYPE = 's3' ACCESS_KEY_ID = 'a' SECRET_ACCESS_KEY = 'b''c'",
    ),
    (
        ["native"],
        "CREATE CONNECTION a.b.c STORAGE_TYPE = 's3', SECRET_ACCESS_KEY = STORED, X = SECRET s",
        "CREATE CONNECTION a.b.c STORAGE_TYPE = 's3' SECRET_ACCESS_KEY = STORED X = SECRET s",
    ),
    (
        ["native", "databend"],
        "CREATE CONNECTION c STORAGE_TYPE = 's3' ENABLE_VIRTUAL_HOST_STYLE = true REGION = 'r' FORMAT JSON",
        "CREATE CONNECTION c STORAGE_TYPE = 's3' ENABLE_VIRTUAL_HOST_STYLE = TRUE REGION = 'r'",
    ),
    (
        ["native", "clickzetta"],
        "CREATE STORAGE CONNECTION if not exists c TYPE oss ENDPOINT='e' access_key='k' comments='x'",
        "CREATE STORAGE CONNECTION IF NOT EXISTS c TYPE OSS ENDPOINT = 'e' ACCESS_KEY = 'k' COMMENT 'x'",
    ),
    (
        ["native", "clickzetta"],
        "CREATE CONNECTION c TYPE S3 PROPERTIES ('ACCESS_ID'='i', 'ACCESS_KEY' = 's')",
        "CREATE CONNECTION c TYPE S3 PROPERTIES ('ACCESS_ID' = 'i', 'ACCESS_KEY' = 's')",
    ),
    (
        ["native"],
        "CREATE STORAGE CONNECTION c TYPE = 'S3', ACCESS_KEY = 'a', SECRET_KEY = 'b'",
        "CREATE STORAGE CONNECTION c TYPE S3 ACCESS_KEY = 'a' SECRET_KEY = 'b'",
    ),
    (
        ["native", "clickzetta"],
        "CREATE STORAGE CONNECTION c TYPE KAFKA BOOTSTRAP_SERVERS=['h1:9092','h2:9092']",
        "CREATE STORAGE CONNECTION c TYPE KAFKA BOOTSTRAP_SERVERS = ['h1:9092', 'h2:9092']",
    ),
    (
        ["native", "singlestore"],
        'create link db.l as s3 CONFIG \'{"region": "r"}\'CREDENTIALS \'{"k":"v"}\'DESCRIPTION \'d\'',
        'CREATE LINK db.l AS S3 CONFIG \'{"region": "r"}\' CREDENTIALS \'{"k":"v"}\' DESCRIPTION \'d\'',
    ),
    (["native", "singlestore"], "CREATE LINK l AS HDFS CREDENTIALS ''", "CREATE LINK l AS HDFS CREDENTIALS '{}'"),
    (
        ["native"],
        "CREATE OR REPLACE LINK l AS S3 CREDENTIALS STORED",
        "CREATE OR REPLACE LINK l AS S3 CREDENTIALS STORED",
    ),
    (
        ["native", "singlestore"],
        "ALTER LINK l SET CONFIG ::x-amz.y = 'v' SET CREDENTIALS ::`sasl.password` = 'p'",
        "ALTER LINK l SET CONFIG ::`x-amz.y` = 'v' SET CREDENTIALS ::`sasl.password` = 'p'",
    ),
    (["native"], "DROP LINK IF EXISTS db.l RESTRICT", "DROP LINK IF EXISTS db.l"),
    (
        ["native"],
        "ALTER CONNECTION c SET (REGION 'x', ENDPOINT = 'y'), DROP (PORT) WITH (VALIDATE = false)",
        "ALTER CONNECTION c SET (REGION = 'x', ENDPOINT = 'y'), RESET (PORT) WITH (VALIDATE = FALSE)",
    ),
    (
        ["native"],
        "ALTER CONNECTION c SET ACCESS_KEY = 'a' SECRET_KEY = 'b'",
        "ALTER CONNECTION c SET (ACCESS_KEY = 'a', SECRET_KEY = 'b')",
    ),
    (["native"], "ALTER CONNECTION c UNSET REGION, APP_ID", "ALTER CONNECTION c RESET (REGION, APP_ID)"),
    (["native"], "COMMENT ON CONNECTION c IS 'x'", "ALTER CONNECTION c SET COMMENT 'x'"),
    (["native", "materialize"], "ALTER CONNECTION IF EXISTS c RENAME TO d", "ALTER CONNECTION IF EXISTS c RENAME TO d"),
    (["native", *FOREIGN], "show connections", "SHOW CONNECTIONS"),
    (["native"], "SHOW STORAGE CONNECTIONS LIKE 'a%'", "SHOW STORAGE CONNECTIONS LIKE 'a%'"),
    (["native", "singlestore"], "SHOW LINKS IN db LIKE 'x'", "SHOW LINKS ON db LIKE 'x'"),
    (["native"], "SHOW REDACTED CREATE CONNECTION a.b", "SHOW REDACTED CREATE CONNECTION a.b"),
    (["native"], "DESC CONNECTION EXTENDED c", "DESCRIBE CONNECTION EXTENDED c"),
    (["native"], "DESC STAGE extended", 'DESCRIBE STAGE "extended"'),
    (["native"], "SHOW DEPENDENTS OF LINK db.l", "SHOW DEPENDENTS OF LINK db.l"),
    (
        ["native", "databend"],
        "CREATE STAGE s 's3://b/' CONNECTION=(CONNECTION_NAME='\"b.c\"') FILE_FORMAT=(X=1) COMMENTS='x'",
        "CREATE STAGE s URL = 's3://b/' CONNECTION = (CONNECTION_NAME = '\"b.c\"') FILE_FORMAT = (X = 1) COMMENT = 'x'",
    ),
    (
        ["native"],
        "CREATE STAGE s URL='s3://b/' CONNECTION=(CONNECTION_NAME=lake)",
        "CREATE STAGE s URL = 's3://b/' CONNECTION = (CONNECTION_NAME = 'lake')",
    ),
    (["native"], "ALTER STAGE s UNSET COMMENT", "ALTER STAGE s SET COMMENT = ''"),
    (["native", "databend"], "LIST @s/a/b/ PATTERN = '.*'", "LIST '@s/a/b/' PATTERN = '.*'"),
    (["native"], "LIST '@\"my stage\"/x y'", "LIST '@\"my stage\"/x y'"),
    (["native"], "CREATE USER ann WITH PASSWORD 'p' SUPERUSER", "CREATE USER ann PASSWORD 'p' SUPERUSER"),
    (["native"], "CREATE ROLE r LOGIN", "CREATE USER r"),
    (["native", "singlestore"], "CREATE USER 'u'@'%' IDENTIFIED BY 'p'", "CREATE USER u PASSWORD 'p'"),
    (
        ["native"],
        "GRANT READ, WRITE ON STAGE a.b TO ROLE r WITH GRANT OPTION",
        "GRANT READ, WRITE ON STAGE a.b TO r WITH GRANT OPTION",
    ),
    (
        ["native", "singlestore"],
        "GRANT SHOW LINK ON productdb.* TO 'user1'",
        "GRANT SHOW LINK ON DATABASE productdb TO user1",
    ),
    (["native"], "GRANT ACCESS CONNECTION ON *.* TO ROLE r", "GRANT ACCESS CONNECTION ON SYSTEM TO r"),
    (["native"], "GRANT CREATE CONNECTION ON WORKSPACE w TO USER u", "GRANT CREATE CONNECTION ON DATABASE w TO u"),
    (
        ["native"],
        "GRANT USE ON ALL CONNECTIONS IN WORKSPACE w TO ROLE r",
        "GRANT USE ON ALL CONNECTIONS IN DATABASE w TO r",
    ),
    (
        ["native"],
        "REVOKE GRANT OPTION FOR USAGE ON CONNECTION c FROM u",
        "REVOKE GRANT OPTION FOR USAGE ON CONNECTION c FROM u",
    ),
    (["native"], "GRANT ROLE r TO USER u", "GRANT r TO u"),
    (["native"], "SHOW GRANTS TO ROLE r", "SHOW GRANTS FOR r"),
    (["native"], "SHOW GRANTS ON CONNECTION c", "SHOW GRANTS ON CONNECTION c"),
    (["native", *FOREIGN], "SET dialect = 'native'", "SET dialect = 'native'"),
    (["native"], "SET LOCAL search_path TO a, b", "SET LOCAL search_path = 'a, b'"),
    (["native"], "SET TIME ZONE 'UTC'", "SET timezone = 'UTC'"),
    (["native"], "SET x.y TO DEFAULT", "SET x.y = DEFAULT"),
    (["native"], "RESET ALL", "RESET ALL"),
    (["native"], "SHOW TRANSACTION ISOLATION LEVEL", "SHOW transaction_isolation"),
    (["native"], "BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY", "BEGIN"),
    (["native"], "START TRANSACTION", "BEGIN"),
    (["native"], "END WORK", "COMMIT"),
    (["native"], "ABORT", "ROLLBACK"),
    (["native"], "DEALLOCATE PREPARE p1", "DEALLOCATE p1"),
    (["native"], "DISCARD ALL", "DISCARD ALL"),
    (["native"], "USE WORKSPACE w", "USE w"),
    (["native"], "SHOW LEDGER LIMIT 5", "SHOW LEDGER LIMIT 5"),
    (["native"], "VERIFY LEDGER", "VERIFY LEDGER"),
]


@pytest.mark.parametrize(("dialects", "text", "canonical"), IDENTITIES, ids=lambda value: str(value)[:60])
def test_a_statement_has_one_canonical_text(dialects, text, canonical):
    for dialect in dialects:
        (statement,) = parse(text, dialect)
        if dialect == "native":
            assert render(statement, secrets="reveal") == canonical
            assert parse(canonical) == [statement]
        assert parse(render(statement, dialect, secrets="reveal"), dialect) == [statement]


SYNTAX = [
    # dialect, text, position, message, hint
    ("native", "CRAETE SECRET s AS 'x'", 1, "Expected a statement, found a word", "did you mean CREATE?"),
    ("native", "CREATE SERCET s AS 'x'", 8, None, "did you mean SECRET?"),
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
    ("PREPARE p AS SELECT 1", NotSupported, 1),
    ("EXECUTE p", NotSupported, 1),
    ("CALL f()", NotSupported, 1),
    ("INSTALL httpfs", NotSupported, 1),
    ("UPDATE EXTENSIONS", NotSupported, 1),
    ("UPDATE EXTENSIONS (httpfs)", NotSupported, 1),
    ("FORCE CHECKPOINT", NotSupported, 1),
    ("EXPLAIN ATTACH 'x'", NotSupported, 9),
    ("EXPLAIN ANALYZE CREATE SECRET s AS 'x'", NotSupported, 17),
    ("CREATE TABLE t (a int)", NotSupported, 1),
    ("CREATE TEMP SEQUENCE s", NotSupported, 1),
    ("CREATE SECRET s (TYPE s3, SECRET 'x')", NotSupported, 15),
    ("CREATE PERSISTENT SECRET s (TYPE s3)", NotSupported, 19),
    ("ALTER TABLE t ADD COLUMN x int", NotSupported, 1),
    ("SET VARIABLE x = 1", NotSupported, 5),
    ("SHOW CONNECTIONS WHERE a = 1", NotSupported, 18),
    ("COPY FROM DATABASE a TO b", NotSupported, 6),
    ("COPY INTO t FROM @s/x", NotSupported, 6),
    ("COPY t TO STDOUT", NotSupported, 11),
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


def test_json_values_keep_their_kind():
    (link,) = parse(
        """CREATE LINK l AS S3 CREDENTIALS '{"a": {"secret": "db.s"}, "headers": {"X": "y"}}'
        CONFIG '{"n": 1.50, "t": true, "s": "x", "suffixes": ["a", "b"]}'"""
    )
    by_name = {option.name: option for option in link.options}
    assert by_name["a"].value == ast.SecretRef(ast.Name(("db", "s")))
    assert [(by_name[n].value.kind, by_name[n].value.value.reveal()) for n in ("headers", "n", "t", "s")] == [
        ("json", '{"X": "y"}'),
        ("number", "1.50"),
        ("boolean", "true"),
        ("string", "x"),
    ]
    assert [item.value.reveal() for item in by_name["suffixes"].value.items] == ["a", "b"]
    assert (by_name["a"].clause, by_name["n"].clause) == ("CREDENTIALS", "CONFIG")


def test_materialize_folds_bare_names_and_keeps_quoted_ones():
    (statement,) = parse("CREATE SECRET Main.\"Lake Key\" AS 'x'", "materialize")
    assert statement.name.parts == ("main", "Lake Key")


def test_spans_and_positions_lead_back_into_the_script():
    script = "SELECT 1;  CREATE CONNECTION c TO AWS (REGION = 'r', ENDPOINT 'e') ; SELECT 2"
    first, second, third = parse(script)
    assert [script[slice(*s.span)] for s in (first, third)] == ["SELECT 1", "SELECT 2"]
    assert script[slice(*second.span)].endswith("'e')")
    assert [script[o.position :][:6] for o in second.options] == ["REGION", "ENDPOI"]
