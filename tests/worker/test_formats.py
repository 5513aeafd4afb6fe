"""Every type in both formats, byte for byte as a real PostgreSQL sends it."""

from __future__ import annotations

import pytest
from psycopg import pq

from tests.worker.datarows import Encoded

# DuckDB's type, PostgreSQL's where it has another name, and values as both read them.
TYPES = [
    ("BOOLEAN", None, ["true", "false"]),
    ("TINYINT", "int2", ["-128", "0", "127"]),
    ("UTINYINT", "int2", ["0", "255"]),
    ("SMALLINT", None, ["-32768", "-1", "32767"]),
    ("USMALLINT", "int4", ["0", "65535"]),
    ("INTEGER", None, ["-2147483648", "0", "2147483647"]),
    ("UINTEGER", "int8", ["0", "4294967295"]),
    ("BIGINT", None, ["-9223372036854775808", "-1", "9223372036854775807"]),
    ("UBIGINT", "numeric(20)", ["0", "9999", "10000", "18446744073709551615"]),
    ("HUGEINT", "numeric(39)", ["0", "-1", "10000000000000000", "170141183460469231731687303715884105727",
                                "-170141183460469231731687303715884105728"]),
    ("UHUGEINT", "numeric(39)", ["0", "340282366920938463463374607431768211455"]),
    ("DECIMAL(4,1)", None, ["0", "0.1", "-0.1", "999.9", "-100"]),
    ("DECIMAL(4,4)", None, ["0", "0.0001", "-0.9999", "0.01"]),
    ("DECIMAL(9,2)", None, ["0", "0.01", "-1234567.89", "10000", "100000.01", "9999.99"]),
    ("DECIMAL(18,0)", None, ["0", "999999999999999999", "-100000000"]),
    ("DECIMAL(18,3)", None, ["0", "0.001", "100000000.1", "-123456789012345.678"]),
    ("DECIMAL(18,6)", None, ["0.000001", "-123456789012.345678", "10000.0001"]),
    ("DECIMAL(18,17)", None, ["0.00000000000000001", "-1.5"]),
    ("DECIMAL(18,18)", None, ["0.000000000000000001", "-0.5"]),
    ("DECIMAL(19,2)", None, ["0", "0.01", "-12345678901234567.89"]),
    ("DECIMAL(38,0)", None, ["0", "-1", "99999999999999999999999999999999999999"]),
    ("DECIMAL(38,10)", None, ["0", "0.0000000001", "-1234567890123456789012345678.0123456789", "100000000"]),
    ("DECIMAL(38,37)", None, ["0.0000000000000000000000000000000000001", "-9.5"]),
    ("FLOAT", "float4", ["0", "-0", "1", "-1.5", "0.1", "1e-4", "1.5e-5", "1e-6", "2.5e-7", "1e-30", "99999.9",
                         "999999", "1e6", "1234567", "16777216", "1.2e10", "3e14", "1e15", "3.4028235e38", "1e-45",
                         "nan", "inf", "-inf"]),
    ("DOUBLE", "float8", ["0", "-0", "1", "-1.5", "0.1", "0.30000000000000004", "1e-4", "0.00012345", "1.2345e-5",
                          "-1e-5", "1e-6", "1.5e-7", "1e-100", "100000000000000", "999999999999999", "1e15", "1.5e15",
                          "1234567890123456", "123456789012345.6", "1e16", "1e20", "1e21", "1.7976931348623157e308",
                          "5e-324", "nan", "inf", "-inf"]),
    ("DATE", None, ["2000-01-01", "1970-01-01", "1999-12-31", "0001-01-01", "9999-12-31", "10000-01-01", "infinity",
                    "-infinity"]),
    ("TIME", None, ["00:00:00", "12:34:56.789", "23:59:59.999999", "24:00:00", "01:02:03.000001"]),
    ("TIME_NS", "time", ["00:00:00", "12:34:56.789", "23:59:59.999999"]),
    ("TIMETZ", None, ["00:00:00+00", "12:34:56.789+02", "23:59:59.999999-11:30", "01:00:00+05:45"]),
    ("TIMESTAMP", None, ["2000-01-01 00:00:00", "1970-01-01 00:00:00.5", "1969-12-31 23:59:59.999999",
                         "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "12345-01-01 10:00:00", "infinity",
                         "-infinity"]),
    ("TIMESTAMP_S", "timestamp", ["2000-01-01 00:00:10", "1969-12-31 23:59:59", "infinity", "-infinity"]),
    ("TIMESTAMP_MS", "timestamp", ["2000-01-01 00:00:10.25", "1969-12-31 23:59:59.999", "infinity"]),
    ("TIMESTAMP_NS", "timestamp", ["2000-01-01 00:00:10.25", "1969-12-31 23:59:59.999999", "infinity", "-infinity"]),
    ("TIMESTAMPTZ", None, ["2000-01-01 00:00:00+00", "2020-02-29 23:59:59.5+02", "1969-12-31 00:00:00+00"]),
    ("INTERVAL", None, ["1 month", "-14 months 3 days", "1 day 02:03:04.5", "00:00:00.000001", "0 days", "12 months"]),
    ("UUID", None, ["00000000-0000-0000-0000-000000000000", "f47ac10b-58cc-4372-a567-0e02b2c3d479"]),
    ("JSON", None, ["{}", '{"a": [1, "é"]}', "null"]),
    ("VARCHAR", "text", ["", "a", "NULL", "null", "é\U0001f980", 'quo"te', "back\\slash", "com,ma", "{brace}", " ",
                         "a\tb", "x" * 300]),
    ("BIT", "bit varying", ["1", "101", "10110011", "101100111"]),
]  # fmt: skip
ROWS = 40  # more than what is sent without kernels


def literal(value):
    return "'" + value.replace("'", "''") + "'"


def tables(name, theirs, values):
    """Return the same rows, first a NULL, for DuckDB (with their places) and for PostgreSQL."""
    placed = ", ".join(f"({place}, {literal(one)})" for place, one in enumerate(values, 1))
    ours = f"SELECT v::{name} AS v, p FROM (VALUES (0, NULL), {placed}) t(p, v)"
    other = theirs or name
    rows = ", ".join(f"({literal(one)}::{other})" for one in values)
    return ours, f"SELECT v FROM (VALUES (NULL::{other}), {rows}) t(v)"


def sent(postgres, query, *, binary):
    """Return the bytes of a result's values as PostgreSQL sends them."""
    with postgres.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        answer = connection.pgconn.exec_params(query.encode(), None, result_format=int(binary))
        assert answer.status == pq.ExecStatus.TUPLES_OK, answer.error_message
        width = range(answer.nfields)
        rows = [tuple(answer.get_value(row, column) for column in width) for row in range(answer.ntuples)]
        return rows, [answer.ftype(column) for column in width]


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize(("name", "theirs", "values"), TYPES, ids=[name for name, *_ in TYPES])
def test_a_value_is_sent_as_postgresql_sends_it(postgres, name, theirs, values, binary):
    ours, other = tables(name, theirs, values)
    expected, types = sent(postgres, other, binary=binary)
    few = Encoded(f"SELECT v FROM ({ours}) ORDER BY p", (int(binary),))
    assert few.rows == expected
    many = Encoded(f"SELECT v, 7 AS n, v FROM range({ROWS}) r(i), ({ours}) ORDER BY i, p", (int(binary),))
    seven = b"\0\0\0\7" if binary else b"7"
    assert [row[0] for row in many.rows] == [row[0] for row in expected] * ROWS
    assert {row[1] for row in many.rows} == {seven}
    assert [row[0] for row in many.rows] == [row[2] for row in many.rows]
    assert [one.oid for one in few.types] == types


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize(("name", "theirs", "values"), TYPES, ids=[name for name, *_ in TYPES])
def test_a_list_is_sent_as_postgresql_sends_an_array(postgres, name, theirs, values, binary):
    other = (theirs or name).partition("(")[0]
    elements = [literal(one) for one in values]
    whole = {
        name: ", ".join(f"{one}::{name}" for one in elements),
        other: ", ".join(f"{one}::{theirs or name}" for one in elements),
    }
    shapes = ["[{}]", "[NULL, {}, NULL]", "[]", "NULL", "[NULL]", "[{}]"]
    ours = [shape.format(whole[name]) + f"::{name}[]" for shape in shapes]
    wanted = ["NULL" if one == "NULL" else f"ARRAY{one.format(whole[other])}" for one in shapes]
    expected, types = sent(postgres, f"VALUES {', '.join(f'(({one})::{other}[])' for one in wanted)}", binary=binary)
    placed = ", ".join(f"({place}, {one})" for place, one in enumerate(ours))
    few = Encoded(f"SELECT v FROM (VALUES {placed}) t(p, v) ORDER BY p", (int(binary),))
    assert few.rows == expected
    many = Encoded(f"SELECT v FROM (VALUES {placed}) t(p, v), range({ROWS}) r(i) ORDER BY i, p", (int(binary),))
    assert many.rows == expected * ROWS
    assert [one.oid for one in few.types] == types
