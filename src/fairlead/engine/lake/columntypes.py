"""The types of columns: from the rows in which DuckLake keeps them, a tree for a nested one, to DuckDB's spelling.

A wrong spelling would do harm: DuckLake reads inlined rows as what the column's row says, without looking at the type
of the relation that holds them. So a type that is not known here is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fairlead.engine.lake.names import quote
from fairlead.errors import NotSupported

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PLAIN: Final[Mapping[str, str]] = {
    "boolean": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "int128": "HUGEINT",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "uint128": "UHUGEINT",
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "date": "DATE",
    "time": "TIME",
    "time_ns": "TIME_NS",
    "timetz": "TIMETZ",
    "timestamp": "TIMESTAMP",
    "timestamp_s": "TIMESTAMP_S",
    "timestamp_ms": "TIMESTAMP_MS",
    "timestamp_ns": "TIMESTAMP_NS",
    "timestamptz": "TIMESTAMPTZ",
    "interval": "INTERVAL",
    "varchar": "VARCHAR",
    "blob": "BLOB",
    "uuid": "UUID",
    "json": "JSON",
    "geometry": "GEOMETRY",
    "variant": "VARIANT",
}
_DECIMAL: Final = re.compile(r"decimal\((\d{1,2}),\s*(\d{1,2})\)")


@dataclass(frozen=True, slots=True)
class Field:
    """A column, or a part of a nested one, as DuckLake has it.

    Args:
        column_id: unique in the table.
        name: of the column or of the part.
        type: in DuckLake's spelling; ``struct``, ``list`` and ``map`` have parts.
        parent: the column that this is a part of, None for a column of the table.
    """

    column_id: int
    name: str
    type: str
    parent: int | None


def live_fields(rows: Iterable[tuple[Any, ...]]) -> list[Field]:
    """Columns and parts of one table, in order, from rows of ``ducklake_column`` that count at one time."""
    ordered = sorted(rows, key=lambda row: row[4])
    return [Field(row[0], row[5], row[6], row[10]) for row in ordered]


def duckdb_types(fields: Sequence[Field]) -> dict[int, str]:
    """The types of a table's columns in DuckDB's spelling, by column id.

    Args:
        fields: all columns and parts of one table at one time, in DuckLake's column order.

    Raises:
        NotSupported: a type of a newer DuckLake.
    """
    parts: dict[int | None, list[Field]] = {}
    for field in fields:
        parts.setdefault(field.parent, []).append(field)
    return {field.column_id: _spelled(field, parts) for field in parts.get(None, ())}


def _spelled(field: Field, parts: Mapping[int | None, Sequence[Field]]) -> str:
    within = [(part.name, _spelled(part, parts)) for part in parts.get(field.column_id, ())]
    match field.type, within:
        case "struct", [_, *_]:
            return "STRUCT(" + ", ".join(f"{quote(name)} {type_}" for name, type_ in within) + ")"
        case "list", [(_, element)]:
            return f"{element}[]"
        case "map", [(_, key), (_, value)]:
            return f"MAP({key}, {value})"
        case plain, [] if plain in PLAIN:
            return PLAIN[plain]
        case decimal, [] if match := _DECIMAL.fullmatch(decimal):
            return f"DECIMAL({match[1]},{match[2]})"
        case _:
            raise NotSupported(
                f'Column "{field.name}" has the type "{field.type}", which is not known here',
                hint="The lake was written by a newer version; upgrade Fairlead",
            )
