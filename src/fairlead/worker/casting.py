"""Casts by the engine: a second cursor reads the user's result as an Arrow stream and computes an expression a column.

So the user's own statement runs, and is bound, exactly once, and exactly as written. The engine tells types by name;
``kind`` reads such a name, and ``retyped`` writes the name of the same shape with other types at its leaves.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import duckdb
import pyarrow as pa
from duckdb.sqltypes import DuckDBPyType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from duckdb import DuckDBPyConnection

BATCH_ROWS: Final = 4096
NESTED: Final = frozenset({"list", "array", "map", "struct"})
_VIEW: Final = "__fairlead_cast"


class _Stream:
    """An Arrow stream that DuckDB reads without asking pyarrow's dataset module."""

    def __init__(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        self._reader = pa.RecordBatchReader.from_batches(schema, batches)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._reader.__arrow_c_stream__(requested_schema)


def column_names(count: int) -> list[str]:
    """Return what the columns of a result are called in expressions: theirs may be anything, and occur twice."""
    return [f"c{number}" for number in range(count)]


@contextmanager
def cast(
    caster: DuckDBPyConnection, schema: pa.Schema, batches: Iterable[pa.RecordBatch], expressions: Sequence[str]
) -> Iterator[pa.RecordBatchReader]:
    """Give the values of SQL expressions as a reader, which pulls ``batches`` one at a time.

    Args:
        caster: a cursor of its own beside the user's.
        schema: of the batches.
        batches: the user's result.
        expressions: over the names of ``column_names``.
    """
    names = column_names(len(schema))
    renamed = pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])
    stream = _Stream(renamed, (pa.RecordBatch.from_arrays(batch.columns, schema=renamed) for batch in batches))
    caster.register(_VIEW, stream)
    try:
        query = f"SELECT {', '.join(expressions)} FROM {_VIEW}"  # noqa: S608  # expressions over our own names
        yield caster.execute(query).to_arrow_reader(BATCH_ROWS)
    finally:
        caster.unregister(_VIEW)


def kind(name: str) -> DuckDBPyType | None:
    """Return the type of a name that the engine itself has given; None where it cannot read it (unnamed structs)."""
    try:
        return DuckDBPyType(name)
    except duckdb.Error:
        return None


def children(one: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    """Return the types inside of a nested one, each with its name: of a field, or ``child``, ``key``, ``value``."""
    return [(name, inner) for name, inner in one.children if isinstance(inner, DuckDBPyType)]


def retyped(one: DuckDBPyType, leaf: Callable[[DuckDBPyType], str]) -> str:
    """Return the name of a type of the same shape, with what ``leaf`` says for each type that is not nested."""
    if one.id not in NESTED:
        return leaf(one)
    inner = [(name, retyped(child, leaf)) for name, child in children(one)]
    match one.id:
        case "list":
            return f"{inner[0][1]}[]"
        case "array":
            return f"{inner[0][1]}[{one.children[1][1]}]"
        case "map":
            return f"MAP({inner[0][1]}, {inner[1][1]})"
    return f"STRUCT({', '.join(f'{quoted(name)} {child}' for name, child in inner)})"


def quoted(name: str) -> str:
    """Return a name as an identifier."""
    return '"' + name.replace('"', '""') + '"'
