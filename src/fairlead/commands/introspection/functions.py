"""PostgreSQL's functions about its catalogs, as macros over the base tables (PostgreSQL 16, chapter 9.26).

Parameters have a name with ``_`` at its end, so that no column of a query inside is meant by it. A function that would
tell of something the user may not see answers as for something that is not there.
"""

from __future__ import annotations

from typing import Final

_LETTER_OF_TABLE: Final = (
    "CASE trim(replace(p, 'WITH GRANT OPTION', '')) WHEN 'SELECT' THEN 'r' WHEN 'INSERT' THEN 'a'"
    " WHEN 'UPDATE' THEN 'w' WHEN 'DELETE' THEN 'd' WHEN 'TRUNCATE' THEN 'D' ELSE 'x' END"
)
_LETTER_OF_PLACE: Final = "CASE trim(p) WHEN 'USAGE' THEN 'U' WHEN 'CREATE' THEN 'C' ELSE 'c' END"


def _privilege(of: str, letters: str, base: str) -> str:
    wanted = f"list_transform(string_split(upper(p_), ','), lambda p: {letters})"
    inside = f"(SELECT list_has_any({wanted}, string_split(t.rights, '')) FROM {{{base}}} t WHERE t.oid = {of})"
    return (
        f"(o_, p_) AS {inside}, (u_, o_, p_) AS CASE WHEN {{f_own_role}}(u_) THEN {inside} "
        "ELSE error('rights of others are shown by SHOW GRANTS') END"
    )


_TABLE: Final = _privilege("{f_regclass_oid}(o_)", _LETTER_OF_TABLE, "relation")
_SCHEMA: Final = _privilege("{f_regnamespace_oid}(o_)", _LETTER_OF_PLACE, "base_schema")
_DATABASE: Final = _privilege("{f_database_oid}(o_)", _LETTER_OF_PLACE, "base_database")
_SERVER: Final = _privilege("{f_server_oid}(o_)", _LETTER_OF_PLACE, "base_connection")


def _oid(found: str) -> str:
    """Return the macro that takes an id, or the name of something, and gives the id."""
    return f"(n_) AS coalesce(TRY_CAST(n_::VARCHAR AS BIGINT), {found})"


_NO_FUNCTION: Final = (
    "coalesce(TRY_CAST(n_ AS BIGINT), error('function \"' || n_::VARCHAR || '\" does not exist')::BIGINT)"
)
_IDENTIFIER: Final = '\'"(?:[^"]|"")+"|[^."]+\''

FUNCTIONS: Final[dict[str, str]] = {
    # --- who and where; what is not here is answered for every statement (engine/session_functions.py)
    "house_owner": "() AS (SELECT min(owner) FROM {base_schema} WHERE oid = 11)",
    "own_role": "(u_) AS u_::VARCHAR IN (SELECT unnest([name, oid::VARCHAR]) FROM {base_role} WHERE self)",
    "pg_postmaster_start_time": "() AS (SELECT min(started) FROM {base_session})",
    "pg_conf_load_time": "() AS (SELECT min(started) FROM {base_session})",
    "pg_is_wal_replay_paused": "() AS false",
    "pg_my_temp_schema": "() AS 0::BIGINT",
    "pg_is_other_temp_schema": "(s_) AS false",
    "inet_server_addr": "() AS NULL::VARCHAR",
    "inet_server_port": "() AS NULL::INTEGER",
    "inet_client_port": "() AS NULL::INTEGER",
    "pg_encoding_to_char": "(e_) AS CASE e_ WHEN 6 THEN 'UTF8' WHEN 0 THEN 'SQL_ASCII' ELSE '' END",
    "pg_char_to_encoding": "(e_) AS CASE lower(e_) WHEN 'utf8' THEN 6 ELSE -1 END",
    "current_setting": """(n_) AS coalesce((SELECT setting FROM {base_setting} WHERE lower(name) = lower(n_)),
        error('unrecognized configuration parameter "' || n_ || '"')),
        (n_, m_) AS (SELECT setting FROM {base_setting} WHERE lower(name) = lower(n_))""",
    "txid_current": "() AS 1::BIGINT",
    "pg_current_xact_id": "() AS 1::BIGINT",
    # --- names and ids
    "parts": f"""(n_) AS list_transform(regexp_extract_all(n_::VARCHAR, {_IDENTIFIER}),
        lambda x: replace(trim(x, '" '), '""', '"'))""",
    "regclass_oid": _oid(
        """(SELECT c.oid FROM {relation} c JOIN {base_schema} s ON s.oid = c.schema
            WHERE lower(c.name) = lower({f_parts}(n_)[-1])
                AND CASE WHEN len({f_parts}(n_)) > 1 THEN lower(s.name) = lower({f_parts}(n_)[-2])
                    ELSE s.visible END
            ORDER BY s.oid <> 11, c.persistence <> 't' LIMIT 1),
        CASE WHEN n_ IS NOT NULL THEN error('relation "' || n_::VARCHAR || '" does not exist') END::BIGINT"""
    ),
    "to_regclass": """(n_) AS (SELECT c.oid FROM {relation} c JOIN {base_schema} s ON s.oid = c.schema
            WHERE lower(c.name) = lower({f_parts}(n_)[-1])
                AND CASE WHEN len({f_parts}(n_)) > 1 THEN lower(s.name) = lower({f_parts}(n_)[-2])
                    ELSE s.visible END
            ORDER BY s.oid <> 11 LIMIT 1)""",
    "regclass_name": """(o_) AS CASE WHEN typeof(o_) = 'VARCHAR' THEN {f_regclass_oid}(o_)::VARCHAR
        ELSE coalesce((SELECT CASE WHEN s.visible THEN {f_quote_ident}(c.name)
            ELSE {f_quote_ident}(s.name) || '.' || {f_quote_ident}(c.name) END
            FROM {relation} c JOIN {base_schema} s ON s.oid = c.schema WHERE c.oid = TRY_CAST(o_ AS BIGINT)),
            CASE WHEN TRY_CAST(o_ AS BIGINT) = 0 THEN '-' ELSE o_::VARCHAR END) END""",
    "regnamespace_oid": _oid(
        """(SELECT oid FROM {base_schema} WHERE lower(name) = lower({f_parts}(n_)[-1])),
        CASE WHEN n_ IS NOT NULL THEN error('schema "' || n_::VARCHAR || '" does not exist') END::BIGINT"""
    ),
    "regnamespace_name": """(o_) AS (SELECT {f_quote_ident}(name) FROM {base_schema}
        WHERE oid = {f_regnamespace_oid}(o_))""",
    "regrole_oid": _oid(
        """(SELECT oid FROM {base_role} WHERE lower(name) = lower({f_parts}(n_)[-1])),
        CASE WHEN n_ IS NOT NULL THEN error('role "' || n_::VARCHAR || '" does not exist') END::BIGINT"""
    ),
    "regrole_name": "(o_) AS (SELECT {f_quote_ident}(name) FROM {base_role} WHERE oid = {f_regrole_oid}(o_))",
    "regtype_oid": _oid(
        """(SELECT min(oid) FROM {base_type}
            WHERE lower({f_parts}(n_)[-1]) IN (name, formatted)
                OR (n_::VARCHAR LIKE '%[]' AND oid IN (SELECT array_oid FROM {base_type}
                    WHERE lower(replace({f_parts}(n_)[-1], '[]', '')) IN (name, formatted)))),
        CASE WHEN n_ IS NOT NULL THEN error('type "' || n_::VARCHAR || '" does not exist') END::BIGINT"""
    ),
    "regtype_name": """(o_) AS CASE WHEN TRY_CAST(o_::VARCHAR AS BIGINT) = 0 THEN '-'
        ELSE {f_format_type}({f_regtype_oid}(o_), NULL) END""",
    "to_regtype": """(n_) AS (SELECT min(oid) FROM {base_type}
        WHERE lower({f_parts}(n_)[-1]) IN (name, formatted))""",
    "to_regnamespace": "(n_) AS (SELECT oid FROM {base_schema} WHERE lower(name) = lower({f_parts}(n_)[-1]))",
    "to_regrole": "(n_) AS (SELECT oid FROM {base_role} WHERE lower(name) = lower({f_parts}(n_)[-1]))",
    **{
        f"{kind}_{what}": "(n_) AS " + ("{f_parts}(n_)[-1]" if what == "name" else _NO_FUNCTION)
        for kind in ("regproc", "regprocedure", "regoper", "regoperator")
        for what in ("oid", "name")
    },
    "database_oid": _oid("(SELECT oid FROM {base_database} WHERE lower(name) = lower(n_::VARCHAR))"),
    "server_oid": _oid("(SELECT oid FROM {base_connection} WHERE lower(name) = lower(n_::VARCHAR) AND current)"),
    "pg_get_userbyid": """(o_) AS coalesce((SELECT name FROM {base_role} WHERE oid = o_),
        'unknown (OID=' || o_::VARCHAR || ')')""",
    "quote_ident": """(n_) AS CASE WHEN regexp_full_match(n_::VARCHAR, '[a-z_][a-z0-9_$]*') THEN n_::VARCHAR
        ELSE '"' || replace(n_::VARCHAR, '"', '""') || '"' END""",
    "quote_literal": "(n_) AS '''' || replace(n_::VARCHAR, '''', '''''') || ''''",
    "format": """(f_, a_) AS {f_format_one}(f_, a_), (f_, a_, b_) AS {f_format_one}({f_format_one}(f_, a_), b_),
        (f_, a_, b_, c_) AS {f_format_one}({f_format_one}({f_format_one}(f_, a_), b_), c_)""",
    "format_one": """(f_, a_) AS regexp_replace(f_, '%[IsL]', replace(CASE regexp_extract(f_, '%([IsL])', 1)
        WHEN 'I' THEN {f_quote_ident}(a_) WHEN 'L' THEN {f_quote_nullable}(a_) ELSE a_::VARCHAR END, '\\', '\\\\'))""",
    "pg_get_keywords": """() AS TABLE SELECT keyword_name AS word, keyword_category[1:1] AS catcode,
        true AS barelabel, keyword_category AS catdesc, 'can be bare label' AS baredesc
        FROM system.main.duckdb_keywords()""",
    "quote_nullable": "(n_) AS coalesce('''' || replace(n_::VARCHAR, '''', '''''') || '''', 'NULL')",
    "format_type": """(o_, m_) AS CASE WHEN o_ IS NULL THEN NULL
        ELSE coalesce((SELECT min(t.formatted) FROM {base_type} t WHERE t.oid = o_), '???')
            || CASE WHEN o_ = 1700 AND coalesce(m_, -1) >= 4
                THEN '(' || ((m_ - 4) // 65536)::VARCHAR || ',' || ((m_ - 4) % 65536)::VARCHAR || ')'
                ELSE '' END END""",
    # --- what things are
    "pg_table_is_visible": """(o_) AS coalesce((SELECT s.visible FROM {relation} c
        JOIN {base_schema} s ON s.oid = c.schema WHERE c.oid = o_), false)""",
    **{
        f"pg_{kind}_is_visible": "(o_) AS o_ IS NOT NULL"
        for kind in (
            *("type", "function", "operator", "opclass", "opfamily", "collation", "conversion", "statistics_obj"),
            *("ts_config", "ts_dict", "ts_parser", "ts_template"),
        )
    },
    "obj_description": """(o_) AS (SELECT min(description) FROM {pg_description} WHERE objoid = o_ AND objsubid = 0),
        (o_, c_) AS (SELECT description FROM {pg_description} d WHERE d.objoid = o_ AND d.objsubid = 0
            AND d.classoid = (SELECT oid FROM {relation} WHERE name = c_ AND schema = 11))""",
    "col_description": """(o_, n_) AS (SELECT comment FROM {column} c WHERE c.relation = o_ AND c.number = n_
        AND comment <> '')""",
    "shobj_description": "(o_, c_) AS NULL::VARCHAR",
    "pg_get_expr": "(e_, o_) AS e_, (e_, o_, p_) AS e_",
    "pg_get_viewdef": """(o_) AS (SELECT sql FROM {relation} c WHERE c.oid = {f_regclass_oid}(o_) AND c.kind = 'v'),
        (o_, p_) AS (SELECT sql FROM {relation} c WHERE c.oid = {f_regclass_oid}(o_) AND c.kind = 'v')""",
    **dict.fromkeys(
        ("pg_get_constraintdef", "pg_get_triggerdef", "pg_get_ruledef", "pg_get_function_arg_default"),
        "(o_) AS NULL::VARCHAR, (o_, p_) AS NULL::VARCHAR",
    ),
    "pg_get_indexdef": "(o_) AS NULL::VARCHAR, (o_, n_, p_) AS NULL::VARCHAR",
    **dict.fromkeys(
        (
            *("pg_get_functiondef", "pg_get_function_result", "pg_get_function_arguments", "pg_get_partkeydef"),
            *("pg_get_function_identity_arguments", "pg_get_statisticsobjdef", "pg_get_statisticsobjdef_columns"),
            *("pg_get_partition_constraintdef", "pg_get_function_sqlbody", "pg_tablespace_location"),
        ),
        "(o_) AS NULL::VARCHAR",
    ),
    "pg_get_serial_sequence": "(t_, c_) AS NULL::VARCHAR",
    "pg_relation_is_publishable": "(o_) AS false",
    "pg_relation_is_updatable": """(o_, i_) AS CASE WHEN (SELECT kind FROM {relation} c WHERE c.oid = o_) = 'r'
        THEN 28 ELSE 0 END""",
    "pg_column_is_updatable": "(o_, n_, i_) AS (SELECT kind FROM {relation} c WHERE c.oid = o_) = 'r'",
    "pg_index_has_property": "(o_, p_) AS NULL::BOOLEAN",
    "pg_indexam_has_property": "(o_, p_) AS false",
    # --- sizes
    **dict.fromkeys(
        ("pg_table_size", "pg_total_relation_size"),
        "(o_) AS (SELECT coalesce(bytes, 0) FROM {relation} c WHERE c.oid = {f_regclass_oid}(o_))",
    ),
    "pg_relation_size": """(o_) AS (SELECT coalesce(bytes, 0) FROM {relation} c WHERE c.oid = {f_regclass_oid}(o_)),
        (o_, f_) AS (SELECT coalesce(bytes, 0) FROM {relation} c WHERE c.oid = {f_regclass_oid}(o_))""",
    "pg_indexes_size": "(o_) AS 0::BIGINT",
    "pg_database_size": """(o_) AS CASE WHEN {f_database_oid}(o_) = (SELECT oid FROM {base_database} WHERE current)
        THEN (SELECT coalesce(sum(bytes), 0)::BIGINT FROM {relation}) END""",
    "pg_tablespace_size": "(o_) AS NULL::BIGINT",
    "pg_size_pretty": """(b_) AS CASE WHEN abs(b_) < 10240 THEN b_::VARCHAR || ' bytes'
        WHEN abs(b_) < 10485760 THEN round(b_ / 1024)::BIGINT::VARCHAR || ' kB'
        WHEN abs(b_) < 10737418240 THEN round(b_ / 1048576)::BIGINT::VARCHAR || ' MB'
        ELSE round(b_ / 1073741824)::BIGINT::VARCHAR || ' GB' END""",
    # --- rights
    "has_table_privilege": _TABLE,
    "has_any_column_privilege": _TABLE,
    "has_schema_privilege": _SCHEMA,
    "has_database_privilege": _DATABASE,
    "has_server_privilege": _SERVER,
    "has_column_privilege": """(o_, c_, p_) AS {f_has_table_privilege}(o_, p_),
        (u_, o_, c_, p_) AS {f_has_table_privilege}(u_, o_, p_)""",
    **dict.fromkeys(
        (
            *("has_function_privilege", "has_type_privilege", "has_language_privilege", "has_tablespace_privilege"),
            *("has_sequence_privilege", "has_foreign_data_wrapper_privilege", "has_parameter_privilege"),
        ),
        "(o_, p_) AS true, (u_, o_, p_) AS true",
    ),
    "pg_has_role": """(r_, p_) AS (SELECT held FROM {base_role} WHERE r_::VARCHAR IN (name, oid::VARCHAR)),
        (u_, r_, p_) AS CASE WHEN {f_own_role}(u_)
            THEN (SELECT held FROM {base_role} WHERE r_::VARCHAR IN (name, oid::VARCHAR)) ELSE false END""",
    # Entries of an acl, as rows.
    "aclexplode": """(a_) AS unnest(flatten(list_transform(a_, lambda e: list_transform(
        list_filter(string_split('arwdDUC', ''), lambda l: contains(split_part(split_part(e, '=', 2), '/', 1), l)),
        lambda l: {
            'grantor': (SELECT min(oid) FROM {base_role} WHERE name = split_part(e, '/', 2)),
            'grantee': coalesce((SELECT min(oid) FROM {base_role} WHERE name = split_part(e, '=', 1)), 0),
            'privilege_type': CASE l WHEN 'a' THEN 'INSERT' WHEN 'r' THEN 'SELECT' WHEN 'w' THEN 'UPDATE'
                WHEN 'd' THEN 'DELETE' WHEN 'D' THEN 'TRUNCATE' WHEN 'U' THEN 'USAGE' ELSE 'CREATE' END,
            'is_grantable': contains(e, l || '*')
        }))))""",
    "acldefault": "(t_, o_) AS NULL::VARCHAR[]",
    "pg_options_to_table": "(o_) AS TABLE SELECT unnest(o_) AS option_name, NULL::VARCHAR AS option_value",
    # --- lists
    "generate_subscripts": "(l_, d_) AS generate_series(1, len(l_)), (l_, d_, r_) AS generate_series(1, len(l_))",
    "array_remove": "(l_, e_) AS list_filter(l_, lambda x: x IS DISTINCT FROM e_)",
    "array_upper": "(l_, d_) AS nullif(len(l_), 0)",
    "array_lower": "(l_, d_) AS CASE WHEN len(l_) > 0 THEN 1 END",
    "cardinality": "(l_) AS len(l_)",
    "array_ndims": "(l_) AS CASE WHEN len(l_) > 0 THEN 1 END",
    "array_to_string": """(l_, s_) AS list_aggregate(list_transform(l_, lambda x: x::VARCHAR), 'string_agg',
        s_::VARCHAR)""",
    "_pg_expandarray": "(l_) AS unnest(list_transform(l_, lambda x, i: {'x': x, 'n': i}))",
    # --- matching
    "pattern": "(p_) AS '(?s).*(?:' || p_ || ').*'",
    "pattern_any_case": "(p_) AS '(?is).*(?:' || p_ || ').*'",
}

# What cannot be called by these names: they are made by casts and operators, or only by others here.
_INNER: Final = frozenset(
    (
        *(
            "own_role",
            "house_owner",
            "parts",
            "format_one",
            "pattern",
            "pattern_any_case",
            "database_oid",
            "server_oid",
        ),
        *(name for name in FUNCTIONS if name.startswith("reg") and name.endswith(("_oid", "_name"))),
    )
)
# The engine has functions of these names: ours are meant only in statements that name a catalog otherwise.
_SHARED: Final = frozenset(
    (
        *(
            "array_upper",
            "array_remove",
            "array_lower",
            "cardinality",
            "array_ndims",
            "array_to_string",
            "generate_subscripts",
        ),
        *("current_setting", "pg_size_pretty", "format", "quote_ident", "quote_literal", "quote_nullable"),
    )
)
CALLED: Final = frozenset(FUNCTIONS) - _INNER
TELLING: Final = CALLED - (_SHARED - {"quote_ident", "quote_literal", "quote_nullable"})
