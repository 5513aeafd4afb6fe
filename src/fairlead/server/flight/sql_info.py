"""Facts about the gateway by the numbers of Flight SQL's ``SqlInfo``: what ODBC calls SQLGetInfo.

Source: ``FlightSql.proto`` of Apache Arrow, enum ``SqlInfo``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa

import fairlead

if TYPE_CHECKING:
    from collections.abc import Sequence

_Fact = str | bool | int | list[str]
_BIT: Final = 1
_INSENSITIVE: Final = 1
_NULLS_LAST: Final = 3
_TRANSACTIONS: Final = 1
_REPEATABLE_READ: Final = 3

_FACTS: Final[dict[int, _Fact]] = {
    0: "Fairlead",
    1: fairlead.__version__,
    2: pa.__version__,
    3: False,  # read-only
    4: True,  # SQL
    5: False,  # Substrait
    8: _TRANSACTIONS,
    9: True,  # cancel
    10: True,  # bulk ingestion
    11: True,  # ... in a transaction
    100: 0,
    101: 0,
    500: True,  # CREATE DATABASE
    501: True,  # CREATE SCHEMA
    502: True,  # CREATE TABLE
    503: _INSENSITIVE,
    504: '"',
    505: _INSENSITIVE,
    506: False,  # a user may know of a table without a right to read it
    507: _NULLS_LAST,
    508: [],
    509: [],
    510: [],
    511: [],
    512: [],
    513: "\\",
    514: "",
    515: True,  # column aliases
    516: True,  # NULL + NULL is NULL
    518: True,  # table aliases
    519: False,
    520: True,  # ORDER BY expressions
    521: True,  # ORDER BY what is not selected
    522: _BIT << 0 | _BIT << 1,
    523: True,  # LIKE ... ESCAPE
    524: True,  # NOT NULL
    525: _BIT << 0 | _BIT << 1,
    526: _BIT << 0,
    527: False,
    528: 2,  # all outer joins
    529: "schema",
    530: "procedure",
    531: "database",
    532: True,  # database.schema.table
    541: False,  # SELECT FOR UPDATE
    542: False,  # stored procedures
    543: _BIT << 0 | _BIT << 1 | _BIT << 2,
    544: True,  # correlated subqueries
    545: _BIT << 0 | _BIT << 1,
    561: _REPEATABLE_READ,
    562: True,  # transactions
    563: _BIT << _REPEATABLE_READ,
    564: False,  # DDL commits
    565: False,  # DDL is ignored in transactions
    566: _BIT << 1,
    572: True,  # several rows of parameters
    573: False,  # savepoints
    574: False,  # named parameters
}
_VALUE: Final = pa.dense_union(
    [
        pa.field("string_value", pa.string()),
        pa.field("bool_value", pa.bool_()),
        pa.field("bigint_value", pa.int64()),
        pa.field("int32_bitmask", pa.int32()),
        pa.field("string_list", pa.list_(pa.field("string_data", pa.string()))),
        pa.field("int32_to_int32_list_map", pa.map_(pa.int32(), pa.list_(pa.field("$data$", pa.int32())))),
    ]
)
SCHEMA: Final = pa.schema(
    [pa.field("info_name", pa.uint32(), nullable=False), pa.field("value", _VALUE, nullable=False)]
)


def table(numbers: Sequence[int]) -> pa.Table:
    """Return the facts of these numbers, as far as there are any; all of them where no number is named."""
    chosen = [number for number in dict.fromkeys(numbers) if number in _FACTS] if numbers else sorted(_FACTS)
    children: list[list[_Fact]] = [[] for _ in range(_VALUE.num_fields)]
    kinds, offsets = [], []
    for number in chosen:
        fact = _FACTS[number]
        kind = _kind(fact)
        kinds.append(kind)
        offsets.append(len(children[kind]))
        children[kind].append(fact)
    arrays = [pa.array(values, _VALUE.field(at).type) for at, values in enumerate(children)]
    names = [_VALUE.field(at).name for at in range(_VALUE.num_fields)]
    union = pa.UnionArray.from_dense(pa.array(kinds, pa.int8()), pa.array(offsets, pa.int32()), arrays, names)
    return pa.Table.from_arrays([pa.array(chosen, pa.uint32()), union.cast(_VALUE)], schema=SCHEMA)


def _kind(fact: _Fact) -> int:
    """Return which member of the union holds a fact."""
    match fact:
        case str():
            return 0
        case bool():
            return 1
        case int():
            return 3
        case list():
            return 4
