"""What each dialect takes, and what it becomes."""

from __future__ import annotations

import pytest

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
    (["native"], "BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY", "BEGIN READ ONLY"),
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
