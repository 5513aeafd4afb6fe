"""Values of prepared statements: each of MySQL's layouts becomes a parameter, and no bytes do harm."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.engine.api import Parameter
from fairlead.errors import FairleadError, InvalidParameter, ProtocolViolation
from fairlead.server.mysql.parameters import read
from fairlead.server.mysql.protocol import Type


def one(kind: int, data: bytes, flags: int = 0) -> Parameter:
    return read(b"\0\1" + bytes((kind, flags)) + data, 1, (), {})[1][0]


CASES = [
    (Type.TINY, 0, b"\xff", Parameter(struct.pack("!h", -1), 21, binary=True)),
    (Type.TINY, 0x80, b"\xff", Parameter(struct.pack("!h", 255), 21, binary=True)),
    (Type.SHORT, 0x80, b"\xff\xff", Parameter(struct.pack("!i", 65535), 23, binary=True)),
    (Type.LONG, 0, struct.pack("<i", -7), Parameter(struct.pack("!i", -7), 23, binary=True)),
    (Type.LONG, 0x80, b"\xff" * 4, Parameter(struct.pack("!q", 2**32 - 1), 20, binary=True)),
    (Type.LONGLONG, 0x80, b"\xff" * 8, Parameter(b"18446744073709551615", 1700, binary=False)),
    (Type.DOUBLE, 0, struct.pack("<d", 0.1), Parameter(struct.pack("!d", 0.1), 701, binary=True)),
    (Type.NEWDECIMAL, 0, b"\x041.50", Parameter(b"1.50", 1700, binary=False)),
    (Type.VAR_STRING, 0, b"\x03abc", Parameter(b"abc", 0, binary=False)),
    (Type.BLOB, 0, b"\x02\0\xff", Parameter(b"\0\xff", 17, binary=True)),
    (Type.DATE, 0, b"\x04\xe8\x07\x01\x02", Parameter(b"2024-01-02", 1082, binary=False)),
    (
        Type.DATETIME,
        0,
        b"\x07\xe8\x07\x01\x02\x03\x04\x05",
        Parameter(b"2024-01-02 03:04:05.000000", 1114, binary=False),
    ),
    (Type.TIME, 0, b"\x08\0\0\0\0\0\x0a\x0b\x0c", Parameter(b"10:11:12.000000", 1083, binary=False)),
    (Type.TIME, 0, b"\x08\1\1\0\0\0\x0a\x0b\x0c", Parameter(b"-34:11:12.000000", 1186, binary=False)),
    (Type.NULL, 0, b"", Parameter(None, 0, binary=False)),
]


@pytest.mark.parametrize(("kind", "flags", "data", "expected"), CASES)
def test_a_value_of_each_type_is_read(kind, flags, data, expected):
    assert one(kind, data, flags) == expected


def test_nulls_are_told_by_a_bitmap_and_types_are_remembered():
    types, values = read(b"\x02\1\x03\0\x03\0" + struct.pack("<i", 5), 2, (), {})
    assert [value.value for value in values] == [struct.pack("!i", 5), None]
    again = read(b"\x01\0" + struct.pack("<i", 6), 2, types, {})[1]
    assert [value.value for value in again] == [None, struct.pack("!i", 6)]


def test_a_value_that_came_in_pieces_takes_no_bytes():
    assert read(b"\0\1\xfc\0", 1, (), {0: b"long"})[1] == [Parameter(b"long", 17, binary=True)]


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\0\0", b"\0\1\x03", b"\0\1\x03\0\1", b"\0\1\xfd\0\xfdabc", b"\0\1\x01\0\1\1"]
)
def test_bytes_that_are_no_values_are_a_violation(data):
    with pytest.raises(ProtocolViolation):
        read(data, 1, (), {})


@pytest.mark.parametrize(("kind", "data"), [(255, b"\x01a"), (16, b"\x01a"), (Type.DATE, b"\0")])
def test_a_value_that_has_no_type_here_is_refused(kind, data):
    with pytest.raises(InvalidParameter):
        one(kind, data)


@given(st.binary(max_size=60), st.integers(1, 9))
def test_any_bytes_give_as_many_values_as_asked_for_or_an_error(data, count):
    try:
        types, values = read(data, count, (), {})
    except FairleadError:
        return
    assert len(types) == len(values) == count
