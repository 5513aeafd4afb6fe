"""Dates, times and intervals in both of PostgreSQL's formats, whole columns at a time.

PostgreSQL counts from 2000-01-01, in days and microseconds (``date_send``, ``timestamp_send`` and their like in date.c
and timestamp.c); Arrow from 1970. Both have values for plus and minus infinity, which are not the same.
"""

from __future__ import annotations

import array
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from fairlead.worker.forms import big_endian, data_of, fixed, interleaved, numbers_of, swapped

if TYPE_CHECKING:
    from collections.abc import Callable

_EPOCH_DAYS: Final = 10_957  # from 1970 to 2000
_DAY: Final = 86_400_000_000  # microseconds
_MOST: Final = {"i": 2**31 - 1, "q": 2**63 - 1}
_TYPES: Final = {"i": pa.int32(), "q": pa.int64()}
_PER_SECOND: Final = {"s": 1, "ms": 1000, "us": 1_000_000, "ns": 1_000_000_000}
_ZONE_OFFSET: Final = 57_599  # what DuckDB adds to seconds west of Greenwich
_FIRST_YEAR: Final = -719_162  # days from 1970 to 0001-01-01
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097  # of the Gregorian calendar


# --- binary ------------------------------------------------------------------------------------------------------


def binary_dates(column: pa.Array) -> pa.Array:
    """Return dates as cells: days."""
    return big_endian(_from_2000(column.view(pa.int32()), "i", _EPOCH_DAYS), "i")


def binary_times(column: pa.Array) -> pa.Array:
    """Return times of day as cells: microseconds."""
    return big_endian(_microseconds(column.view(pa.int64()), column.type.unit), "q")


def binary_timestamps(column: pa.Array) -> pa.Array:
    """Return timestamps of any precision as cells: microseconds."""
    numbers = column.view(pa.int64())
    moved = _from_2000(numbers, "q", _EPOCH_DAYS * _DAY, lambda values: _microseconds(values, column.type.unit))
    return big_endian(moved, "q")


def binary_zoned_times(column: pa.Array) -> pa.Array:
    """Return times with a zone as cells: microseconds, and seconds west of Greenwich."""
    packed = pa.Array.from_buffers(pa.int64(), len(column), [None, pa.py_buffer(data_of(column, 8))])
    clock = pc.shift_right(packed, 24)
    west = pc.cast(pc.subtract(pc.bit_wise_and(packed, 0xFFFFFF), _ZONE_OFFSET), pa.int32())
    strips: list[tuple[int, int, Any]] = [
        (0, 8, swapped(numbers_of(clock, "q"))),
        (8, 4, swapped(numbers_of(west, "i"))),
    ]
    return fixed(column, 12, interleaved(bytes(12), strips, len(column)))


def binary_intervals(column: pa.Array) -> pa.Array:
    """Return intervals as cells: microseconds, days, months."""
    raw = data_of(column, 16)
    halves, longs = array.array("i"), array.array("q")
    halves.frombytes(raw)
    longs.frombytes(raw)
    nanoseconds = pa.Array.from_buffers(pa.int64(), len(column), [None, pa.py_buffer(longs[1::2])])
    strips: list[tuple[int, int, Any]] = [
        (0, 8, swapped(numbers_of(pc.divide(nanoseconds, 1000), "q"))),
        (8, 4, swapped(halves[1::4])),
        (12, 4, swapped(halves[0::4])),
    ]
    return fixed(column, 16, interleaved(bytes(16), strips, len(column)))


def _from_2000(
    numbers: pa.Array, code: str, epoch: int, scaled: Callable[[pa.Array], pa.Array] = lambda values: values
) -> pa.Array:
    """Count from 2000; DuckDB's infinities (the largest number, and that negated) become PostgreSQL's."""
    most, kind = _MOST[code], _TYPES[code]
    moved = pc.subtract(scaled(numbers), pa.scalar(epoch, kind))
    bounds = pc.min_max(numbers)
    for infinite, written, bound in ((most, most, "max"), (-most, -most - 1, "min")):
        if bounds[bound].as_py() == infinite:
            there = pc.equal(numbers, pa.scalar(infinite, kind))
            moved = pc.if_else(there, pa.scalar(written, kind), moved)
    return moved


def _microseconds(numbers: pa.Array, unit: str) -> pa.Array:
    """Return a count of units as one of microseconds, rounded down."""
    if unit == "ns":
        whole = pc.divide(numbers, 1000)
        return pc.subtract(whole, pc.cast(pc.less(numbers, pc.multiply(whole, 1000)), pa.int64()))
    factor = 1_000_000 // _PER_SECOND[unit]
    return numbers if factor == 1 else pc.multiply(numbers, factor)


# --- text --------------------------------------------------------------------------------------------------------


def text_dates(column: pa.Array) -> pa.Array:
    """Return dates as texts; those before our era and the infinities as PostgreSQL writes them."""
    return _unusual(pc.cast(column, pa.string()), column.view(pa.int32()), "i", _FIRST_YEAR, _date)


def text_timestamps(column: pa.Array) -> pa.Array:
    """Return timestamps without a zone as texts, without zeros at the end of their fraction."""
    unit = column.type.unit
    per_day = 86_400 * _PER_SECOND[unit]

    def one(number: int) -> str:
        days, rest = divmod(number, per_day)
        clock = _trimmed(pc.cast(pa.array([rest]).cast(pa.timestamp(unit)), pa.string()), unit)[0].as_py()
        day, _, era = _date(days).partition(" ")
        return f"{day}{clock[10:]}{' ' + era if era else ''}"

    texts = _trimmed(pc.cast(column, pa.string()), unit)
    return _unusual(texts, column.view(pa.int64()), "q", _FIRST_YEAR * per_day, one)


def text_times(column: pa.Array) -> pa.Array:
    """Return times of day as texts; there is a 24:00:00."""
    unit = column.type.unit
    midnight = 86_400 * _PER_SECOND[unit]
    numbers, texts = column.view(pa.int64()), _trimmed(pc.cast(column, pa.string()), unit)
    if pc.max(numbers).as_py() == midnight:
        return pc.if_else(pc.equal(numbers, midnight), "24:00:00", texts)
    return texts


def _trimmed(texts: pa.Array, unit: str) -> pa.Array:
    return texts if unit == "s" else pc.ascii_rtrim(pc.ascii_rtrim(texts, "0"), ".")


def _unusual(texts: pa.Array, numbers: pa.Array, code: str, first: int, write: Callable[[int], str]) -> pa.Array:
    """Write what Arrow writes in another way: there are few such values, or none."""
    most = _MOST[code]
    first = max(first, 1 - most)  # nanoseconds do not reach back so far
    bounds = pc.min_max(numbers)
    low, high = bounds["min"].as_py(), bounds["max"].as_py()
    if low is None or (low >= first and high < most):
        return texts
    strange = pc.fill_null(pc.or_(pc.less(numbers, first), pc.equal(numbers, most)), False)
    infinite = {most: "infinity", -most: "-infinity"}
    written = [infinite.get(number) or write(number) for number in numbers.filter(strange).to_pylist()]
    return pc.replace_with_mask(texts, strange, pa.array(written, pa.string()))


def _date(days: int) -> str:
    """Write a day of any year: moved by whole cycles of the calendar into the years that Arrow writes."""
    cycles = -(-(_FIRST_YEAR - days) // _CYCLE_DAYS)
    moved: str = pc.cast(pa.array([days + cycles * _CYCLE_DAYS], pa.int32()).cast(pa.date32()), pa.string())[0].as_py()
    year, _, rest = moved.partition("-")
    return f"{1 - (int(year) - cycles * _CYCLE_YEARS):04d}-{rest} BC"
