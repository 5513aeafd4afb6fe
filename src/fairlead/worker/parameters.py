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
    from collections.abc import Callable

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
    2950: "UUID",
    3802: "JSON",
}
_ARRAYS: Final = {
    1000: "BOOLEAN",
    1005: "SMALLINT",
    1007: "INTEGER",
    1009: "VARCHAR",
    1015: "VARCHAR",
    1016: "BIGINT",
    1021: "FLOAT",
    1022: "DOUBLE",
    1115: "TIMESTAMP",
    1182: "DATE",
    2951: "UUID",
}
_SAMPLES: Final = {
    "DATE": "2000-01-01",
    "TIME": "00:00:00",
    "TIME WITH TIME ZONE": "00:00:00+00",
    "TIMESTAMP": "2000-01-01 00:00:00",
    "TIMESTAMP WITH TIME ZONE": "2000-01-01 00:00:00+00",
    "INTERVAL": "1 day",
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
            name = _NAMES.get(oid)
            return None if name is None else Value(None, DuckDBPyType(name))
        return _from_binary(raw, oid) if binary else _from_text(raw.decode(), oid)
    except BadParameter:
        raise
    except (ValueError, ArithmeticError, struct.error) as error:
        raise BadParameter(f"not a value of the type with the OID {oid}") from error


def sample(oid: int) -> Any:
    """Return some value of a type, to find out what a statement would return: a bare NULL has no type in DuckDB."""
    if oid in _ARRAYS:
        return Value("[]", DuckDBPyType(f"{_ARRAYS[oid]}[]"))
    if oid == _NUMERIC:
        return Decimal(1)
    if oid == _BYTEA:
        return b""
    name = _NAMES.get(oid, "")
    return Value(_SAMPLES.get(name, "1"), DuckDBPyType(name)) if name else ""


def _from_text(text: str, oid: int) -> Any:
    if oid == _BYTEA:
        return bytes.fromhex(text[2:]) if text.startswith("\\x") else text.encode()
    if oid == _NUMERIC:
        return Decimal(text)
    if oid in _ARRAYS:
        # An empty list of Python has no type in DuckDB; an empty list in text has the one that is asked for.
        return Value(_array(text) or "[]", DuckDBPyType(f"{_ARRAYS[oid]}[]"))
    name = _NAMES.get(oid)
    return text if name is None else Value(text, DuckDBPyType(name))


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
    if isinstance(decoded, float) and math.isnan(decoded):
        decoded = "NaN"  # DuckDB takes a NaN of Python for a NULL
    name = _NAMES.get(oid)
    return decoded if name is None or oid == _BYTEA else Value(decoded, DuckDBPyType(name))


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


def _date(raw: bytes) -> date:
    return _EPOCH.date() + timedelta(days=_number("!i")(raw))


def _time(raw: bytes) -> time:
    return (_EPOCH + timedelta(microseconds=_number("!q")(raw))).time()


def _timestamp(raw: bytes) -> datetime:
    return _EPOCH + timedelta(microseconds=_number("!q")(raw))


def _timestamptz(raw: bytes) -> datetime:
    return _timestamp(raw).replace(tzinfo=UTC)


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
