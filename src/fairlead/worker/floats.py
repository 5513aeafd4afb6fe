"""Floating-point numbers as PostgreSQL writes them: the shortest digits that read back as the same number.

Arrow finds the digits. It writes an exponent below 10^-6 and from 10^10 on, PostgreSQL below 10^-4 and from 10^15 on
(10^6 for numbers of 32 bits), and always with two digits (``float8out`` in float.c): what lies between is written anew.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

_SMALL: Final = 1e-4
_ARROW: Final = 10  # Arrow's first exponent
_FIRST: Final = {"double": 15, "float": 6}  # PostgreSQL's
_WORDS: Final = (("nan", "NaN"), ("inf", "Infinity"))


def texts(column: pa.Array) -> pa.Array:
    """Return numbers of 32 or 64 bits as texts."""
    kind = column.type
    written, size = pc.cast(column, pa.string()), pc.abs(column)
    first = _FIRST[str(kind)]
    alike = pa.scalar(10.0 ** min(first, _ARROW), kind)
    usual = pc.and_(pc.greater_equal(size, pa.scalar(_SMALL, kind)), pc.less(size, alike))
    unusual = pc.invert(pc.fill_null(pc.or_(usual, pc.equal(size, pa.scalar(0, kind))), True))
    if not pc.any(unusual).as_py():
        return written
    return pc.replace_with_mask(written, unusual, _rewritten(column.filter(unusual), written.filter(unusual), first))


def _rewritten(numbers: pa.Array, written: pa.Array, first: int) -> pa.Array:
    """Write the unusual ones anew; whole numbers by themselves, because there may be many of them (milliseconds)."""
    size = pc.abs(numbers)
    whole = pc.and_(pc.less(size, 10.0**first), pc.greater_equal(size, 10.0**_ARROW))
    whole = pc.and_(whole, pc.equal(pc.floor(size), size))
    integers = pc.cast(pc.if_else(whole, numbers, pa.scalar(0, numbers.type)), pa.int64())
    texts = pc.if_else(whole, pc.cast(integers, pa.string()), written)
    for word, new in _WORDS:
        texts = pc.replace_substring(texts, word, new)
    for pattern, new in _patterns(first):
        texts = pc.replace_substring_regex(texts, pattern, new)
    return texts


def _patterns(first: int) -> list[tuple[str, str]]:
    """Return the substitutions, each for one exponent."""
    small = [(rf"^(-?)0\.0{{{-number - 1}}}([1-9])(\d*)$", rf"\1\2.\3e-{-number:02d}") for number in (-5, -6)]
    more = [
        (rf"^(-?)(\d)(\d{{{number}}})(?:\.(\d+))?$", rf"\1\2.\3\4e+{number:02d}") for number in range(first, _ARROW)
    ]
    # A number with that many digits before the point that is no whole one: it has digits behind it.
    less = [(rf"^(-?\d)\.(\d{{{number}}})(\d+)e\+{number}$", r"\1\2.\3") for number in range(_ARROW, first)]
    # What is left of digits and points before an exponent; then exponents of one digit.
    return [*small, *more, *less, (r"(\.\d*?)0+e", r"\1e"), (r"\.e", "e"), (r"e([+-])(\d)$", r"e\10\2")]
