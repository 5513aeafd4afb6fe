"""Kinds of statements that are not offered: attaching, loading, secrets and logs of the engine, whole databases."""

from __future__ import annotations

from typing import Final

from tests.security.case import Bare, Case, case

_ATTACH: Final = (
    ("attach-file", "ATTACH '{out}/secret.db' AS x", None),
    ("attach-file-read-only", "ATTACH '{out}/secret.db' AS x (READ_ONLY)", None),
    ("attach-memory", "ATTACH ':memory:' AS x", None),
    ("attach-named-memory", "ATTACH ':memory:shared' AS x", None),
    ("attach-if-not-exists", "ATTACH IF NOT EXISTS '{out}/secret.db' AS x", None),
    ("E7-attach-sqlite", "ATTACH '{out}/secret.sqlite' AS x (TYPE sqlite)", "sqlite_scanner"),
    ("E7-call-sqlite-attach", "CALL sqlite_attach('{out}/secret.sqlite')", "sqlite_scanner"),
    (
        "E8-attach-ducklake",
        "ATTACH 'ducklake:sqlite:{out}/new.sqlite' AS l (DATA_PATH 's3://{b}/granted/')",
        "ducklake",
    ),
    ("E9-attach-postgres", "ATTACH 'host=127.0.0.1 port={port} user=u' AS x (TYPE postgres)", "postgres"),
    ("E9-call-postgres-attach", "CALL postgres_attach('host=127.0.0.1 port={port}')", "postgres"),
    ("E10-postgres-execute", "CALL postgres_execute('pg', 'SELECT 1')", "postgres"),
    ("E10-postgres-pool", "CALL postgres_configure_pool()", "postgres|does not exist"),
    ("E11-attach-iceberg", "ATTACH 'wh' AS ic (TYPE iceberg, ENDPOINT '{H}', AUTHORIZATION_TYPE 'none')", "iceberg"),
    (
        "E12-secret-iceberg",
        "CREATE SECRET ice (TYPE iceberg, CLIENT_ID 'a', CLIENT_SECRET 'b', OAUTH2_SERVER_URI '{H}/t')",
        "iceberg",
    ),
    ("E12-secret-unity", "CREATE SECRET u (TYPE unity_catalog, ENDPOINT '{H}')", "unity_catalog"),
    ("E12-attach-unity", "ATTACH 'c' AS u (TYPE unity_catalog)", "unity_catalog"),
    ("E13-attach-delta", "ATTACH '{H}/t' AS d (TYPE delta)", "delta"),
    ("attach-mysql", "ATTACH 'host=127.0.0.1 port={port}' AS m (TYPE mysql)", "mysql"),
    ("attach-over-http", "ATTACH '{H}/x.db' AS x", "."),
    ("attach-the-catalog", "ATTACH '{catalog}' AS x", "."),
)
_SECRETS: Final = (
    (
        "E14-secret-endpoint",
        "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b', ENDPOINT '{h}', SCOPE 's3://{b}/granted/')",
        None,
    ),
    ("E14-or-replace-secret", "CREATE OR REPLACE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b', ENDPOINT '{h}')", None),
    ("E14-temporary-secret", "CREATE TEMPORARY SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b', ENDPOINT '{h}')", None),
    ("E14-persistent-secret", "CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')", None),
    ("E14-secret-http-proxy", "CREATE SECRET s (TYPE http, HTTP_PROXY '{H}')", None),
    ("E14-secret-chain", "CREATE SECRET s (TYPE s3, PROVIDER credential_chain, CHAIN 'env')", "aws|credential_chain"),
    ("E14-unnamed-secret", "CREATE SECRET (TYPE s3, KEY_ID 'a', SECRET 'b', ENDPOINT '{h}')", None),
    ("E14-drop-temporary-secret", "DROP TEMPORARY SECRET IF EXISTS s", None),
    ("E14-drop-secret-from-storage", "DROP SECRET s FROM memory", "."),
    ("E14-load-aws-credentials", "CALL load_aws_credentials()", "aws"),
)
_ENGINE: Final = (
    ("install", "INSTALL httpfs", "."),
    ("force-install", "FORCE INSTALL httpfs FROM community", "."),
    ("install-from-host", "INSTALL x FROM '{H}'", "."),
    ("load", "LOAD httpfs", None),
    ("load-file", "LOAD '{out}/x.duckdb_extension'", "."),
    ("update-extensions", "UPDATE EXTENSIONS", None),
    ("update-named-extensions", "UPDATE EXTENSIONS (httpfs)", "."),
    ("E15-logging-http", "CALL enable_logging('HTTP')", None),
    ("E15-logging-stdout", "CALL enable_logging(level='trace', storage='stdout')", None),
    ("E16-logging-file", "CALL enable_logging(level='trace', storage='file', storage_path='{scratch}/log')", None),
    ("E17-profiling", "CALL enable_profiling(format='json', save_location='{scratch}/x.json')", None),
    ("pragma-profiling", "PRAGMA enable_profiling", None),
    ("pragma-profile-output", "PRAGMA profile_output='{scratch}/x'", "."),
    ("pragma-database-list", "PRAGMA database_list", None),
    ("pragma-version", "PRAGMA version", None),
    ("pragma-verification", "PRAGMA enable_verification", None),
    ("pragma-force-checkpoint", "PRAGMA force_checkpoint", None),
    ("pragma-parquet-key", "PRAGMA add_parquet_key('a', '0123456789112345')", None),
    ("pragma-import", "PRAGMA import_database('{H}')", "."),
    ("call-truncate-logs", "CALL truncate_duckdb_logs()", None),
    ("checkpoint", "CHECKPOINT", None),
    ("export-database", "EXPORT DATABASE '{scratch}/e'", None),
    ("export-database-to-the-store", "EXPORT DATABASE 's3://{b}/other/e'", None),
    ("import-database", "IMPORT DATABASE '{out}/e'", "."),
    ("import-database-from-host", "IMPORT DATABASE '{H}/e'", "."),
    ("copy-from-database", "COPY FROM DATABASE memory TO memory", "."),
    ("detach", "DETACH memory", "."),
    ("use-system", "USE system", "."),
    ("vacuum", "VACUUM", None),
    ("create-macro", "CREATE MACRO system_reader(x) AS TABLE SELECT * FROM read_text(x)", None),
    ("create-view", "CREATE VIEW v AS SELECT * FROM read_text('{out}/secret.txt')", None),
    ("create-type", "CREATE TYPE t AS ENUM ('a')", None),
    ("create-index", "CREATE INDEX i ON nothing (a)", "."),
    ("create-sequence", "CREATE SEQUENCE s", None),
    ("comment-on", "COMMENT ON SCHEMA main IS 'x'", "."),
    ("alter-database", "ALTER DATABASE memory SET ALIAS TO x", None),
    ("set-variable", "SET VARIABLE q = 'from duckdb_settings()'", None),
    ("reset-variable", "RESET VARIABLE q", None),
    ("listen", "LISTEN x", "."),
    ("do-block", "DO $$ BEGIN END $$", "."),
    ("create-function-python", "CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'return 1'", "."),
    ("create-extension", "CREATE EXTENSION dblink", "."),
    ("copy-stdin", "COPY x FROM STDIN", "."),
)
_TWO: Final = (
    ("two-statements", "SELECT 1; ATTACH ':memory:' AS x", None),
    ("two-statements-data", "SELECT 1; SELECT * FROM read_text('{out}/secret.txt')", None),
    ("two-statements-empty-between", "SELECT 1;; ;ATTACH ':memory:' AS x;", None),
)

CASES: Final[tuple[Case, ...]] = (
    *(
        case(id_, sql, by="kinds hygiene setting database table", control=Bare((sql,), says=says and f"{says}"))
        for id_, sql, says in (*_ATTACH, *_SECRETS, *_ENGINE)
    ),
    *(
        case(id_, sql, by="kinds fence landlock", control=Bare((sql.rpartition(";")[2].strip() or "SELECT 1",)))
        for id_, sql, _ in _TWO
    ),
    case(
        "prepare-and-execute",
        *("PREPARE p AS SELECT * FROM read_text('{out}/secret.txt')", "EXECUTE p"),
        by="fence landlock missing absent scheme hygiene",
        control=Bare(("SELECT * FROM read_text('{out}/secret.txt')",)),
    ),
    case(
        "extensions-as-a-table", "UPDATE EXTENSIONS SET a = 1", by="engine kinds", control=Bare(("UPDATE EXTENSIONS",))
    ),
)
