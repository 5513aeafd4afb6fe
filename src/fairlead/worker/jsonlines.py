"""Results as lines of JSON: first the columns (a block of no rows), then one array a row.

The engine writes the JSON, Arrow puts the line ends behind it. Integers up to 64 bits, finite floats, truth values,
lists, structs, maps and JSON are what they are in JSON; everything else is a text, as PostgreSQL writes it: decimals
and larger integers too, because most readers of JSON would cut their digits.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pyarrow.compute as pc

from fairlead.worker import casting
from fairlead.worker.frames import MAX_BLOCK
from fairlead.worker.pgtypes import cast_expression
from fairlead.worker.rows import RowTooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa
    from duckdb import DuckDBPyConnection
    from duckdb.sqltypes import DuckDBPyType

_TARGET_BLOCK: Final = 4 * 1024 * 1024
# What `to_json` writes as it should be.
_NATIVE: Final = frozenset(
    {"boolean", "tinyint", "utinyint", "smallint", "usmallint", "integer", "uinteger", "bigint", "ubigint", "varchar"}
    | {"uuid", "date", "time", "time_ns", "time with time zone", "enum", "bit"}
    | {"timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone", "null", '"null"'}
)
_FLOATS: Final = frozenset({"float", "double"})


class JsonLines:
    """Lines of JSON.

    Args:
        caster: a cursor of its own beside the user's.
        types: DuckDB's names of the columns' types.
        aliases: bucket names of this session with the real ones, which texts are mapped back to.
    """

    def __init__(self, caster: DuckDBPyConnection, types: Sequence[str], aliases: Mapping[str, str]) -> None:
        self._caster = caster
        self._types = types
        self._aliases = aliases

    def pieces(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[bytes | pa.Array]:
        """Yield the line of the columns, then the rows of each batch as texts; batches are pulled one at a time."""
        yield header(zip(schema.names, self._types, strict=True))
        names = casting.column_names(len(schema))
        kinds = [casting.kind(one) for one in self._types]
        values = [
            f"{name}::VARCHAR" if kind is None else expression(kind, name)
            for kind, name in zip(kinds, names, strict=True)
        ]
        line = f"system.main.json_array({', '.join(values)})::VARCHAR"
        with casting.cast(self._caster, schema, batches, [line]) as reader:
            for batch in reader:
                lines = batch.column(0)
                for alias, bucket in self._aliases.items():
                    lines = pc.replace_substring(lines, f"s3://{alias}/", f"s3://{bucket}/")
                yield lines

    def blocks(self, piece: bytes | pa.Array) -> Iterator[tuple[memoryview, int]]:
        """Yield the columns as one block, rows as one or more."""
        if isinstance(piece, bytes):
            yield memoryview(piece), 0
        else:
            yield from blocks(piece)


def header(columns: Iterable[tuple[str, str]]) -> bytes:
    """Return the line that describes the columns."""
    described = [{"name": name, "type": type_name} for name, type_name in columns]
    return json.dumps({"columns": described}).encode() + b"\n"


def blocks(lines: pa.Array) -> Iterator[tuple[memoryview, int]]:
    """Yield rows as blocks of whole lines, each with its number of rows.

    Raises:
        RowTooLarge: a row alone is larger than a block may be.
    """
    count = len(lines)
    if not count:
        return
    size = lines.nbytes
    if count > 1 and size > _TARGET_BLOCK:
        yield from blocks(lines[: count // 2])
        yield from blocks(lines[count // 2 :])
    elif size > MAX_BLOCK:
        raise RowTooLarge(f"a row of {size // 2**20} MiB; a row may have {MAX_BLOCK // 2**20} MiB")
    else:
        ended = pc.binary_join_element_wise(lines, "", "\n")
        _, offsets, data = ended.buffers()
        bounds = memoryview(offsets).cast("i")
        yield memoryview(data)[bounds[ended.offset] : bounds[ended.offset + count]], count


def expression(kind: DuckDBPyType, value: str, depth: int = 0) -> str:
    """Return the SQL expression of what a value is in JSON; ``value`` is an expression too, and cheap."""
    if not _needs_care(kind):
        return value
    if kind.id in _FLOATS:
        # JSON has no words for infinities and NaN; a float's text has fewer digits than the double it would become.
        number = value if kind.id == "double" else f"({value}::VARCHAR)::JSON"
        return (
            f"CASE WHEN system.main.isfinite({value}) THEN system.main.to_json({number})"
            f" WHEN system.main.isnan({value}) THEN system.main.to_json('NaN')"
            f" WHEN {value} > 0 THEN system.main.to_json('Infinity')"
            f" WHEN {value} < 0 THEN system.main.to_json('-Infinity') END"
        )
    each = f"x{depth}"

    def one(inner: DuckDBPyType, of: str) -> str:
        return expression(inner, of, depth + 1)

    match kind.id:
        case "list" | "array":
            made = f"system.main.list_transform({value}, lambda {each}: {one(casting.children(kind)[0][1], each)})"
        case "struct":
            made = _struct(kind, value, one)
        case "map":
            entry = f"{{'k': {each}.key::VARCHAR, 'v': {one(casting.children(kind)[1][1], f'{each}.value')}}}"
            entries = f"system.main.list_transform(system.main.map_entries({value}), lambda {each}: {entry})"
            made = f"system.main.map_from_entries({entries})"
        case _:
            return cast_expression(str(kind), value)
    return f"CASE WHEN {value} IS NOT NULL THEN system.main.to_json({made}) END"


def _struct(kind: DuckDBPyType, value: str, one: Callable[[DuckDBPyType, str], str]) -> str:
    fields = []
    for name, inner in casting.children(kind):
        label = "'" + name.replace("'", "''") + "'"
        fields.append(f"{label}: {one(inner, f'system.main.struct_extract({value}, {label})')}")
    return "{" + ", ".join(fields) + "}"


def _needs_care(kind: DuckDBPyType) -> bool:
    """Tell whether ``to_json`` would write another thing than what is promised."""
    if kind.id in casting.NESTED:
        return any(_needs_care(inner) for name, inner in casting.children(kind) if name != "key" or kind.id != "map")
    return kind.id not in _NATIVE
