"""The relations of ``pg_catalog`` as SQL over the base tables; columns as in PostgreSQL 16 (its chapter 53).

What a gateway does not have (indexes, triggers, publications ...) is there with its columns and without rows, because
clients join it.
"""

from __future__ import annotations

from typing import Final

_TYPE: Final = """
    LEFT JOIN {base_type} ty ON ty.engine = CASE WHEN c.type LIKE 'DECIMAL%' THEN 'DECIMAL'
        ELSE regexp_replace(c.type, '(\\[[0-9]*\\])+$', '') END
"""

RELATIONS: Final[dict[str, str]] = {
    "pg_database": """
        SELECT oid, name AS datname, owner AS datdba, 6 AS encoding, 'c' AS datlocprovider, false AS datistemplate,
            true AS datallowconn, -1 AS datconnlimit, 0::BIGINT AS datfrozenxid, 0::BIGINT AS datminmxid,
            1663::BIGINT AS dattablespace, 'C.UTF-8' AS datcollate, 'C.UTF-8' AS datctype,
            NULL::VARCHAR AS daticulocale, NULL::VARCHAR AS daticurules, NULL::VARCHAR AS datcollversion, acl AS datacl
        FROM {base_database}""",
    "pg_namespace": """
        SELECT oid, name AS nspname, owner AS nspowner, acl AS nspacl FROM {base_schema}""",
    "pg_class": """
        SELECT oid, name AS relname, schema AS relnamespace, 0::BIGINT AS reltype, 0::BIGINT AS reloftype,
            owner AS relowner, CASE kind WHEN 'r' THEN 2 ELSE 0 END::BIGINT AS relam, oid AS relfilenode,
            0::BIGINT AS reltablespace, coalesce(bytes, 0) // 8192 AS relpages, coalesce(rows, -1)::FLOAT AS reltuples,
            0 AS relallvisible, 0::BIGINT AS reltoastrelid, false AS relhasindex, false AS relisshared,
            persistence AS relpersistence, kind AS relkind, columns AS relnatts, 0::SMALLINT AS relchecks,
            kind = 'v' AS relhasrules, false AS relhastriggers, false AS relhassubclass, false AS relrowsecurity,
            false AS relforcerowsecurity, true AS relispopulated, 'd' AS relreplident, false AS relispartition,
            0::BIGINT AS relrewrite, 0::BIGINT AS relfrozenxid, 0::BIGINT AS relminmxid, acl AS relacl,
            NULL::VARCHAR[] AS reloptions, NULL::VARCHAR AS relpartbound
        FROM {relation}""",
    "pg_attribute": f"""
        SELECT c.relation AS attrelid, c.name AS attname,
            CASE WHEN c.type LIKE '%]%]' THEN 25 WHEN c.type LIKE '%]' THEN coalesce(ty.array_oid, 1009)
                ELSE coalesce(ty.oid, 25) END AS atttypid,
            CASE WHEN c.type LIKE '%]' THEN -1 ELSE coalesce(ty.size, -1) END::SMALLINT AS attlen, c.number AS attnum,
            -1 AS attcacheoff, CASE WHEN c.type LIKE 'DECIMAL(%)' THEN
                regexp_extract(c.type, '\\((\\d+)', 1)::INTEGER * 65536
                    + regexp_extract(c.type, ',(\\d+)', 1)::INTEGER + 4
                ELSE -1 END AS atttypmod,
            (len(c.type) - len(replace(c.type, ']', '')))::SMALLINT AS attndims,
            coalesce(ty.by_value, false) AND c.type NOT LIKE '%]' AS attbyval, coalesce(ty.alignment, 'i') AS attalign,
            coalesce(ty.storage, 'x') AS attstorage, '' AS attcompression, NOT c.nullable AS attnotnull,
            c.standard IS NOT NULL AS atthasdef, false AS atthasmissing, '' AS attidentity, '' AS attgenerated,
            false AS attisdropped, true AS attislocal, 0::SMALLINT AS attinhcount, -1::SMALLINT AS attstattarget,
            coalesce(ty.collate_oid, 100) AS attcollation, c.acl AS attacl, NULL::VARCHAR[] AS attoptions,
            NULL::VARCHAR[] AS attfdwoptions, NULL::VARCHAR AS attmissingval
        FROM {{column}} c {_TYPE}""",
    "pg_attrdef": """
        SELECT relation * 2000 + number AS oid, relation AS adrelid, number AS adnum, standard AS adbin
        FROM {column} WHERE standard IS NOT NULL""",
    "pg_type": """
        SELECT oid, name AS typname, 11::BIGINT AS typnamespace, {f_house_owner}() AS typowner, size AS typlen,
            by_value AS typbyval, CASE WHEN category = 'P' THEN 'p' ELSE 'b' END AS typtype, category AS typcategory,
            preferred AS typispreferred, true AS typisdefined, ',' AS typdelim, 0::BIGINT AS typrelid,
            CASE WHEN element <> 0 THEN 'array_subscript_handler' ELSE '-' END AS typsubscript, element AS typelem,
            array_oid AS typarray, CASE WHEN element <> 0 THEN 'array_in' ELSE name || 'in' END AS typinput,
            CASE WHEN element <> 0 THEN 'array_out' ELSE name || 'out' END AS typoutput,
            CASE WHEN element <> 0 THEN 'array_recv' ELSE name || 'recv' END AS typreceive,
            CASE WHEN element <> 0 THEN 'array_send' ELSE name || 'send' END AS typsend, '-' AS typmodin,
            '-' AS typmodout, '-' AS typanalyze, alignment AS typalign, storage AS typstorage, false AS typnotnull,
            0::BIGINT AS typbasetype, -1 AS typtypmod, 0 AS typndims, collate_oid AS typcollation,
            NULL::VARCHAR AS typdefaultbin, NULL::VARCHAR AS typdefault, NULL::VARCHAR[] AS typacl
        FROM (SELECT DISTINCT ON (oid) * FROM {base_type})""",
    "pg_roles": """
        SELECT name AS rolname, superuser AS rolsuper, true AS rolinherit, create_role AS rolcreaterole,
            create_database AS rolcreatedb, login AS rolcanlogin, false AS rolreplication, -1 AS rolconnlimit,
            '********' AS rolpassword, NULL::TIMESTAMPTZ AS rolvaliduntil, false AS rolbypassrls,
            NULL::VARCHAR[] AS rolconfig, oid
        FROM {base_role} WHERE name <> 'public'""",
    "pg_authid": "SELECT * EXCLUDE (rolpassword), NULL::VARCHAR AS rolpassword FROM {pg_roles}",
    "pg_user": """
        SELECT rolname AS usename, oid AS usesysid, rolcreatedb AS usecreatedb, rolsuper AS usesuper, false AS userepl,
            false AS usebypassrls, rolpassword AS passwd, rolvaliduntil AS valuntil, rolconfig AS useconfig
        FROM {pg_roles} WHERE rolcanlogin""",
    "pg_shadow": "SELECT * REPLACE (NULL::VARCHAR AS passwd) FROM {pg_user}",
    "pg_group": """
        SELECT name AS groname, oid AS grosysid,
            (SELECT list(member) FROM {base_member} m WHERE m.role = r.oid) AS grolist
        FROM {base_role} r WHERE NOT login AND name <> 'public'""",
    "pg_auth_members": """
        SELECT role * 100000 + member AS oid, role AS roleid, member, 10::BIGINT AS grantor, false AS admin_option,
            true AS inherit_option, true AS set_option
        FROM {base_member}""",
    "pg_description": """
        SELECT oid AS objoid, 1259::BIGINT AS classoid, 0 AS objsubid, comment AS description
        FROM {relation} WHERE comment <> ''
        UNION ALL SELECT relation, 1259, number, comment FROM {column} WHERE comment <> ''
        UNION ALL SELECT oid, 2615, 0, comment FROM {base_schema} WHERE comment <> ''""",
    "pg_shdescription": """
        SELECT 0::BIGINT AS objoid, 0::BIGINT AS classoid, ''::VARCHAR AS description WHERE false""",
    "pg_tables": """
        SELECT n.nspname AS schemaname, c.relname AS tablename, r.rolname AS tableowner, NULL::VARCHAR AS tablespace,
            false AS hasindexes, false AS hasrules, false AS hastriggers, false AS rowsecurity
        FROM {pg_class} c JOIN {pg_namespace} n ON n.oid = c.relnamespace LEFT JOIN {pg_roles} r ON r.oid = c.relowner
        WHERE c.relkind IN ('r', 'p')""",
    "pg_views": """
        SELECT n.nspname AS schemaname, c.relname AS viewname, r.rolname AS viewowner,
            {f_pg_get_viewdef}(c.oid) AS definition
        FROM {pg_class} c JOIN {pg_namespace} n ON n.oid = c.relnamespace LEFT JOIN {pg_roles} r ON r.oid = c.relowner
        WHERE c.relkind = 'v'""",
    "pg_settings": """
        SELECT name, setting, NULL::VARCHAR AS unit, 'Fairlead' AS category, description AS short_desc,
            NULL::VARCHAR AS extra_desc, context, 'string' AS vartype, source, NULL::VARCHAR AS min_val,
            NULL::VARCHAR AS max_val, NULL::VARCHAR[] AS enumvals, boot AS boot_val, boot AS reset_val,
            NULL::VARCHAR AS sourcefile, NULL::INTEGER AS sourceline, false AS pending_restart
        FROM {base_setting}""",
    "pg_stat_activity": """
        SELECT d.oid AS datid, a.database AS datname, a.number AS pid, NULL::INTEGER AS leader_pid, r.oid AS usesysid,
            a.user_name AS usename, a.application AS application_name, a.client AS client_addr,
            NULL::VARCHAR AS client_hostname, NULL::INTEGER AS client_port, a.started AS backend_start,
            NULL::TIMESTAMPTZ AS xact_start, NULL::TIMESTAMPTZ AS query_start, NULL::TIMESTAMPTZ AS state_change,
            NULL::VARCHAR AS wait_event_type, NULL::VARCHAR AS wait_event, a.state, NULL::BIGINT AS backend_xid,
            NULL::BIGINT AS backend_xmin, NULL::BIGINT AS query_id, NULL::VARCHAR AS query,
            'client backend' AS backend_type
        FROM {base_session} a LEFT JOIN {base_database} d ON d.name = a.database
            LEFT JOIN {base_role} r ON r.name = a.user_name""",
    "pg_proc": """
        SELECT 0::BIGINT AS oid, ''::VARCHAR AS proname, 0::BIGINT AS pronamespace, 0::BIGINT AS proowner,
            0::BIGINT AS prolang, 0::FLOAT AS procost, 0::FLOAT AS prorows, 0::BIGINT AS provariadic, '-' AS prosupport,
            'f' AS prokind, false AS prosecdef, false AS proleakproof, false AS proisstrict, false AS proretset,
            'i' AS provolatile, 's' AS proparallel, 0::SMALLINT AS pronargs, 0::SMALLINT AS pronargdefaults,
            0::BIGINT AS prorettype, NULL::BIGINT[] AS proargtypes, NULL::BIGINT[] AS proallargtypes,
            NULL::VARCHAR[] AS proargmodes, NULL::VARCHAR[] AS proargnames, NULL::VARCHAR AS proargdefaults,
            NULL::BIGINT[] AS protrftypes, NULL::VARCHAR AS prosrc, NULL::VARCHAR AS probin,
            NULL::VARCHAR AS prosqlbody, NULL::VARCHAR[] AS proconfig, NULL::VARCHAR[] AS proacl WHERE false""",
    "pg_foreign_data_wrapper": """
        SELECT 16000::BIGINT AS oid, 'fairlead' AS fdwname, {f_house_owner}() AS fdwowner, 0::BIGINT AS fdwhandler,
            0::BIGINT AS fdwvalidator, NULL::VARCHAR[] AS fdwacl, NULL::VARCHAR[] AS fdwoptions""",
    "pg_foreign_server": """
        SELECT oid, name AS srvname, owner AS srvowner, 16000::BIGINT AS srvfdw, type AS srvtype,
            NULL::VARCHAR AS srvversion, acl AS srvacl, NULL::VARCHAR[] AS srvoptions
        FROM {base_connection} WHERE current""",
    "pg_am": """
        SELECT 2::BIGINT AS oid, 'ducklake' AS amname, 'ducklake_handler' AS amhandler, 't' AS amtype""",
    "pg_language": """
        SELECT 14::BIGINT AS oid, 'sql' AS lanname, {f_house_owner}() AS lanowner, false AS lanispl,
            true AS lanpltrusted,
            0::BIGINT AS lanplcallfoid, 0::BIGINT AS laninline, 0::BIGINT AS lanvalidator, NULL::VARCHAR[] AS lanacl""",
    "pg_tablespace": """
        SELECT 1663::BIGINT AS oid, 'pg_default' AS spcname, {f_house_owner}() AS spcowner, NULL::VARCHAR[] AS spcacl,
            NULL::VARCHAR[] AS spcoptions""",
    "pg_collation": """
        SELECT * FROM (VALUES
            (100::BIGINT, 'default', 11::BIGINT, 10::BIGINT, 'd', true, -1, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR,
                NULL::VARCHAR, NULL::VARCHAR),
            (950, 'C', 11, 10, 'c', true, -1, 'C', 'C', NULL, NULL, NULL)
        ) AS c(oid, collname, collnamespace, collowner, collprovider, collisdeterministic, collencoding, collcollate,
            collctype, colliculocale, collicurules, collversion)""",
    "pg_stat_user_tables": """
        SELECT c.oid AS relid, n.nspname AS schemaname, c.relname, 0::BIGINT AS seq_scan, 0::BIGINT AS seq_tup_read,
            0::BIGINT AS idx_scan, 0::BIGINT AS idx_tup_fetch, 0::BIGINT AS n_tup_ins, 0::BIGINT AS n_tup_upd,
            0::BIGINT AS n_tup_del, c.reltuples::BIGINT AS n_live_tup, 0::BIGINT AS n_dead_tup
        FROM {pg_class} c JOIN {pg_namespace} n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')""",
    "pg_stat_all_tables": "SELECT * FROM {pg_stat_user_tables}",
    "pg_depend": """
        SELECT 0::BIGINT AS classid, 0::BIGINT AS objid, 0 AS objsubid, 0::BIGINT AS refclassid, 0::BIGINT AS refobjid,
            0 AS refobjsubid, 'n' AS deptype WHERE false""",
}
