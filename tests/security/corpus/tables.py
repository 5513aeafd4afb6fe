"""Native tables: raw reads of catalog, files and kept rows, other versions, metadata functions, and writes without a right."""

# ruff: noqa: E501  # a statement stays on one line, to be read and copied as a whole

from __future__ import annotations

from typing import Final

from tests.security.case import Bare, Case, Within, case

_GRANTED: Final = Within(("SELECT count(*) FROM granted_t",))
_OWN: Final = Within(
    ("BEGIN", "INSERT INTO own.fair VALUES (2)", "UPDATE own.fair SET a = 3", "DELETE FROM own.fair", "ROLLBACK")
)
_VIEW: Final = Within(("SELECT * FROM safe_v",))
_PART: Final = Within(("SELECT a, region FROM narrow_t",))
_BARE_FILE: Final = Bare(("SELECT * FROM read_parquet('{secret_file}')",))
_BARE_CATALOG: Final = Bare(("SELECT size FROM read_blob('{lake_catalog}')",))
_BARE_WRITE: Final = Bare(("COPY (SELECT 'junk' AS a) TO '{scratch}/over' (FORMAT csv, USE_TMP_FILE false)",))
_FILES: Final = "fence landlock missing engine copy inline request setting"
_KINDS: Final = "kinds engine missing request hygiene database"

_READS: Final = (
    ("plain", "SELECT * FROM secret_t"),
    ("qualified", "SELECT * FROM main.public.secret_t"),
    ("database-and-table", "SELECT * FROM main.secret_t"),
    ("inner-name-of-the-lake", "SELECT * FROM main_.public.secret_t"),
    ("quoted", 'SELECT * FROM "SECRET_T"'),
    ("schema", "SELECT * FROM hr.salaries"),
    ("database", "SELECT * FROM vaultdb.plans"),
    ("database-qualified", "SELECT * FROM vaultdb.public.plans"),
    ("subquery", "SELECT (SELECT max(b) FROM secret_t) FROM granted_t"),
    ("join", "SELECT s.b FROM granted_t g JOIN secret_t s USING (a)"),
    ("cte", "WITH x AS (SELECT * FROM secret_t) SELECT * FROM x"),
    ("string-as-a-table", "SELECT * FROM 'secret_t'"),
    ("describe", "DESCRIBE secret_t"),
    ("summarize", "SUMMARIZE secret_t"),
    ("explain", "EXPLAIN ANALYZE SELECT * FROM secret_t"),
    ("time-travel", "SELECT * FROM secret_t AT (VERSION => 10)"),
    ("time-travel-by-time", "SELECT * FROM secret_t AT (TIMESTAMP => now())"),
    ("view-without-a-grant", "SELECT * FROM secret_v"),
    ("in-a-block", "SELECT * FROM granted_t; SELECT * FROM secret_t"),
    ("copy-out", "COPY (SELECT * FROM secret_t) TO 's3://{b}/rw/leak.csv'"),
    ("copy-table-out", "COPY secret_t TO 's3://{b}/rw/leak.csv'"),
    ("into-an-own-table", "CREATE TABLE own.leak AS SELECT * FROM secret_t"),
    ("into-a-temporary-table", "CREATE TEMP TABLE leak AS SELECT * FROM secret_t"),
    ("temporary-view", "CREATE TEMP VIEW leak AS SELECT * FROM secret_t"),
    ("temporary-macro", "CREATE TEMP MACRO leak() AS TABLE SELECT * FROM secret_t"),
    ("semi-join-in-delete", "DELETE FROM own.fair WHERE a IN (SELECT a FROM secret_t)"),
)
_METADATA: Final = (
    ("E22-tables", "SELECT * FROM __ducklake_metadata_main_.ducklake_table"),
    ("E22-inlined", "SELECT * FROM __ducklake_metadata_main_.ducklake_inlined_data_tables"),
    ("E22-update", "UPDATE __ducklake_metadata_main_.ducklake_snapshot SET snapshot_id = 0"),
    ("E22-quoted", 'SELECT * FROM "__DUCKLAKE_metadata_main_"."ducklake_data_file"'),
    ("E22-snapshots", "FROM ducklake_snapshots('main_')"),
    ("E22-table-info", "FROM ducklake_table_info('main_')"),
    ("E22-list-files", "FROM ducklake_list_files('main_', 'secret_t')"),
    ("E22-changes", "FROM ducklake_table_changes('main_', 'public', 'secret_t', 0, 100)"),
    ("E22-insertions", "FROM ducklake_table_insertions('main_', 'public', 'secret_t', 0, 100)"),
    ("E22-options", "FROM ducklake_options('main_')"),
    ("storage-info", "FROM pragma_storage_info('secret_t')"),
    ("table-info", "FROM pragma_table_info('secret_t')"),
    ("all-settings", "FROM duckdb_settings()"),
    ("attached", "FROM duckdb_databases()"),
)
_CALLS: Final = (
    ("E22-expire", "CALL ducklake_expire_snapshots('main_', older_than => now())"),
    ("E22-cleanup", "CALL ducklake_cleanup_old_files('main_', cleanup_all => true)"),
    ("E22-orphans", "CALL ducklake_delete_orphaned_files('main_', cleanup_all => true)"),
    ("E22-set-option", "CALL ducklake_set_option('main_', 'data_inlining_row_limit', 0)"),
    ("E22-add-files", "CALL ducklake_add_data_files('main_', 'fair', '{secret_file}')"),
    ("E22-flush", "CALL ducklake_flush_inlined_data('main_')"),
    ("E22-detach", "DETACH main_"),
    ("E22-attach-lake", "ATTACH 'ducklake:sqlite:{lake_catalog}' AS stolen"),
    ("E22-attach-sqlite", "ATTACH '{lake_catalog}' AS stolen (TYPE sqlite)"),
    ("use-another-catalog", "USE memory.main"),
)
_RAW: Final = (
    ("E22-read-blob", "SELECT content FROM read_blob('{lake_catalog}')"),
    ("E22-read-text-of-the-log", "SELECT content FROM read_text('{lake_catalog}-wal')"),
    ("E22-glob", "SELECT * FROM glob('{lake}/*')"),
    ("E23-file", "SELECT * FROM read_parquet('{secret_file}')"),
    ("E23-replacement", "SELECT * FROM '{secret_file}'"),
    ("E23-folder", "SELECT * FROM read_parquet('{lake}/files/**/*.parquet')"),
    ("E23-statistics", "SELECT * FROM parquet_metadata('{secret_file}')"),
    ("E23-schema", "SELECT * FROM parquet_schema('{secret_file}')"),
    ("E23-links-of-another-session", "SELECT * FROM read_parquet('{other_files}/*.parquet')"),
    ("E23-through-dots", "SELECT * FROM read_parquet('{other_files}/../files/*.parquet')"),
    ("inbox", "SELECT * FROM glob('{lake}/../inbox/**')"),
    ("E20-other-spill", "SELECT * FROM glob('{other_files}/../spill/**')"),
    ("other-links", "SELECT * FROM glob('{other_files}/*')"),
)
_OVERWRITES: Final = (
    ("E21-catalog", "COPY (SELECT 'junk') TO '{lake_catalog}' (FORMAT csv, USE_TMP_FILE false)"),
    ("E21-catalog-by-rename", "COPY (SELECT 'junk') TO '{lake_catalog}' (FORMAT csv)"),
    ("E23-over-a-file", "COPY (SELECT 1 AS a, 'junk' AS b) TO '{secret_file}' (FORMAT parquet, USE_TMP_FILE false)"),
    (
        "E23-over-a-granted-file",
        "COPY (SELECT 1 AS a, 'junk' AS b) TO '{granted_file}' (FORMAT parquet, USE_TMP_FILE false)",
    ),
    ("E23-into-links", "COPY (SELECT 1 AS a) TO '{other_files}/x.parquet' (FORMAT parquet)"),
    ("into-the-inbox", "COPY (SELECT 1 AS a) TO '{lake}/../inbox/x.parquet' (FORMAT parquet)"),
)
_WRITES: Final = (
    ("insert", "INSERT INTO secret_t VALUES (1, 'x')"),
    ("insert-into-a-granted-one", "INSERT INTO granted_t VALUES (1, 'x')"),
    ("update", "UPDATE granted_t SET b = 'x'"),
    ("delete", "DELETE FROM granted_t"),
    ("delete-by-with", "WITH x AS (SELECT 1) DELETE FROM granted_t"),
    ("insert-by-with", "WITH x AS (SELECT 1 AS a, 'x' AS b) INSERT INTO granted_t SELECT * FROM x"),
    ("truncate", "TRUNCATE granted_t"),
    ("merge", "MERGE INTO granted_t USING (SELECT 1 AS a) s USING (a) WHEN MATCHED THEN DELETE"),
    ("alter", "ALTER TABLE granted_t ADD COLUMN c INTEGER"),
    ("default", "ALTER TABLE granted_t ALTER b SET DEFAULT 'x'"),
    ("rename", "ALTER TABLE granted_t RENAME TO mine"),
    ("drop", "DROP TABLE granted_t"),
    ("drop-own-but-not-owned", "DROP TABLE own.fair"),
    ("replace", "CREATE OR REPLACE TABLE granted_t (a INTEGER)"),
    ("replace-an-invisible-one", "CREATE OR REPLACE TABLE secret_t (a INTEGER)"),
    ("namesake", "CREATE TABLE secret_t (a INTEGER)"),
    ("create-in-another-schema", "CREATE TABLE hr.mine (a INTEGER)"),
    ("create-in-another-database", "CREATE TABLE vaultdb.mine (a INTEGER)"),
    ("create-schema", "CREATE SCHEMA mine"),
    ("drop-schema", "DROP SCHEMA hr"),
    ("comment", "COMMENT ON TABLE granted_t IS 'x'"),
    ("update-an-insert-only-one", "UPDATE drop_box SET b = 'x'"),
    ("delete-an-insert-only-one", "DELETE FROM drop_box"),
    ("insert-into-a-part", "INSERT INTO narrow_t VALUES (1, 'x', 'EU')"),
    ("update-a-part", "UPDATE narrow_t SET region = 'EU'"),
    ("copy-from", "COPY granted_t FROM 's3://{b}/granted/t.csv'"),
    ("view-over-another", "CREATE OR REPLACE VIEW safe_v AS SELECT 1 AS a"),
    ("drop-view", "DROP VIEW safe_v"),
    ("owner", "ALTER TABLE granted_t OWNER TO analyst"),
    ("grant", "GRANT INSERT ON granted_t TO analyst"),
    ("grant-a-part", "GRANT SELECT (b) ON narrow_t TO analyst"),
    ("vacuum", "VACUUM main"),
)
_SHOWS: Final = (
    ("information-schema", "SELECT * FROM information_schema.tables"),
    ("information-schema-columns", "SELECT * FROM information_schema.columns"),
    ("duckdb-tables", "FROM duckdb_tables()"),
    ("duckdb-columns", "FROM duckdb_columns()"),
    ("duckdb-views", "FROM duckdb_views()"),
    ("pg-class", "SELECT * FROM pg_catalog.pg_class"),
    ("pg-attribute", "SELECT * FROM pg_catalog.pg_attribute"),
    ("pg-description", "SELECT * FROM pg_catalog.pg_description"),
    ("show-tables", "SHOW TABLES"),
    ("insert-only", "SELECT * FROM drop_box"),
    ("insert-only-to-itself", "BEGIN; INSERT INTO drop_box SELECT * FROM drop_box; SELECT * FROM drop_box; ROLLBACK"),
    ("lake-snapshots", "SELECT * FROM snapshots()"),
    ("lake-options", "SELECT * FROM options()"),
    ("lake-settings", "SELECT * FROM settings()"),
    ("lake-table-info", "SELECT * FROM table_info()"),
    ("lake-table-info-of-the-lake", "SELECT * FROM main_.table_info()"),
    ("file-names", "SELECT DISTINCT filename FROM granted_t"),
    ("plan", "EXPLAIN ANALYZE SELECT count(b) FROM granted_t"),
    ("part", "SELECT * FROM narrow_t"),
    ("part-rows", "SELECT * FROM narrow_t WHERE region = 'US'"),
    ("part-summary", "SUMMARIZE narrow_t"),
    ("view-text", "SELECT * FROM safe_v WHERE a::VARCHAR LIKE '%planted%'"),
)

CASES: Final[tuple[Case, ...]] = (
    *(case(f"table-{id_}", sql, by="missing table hygiene engine", control=_GRANTED) for id_, sql in _READS),
    *(
        case(
            id_ if id_[0] == "E" else f"table-{id_}", sql, by="hygiene missing", control=_GRANTED, harmless="statements"
        )
        for id_, sql in _METADATA
    ),
    *(case(id_ if id_[0] == "E" else f"table-{id_}", sql, by=_KINDS, control=_GRANTED) for id_, sql in _CALLS),
    *(
        case(
            id_ if id_[0] == "E" else f"table-{id_}",
            sql,
            by=_FILES,
            control=_BARE_CATALOG if "catalog" in sql else _BARE_FILE,
            harmless="fence" if "glob" in sql else "",
        )
        for id_, sql in _RAW
    ),
    *(case(id_ if id_[0] == "E" else f"table-{id_}", sql, by=_FILES, control=_BARE_WRITE) for id_, sql in _OVERWRITES),
    *(case(f"table-{id_}", sql, by="table missing engine kinds", control=_OWN) for id_, sql in _WRITES),
    *(case(f"table-shows-{id_}", sql, by="missing hygiene", control=_GRANTED, scoped=True) for id_, sql in _SHOWS),
    case("table-part-column", "SELECT b FROM narrow_t", by="engine missing", control=_PART),
    case("table-part-by-an-error", "SELECT error(b) FROM narrow_t", by="engine missing", control=_PART),
    case("table-view-base-column", "SELECT b FROM safe_v", by="engine missing", control=_VIEW),
    case(
        "table-view-of-ones-own",
        *("CREATE OR REPLACE VIEW own.leak_v AS SELECT * FROM secret_t", "SELECT * FROM own.leak_v"),
        by="missing table engine",
        control=_VIEW,
    ),
    case(
        "table-namesake-of-the-dropped",
        *(f"SELECT max(b) FROM reborn AT (VERSION => {version})" for version in range(1, 60)),
        by="missing engine",
        control=Within(("SELECT * FROM reborn",)),
    ),
    case(
        "table-revoked",
        *("SELECT count(*) FROM granted_t", "SELECT * FROM lent_t"),
        by="missing table",
        before=("GRANT SELECT ON lent_t TO analyst", "REVOKE SELECT ON lent_t FROM analyst"),
        control=_GRANTED,
    ),
    case(
        "table-metadata-turned-to-another-file",
        *(
            "SELECT count(*) FROM own.fair",
            "UPDATE __ducklake_metadata_main_.ducklake_data_file SET path = '{secret_file}'",
            "SELECT * FROM granted_t",
        ),
        by="hygiene landlock fence missing engine",
        control=_GRANTED,
        harmless="statements",
    ),
    case(
        "table-shadowed-reader-of-changes",
        *(
            "CREATE OR REPLACE TEMP MACRO ducklake_table_changes(a, b, c, d, e) AS TABLE SELECT 1",
            "CREATE OR REPLACE TEMP MACRO ducklake_table_insertions(a, b, c, d, e) AS TABLE SELECT 1",
            "UPDATE granted_t SET b = 'x'",
        ),
        by="table hygiene kinds engine",
        control=_OWN,
    ),
    case(
        "table-default-that-reads",
        "CREATE TABLE own.reads (a VARCHAR DEFAULT (SELECT max(b) FROM secret_t))",
        by="missing engine table kinds",
        control=_OWN,
    ),
)
