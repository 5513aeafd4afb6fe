"""What a query reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.lang.lexer import LexError
from fairlead.lang.sources import sources


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ("SELECT * FROM t", "t"),
        ('SELECT a FROM t, s.u JOIN "D"."S"."V" USING (a), LATERAL (SELECT 1)', "t s.u d.s.v"),
        ("FROM t SELECT a WHERE b IN (SELECT x FROM u)", "t u"),
        ("WITH c AS (SELECT * FROM t) SELECT * FROM c", "t"),
        ("WITH t AS (SELECT * FROM t), u(x) AS NOT MATERIALIZED (SELECT * FROM t) SELECT * FROM t, u", "t"),
        ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r, t", "t"),
        ("WITH RECURSIVE r(n) USING KEY (n) AS (SELECT 1 UNION SELECT n FROM r) FROM r", ""),
        ("SELECT EXTRACT(year FROM day), trim(both FROM x) FROM t WHERE a IS NOT DISTINCT FROM b", "t"),
        ("SELECT extract(year FROM (SELECT max(d) FROM u)) FROM t", "t u"),
        ("SELECT x FROM @stage/f.csv, t", "t"),
        ("SELECT 'FROM z', \"from\" FROM t -- FROM y", "t"),
        ("VALUES (1)", ""),
        ("SELECT 1 WITH", ""),
    ],
)
def test_the_relations_of_a_query_are_found(query: str, read: str) -> None:
    assert {".".join(parts) for parts in sources(query)} == set(read.split())


_WORDS = ["WITH", "RECURSIVE", "AS", "(", ")", ",", "c", "t", "SELECT", "FROM", "DISTINCT", "IS", "USING", "EXTRACT"]


@given(st.lists(st.sampled_from([*_WORDS, ".", "KEY", "NOT", "'x'"]), max_size=40).map(" ".join) | st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    try:
        found = sources(text)
    except LexError:
        return
    assert all(parts and all(parts) for parts in found)
