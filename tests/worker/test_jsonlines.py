"""Results as lines of JSON: what each type looks like, and that every line is JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.worker import jsonlines
from fairlead.worker.rows import RowTooLarge
from tests.worker.encoded import blocks


def lines(query: str, **more) -> list[object]:
    """Return every line; NaN and Infinity, which Python would read, are no JSON."""

    def refuse(word):
        raise AssertionError(word)

    data = b"".join(block for block, _ in blocks(query, "jsonl", **more))
    return [json.loads(line, parse_constant=refuse) for line in data.splitlines()]


CASES = [
    ("true", True),
    ("-5::TINYINT", -5),
    ("18446744073709551615::UBIGINT", 2**64 - 1),
    ("170141183460469231731687303715884105727::HUGEINT", "170141183460469231731687303715884105727"),
    ("1::BIGNUM", "1"),
    ("0.1::FLOAT", 0.1),
    ("0.1::DOUBLE", 0.1),
    ("1e300", 1e300),
    ("'nan'::DOUBLE", "NaN"),
    ("'inf'::FLOAT", "Infinity"),
    ("'-inf'::DOUBLE", "-Infinity"),
    ("1.10::DECIMAL(4, 2)", "1.10"),
    ("DATE '2020-01-31'", "2020-01-31"),
    ("TIMESTAMP '2020-01-31 10:00:00.5'", "2020-01-31 10:00:00.5"),
    ("INTERVAL '1 month 2 days'", "1 mon 2 days"),
    ("'\\x00a'::BLOB", "\\x0061"),
    ("'101'::BIT", "101"),
    ("""'{"a": [1, null]}'::JSON""", {"a": [1, None]}),
    ("'ü\"\\\n\x01\U0001f600'", 'ü"\\\n\x01\U0001f600'),
    ("'a'::ENUM('a', 'b')", "a"),
    ("[1, NULL]", [1, None]),
    ("[1.5, NULL]", ["1.5", None]),
    ("['nan'::DOUBLE, 1]", ["NaN", 1.0]),
    ("[1.5, 2]::DECIMAL(4, 2)[2]", ["1.50", "2.00"]),
    ("{'a''b': 'nan'::FLOAT, 'l': [{'x': 1.5}]}", {"a'b": "NaN", "l": [{"x": "1.5"}]}),
    ("MAP {1: 1.50}", {"1": "1.50"}),
    ("MAP {'a': true}", {"a": True}),
    ("union_value(a := 1)", "1"),
    ("row(1, 1.5)", "(1, 1.5)"),
]


@pytest.mark.parametrize(("value", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_value_is_what_it_is_in_json_or_the_text_that_postgresql_has(value, expected):
    _, first, null = lines(f"SELECT {value} AS v UNION ALL SELECT NULL")
    assert first == [expected]
    assert null == [None]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1, max_size=5))
def test_texts_come_back_as_they_were(texts):
    values = ", ".join("('" + text.replace("'", "''") + "')" for text in texts)
    assert lines(f"SELECT * FROM (VALUES {values}) t(v)")[1:] == [[text] for text in texts]


def test_the_first_line_names_columns_and_types():
    query = """SELECT 1 AS a, 1.5::DECIMAL(4, 2) AS "a""b", [1] AS a WHERE false"""
    assert lines(query) == [
        {
            "columns": [
                {"name": "a", "type": "INTEGER"},
                {"name": 'a"b', "type": "DECIMAL(4,2)"},
                {"name": "a", "type": "INTEGER[]"},
            ]
        }
    ]


def test_functions_of_the_session_do_not_take_the_place_of_the_engines():
    setup = [
        "CREATE MACRO to_json(x) AS 'mine'",
        "CREATE MACRO json_array(x) AS 'mine'",
        "CREATE MACRO isfinite(x) AS 1",
    ]
    assert lines("SELECT 1.5::DOUBLE AS v", setup=setup)[1:] == [[1.5]]


def test_real_bucket_names_stand_in_rows():
    found = lines("SELECT 's3://al/x' AS a, ['s3://al/y'] AS b", aliases={"al": "real"})
    assert found[1:] == [["s3://real/x", ["s3://real/y"]]]


def test_long_rows_are_cut_into_blocks_and_a_row_above_the_limit_is_refused(monkeypatch):
    found = blocks("SELECT repeat('x', 1000000) AS s FROM range(20)", "jsonl")
    assert len(found) > 3
    assert max(len(data) for data, _ in found) <= 5_000_000
    monkeypatch.setattr(jsonlines, "MAX_BLOCK", 100_000)
    with pytest.raises(RowTooLarge):
        blocks("SELECT repeat('x', 100000) AS s", "jsonl")
