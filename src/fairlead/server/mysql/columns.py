"""Columns of a result as MySQL describes them; the types fit the values of ``worker/mysqlcells.py``.

Source: MySQL's "Protocol::ColumnDefinition41".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from fairlead.server.mysql.protocol import BINARY, UTF8MB4, Flag, Type

if TYPE_CHECKING:
    from fairlead.engine.api import Column

_NOT_FIXED: Final = 31
_MICROSECONDS: Final = 6
_TEXT_BYTES: Final = 4 * 0xFFFFFF
_NUMERIC: Final = 1700
_MODIFIER_OFFSET: Final = 4
_WIDEST: Final = 39  # digits of a HUGEINT


class Described(NamedTuple):
    """How a column is announced.

    Args:
        type: of its values.
        charset: of its texts, ``BINARY`` for what is none.
        length: characters, or bytes of texts, that a value has at most.
        flags: beside that.
        decimals: digits behind the point.
    """

    type: Type
    charset: int
    length: int
    flags: int = 0
    decimals: int = 0


_OF_OID: Final = {
    16: Described(Type.TINY, BINARY, 1, Flag.BINARY),
    17: Described(Type.BLOB, BINARY, 0xFFFFFFFF, Flag.BINARY | Flag.BLOB),
    20: Described(Type.LONGLONG, BINARY, 20, Flag.BINARY),
    21: Described(Type.SHORT, BINARY, 6, Flag.BINARY),
    23: Described(Type.LONG, BINARY, 11, Flag.BINARY),
    114: Described(Type.JSON, UTF8MB4, 0xFFFFFFFF, Flag.BLOB),
    700: Described(Type.FLOAT, BINARY, 12, Flag.BINARY, _NOT_FIXED),
    701: Described(Type.DOUBLE, BINARY, 22, Flag.BINARY, _NOT_FIXED),
    1082: Described(Type.DATE, BINARY, 10, Flag.BINARY),
    1083: Described(Type.TIME, BINARY, 15, Flag.BINARY, _MICROSECONDS),
    1114: Described(Type.DATETIME, BINARY, 26, Flag.BINARY, _MICROSECONDS),
    1184: Described(Type.TIMESTAMP, BINARY, 26, Flag.BINARY, _MICROSECONDS),
}
_TEXT: Final = Described(Type.VAR_STRING, UTF8MB4, _TEXT_BYTES)


def described(column: Column) -> Described:
    """Return how a column is announced; what MySQL has no type for is a text."""
    if column.type_oid == _NUMERIC:
        modifier = column.type_modifier - _MODIFIER_OFFSET
        width, scale = (modifier >> 16 & 0xFFFF, modifier & 0xFFFF) if modifier >= 0 else (_WIDEST, 0)
        return Described(Type.NEWDECIMAL, BINARY, width + 1 + (scale > 0), Flag.BINARY, min(scale, 30))
    return _OF_OID.get(column.type_oid, _TEXT)
