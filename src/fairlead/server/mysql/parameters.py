"""Values of COM_STMT_EXECUTE as the session takes them: numbers in PostgreSQL's binary format, everything else as text.

Source: MySQL's "COM_STMT_EXECUTE" and "Binary Protocol Value".
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from fairlead.engine.api import Parameter
from fairlead.errors import InvalidParameter, ProtocolViolation
from fairlead.server.mysql.protocol import Type
from fairlead.server.mysql.reading import Payload

if TYPE_CHECKING:
    from collections.abc import Mapping

Types = tuple[tuple[int, bool], ...]

_UNSIGNED: Final = 0x80
_BIGINT_END: Final = 2**63
_SMALLINT, _INTEGER, _BIGINT, _NUMERIC = (21, "!h"), (23, "!i"), (20, "!q"), 1700
# The layout of a signed number, that of an unsigned one, and the type of PostgreSQL that holds it.
_INTEGERS: Final = {
    Type.TINY: (("<b", _SMALLINT), ("<B", _SMALLINT)),
    Type.SHORT: (("<h", _SMALLINT), ("<H", _INTEGER)),
    Type.YEAR: (("<h", _SMALLINT), ("<H", _INTEGER)),
    Type.INT24: (("<i", _INTEGER), ("<I", _BIGINT)),
    Type.LONG: (("<i", _INTEGER), ("<I", _BIGINT)),
    Type.LONGLONG: (("<q", _BIGINT), ("<Q", _BIGINT)),
}
_FLOATS: Final = {Type.FLOAT: ("<f", 700, "!f"), Type.DOUBLE: ("<d", 701, "!d")}
_BYTES: Final = frozenset({Type.TINY_BLOB, Type.MEDIUM_BLOB, Type.LONG_BLOB, Type.BLOB})
_TEXTS: Final = {
    Type.DECIMAL: _NUMERIC,
    Type.NEWDECIMAL: _NUMERIC,
    Type.JSON: 114,
    Type.VARCHAR: 0,
    Type.VAR_STRING: 0,
    Type.STRING: 0,
    Type.ENUM: 0,
    Type.SET: 0,
}
_DATE, _TIME, _TIMESTAMP, _INTERVAL, _BYTEA = 1082, 1083, 1114, 1186, 17
_DATE_BYTES, _SECOND_BYTES, _MICRO_BYTES = 4, 7, 11
_TIME_BYTES: Final = (0, 8, 12)
_DAY_HOURS: Final = 24


def read(data: bytes, count: int, types: Types, long: Mapping[int, bytes]) -> tuple[Types, list[Parameter]]:
    """Read the values of a statement.

    Args:
        data: what follows the statement's number, flags and count.
        count: of parameters.
        types: of the last execution: a client may send them only once.
        long: values that were sent before, in pieces.

    Returns:
        The types, and the parameters.

    Raises:
        ProtocolViolation: the bytes are not those of so many values.
        InvalidParameter: a value that no type here has.
    """
    if not count:
        return (), []
    payload = Payload(data)
    nulls = payload.take((count + 7) // 8)
    if payload.take(1) != b"\0":
        kinds = payload.take(2 * count)
        types = tuple((kinds[at], bool(kinds[at + 1] & _UNSIGNED)) for at in range(0, 2 * count, 2))
    if len(types) != count:
        raise ProtocolViolation("malformed packet: values without types")
    parameters = []
    for number, (kind, unsigned) in enumerate(types):
        if nulls[number // 8] >> number % 8 & 1:
            parameters.append(Parameter(None, 0, binary=False))
        elif number in long:
            parameters.append(_string(kind, long[number]))
        else:
            parameters.append(_value(kind, payload, unsigned=unsigned))
    if payload.left:
        raise ProtocolViolation("malformed packet: more bytes than values")
    return types, parameters


def _value(kind: int, payload: Payload, *, unsigned: bool) -> Parameter:  # noqa: PLR0911  # a table
    if kind in _INTEGERS:
        form, (oid, layout) = _INTEGERS[Type(kind)][unsigned]
        number = payload.number(form)
        if number >= _BIGINT_END:
            return Parameter(str(number).encode(), _NUMERIC, binary=False)
        return Parameter(struct.pack(layout, number), oid, binary=True)
    if kind in _FLOATS:
        form, oid, layout = _FLOATS[Type(kind)]
        return Parameter(struct.pack(layout, payload.number(form)), oid, binary=True)
    if kind in (Type.DATE, Type.DATETIME, Type.TIMESTAMP):
        return _moment(kind, payload)
    if kind == Type.TIME:
        return _time(payload)
    if kind == Type.NULL:
        return Parameter(None, 0, binary=False)
    return _string(kind, payload.lengthed())


def _string(kind: int, data: bytes) -> Parameter:
    if kind in _BYTES:
        return Parameter(data, _BYTEA, binary=True)
    if kind not in _TEXTS:
        raise InvalidParameter(f"parameters of MySQL's type {kind} are not offered", hint="send a text")
    return Parameter(data, _TEXTS[Type(kind)], binary=False)


def _moment(kind: int, payload: Payload) -> Parameter:
    size = payload.take(1)[0]
    if size not in (_DATE_BYTES, _SECOND_BYTES, _MICRO_BYTES):
        raise InvalidParameter("a date of zeros is not a date", hint="send NULL") if not size else _malformed()
    year, month, day = payload.number("<H"), *payload.take(2)
    text = f"{year:04d}-{month:02d}-{day:02d}"
    hour, minute, second = payload.take(3) if size >= _SECOND_BYTES else (0, 0, 0)
    micro = payload.number("<I") if size == _MICRO_BYTES else 0
    if kind == Type.DATE:
        return Parameter(text.encode(), _DATE, binary=False)
    return Parameter(f"{text} {hour:02d}:{minute:02d}:{second:02d}.{micro:06d}".encode(), _TIMESTAMP, binary=False)


def _time(payload: Payload) -> Parameter:
    size = payload.take(1)[0]
    if size not in _TIME_BYTES:
        raise _malformed()
    negative, days, hour, minute, second, micro = 0, 0, 0, 0, 0, 0
    if size:
        negative, days = payload.take(1)[0], payload.number("<I")
        hour, minute, second = payload.take(3)
        micro = payload.number("<I") if size == _TIME_BYTES[-1] else 0
    text = f"{days * _DAY_HOURS + hour:02d}:{minute:02d}:{second:02d}.{micro:06d}"
    if negative or days or hour >= _DAY_HOURS:
        return Parameter(f"{'-' if negative else ''}{text}".encode(), _INTERVAL, binary=False)
    return Parameter(text.encode(), _TIME, binary=False)


def _malformed() -> ProtocolViolation:
    return ProtocolViolation("malformed packet: a date or time of an impossible length")
