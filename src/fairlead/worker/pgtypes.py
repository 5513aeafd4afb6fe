"""DuckDB's types as PostgreSQL's: object ids, sizes and modifiers (pg_type.dat)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_TEXT: Final = (25, -1)
_PLAIN: Final = {
    "BOOLEAN": (16, 1),
    "TINYINT": (21, 2),
    "UTINYINT": (21, 2),
    "SMALLINT": (21, 2),
    "USMALLINT": (23, 4),
    "INTEGER": (23, 4),
    "UINTEGER": (20, 8),
    "BIGINT": (20, 8),
    "UBIGINT": (1700, -1),
    "HUGEINT": (1700, -1),
    "UHUGEINT": (1700, -1),
    "BIGNUM": (1700, -1),
    "FLOAT": (700, 4),
    "DOUBLE": (701, 8),
    "DATE": (1082, 4),
    "TIME": (1083, 8),
    "TIME_NS": (1083, 8),
    "TIME WITH TIME ZONE": (1266, 12),
    "TIMESTAMP": (1114, 8),
    "TIMESTAMP_S": (1114, 8),
    "TIMESTAMP_MS": (1114, 8),
    "TIMESTAMP_NS": (1114, 8),
    "TIMESTAMP WITH TIME ZONE": (1184, 8),
    "INTERVAL": (1186, 16),
    "UUID": (2950, 16),
    "BLOB": (17, -1),
    "BIT": (1562, -1),
    "JSON": (114, -1),
    "VARCHAR": _TEXT,
}
# Of the array of each type, by the oid of the type.
_ARRAYS: Final = {
    16: 1000,
    17: 1001,
    20: 1016,
    21: 1005,
    23: 1007,
    25: 1009,
    114: 199,
    700: 1021,
    701: 1022,
    1082: 1182,
    1083: 1183,
    1114: 1115,
    1184: 1185,
    1186: 1187,
    1266: 1270,
    1562: 1563,
    1700: 1231,
    2950: 2951,
}
_DECIMAL: Final = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_LIST: Final = re.compile(r"(.*[^\]])\[\d*\]", re.DOTALL)
_NUMERIC: Final = 1700
_MODIFIER_OFFSET: Final = 4


@dataclass(frozen=True, slots=True)
class PgType:
    """How a column is announced to a PostgreSQL client."""

    oid: int
    size: int
    modifier: int = -1


def pg_type(name: str) -> PgType:
    """Return the PostgreSQL type of a DuckDB type; structs, maps, lists of lists and what is not known are text."""
    if (shape := decimal(name)) is not None:
        width, scale = shape
        return PgType(_NUMERIC, -1, (width << 16 | scale) + _MODIFIER_OFFSET)
    if (element := element_of(name)) is not None:
        one = pg_type(element)
        return PgType(_ARRAYS[one.oid], -1, one.modifier)
    return PgType(*_PLAIN.get(name, _TEXT))


def decimal(name: str) -> tuple[int, int] | None:
    """Return width and scale of a DECIMAL."""
    found = _DECIMAL.fullmatch(name)
    return (int(found[1]), int(found[2])) if found else None


def element_of(name: str) -> str | None:
    """Return the type of the elements of a list, or of an array of fixed size, with one dimension."""
    found = _LIST.fullmatch(name)
    return found[1] if found else None
