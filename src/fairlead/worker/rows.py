"""Results as PostgreSQL DataRow messages, built column by column: no Python object per row of a real result.

First each column becomes cells, in the format that the client wants: by Arrow alone where Arrow can do it, else with
the help of a second DuckDB cursor that reads the user's result as an Arrow stream and casts it (so the user's own
statement runs, and is bound, exactly once, and exactly as written). Then the cells become messages (``joining.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa

from fairlead.worker.binary import binary_form
from fairlead.worker.joining import RowTooLarge, blocks
from fairlead.worker.texts import text_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from duckdb import DuckDBPyConnection

__all__ = ["BATCH_ROWS", "BadFormats", "DataRows", "RowTooLarge", "blocks"]

BATCH_ROWS: Final = 4096
# Each kernel costs some microseconds, however few its values are; so small batches go together.
_GATHERED_ROWS: Final = 16_384
_GATHERED_BYTES: Final = 2 * 1024 * 1024
_VIEW: Final = "__fairlead_rows"


class BadFormats(ValueError):
    """There are not as many formats as columns."""


class ArrowStream:
    """An Arrow stream that DuckDB reads without asking pyarrow's dataset module."""

    def __init__(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        self._reader = pa.RecordBatchReader.from_batches(schema, batches)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._reader.__arrow_c_stream__(requested_schema)


class DataRows:
    """DataRow messages.

    Args:
        caster: a cursor of its own beside the user's.
        types: DuckDB's names of the columns' types.
        formats: of the columns, as in PostgreSQL's Bind message: 0 = text, 1 = binary; one stands for all columns, none
            for text.
        aliases: bucket names of this session with the real ones, which texts are mapped back to.

    Raises:
        BadFormats: there are several formats, but not one for each column.
    """

    def __init__(
        self, caster: DuckDBPyConnection, types: Sequence[str], formats: Sequence[int], aliases: Mapping[str, str]
    ) -> None:
        if len(formats) not in (0, 1, len(types)):
            raise BadFormats(f"bind message has {len(formats)} result formats but query has {len(types)} columns")
        each = [*formats] * len(types) if len(formats) == 1 else formats or [0] * len(types)
        self._caster = caster
        self._forms = [
            (binary_form if code else text_form)(name, aliases) for name, code in zip(types, each, strict=True)
        ]

    def pieces(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.Array]]:
        """Yield the cells of each batch. ``batches`` are pulled one at a time."""
        if all(form.expression is None for form in self._forms):
            for batch in gathered(batches):
                yield self._cells(batch)
            return
        names = [f"c{number}" for number in range(len(self._forms))]
        renamed = pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])
        stream = ArrowStream(renamed, (pa.RecordBatch.from_arrays(batch.columns, schema=renamed) for batch in batches))
        self._caster.register(_VIEW, stream)
        try:
            columns = ", ".join(
                form.expression(name) if form.expression is not None else name
                for form, name in zip(self._forms, names, strict=True)
            )
            query = f"SELECT {columns} FROM {_VIEW}"  # noqa: S608  # expressions over our own names
            for batch in gathered(self._caster.execute(query).to_arrow_reader(BATCH_ROWS)):
                yield self._cells(batch)
        finally:
            self._caster.unregister(_VIEW)

    def blocks(self, piece: list[pa.Array]) -> Iterator[tuple[memoryview, int]]:
        """Yield a batch as blocks of complete messages."""
        return blocks(piece)

    def _cells(self, batch: pa.RecordBatch) -> list[pa.Array]:
        return [form.cells(column) for form, column in zip(self._forms, batch.columns, strict=True)]


def gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the same rows in larger batches, but the first one as soon as it is there."""
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for number, batch in enumerate(batches):
        waiting.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if number == 0 or rows >= _GATHERED_ROWS or size >= _GATHERED_BYTES:
            yield _one(waiting)
            waiting, rows, size = [], 0, 0
    if waiting:
        yield _one(waiting)


def _one(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)
