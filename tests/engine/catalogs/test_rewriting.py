"""Which parts of a statement change when it names the catalogs, and that no statement can break the walk."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.commands.introspection.names import DECLARED, VOCABULARY, closure
from fairlead.engine.catalogs.rewriting import rewrite
from fairlead.errors import FairleadError, NotSupported, PermissionDenied, UndefinedTable
from fairlead.lang import ast, parse


def statement(sql: str) -> ast.DataStatement:
    (found,) = parse(sql)
    assert isinstance(found, ast.DataStatement)
    return found


def rewritten(sql: str) -> str:
    """Return the text with its edits, keys left in braces."""
    found = statement(sql)
    edits = rewrite(found, VOCABULARY).edits
    pieces, at = [], 0
    for edit in edits:
        pieces += [found.text[at : edit.span[0]], edit.text]
        at = max(at, edit.span[1])
    return "".join([*pieces, found.text[at:]])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "SELECT a.b, c::text FROM t a WHERE x ~ 'y'",
        "INSERT INTO t SELECT * FROM u",
        "SELECT array_to_string(tags, ',') FROM orders",
        "SELECT generate_subscripts([1], 1)",
        "SELECT user, name FROM people",
    ],
)
def test_an_ordinary_statement_is_none_of_our_business(sql: str) -> None:
    found = statement(sql)
    assert not VOCABULARY.named(found.identifiers, found.calls)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT * FROM pg_catalog.pg_class", 'SELECT * FROM {pg_class} AS "pg_class"'),
        ("SELECT * FROM pg_class c", "SELECT * FROM {pg_class} c"),
        ("SELECT * FROM pg_class AS c, pg_type", 'SELECT * FROM {pg_class} AS c, {pg_type} AS "pg_type"'),
        (
            "SELECT pg_catalog.pg_class.oid FROM pg_catalog.pg_class WHERE true",
            'SELECT pg_class.oid FROM {pg_class} AS "pg_class" WHERE true',
        ),
        (
            "SELECT * FROM information_schema.tables",
            'SELECT * FROM {information_schema_tables} AS "tables"',
        ),
        ("WITH pg_class AS (SELECT 1) SELECT * FROM pg_class", "WITH pg_class AS (SELECT 1) SELECT * FROM pg_class"),
        ("SELECT pg_table_is_visible(1)", 'SELECT {f_pg_table_is_visible}(1) AS "pg_table_is_visible"'),
        ("SELECT pg_catalog.pg_table_is_visible(1) AS v", "SELECT {f_pg_table_is_visible}(1) AS v"),
        ("SELECT 'a'::pg_catalog.text FROM pg_am m", "SELECT 'a'::text FROM {pg_am} m"),
        ("SELECT 't'::regclass", "SELECT {f_regclass_oid}('t')"),
        ("SELECT 't'::pg_catalog.regclass::oid", "SELECT {f_regclass_oid}('t')::BIGINT"),
        ("SELECT c.oid::regclass::text FROM pg_class c", "SELECT {f_regclass_name}(c.oid)::text FROM {pg_class} c"),
        ("SELECT CAST('t' AS regclass)", "SELECT {f_regclass_oid}('t' )"),
        (
            "SELECT 1 FROM pg_am a WHERE a.amname OPERATOR(pg_catalog.~) '^(t)$' COLLATE pg_catalog.default",
            "SELECT 1 FROM {pg_am} a WHERE a.amname ~ {f_pattern}( '^(t)$') ",
        ),
        (
            "SELECT 1 FROM pg_am a WHERE amname !~* 'x' AND true",
            "SELECT 1 FROM {pg_am} a WHERE amname !~ {f_pattern_any_case}( 'x') AND true",
        ),
        ("SELECT 1 FROM pg_am a WHERE amname ~~ 'x'", "SELECT 1 FROM {pg_am} a WHERE amname ~~ 'x'"),
        (
            "SELECT s FROM pg_am a, generate_series(1, 2) s",
            'SELECT s FROM {pg_am} a, generate_series(1, 2) s("s")',
        ),
        ("SELECT '{a,b}'::name[] FROM pg_am a", "SELECT ['a', 'b']::VARCHAR[] FROM {pg_am} a"),
    ],
)
def test_names_and_forms_of_the_catalogs_become_ours(sql: str, expected: str) -> None:
    assert rewritten(sql) == expected


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT * FROM pg_catalog.nothing", UndefinedTable),
        ("SELECT * FROM information_schema.nothing", UndefinedTable),
        ("DELETE FROM pg_class", PermissionDenied),
        ("INSERT INTO pg_catalog.pg_class VALUES (1)", PermissionDenied),
        ("CREATE TEMP VIEW v AS SELECT * FROM pg_class", NotSupported),
        ("CREATE TEMP MACRO v() AS TABLE SELECT * FROM pg_class", NotSupported),
    ],
)
def test_what_is_not_there_or_not_to_be_changed_is_refused(sql: str, kind: type[FairleadError]) -> None:
    with pytest.raises(kind):
        rewrite(statement(sql), VOCABULARY)


def test_a_setting_of_the_engine_stays_refused_beside_one_of_ours() -> None:
    found = rewrite(statement("SELECT current_setting('a'), system.main.current_setting('b')"), VOCABULARY).found
    assert "current_setting" not in found
    assert "pg_settings" in rewrite(statement("SELECT * FROM pg_settings"), VOCABULARY).found


_WORDS = st.sampled_from(
    [
        *("SELECT", "FROM", "WHERE", "AS", "CAST", "COLLATE", "OPERATOR", "JOIN", "IN", "ARRAY", "WITH", "AND", ","),
        *("(", ")", "[", "]", "::", "~", "!~", "~*", ".", "=", "'x'", "'{a}'", "$1", "1", "*", "-", "pg_catalog"),
        *("pg_class", "information_schema", "tables", "regclass", "text", "name", "oid", "c", "version", "unnest"),
        *("generate_subscripts", "current_user", "default", "json_build_object", '"quoted"', "tableoid", "pg_catalog."),
    ]
)


@given(st.lists(_WORDS, max_size=30))
def test_whatever_is_written_gives_edits_inside_the_text_or_an_error_of_ours(words: list[str]) -> None:
    try:
        found = statement("SELECT " + " ".join(words))
        edits = rewrite(found, VOCABULARY).edits
    except FairleadError:
        return
    for edit in edits:
        assert 0 <= edit.span[0] <= edit.span[1] <= len(found.text)
    replaced = [edit.span for edit in edits if edit.span[0] < edit.span[1]]
    assert all(first[1] <= second[0] for first, second in pairwise(replaced))


def test_everything_that_is_declared_stands_on_what_is_there() -> None:
    for key in DECLARED:
        assert closure(frozenset({key}))[-1] == key
