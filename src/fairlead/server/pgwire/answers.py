"""What the server sends, as bytes. Every text goes through one function, which scrubs it, so none can leave unscrubbed.

The formats are those of the PostgreSQL documentation, chapter "Frontend/Backend Protocol", "Message Formats".
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Literal

from fairlead.errors import ProtocolViolation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fairlead.engine.api import Column
    from fairlead.errors import FairleadError
    from fairlead.session_types import Notice

PARSE_COMPLETE = b"1\0\0\0\4"
BIND_COMPLETE = b"2\0\0\0\4"
CLOSE_COMPLETE = b"3\0\0\0\4"
NO_DATA = b"n\0\0\0\4"
PORTAL_SUSPENDED = b"s\0\0\0\4"
COPY_DONE = b"c\0\0\0\4"
EMPTY_QUERY = b"I\0\0\0\4"
AUTHENTICATION_OK = b"R\0\0\0\x08\0\0\0\0"

_AUTH_SASL, _AUTH_SASL_CONTINUE, _AUTH_SASL_FINAL = 10, 11, 12
_NULL = b"\xff\xff\xff\xff"
_int16 = struct.Struct("!h").pack
_int32 = struct.Struct("!i").pack
_oid = struct.Struct("!I").pack
_column_tail = struct.Struct("!IhIhih").pack

Severity = Literal["ERROR", "FATAL", "NOTICE", "WARNING", "INFO"]


class Answers:
    """Encodes messages.

    Args:
        scrub: takes secrets out of a text.
    """

    def __init__(self, scrub: Callable[[str], str]) -> None:
        self._scrub = scrub

    # --- login -----------------------------------------------------------------------------------------------------

    def sasl(self, mechanisms: Sequence[str]) -> bytes:
        """AuthenticationSASL."""
        names = b"".join(self._string(name) for name in mechanisms)
        return _message(b"R", _int32(_AUTH_SASL) + names + b"\0")

    def sasl_continue(self, data: bytes) -> bytes:
        """AuthenticationSASLContinue."""
        return _message(b"R", _int32(_AUTH_SASL_CONTINUE) + data)

    def sasl_final(self, data: bytes) -> bytes:
        """AuthenticationSASLFinal."""
        return _message(b"R", _int32(_AUTH_SASL_FINAL) + data)

    def negotiate_version(self, version: int, unknown: Sequence[str]) -> bytes:
        """NegotiateProtocolVersion: the newest version there is, and the protocol options that are not known."""
        names = b"".join(self._string(name) for name in unknown)
        return _message(b"v", _int32(version) + _int32(len(unknown)) + names)

    def parameter_statuses(self, values: Mapping[str, str]) -> bytes:
        """One ParameterStatus for each setting."""
        return b"".join(_message(b"S", self._string(name) + self._string(value)) for name, value in values.items())

    def backend_key(self, process_id: int, secret: bytes) -> bytes:
        """BackendKeyData."""
        return _message(b"K", _int32(process_id) + secret)

    # --- results ---------------------------------------------------------------------------------------------------

    def row_description(self, columns: Sequence[Column], formats: Sequence[int] = ()) -> bytes:
        """RowDescription; no column belongs to a table.

        Args:
            columns: of the result.
            formats: as in a Bind message: 0 = text, 1 = binary; one is for all columns, none is text.

        Raises:
            ProtocolViolation: there are several formats, but not one for each column.
        """
        if len(formats) not in (0, 1, len(columns)):
            raise ProtocolViolation(
                f"bind message has {len(formats)} result formats but query has {len(columns)} columns"
            )
        each = formats if len(formats) == len(columns) else [*formats, 0][:1] * len(columns)
        body = b"".join(
            self._string(one.name) + _column_tail(0, 0, one.type_oid, one.type_size, one.type_modifier, code)
            for one, code in zip(columns, each, strict=True)
        )
        return _message(b"T", _int16(len(columns)) + body)

    def data_rows(self, rows: Sequence[Sequence[str | None]]) -> bytes:
        """One DataRow for each row of texts, which are the same in both formats."""
        return b"".join(_message(b"D", _int16(len(row)) + b"".join(map(self._value, row))) for row in rows)

    def parameter_description(self, type_oids: Sequence[int]) -> bytes:
        """ParameterDescription."""
        return _message(b"t", _int16(len(type_oids)) + b"".join(map(_oid, type_oids)))

    def copy_in(self, columns: int, *, binary: bool = False) -> bytes:
        """CopyInResponse; all columns have the format of the whole."""
        return _message(b"G", _copy_format(columns, binary))

    def copy_out(self, columns: int, *, binary: bool) -> bytes:
        """CopyOutResponse; all columns have the format of the whole."""
        return _message(b"H", _copy_format(columns, binary))

    def command_complete(self, tag: str) -> bytes:
        """CommandComplete."""
        return _message(b"C", self._string(tag))

    def ready(self, status: str) -> bytes:
        """ReadyForQuery; the status is I, T or E."""
        return _message(b"Z", status.encode("ascii"))

    # --- messages for people ---------------------------------------------------------------------------------------

    def error(self, error: FairleadError, severity: Severity = "ERROR") -> bytes:
        """ErrorResponse. The position counts characters, from 1."""
        fields = self._fields(severity, error.sqlstate, error.message, error.detail, error.hint)
        if error.context is not None:
            fields += b"W" + self._string(error.context)
        if error.position is not None and error.position > 0:
            fields += b"P" + self._string(str(error.position))
        return _message(b"E", fields + b"\0")

    def notice(self, notice: Notice) -> bytes:
        """NoticeResponse."""
        fields = self._fields(notice.severity, notice.sqlstate, notice.message, notice.detail, notice.hint)
        return _message(b"N", fields + b"\0")

    def _fields(self, severity: Severity, sqlstate: str, message: str, detail: str | None, hint: str | None) -> bytes:
        fields = {"S": severity, "V": severity, "C": sqlstate, "M": message, "D": detail, "H": hint}
        return b"".join(code.encode() + self._string(text) for code, text in fields.items() if text is not None)

    # --- texts -----------------------------------------------------------------------------------------------------

    def _text(self, text: str) -> bytes:
        return self._scrub(text).encode("utf-8", "replace")

    def _string(self, text: str) -> bytes:
        # A NUL would end the string for the client and let the rest be read as other fields.
        return self._text(text).replace(b"\0", b"") + b"\0"

    def _value(self, value: str | None) -> bytes:
        if value is None:
            return _NULL
        data = self._text(value)
        return _int32(len(data)) + data


def _copy_format(columns: int, binary: bool) -> bytes:  # of a protocol message
    return bytes([binary]) + _int16(columns) + _int16(int(binary)) * columns


def _message(tag: bytes, body: bytes) -> bytes:
    return tag + _int32(len(body) + 4) + body
