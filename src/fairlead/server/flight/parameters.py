"""Parameters of a prepared statement: from rows of Arrow to the values that a worker binds.

Each column becomes text (Arrow's own casts write what DuckDB reads) with the PostgreSQL type that stands for its Arrow
type; bytes go as they are. Parameters are few and travel in a request, so Python objects do no harm here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from fairlead.engine.api import Parameter
from fairlead.errors import InvalidParameter, NotSupported

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fairlead.server.flight.session import Row

_MOST_ROWS: Final = 100_000
_MOST_COLUMNS: Final = 32_767
_MOST_BYTES: Final = 256 * 1024 * 1024
_BYTEA, _TEXT, _NUMERIC, _INTERVAL, _UUID = 17, 25, 1700, 1186, 2950
_UNKNOWN: Final = 0

# The type that stands for a column of Arrow; the first test that holds decides.
_TYPES: Final[tuple[tuple[Callable[[pa.DataType], bool], int], ...]] = (
    (pa.types.is_null, _UNKNOWN),
    (pa.types.is_boolean, 16),
    (pa.types.is_uint64, _NUMERIC),
    (pa.types.is_integer, 20),
    (pa.types.is_float32, 700),
    (pa.types.is_floating, 701),
    (pa.types.is_decimal, _NUMERIC),
    (pa.types.is_date, 1082),
    (pa.types.is_time, 1083),
    (lambda kind: pa.types.is_timestamp(kind) and kind.tz is not None, 1184),
    (pa.types.is_timestamp, 1114),
    (pa.types.is_duration, _INTERVAL),
    (pa.types.is_interval, _INTERVAL),
    (lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind), _TEXT),
    (
        lambda kind: (
            pa.types.is_binary(kind)
            or pa.types.is_large_binary(kind)
            or pa.types.is_binary_view(kind)
            or pa.types.is_fixed_size_binary(kind)
        ),
        _BYTEA,
    ),
)
_ARRAY_OF: Final = {16: 1000, 20: 1016, 700: 1021, 701: 1022, 1082: 1182, 1114: 1115, _TEXT: 1009}


class Rows:
    """Gathers the rows of parameters that a client sends, within limits."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._bytes = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch that a client has sent.

        Raises:
            InvalidParameter: it is malformed, or there are too many.
            NotSupported: a column has a type that no parameter can have.
        """
        self._bytes += batch.nbytes
        large = batch.num_columns > _MOST_COLUMNS or self._bytes > _MOST_BYTES
        if large or len(self._rows) + batch.num_rows > _MOST_ROWS:
            raise InvalidParameter(
                f"a statement can be run with {_MOST_ROWS} rows and {_MOST_BYTES // 2**20} MiB of parameters at a time",
                hint="load more rows with a bulk ingest (adbc_ingest)",
            )
        self._rows += rows_of(batch)

    def all(self) -> Sequence[Row]:
        """Return what has come."""
        return self._rows


def rows_of(batch: pa.RecordBatch) -> list[Row]:
    """Return each row of a batch as the values of ``$1``, ``$2`` and so on.

    Raises:
        InvalidParameter: the batch is malformed, or a value does not fit its type.
        NotSupported: a column has a type that no parameter can have.
    """
    try:
        batch.validate(full=True)
        columns = [_column(column, number) for number, column in enumerate(batch.columns, start=1)]
    except (pa.ArrowException, ValueError) as error:
        raise InvalidParameter("the parameters are not valid Arrow data") from error
    if not columns:
        return [()] * batch.num_rows
    return list(zip(*columns, strict=True))


def _column(column: pa.Array, number: int) -> list[Parameter]:
    if isinstance(column, pa.ExtensionArray):
        is_uuid = column.type.extension_name == "arrow.uuid"
        column = column.storage
        if is_uuid:
            return [Parameter(_bytes(v.hex() if v is not None else None), _UUID, False) for v in column.to_pylist()]
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type) or pa.types.is_fixed_size_list(column.type):
        return _lists(column, number)
    oid = _oid(column.type, number)
    if oid == _BYTEA:
        return [Parameter(value, oid, binary=True) for value in column.to_pylist()]
    return [Parameter(_bytes(value), oid, binary=False) for value in _texts(column)]


def _lists(column: pa.Array, number: int) -> list[Parameter]:
    oid = _ARRAY_OF.get(_oid(column.type.value_type, number))
    if oid is None:
        raise _unsupported(column.type, number)
    found = []
    for row in column:
        values = row.values
        literal = None if values is None else "{" + ",".join(map(_element, _texts(values))) + "}"
        found.append(Parameter(_bytes(literal), oid, binary=False))
    return found


def _element(text: str | None) -> str:
    """Return a value as it stands in an array literal (PostgreSQL manual, 8.15.2)."""
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _oid(kind: pa.DataType, number: int) -> int:
    for test, oid in _TYPES:
        if test(kind):
            return oid
    raise _unsupported(kind, number)


def _unsupported(kind: pa.DataType, number: int) -> NotSupported:
    return NotSupported(f"parameter ${number} has the type {kind}, which no parameter can have", hint="send a text")


def _texts(column: pa.Array) -> list[str | None]:
    if pa.types.is_interval(column.type):
        return [None if value is None else _interval(value) for value in column.to_pylist()]
    if pa.types.is_duration(column.type):
        column = column.cast(pa.duration("us")).cast(pa.int64())
        return [None if value is None else f"{value} microseconds" for value in column.to_pylist()]
    if pa.types.is_float16(column.type):
        column = column.cast(pa.float32())
    if pa.types.is_floating(column.type):
        return [None if value is None else repr(value) for value in column.to_pylist()]
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = column.cast(pa.timestamp(column.type.unit, "UTC"))
    texts: list[str | None] = pc.cast(column, pa.string()).to_pylist()
    return texts


def _interval(value: Any) -> str:
    return f"{value.months} months {value.days} days {value.nanoseconds // 1000} microseconds"


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()
