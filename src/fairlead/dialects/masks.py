"""The masks that the dialects print, and their refusal as input: such a value is copied from a listing, no secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fairlead.errors import InvalidParameter
from fairlead.sensitive import MASK

if TYPE_CHECKING:
    from fairlead.context import Dialect
    from fairlead.sensitive import Sensitive

DATABEND: Final = "***"
_WORDS: Final = frozenset({MASK, "<credentials redacted>"})
_IDENTIFIER_STARS: Final = "*" * 14
_SHORT_FORM_SIDE: Final = 2
_IDENTIFIER_SIDE: Final = 6
_SHORTEST_IDENTIFIER: Final = 12
# Only stars; ClickZetta's six characters and 14 stars; Databend's two characters, three stars, two characters.
_PATTERN: Final = re.compile(r"\*+|[^*]{6}\*{14}|[^*]{2}\*{3}[^*]{2}", re.DOTALL)


def of_secret(dialect: Dialect) -> str:
    """Return what a dialect prints in the place of a secret."""
    if dialect == "materialize":
        return MASK.upper()
    return DATABEND if dialect == "databend" else MASK


def short_form(text: str) -> str:
    """Return Databend's form of a value that is no secret: the first and last two characters (databend.md 5.2)."""
    if len(text) <= 2 * _SHORT_FORM_SIDE:
        return DATABEND
    return text[:_SHORT_FORM_SIDE] + DATABEND + text[-_SHORT_FORM_SIDE:]


def identifier(text: str) -> str:
    """Return ClickZetta's form of an identifier: six characters and 14 stars (clickzetta.md section 3)."""
    return (text[:_IDENTIFIER_SIDE] if len(text) >= _SHORTEST_IDENTIFIER else "") + _IDENTIFIER_STARS


def is_mask(text: str) -> bool:
    """Say whether a text is what some dialect prints instead of a value."""
    plain = text.strip()
    return plain.lower() in _WORDS or _PATTERN.fullmatch(plain) is not None


def refuse_mask(name: str, value: Sensitive) -> None:
    """Refuse a value that is a mask.

    Args:
        name: what the error calls the value.
        value: as typed.

    Raises:
        InvalidParameter: it is one.
    """
    if is_mask(value.reveal()):
        message = f"value of {name} is a mask, not a secret"
        raise InvalidParameter(message, hint="a listing shows masks; write the value itself")
