"""Results as PostgreSQL DataRow messages, built column by column: no Python object per row of a real result.

First each column becomes text: by Arrow alone where Arrow writes a type as DuckDB does, else by a second DuckDB cursor
that reads the user's result as an Arrow stream and casts it (so the user's own statement runs, and is bound, exactly
once, and exactly as written). Then one ``binary_join_element_wise`` per batch puts length prefixes and texts together.
DataRow: PostgreSQL protocol 3.0, "Message Formats".
"""

from __future__ import annotations

import array
import struct
import sys
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from fairlead.worker.frames import MAX_BLOCK
from fairlead.worker.pgtypes import cast_expression, direct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from duckdb import DuckDBPyConnection

BATCH_ROWS: Final = 4096
_VIEW: Final = "__fairlead_rows"
_NULL_LENGTH: Final = -1
_ROW_OVERHEAD: Final = 4 + 2  # the message's own length, and the number of columns
_TARGET_BLOCK: Final = 4 * 1024 * 1024
# So few values are not worth a kernel; one page of any real result has more.
_FEW_VALUES: Final = 32
_FEW_BYTES: Final = 16 * 1024
_LENGTH: Final = struct.Struct("!i")
_COUNT: Final = struct.Struct("!h")
_KIND: Final = pa.scalar(b"D", pa.binary())
_NOTHING: Final = pa.scalar(b"", pa.binary())
_ZERO: Final = pa.scalar(0, pa.int32())


class RowTooLarge(Exception):  # a decision, not a failure
    """A single row is larger than a message may be."""


class _Stream:
    """An Arrow stream that DuckDB reads without asking pyarrow's dataset module."""

    def __init__(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        self._reader = pa.RecordBatchReader.from_batches(schema, batches)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._reader.__arrow_c_stream__(requested_schema)


class TextRows:
    """DataRow messages in text format.

    Args:
        caster: a cursor of its own beside the user's.
        types: DuckDB's names of the columns' types.
        aliases: bucket names of this session with the real ones, which texts are mapped back to.
    """

    def __init__(self, caster: DuckDBPyConnection, types: Sequence[str], aliases: Mapping[str, str]) -> None:
        self._caster = caster
        self._types = types
        self._aliases = aliases
        self._direct = all(direct(name) for name in types)

    def pieces(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.Array]]:
        """Yield the columns of each batch, as text. ``batches`` are pulled one at a time."""
        if self._direct:
            for batch in batches:
                yield [self._finish(self._by_arrow(column)) for column in batch.columns]
            return
        names = [f"c{number}" for number in range(len(self._types))]
        renamed = pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])
        stream = _Stream(renamed, (pa.RecordBatch.from_arrays(batch.columns, schema=renamed) for batch in batches))
        self._caster.register(_VIEW, stream)
        try:
            columns = ", ".join(cast_expression(name, column) for name, column in zip(self._types, names, strict=True))
            query = f"SELECT {columns} FROM {_VIEW}"  # noqa: S608  # expressions over our own names
            for batch in self._caster.execute(query).to_arrow_reader(BATCH_ROWS):
                yield [self._finish(_storage(column)) for column in batch.columns]
        finally:
            self._caster.unregister(_VIEW)

    def blocks(self, piece: list[pa.Array]) -> Iterator[tuple[memoryview, int]]:
        """Yield a batch as blocks of complete messages."""
        return blocks(piece)

    @staticmethod
    def _by_arrow(column: pa.Array) -> pa.Array:
        column = _storage(column)
        if pa.types.is_string(column.type):
            return column
        if len(column) <= _FEW_VALUES and pa.types.is_integer(column.type):
            return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
        if pa.types.is_boolean(column.type):
            return pc.if_else(column, "t", "f")
        return pc.cast(column, pa.string())

    def _finish(self, column: pa.Array) -> pa.Array:
        for alias, bucket in self._aliases.items():
            column = pc.replace_substring(column, f"s3://{alias}/", f"s3://{bucket}/")
        return column


def _storage(column: pa.Array) -> pa.Array:
    if not isinstance(column, pa.ExtensionArray):
        return column
    if column.type.extension_name == "arrow.bool8":
        return pc.not_equal(column.storage, 0)
    return column.storage


def blocks(columns: list[pa.Array]) -> Iterator[tuple[memoryview, int]]:
    """Yield a batch as blocks of complete DataRow messages, each with its number of rows.

    Raises:
        RowTooLarge: a row alone is larger than a block may be.
    """
    count = len(columns[0])
    if not count:
        return
    if count * len(columns) <= _FEW_VALUES and sum(column.nbytes for column in columns) <= _FEW_BYTES:
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        yield memoryview(b"".join(_message(row) for row in rows)), count
        return
    size = sum(pc.sum(pc.binary_length(column)).as_py() or 0 for column in columns)
    if size > _TARGET_BLOCK and count > 1:
        half = count // 2
        yield from blocks([column[:half] for column in columns])
        yield from blocks([column[half:] for column in columns])
    elif size + count * (4 * len(columns) + _ROW_OVERHEAD + 1) > MAX_BLOCK:
        raise RowTooLarge(f"a row of {size // (1024 * 1024)} MiB; a row may have {MAX_BLOCK // (1024 * 1024)} MiB")
    else:
        yield _joined(columns), count


def _message(row: Sequence[str | None]) -> bytes:
    """Return one row's message: for a handful of values, waking Arrow's kernels costs more than the rows do."""
    parts = [_COUNT.pack(len(row))]
    for value in row:
        raw = b"" if value is None else value.encode()
        parts += [_LENGTH.pack(_NULL_LENGTH if value is None else len(raw)), raw]
    body = b"".join(parts)
    return b"D" + _LENGTH.pack(len(body) + _LENGTH.size) + body


def _joined(columns: list[pa.Array]) -> memoryview:
    count = len(columns[0])
    parts: list[Any] = []
    total: pa.Array | None = None
    for column in columns:
        length = pc.binary_length(column)
        total_here = length if not column.null_count else pc.fill_null(length, _ZERO)
        total = total_here if total is None else pc.add(total, total_here)
        # A NULL has length -1 and no bytes; the join below replaces it by nothing.
        announced = pc.fill_null(length, _NULL_LENGTH) if column.null_count else length
        parts += [big_endian(announced), column.cast(pa.binary())]
    sizes = pc.add(total, pa.scalar(_ROW_OVERHEAD + 4 * len(columns), pa.int32()))
    number = pa.scalar(_COUNT.pack(len(columns)), pa.binary())
    joined = pc.binary_join_element_wise(
        _KIND, big_endian(sizes), number, *parts, _NOTHING, null_handling="replace", null_replacement=b""
    )
    _, offsets, data = joined.buffers()
    bounds = memoryview(offsets).cast("i")
    return memoryview(data)[bounds[joined.offset] : bounds[joined.offset + count]]


def big_endian(numbers: pa.Array) -> pa.Array:
    """Return 32-bit numbers as an array of four bytes each, most significant first."""
    count = len(numbers)
    swapped = array.array("i")
    swapped.frombytes(memoryview(numbers.buffers()[1])[4 * numbers.offset : 4 * (numbers.offset + count)])
    if sys.byteorder == "little":
        swapped.byteswap()
    return pa.Array.from_buffers(pa.binary(), count, [None, _offsets(count), pa.py_buffer(swapped)])


_STEPS: Final[dict[int, pa.Buffer]] = {}


def _offsets(count: int) -> pa.Buffer:
    """Return the offsets 0, 4, 8 ... of ``count`` values; kept, because most batches have the same length."""
    steps = _STEPS.get(count)
    if steps is None:
        if len(_STEPS) > 1:
            _STEPS.clear()
        steps = _STEPS[count] = pa.py_buffer(array.array("i", range(0, 4 * count + 1, 4)))
    return steps
