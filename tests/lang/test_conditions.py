"""What a narrowed grant takes as the condition on rows, and what it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import InvalidParameter, UndefinedColumn
from fairlead.lang.conditions import check_condition, words_in

COLUMNS = ("region", "a", "B c", "x", "select", "from", "day")

TAKEN = [
    "region = 'EU'",
    "REGION = 'it''s' AND (a IN (1, 2) OR x IS NOT NULL)",
    "x IS NOT DISTINCT FROM 3",
    "lower(region) = 'eu'",
    '"B c" > 1.5 AND "select" = 1',
    "x::decimal(10, 2) > 1",
    "CAST(x AS varchar) SIMILAR TO 'y'",
    "x > DATE '2026-01-01' - INTERVAL '3' DAY",
    "a * 2 = 4 AND -a < day",
    "CASE WHEN (a = 1) THEN (x) ELSE (a) END = 1",
    "coalesce(a, x) BETWEEN 1 AND 2",
    "a[1] = 2",
    "region ILIKE 'e%' ESCAPE '!'",
    "x > CURRENT_DATE",
]

REFUSED = [
    "",
    "   ",
    "1 = 1) OR (1 = 1",
    "(a = 1",
    "a[1) = 2",
    "a = 1 --",
    "a = 1 /* x */",
    "-- x\na = 1",
    "(SELECT a) = 1",
    "EXISTS(SELECT 1)",
    "a IN (FROM x)",
    "a IN (VALUES (1))",
    "a IN (TABLE x)",
    "a = 1 UNION SELECT 1",
    "a = ANY(x)",
    "a = $1",
    "a = ?",
    "a = $name",
    "#1 = 2",
    "COLUMNS(*) = 1",
    "count(*) = 1",
    "sum(a) OVER (ORDER BY x) = 1",
    "a = 's3://bucket/x'",
    "a = 1; DROP TABLE t",
    "a = 1;",
    "b = 1",
    "t.a = 1",
    "a, x",
    "a AS b",
    "list_filter(x, y -> y)",
    "@a = 1",
    "read_text('x') = 'a'",
    "system.main.lower(region) = 'a'",
    "\"lower\"(region) = 'a'",
    "a = 'unclosed",
    "a := 1",
    "a = {'k': 1}",
]


@pytest.mark.parametrize("text", TAKEN)
def test_an_expression_over_the_columns_is_taken(text):
    check_condition(text, COLUMNS)


@pytest.mark.parametrize("text", REFUSED)
def test_everything_else_is_refused(text):
    with pytest.raises((InvalidParameter, UndefinedColumn)):
        check_condition(text, COLUMNS)


PIECES = [
    "a",
    "x",
    "=",
    "1",
    "(",
    ")",
    "[",
    "]",
    "AND",
    ",",
    "'s'",
    "SELECT",
    "FROM",
    "--",
    "/*",
    "*/",
    ";",
    "lower",
    "$1",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_what_is_taken_stays_inside_its_parentheses(pieces):
    """Whatever follows a condition in parentheses is still outside of them, and no query begins inside."""
    text = " ".join(pieces)
    try:
        check_condition(text, COLUMNS)
    except (InvalidParameter, UndefinedColumn):
        return
    depth = 0
    for piece in pieces:
        depth += (piece in "([") - (piece in ")]")
        assert depth >= 0
    assert depth == 0
    assert not {"SELECT", "--", "/*", ";", "$1"} & set(pieces)


def test_the_words_of_a_condition_are_known():
    assert words_in("\"B c\" = 1 AND lower(Region) = 'x'") >= {"b c", "region"}
