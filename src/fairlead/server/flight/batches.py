"""Rows as Arrow batches: from a worker's bytes, which nobody trusts, and from the few texts of a command.

Flight takes batches, not bytes, so a worker's blocks are read here, without copying their buffers. A worker is hostile:
compressed blocks (bombs), buffers that overlap (a small block that is a large answer), and values outside of their
buffers are refused before anything looks at them.
Format: arrow.apache.org, "Columnar format", section "IPC Streaming Format"; FlatBuffers, "Internals".
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from fairlead.errors import WorkerLost

if TYPE_CHECKING:
    from collections.abc import Sequence

_MESSAGE_HEADER: Final = 2  # fields of the table Message in Message.fbs
_BATCH_COMPRESSION: Final = 3  # ... of the table RecordBatch
_U16: Final = struct.Struct("<H")
_I32: Final = struct.Struct("<i")
_U32: Final = struct.Struct("<I")

NO_COLUMNS: Final = pa.schema([])


def schema_of(data: bytes) -> pa.Schema:
    """Read the first block of a result.

    Raises:
        WorkerLost: it is no schema.
    """
    try:
        return pa.ipc.read_schema(pa.py_buffer(data))
    except (pa.ArrowException, ValueError, OSError) as error:
        raise _malformed() from error


def batch_of(data: bytes, schema: pa.Schema) -> pa.RecordBatch:
    """Read one of the further blocks.

    Raises:
        WorkerLost: it is no batch of that schema, or one that would not be safe to pass on.
    """
    try:
        message = pa.ipc.read_message(pa.py_buffer(data))
        if message.type != "record batch" or _is_compressed(message.metadata):
            raise _malformed()
        batch = pa.ipc.read_record_batch(message, schema)
        if batch.nbytes > len(data):
            raise _malformed()
        batch.validate(full=True)
    except (pa.ArrowException, ValueError, OSError, EOFError, struct.error) as error:
        raise _malformed() from error
    return batch


def texts(names: Sequence[str]) -> pa.Schema:
    """Return the schema of a command's result: all its columns are texts."""
    return pa.schema([pa.field(name, pa.string()) for name in names])


def parameters(count: int) -> pa.Schema:
    """Return the schema of a statement's parameters: their types are not known before they come."""
    return pa.schema([pa.field(f"${number}", pa.string()) for number in range(1, count + 1)])


def of_texts(schema: pa.Schema, rows: Sequence[Sequence[str | None]]) -> pa.RecordBatch:
    """Return the few rows of a command."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    return pa.RecordBatch.from_arrays([pa.array(list(column), pa.string()) for column in columns], schema=schema)


def _is_compressed(metadata: pa.Buffer) -> bool:
    """Tell whether a record batch has compressed buffers; the field is there only where it has."""
    view = memoryview(metadata)
    message = _U32.unpack_from(view)[0]
    header = _field(view, message, _MESSAGE_HEADER)
    if not header:
        raise _malformed()
    batch = header + _U32.unpack_from(view, header)[0]
    return _field(view, batch, _BATCH_COMPRESSION) != 0


def _field(view: memoryview, table: int, number: int) -> int:
    """Return where a field of a FlatBuffers table is, 0 = nowhere."""
    layout = table - _I32.unpack_from(view, table)[0]
    at = 4 + 2 * number
    if layout < 0:
        raise _malformed()
    if at + 2 > _U16.unpack_from(view, layout)[0]:
        return 0
    offset = int(_U16.unpack_from(view, layout + at)[0])
    return table + offset if offset else 0


def _malformed() -> WorkerLost:
    return WorkerLost("the session's process sent something that is no result")
