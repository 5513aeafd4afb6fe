"""Results as messages of an Arrow IPC stream: first the schema (a block of no rows), then one record batch a block.

The engine hands out some types as extensions of its own or of Arrow, which few clients know. They become types that all
know: truth values and JSON by Arrow alone, hugeint as a decimal of 38 digits, what Arrow has no word for (uuid, bignum,
bit, time with time zone, unions) as text. The mark at the end of a stream is left to whoever sends it.
Format: arrow.apache.org, "Columnar format", section "IPC Streaming Format".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from fairlead.worker import casting
from fairlead.worker.frames import MAX_BLOCK
from fairlead.worker.rows import RowTooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from duckdb import DuckDBPyConnection
    from duckdb.sqltypes import DuckDBPyType

_TARGET_BLOCK: Final = 4 * 1024 * 1024
_AS_TEXT: Final = frozenset({"uuid", "bignum", "bit", "time with time zone", "union"})
_HUGE: Final = frozenset({"hugeint", "uhugeint"})


class NumberTooLarge(Exception):  # a decision, not a failure
    """A number has more digits than Arrow's decimals."""


class ArrowBatches:
    """Messages of an Arrow IPC stream.

    Args:
        caster: a cursor of its own beside the user's.
        types: DuckDB's names of the columns' types.
        aliases: bucket names of this session with the real ones, which texts are mapped back to.
    """

    def __init__(self, caster: DuckDBPyConnection, types: Sequence[str], aliases: Mapping[str, str]) -> None:
        self._caster = caster
        self._types = types
        self._aliases = aliases
        self._targets = [_target(name) for name in types]

    def pieces(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Schema | pa.RecordBatch]:
        """Yield the schema, then the batches; these are pulled one at a time."""
        if self._targets == list(self._types):
            yield from self._plain(schema.names, schema, batches)
            return
        given = casting.column_names(len(schema))
        expressions = [
            name if target == own else f"{name}::{target}"
            for name, target, own in zip(given, self._targets, self._types, strict=True)
        ]
        try:
            with casting.cast(self._caster, schema, batches, expressions) as reader:
                yield from self._plain(schema.names, reader.schema, reader)
        except duckdb.ConversionException as error:
            raise NumberTooLarge(
                "an integer of more than the 38 digits of Arrow's decimals; cast it to VARCHAR"
            ) from error

    def blocks(self, piece: pa.Schema | pa.RecordBatch) -> Iterator[tuple[memoryview, int]]:
        """Yield a schema as one block, a batch as one or more."""
        if isinstance(piece, pa.Schema):
            yield memoryview(piece.serialize()), 0
        else:
            yield from blocks(piece)

    def _plain(
        self, names: Sequence[str], schema: pa.Schema, batches: Iterable[pa.RecordBatch]
    ) -> Iterator[pa.Schema | pa.RecordBatch]:
        plain = pa.schema([pa.field(name, _plain(field.type)) for name, field in zip(names, schema, strict=True)])
        yield plain
        for batch in batches:
            pairs = zip(batch.columns, plain.types, strict=True)
            columns = [column if column.type == target else column.cast(target) for column, target in pairs]
            if self._aliases:
                columns = [self._mapped(column) for column in columns]
            yield pa.RecordBatch.from_arrays(columns, schema=plain)

    def _mapped(self, column: pa.Array) -> pa.Array:
        """Return a column with real bucket names, also in the texts inside of nested values."""
        kind = column.type
        if pa.types.is_string(kind):
            for alias, bucket in self._aliases.items():
                column = pc.replace_substring(column, f"s3://{alias}/", f"s3://{bucket}/")
            return column
        if pa.types.is_struct(kind):
            children = [self._mapped(column.field(number)) for number in range(kind.num_fields)]
            return pa.StructArray.from_arrays(children, fields=list(kind), mask=column.is_null())
        if pa.types.is_map(kind):
            entries = pa.StructArray.from_arrays(
                [self._mapped(column.keys), self._mapped(column.items)], fields=[kind.key_field, kind.item_field]
            )
        elif pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
            entries = self._mapped(column.values)
        else:
            return column
        own = column.buffers()[: 1 if pa.types.is_fixed_size_list(kind) else 2]
        return pa.Array.from_buffers(kind, len(column), own, column.null_count, column.offset, children=[entries])


def blocks(batch: pa.RecordBatch) -> Iterator[tuple[memoryview, int]]:
    """Yield a batch as messages of a handy size, each with its number of rows.

    Raises:
        RowTooLarge: a row alone is larger than a block may be.
    """
    count = batch.num_rows
    if count > 1 and batch.nbytes > _TARGET_BLOCK:
        yield from blocks(batch.slice(0, count // 2))
        yield from blocks(batch.slice(count // 2))
    elif count:
        message = batch.serialize()
        if message.size > MAX_BLOCK:
            raise RowTooLarge(f"a row of {message.size // 2**20} MiB; a row may have {MAX_BLOCK // 2**20} MiB")
        yield memoryview(message), count


def _target(name: str) -> str:
    kind = casting.kind(name)
    return "VARCHAR" if kind is None else casting.retyped(kind, _known)


def _known(kind: DuckDBPyType) -> str:
    """Return the type that a value has to be cast to, by the engine, before Arrow can say what it is."""
    if kind.id in _HUGE:
        return "DECIMAL(38,0)"
    return "VARCHAR" if kind.id in _AS_TEXT else str(kind)


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type that a client understands; Arrow alone casts to it."""
    if isinstance(kind, pa.Bool8Type):
        return pa.bool_()
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(kind.storage_type)
    return kind.value_type if pa.types.is_dictionary(kind) else _plain_nested(kind)


def _plain_nested(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_plain(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(_plain(kind.key_type), _plain(kind.item_type))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_plain(kind.value_type), kind.list_size)
    return pa.list_(_plain(kind.value_type)) if pa.types.is_list(kind) else kind
