"""Forms: how a column of a result becomes the cells of DataRow messages, and what of it every type needs.

A form has two steps. An SQL expression where Arrow does not know the type well enough: the engine evaluates it over the
result. And a function from an Arrow array to cells: ``string`` or ``binary`` values, or ``fixed_size_binary`` ones
where all have the same width. Whole columns at a time: no value becomes a Python object.
"""

from __future__ import annotations

import array
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_WORD: Final = 4


@dataclass(frozen=True, slots=True)
class Form:
    """How one column becomes cells.

    Args:
        cells: of what the engine gives.
        expression: makes the SQL expression that the engine evaluates first, from the column's name.
    """

    cells: Callable[[pa.Array], pa.Array]
    expression: Callable[[str], str] | None = None


def storage(column: pa.Array) -> pa.Array:
    """Return a column without Arrow's extension types, which DuckDB uses for types that Arrow does not have."""
    if not isinstance(column, pa.ExtensionArray):
        return column
    if column.type.extension_name == "arrow.bool8":
        return pc.not_equal(column.storage, 0)
    return column.storage


def real_names(aliases: Mapping[str, str]) -> Callable[[pa.Array], pa.Array]:
    """Return what replaces a session's bucket names in texts by the real ones."""

    def replaced(column: pa.Array) -> pa.Array:
        column = storage(column)
        for alias, bucket in aliases.items():
            column = pc.replace_substring(column, f"s3://{alias}/", f"s3://{bucket}/")
        return column

    return replaced


# --- buffers -----------------------------------------------------------------------------------------------------


def data_of(column: pa.Array, width: int) -> memoryview:
    """Return the values of a column of fixed width, those of NULLs included.

    Args:
        column: of any type with values of ``width`` bytes.
        width: bytes.
    """
    buffer = column.buffers()[1]
    start = column.offset * width
    return memoryview(buffer)[start : start + len(column) * width] if buffer is not None else memoryview(b"")


def numbers_of(column: pa.Array, code: str) -> array.array[Any]:
    """Return the values of a column as numbers of the machine (``code`` as for the module ``array``)."""
    numbers = array.array(code)
    numbers.frombytes(data_of(column, numbers.itemsize))
    return numbers


def validity_of(column: pa.Array) -> pa.Buffer | None:
    """Return which values are not NULL, as a bitmap that starts with the column; None = all."""
    if not column.null_count:
        return None
    return (pa.concat_arrays([column]) if column.offset else column).buffers()[0]


def fixed(like: pa.Array, width: int, data: Any) -> pa.Array:
    """Return cells of one width, NULL where another column is.

    Args:
        like: the other column.
        width: bytes of a cell.
        data: the cells, one behind the other.
    """
    return pa.Array.from_buffers(pa.binary(width), len(like), [validity_of(like), pa.py_buffer(data)])


def big_endian(column: pa.Array, code: str) -> pa.Array:
    """Return numbers as cells, most significant byte first."""
    numbers = swapped(numbers_of(column, code))
    return fixed(column, numbers.itemsize, numbers)


def swapped(numbers: array.array[Any]) -> array.array[Any]:
    """Turn numbers of the machine into numbers of the network, in place."""
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def interleaved(pattern: bytes, strips: list[tuple[int, int, Any]], count: int) -> array.array[Any]:
    """Return ``count`` records of the same layout, one behind the other.

    Args:
        pattern: a record; what is the same in all of them.
        strips: what is not: place in the record, width, and the values of all records behind each other.
        count: of records.
    """
    # As many bytes at once as every place and width is a multiple of: a copy per unit is what this costs.
    aligned = all(number % 2 == 0 for place, width, _ in strips for number in (place, width, len(pattern)))
    words = all(number % _WORD == 0 for place, width, _ in strips for number in (place, width, len(pattern)))
    code, unit = ("I", _WORD) if words else ("H", 2) if aligned else ("B", 1)
    records = array.array(code)
    records.frombytes(pattern * count)
    step = len(pattern) // unit
    for place, width, data in strips:
        values = array.array(code)
        values.frombytes(memoryview(data).cast("B"))
        units = width // unit
        for number in range(units):
            records[place // unit + number :: step] = values[number::units]
    return records
