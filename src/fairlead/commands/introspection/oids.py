"""Object ids: made from the catalog's own ids, which are never given out twice, so they stay for ever.

PostgreSQL's own objects end below 16384; ids stay below 2**31, because some clients read them as signed.
"""

from __future__ import annotations

from typing import Final

PG_CATALOG: Final = 11
INFORMATION_SCHEMA: Final = 13000
OURS: Final = 13001
TEMPORARY: Final = 13002
SUPERUSER: Final = 10
"""Owner of what nobody owns."""

_FIRST: Final = 16384
_KINDS: Final = ("object", "schema", "database", "role")
# Those that clients compare with (pg_class.dat and the like of PostgreSQL 16).
KNOWN: Final = {
    "pg_type": 1247,
    "pg_attribute": 1249,
    "pg_proc": 1255,
    "pg_class": 1259,
    "pg_attrdef": 2604,
    "pg_constraint": 2606,
    "pg_description": 2609,
    "pg_index": 2610,
    "pg_inherits": 2611,
    "pg_namespace": 2615,
    "pg_trigger": 2620,
    "pg_database": 1262,
    "pg_authid": 1260,
    "pg_auth_members": 1261,
    "pg_tablespace": 1213,
    "pg_extension": 3079,
    "pg_foreign_server": 1417,
    "pg_enum": 3501,
    "pg_collation": 3456,
}


def oid(kind: str, catalog_id: int) -> int:
    """Return the id of something.

    Args:
        kind: ``object`` (tables, views, connections, stages), ``schema``, ``database`` or ``role``.
        catalog_id: its id in the catalog.
    """
    return _FIRST + catalog_id * len(_KINDS) + _KINDS.index(kind)
