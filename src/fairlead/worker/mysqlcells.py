"""Columns of a result as the values of MySQL's rows, whole columns at a time: no value becomes a Python object.

In the text protocol every value is a text with its length before it. In the binary protocol numbers and moments have
layouts of their own, and everything else is a text again. What the engine knows better than Arrow (how a type is
written, the session's time zone) is an SQL expression that the engine evaluates first. Machines are little-endian, as
MySQL is: the engine exists for no other.

Source: MySQL's "Protocol::ProtocolText::Resultset", "Binary Protocol Value" and "Protocol::LengthEncodedInteger".
"""

from __future__ import annotations

import re
import struct
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable

NULL: Final = b"\xfb"
LONGEST: Final = 0xFFFF  # bytes of a value whose length is looked up in a table
_SHORT: Final = 250
_DECIMAL: Final = re.compile(r"DECIMAL\((\d+),(\d+)\)")
# Arrow writes smaller fractions with an exponent, and the engine leaves out the zero before the point of pure ones.
_EXACT_SCALE: Final = 6
_INTEGERS: Final = frozenset(
    {"TINYINT", "UTINYINT", "SMALLINT", "USMALLINT", "INTEGER", "UINTEGER", "BIGINT", "UBIGINT"}
)
_AS_THEY_ARE: Final = frozenset({"VARCHAR", "JSON", "BLOB", "BOOLEAN"})
_MOMENTS: Final = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"})
_TIMES: Final = frozenset({"TIME", "TIME_NS"})
_DAYS: Final = range(-719_528, 2_932_897)  # of the years 0 to 9999, which are all that the binary protocol has
_DAY_MICROSECONDS: Final = 86_400_000_000


class MomentOutOfRange(ValueError):
    """A date or timestamp that MySQL's binary protocol cannot express."""


def text_expression(name: str, column: str) -> str | None:
    """Return the SQL expression that gives a column's texts; None where Arrow alone knows them.

    Args:
        name: of the column's DuckDB type.
        column: its name.
    """
    if name in _INTEGERS or name in _AS_THEY_ARE or _is_plain_decimal(name):
        return None
    if name in _MOMENTS:
        moment = f"{column}::TIMESTAMP"
        written = f"system.main.strftime({moment}, '%Y-%m-%d %H:%M:%S.%f')"
        return f"CASE WHEN system.main.contains({moment}::VARCHAR, '.') THEN {written} ELSE {moment}::VARCHAR END"
    if name in _TIMES:
        time = f"{column}::TIME::VARCHAR"
        return f"CASE WHEN system.main.contains({time}, '.') THEN system.main.rpad({time}, 15, '0') ELSE {time} END"
    return f"{column}::VARCHAR"


def binary_expression(name: str, column: str) -> str | None:
    """Return the SQL expression that gives what ``binary_cells`` wants; None where it is the column itself."""
    if name in _MOMENTS:
        return None if name == "TIMESTAMP" else f"{column}::TIMESTAMP"
    if name in _TIMES:
        return None if name == "TIME" else f"{column}::TIME"
    return None if name in _BINARY else text_expression(name, column)


def texts(column: pa.Array) -> pa.Array:
    """Return the values of a column as texts or bytes."""
    column = storage(column)
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "1", "0")
    if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
        return column
    return pc.cast(column, pa.string())


def text_cells(column: pa.Array, null: bytes = NULL) -> list[pa.Array]:
    """Return values with their lengths before them.

    Args:
        column: texts or bytes, none longer than ``LONGEST``.
        null: what stands for NULL.
    """
    lengths = pc.binary_length(column)
    table = _lengths(long=(pc.max(lengths).as_py() or 0) > _SHORT)
    if null and column.null_count:
        lengths = pc.fill_null(lengths, len(table) - 1)
    return [table.take(lengths), column.cast(pa.binary())]


def binary_cells(name: str, column: pa.Array) -> list[pa.Array]:
    """Return the values of a column as the binary protocol has them; NULLs as NULLs.

    Args:
        name: of its DuckDB type.
        column: of the result, or of ``binary_expression``; texts none longer than ``LONGEST``.

    Raises:
        MomentOutOfRange: a year before 0 or after 9999.
    """
    cells = _BINARY.get(name)
    return text_cells(column, null=b"") if cells is None else cells(storage(column))


def is_text(name: str) -> bool:
    """Tell whether a type's values are texts in the binary protocol, too."""
    return name not in _BINARY


def length(size: int) -> bytes:
    """Return a length as it stands before a value."""
    if size <= _SHORT:
        return bytes((size,))
    if size <= LONGEST:
        return b"\xfc" + struct.pack("<H", size)
    return b"\xfd" + struct.pack("<I", size)[:3] if size < 1 << 24 else b"\xfe" + struct.pack("<Q", size)


def storage(column: pa.Array) -> pa.Array:
    """Return a column without Arrow's extension types, which DuckDB uses for types that Arrow does not have."""
    if not isinstance(column, pa.ExtensionArray):
        return column
    if column.type.extension_name == "arrow.bool8":
        return pc.not_equal(column.storage, 0)
    return column.storage


def _is_plain_decimal(name: str) -> bool:
    shape = _DECIMAL.fullmatch(name)
    return shape is not None and int(shape[2]) <= _EXACT_SCALE and int(shape[1]) > int(shape[2])


@cache
def _lengths(*, long: bool) -> pa.Array:
    """Return every length as its bytes, and what stands for NULL behind them."""
    return pa.array([*map(length, range((LONGEST if long else _SHORT) + 1)), NULL], pa.binary())


def fixed(column: pa.Array, width: int) -> pa.Array:
    """Return the values of a column of fixed width as bytes, NULLs as NULLs."""
    validity, data = column.buffers()
    of_width = pa.Array.from_buffers(pa.binary(width), len(column), [validity, data], offset=column.offset)
    return of_width.cast(pa.binary())


def _numbers(kind: pa.DataType) -> Callable[[pa.Array], list[pa.Array]]:
    width = kind.bit_width // 8
    return lambda column: [fixed(column if column.type == kind else pc.cast(column, kind), width)]


def _packed(fields: list[tuple[Any, int]], width: int) -> pa.Array:
    """Return numbers side by side: each is given with the bit at which it begins."""
    total: Any = None
    for value, bit in fields:
        shifted = pc.shift_left(pc.cast(value, pa.int64()), pa.scalar(bit, pa.int64())) if bit else value
        total = shifted if total is None else pc.bit_wise_or(total, shifted)
    return pc.binary_slice(fixed(pc.cast(total, pa.int64()), 8), 0, width)


def _date(size: int, column: pa.Array) -> pa.Array:
    """Return the size of a value and its date; 5 bytes."""
    return _packed([(pc.year(column), 8), (pc.month(column), 24), (pc.day(column), 32), (pa.scalar(size), 0)], 5)


def _time(column: pa.Array) -> pa.Array:
    """Return hour, minute, second and microsecond; 7 bytes."""
    micro = pc.add(pc.multiply(pc.millisecond(column), 1000), pc.microsecond(column))
    return _packed([(pc.hour(column), 0), (pc.minute(column), 8), (pc.second(column), 16), (micro, 24)], 7)


def _dates(column: pa.Array) -> list[pa.Array]:
    _check(pc.cast(column, pa.int32()), 1)
    return [_date(4, column)]


def _moments(column: pa.Array) -> list[pa.Array]:
    column = pc.cast(column, pa.timestamp("us"), safe=False)
    _check(pc.cast(column, pa.int64()), _DAY_MICROSECONDS)
    return [_date(11, column), _time(column)]


def _times(column: pa.Array) -> list[pa.Array]:
    column = pc.cast(column, pa.time64("us"), safe=False)
    days = pa.scalar(b"\x0c\0\0\0\0\0", pa.binary())  # the size, no sign, no days
    return [pc.if_else(column.is_valid(), days, pa.scalar(None, pa.binary())), _time(column)]


def _check(numbers: pa.Array, day: int) -> None:
    bounds = pc.min_max(numbers)
    low, high = bounds["min"].as_py(), bounds["max"].as_py()
    if low is not None and not (low // day in _DAYS and high // day in _DAYS):
        raise MomentOutOfRange("a date outside of the years 0 to 9999, which this protocol cannot express")


_BINARY: Final[dict[str, Callable[[pa.Array], list[pa.Array]]]] = {
    "BOOLEAN": _numbers(pa.int8()),
    "TINYINT": _numbers(pa.int16()),
    "UTINYINT": _numbers(pa.int16()),
    "SMALLINT": _numbers(pa.int16()),
    "USMALLINT": _numbers(pa.int32()),
    "INTEGER": _numbers(pa.int32()),
    "UINTEGER": _numbers(pa.int64()),
    "BIGINT": _numbers(pa.int64()),
    "FLOAT": _numbers(pa.float32()),
    "DOUBLE": _numbers(pa.float64()),
    "DATE": _dates,
    **dict.fromkeys(_MOMENTS, _moments),
    **dict.fromkeys(_TIMES, _times),
}
