"""How values travel to the writer: in Parquet, except those of types that Parquet cannot hold whole, which go as text.

The writer needs to know nothing of it: DuckDB casts text back to a column's type where it is inserted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fairlead.engine.lake.columntypes import duckdb_types
from fairlead.errors import NotSupported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.engine.lake.columntypes import Field

AS_TEXT: Final = frozenset({"int128", "uint128", "timetz", "interval", "timestamp_s"})
"""Parquet makes a DOUBLE of the first two, and loses the time zone, microseconds and signs, and infinity."""

NOT_STORED: Final = frozenset({"time_ns", "variant", "geometry"})
"""DuckLake takes these, but fails (of the first it even crashes) when it is to write them to a data file."""

_DEEPEST: Final = 32


def types(fields: Sequence[Field]) -> dict[int, str]:
    """The types of a table's columns in DuckDB's spelling, by column id.

    Args:
        fields: all columns of the table and the parts of nested ones, in order.

    Raises:
        NotSupported: a type that cannot be stored, or one nested too deeply.
    """
    for field in fields:
        if field.type in NOT_STORED:
            raise NotSupported(
                f'Column "{field.name}" has the type {field.type.upper()}, which tables cannot keep',
                hint="Store it as VARCHAR or BLOB, and cast it in queries",
            )
    _check_depth(fields)
    return duckdb_types(fields)


def carried_types(fields: Sequence[Field]) -> dict[int, str]:
    """The types in which the columns' values are written to Parquet, by column id; arguments as for :func:`types`."""
    return types([replace(field, type="varchar") if field.type in AS_TEXT else field for field in fields])


def _check_depth(fields: Sequence[Field]) -> None:
    parents = {field.column_id: field.parent for field in fields}
    for field in fields:
        at, depth = field.parent, 0
        while at is not None:
            at, depth = parents.get(at), depth + 1
            if depth > _DEEPEST:
                raise NotSupported(f'Column "{field.name}" is nested more than {_DEEPEST} levels deep')
