"""Cells of columns become DataRow messages: one ``binary_join_element_wise`` per batch, few arguments to it.

What is equally wide in every row is interleaved into records beforehand, by copies with a stride: lengths, and values
of fixed width that are never NULL. Between these records stand the values of the other columns. DataRow: PostgreSQL
protocol 3.0, "Message Formats".
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from fairlead.worker.forms import data_of, interleaved, numbers_of, swapped
from fairlead.worker.frames import MAX_BLOCK

if TYPE_CHECKING:
    import array
    from collections.abc import Iterator, Sequence

_LENGTH: Final = struct.Struct("!i")
_COUNT: Final = struct.Struct("!h")
_NULL_LENGTH: Final = -1
_HEADER: Final = 1 + _LENGTH.size + _COUNT.size
_TARGET_BLOCK: Final = 4 * 1024 * 1024
# So few values are not worth a kernel; one page of any real result has more.
_FEW_VALUES: Final = 32
_FEW_BYTES: Final = 16 * 1024
_NOTHING: Final = pa.scalar(b"", pa.binary())
_ZERO: Final = pa.scalar(0, pa.int32())


class RowTooLarge(Exception):  # a decision, not a failure
    """A single row is larger than a message may be."""


def blocks(columns: list[pa.Array], tag: bytes = b"D") -> Iterator[tuple[memoryview, int]]:
    """Yield a batch as blocks of complete DataRow messages, each with its number of rows.

    Args:
        columns: cells (``forms.py``).
        tag: of the messages; those of a binary COPY differ from DataRow in nothing else.

    Raises:
        RowTooLarge: a row alone is larger than a block may be.
    """
    count = len(columns[0])
    if not count:
        return
    size = sum(map(_bytes_of, columns))
    if count * len(columns) <= _FEW_VALUES and size <= _FEW_BYTES:
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        yield memoryview(b"".join(_message(row, tag) for row in rows)), count
    elif size > _TARGET_BLOCK and count > 1:
        half = count // 2
        yield from blocks([column[:half] for column in columns], tag)
        yield from blocks([column[half:] for column in columns], tag)
    elif size + count * (_LENGTH.size * len(columns) + _HEADER) > MAX_BLOCK:
        raise RowTooLarge(f"a row of {size // (1024 * 1024)} MiB; a row may have {MAX_BLOCK // (1024 * 1024)} MiB")
    else:
        yield _joined(columns, tag), count


def prefixed(cells: pa.Array) -> pa.Array:
    """Return cells with their length before each, and NULLs as the length -1, without bytes."""
    if _is_fixed(cells):
        width = cells.type.byte_width
        records = interleaved(_LENGTH.pack(width) + bytes(width), [(4, width, data_of(cells, width))], len(cells))
        return _records(records, width + 4, len(cells))
    return _join([_records(_announced(pc.binary_length(cells)), 4, len(cells)), cells.cast(pa.binary())])


def _message(row: Sequence[str | bytes | None], tag: bytes) -> bytes:
    """Return one row's message: for a handful of values, waking Arrow's kernels costs more than the rows do."""
    parts = [_COUNT.pack(len(row))]
    for value in row:
        raw = value.encode() if isinstance(value, str) else value or b""
        parts += [_LENGTH.pack(_NULL_LENGTH if value is None else len(raw)), raw]
    body = b"".join(parts)
    return tag + _LENGTH.pack(len(body) + _LENGTH.size) + body


def _joined(columns: list[pa.Array], tag: bytes) -> memoryview:
    """Return the messages of some rows."""
    count = len(columns[0])
    steady = _HEADER - 1 + _LENGTH.size * len(columns)
    total: pa.Array | None = None
    arguments: list[Any] = []
    record = _Record(count)
    for column in columns:
        if _is_fixed(column):
            width = column.type.byte_width
            steady += width
            record.constant(_LENGTH.pack(width))
            record.strip(width, data_of(column, width))
            continue
        lengths = pc.binary_length(column)
        record.strip(_LENGTH.size, _announced(lengths))
        arguments += [record.cells(), column.cast(pa.binary())]
        record = _Record(count)
        lengths = pc.fill_null(lengths, _ZERO) if column.null_count else lengths
        total = lengths if total is None else pc.add(total, lengths)
    if record.pattern:
        arguments.append(record.cells())
    head = _Record(count)
    head.constant(tag)
    if total is None:
        head.constant(_LENGTH.pack(steady))
    else:
        head.strip(_LENGTH.size, swapped(numbers_of(pc.add(total, pa.scalar(steady, pa.int32())), "i")))
    head.constant(_COUNT.pack(len(columns)))
    return _data(_join([head.cells(), *arguments]))


class _Record:
    """What is equally wide in every row, up to the next value that is not."""

    def __init__(self, count: int) -> None:
        self.pattern = b""
        self._strips: list[tuple[int, int, Any]] = []
        self._count = count

    def constant(self, data: bytes) -> None:
        self.pattern += data

    def strip(self, width: int, data: Any) -> None:
        self._strips.append((len(self.pattern), width, data))
        self.pattern += bytes(width)

    def cells(self) -> Any:
        if not self._strips:
            return pa.scalar(self.pattern, pa.binary())
        return _records(interleaved(self.pattern, self._strips, self._count), len(self.pattern), self._count)


def _is_fixed(column: pa.Array) -> bool:
    return pa.types.is_fixed_size_binary(column.type) and not column.null_count


def _bytes_of(column: pa.Array) -> int:
    if pa.types.is_fixed_size_binary(column.type):
        return int(column.type.byte_width) * len(column)
    bounds = _offsets(column)
    return bounds[len(column)] - bounds[0]


def _offsets(column: pa.Array) -> memoryview:
    """Return where each value of a variable width begins, and where the last one ends."""
    bounds = memoryview(column.buffers()[1]).cast("i")
    return bounds[column.offset : column.offset + len(column) + 1]


def _announced(lengths: pa.Array) -> array.array[Any]:
    """Return lengths as they are sent; that of a NULL is -1."""
    return swapped(numbers_of(pc.fill_null(lengths, _NULL_LENGTH) if lengths.null_count else lengths, "i"))


def _records(data: Any, width: int, count: int) -> pa.Array:
    return pa.Array.from_buffers(pa.binary(width), count, [None, pa.py_buffer(data)]).cast(pa.binary())


def _join(arguments: list[Any]) -> pa.Array:
    """Join value by value; a NULL has no bytes."""
    return pc.binary_join_element_wise(*arguments, _NOTHING, null_handling="replace", null_replacement=b"")


def _data(joined: pa.Array) -> memoryview:
    bounds = _offsets(joined)
    return memoryview(joined.buffers()[2])[bounds[0] : bounds[len(joined)]]
