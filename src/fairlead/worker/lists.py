"""Lists as PostgreSQL's arrays of one dimension, in both formats, from the cells of all their elements at once.

Text: manual section 8.15, "Array Input and Output Syntax". Binary: ``array_send`` in PostgreSQL's arrayfuncs.c.
"""

from __future__ import annotations

import array
import struct
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from fairlead.worker.forms import Form, interleaved, swapped, validity_of
from fairlead.worker.joining import prefixed

if TYPE_CHECKING:
    from collections.abc import Callable

_HEAD: Final = struct.Struct(
    "!iiIii"
)  # dimensions, whether NULLs are inside, type of the elements, length, first index
_EMPTY: Final = struct.Struct("!iiI")
# Only what needs it is quoted; the word NULL would be read as one (array_out in arrayfuncs.c).
_NEEDS_QUOTES: Final = r'(?i)^$|^null$|[{}",\\\x09-\x0d ]'


def text_form(element: Form) -> Form:
    """Return the form of lists in text, as ``{a,"b c",NULL}``.

    Args:
        element: the form of their elements in text.
    """

    def cells(column: pa.Array) -> pa.Array:
        column = _as_list(column)
        elements = pc.fill_null(_quoted(element.cells(column.values)), "NULL")
        joined = pc.binary_join(_relisted(column, elements), ",")
        return pc.binary_join_element_wise("{", joined, "}", "")

    return Form(cells, _each(element))


def binary_form(element: Form, oid: int) -> Form:
    """Return the form of lists in binary.

    Args:
        element: the form of their elements in binary.
        oid: of the type of the elements.
    """

    def cells(column: pa.Array) -> pa.Array:
        column = _as_list(column)
        count = len(column)
        inside = element.cells(column.values)
        ends = column.offsets
        lengths = pc.subtract(ends[1:], ends[:-1])
        data = prefixed(inside)
        bounds = pc.take(
            pa.Array.from_buffers(pa.int32(), len(data) + 1, [None, data.buffers()[1]], offset=data.offset), ends
        )
        bodies = pa.Array.from_buffers(pa.binary(), count, [None, bounds.buffers()[1], data.buffers()[2]])
        pattern = _HEAD.pack(1, 0, oid, 0, 1)
        strips = [(12, 4, _network(lengths))]
        if inside.null_count:
            strips.append((4, 4, _network(_has_null(inside, ends))))
        records = pa.py_buffer(interleaved(pattern, strips, count))
        heads = pa.Array.from_buffers(pa.binary(_HEAD.size), count, [None, records]).cast(pa.binary())
        heads = pc.if_else(pc.equal(lengths, 0), pa.scalar(_EMPTY.pack(0, 0, oid), pa.binary()), heads)
        whole = pc.binary_join_element_wise(heads, bodies, b"")
        return pa.Array.from_buffers(pa.binary(), count, [validity_of(column), *whole.buffers()[1:]])

    return Form(cells, _each(element))


def _each(element: Form) -> Callable[[str], str] | None:
    """Return the expression over a list whose elements need one."""
    inner = element.expression
    if inner is None:
        return None
    return lambda column: f"system.main.list_transform({column}, lambda x: {inner('x')})"


def _as_list(column: pa.Array) -> pa.Array:
    """Return a list column that starts with its first element; one of fixed size becomes one of any."""
    if pa.types.is_fixed_size_list(column.type):
        size, count = column.type.list_size, len(column)
        values = column.values[column.offset * size : (column.offset + count) * size]
        steps = pa.array(range(0, size * count + 1, size), pa.int32())
        return _made(steps, values, validity_of(column), count)
    ends = column.offsets
    first, last = ends[0].as_py(), ends[-1].as_py()
    return _made(pc.subtract(ends, ends[0]), column.values[first:last], validity_of(column), len(column))


def _made(ends: pa.Array, values: pa.Array, validity: pa.Buffer | None, count: int) -> pa.Array:
    kind = pa.list_(values.type)
    return pa.Array.from_buffers(kind, count, [validity, ends.buffers()[1]], children=[values])


def _relisted(column: pa.Array, elements: pa.Array) -> pa.Array:
    return _made(column.offsets, elements, validity_of(column), len(column))


def _quoted(texts: pa.Array) -> pa.Array:
    needed = pc.match_substring_regex(texts, _NEEDS_QUOTES)
    if not pc.any(needed).as_py():
        return texts
    escaped = pc.replace_substring_regex(texts, r'(["\\])', r"\\\1")
    return pc.if_else(needed, pc.binary_join_element_wise('"', escaped, '"', ""), texts)


def _has_null(inside: pa.Array, ends: pa.Array) -> pa.Array:
    """Return 1 for each list with a NULL in it."""
    counted = pc.cumulative_sum(pc.cast(pc.is_null(inside), pa.int32()))
    before = pc.take(pa.concat_arrays([pa.array([0], pa.int32()), counted]), ends)
    return pc.cast(pc.not_equal(before[1:], before[:-1]), pa.int32())


def _network(numbers: pa.Array) -> array.array[int]:
    raw = array.array("i")
    raw.frombytes(memoryview(numbers.buffers()[1])[4 * numbers.offset : 4 * (numbers.offset + len(numbers))])
    return swapped(raw)
