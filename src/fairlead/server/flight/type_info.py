"""The types that columns may have, as JDBC and ODBC want them listed.

Source: ``FlightSql.proto`` of Apache Arrow, ``CommandGetXdbcTypeInfo`` and enum ``XdbcDataType``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

_NULLABLE: Final = 1
_SEARCHABLE, _BASIC = 3, 2
_DATETIME, _INTERVAL = 9, 10


@dataclass(frozen=True, slots=True)
class _Type:
    """One type: its number, its width in digits, characters or bytes, and the marks around a literal."""

    name: str
    number: int
    size: int | None = None
    quote: str | None = None
    signed: bool | None = None
    radix: int | None = None
    scales: tuple[int, int] | None = None
    parameters: tuple[str, ...] | None = None
    subcode: int | None = None


_TYPES: Final = (
    _Type("BIT", -7, quote="'"),
    _Type("BOOLEAN", -7, 1),
    _Type("TINYINT", -6, 3, signed=True, radix=10, scales=(0, 0)),
    _Type("BIGINT", -5, 19, signed=True, radix=10, scales=(0, 0)),
    _Type("UBIGINT", -5, 20, signed=False, radix=10, scales=(0, 0)),
    _Type("BLOB", -3, quote="'"),
    _Type("DECIMAL", 3, 38, signed=True, radix=10, scales=(0, 38), parameters=("precision", "scale")),
    _Type("HUGEINT", 3, 38, signed=True, radix=10, scales=(0, 0)),
    _Type("INTEGER", 4, 10, signed=True, radix=10, scales=(0, 0)),
    _Type("SMALLINT", 5, 5, signed=True, radix=10, scales=(0, 0)),
    _Type("FLOAT", 7, 24, signed=True, radix=2),
    _Type("DOUBLE", 8, 53, signed=True, radix=2),
    _Type("INTERVAL", 10, quote="'"),
    _Type("JSON", 12, quote="'"),
    _Type("UUID", 12, 36, quote="'"),
    _Type("VARCHAR", 12, quote="'"),
    _Type("DATE", 91, 10, quote="'", subcode=1),
    _Type("TIME", 92, 15, quote="'", subcode=2),
    _Type("TIMESTAMP", 93, 26, quote="'", subcode=3),
    _Type("TIMESTAMP WITH TIME ZONE", 93, 32, quote="'", subcode=5),
)
SCHEMA: Final = pa.schema(
    [
        pa.field("type_name", pa.string(), nullable=False),
        pa.field("data_type", pa.int32(), nullable=False),
        pa.field("column_size", pa.int32()),
        pa.field("literal_prefix", pa.string()),
        pa.field("literal_suffix", pa.string()),
        pa.field("create_params", pa.list_(pa.field("item", pa.string(), nullable=False))),
        pa.field("nullable", pa.int32(), nullable=False),
        pa.field("case_sensitive", pa.bool_(), nullable=False),
        pa.field("searchable", pa.int32(), nullable=False),
        pa.field("unsigned_attribute", pa.bool_()),
        pa.field("fixed_prec_scale", pa.bool_(), nullable=False),
        pa.field("auto_increment", pa.bool_()),
        pa.field("local_type_name", pa.string()),
        pa.field("minimum_scale", pa.int32()),
        pa.field("maximum_scale", pa.int32()),
        pa.field("sql_data_type", pa.int32(), nullable=False),
        pa.field("datetime_subcode", pa.int32()),
        pa.field("num_prec_radix", pa.int32()),
        pa.field("interval_precision", pa.int32()),
    ]
)


def table(number: int | None) -> pa.Table:
    """Return the types, or only those of one number, in the order of numbers and names."""
    chosen = sorted((t for t in _TYPES if number in (None, t.number)), key=lambda t: (t.number, t.name))
    rows = [_row(one) for one in chosen]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(SCHEMA)
    arrays = [pa.array(list(column), kind) for column, kind in zip(columns, SCHEMA.types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _row(one: _Type) -> tuple[object, ...]:
    numeric = one.signed is not None
    low, high = one.scales or (None, None)
    return (
        *(one.name, one.number, one.size, one.quote, one.quote),
        None if one.parameters is None else list(one.parameters),
        _NULLABLE,
        one.name == "VARCHAR",
        _SEARCHABLE if one.name == "VARCHAR" else _BASIC,
        not one.signed if numeric else None,
        False,
        False if numeric else None,
        *(one.name, low, high),
        _DATETIME if one.subcode else one.number,
        *(one.subcode, one.radix, None),
    )
