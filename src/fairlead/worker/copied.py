"""PostgreSQL's binary COPY data, which a client has sent, as a file that the engine reads: the way in.

Rows are cut one field at a time, for nothing else tells where they end; a column of some thousand fields then becomes
an Arrow array at once, by type. Values of types that have no short way become text, which the INSERT casts. Format:
PostgreSQL manual, COPY, "Binary Format"; types: their ``recv`` functions.
"""

from __future__ import annotations

import array
import mmap
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from fairlead.worker.parameters import AS_TEXT, BadParameter
from fairlead.worker.pgtypes import pg_type
from fairlead.worker.rows import ArrowStream
from fairlead.worker.statements import Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from duckdb import DuckDBPyConnection

SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0"
_BATCH_ROWS: Final = 16_384
_VIEW: Final = "__fairlead_copied"
_INT16: Final = struct.Struct("!h")
_INT32: Final = struct.Struct("!i")
_HEADER: Final = struct.Struct("!Ii")
_OIDS: Final = 1 << 16  # a critical flag of old: rows begin with an id
_DAYS: Final = 10_957  # from 1970 to 2000
_MICROSECONDS: Final = _DAYS * 86_400_000_000

Values = list[bytes | None]


class BadCopy(ValueError):
    """The data are not what the format says; the message never holds a value."""


def convert(caster: DuckDBPyConnection, source: str, target: str, types: Sequence[str]) -> None:
    """Write what a client has sent as a Parquet file with the columns c0, c1 ...

    Args:
        caster: a cursor of its own beside the user's.
        source: path of the data.
        target: path of the file that is made.
        types: DuckDB's names of the columns' types.

    Raises:
        BadCopy: it is not that.
        Unsupported: a column is of a type that has no binary form here.
    """
    if not Path(source).stat().st_size:
        raise BadCopy("COPY file signature not recognized")
    makers = [_maker(name) for name in types]
    schema = pa.schema([(f"c{number}", kind) for number, (kind, _) in enumerate(makers)])

    def batches() -> Iterator[pa.RecordBatch]:
        with Path(source).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for line, columns in _rows(data, len(types)):
                arrays = [_made(*one, line) for one in zip(makers, columns, range(len(types)), strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    failure: list[Exception] = []

    def kept() -> Iterator[pa.RecordBatch]:
        try:
            yield from batches()
        except Exception as error:
            failure.append(error)
            raise

    caster.register(_VIEW, ArrowStream(schema, kept()))
    try:
        quoted = target.replace("'", "''")
        query = f"SELECT * FROM {_VIEW}"  # noqa: S608  # a name of our own
        caster.execute(f"COPY ({query}) TO '{quoted}' (FORMAT parquet)")
    except Exception:  # of any kind: the caster wraps what its source raised; raised again, as what it was
        if failure:
            raise failure[0] from None
        raise
    finally:
        caster.unregister(_VIEW)


def _rows(data: mmap.mmap, count: int) -> Iterator[tuple[int, list[Values]]]:
    """Yield the fields of some thousand rows, by column, with the number of the first of these rows."""
    at, line = _start(data), 1
    columns: list[Values] = [[] for _ in range(count)]
    while (at := _row(data, at, columns, line + len(columns[0]))) >= 0:
        if len(columns[0]) == _BATCH_ROWS:
            yield line, columns
            line += _BATCH_ROWS
            columns = [[] for _ in range(count)]
    yield line, columns


def _start(data: mmap.mmap) -> int:
    if data[: len(SIGNATURE)] != SIGNATURE or len(data) < len(SIGNATURE) + _HEADER.size:
        raise BadCopy("COPY file signature not recognized")
    flags, extension = _HEADER.unpack_from(data, len(SIGNATURE))
    if flags & 0xFFFF0000 or extension < 0:
        raise BadCopy("invalid COPY file header (WITH OIDS)" if flags & _OIDS else "invalid COPY file header")
    return len(SIGNATURE) + _HEADER.size + int(extension)


def _row(data: mmap.mmap, at: int, columns: list[Values], line: int) -> int:
    """Read a row and return where the next one begins, -1 at the end of the data."""
    end = len(data)
    try:
        (count,) = _INT16.unpack_from(data, at)
        at += 2
        if count == -1:
            if at != end:
                raise BadCopy(f"line {line}: received copy data after EOF marker")
            return -1
        if count != len(columns):
            raise BadCopy(f"line {line}: row field count is {count}, expected {len(columns)}")
        for values in columns:
            (size,) = _INT32.unpack_from(data, at)
            at += 4
            if size == -1:
                values.append(None)
                continue
            if size < 0 or at + size > end:
                raise BadCopy(f"line {line}: invalid field size")
            values.append(data[at : at + size])
            at += size
    except struct.error:
        raise BadCopy(f"line {line}: unexpected EOF in COPY data") from None
    return at


# --- columns ---------------------------------------------------------------------------------------------------------

_Make = tuple[pa.DataType, "Callable[[Values], pa.Array]"]


def _made(maker: _Make, values: Values, number: int, line: int) -> pa.Array:
    try:
        return maker[1](values)
    except (BadParameter, ValueError, ArithmeticError, struct.error, pa.ArrowInvalid):
        last = line + len(values) - 1
        raise BadCopy(f"lines {line} to {last}, column {number + 1}: incorrect binary data format") from None


def _maker(name: str) -> _Make:
    oid = pg_type(name).oid
    if oid in _MAKERS:
        return _MAKERS[oid]
    text_of = AS_TEXT.get(oid)
    if text_of is None:
        raise Unsupported(f"COPY in binary format is not offered for columns of the type {name}")
    return pa.string(), lambda values: pa.array([None if one is None else text_of(one) for one in values], pa.string())


def _numbers(values: Values, code: str) -> tuple[array.array[Any], list[bool]]:
    numbers = array.array(code)
    empty = bytes(numbers.itemsize)
    if any(one is not None and len(one) != numbers.itemsize for one in values):
        raise BadParameter
    numbers.frombytes(b"".join(empty if one is None else one for one in values))
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers, [one is None for one in values]


def _fixed(kind: pa.DataType, code: str) -> _Make:
    def make(values: Values) -> pa.Array:
        numbers, nulls = _numbers(values, code)
        plain = pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(numbers)])
        return pc.if_else(pa.array(nulls, pa.bool_()), pa.scalar(None, kind), plain) if any(nulls) else plain

    return kind, make


def _since_1970(kind: pa.DataType, raw: pa.DataType, code: str, shift: int) -> _Make:
    """Return what shifts the epoch; infinity is the greatest number here and there, its opposite differs by one."""
    _, numbers = _fixed(raw, code)
    greatest = 2 ** (raw.bit_width - 1) - 1

    def make(values: Values) -> pa.Array:
        found = numbers(values)
        finite = pc.and_(pc.less(found, greatest), pc.greater(found, -greatest - 1))
        shifted = pc.add_checked(pc.if_else(finite, found, 0), shift)
        endless = pc.if_else(pc.greater(found, 0), greatest, -greatest).cast(raw)
        return pc.if_else(finite, shifted, endless).cast(raw).view(kind)

    return kind, make


def _truths(values: Values) -> pa.Array:
    if any(one not in (None, b"\0", b"\1") for one in values):
        raise BadParameter
    return pa.array([None if one is None else one == b"\1" for one in values], pa.bool_())


def _texts(values: Values) -> pa.Array:
    found = pa.array(values, pa.binary()).cast(pa.string())
    found.validate(full=True)
    return found


_MAKERS: Final[dict[int, _Make]] = {
    16: (pa.bool_(), _truths),
    17: (pa.binary(), lambda values: pa.array(values, pa.binary())),
    20: _fixed(pa.int64(), "q"),
    21: _fixed(pa.int16(), "h"),
    23: _fixed(pa.int32(), "i"),
    25: (pa.string(), _texts),
    114: (pa.string(), _texts),
    700: _fixed(pa.float32(), "f"),
    701: _fixed(pa.float64(), "d"),
    1082: _since_1970(pa.date32(), pa.int32(), "i", _DAYS),
    1083: _fixed(pa.time64("us"), "q"),
    1114: _since_1970(pa.timestamp("us"), pa.int64(), "q", _MICROSECONDS),
    1184: _since_1970(pa.timestamp("us", "UTC"), pa.int64(), "q", _MICROSECONDS),
}
