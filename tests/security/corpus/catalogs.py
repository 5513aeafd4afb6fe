"""PostgreSQL's catalogs: names, texts and comments of others' objects, and the engine's own catalogs behind them."""

from __future__ import annotations

from typing import Final

from tests.security.case import Case, Within, case

_SEEN: Final = Within(("SELECT relname FROM pg_catalog.pg_class WHERE relname = 'granted_t'",))
_IDS: Final = "range(11, 40000) AS ids(n)"

# What is answered, and must hold nothing of what the analyst may not see.
_ANSWERED: Final = (
    ("class", "SELECT * FROM pg_catalog.pg_class"),
    ("class-unqualified", "SELECT * FROM pg_class"),
    ("attribute", "SELECT * FROM pg_attribute"),
    (
        "attribute-by-oid",
        "SELECT attname FROM pg_attribute WHERE attrelid IN (SELECT n FROM range(11, 40000) AS ids(n))",
    ),
    ("description", "SELECT * FROM pg_description"),
    ("namespace", "SELECT * FROM pg_namespace"),
    ("attrdef", "SELECT * FROM pg_attrdef"),
    ("views", "SELECT * FROM pg_views"),
    ("tables", "SELECT * FROM pg_tables"),
    ("statistics", "SELECT * FROM pg_stats"),
    ("statistics-of-tables", "SELECT * FROM pg_stat_all_tables"),
    ("activity", "SELECT * FROM pg_stat_activity"),
    ("roles", "SELECT * FROM pg_authid"),
    ("shadow", "SELECT passwd FROM pg_shadow"),
    ("settings", "SELECT * FROM pg_settings"),
    ("servers", "SELECT * FROM pg_foreign_server"),
    ("mappings", "SELECT * FROM pg_user_mappings"),
    ("connections", "SELECT * FROM fairlead.connections"),
    ("stages", "SELECT * FROM fairlead.stages"),
    ("schemata", "SELECT * FROM information_schema.schemata"),
    ("is-tables", "SELECT * FROM information_schema.tables"),
    ("is-columns", "SELECT * FROM information_schema.columns"),
    ("is-views", "SELECT * FROM information_schema.views"),
    ("is-privileges", "SELECT * FROM information_schema.table_privileges"),
    ("is-column-privileges", "SELECT * FROM information_schema.column_privileges"),
    ("other-database", "SELECT * FROM vaultdb.information_schema.columns"),
    ("other-database-class", "SELECT * FROM vaultdb.pg_catalog.pg_class"),
    ("name-by-oid", f"SELECT n::regclass::text FROM {_IDS}"),
    ("viewdef-by-oid", f"SELECT pg_get_viewdef(n) FROM {_IDS}"),
    ("comment-by-oid", f"SELECT obj_description(n) FROM {_IDS}"),
    ("column-comment-by-oid", f"SELECT col_description(n, 1) FROM {_IDS}"),
    ("user-by-oid", f"SELECT pg_get_userbyid(n) FROM {_IDS}"),
    ("right-by-oid", f"SELECT n, has_table_privilege(n, 'SELECT') FROM {_IDS}"),
    ("size-by-oid", f"SELECT pg_total_relation_size(n) FROM {_IDS}"),
    ("visible-by-oid", f"SELECT pg_table_is_visible(n) FROM {_IDS}"),
    ("to-regclass", "SELECT to_regclass('secret_t')"),
    ("base-tables", "SELECT c.relname, b.* FROM pg_class c, temp.main.fairlead_1_base_relation b"),
    (
        "base-columns",
        "SELECT a.attname, b.* FROM pg_attribute a, temp.main.fairlead_1_base_column b WHERE a.attnum = b.number",
    ),
)
# What is refused: for want of the thing, or of the right.
_REFUSED: Final = (
    ("cast", "SELECT 'secret_t'::regclass", "engine missing"),
    ("cast-qualified", "SELECT 'hr.salaries'::regclass", "engine missing"),
    ("viewdef", "SELECT pg_get_viewdef('secret_v')", "engine missing"),
    ("right", "SELECT has_table_privilege('secret_t', 'SELECT')", "engine missing"),
    ("right-of-another", "SELECT has_table_privilege('fairlead', 'granted_t', 'SELECT')", "engine missing"),
    ("size", "SELECT pg_relation_size('secret_t')", "engine missing"),
    ("engines-catalog", "SELECT * FROM main_.pg_catalog.pg_class", "database"),
    ("engines-information-schema", "SELECT * FROM main_.information_schema.tables", "database"),
    ("engines-system", "SELECT * FROM system.information_schema.tables", "database"),
    ("engines-memory", "SELECT * FROM memory.pg_catalog.pg_class", "database"),
    ("engines-settings", "SELECT * FROM system.pg_catalog.pg_settings", "database"),
    ("engines-setting-beside-ours", "SELECT system.main.current_setting('a') FROM pg_settings", "hygiene setting"),
    ("engines-databases-beside-ours", "SELECT * FROM pg_class, duckdb_databases()", "hygiene"),
    ("unknown", "SELECT * FROM pg_catalog.pg_largeobject", "missing"),
    ("unknown-information-schema", "SELECT * FROM information_schema.files", "missing"),
    ("update", "UPDATE pg_catalog.pg_class SET relname = 'x'", "table"),
    ("grant-oneself", "UPDATE pg_class SET relacl = NULL WHERE relname = 'secret_t'", "table"),
    ("delete", "DELETE FROM pg_class", "table"),
    ("drop", "DROP TABLE pg_class", "table"),
    ("shadow-view", "CREATE TEMP VIEW shadow AS SELECT * FROM pg_class", "kinds table request"),
)

CASES: Final[tuple[Case, ...]] = (
    *(case(f"catalog-{id_}", sql, by="engine missing", control=_SEEN, scoped=True) for id_, sql in _ANSWERED),
    *(case(f"catalog-{id_}", sql, by=by, control=_SEEN, harmless="statements") for id_, sql, by in _REFUSED),
    case(
        "catalog-changed-behind",
        *(
            "SELECT count(*) FROM pg_class",
            "UPDATE temp.main.fairlead_1_base_relation SET rights = 'rawdD', acl = NULL",
            "CREATE OR REPLACE TEMP MACRO fairlead_1_f_has_table_privilege(o_, p_) AS true",
            "SELECT * FROM secret_t",
        ),
        by="missing table",
        control=_SEEN,
    ),
    case(
        "catalog-revoked",
        *("SELECT count(*) FROM pg_class", "SELECT 'lent_t'::regclass"),
        by="missing engine",
        before=("GRANT SELECT ON lent_t TO analyst", "REVOKE SELECT ON lent_t FROM analyst"),
        control=_SEEN,
    ),
)
