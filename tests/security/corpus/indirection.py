"""The same attacks one step removed: query(), macros, views, variables, parameters, names that shadow built-ins."""

# ruff: noqa: E501  # a statement stays on one line, to be read and copied as a whole

from __future__ import annotations

from typing import Final

from tests.security.case import Bare, Case, Within, case

_QUERY: Final = "hygiene fence landlock grant"
_SECRETS: Final = Bare(("SELECT * FROM query('FROM duckdb_secrets()')",))

CASES: Final[tuple[Case, ...]] = (
    case(
        "E25-query",
        "SELECT * FROM query('FROM duckdb_secrets()')",
        by="hygiene",
        control=_SECRETS,
        harmless="statements",
    ),
    case(
        "E25-query-concatenated",
        "SELECT * FROM query('FROM duckdb' || '_secrets()')",
        by="hygiene",
        control=_SECRETS,
        harmless="statements",
    ),
    case(
        "E25-query-characters",
        "SELECT * FROM query(chr(70) || 'ROM duckdb_secrets()')",
        by="hygiene",
        control=_SECRETS,
        harmless="statements",
    ),
    case(
        "E25-query-quoted",
        "SELECT * FROM \"QUERY\"('FROM duckdb_secrets()')",
        by="hygiene",
        control=_SECRETS,
        harmless="statements",
    ),
    case(
        "E25-query-comment",
        "SELECT * FROM query/**/('FROM duckdb_secrets()')",
        by="hygiene",
        control=_SECRETS,
        harmless="statements",
    ),
    case(
        "E25-query-no-break-space",
        "SELECT * FROM query\u00a0('FROM duckdb_secrets()')",
        by="hygiene",
        control=_SECRETS,
        harmless="statements",
    ),
    case(
        "E25-query-qualified",
        "SELECT * FROM system.main.query('FROM duckdb_secrets()')",
        by="hygiene",
        control=_SECRETS,
        harmless="statements",
    ),
    case(
        "E25-query-parameter",
        "SELECT * FROM query(%s)",
        by="hygiene engine",
        parameters=("FROM duckdb_secrets()",),
        control=_SECRETS,
        harmless="statements",
    ),
    case(
        "E25-query-variable",
        "SELECT * FROM query(getvariable('q'))",
        by="hygiene",
        control=Bare(("SET VARIABLE q = 'FROM duckdb_secrets()'", "SELECT * FROM query(getvariable('q'))")),
        harmless="statements",
    ),
    case(
        "E25-macro-of-query",
        "CREATE TEMP MACRO anything(x) AS TABLE FROM query(x)",
        "SELECT * FROM anything('FROM duckdb_secrets()')",
        by="hygiene",
        control=Bare(("CREATE MACRO m(x) AS TABLE FROM query(x)", "SELECT * FROM m('FROM duckdb_secrets()')")),
        harmless="statements",
    ),
    case(
        "E25-query-table",
        "SELECT * FROM query_table('duckdb_secrets')",
        by="hygiene",
        control=Bare(("SELECT * FROM query_table('duckdb_tables')",)),
        harmless="statements",
    ),
    case(
        "E25-query-table-list",
        "SELECT * FROM query_table(['duckdb_settings', 'duckdb_settings'])",
        by="hygiene",
        control=Bare(("SELECT * FROM query_table(['duckdb_tables', 'duckdb_tables'])",)),
        harmless="statements",
    ),
    case(
        "query-reads-a-file",
        "SELECT * FROM query('SELECT * FROM read_text(''{out}/secret.txt'')')",
        by=_QUERY,
        control=Bare(("SELECT * FROM query('SELECT * FROM read_text(''{out}/secret.txt'')')",)),
    ),
    case(
        "query-table-reads-a-file",
        "SELECT * FROM query_table('{out}/secret.csv')",
        by=_QUERY,
        control=Bare(("SELECT * FROM query_table('{out}/secret.csv')",)),
    ),
    case(
        "query-reads-another-prefix",
        "SELECT * FROM query('SELECT * FROM read_parquet(''s3://{b}/other/x.parquet'')')",
        by=_QUERY,
        control=Bare(("SELECT * FROM query('SELECT 42')",)),
    ),
    case(
        "E24-shadowed-getvariable",
        "CREATE OR REPLACE TEMP MACRO getvariable(x) AS 'FROM duckdb_secrets()'",
        "SELECT * FROM query(getvariable('x'))",
        by="hygiene",
        control=Bare(("CREATE MACRO getvariable(x) AS 'FROM duckdb_secrets()'", "SELECT getvariable('x')")),
        harmless="statements",
    ),
    case(
        "E24-shadowed-reader",
        "CREATE OR REPLACE TEMP MACRO read_fair(a) AS TABLE SELECT * FROM read_text(a)",
        "SELECT * FROM read_fair('{out}/secret.txt')",
        by="fence landlock",
        control=Within(
            (
                "CREATE OR REPLACE TEMP MACRO read_fair2(a) AS TABLE SELECT * FROM read_text(a)",
                "SELECT * FROM read_fair2('s3://{b}/granted/t.csv')",
            )
        ),
    ),
    case(
        "E24-stage-reads-with-a-shadowed-reader",
        "CREATE OR REPLACE TEMP MACRO read_csv_auto(a) AS TABLE SELECT * FROM read_text('{out}/secret.txt')",
        "SELECT * FROM read_csv_auto('x')",
        by="fence landlock engine",
        control=Within(("SELECT * FROM @raw/t.csv (FILE_FORMAT => 'csv')",)),
    ),
    case(
        "macro-hides-the-path",
        "CREATE OR REPLACE TEMP MACRO hidden(p) AS TABLE SELECT * FROM read_parquet('s3://{b}/' || p)",
        "SELECT * FROM hidden('other/x.parquet')",
        by="grant",
        control=Within(
            (
                "CREATE OR REPLACE TEMP MACRO hidden2(p) AS TABLE SELECT * FROM read_parquet('s3://{b}/' || p)",
                "SELECT * FROM hidden2('granted/x.parquet')",
            )
        ),
    ),
    case(
        "macro-hides-dots",
        "CREATE OR REPLACE TEMP MACRO hidden3(p) AS TABLE SELECT * FROM read_parquet('s3://{b}/granted/' || p)",
        "SELECT * FROM hidden3('../other/x.parquet')",
        by="path",
    ),
    case(
        "view-over-a-file",
        "CREATE OR REPLACE TEMP VIEW over_file AS SELECT * FROM read_text('{out}/secret.txt')",
        "SELECT * FROM over_file",
        by="fence landlock",
        control=Bare(("CREATE TEMP VIEW v AS SELECT * FROM read_text('{out}/secret.txt')", "SELECT * FROM v")),
    ),
    case(
        "view-over-another-prefix",
        "CREATE OR REPLACE TEMP VIEW over_other AS SELECT * FROM read_parquet('s3://{b}/other/x.parquet')",
        "SELECT * FROM over_other",
        by="grant",
        control=Within(
            (
                "CREATE OR REPLACE TEMP VIEW over_granted AS SELECT * FROM read_parquet('s3://{b}/granted/x.parquet')",
                "SELECT * FROM over_granted",
            )
        ),
    ),
    case(
        "table-of-paths",
        "CREATE OR REPLACE TEMP TABLE paths AS SELECT 's3://{b}/other/x.txt' AS p",
        "SELECT * FROM paths, LATERAL (SELECT * FROM read_text(p))",
        by="grant engine",
        control=Within(
            ("CREATE OR REPLACE TEMP TABLE paths2 AS SELECT 1 AS p", "SELECT * FROM paths2, LATERAL (SELECT p + 1)")
        ),
    ),
    case(
        "variable-as-path",
        "SELECT * FROM read_text(getvariable('p'))",
        by="hygiene engine",
        control=Bare(("SET VARIABLE p = '{out}/secret.txt'", "SELECT * FROM read_text(getvariable('p'))")),
    ),
    case(
        "union-with-a-file",
        "SELECT content FROM read_text('s3://{b}/granted/t.csv') UNION ALL SELECT content FROM read_text('{out}/secret.txt')",
        by="fence landlock",
        control=Bare(("SELECT content FROM read_text('{out}/secret.txt')",)),
    ),
    case(
        "error-as-a-channel",
        "SELECT error((SELECT content FROM read_text('{out}/secret.txt')))",
        by="fence landlock",
        control=Bare(("SELECT error((SELECT content FROM read_text('{out}/secret.txt')))",), says="planted"),
    ),
    case(
        "cast-error-as-a-channel",
        "SELECT CAST((SELECT b FROM read_parquet('s3://{b}/other/x.parquet')) AS INT)",
        by="grant",
        control=Within(("SELECT CAST((SELECT count(*) FROM read_parquet('s3://{b}/granted/x.parquet')) AS INT)",)),
    ),
    case(
        "never-taken-branch",
        "SELECT CASE WHEN false THEN (SELECT max(content) FROM read_text('{out}/secret.txt')) END",
        by="fence landlock",
        control=Bare(("SELECT CASE WHEN false THEN (SELECT max(content) FROM read_text('{out}/secret.txt')) END",)),
        harmless="fence",
    ),
)
