"""The heads of CREATE, ALTER and DROP."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.lang.ddl import ColumnChange, Ddl, read_ddl
from fairlead.lang.lexer import LexError


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("CREATE TABLE t (a INTEGER)", Ddl("CREATE", "table", ("t",))),
        ('create or replace table d."S".t as select 1', Ddl("CREATE", "table", ("d", "S", "t"), or_replace=True)),
        (
            "CREATE TEMP TABLE IF NOT EXISTS t (a INTEGER)",
            Ddl("CREATE", "table", ("t",), conditional=True, temporary=True),
        ),
        ("CREATE SCHEMA IF NOT EXISTS s", Ddl("CREATE", "schema", ("s",), conditional=True)),
        ("DROP TABLE IF EXISTS a.t CASCADE", Ddl("DROP", "table", ("a", "t"), conditional=True, cascade=(25, 32))),
        ("DROP /* x */ SCHEMA s RESTRICT", Ddl("DROP", "schema", ("s",))),
        ('ALTER TABLE t RENAME TO "T"', Ddl("ALTER", "table", ("t",), rename_to="T")),
        ("ALTER TABLE t RENAME COLUMN a TO b", Ddl("ALTER", "table", ("t",))),
        (
            "ALTER TABLE t ADD IF NOT EXISTS c INTEGER",
            Ddl("ALTER", "table", ("t",), column=ColumnChange("ADD", ("c",), conditional=True)),
        ),
        (
            "ALTER TABLE t DROP COLUMN s.f",
            Ddl("ALTER", "table", ("t",), column=ColumnChange("DROP", ("s", "f"), conditional=False)),
        ),
        ("ALTER TABLE IF EXISTS t SET PARTITIONED BY (a)", Ddl("ALTER", "table", ("t",), conditional=True)),
        ("CREATE TEMP MACRO m(x) AS x", None),
        ("DROP SEQUENCE s", None),
        ("SELECT 1", None),
        ("DROP TABLE", None),
        ("DROP TABLE 'x'", None),
        ("", None),
    ],
)
def test_the_head_tells_what_is_named(text: str, head: Ddl | None) -> None:
    assert read_ddl(text) == head


_WORDS = st.sampled_from(
    ["CREATE", "DROP", "ALTER", "TABLE", "VIEW", "SCHEMA", "IF", "NOT", "EXISTS", "a", ".", '"b c"', "RENAME", "TO"]
)
_MORE = st.sampled_from(["ADD", "COLUMN", "CASCADE", "TEMP", "OR", "REPLACE", "'x'", "1", "(", ")", ";", "@"])


@given(st.lists(_WORDS | _MORE, max_size=60).map(" ".join) | st.text(max_size=80))
def test_any_text_is_read_or_is_none(text: str) -> None:
    try:
        head = read_ddl(text)
    except LexError:
        return
    assert head is None or all(head.name)
    if head is not None and head.cascade is not None:
        assert text[slice(*head.cascade)].upper() == "CASCADE"
