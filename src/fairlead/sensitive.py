"""The only type that holds a secret value in memory.

Redaction is a property of the type, not of the places that print it: ``repr``, ``str``, ``format``, JSON, pickle and
copying all give the mask or refuse. ``reveal()`` is the one way to the value; a test lists every call of it.
"""

from __future__ import annotations

import hmac
from typing import Final, NoReturn

MASK: Final = "<redacted>"


class Sensitive:
    """A secret text.

    Args:
        value: the secret itself.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value. Each caller is listed in ``tests/security/test_reveal.py``."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sensitive):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> NoReturn:
        message = "a secret cannot be pickled or copied"
        raise TypeError(message)
