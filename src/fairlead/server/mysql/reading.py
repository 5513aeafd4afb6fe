"""Reads the fields of one packet's payload, and trusts no length in it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from fairlead.errors import ProtocolViolation

if TYPE_CHECKING:
    from typing import Any

_SIZES: Final = {0xFC: 2, 0xFD: 3, 0xFE: 8}
_LONG_FORM: Final = 0xFB


class Payload:
    """A payload that is read from front to back.

    Args:
        data: all of it.
        at: where reading begins.
    """

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self._at = at

    @property
    def left(self) -> int:
        """Number of bytes that are not read yet."""
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        """Return the next bytes.

        Raises:
            ProtocolViolation: there are not so many.
        """
        if size > self.left:
            raise ProtocolViolation("malformed packet: it ends too early")
        self._at += size
        return self._data[self._at - size : self._at]

    def rest(self) -> bytes:
        """Return everything that is left."""
        return self.take(self.left)

    def number(self, form: str) -> Any:
        """Return the next number; ``form`` as for the module ``struct``."""
        layout = struct.Struct(form)
        return layout.unpack(self.take(layout.size))[0]

    def length(self) -> int:
        """Return the next length-encoded integer."""
        first = self.take(1)[0]
        if first < _LONG_FORM:
            return first
        if first not in _SIZES:
            raise ProtocolViolation("malformed packet: a length that is none")
        return int.from_bytes(self.take(_SIZES[first]), "little")

    def lengthed(self) -> bytes:
        """Return the next length-encoded string."""
        return self.take(self.length())

    def terminated(self) -> bytes:
        """Return the next string up to its zero byte, or to the end where there is none."""
        end = self._data.find(b"\0", self._at)
        if end < 0:
            return self.rest()
        value = self._data[self._at : end]
        self._at = end + 1
        return value
