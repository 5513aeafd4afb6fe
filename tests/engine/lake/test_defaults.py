from __future__ import annotations

import pytest

from fairlead.engine.lake.defaults import expression_default, literal_default
from fairlead.errors import NotSupported


@pytest.mark.parametrize(
    ("stored", "sql"),
    [
        ("now()", "now()"),
        ("current_timestamp", "current_timestamp"),
        ("CAST('t' AS BOOLEAN)", "CAST('t' AS BOOLEAN)"),
        ("CAST('2020-01-01' AS \"DATE\")", "CAST('2020-01-01' AS DATE)"),
        ("CAST('x' AS \"TIMESTAMP WITH TIME ZONE\")", "CAST('x' AS TIMESTAMP WITH TIME ZONE)"),
        ("CAST('it''s' AS VARCHAR)", "CAST('it''s' AS VARCHAR)"),
        ("CAST(5 AS BIGINT)", "CAST(5 AS BIGINT)"),
        ("CAST(-1.5 AS DECIMAL(10,2))", "CAST(-1.5 AS DECIMAL(10,2))"),
        ("CAST(now() AS TIMESTAMP)", "CAST(now() AS TIMESTAMP)"),
    ],
)
def test_a_few_expressions_are_carried(stored: str, sql: str) -> None:
    assert expression_default("x", stored) == sql


@pytest.mark.parametrize(
    "stored",
    [
        "(1 + 2)",
        "upper('x')",
        "getenv('HOME')",
        "(SELECT 1)",
        "now() ",
        "now(), b INTEGER",
        "CAST('a' AS BOOLEAN) + CAST('b' AS BOOLEAN)",
        "CAST('a'); DROP TABLE t; --' AS BOOLEAN)",
        "CAST('x' AS BOOLEAN); DROP TABLE t",
        "CAST('x' AS ENUM)",
        "CAST(CAST('x' AS DATE) AS DATE)",
        "'unfinished",
        "read_text('/etc/passwd')",
        "",
    ],
)
def test_every_other_expression_is_refused(stored: str) -> None:
    with pytest.raises(NotSupported, match='"x"'):
        expression_default("x", stored)


def test_a_literal_is_quoted_whatever_it_says() -> None:
    assert literal_default("it's; DROP") == "'it''s; DROP'"
    assert literal_default("") == "''"
    assert literal_default(None) is None
