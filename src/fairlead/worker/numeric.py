"""Numbers in base 10,000: PostgreSQL's binary ``numeric``, whole columns at a time (``numeric_send`` in numeric.c).

A value is a sign and groups of four digits around the point, without zero groups at either end, and the number of
digits behind the point. Values of up to 18 digits are cut into groups by division; longer ones are written out first
and cut by place.
"""

from __future__ import annotations

import array
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from fairlead.worker.forms import data_of, interleaved, numbers_of, swapped, validity_of

if TYPE_CHECKING:
    from collections.abc import Callable

_BASE: Final = 10_000
_DIGITS: Final = 4  # of a group
_LIMB: Final = 16  # digits of a long number that are cut at once
_NEGATIVE: Final = 0x4000
_SHORT: Final = 18  # digits that 64 bits hold
_HEAD: Final = 8


def of_decimals(width: int, scale: int) -> Callable[[pa.Array], pa.Array]:
    """Return what makes cells of DECIMALs."""

    def cells(column: pa.Array) -> pa.Array:
        if width <= _SHORT and scale <= _LIMB:
            # The low half of each 128 bits holds all of it.
            low = _low_halves(column)
            return _short(
                pa.Array.from_buffers(pa.int64(), len(column), [None, pa.py_buffer(low)]), column, width, scale
            )
        return _long(pc.cast(_unscaled(column), pa.string()), scale)

    return cells


def texts_of_decimals(scale: int) -> Callable[[pa.Array], pa.Array]:
    """Return what writes DECIMALs as texts, with a digit before the point and all those behind it."""

    def texts(column: pa.Array) -> pa.Array:
        written = pc.cast(_unscaled(column), pa.string())
        digits = pc.ascii_lpad(pc.utf8_ltrim(written, "-"), scale + 1, "0")
        pointed = pc.replace_substring_regex(digits, rf"(\d{{{scale}}})$", r".\1")
        return pc.binary_join_element_wise(pc.if_else(pc.starts_with(written, "-"), "-", ""), pointed, "")

    return texts


def of_unsigned(column: pa.Array) -> pa.Array:
    """Return cells of unsigned 64-bit integers."""
    groups = _cut(pc.fill_null(column, 0), 5)
    return _cells(None, groups, 0, 0, column)


def of_texts(column: pa.Array) -> pa.Array:
    """Return cells of integers that are written out."""
    return _long(column, 0)


def _unscaled(column: pa.Array) -> pa.Array:
    """Return DECIMALs as the integers that they are stored as."""
    return pa.Array.from_buffers(pa.decimal128(38, 0), len(column), column.buffers(), offset=column.offset)


def _low_halves(column: pa.Array) -> array.array[int]:
    """Return the low 64 bits of each 128-bit value."""
    halves = array.array("q")
    halves.frombytes(data_of(column, 16))
    return halves[0::2]


def _short(values: pa.Array, column: pa.Array, width: int, scale: int) -> pa.Array:
    negative, size = pc.less(values, 0), pc.abs(values)
    unit = 10**scale
    whole = pc.divide(size, unit) if scale else size
    groups = _cut(whole, -(-(width - scale) // _DIGITS))
    behind = -(-scale // _DIGITS)
    if scale:
        fraction = pc.multiply(pc.subtract(size, pc.multiply(whole, unit)), 10 ** (-scale % _DIGITS))
        groups += _cut(fraction, behind)
    return _cells(negative, groups, behind, scale, column)


def _long(texts: pa.Array, scale: int) -> pa.Array:
    """Cut integers that are written out; the last ``scale`` digits stand behind the point."""
    negative = pc.fill_null(pc.starts_with(texts, "-"), False)
    digits = pc.fill_null(pc.utf8_ltrim(texts, "-"), "0")
    padding = -scale % _DIGITS
    longest = (pc.max(pc.binary_length(digits)).as_py() or 1) + padding
    length = -(-max(longest, scale + padding) // _LIMB) * _LIMB
    padded = pc.ascii_lpad(pc.binary_join_element_wise(digits, "0" * padding, ""), length, "0").cast(pa.binary())
    groups: list[pa.Array] = []
    for start in range(0, length, _LIMB):
        limb = pc.cast(pc.cast(pc.binary_slice(padded, start, start + _LIMB), pa.string()), pa.int64())
        groups += _cut(limb, _LIMB // _DIGITS)
    return _cells(negative, groups, -(-scale // _DIGITS), scale, texts)


def _cut(values: pa.Array, count: int) -> list[pa.Array]:
    """Return the groups of non-negative numbers, the first one first."""
    base = pa.scalar(_BASE, values.type)
    groups: list[pa.Array] = []
    for _ in range(count - 1):
        higher = pc.divide(values, base)
        groups.append(pc.subtract(values, pc.multiply(higher, base)))
        values = higher
    return [values, *reversed(groups)] if count else []


def _cells(negative: pa.Array | None, groups: list[pa.Array], behind: int, scale: int, like: pa.Array) -> pa.Array:
    """Put numbers together.

    Args:
        negative: which are; None = none.
        groups: of all numbers, the most significant first.
        behind: how many groups stand behind the point.
        scale: digits behind the point that are shown.
        like: a column with the same NULLs.
    """
    count = len(like)
    kept, leading = _kept(groups)
    number = _sum(kept)
    weight = pc.subtract(pa.scalar(len(groups) - behind - 1, pa.int16()), leading)
    strips = [(0, 2, _network(number)), (2, 2, _network(pc.if_else(pc.equal(number, 0), _INT16_ZERO, weight)))]
    if negative is not None:
        # There is no negative zero, so no look at the groups is needed.
        strips.append((4, 2, _network(pc.if_else(negative, pa.scalar(_NEGATIVE, pa.int16()), _INT16_ZERO))))
    pattern = bytes(_HEAD - 2) + scale.to_bytes(2, "big")
    heads = _binary(_HEAD, interleaved(pattern, strips, count), None, count)
    parts = [
        _binary(2, _network(pc.cast(group, pa.int16(), safe=False)), keep, count)
        for group, keep in zip(groups, kept, strict=True)
    ]
    joined = pc.binary_join_element_wise(heads, *parts, b"", null_handling="replace", null_replacement=b"")
    return pa.Array.from_buffers(pa.binary(), count, [validity_of(like), *joined.buffers()[1:]])


def _kept(groups: list[pa.Array]) -> tuple[list[pa.Array], pa.Array]:
    """Return for each group where it is kept (between two that are not zero), and how many zero groups lead."""
    filled = [pc.not_equal(group, 0) for group in groups]
    started = _running(filled)
    unfinished = _running(filled[::-1])[::-1]
    leading = pc.subtract(pa.scalar(len(groups), pa.int16()), _sum(started))
    return [pc.and_(one, other) for one, other in zip(started, unfinished, strict=True)], leading


def _running(flags: list[pa.Array]) -> list[pa.Array]:
    """Return where any flag was set so far."""
    found = flags[:1]
    for flag in flags[1:]:
        found.append(pc.or_(found[-1], flag))
    return found


def _sum(flags: list[pa.Array]) -> pa.Array:
    total = pc.cast(flags[0], pa.int16())
    for flag in flags[1:]:
        total = pc.add(total, pc.cast(flag, pa.int16()))
    return total


def _network(numbers: pa.Array) -> array.array[Any]:
    return swapped(numbers_of(numbers, "h"))


def _binary(width: int, data: Any, keep: pa.Array | None, count: int) -> pa.Array:
    bitmap = None if keep is None else pa.concat_arrays([keep]).buffers()[1] if keep.offset else keep.buffers()[1]
    return pa.Array.from_buffers(pa.binary(width), count, [bitmap, pa.py_buffer(data)]).cast(pa.binary())


_INT16_ZERO: Final = pa.scalar(0, pa.int16())
