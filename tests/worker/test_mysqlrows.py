"""Results as MySQL packets: what each type looks like in both formats, how packets are numbered, and long values."""

from __future__ import annotations

import struct
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.worker import mysqlcells
from fairlead.worker.rows import RowTooLarge
from tests.worker.encoded import blocks

TEXTS = [
    ("true", b"1"),
    ("false", b"0"),
    ("-5::TINYINT", b"-5"),
    ("18446744073709551615::UBIGINT", b"18446744073709551615"),
    ("1.50::DECIMAL(5, 2)", b"1.50"),
    ("0.00000001::DECIMAL(10, 8)", b"0.00000001"),
    ("0.1::DOUBLE", b"0.1"),
    ("DATE '2020-01-31'", b"2020-01-31"),
    ("TIMESTAMP '2020-01-31 10:00:00'", b"2020-01-31 10:00:00"),
    ("TIMESTAMP '2020-01-31 10:00:00.5'", b"2020-01-31 10:00:00.500000"),
    ("TIMESTAMP_NS '2020-01-31 10:00:00.123456789'", b"2020-01-31 10:00:00.123456"),
    ("TIME '10:11:12.5'", b"10:11:12.500000"),
    ("TIME '10:11:12'", b"10:11:12"),
    ("'\\x00\\xff'::BLOB", b"\0\xff"),
    ("'ü'", "ü".encode()),
    ("''", b""),
    ("'{}'::JSON", b"{}"),
    ("[1, 2]", b"[1, 2]"),
    ("NULL", None),
]
BINARIES = [
    ("true", b"\1"),
    ("-5::TINYINT", struct.pack("<h", -5)),
    ("255::UTINYINT", struct.pack("<h", 255)),
    ("65535::USMALLINT", struct.pack("<i", 65535)),
    ("7::INTEGER", struct.pack("<i", 7)),
    ("4294967295::UINTEGER", struct.pack("<q", 2**32 - 1)),
    ("-7::BIGINT", struct.pack("<q", -7)),
    ("0.1::FLOAT", struct.pack("<f", 0.1)),
    ("0.1::DOUBLE", struct.pack("<d", 0.1)),
    ("DATE '2020-01-31'", b"\x04\xe4\x07\x01\x1f"),
    ("TIMESTAMP '1960-01-31 10:11:12.5'", b"\x0b\xa8\x07\x01\x1f\x0a\x0b\x0c" + struct.pack("<I", 500_000)),
    ("TIME '10:11:12.5'", b"\x0c\0\0\0\0\0\x0a\x0b\x0c" + struct.pack("<I", 500_000)),
    ("1.50::DECIMAL(5, 2)", b"\x041.50"),
    ("'ü'", b"\x02\xc3\xbc"),
    ("NULL", None),
]


def packets(found: list[tuple[bytes, int]], first: int) -> list[bytes]:
    """Return the payloads of the rows; every header must be right."""
    data, at, number, payloads, parts = b"".join(block for block, _ in found), 0, first, [], b""
    while at < len(data):
        (header,) = struct.unpack_from("<I", data, at)
        size = header & 0xFFFFFF
        assert header >> 24 == number % 256
        parts += data[at + 4 : at + 4 + size]
        at, number = at + 4 + size, number + 1
        if size < 0xFFFFFF:
            payloads.append(parts)
            parts = b""
    assert at == len(data)
    assert not parts
    assert len(payloads) == sum(count for _, count in found)
    return payloads


def texts(payload: bytes) -> list[bytes | None]:
    values: list[bytes | None] = []
    at = 0
    while at < len(payload):
        first, at = payload[at], at + 1
        if first == 0xFB:
            values.append(None)
            continue
        width = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(first, 0)
        size = int.from_bytes(payload[at : at + width], "little") if width else first
        values.append(payload[at + width : at + width + size])
        at += width + size
    return values


@pytest.mark.parametrize("rows", [1, 50])
@pytest.mark.parametrize(("value", "expected"), TEXTS, ids=[value for value, _ in TEXTS])
def test_a_value_has_its_text(value, expected, rows):
    found = packets(blocks(f"SELECT {value}, 'next' FROM range({rows})", "mysql", first=5), 7)
    assert list(map(texts, found)) == [[expected, b"next"]] * rows


@pytest.mark.parametrize("rows", [1, 50])
@pytest.mark.parametrize(("value", "expected"), BINARIES, ids=[value for value, _ in BINARIES])
def test_a_value_has_its_binary_layout(value, expected, rows):
    found = packets(blocks(f"SELECT {value}, 'next' FROM range({rows})", "mysql_binary", first=5), 7)
    bits = b"\x04" if expected is None else b"\0"
    assert found == [b"\0" + bits + (expected or b"") + b"\x04next"] * rows


@pytest.mark.parametrize("form", ["mysql", "mysql_binary"])
def test_nulls_among_values_are_where_they_were(form):
    query = "SELECT CASE WHEN i % 3 <> 0 THEN i END, CASE WHEN i % 2 <> 0 THEN 'v' || i END FROM range(5000) r(i)"
    found = packets(blocks(query, form, first=250), 252)
    for number, payload in enumerate(found):
        one, two = number % 3 != 0, number % 2 != 0
        text = f"v{number}".encode()
        if form == "mysql":
            assert texts(payload) == [str(number).encode() if one else None, text if two else None]
        else:
            values = (struct.pack("<q", number) if one else b"") + (bytes((len(text),)) + text if two else b"")
            assert payload == bytes((0, 4 * (not one) + 8 * (not two))) + values


@pytest.mark.parametrize("form", ["mysql", "mysql_binary"])
def test_many_columns_have_their_bits(form):
    columns = ", ".join(f"NULLIF(i % {number + 2}, 0)" for number in range(20))
    found = packets(blocks(f"SELECT {columns} FROM range(500) r(i)", form, first=0), 20)
    if form == "mysql":
        expected = [str(499 % (number + 2)).encode() if 499 % (number + 2) else None for number in range(20)]
        assert texts(found[-1]) == expected
    else:
        bits = sum(1 << number + 2 for number in range(20) if 499 % (number + 2) == 0)
        assert found[-1][1:4] == bits.to_bytes(3, "little")


@pytest.mark.parametrize("form", ["mysql", "mysql_binary"])
@pytest.mark.parametrize("size", [250, 251, 65_535, 65_536, 5_000_000, 0xFFFFFF - 10, 0xFFFFFF, 2 * 0xFFFFFF + 5])
def test_a_long_value_has_a_long_length_and_a_huge_row_several_packets(form, size):
    found = packets(blocks(f"SELECT repeat('x', {size}), i::INT FROM range(2) r(i)", form, first=0), 2)
    if form == "mysql":
        assert [[len(value or b"") for value in texts(payload)] for payload in found] == [[size, 1], [size, 1]]
    else:
        assert texts(found[1][2:-4]) == [b"x" * size]


def test_a_row_that_no_block_can_hold_is_an_error():
    with pytest.raises(RowTooLarge):
        blocks("SELECT repeat('x', 40000000), repeat('y', 40000000)", "mysql")


def test_a_year_that_the_binary_format_does_not_have_is_an_error_and_text_in_the_other():
    with pytest.raises(mysqlcells.MomentOutOfRange):
        blocks("SELECT DATE '10000-01-01'", "mysql_binary")
    assert texts(packets(blocks("SELECT DATE '10000-01-01'", "mysql"), 1)[0]) == [b"10000-01-01"]


def test_bucket_names_in_texts_are_the_users():
    found = blocks("SELECT 's3://alias-1/x' FROM range(100)", "mysql", aliases={"alias-1": "bucket"})
    assert texts(packets(found, 1)[0]) == [b"s3://bucket/x"]


@given(st.lists(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)), min_size=2, max_size=40))  # noqa: DTZ001
def test_moments_come_back(moments):
    values = ", ".join(
        f"(TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S.%f}')"
        for moment in (m.replace(year=max(m.year, 1000)) for m in moments)
    )
    expected = [moment.replace(year=max(moment.year, 1000)) for moment in moments]
    found = packets(blocks(f"FROM (VALUES {values}) v(t)", "mysql_binary"), 1)
    for payload, moment in zip(found, expected, strict=True):
        year, month, day, hour, minute, second, micro = struct.unpack("<HBBBBBI", payload[3:])
        assert date(year, month, day) + timedelta(0) == moment.date()
        assert (hour, minute, second, micro) == (moment.hour, moment.minute, moment.second, moment.microsecond)
