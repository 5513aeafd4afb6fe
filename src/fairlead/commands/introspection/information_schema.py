"""The relations of ``information_schema`` as SQL over those of ``pg_catalog`` (PostgreSQL 16, chapter 37)."""

from __future__ import annotations

from typing import Final

_DATABASE: Final = "(SELECT name FROM {base_database} WHERE current)"
# As the standard calls the types, with what is asked of them most.
_TYPE_COLUMNS: Final = """
    CASE WHEN ty.typelem <> 0 AND ty.typlen = -1 THEN 'ARRAY' ELSE {f_format_type}(a.atttypid, NULL) END AS data_type,
    NULL::INTEGER AS character_maximum_length,
    CASE WHEN a.atttypid IN (25, 1042, 1043) THEN 1073741824 END AS character_octet_length,
    CASE a.atttypid WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53
        WHEN 1700 THEN CASE WHEN a.atttypmod >= 4 THEN (a.atttypmod - 4) // 65536 END END AS numeric_precision,
    CASE WHEN a.atttypid IN (21, 23, 20, 700, 701) THEN 2 WHEN a.atttypid = 1700 THEN 10 END AS numeric_precision_radix,
    CASE WHEN a.atttypid IN (21, 23, 20) THEN 0
        WHEN a.atttypid = 1700 AND a.atttypmod >= 4 THEN (a.atttypmod - 4) % 65536 END AS numeric_scale,
    CASE WHEN a.atttypid IN (1083, 1114, 1184, 1266, 1186) THEN 6 WHEN a.atttypid = 1082 THEN 0 END
        AS datetime_precision,
    NULL::VARCHAR AS interval_type, NULL::INTEGER AS interval_precision, NULL::VARCHAR AS character_set_catalog,
    NULL::VARCHAR AS character_set_schema, NULL::VARCHAR AS character_set_name, NULL::VARCHAR AS collation_catalog,
    NULL::VARCHAR AS collation_schema, NULL::VARCHAR AS collation_name"""


def _none(columns: str, types: str = "VARCHAR") -> str:
    return "SELECT " + ", ".join(f"NULL::{types} AS {name}" for name in columns.split()) + " WHERE false"


RELATIONS: Final[dict[str, str]] = {
    "information_schema_catalog_name": f"SELECT {_DATABASE} AS catalog_name",
    "schemata": f"""
        SELECT {_DATABASE} AS catalog_name, n.nspname AS schema_name, r.rolname AS schema_owner,
            NULL::VARCHAR AS default_character_set_catalog, NULL::VARCHAR AS default_character_set_schema,
            NULL::VARCHAR AS default_character_set_name, NULL::VARCHAR AS sql_path
        FROM {{pg_namespace}} n LEFT JOIN {{pg_roles}} r ON r.oid = n.nspowner""",
    "tables": f"""
        SELECT {_DATABASE} AS table_catalog, n.nspname AS table_schema, c.relname AS table_name,
            CASE WHEN c.relpersistence = 't' THEN 'LOCAL TEMPORARY' WHEN c.relkind = 'v' THEN 'VIEW'
                ELSE 'BASE TABLE' END AS table_type,
            NULL::VARCHAR AS self_referencing_column_name, NULL::VARCHAR AS reference_generation,
            NULL::VARCHAR AS user_defined_type_catalog, NULL::VARCHAR AS user_defined_type_schema,
            NULL::VARCHAR AS user_defined_type_name,
            CASE WHEN c.relkind = 'r' THEN 'YES' ELSE 'NO' END AS is_insertable_into, 'NO' AS is_typed,
            NULL::VARCHAR AS commit_action
        FROM {{pg_class}} c JOIN {{pg_namespace}} n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'v', 'p', 'f')""",
    "views": f"""
        SELECT {_DATABASE} AS table_catalog, n.nspname AS table_schema, c.relname AS table_name,
            {{f_pg_get_viewdef}}(c.oid) AS view_definition, 'NONE' AS check_option, 'NO' AS is_updatable,
            'NO' AS is_insertable_into, 'NO' AS is_trigger_updatable, 'NO' AS is_trigger_deletable,
            'NO' AS is_trigger_insertable_into
        FROM {{pg_class}} c JOIN {{pg_namespace}} n ON n.oid = c.relnamespace WHERE c.relkind = 'v'""",
    "columns": f"""
        SELECT {_DATABASE} AS table_catalog, n.nspname AS table_schema, c.relname AS table_name,
            a.attname AS column_name, a.attnum::INTEGER AS ordinal_position, d.adbin AS column_default,
            CASE WHEN a.attnotnull THEN 'NO' ELSE 'YES' END AS is_nullable, {_TYPE_COLUMNS},
            NULL::VARCHAR AS domain_catalog, NULL::VARCHAR AS domain_schema, NULL::VARCHAR AS domain_name,
            {_DATABASE} AS udt_catalog, 'pg_catalog' AS udt_schema, ty.typname AS udt_name,
            NULL::VARCHAR AS scope_catalog, NULL::VARCHAR AS scope_schema, NULL::VARCHAR AS scope_name,
            NULL::INTEGER AS maximum_cardinality, a.attnum::VARCHAR AS dtd_identifier, 'NO' AS is_self_referencing,
            'NO' AS is_identity, NULL::VARCHAR AS identity_generation, NULL::VARCHAR AS identity_start,
            NULL::VARCHAR AS identity_increment, NULL::VARCHAR AS identity_maximum, NULL::VARCHAR AS identity_minimum,
            'NO' AS identity_cycle, 'NEVER' AS is_generated, NULL::VARCHAR AS generation_expression,
            CASE WHEN c.relkind = 'r' THEN 'YES' ELSE 'NO' END AS is_updatable
        FROM {{pg_attribute}} a JOIN {{pg_class}} c ON c.oid = a.attrelid
            JOIN {{pg_namespace}} n ON n.oid = c.relnamespace JOIN {{pg_type}} ty ON ty.oid = a.atttypid
            LEFT JOIN {{pg_attrdef}} d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attnum > 0""",
    "table_privileges": f"""
        SELECT split_part(g.entry, '/', 2) AS grantor,
            CASE split_part(g.entry, '=', 1) WHEN '' THEN 'PUBLIC' ELSE split_part(g.entry, '=', 1) END AS grantee,
            {_DATABASE} AS table_catalog, n.nspname AS table_schema, g.relname AS table_name,
            p.name AS privilege_type,
            CASE WHEN split_part(split_part(g.entry, '=', 2), '/', 1) LIKE '%' || p.letter || '*%' THEN 'YES' ELSE 'NO'
                END AS is_grantable,
            CASE WHEN p.letter = 'r' THEN 'YES' ELSE 'NO' END AS with_hierarchy
        FROM (SELECT relname, relnamespace, unnest(relacl) AS entry FROM {{pg_class}}) g
            JOIN {{pg_namespace}} n ON n.oid = g.relnamespace,
            (VALUES ('r', 'SELECT'), ('a', 'INSERT'), ('w', 'UPDATE'), ('d', 'DELETE'), ('D', 'TRUNCATE'))
                p(letter, name)
        WHERE contains(split_part(split_part(g.entry, '=', 2), '/', 1), p.letter)""",
    "role_table_grants": "SELECT * FROM {information_schema_table_privileges} WHERE grantee <> 'PUBLIC'",
    "column_privileges": f"""
        SELECT split_part(g.entry, '/', 2) AS grantor,
            CASE split_part(g.entry, '=', 1) WHEN '' THEN 'PUBLIC' ELSE split_part(g.entry, '=', 1) END AS grantee,
            {_DATABASE} AS table_catalog, n.nspname AS table_schema, c.relname AS table_name,
            g.attname AS column_name, 'SELECT' AS privilege_type, 'NO' AS is_grantable
        FROM (SELECT attrelid, attname, unnest(attacl) AS entry FROM {{pg_attribute}}) g
            JOIN {{pg_class}} c ON c.oid = g.attrelid JOIN {{pg_namespace}} n ON n.oid = c.relnamespace""",
    "enabled_roles": "SELECT rolname AS role_name FROM {pg_roles} WHERE {f_pg_has_role}(oid, 'USAGE')",
    "applicable_roles": """
        SELECT m.rolname AS grantee, r.rolname AS role_name, 'NO' AS is_grantable
        FROM {pg_auth_members} a JOIN {pg_roles} m ON m.oid = a.member JOIN {pg_roles} r ON r.oid = a.roleid""",
    "foreign_data_wrappers": f"""
        SELECT {_DATABASE} AS foreign_data_wrapper_catalog, fdwname AS foreign_data_wrapper_name,
            'fairlead' AS authorization_identifier, NULL::VARCHAR AS library_name,
            'sql' AS foreign_data_wrapper_language FROM {{pg_foreign_data_wrapper}}""",
    "foreign_servers": f"""
        SELECT {_DATABASE} AS foreign_server_catalog, srvname AS foreign_server_name,
            {_DATABASE} AS foreign_data_wrapper_catalog, 'fairlead' AS foreign_data_wrapper_name,
            srvtype AS foreign_server_type, srvversion AS foreign_server_version,
            r.rolname AS authorization_identifier
        FROM {{pg_foreign_server}} s LEFT JOIN {{pg_roles}} r ON r.oid = s.srvowner""",
    "character_sets": f"""
        SELECT NULL::VARCHAR AS character_set_catalog, NULL::VARCHAR AS character_set_schema,
            'UTF8' AS character_set_name, 'UCS' AS character_repertoire, 'UTF8' AS form_of_use,
            {_DATABASE} AS default_collate_catalog, 'pg_catalog' AS default_collate_schema,
            'default' AS default_collate_name""",
    "table_constraints": _none(
        "constraint_catalog constraint_schema constraint_name table_catalog table_schema table_name constraint_type"
        " is_deferrable initially_deferred enforced nulls_distinct"
    ),
    "key_column_usage": """
        SELECT NULL::VARCHAR AS constraint_catalog, NULL::VARCHAR AS constraint_schema,
            NULL::VARCHAR AS constraint_name, NULL::VARCHAR AS table_catalog, NULL::VARCHAR AS table_schema,
            NULL::VARCHAR AS table_name, NULL::VARCHAR AS column_name, NULL::INTEGER AS ordinal_position,
            NULL::INTEGER AS position_in_unique_constraint WHERE false""",
    "constraint_column_usage": _none(
        "table_catalog table_schema table_name column_name constraint_catalog constraint_schema constraint_name"
    ),
    "constraint_table_usage": _none(
        "table_catalog table_schema table_name constraint_catalog constraint_schema constraint_name"
    ),
    "referential_constraints": _none(
        "constraint_catalog constraint_schema constraint_name unique_constraint_catalog unique_constraint_schema"
        " unique_constraint_name match_option update_rule delete_rule"
    ),
    "check_constraints": _none("constraint_catalog constraint_schema constraint_name check_clause"),
    "view_table_usage": _none("view_catalog view_schema view_name table_catalog table_schema table_name"),
    "triggers": _none(
        "trigger_catalog trigger_schema trigger_name event_manipulation event_object_catalog event_object_schema"
        " event_object_table action_order action_condition action_statement action_orientation action_timing"
    ),
    "sequences": _none(
        "sequence_catalog sequence_schema sequence_name data_type numeric_precision numeric_precision_radix"
        " numeric_scale start_value minimum_value maximum_value increment cycle_option"
    ),
    "routines": _none(
        "specific_catalog specific_schema specific_name routine_catalog routine_schema routine_name routine_type"
        " data_type type_udt_name routine_body routine_definition external_language is_deterministic security_type"
    ),
    "parameters": _none(
        "specific_catalog specific_schema specific_name ordinal_position parameter_mode parameter_name data_type"
        " udt_name parameter_default"
    ),
    "domains": _none("domain_catalog domain_schema domain_name data_type domain_default udt_name"),
    "element_types": _none("object_catalog object_schema object_name object_type collection_type_identifier data_type"),
    "foreign_tables": _none(
        "foreign_table_catalog foreign_table_schema foreign_table_name foreign_server_catalog foreign_server_name"
    ),
    "user_mappings": _none("authorization_identifier foreign_server_catalog foreign_server_name"),
}
