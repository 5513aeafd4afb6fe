"""Functions and relations of the engine that show or reach what is not the user's."""

from __future__ import annotations

from typing import Final

from tests.security.case import Bare, Case, case

# id, statement, what a DuckDB without layers says (None = it answers)
_SHOWING: Final = (
    ("E18-settings-by-another-name", "SELECT * FROM system.main.pg_settings", "does not exist"),
    ("E19-databases", "SELECT * FROM duckdb_databases()", None),
    ("E19-secrets", "SELECT * FROM duckdb_secrets()", None),
    ("E19-secrets-in-clear", "SELECT * FROM duckdb_secrets(redact => false)", "unredacted"),
    ("E19-which-secret", "SELECT * FROM which_secret('s3://{b}/granted/x', 's3')", None),
    ("E19-file-cache", "SELECT * FROM duckdb_external_file_cache()", None),
    ("E19-prepared", "SELECT * FROM duckdb_prepared_statements()", None),
    ("E15-logs", "SELECT * FROM duckdb_logs", None),
    ("E15-logs-function", "SELECT * FROM duckdb_logs()", None),
    ("E15-log-contexts", "SELECT * FROM duckdb_log_contexts()", None),
    ("extensions", "SELECT * FROM duckdb_extensions()", None),
    ("temporary-files", "SELECT * FROM duckdb_temporary_files()", None),
    ("memory", "SELECT * FROM duckdb_memory()", None),
    ("variables", "SELECT * FROM duckdb_variables()", None),
    ("secret-types", "SELECT * FROM duckdb_secret_types()", None),
    ("pragma-function", "SELECT * FROM pragma_database_list()", "."),
    ("pragma-version-function", "SELECT * FROM pragma_version()", None),
    ("pragma-storage", "SELECT * FROM pragma_storage_info('x')", "."),
    ("pragma-platform", "SELECT * FROM pragma_platform()", None),
    ("pragma-user-agent", "SELECT * FROM pragma_user_agent()", None),
    ("pragma-size", "SELECT * FROM pragma_database_size()", None),
    ("in-a-subquery", "SELECT (SELECT count(*) FROM duckdb_secrets())", None),
    ("in-a-with", "WITH s AS (SELECT * FROM duckdb_secrets()) SELECT * FROM s", None),
    ("in-an-exists", "SELECT EXISTS (FROM duckdb_secrets())", None),
    ("from-first", "FROM duckdb_secrets()", None),
    ("in-a-lateral", "SELECT * FROM range(1) r, LATERAL (SELECT * FROM duckdb_secrets())", None),
    ("qualified", "SELECT * FROM system.main.duckdb_secrets()", None),
    ("quoted", 'SELECT * FROM "duckdb_secrets"()', None),
    ("quoted-upper-case", 'SELECT * FROM "DUCKDB_SECRETS"()', None),
    ("mixed-case", "SELECT * FROM DuckDB_Secrets()", None),
    ("comment-before-parenthesis", "SELECT * FROM duckdb_secrets/* a comment */()", None),
    ("line-comment-before-parenthesis", "SELECT * FROM duckdb_secrets -- a comment\n()", None),
    ("no-break-space", "SELECT * FROM duckdb_secrets\u00a0()", None),
    ("wide-space", "SELECT * FROM\u3000duckdb_secrets\u2003()", None),
    ("tabs", "SELECT\t*\tFROM\tduckdb_secrets\t(\t)", None),
    ("qualified-and-quoted", 'SELECT * FROM "system"."main"."duckdb_secrets"()', None),
    ("describe", "DESCRIBE duckdb_secrets", "."),
    ("summarize", "SUMMARIZE FROM duckdb_secrets()", None),
    ("pivot", "PIVOT (FROM duckdb_secrets()) ON type USING count(*)", None),
    ("explain-analyze", "EXPLAIN ANALYZE SELECT * FROM duckdb_secrets()", None),
    ("copy-of", "COPY (SELECT * FROM duckdb_secrets()) TO 's3://{b}/rw/secrets.csv'", "."),
    ("into-a-table", "CREATE TEMP TABLE sec AS SELECT * FROM duckdb_secrets()", None),
    ("into-a-view", "CREATE TEMP VIEW secv AS SELECT * FROM duckdb_secrets()", None),
    ("into-a-macro", "CREATE TEMP MACRO secm() AS TABLE SELECT * FROM duckdb_secrets()", None),
    ("write-log", "SELECT write_log('x')", None),
    ("auto-complete", "SELECT * FROM sql_auto_complete('SEL')", "."),
)
_REACHING: Final = (
    ("getenv", "SELECT getenv('HOME')", "does not exist"),
    ("getenv-table", "SELECT * FROM getenv('HOME')", "does not exist"),
    (
        "json-execute",
        "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT * FROM duckdb_secrets()'))",
        None,
    ),
    ("arrow-scan", "SELECT * FROM arrow_scan(1, 2, 3)", "POINTER"),
    ("arrow-scan-dumb", "SELECT * FROM arrow_scan_dumb(1, 2, 3)", "POINTER"),
    ("pandas-scan", "SELECT * FROM pandas_scan(1)", "POINTER|candidate"),
    ("python-map", "SELECT * FROM python_map_function(1)", "."),
    ("http-get", "SELECT http_get('{H}')", "does not exist"),
    ("pg-read-file", "SELECT pg_read_file('/etc/passwd')", "does not exist"),
    ("lo-import", "SELECT lo_import('/etc/passwd')", "does not exist"),
    ("dblink", "SELECT * FROM dblink('host=127.0.0.1 port={port}', 'SELECT 1')", "does not exist"),
    ("load-extension-function", "SELECT load_extension('x')", "does not exist"),
    ("ducklake-metadata", "SELECT * FROM __ducklake_metadata_l.ducklake_table", "does not exist"),
    ("ducklake-options", "SELECT * FROM ducklake_options('l')", "ducklake|does not exist"),
)
# Variables of the worker's Python: DuckDB takes them for tables unless told otherwise.
_PYTHON: Final = ("os", "sys", "connection", "self", "settings", "secret", "key", "__builtins__", "df", "sock")

CASES: Final[tuple[Case, ...]] = (
    *(
        case(f"show-{id_}", sql, by="hygiene", control=Bare((sql,), says=says), harmless="statements", scoped=False)
        for id_, sql, says in _SHOWING
    ),
    *(
        case(f"reach-{id_}", sql, by="hygiene missing engine", control=Bare((sql,), says=says), harmless="statements")
        for id_, sql, says in _REACHING
    ),
    *(
        case(
            f"python-variable-{name}",
            f'SELECT * FROM "{name}"',
            by="missing engine",
            control=Bare(("SELECT * FROM nothing_there",), says="does not exist"),
        )
        for name in _PYTHON
    ),
)
