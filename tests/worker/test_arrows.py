"""Results as messages of an Arrow stream: which types a client sees, and that nothing is lost on the way."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from fairlead.worker import arrows
from fairlead.worker.rows import RowTooLarge
from tests.worker.encoded import blocks, table

UUID = "0b5e2f0c-6a0e-4f7e-9d0e-0123456789ab"
HUGE = 99999999999999999999999999999999999999

CASES = [
    ("true", pa.bool_(), True),
    ("1::TINYINT", pa.int8(), 1),
    ("18446744073709551615::UBIGINT", pa.uint64(), 2**64 - 1),
    (f"{HUGE}::HUGEINT", pa.decimal128(38, 0), Decimal(HUGE)),
    (f"-{HUGE}::HUGEINT", pa.decimal128(38, 0), Decimal(-HUGE)),
    ("7::UHUGEINT", pa.decimal128(38, 0), Decimal(7)),
    ("'1234567890123456789012345678901234567890'::BIGNUM", pa.string(), "1234567890123456789012345678901234567890"),
    ("1.10::DECIMAL(4, 2)", pa.decimal128(4, 2), Decimal("1.10")),
    ("0.5::FLOAT", pa.float32(), 0.5),
    ("DATE '2020-01-31'", pa.date32(), date(2020, 1, 31)),
    ("TIMESTAMP '2020-01-31 10:00:00.5'", pa.timestamp("us"), datetime(2020, 1, 31, 10, 0, 0, 500000)),  # noqa: DTZ001  # it has none
    ("TIMETZ '10:00:00+01'", pa.string(), "10:00:00+01"),
    (f"'{UUID}'::UUID", pa.string(), UUID),
    ("'\\x00a'::BLOB", pa.binary(), b"\0a"),
    ("'101'::BIT", pa.string(), "101"),
    ("""'{"a": 1}'::JSON""", pa.string(), '{"a": 1}'),
    ("'ü\"'", pa.string(), 'ü"'),
    ("'a'::ENUM('a', 'b')", pa.string(), "a"),
    ("union_value(a := 1)", pa.string(), "1"),
    ("[true, NULL]", pa.list_(pa.bool_()), [True, None]),
    ("[true, false]::BOOLEAN[2]", pa.list_(pa.bool_(), 2), [True, False]),
    (f"{{'t': true, 'u': '{UUID}'::UUID}}", pa.struct([("t", pa.bool_()), ("u", pa.string())]), {"t": True, "u": UUID}),
    ("MAP {'a': 1::HUGEINT}", pa.map_(pa.string(), pa.decimal128(38, 0)), [("a", Decimal(1))]),
    ("""{'a"b': [1::HUGEINT]}""", pa.struct([('a"b', pa.list_(pa.decimal128(38, 0)))]), {'a"b': [Decimal(1)]}),
    ("row(1, true)", pa.string(), "(1, true)"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kind", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_value_comes_in_a_type_that_clients_know(value, kind, expected):
    found = table(blocks(f"SELECT {value} AS v UNION ALL SELECT NULL", "arrow"))
    assert found.schema.field("v").type == kind
    assert found.column("v").to_pylist() == [expected, None]


def test_a_number_beyond_38_digits_is_refused_with_what_to_do():
    with pytest.raises(arrows.NumberTooLarge, match="cast it to VARCHAR"):
        blocks(f"SELECT {HUGE + 1}::HUGEINT", "arrow")


def test_names_of_columns_are_kept_whatever_they_are():
    found = table(blocks("""SELECT 1::HUGEINT AS "a b", 2 AS "a b", 3 AS "x""y" """, "arrow"))
    assert found.schema.names == ["a b", "a b", 'x"y']


@pytest.mark.parametrize("query", ["SELECT 1 AS a WHERE false", "SELECT 1::HUGEINT AS a WHERE false"])
def test_no_rows_are_a_schema_alone(query):
    found = blocks(query, "arrow")
    assert [count for _, count in found] == [0]
    assert table(found).schema.names == ["a"]


def test_many_batches_are_one_stream():
    found = table(blocks("SELECT i, i % 2 = 0 AS even, i::HUGEINT AS huge FROM range(10000) r(i)", "arrow"))
    assert found.column("i").to_pylist() == list(range(10_000))
    assert found.column("huge").to_pylist() == [Decimal(i) for i in range(10_000)]
    assert sum(found.column("even").to_pylist()) == 5000


def test_real_bucket_names_stand_in_texts_and_in_texts_inside_of_values():
    query = """SELECT 's3://al/x' AS a, ['s3://al/y', NULL] AS b, {'k': ['s3://al/z']} AS c,
        MAP {'s3://al/k': 's3://al/v'} AS d, ['s3://al/f']::VARCHAR[1] AS e, 1 AS f
        UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL"""
    first, nulls = table(blocks(query, "arrow", aliases={"al": "real"})).to_pylist()
    assert first == {
        "a": "s3://real/x",
        "b": ["s3://real/y", None],
        "c": {"k": ["s3://real/z"]},
        "d": [("s3://real/k", "s3://real/v")],
        "e": ["s3://real/f"],
        "f": 1,
    }
    assert set(nulls.values()) == {None}


def test_long_values_are_cut_into_messages():
    found = blocks("SELECT repeat('x', 1000000) AS s FROM range(20)", "arrow")
    assert len(found) > 3
    assert max(len(data) for data, _ in found) <= 5_000_000
    assert table(found).num_rows == 20


def test_a_row_above_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr(arrows, "MAX_BLOCK", 100_000)
    with pytest.raises(RowTooLarge):
        blocks("SELECT repeat('x', 100000) AS s", "arrow")
