"""What the server sends, as payloads. Every text goes through one function, which scrubs it.

Source: MySQL's "Protocol::HandshakeV10", "Protocol::OK_Packet", "Protocol::ERR_Packet", "Protocol::EOF_Packet",
"Protocol::ColumnDefinition41", "COM_STMT_PREPARE Response".
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from fairlead.errors import InvalidPassword
from fairlead.server.mysql.codes import number_and_state
from fairlead.server.mysql.columns import Described, described
from fairlead.server.mysql.protocol import CACHING_SHA2, OFFERED, PROTOCOL_VERSION, SCRAMBLE_BYTES, UTF8MB4, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fairlead.engine.api import Column
    from fairlead.errors import FairleadError

_FULL_AUTHENTICATION: Final = b"\x01\x04"
_NULL: Final = b"\xfb"
_FIRST_PART: Final = 8  # bytes of the scramble that stand apart
_FIXED_FIELDS: Final = 0x0C
_LONGEST_MESSAGE: Final = 4000  # characters
_MOST: Final = 0xFFFF
_definition_tail = struct.Struct("<BHIBHBxx").pack


class Answers:
    """Encodes payloads.

    Args:
        scrub: takes secrets out of a text.
    """

    def __init__(self, scrub: Callable[[str], str]) -> None:
        self._scrub = scrub

    # --- login -----------------------------------------------------------------------------------------------------

    def greeting(self, version: str, number: int, scramble: bytes) -> bytes:
        """Return the first packet of all: version of the server, number of the connection, the scramble."""
        return b"".join(
            (
                bytes((PROTOCOL_VERSION,)),
                version.encode() + b"\0",
                struct.pack("<I", number),
                scramble[:_FIRST_PART] + b"\0",
                struct.pack("<HBH", OFFERED & _MOST, UTF8MB4, Status.AUTOCOMMIT),
                struct.pack("<HB", OFFERED >> 16, SCRAMBLE_BYTES + 1),
                bytes(10),
                scramble[_FIRST_PART:] + b"\0",
                CACHING_SHA2.encode() + b"\0",
            )
        )

    def switch(self, scramble: bytes) -> bytes:
        """AuthSwitchRequest: log in by the one plug-in that there is."""
        return b"\xfe" + CACHING_SHA2.encode() + b"\0" + scramble + b"\0"

    def ask_password(self) -> bytes:
        """AuthMoreData: send the password itself, which TLS protects."""
        return _FULL_AUTHENTICATION

    # --- ends ------------------------------------------------------------------------------------------------------

    def ok(self, status: int, *, affected: int = 0, warnings: int = 0, header: bytes = b"\0") -> bytes:
        """OK packet."""
        return header + lengthed(affected) + b"\0" + struct.pack("<HH", status, min(warnings, _MOST))

    def eof(self, status: int, warnings: int = 0) -> bytes:
        """EOF packet, for clients that do not know the OK packet in its place."""
        return b"\xfe" + struct.pack("<HH", min(warnings, _MOST), status)

    def error(self, error: FairleadError) -> bytes:
        """ERR packet; detail and hint are lines of the message, because there is no other place for them."""
        number, state = number_and_state(error)
        message = error.message
        if isinstance(error, InvalidPassword):
            message = f"Access denied ({message})"
        for label, text in (("Detail", error.detail), ("Hint", error.hint)):
            if text:
                message += f"\n{label}: {text}"
        return b"\xff" + struct.pack("<H", number) + b"#" + state.encode() + self._text(message[:_LONGEST_MESSAGE])

    # --- results ---------------------------------------------------------------------------------------------------

    def column_count(self, count: int) -> bytes:
        """Return the packet that begins a result."""
        return lengthed(count)

    def column(self, column: Column) -> bytes:
        """ColumnDefinition41."""
        return self._definition(column.name, described(column))

    def parameter(self, kind: Described) -> bytes:
        """ColumnDefinition41 of a parameter, whose type is the client's to choose."""
        return self._definition("?", kind)

    def prepared(self, number: int, columns: int, parameters: int) -> bytes:
        """Return the packet that begins the answer to COM_STMT_PREPARE."""
        return struct.pack("<BIHHxH", 0, number, columns, parameters, 0)

    def row(self, values: Sequence[str | None], *, binary: bool) -> bytes:
        """Return one row of texts."""
        if not binary:
            return b"".join(_NULL if value is None else self._value(value) for value in values)
        bits = sum(1 << (index + 2) for index, value in enumerate(values) if value is None)
        head = b"\0" + bits.to_bytes((len(values) + 9) // 8, "little")
        return head + b"".join(self._value(value) for value in values if value is not None)

    def plain(self, text: str) -> bytes:
        """Return a text that is a packet of its own."""
        return self._text(text)

    def _definition(self, name: str, kind: Described) -> bytes:
        label = self._value(name)
        tail = _definition_tail(_FIXED_FIELDS, kind.charset, kind.length, kind.type, kind.flags, kind.decimals)
        return b"\x03def\0\0\0" + label + label + tail

    def _text(self, text: str) -> bytes:
        return self._scrub(text).encode("utf-8", "replace")

    def _value(self, text: str) -> bytes:
        data = self._text(text)
        return lengthed(len(data)) + data


def lengthed(number: int) -> bytes:
    """Return a length-encoded integer."""
    if number < 0xFB:  # noqa: PLR2004  # the protocol's own
        return bytes((number,))
    if number <= 0xFFFF:  # noqa: PLR2004
        return b"\xfc" + struct.pack("<H", number)
    if number <= 0xFFFFFF:  # noqa: PLR2004
        return b"\xfd" + struct.pack("<I", number)[:3]
    return b"\xfe" + struct.pack("<Q", number)
