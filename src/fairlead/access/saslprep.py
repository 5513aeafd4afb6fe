"""SASLprep (RFC 4013): how a password is made comparable before it is hashed, with PostgreSQL's fallback."""

from __future__ import annotations

import stringprep
import unicodedata
from typing import Final

_PROHIBITED: Final = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
    stringprep.in_table_a1,
)


def saslprep(text: str) -> str:
    """Return the prepared text, or the text as it is where the profile forbids it, as PostgreSQL and libpq do."""
    if text.isascii():
        return text
    mapped = "".join(" " if stringprep.in_table_c12(c) else c for c in text if not stringprep.in_table_b1(c))
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if not prepared or any(table(c) for c in prepared for table in _PROHIBITED) or not _one_direction(prepared):
        return text
    return prepared


def _one_direction(text: str) -> bool:
    """Say whether the rules for bidirectional texts hold (RFC 3454, section 6)."""
    if not any(stringprep.in_table_d1(c) for c in text):
        return True
    ends_well = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    return ends_well and not any(stringprep.in_table_d2(c) for c in text)
