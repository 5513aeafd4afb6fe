"""The types: PostgreSQL's ids, sizes and names (pg_type.dat), and which of the engine's types each stands for."""

from __future__ import annotations

from typing import Final

# oid, name, formatted, size, by value, category, preferred, oid of the array, alignment, storage, collation, engine's
_PLAIN: Final = (
    (16, "bool", "boolean", 1, True, "B", True, 1000, "c", "p", 0, ("BOOLEAN",)),
    (17, "bytea", "bytea", -1, False, "U", False, 1001, "i", "x", 0, ("BLOB", "GEOMETRY")),
    (18, "char", '"char"', 1, True, "Z", False, 1002, "c", "p", 0, ()),
    (19, "name", "name", 64, False, "S", False, 1003, "c", "p", 950, ()),
    (20, "int8", "bigint", 8, True, "N", False, 1016, "d", "p", 0, ("BIGINT", "UINTEGER")),
    (21, "int2", "smallint", 2, True, "N", False, 1005, "s", "p", 0, ("SMALLINT", "TINYINT", "UTINYINT")),
    (22, "int2vector", "int2vector", -1, False, "A", False, 1006, "i", "p", 0, ()),
    (23, "int4", "integer", 4, True, "N", False, 1007, "i", "p", 0, ("INTEGER", "USMALLINT")),
    (24, "regproc", "regproc", 4, True, "N", False, 1008, "i", "p", 0, ()),
    (25, "text", "text", -1, False, "S", True, 1009, "i", "x", 100, ("VARCHAR",)),
    (26, "oid", "oid", 4, True, "N", True, 1028, "i", "p", 0, ()),
    (28, "xid", "xid", 4, True, "U", False, 1011, "i", "p", 0, ()),
    (30, "oidvector", "oidvector", -1, False, "A", False, 1013, "i", "p", 0, ()),
    (114, "json", "json", -1, False, "U", False, 199, "i", "x", 0, ("JSON",)),
    (194, "pg_node_tree", "pg_node_tree", -1, False, "Z", False, 0, "i", "x", 100, ()),
    (700, "float4", "real", 4, True, "N", False, 1021, "i", "p", 0, ("FLOAT",)),
    (701, "float8", "double precision", 8, True, "N", True, 1022, "d", "p", 0, ("DOUBLE",)),
    (705, "unknown", "unknown", -2, False, "X", False, 0, "c", "p", 0, ()),
    (869, "inet", "inet", -1, False, "I", True, 1041, "i", "m", 0, ()),
    (1033, "aclitem", "aclitem", 12, False, "U", False, 1034, "i", "p", 0, ()),
    (1042, "bpchar", "character", -1, False, "S", False, 1014, "i", "x", 100, ()),
    (1043, "varchar", "character varying", -1, False, "S", False, 1015, "i", "x", 100, ()),
    (1082, "date", "date", 4, True, "D", False, 1182, "i", "p", 0, ("DATE",)),
    (1083, "time", "time without time zone", 8, True, "D", False, 1183, "d", "p", 0, ("TIME", "TIME_NS")),
    (
        *(1114, "timestamp", "timestamp without time zone", 8, True, "D", False, 1115, "d", "p", 0),
        ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"),
    ),
    (
        *(1184, "timestamptz", "timestamp with time zone", 8, True, "D", True, 1185, "d", "p", 0),
        ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"),
    ),
    (1186, "interval", "interval", 16, False, "T", True, 1187, "d", "p", 0, ("INTERVAL",)),
    (
        *(1266, "timetz", "time with time zone", 12, False, "D", False, 1270, "d", "p", 0),
        ("TIME WITH TIME ZONE", "TIMETZ"),
    ),
    (1560, "bit", "bit", -1, False, "V", False, 1561, "i", "x", 0, ()),
    (1562, "varbit", "bit varying", -1, False, "V", True, 1563, "i", "x", 0, ("BIT",)),
    (
        *(1700, "numeric", "numeric", -1, False, "N", False, 1231, "i", "m", 0),
        ("DECIMAL", "HUGEINT", "UHUGEINT", "UBIGINT", "BIGNUM"),
    ),
    (2205, "regclass", "regclass", 4, True, "N", False, 2210, "i", "p", 0, ()),
    (2206, "regtype", "regtype", 4, True, "N", False, 2211, "i", "p", 0, ()),
    (2249, "record", "record", -1, False, "P", False, 2287, "d", "x", 0, ()),
    (2276, "any", '"any"', 4, True, "P", False, 0, "i", "p", 0, ()),
    (2278, "void", "void", 4, True, "P", False, 0, "i", "p", 0, ()),
    (2950, "uuid", "uuid", 16, False, "U", False, 2951, "c", "p", 0, ("UUID",)),
    (3802, "jsonb", "jsonb", -1, False, "U", False, 3807, "i", "x", 0, ()),
    (4089, "regnamespace", "regnamespace", 4, True, "N", False, 4090, "i", "p", 0, ()),
    (4096, "regrole", "regrole", 4, True, "N", False, 4097, "i", "p", 0, ()),
)

Row = tuple[object, ...]

COLUMNS: Final = {
    "oid": "BIGINT",
    "name": "VARCHAR",
    "formatted": "VARCHAR",
    "size": "SMALLINT",
    "by_value": "BOOLEAN",
    "category": "VARCHAR",
    "preferred": "BOOLEAN",
    "array_oid": "BIGINT",
    "element": "BIGINT",
    "alignment": "VARCHAR",
    "storage": "VARCHAR",
    "collate_oid": "BIGINT",
    "engine": "VARCHAR",
}


def rows() -> list[Row]:
    """Return one row per type and type of the engine, and one per array."""
    found: list[Row] = []
    for oid, name, formatted, size, by_value, category, preferred, array, align, storage, collation, engine in _PLAIN:
        common = (oid, name, formatted, size, by_value, category, preferred, array, 0, align, storage, collation)
        found += [(*common, one) for one in engine or (None,)]
        if array:
            wider = "d" if align == "d" else "i"
            found.append(
                (array, f"_{name}", f"{formatted}[]", -1, False, "A", False, 0, oid, wider, "x", collation, None)
            )
    return found


def engine_type(oid: int, modifier: int) -> str:
    """Return the engine's spelling of a type that was announced to a client.

    Args:
        oid: of the type.
        modifier: atttypmod, -1 = none.
    """
    if oid == _NUMERIC and modifier >= 4:  # noqa: PLR2004  # what PostgreSQL adds to it
        return f"DECIMAL({(modifier - 4) >> 16},{(modifier - 4) & 0xFFFF})"
    return _ENGINE.get(oid, "VARCHAR")


_NUMERIC: Final = 1700
_ENGINE: Final[dict[int, str]] = {
    **{row[0]: row[11][0] for row in _PLAIN if row[11]},
    **{row[7]: f"{row[11][0]}[]" for row in _PLAIN if row[11]},
    _NUMERIC: "DECIMAL",
}
