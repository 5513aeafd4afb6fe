"""DuckDB's types as PostgreSQL's: object ids, sizes and modifiers (pg_type.dat), and how each type becomes text."""

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
_INTEGERS: Final = frozenset(
    {"TINYINT", "UTINYINT", "SMALLINT", "USMALLINT", "INTEGER", "UINTEGER", "BIGINT", "UBIGINT"}
)
_TEXTS: Final = frozenset({"VARCHAR", "JSON"})
_DECIMAL: Final = re.compile(r"DECIMAL\((\d+),(\d+)\)")
# Arrow writes smaller fractions with an exponent, and DuckDB leaves the zero out before the point of pure fractions.
_EXACT_SCALE: Final = 6
_NUMERIC: Final = 1700
_MODIFIER_OFFSET: Final = 4


@dataclass(frozen=True, slots=True)
class PgType:
    """How a column is announced to a PostgreSQL client."""

    oid: int
    size: int
    modifier: int = -1


def pg_type(name: str) -> PgType:
    """Return the PostgreSQL type of a DuckDB type; lists, structs, maps and what is not known are text."""
    decimal = _DECIMAL.fullmatch(name)
    if decimal:
        width, scale = int(decimal[1]), int(decimal[2])
        return PgType(_NUMERIC, -1, (width << 16 | scale) + _MODIFIER_OFFSET)
    return PgType(*_PLAIN.get(name, _TEXT))


def direct(name: str) -> bool:
    """Tell whether Arrow alone writes the type as DuckDB would: then no cast by the engine is needed."""
    decimal = _DECIMAL.fullmatch(name)
    if decimal:
        width, scale = int(decimal[1]), int(decimal[2])
        return scale <= _EXACT_SCALE and width > scale
    return name in _INTEGERS or name in _TEXTS or name == "BOOLEAN"


def cast_expression(name: str, column: str) -> str:
    """Return the SQL expression that turns a column into PostgreSQL's text form."""
    if name in _TEXTS:
        return column
    if name == "BOOLEAN":
        return f"CASE WHEN {column} THEN 't' WHEN NOT {column} THEN 'f' END"
    if name == "BLOB":
        return f"'\\x' || system.main.lower(system.main.hex({column}))"
    if name == "INTERVAL":
        return f"system.main.replace({column}::VARCHAR, 'month', 'mon')"
    return f"{column}::VARCHAR"
