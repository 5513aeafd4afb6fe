"""Values of parameters, in both formats."""

from __future__ import annotations

import math
import struct
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.worker import parameters


def bound(raw, oid, *, binary=False):
    """What DuckDB makes of it, with the type that it sees."""
    with duckdb.connect() as instance:
        value = parameters.value(raw, oid, binary=binary)
        return instance.execute("SELECT $1, typeof($1)", [value]).fetchone()


MOMENT = datetime(2020, 2, 29, 1, 2, 3, 4, tzinfo=UTC)
MICROSECONDS = (MOMENT - datetime(2000, 1, 1, tzinfo=UTC)) // (datetime.resolution)

TIMETZ = "TIME WITH TIME ZONE"


def array(oid, *elements):
    """A binary array of one dimension (array_send in arrayfuncs.c)."""
    head = struct.pack("!iiIii", 1, int(None in elements), oid, len(elements), 1)
    return head + b"".join(
        struct.pack("!i", -1) if one is None else struct.pack("!i", len(one)) + one for one in elements
    )


CASES = [
    (b"t", 16, False, (True, "BOOLEAN")),
    (b"\1", 16, True, (True, "BOOLEAN")),
    (b"-7", 20, False, (-7, "BIGINT")),
    (struct.pack("!q", -7), 20, True, (-7, "BIGINT")),
    (struct.pack("!h", 7), 21, True, (7, "SMALLINT")),
    (struct.pack("!d", 1.5), 701, True, (1.5, "DOUBLE")),
    (b"1.50", 1700, False, (Decimal("1.50"), "DECIMAL(3,2)")),
    (b"2020-02-29", 1082, False, (date(2020, 2, 29), "DATE")),
    (struct.pack("!i", (date(2020, 2, 29) - date(2000, 1, 1)).days), 1082, True, (date(2020, 2, 29), "DATE")),
    (struct.pack("!q", MICROSECONDS), 1114, True, (MOMENT.replace(tzinfo=None), "TIMESTAMP")),
    (struct.pack("!q", MICROSECONDS), 1184, True, (MOMENT, "TIMESTAMP WITH TIME ZONE")),
    (b"\\x00ff", 17, False, (b"\0\xff", "BLOB")),
    (b"\0\xff", 17, True, (b"\0\xff", "BLOB")),
    (b'{"a":1}', 3802, False, ('{"a":1}', "JSON")),
    (b'\1{"a":1}', 3802, True, ('{"a":1}', "JSON")),
    (uuid.UUID(int=5).bytes, 2950, True, (uuid.UUID(int=5), "UUID")),
    (b"{1,NULL,3}", 1007, False, ([1, None, 3], "INTEGER[]")),
    (rb'{"a,\"b",c,NULL}', 1009, False, (['a,"b', "c", None], "VARCHAR[]")),
    (b"{}", 1016, False, ([], "BIGINT[]")),
    (struct.pack("!qi", 3_600_000_000, -7200), 1266, True, (time(1, tzinfo=timezone(timedelta(hours=2))), TIMETZ)),
    (struct.pack("!i", 2**31 - 1), 1082, True, (date.max, "DATE")),
    (struct.pack("!iB", 3, 0b10100000), 1562, True, ("101", "BIT")),
    (b"{1.5,NULL,-22.75}", 1231, False, ([Decimal("1.50"), None, Decimal("-22.75")], "DECIMAL(4,2)[]")),
    (rb"{\x00ff}", 1001, False, ([b"\0\xff"], "BLOB[]")),
    (b"{}", 1231, False, ([], "DECIMAL(18,3)[]")),
    (array(23, struct.pack("!i", 1), None), 1007, True, ([1, None], "INTEGER[]")),
    (array(25, b"a,b", b"", None), 1009, True, (["a,b", "", None], "VARCHAR[]")),
    (array(17, b"\0"), 1001, True, ([b"\0"], "BLOB[]")),
    (array(2950, uuid.UUID(int=5).bytes), 2951, True, ([uuid.UUID(int=5)], "UUID[]")),
    (array(1082, struct.pack("!i", 0)), 1182, True, ([date(2000, 1, 1)], "DATE[]")),
    (struct.pack("!iiI", 0, 0, 701), 1022, True, ([], "DOUBLE[]")),
    (b"text", 25, False, ("text", "VARCHAR")),
    (b"text", 25, True, ("text", "VARCHAR")),
    (b"text", 0, False, ("text", "VARCHAR")),
]


@pytest.mark.parametrize(("raw", "oid", "binary", "expected"), CASES)
def test_a_value_keeps_its_type(raw, oid, binary, expected):
    assert bound(raw, oid, binary=binary) == expected


def binary_numeric(value):
    """Write PostgreSQL's binary numeric (numeric_send in numeric.c), the slow and plain way."""
    sign, digits, exponent = value.as_tuple()
    whole = "".join(map(str, digits))
    whole += "0" * max(exponent, 0)
    scale = max(-exponent, 0)
    whole = whole.rjust(scale + 1, "0")
    before, after = (whole[:-scale], whole[-scale:]) if scale else (whole, "")
    before = before.rjust(-(-len(before) // 4) * 4, "0")
    after = after.ljust(-(-len(after) // 4) * 4, "0")
    groups = [int((before + after)[at : at + 4]) for at in range(0, len(before + after), 4)]
    head = struct.pack("!hhHh", len(groups), len(before) // 4 - 1, 0x4000 * sign, scale)
    return head + struct.pack(f"!{len(groups)}h", *groups)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=5))
def test_binary_numerics_are_read_as_they_were_written(value):
    assert parameters.value(binary_numeric(value), 1700, binary=True) == value


@pytest.mark.parametrize(
    ("raw", "oid", "binary"),
    [
        (b"\1", 23, True),
        (b"\2", 16, True),
        (b"\\xzz", 17, False),
        (b"one", 1700, False),
        (b"\xff", 25, False),
        (b"{{1},{2}}", 1007, False),
        (b"1,2", 1007, False),
        (b"\0", 600, True),
        (b"short", 2950, True),
        (array(23, b"\0\0\0\1")[:-1], 1007, True),
        (array(20, b"\0" * 8), 1007, True),
        (struct.pack("!iiIiiii", 2, 0, 23, 1, 1, 1, 1), 1007, True),
    ],
)
def test_what_is_no_value_of_the_type_is_refused_without_being_quoted(raw, oid, binary):
    with pytest.raises(parameters.BadParameter) as refused:
        parameters.value(raw, oid, binary=binary)
    assert raw.decode(errors="ignore").strip("\0\1\2") == "" or raw.decode(errors="ignore") not in str(refused.value)


OIDS = [0, 16, 17, 20, 25, 114, 701, 1001, 1007, 1009, 1182, 1231, 1270, 1562, 1082, 1114, 1184, 1186, 1700, 2950, 3802]


@given(st.binary(max_size=40), st.sampled_from(OIDS))
def test_hostile_bytes_are_a_value_or_a_refusal(raw, oid):
    for binary in (False, True):
        try:
            parameters.value(raw, oid, binary=binary)
        except (parameters.BadParameter, duckdb.Error) as refused:
            assert str(refused)  # noqa: PT017  # the point is that nothing else is raised


@pytest.mark.parametrize("oid", [0, 16, 17, 20, 25, 114, 701, 1007, 1082, 1083, 1114, 1184, 1186, 1266, 1700, 2950])
def test_a_sample_has_the_type_that_a_value_would_have(oid):
    with duckdb.connect() as instance:
        (name,) = instance.execute("SELECT typeof($1)", [parameters.sample(oid)]).fetchone()
    assert name != '"NULL"'


@pytest.mark.parametrize(("raw", "binary"), [(b"NaN", False), (struct.pack("!d", float("nan")), True)])
def test_a_nan_is_no_null(raw, binary):
    value, kind = bound(raw, 701, binary=binary)
    assert math.isnan(value)
    assert kind == "DOUBLE"


def test_an_interval_in_binary_is_an_interval():
    value, kind = bound(struct.pack("!qii", 3_600_000_000, 2, 1), 1186, binary=True)
    assert kind == "INTERVAL"
    assert value == timedelta(days=32, hours=1)
