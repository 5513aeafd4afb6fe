"""Statements that plant secrets: those that take one, and every way to get such a statement wrong.

``{s}`` stands for a new secret in a SQL string, ``{j}`` for one inside JSON inside a SQL string, ``{w}`` for one as a bare
word. ``{k}`` is a secret that is alive (stored, so that the scrubber knows it); {e} is the endpoint of the store.
"""

# ruff: noqa: E501  # a statement stays on one line, to be read and copied as a whole

from __future__ import annotations

from typing import Final

# Every statement that takes a secret, in every spelling. All must succeed, in this order.
TAKEN: Final = (
    "CREATE SECRET plain AS '{s}'",
    "CREATE OR REPLACE SECRET plain AS '{s}'",
    "CREATE SECRET decoded AS decode('{b64}', 'base64')",
    "CREATE SECRET joined AS '{s}'::bytea || '{s}'::bytea",
    "ALTER SECRET plain AS '{s}'",
    "CREATE SECRET IF NOT EXISTS plain AS '{s}'",
    "CREATE SECRET commented AS '{s}' COMMENT 'of a test'",
    "CREATE CONNECTION m TO AWS (ACCESS KEY ID = 'AKIA1', SECRET ACCESS KEY = SECRET plain, REGION = 'us-east-1')",
    (
        'CREATE LINK l AS S3 CREDENTIALS \'{"aws_access_key_id": "AKIA1", "aws_secret_access_key": "{j}"}\' '
        'CONFIG \'{"region": "us-east-1"}\''
    ),
    "CREATE CONNECTION d STORAGE_TYPE = 's3' ACCESS_KEY_ID = 'AKIA1' SECRET_ACCESS_KEY = '{s}'",
    "CREATE STORAGE CONNECTION z TYPE S3 ACCESS_KEY = 'AKIA1' SECRET_KEY = '{s}' ENDPOINT = 'https://s3.example.com'",
    "CREATE OR REPLACE CONNECTION d STORAGE_TYPE = 's3' ACCESS_KEY_ID = 'AKIA1' SECRET_ACCESS_KEY = '{s}'",
    "CREATE USER u1 PASSWORD '{s}'",
    "CREATE USER u2 WITH PASSWORD '{s}'",
    "ALTER USER u1 PASSWORD '{s}'",
)
# Those that change a stored secret; which of the spellings takes which is the dialects' business, so each may refuse.
CHANGED: Final = (
    "ALTER CONNECTION d SET SECRET_ACCESS_KEY = '{s}'",
    "ALTER CONNECTION z SET SECRET_KEY = '{s}'",
    "ALTER CONNECTION m SET (SECRET ACCESS KEY = SECRET plain)",
    "ALTER CONNECTION m SET (SESSION TOKEN = '{s}')",
    'ALTER LINK l SET CREDENTIALS \'{"aws_access_key_id": "AKIA1", "aws_secret_access_key": "{j}"}\'',
    "ALTER CONNECTION d SET (SECRET_ACCESS_KEY = '{s}')",
    "CREATE USER u3 IDENTIFIED BY '{s}'",
)
# Every error path. All must fail.
WRONG: Final = (
    # misspelt keywords and options
    "CRAETE SECRET s AS '{s}'",
    "CREATE SECERT s AS '{s}'",
    "CREATE SECRET s ASS '{s}'",
    "CREATE SECRET s '{s}'",
    "CREATE SECRET s = '{s}'",
    "CREATE SECRET s AS '{s}' '{s}'",
    "CREATE SECRET s AS '{s}' COMENT 'x'",
    "CREATE SECRET AS '{s}'",
    "ALTER SECRET plain AZ '{s}'",
    "ALTER SECRET plain TO '{s}'",
    "CREATE USER u9 PASSWRD '{s}'",
    "CREATE USER u9 PASSWORD {w}",
    "CREATE USER PASSWORD '{s}'",
    "ALTER USER u1 PASSWORD '{s}' SUPERUSR",
    "CREATE CONNECTION x TO AWS (ACCESS KEY ID = 'a', SECRET ACCES KEY = '{s}')",
    "CREATE CONNECTION x TO AWS (ACCESS KEY ID = 'a', SECRET ACCESS KEY '{s}'",
    "CREATE CONNECTION x TO AWZ (ACCESS KEY ID = 'a', SECRET ACCESS KEY = '{s}')",
    "CREATE CONNECTION x TO AWS (SECRET ACCESS KEY = '{s}', SECRET ACCESS KEY = '{s}')",
    "CREATE CONNECTION x TO AWS (ACCESS KEY ID = 'a', SECRET ACCESS KEY = '{s}', NONSENSE = 'x')",
    "CREATE CONNECTION x STORAGE_TYPE = 's3' SECRET_ACESS_KEY = '{s}'",
    "CREATE CONNECTION x STORAGE_TYPE = 's4' SECRET_ACCESS_KEY = '{s}'",
    "CREATE CONNECTION x STORAGE_TYPE = 's3' ACCESS_KEY_ID = 'a' SECRET_ACCESS_KEY = {w}",
    "CREATE CONNECTION x SECRET_ACCESS_KEY = '{s}' STORAGE_TYPE = 's3'",
    "CREATE STORAGE CONNECTION x TYPE S3 ACCES_KEY = 'a' SECRT_KEY = '{s}'",
    "CREATE STORAGE CONNECTION x TYP S3 SECRET_KEY = '{s}'",
    'CREATE LINK x AS S3 CREDENTIALS \'{"aws_secret_acces_key": "{j}"}\'',
    'CREATE LINK x AS S3 CREDENTIAL \'{"aws_secret_access_key": "{j}"}\'',
    'CREATE LINK x AS S9 CREDENTIALS \'{"aws_secret_access_key": "{j}"}\'',
    # invalid JSON
    'CREATE LINK x AS S3 CREDENTIALS \'{"aws_secret_access_key": "{j}"\'',
    "CREATE LINK x AS S3 CREDENTIALS '{\"aws_secret_access_key\": {j}}'",
    "CREATE LINK x AS S3 CREDENTIALS '[\"{j}\"]'",
    "CREATE LINK x AS S3 CREDENTIALS '{s}'",
    'CREATE LINK x AS S3 CREDENTIALS \'{"a": "{j}", "a": "{j}"}\'',
    "CREATE LINK x AS S3 CREDENTIALS '{}' CONFIG '{\"aws_secret_access_key\": \"{j}\"}'",
    'CREATE LINK x AS S3 CREDENTIALS \'{"aws_access_key_id": "a", "aws_secret_access_key": {"x": "{j}"}}\'',
    # wrong type
    "CREATE CONNECTION x TO AWS (ACCESS KEY ID = 'a', SECRET ACCESS KEY = ('{s}'))",
    "CREATE CONNECTION x TO AWS (ACCESS KEY ID = 'a', SECRET ACCESS KEY = MAP['a' => '{s}'])",
    "CREATE CONNECTION x TO AWS (REGION = '{s}', SECRET ACCESS KEY = '{s}')",
    "CREATE CONNECTION x TO AWS (ENDPOINT = '{s}', ACCESS KEY ID = 'a', SECRET ACCESS KEY = '{s}')",
    "CREATE SECRET s AS 1{w}",
    "CREATE SECRET s AS decode('{s}', 'base64')",
    "CREATE SECRET s AS decode('{s}', 'hex')",
    "CREATE SECRET s AS decode('{s}', 'rot13')",
    "CREATE SECRET s AS '\\x{w}'::bytea",
    "CREATE SECRET s AS '{s}'::jsonb",
    "CREATE SECRET s AS upper('{s}')",
    "CREATE SECRET s AS (SELECT '{s}')",
    "CREATE SECRET s AS $1",
    # unterminated quotes
    "CREATE SECRET s AS '{w}",
    'CREATE SECRET s AS "{w}',
    "CREATE SECRET s AS $${w}",
    "CREATE SECRET s AS E'{w}\\",
    "CREATE SECRET s AS '{w} /* ",
    "CREATE USER u9 PASSWORD '{w}",
    "CREATE CONNECTION x STORAGE_TYPE = 's3' SECRET_ACCESS_KEY = '{w}",
    # a secret in the place of a name
    "CREATE SECRET {w}.{w}.{w}.{w} AS 'x'",
    "CREATE SECRET s AS {w}",
    'CREATE SECRET s AS "{w}"',
    "CREATE CONNECTION x TO {w} (ACCESS KEY ID = 'a')",
    "SET dialect = '{s}'",
    "SET secret_access_key = '{s}'",
    "SET s3_secret_access_key = '{s}'",
    "SET SESSION AUTHORIZATION '{s}'",
    # duplicates, missing objects, missing rights
    "CREATE SECRET plain AS '{s}'",
    "CREATE USER u1 PASSWORD '{s}'",
    "CREATE CONNECTION d STORAGE_TYPE = 's3' ACCESS_KEY_ID = 'a' SECRET_ACCESS_KEY = '{s}'",
    "ALTER SECRET nosuch AS '{s}'",
    "ALTER USER nosuch PASSWORD '{s}'",
    "ALTER CONNECTION nosuch SET (SECRET ACCESS KEY = '{s}')",
    "CREATE SECRET nodatabase.public.s AS '{s}'",
    "CREATE SECRET s AS '********'",
    # in comments and beside them
    "CREATE SECRET s /* {w} */ AZ 'x'",
    "CREATE SECRET s AZ 'x' -- {w}",
    "SELEC 1 /* {w} */",
    # in other statements
    "CREATE STAGE st URL = 's3://b/' CONNECTION = (ACCESS_KEY_ID = 'a' SECRET_ACCESS_KEY = '{s}')",
    "CREATE STAGE st URL = 's3://AKIA:{w}@b/' CONNECTION = (CONNECTION_NAME = 'd')",
    "SELECT * FROM 's3://b/k' (CONNECTION => (ACCESS_KEY_ID = 'a', SECRET_ACCESS_KEY = '{s}'))",
    "CREATE SECRET (TYPE s3, KEY_ID 'a', SECRET '{s}')",
    "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET '{s}')",
    "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'a', SECRET '{s}')",
    "ATTACH 'host=h password={w}' AS x (TYPE postgres)",
    "CREATE VIEW v AS SELECT * FROM 's3://b/k' (CONNECTION => (ACCESS_KEY_ID = 'a', SECRET_ACCESS_KEY = '{s}'))",
    "CREATE VIEW v AS SELECT * FROM 'https://u:{w}@h/x'",
    "CREATE VIEW v ASS SELECT '{s}'",
    "CREATE DATABASE dp DATA PATH 's3://AKIA:{w}@b/' CONNECTION = d",
    "GRANT SELECT ON no_such_table WHERE password = '{s}' TO u1",
    "ALTER DEFAULT PRIVILEGES GRANT '{s}' ON TABLES TO u1",
)
# A secret where a name belongs. The error repeats the name to the client that typed it, and to nobody else: these are looked
# for in every place but the wire.
NAMED: Final = (
    "CREATE CONNECTION x TO AWS (ACCESS KEY ID = 'a', SECRET ACCESS KEY = SECRET {w})",
    "SET {w} = 1",
    "GRANT USAGE ON SECRET plain TO '{w}'",
    "GRANT '{w}' TO u1",
    'DROP SECRET "{w}"',
    "SELECT * FROM {w}",
    "SELECT {w}()",
    "SHOW SECRETS LIKE '{w}' NONSENSE",
)
# In statements of the engine: a secret that is alive stands in the text, and the statement fails.
IN_DATA: Final = (
    "SELECT '{k}' FROM no_such_table",
    "SELECT '{k}' || no_such_column",
    "SELECT CAST('{k}' AS INTEGER)",
    "SELECT error('{k}')",
    'SELECT * FROM "{k2}"',
    "SELECT no_such_function('{k}')",
    "SELECT '{k}' SELECT",
    "EXECUTE no_such_statement ('{k}')",
    "EXECUTE no_such_statement ('{k}' || 'x')",
    "DECLARE c CURSOR WITH HOLD FOR SELECT '{k}' || no_such_column",
    "SELECT set_config('{k}', 'x', false)",
    "SELECT set_config('TimeZone', '{k}', false)",
    "SELECT current_setting('{k}')",
    'SAVEPOINT "{k2}"',
    "SELECT * FROM read_csv('s3://nowhere/x', secret_access_key = '{k}')",
    "COPY (SELECT '{k}') TO 's3://nowhere/x' (NONSENSE '{k}')",
    "SELECT * FROM read_parquet('s3://nowhere/{k3}')",
    "SELECT encode('{k}')::INTEGER",
    "SELECT hex('{k}')::INTEGER",
    "SELECT base64('{k}'::BLOB)::INTEGER",
    "SELECT url_encode('{k}')::INTEGER",
    "SELECT to_json('{k}')::INTEGER",
    "CREATE TEMP TABLE t AS SELECT '{k}'::DATE",
)
# What shows things; nothing of it may show a secret.
SHOWN: Final = (
    "SHOW SECRETS",
    "SHOW CONNECTIONS",
    "SHOW LINKS",
    "DESC CONNECTION m",
    "DESC CONNECTION l",
    "DESC CONNECTION d",
    "DESC CONNECTION z",
    "SHOW CREATE CONNECTION m",
    "SHOW CREATE CONNECTION l",
    "SHOW CREATE CONNECTION d",
    "SHOW CREATE CONNECTION z",
    "SHOW CREATE CONNECTION lake",
    "SHOW USERS",
    "SHOW ROLES",
    "SHOW GRANTS",
    "SHOW DATABASES",
    "SHOW SCHEMAS",
    "SHOW TABLES",
    "SHOW VIEWS",
    "SHOW DEFAULT PRIVILEGES",
    "SHOW ALL",
    "SELECT * FROM fairlead.connections",
    "SELECT * FROM fairlead.stages",
    "SELECT * FROM pg_catalog.pg_foreign_server",
    "SELECT * FROM pg_catalog.pg_user_mappings",
    "SELECT * FROM pg_catalog.pg_settings",
    "SELECT * FROM pg_catalog.pg_authid",
    "SELECT * FROM pg_catalog.pg_shadow",
    "SELECT * FROM pg_catalog.pg_stat_activity",
    "SELECT * FROM pg_catalog.pg_views",
    "SELECT * FROM pg_catalog.pg_description",
    "SELECT * FROM information_schema.views",
    "SELECT * FROM information_schema.columns",
    "SHOW LEDGER LIMIT 100000",
    "VERIFY LEDGER",
)
DIALECTS: Final = ("materialize", "singlestore", "databend", "clickzetta", "native")
