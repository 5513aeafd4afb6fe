"""The text format of every type: by Arrow alone where Arrow can, else the engine casts the column first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from fairlead.worker import floats, lists, moments, numeric
from fairlead.worker.forms import Form, real_names, storage
from fairlead.worker.pgtypes import decimal, element_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_INTEGERS: Final = frozenset(
    {"TINYINT", "UTINYINT", "SMALLINT", "USMALLINT", "INTEGER", "UINTEGER", "BIGINT", "UBIGINT"}
)
_TEXTS: Final = frozenset({"VARCHAR", "JSON"})
# Arrow writes smaller fractions with an exponent.
_EXACT_SCALE: Final = 6
_FEW: Final = 32  # values for which waking Arrow's kernels costs more than they do


def text_form(name: str, aliases: Mapping[str, str]) -> Form:
    """Return the form of a column in PostgreSQL's text format.

    Args:
        name: of its DuckDB type.
        aliases: bucket names of this session with the real ones, which texts are mapped back to.
    """
    if (element := element_of(name)) is not None:
        return lists.text_form(text_form(element, aliases))
    if (shape := decimal(name)) is not None:
        width, scale = shape
        return Form(_cast if scale <= _EXACT_SCALE and width > scale else numeric.texts_of_decimals(scale))
    if (cells := _PLAIN.get(name)) is not None:
        return Form(cells)
    if name == "INTERVAL":
        return Form(_intervals, "{}::VARCHAR".format)
    named = real_names(aliases)
    if name.startswith("ENUM("):
        return Form(lambda column: named(pc.cast(column, pa.string())))
    return Form(named, None if name in _TEXTS else _EXPRESSIONS.get(name, "{}::VARCHAR").format)


def _cast(column: pa.Array) -> pa.Array:
    return pc.cast(column, pa.string())


def _integers(column: pa.Array) -> pa.Array:
    if len(column) <= _FEW:
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
    return _cast(column)


def _intervals(column: pa.Array) -> pa.Array:
    """Write intervals in PostgreSQL's words: only 1 is singular, and a sign that changes is said."""
    column = pc.replace_substring(column, "month", "mon")
    if pc.any(pc.match_substring(column, "-")).as_py():
        column = pc.replace_substring_regex(column, r"-1 (year|mon|day)\b", r"-1 \1s")
        column = pc.replace_substring_regex(column, r"(-\d+ [a-z]+ )(\d)", r"\1+\2")
    return column


_PLAIN: Final[dict[str, Callable[[pa.Array], pa.Array]]] = {
    "BOOLEAN": lambda column: pc.if_else(storage(column), "t", "f"),
    "FLOAT": floats.texts,
    "DOUBLE": floats.texts,
    "DATE": moments.text_dates,
    "TIME": moments.text_times,
    "TIME_NS": moments.text_times,
    "TIMESTAMP": moments.text_timestamps,
    "TIMESTAMP_S": moments.text_timestamps,
    "TIMESTAMP_MS": moments.text_timestamps,
    "TIMESTAMP_NS": moments.text_timestamps,
    **dict.fromkeys(_INTEGERS, _integers),
}
_EXPRESSIONS: Final = {
    "BLOB": r"'\x' || system.main.lower(system.main.hex({}))",
}
