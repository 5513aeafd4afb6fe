"""Bulk ingest: the rows that a client streams become a Parquet file, batch by batch, which the session then loads.

A client is no more trusted than a worker: every batch is checked before anything looks at its values.
Source: ``CommandStatementIngest`` in ``FlightSql.proto`` of Apache Arrow.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.parquet as pq

from fairlead.commands.ingesting import Target
from fairlead.errors import EngineError, InvalidParameter, NotSupported

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fairlead.commands.ingesting import Mode, Place
    from fairlead.server.flight.messages import Ingest

# if_missing (1 create, 2 fail) and if_exists (1 fail, 2 append, 3 replace); nothing said means the first.
_MODES: Final[dict[tuple[int, int], Mode]] = {
    (0, 0): "create",
    (0, 1): "create",
    (1, 0): "create",
    (1, 1): "create",
    (1, 2): "create_append",
    (1, 3): "replace",
    (2, 2): "append",
    (0, 2): "append",
}
_MOST_COLUMNS: Final = 10_000
_ROWS_AT_ONCE: Final = 122_880  # a row group of DuckDB


def target(request: Ingest, schema: pa.Schema) -> Target:
    """Return where the rows of a request go.

    Args:
        request: of the client.
        schema: of the rows.

    Raises:
        InvalidParameter: it makes no sense.
        NotSupported: it wants what is not offered.
    """
    mode = _MODES.get((request.if_missing, request.if_exists))
    if mode is None:
        raise NotSupported("this way of loading is not offered", hint="create, append, replace or create_append")
    if not request.table:
        raise InvalidParameter("a bulk load needs the name of a table")
    names = schema.names
    if not 0 < len(names) <= _MOST_COLUMNS or len({name.casefold() for name in names}) < len(names):
        raise InvalidParameter("the columns of a bulk load need names of their own")
    if request.temporary and (request.catalog or request.schema):
        raise NotSupported("a temporary table has neither catalog nor schema")
    table = [part for part in (request.catalog, request.schema) if part] + [request.table]
    if request.catalog and not request.schema:
        raise InvalidParameter("a catalog is named without a schema", hint="name both")
    return Target(tuple(table), tuple(names), mode, request.temporary)


def write(place: Place, schema: pa.Schema, chunks: Iterable[pa.RecordBatch]) -> int:
    """Write rows to where they are loaded from; return how many there were.

    Args:
        place: where, and how much at most.
        schema: of the rows.
        chunks: the rows.

    Raises:
        InvalidParameter: they are malformed.
        NotSupported: a column has a type that a file cannot have.
        EngineError: they are too many.
    """
    count = 0
    handle = os.open(place.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
    with os.fdopen(handle, "wb") as file:
        try:
            with pq.ParquetWriter(file, schema, compression="zstd", compression_level=1) as writer:
                for chunk in chunks:
                    if chunk is not None:
                        chunk.validate(full=True)
                        writer.write_batch(chunk, row_group_size=_ROWS_AT_ONCE)
                        count += chunk.num_rows
                        _check(file.tell(), place.limit)
        except pa.ArrowNotImplementedError as error:  # a type of the client that Parquet has not
            raise NotSupported(f"the rows cannot be loaded: {error}") from error
        except pa.ArrowInvalid as error:
            raise InvalidParameter("the rows are not valid Arrow data") from error
        except OSError as error:
            raise EngineError(f"there is no place for the rows: {error.strerror}", sqlstate="53100") from error
    return count


def _check(size: int, limit: int) -> None:
    if size > limit:
        raise EngineError(
            f"a bulk load may have {limit // 2**20} MiB",
            sqlstate="54000",
            hint="load the rows in parts, or ask the administrator for a larger worker.spill_limit_mb",
        )
