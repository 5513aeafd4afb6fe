"""Tables and columns: those that the gateway knows, and those that only the worker knows.

The worker knows temporary tables and views, and, in a transaction block that has written, the tables as this
transaction has made, changed or dropped them.
"""

from __future__ import annotations

from typing import Final

from fairlead.commands.introspection import oids
from fairlead.engine.lake.names import literal

_SELF: Final = "(SELECT min(oid) FROM {base_role} WHERE self)"
_COLUMNS: Final = "oid, name, schema, kind, owner, comment, persistence, columns, bytes, rows, sql, rights, acl"

_TEMPORARY: Final = f"""
    SELECT 1000000000 + t.table_oid % 100000000, t.table_name, {oids.TEMPORARY}::BIGINT, 'r', {_SELF},
        coalesce(t.comment, ''), 't', t.column_count::SMALLINT, NULL::BIGINT, t.estimated_size, NULL::VARCHAR, 'rawdD',
        NULL::VARCHAR[]
    FROM system.main.duckdb_tables() t WHERE t.temporary AND NOT starts_with(t.table_name, 'fairlead_')
    UNION ALL
    SELECT 1100000000 + v.view_oid % 100000000, v.view_name, {oids.TEMPORARY}::BIGINT, 'v', {_SELF},
        coalesce(v.comment, ''), 't', v.column_count::SMALLINT, NULL::BIGINT, NULL::BIGINT, v.sql, 'r', NULL::VARCHAR[]
    FROM system.main.duckdb_views() v WHERE v.temporary AND NOT v.internal AND NOT starts_with(v.view_name, 'fairlead_')
"""


def _local(attached: str) -> str:
    """Return the tables as a worker has them in its copy of a lake."""
    return f"""
        SELECT s.oid AS schema, t.table_name AS name, t.column_count, t.comment, t.estimated_size
        FROM system.main.duckdb_tables() t JOIN {{base_schema}} s ON lower(s.name) = lower(t.schema_name)
        WHERE t.database_name = {literal(attached)}"""


def relation(attached: str | None) -> str:
    """Return the SQL of all tables and views.

    Args:
        attached: name of the lake in the worker, where the worker's own state of it counts; else None.
    """
    if attached is None:
        return f"SELECT {_COLUMNS} FROM {{base_relation}} UNION ALL {_TEMPORARY}"
    return f"""
        SELECT {_COLUMNS} FROM {{base_relation}} b
        WHERE b.kind <> 'r' OR b.schema < 16384 OR EXISTS (
            SELECT 1 FROM ({_local(attached)}) l WHERE l.schema = b.schema AND lower(l.name) = lower(b.name))
        UNION ALL
        SELECT 1200000000 + (hash(l.schema, l.name) % 100000000)::BIGINT, l.name, l.schema, 'r', {_SELF},
            coalesce(l.comment, ''), 'p', l.column_count::SMALLINT, NULL::BIGINT, l.estimated_size, NULL::VARCHAR,
            'rawdD', NULL::VARCHAR[]
        FROM ({_local(attached)}) l WHERE NOT EXISTS (
            SELECT 1 FROM {{base_relation}} b WHERE l.schema = b.schema AND lower(l.name) = lower(b.name))
        UNION ALL {_TEMPORARY}"""


def column(attached: str | None) -> str:
    """Return the SQL of all columns; the argument is as for :func:`relation`."""
    temporary = _described(
        "t.database_name = 'temp' AND NOT starts_with(t.table_name, 'fairlead_')", "r.schema = 13002"
    )
    if attached is None:
        return f"SELECT * FROM {{base_column}} UNION ALL {temporary}"
    theirs = _described(
        f"t.database_name = {literal(attached)}",
        "r.kind = 'r' AND r.schema = (SELECT oid FROM {base_schema} WHERE lower(name) = lower(t.schema_name))",
    )
    return f"""
        SELECT b.* FROM {{base_column}} b
            JOIN {{relation}} r ON r.oid = b.relation AND (r.kind <> 'r' OR r.schema < 16384)
        UNION ALL {theirs} UNION ALL {temporary}"""


def _described(which: str, where: str) -> str:
    return f"""
        SELECT r.oid, t.column_index::SMALLINT, t.column_name, t.data_type, t.is_nullable,
            nullif(t.column_default, 'NULL'), coalesce(t.comment, ''), NULL::VARCHAR[]
        FROM system.main.duckdb_columns() t JOIN {{relation}} r ON r.name = t.table_name AND {where} WHERE {which}"""
