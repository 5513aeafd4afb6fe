"""Floating-point numbers as PostgreSQL writes them: the shortest digits that read back as the same number.

Arrow finds the digits; where it places the point and writes the exponent otherwise than PostgreSQL (``float8out`` in
float.c: an exponent below 10^-4 and from 10^15 or 10^6 on, always of two digits), the few texts are written anew.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

_SMALL: Final = 1e-4
# The exponent from which on PostgreSQL writes one, and the one from which on Arrow does.
_LARGE: Final = {"double": (15, 15), "float": (6, 15)}
_WORDS: Final = (("nan", "NaN"), ("inf", "Infinity"))
_SHORT_EXPONENT: Final = (r"e([+-])(\d)$", r"e\g<1>0\g<2>")


def texts(column: pa.Array) -> pa.Array:
    """Return numbers as texts.

    Args:
        column: of 32 or 64 bits.
    """
    written = pc.cast(column, pa.string())
    size = pc.abs(column)
    above, _ = _LARGE[str(column.type)]
    inside = pc.and_(
        pc.greater_equal(size, pa.scalar(_SMALL, column.type)), pc.less(size, pa.scalar(10.0**above, column.type))
    )
    usual = pc.fill_null(pc.or_(inside, pc.equal(column, pa.scalar(0, column.type))), True)  # noqa: FBT003  # Arrow's
    if pc.all(usual).as_py():
        return written
    unusual = pc.invert(usual)
    return pc.replace_with_mask(written, unusual, _rewritten(written.filter(unusual), str(column.type)))


def _rewritten(written: pa.Array, kind: str) -> pa.Array:
    for word, new in _WORDS:
        written = pc.replace_substring(written, word, new)
    for pattern, new in _patterns(kind):
        written = pc.replace_substring_regex(written, pattern, new)
    return written


def _patterns(kind: str) -> list[tuple[str, str]]:
    """Return the substitutions, in RE2's spelling; each is for one exponent."""
    patterns = [(rf"^(-?)0\.0{{{-exponent - 1}}}([1-9])(\d*)$", rf"\1\2.\3e-{-exponent:02d}") for exponent in (-5, -6)]
    first, end = _LARGE[kind]
    patterns += [
        (rf"^(-?)(\d)(\d{{{exponent}}})(?:\.(\d+))?$", rf"\1\2.\3\4e+{exponent:02d}") for exponent in range(first, end)
    ]
    # What the substitutions above have left at the end of the digits; then exponents of one digit.
    return [
        *patterns,
        (r"(\.\d*?)0+e", r"\1e"),
        (r"\.e", "e"),
        (r"e([+-])(\d)$", r"e\g<1>0\2".replace(r"\g<1>", r"\1")),
    ]
