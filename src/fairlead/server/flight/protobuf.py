"""Protocol Buffers' wire format, as far as the messages of Flight SQL need it: fields in, fields out.

A message is read into lists of values by field number; what the numbers mean is ``messages.py``'s to say. Sizes are
bounded by the message itself: no length is believed that reaches beyond its end. Fields of numbers that nobody knows
are kept, so that a caller may refuse or ignore them. Format: protobuf.dev, "Encoding".
"""

from __future__ import annotations

import struct
from typing import Final

from fairlead.errors import ProtocolViolation

Value = int | bytes

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5

_MAX_FIELDS: Final = 10_000
_VARINT_BYTES: Final = 10
_WORD: Final = 1 << 64
_SIGN: Final = 1 << 63
_MAX_NUMBER: Final = (1 << 29) - 1
_FIXED: Final = {FIXED64: struct.Struct("<Q"), FIXED32: struct.Struct("<I")}


class Fields:
    """The fields of one message, by number; the last of several wins where one is asked for."""

    def __init__(self, found: dict[int, list[tuple[int, Value]]]) -> None:
        self._found = found

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of the fields that are there."""
        return frozenset(self._found)

    def has(self, number: int) -> bool:
        """Tell whether a field is there."""
        return number in self._found

    def integer(self, number: int) -> int:
        """Return an int32 or int64 field, 0 where it is missing."""
        value = self._last(number, VARINT, 0)
        assert isinstance(value, int)
        return value - _WORD if value & _SIGN else value

    def integers(self, number: int) -> list[int]:
        """Return a repeated uint32 or uint64 field, packed or not."""
        numbers: list[int] = []
        for kind, value in self._found.get(number, ()):
            if kind == VARINT and isinstance(value, int):
                numbers.append(value)
            elif kind == BYTES and isinstance(value, bytes):
                at = 0
                while at < len(value):
                    one, at = _varint(value, at)
                    numbers.append(one)
            else:
                raise _malformed(f"field {number} is not a list of numbers")
        return numbers

    def boolean(self, number: int) -> bool:
        """Return a bool field, False where it is missing."""
        return self.integer(number) != 0

    def fixed64(self, number: int) -> int:
        """Return a fixed64 field as its bits, 0 where it is missing."""
        value = self._last(number, FIXED64, 0)
        assert isinstance(value, int)
        return value

    def octets(self, number: int) -> bytes:
        """Return a bytes field, empty where it is missing."""
        value = self._last(number, BYTES, b"")
        assert isinstance(value, bytes)
        return value

    def text(self, number: int) -> str:
        """Return a string field, empty where it is missing."""
        return _text(self.octets(number))

    def optional_text(self, number: int) -> str | None:
        """Return a string field, None where it is missing."""
        return self.text(number) if self.has(number) else None

    def messages(self, number: int) -> list[Fields]:
        """Return a repeated message field."""
        return [read(body) for body in self._all_octets(number)]

    def texts(self, number: int) -> list[str]:
        """Return a repeated string field."""
        return [_text(body) for body in self._all_octets(number)]

    def _all_octets(self, number: int) -> list[bytes]:
        bodies: list[bytes] = []
        for kind, value in self._found.get(number, ()):
            if kind != BYTES or not isinstance(value, bytes):
                raise _malformed(f"field {number} has another type")
            bodies.append(value)
        return bodies

    def _last(self, number: int, kind: int, default: Value) -> Value:
        found = self._found.get(number)
        if not found:
            return default
        if found[-1][0] != kind:
            raise _malformed(f"field {number} has another type")
        return found[-1][1]


def read(data: bytes) -> Fields:
    """Read a message.

    Raises:
        ProtocolViolation: the bytes are none, or it has too many fields.
    """
    found: dict[int, list[tuple[int, Value]]] = {}
    at, count = 0, 0
    while at < len(data):
        count += 1
        if count > _MAX_FIELDS:
            raise _malformed(f"more than {_MAX_FIELDS} fields")
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if not 0 < number <= _MAX_NUMBER:
            raise _malformed("a field without a number")
        value, at = _value(data, at, kind)
        found.setdefault(number, []).append((kind, value))
    return Fields(found)


def integer(number: int, value: int) -> bytes:
    """Return an int32, int64, enum or bool field; a zero is left out, as the format does."""
    return _key(number, VARINT) + _written(value % _WORD) if value else b""


def fixed64(number: int, bits: int) -> bytes:
    """Return a fixed64, sfixed64 or double field of these bits."""
    return _key(number, FIXED64) + _FIXED[FIXED64].pack(bits)


def octets(number: int, value: bytes | str) -> bytes:
    """Return a bytes, string or message field."""
    body = value.encode() if isinstance(value, str) else value
    return _key(number, BYTES) + _written(len(body)) + body


def _key(number: int, kind: int) -> bytes:
    return _written(number << 3 | kind)


def _value(data: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind == VARINT:
        return _varint(data, at)
    if kind == BYTES:
        length, at = _varint(data, at)
        if length > len(data) - at:
            raise _malformed("a field that is longer than the message")
        return bytes(data[at : at + length]), at + length
    layout = _FIXED.get(kind)
    if layout is None:
        raise _malformed(f"a field of wire type {kind}")
    if layout.size > len(data) - at:
        raise _malformed("a number that is cut off")
    return layout.unpack_from(data, at)[0], at + layout.size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for position in range(_VARINT_BYTES):
        if at + position >= len(data):
            raise _malformed("a number that is cut off")
        byte = data[at + position]
        value |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:  # noqa: PLR2004  # the bit that says that more follows
            return value % _WORD, at + position + 1
    raise _malformed("a number of more than ten bytes")


def _written(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004  # seven bits to a byte
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise _malformed("text that is not UTF-8") from None


def _malformed(what: str) -> ProtocolViolation:
    return ProtocolViolation("malformed Flight SQL message", detail=f"The client sent {what}.")
