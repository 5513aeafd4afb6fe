"""Values of a statement's parameters: from what a PostgreSQL client sends to what DuckDB binds.

A value of a known type is bound with that type; one of unknown type is bound as an untyped literal, which DuckDB fits
to its place as PostgreSQL does. (DuckDB 1.5 infers no parameter types of its own when it prepares.)
"""

from __future__ import annotations

import math
import re
import struct
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from duckdb.sqltypes import DuckDBPyType
from duckdb.value.constant import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_NAMES: Final = {
    16: "BOOLEAN",
    17: "BLOB",
    20: "BIGINT",
    21: "SMALLINT",
    23: "INTEGER",
    26: "UINTEGER",
    114: "JSON",
    700: "FLOAT",
    701: "DOUBLE",
    1082: "DATE",
    1083: "TIME",
    1114: "TIMESTAMP",
    1184: "TIMESTAMP WITH TIME ZONE",
    1186: "INTERVAL",
    1266: "TIME WITH TIME ZONE",
    1560: "BIT",
    1562: "BIT",
    2950: "UUID",
    3802: "JSON",
}
# The type of the elements of each type of arrays.
_ARRAYS: Final = {
    199: 114,
    1000: 16,
    1001: 17,
    1002: 18,
    1003: 19,
    1005: 21,
    1007: 23,
    1009: 25,
    1014: 1042,
    1015: 1043,
    1016: 20,
    1021: 700,
    1022: 701,
    1028: 26,
    1115: 1114,
    1182: 1082,
    1183: 1083,
    1185: 1184,
    1187: 1186,
    1231: 1700,
    1270: 1266,
    1561: 1560,
    1563: 1562,
    2951: 2950,
    3807: 3802,
}
_SAMPLES: Final = {
    "DATE": "2000-01-01",
    "TIME": "00:00:00",
    "TIME WITH TIME ZONE": "00:00:00+00",
    "TIMESTAMP": "2000-01-01 00:00:00",
    "TIMESTAMP WITH TIME ZONE": "2000-01-01 00:00:00+00",
    "INTERVAL": "1 day",
    "BIT": "1",
    "UUID": "00000000-0000-0000-0000-000000000000",
}
_NUMERIC: Final = 1700
_BYTEA: Final = 17
TEXT_OID: Final = 25
_TEXTS: Final = frozenset({0, 18, 19, 25, 705, 1042, 1043})
_EPOCH: Final = datetime(2000, 1, 1)  # noqa: DTZ001  # PostgreSQL's epoch has no zone
_ELEMENT: Final = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,{}"]*))\s*(,|$)', re.DOTALL)
_NUMERIC_NEGATIVE: Final = 0x4000
_NUMERIC_NAN: Final = 0xC000
_MAX_DIGITS: Final = 38  # of a DECIMAL
_INFINITE: Final = {2**31 - 1: "infinity", -(2**31): "-infinity", 2**63 - 1: "infinity", -(2**63): "-infinity"}
_DAY: Final = 86_400_000_000  # microseconds
_ELEMENT_LENGTH: Final = struct.Struct("!i")


class BadParameter(ValueError):
    """A value that is not of its type; the message never holds the value."""


def value(raw: bytes | None, oid: int, *, binary: bool) -> Any:
    """Return what is bound.

    Args:
        raw: as the client sent it, None = NULL.
        oid: PostgreSQL's id of the type, 0 = unknown.
        binary: PostgreSQL's binary format instead of text.

    Raises:
        BadParameter: the bytes are not a value of the type, or the type has no binary form here.
    """
    try:
        if raw is None:
            name = _type_name(oid, ())
            return None if name is None else Value(None, DuckDBPyType(name))
        element = _ARRAYS.get(oid)
        if element is not None:
            values = _binary_elements(raw, element) if binary else _text_elements(raw.decode(), element)
            # An empty list of Python has no type in DuckDB; an empty list in text has the one that is asked for.
            return Value(values or "[]", DuckDBPyType(f"{_type_name(element, values) or 'VARCHAR'}[]"))
        decoded = _from_binary(raw, oid) if binary else _from_text(raw.decode(), oid)
    except BadParameter:
        raise
    except (ValueError, ArithmeticError, struct.error) as error:
        raise BadParameter(f"not a value of the type with the OID {oid}") from error
    name = _NAMES.get(oid)
    return decoded if name is None or oid == _BYTEA else Value(decoded, DuckDBPyType(name))


def sample(oid: int) -> Any:
    """Return some value of a type, to find out what a statement would return: a bare NULL has no type in DuckDB."""
    if oid in _ARRAYS:
        return Value("[]", DuckDBPyType(f"{_type_name(_ARRAYS[oid], ()) or 'VARCHAR'}[]"))
    if oid == _NUMERIC:
        return Decimal(1)
    if oid == _BYTEA:
        return b""
    name = _NAMES.get(oid, "")
    return Value(_SAMPLES.get(name, "1"), DuckDBPyType(name)) if name else ""


def is_array(oid: int) -> bool:
    """Tell whether values of a type are arrays."""
    return oid in _ARRAYS


def _type_name(oid: int, values: Sequence[Any]) -> str | None:
    """Return the name of DuckDB's type, None for a text; for exact numbers one that holds some values."""
    if oid in _ARRAYS:
        return f"{_type_name(_ARRAYS[oid], values) or 'VARCHAR'}[]"
    if oid != _NUMERIC or not values:
        return "DECIMAL(18,3)" if oid == _NUMERIC else _NAMES.get(oid)
    parts = [one.as_tuple() for one in values if one is not None]
    if not all(isinstance(part.exponent, int) for part in parts):
        return "DOUBLE"  # of them is a NaN or an infinity, which no DECIMAL is
    scale = max((-int(part.exponent) for part in parts), default=0)
    whole = max((len(part.digits) + int(part.exponent) for part in parts), default=1)
    scale = min(max(scale, 0), _MAX_DIGITS)
    return f"DECIMAL({min(max(whole, 0) + max(scale, 1), _MAX_DIGITS)},{scale})"


def _from_text(text: str, oid: int) -> Any:
    if oid == _BYTEA:
        return bytes.fromhex(text[2:]) if text.startswith("\\x") else text.encode()
    return Decimal(text) if oid == _NUMERIC else text


def _text_elements(text: str, element: int) -> list[Any]:
    return [None if one is None else _from_text(one, element) for one in _array(text)]


def _binary_elements(raw: bytes, element: int) -> list[Any]:
    """Read a binary array of one dimension (array_recv in arrayfuncs.c)."""
    dimensions, _, kind = struct.unpack_from("!iiI", raw)
    if dimensions == 0:
        return []
    if dimensions != 1 or kind != element:
        raise BadParameter("not an array of its type with one dimension")
    count, at = struct.unpack_from("!i", raw, 12)[0], 20
    found: list[Any] = []
    for _ in range(count):
        (length,) = _ELEMENT_LENGTH.unpack_from(raw, at)
        at += _ELEMENT_LENGTH.size
        if length < 0:
            found.append(None)
            continue
        if at + length > len(raw):
            raise BadParameter("an array that ends in the middle of an element")
        found.append(_from_binary(raw[at : at + length], element))
        at += length
    return found


def _array(text: str) -> list[str | None]:
    """Read a one-dimensional array literal (PostgreSQL manual, 8.15.2)."""
    if not (text.startswith("{") and text.endswith("}")):
        raise BadParameter("not an array literal with one dimension")
    inner, found, at = text[1:-1], list[str | None](), 0
    if not inner.strip():
        return found
    while True:
        element = _ELEMENT.match(inner, at)
        if element is None:
            raise BadParameter("not an array literal with one dimension")
        quoted, bare, end = element.groups()
        if quoted is not None:
            found.append(re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL))
        else:
            found.append(None if bare.strip().upper() == "NULL" else bare.strip())
        if not end:
            return found
        at = element.end()


def _from_binary(raw: bytes, oid: int) -> Any:
    if oid in _TEXTS:
        return raw.decode()
    decode = _BINARY.get(oid)
    if decode is None:
        raise BadParameter(f"the type with the OID {oid} is only accepted in text format")
    decoded = decode(raw)
    # DuckDB takes a NaN of Python for a NULL.
    return "NaN" if isinstance(decoded, float) and math.isnan(decoded) else decoded


def _number(form: str) -> Callable[[bytes], Any]:
    layout = struct.Struct(form)
    return lambda raw: layout.unpack(raw)[0]


def _boolean(raw: bytes) -> bool:
    if raw not in (b"\0", b"\1"):
        raise BadParameter("not a binary boolean")
    return raw == b"\1"


def _interval(raw: bytes) -> str:
    microseconds, days, months = struct.unpack("!qii", raw)
    return f"{months} months {days} days {microseconds} microseconds"


def _date(raw: bytes) -> date | str:
    days = _number("!i")(raw)
    return _INFINITE.get(days) or _EPOCH.date() + timedelta(days=days)


def _time(raw: bytes) -> time | str:
    microseconds = _number("!q")(raw)
    return "24:00:00" if microseconds == _DAY else (_EPOCH + timedelta(microseconds=microseconds)).time()


def _timetz(raw: bytes) -> str:
    _, west = struct.unpack("!qi", raw)
    sign = "-" if west > 0 else "+"
    hours, seconds = divmod(abs(west), 3600)
    return f"{_time(raw[:8])}{sign}{hours:02d}:{seconds // 60:02d}:{seconds % 60:02d}"


def _timestamp(raw: bytes) -> datetime | str:
    microseconds = _number("!q")(raw)
    return _INFINITE.get(microseconds) or _EPOCH + timedelta(microseconds=microseconds)


def _timestamptz(raw: bytes) -> datetime | str:
    moment = _timestamp(raw)
    return moment if isinstance(moment, str) else moment.replace(tzinfo=UTC)


def _bits(raw: bytes) -> str:
    (length,) = struct.unpack_from("!i", raw)
    bits = "".join(f"{byte:08b}" for byte in raw[4:])
    if not 0 < length <= len(bits):
        raise BadParameter("not a binary string of bits")
    return bits[:length]


def _numeric(raw: bytes) -> Decimal:
    """Read PostgreSQL's binary numeric: groups of four digits (numeric_recv in numeric.c)."""
    count, weight, sign, _scale = struct.unpack_from("!hhHh", raw)
    if sign == _NUMERIC_NAN:
        return Decimal("NaN")
    groups = struct.unpack_from(f"!{count}h", raw, 8)
    digits = tuple(int(digit) for group in groups for digit in f"{group:04d}")
    return Decimal((int(sign == _NUMERIC_NEGATIVE), digits or (0,), 4 * (weight - count + 1)))


_BINARY: Final[dict[int, Callable[[bytes], Any]]] = {
    16: _boolean,
    17: bytes,
    20: _number("!q"),
    21: _number("!h"),
    23: _number("!i"),
    26: _number("!I"),
    114: lambda raw: raw.decode(),
    700: _number("!f"),
    701: _number("!d"),
    1082: _date,
    1083: _time,
    1114: _timestamp,
    1184: _timestamptz,
    1186: _interval,
    1266: _timetz,
    1560: _bits,
    1562: _bits,
    1700: _numeric,
    2950: lambda raw: str(uuid.UUID(bytes=raw)),
    3802: lambda raw: raw[1:].decode(),
}

# Binary values as texts that the engine reads, for types that have no shorter way into a column.
AS_TEXT: Final[dict[int, Callable[[bytes], str]]] = {
    1186: _interval,
    1700: lambda raw: f"{_numeric(raw):f}",
    2950: lambda raw: str(uuid.UUID(bytes=raw)),
}
