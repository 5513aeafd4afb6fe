"""The lexer is total, linear, and cuts data statements exactly where DuckDB does."""

from __future__ import annotations

from itertools import pairwise

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fairlead.errors import SqlSyntaxError
from fairlead.lang import lexer, parse
from fairlead.lang.lexer import DATA, LexError, rules_of, tokenize
from fairlead.lang.splitter import split

DIALECTS = ["native", "materialize", "singlestore", "databend", "clickzetta"]


def kinds(text, rules=DATA):
    return [(token.kind, token.text) for token in tokenize(text, rules)[0][:-1]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a$1$b", [("word", "a$1$b")]),
        ("'it''s'", [("string", "it's")]),
        ("'a\\'", [("string", "a\\")]),
        ("E'a\\'b\\n\\u0041\\x42\\103'", [("string", "a'b\nABC")]),
        ("e'\\\\'", [("string", "\\")]),
        ("E'it''s \\''", [("string", "it's '")]),
        ("1E'\\';'", [("number", "1"), ("string", "';")]),
        ("fooE'x'", [("word", "fooE"), ("string", "x")]),
        ("$$a;b$$", [("string", "a;b")]),
        ("$ä$ $$ 'x $ä$", [("string", " $$ 'x ")]),
        ("$1+$22", [("param", "$1"), ("op", "+"), ("param", "$22")]),
        ("X'6162'", [("hex", "6162")]),
        ('"a""b"', [("quoted", 'a"b')]),
        ("'a'\n'b'", [("string", "ab")]),
        ("'a' -- c\n  'b'", [("string", "ab")]),
        ("'a' 'b'", [("string", "a"), ("string", "b")]),
        ("'a' /*\n*/ 'b'", [("string", "a"), ("string", "b")]),
        ("E'a'\n'\\'b'", [("string", "a'b")]),
        ("a/*x/*y*/z*/b", [("word", "a"), ("word", "b")]),
        ("a--b\nc", [("word", "a"), ("word", "c")]),
        ("a--b\rc", [("word", "a"), ("word", "c")]),
        ("a\u00a0b\u2003c\ufeff", [("word", "a"), ("word", "b"), ("word", "c")]),
        ("ä😀", [("word", "ä😀")]),
        (
            "a=>b::c||d",
            [("word", "a"), ("op", "=>"), ("word", "b"), ("op", "::"), ("word", "c"), ("op", "||"), ("word", "d")],
        ),
        ("1.5e-3 .5 1_000", [("number", "1.5e-3"), ("number", ".5"), ("number", "1_000")]),
        ("r'a'", [("word", "r"), ("string", "a")]),
    ],
)
def test_data_rules(text, expected):
    assert kinds(text) == expected


@pytest.mark.parametrize(
    ("dialect", "text", "expected"),
    [
        ("native", r"'a\'", [("string", "a\\")]),
        ("native", r"'s''cr\et'", [("string", r"s'cr\et")]),
        ("singlestore", r"'s\'cr\\et'", [("string", r"s'cr\et")]),
        ("singlestore", r"'a\nb\qc'", [("string", "a\nbqc")]),
        ("singlestore", '"it""s \'x\'"', [("string", "it\"s 'x'")]),
        ("clickzetta", r'"a\"b"', [("string", 'a"b')]),
        ("clickzetta", r"r'{\n}'", [("string", r"{\n}")]),
        ("native", r"R'\n'", [("string", r"\n")]),
        ("databend", r"'a\'b'", [("string", "a'b")]),
        ("databend", '"a"', [("quoted", "a")]),
        ("native", "`a``b`", [("quoted", "a`b")]),
        ("materialize", '"A"', [("quoted", "A")]),
    ],
)
def test_rules_of_the_dialects(dialect, text, expected):
    assert kinds(text, rules_of(dialect)) == expected


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("SELECT * FROM @raw/orders/2026/*.parquet GROUP BY x", ["@raw/orders/2026/*.parquet"]),
        ("SELECT * FROM @a/x t, @b/y JOIN @c.d.e/z--1.csv USING (id)", ["@a/x", "@b/y", "@c.d.e/z--1.csv"]),
        ('SELECT * FROM @"my stage"/x', ['@"my stage"/x']),
        ("SELECT * FROM @s/a\\ b\\;c", ["@s/a\\ b\\;c"]),
        ("SELECT * FROM read_parquet([@a/x[0-9].p, @b/y])", ["@a/x[0-9].p", "@b/y"]),
        ("COPY t TO @s/out/", ["@s/out/"]),
        ("SUMMARIZE @s/x", ["@s/x"]),
        ("SELECT @x/*a*/, @y FROM t WHERE a = @b", []),
        ("SELECT extract(year FROM @x)", []),
        ("SELECT a IS DISTINCT FROM @b", []),
        ("SELECT * FROM t ORDER BY a, @b", []),
        ("SELECT * FROM range(1, @x)", []),
        ("SELECT list, @x/2", []),
    ],
)
def test_a_stage_path_is_one_token_where_a_table_may_stand(text, places):
    assert [token.text for token in tokenize(text, DATA)[0] if token.kind == "stage"] == places


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("SELECT 'abc", "unterminated string literal", 8),
        ("SELECT E'abc\\'", "unterminated string literal", 8),
        ('SELECT "abc', "unterminated quoted identifier", 8),
        ('SELECT ""', "empty quoted identifier", 8),
        ("SELECT $a$ x", "unterminated dollar-quoted string", 8),
        ("SELECT 1 /* /* */", "unterminated comment", 10),
        ("SELECT X'61", "unterminated string literal", 8),
        ("SELECT 'a'\n'b", "unterminated string literal", 12),
        ("SELECT \\", "a character that has no meaning here", 8),
        ("SELECT E'\\ud800'", "invalid escape in an E'..' string", 8),
        ("SELECT E'\\xff'", "invalid escape in an E'..' string", 8),
        ("SELECT 'a\0b'", "a string cannot hold the character NUL", 8),
        ("USE `a", "unterminated quoted identifier", 5),
        ("SELECT '\ud800'", "the text is not valid Unicode", 9),
    ],
)
def test_what_is_not_closed_is_a_syntax_error_with_its_position(text, message, position):
    with pytest.raises(SqlSyntaxError) as caught:
        parse(text)
    assert (caught.value.message, caught.value.position) == (message, position)


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("", 0),
        (" ;; -- x\n /* ; */ ;", 0),
        ("SELECT 1; SELECT 2", 2),
        ("SELECT ';'; SELECT $$;$$ ; SELECT \";\"", 3),
        ("SELECT 1 -- ;\n; SELECT 2 /* ; */", 2),
        ("SELECT E'\\';'; SELECT 1", 2),
        ("SELECT * FROM @a/x;SELECT 1", 2),
    ],
)
def test_a_script_is_cut_at_semicolons_outside_quotes(text, statements):
    assert len(list(split(text))) == statements


def test_a_data_statement_keeps_the_engines_quoting_in_every_dialect():
    for dialect in DIALECTS:
        first, second = parse("SELECT '\\', 1; SELECT \"x\"", dialect)
        assert (first.text, second.text) == ("SELECT '\\', 1", 'SELECT "x"')


# --- against DuckDB --------------------------------------------------------------------------------------------------

FRAGMENTS = [
    *("'", "''", '"', "$$", "$a$", "E'", "e'\\'", "x'ab'", "--", "/*", "*/", "\n", "\r", " ", "\t", "\f", "\\"),
    *(
        "select",
        "a",
        "a$b",
        "1",
        "2.5",
        "(",
        ")",
        ",",
        ".",
        "=",
        "=>",
        "::",
        "||",
        "+",
        "<",
        "$1",
        "b'",
        "r'",
        "n'x'",
        "äö",
    ),
]
soup = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join)


def duckdb_starts(text):
    encoded = text.encode()
    found = duckdb.tokenize(text)
    return {len(encoded[:offset].decode()) for offset, kind in found if kind != duckdb.token_type.operator}


@given(soup)
@example("x'ab'\n'cd'")
@example("b'01' -- it's\n'1' 'x'")
def test_tokens_begin_where_those_of_duckdb_begin(text):
    text = "select " + text
    try:
        tokens, end = tokenize(text, DATA)
    except LexError:
        return
    ours = {token.start for token in tokens if token.kind not in {"op", "eof", "param"}}
    ours |= {
        token.start + 1 for token in tokens if token.kind == "op" and token.text.startswith("$") and len(token.text) > 1
    }
    operators = {token.start for token in tokens if token.kind == "op"}  # some have a class of their own in DuckDB
    theirs = {start for start in duckdb_starts(text) if start < end} - operators
    assert ours == theirs, text


@given(soup)
def test_duckdb_finds_as_many_statements_as_we_do(text):
    text = "select 1; select " + text
    try:
        theirs = duckdb.extract_statements(text)
    except duckdb.Error:
        return
    assert len(list(split(text))) == len(theirs)
    assert all(piece.broken is None for piece in split(text))


# --- total and linear ------------------------------------------------------------------------------------------------

anything = (
    st.text(max_size=60)
    | soup
    | st.lists(st.sampled_from([*FRAGMENTS, "@", "@a/", "[", "]", "from ", ";"])).map("".join)
)


@given(anything, st.sampled_from(DIALECTS))
def test_the_lexer_gives_tokens_or_a_lex_error(text, dialect):
    for rules in (DATA, rules_of(dialect)):
        try:
            tokens, end = tokenize(text, rules)
        except LexError:
            continue
        assert tokens[-1].kind == "eof"
        assert 0 <= end <= len(text)
        assert all(a.end <= b.start for a, b in pairwise(tokens))


class CountingPattern:
    """Counts the characters that the pattern went past, over all its matches."""

    def __init__(self, pattern):
        self.pattern = pattern
        self.calls = 0

    def match(self, text, at):
        self.calls += 1
        return self.pattern.match(text, at)


@pytest.mark.parametrize(
    "unit",
    [
        "a ",
        "'x' ",
        "((",
        "/**/",
        "--\n",
        "'a'\n",
        "@a/b,",
        "E'\\'' ",
        "$a$x$a$",
        "]",
        "select * from @a/b, ",
        "1.",
        '"q"',
        "$",
    ],
)
def test_the_number_of_matches_grows_with_the_text_and_no_faster(unit, monkeypatch):
    def matches(count):
        counting = CountingPattern(lexer._pattern(DATA))
        monkeypatch.setattr(lexer, "_pattern", lambda _: counting)
        text = "from " + unit * count
        try:
            tokenize(text, DATA)
        except LexError:
            pass
        finally:
            monkeypatch.undo()
        return counting.calls

    small, large = matches(200), matches(2000)
    assert large <= 11 * small + 20
