"""Statement smuggling: text that our lexer and DuckDB's could cut differently, with an attack in the difference.

If a string, comment or quote ended elsewhere for one of the two, the tail would run as a statement or as a place that
nobody checked. The tail is the same in all of them: a file that must stay shut, or a statement that is not offered.
"""

from __future__ import annotations

from typing import Final

from tests.security.case import Bare, Case, case

_FILE: Final = "SELECT * FROM read_text('{out}/secret.txt')"
_BARE: Final = Bare((_FILE,))
_BY: Final = "kinds engine fence landlock hygiene missing stage absent"

_TEXTS: Final = (
    ("dollar-quote", f"SELECT $$'$$; {_FILE} --'"),
    ("dollar-quote-tag", f"SELECT $a$ $b$ $a$; {_FILE}; SELECT $b$"),
    ("dollar-quote-in-identifier", f"SELECT a$$; {_FILE}; --$$"),
    ("dollar-quote-after-number", f"SELECT 1$$; {_FILE}; --$$"),
    ("dollar-tag-with-digit", f"SELECT $1a$; {_FILE}; --$1a$"),
    ("dollar-tag-not-ascii", f"SELECT $\u00e9$ x $\u00e9$; {_FILE}"),
    ("nested-comment", f"SELECT 1 /* /* */ ; {_FILE} /* */ */"),
    ("comment-not-nested", f"SELECT 1 /* /* */; {_FILE}"),
    ("comment-in-operator", f"SELECT 1 +/* x */- 1; {_FILE}"),
    ("comment-unterminated", f"SELECT 1; /* {_FILE}"),
    ("line-comment-carriage-return", f"SELECT 1 --\r; {_FILE}"),
    ("line-comment-vertical-tab", f"SELECT 1 --\v; {_FILE}\n; {_FILE}"),
    ("line-comment-form-feed", f"SELECT 1 --\f; {_FILE}\n; {_FILE}"),
    ("line-comment-next-line", f"SELECT 1 --\u0085; {_FILE}\n; {_FILE}"),
    ("line-comment-line-separator", f"SELECT 1 --\u2028; {_FILE}\n; {_FILE}"),
    ("e-string-backslash-quote", f"SELECT E'\\''; {_FILE}; --'"),
    ("plain-string-backslash-quote", f"SELECT '\\'; {_FILE}; --'"),
    ("e-string-odd-backslashes", f"SELECT E'\\\\\\'; {_FILE}; --'"),
    ("bit-string", f"SELECT B'1'; {_FILE}"),
    ("hex-string", f"SELECT X'27'; {_FILE}"),
    ("national-string", f"SELECT N'x'; {_FILE}"),
    ("unicode-string", f"SELECT U&'\\0027'; {_FILE}"),
    ("unicode-identifier", 'SELECT * FROM U&"duckdb\\005fsecrets"()'),
    ("raw-string", f"SELECT r'\\'; {_FILE}; --'"),
    ("backticks", f"SELECT `'`; {_FILE}; --`"),
    ("double-quoted-with-quote", f"SELECT \"'\"; {_FILE}; --'"),
    ("doubled-quotes", f"SELECT '''';{_FILE}; --'"),
    ("joined-strings", f"SELECT 'a'\n'b'; {_FILE}"),
    ("joined-strings-comment", f"SELECT 'a' --x\n'b'; {_FILE}"),
    ("quote-in-comment", f"SELECT 1 /* ' */; {_FILE} /* ' */"),
    ("comment-in-string", f"SELECT '/*'; {_FILE}; --*/'"),
    ("unterminated-string", f"{_FILE}; SELECT '"),
    ("unterminated-identifier", f'{_FILE}; SELECT "'),
    ("unterminated-dollar", f"{_FILE}; SELECT $x$"),
    ("byte-order-mark", f"\ufeff{_FILE}"),
    ("zero-width-space", f"SELECT 1;\u200b{_FILE}"),
    ("right-to-left-override", f"SELECT 1; \u202e{_FILE}"),
    ("full-width-semicolon", f"SELECT 1\uff1b {_FILE}"),
    ("full-width-quote", f"SELECT \uff071; {_FILE}; --\uff07"),
    ("psql-meta", f"\\! id\n{_FILE}"),
    ("semicolon-in-brackets", f"SELECT (1; {_FILE})"),
    ("stage-token-with-quote", f"SELECT * FROM @raw/x'; {_FILE}; --'"),
    ("stage-token-with-comment", f"SELECT * FROM @raw/x/*; {_FILE}; --*/"),
    ("stage-token-with-dashes", f"SELECT * FROM @raw/x--\n; {_FILE}"),
    ("at-operator", f"SELECT @-1; {_FILE}"),
    ("stage-in-a-string-of-a-list", "SELECT * FROM read_text(['@others/x.txt'])"),
    ("stage-option-injection", "SELECT * FROM @raw/t.csv (FILE_FORMAT => 'csv''), read_text(''{out}/secret.txt')"),
    ("stage-path-injection", "SELECT * FROM \"@raw/t.csv'), read_text('{out}/secret.txt\""),
    ("stage-path-quote", "SELECT * FROM '@raw/t.csv''), (SELECT * FROM read_text(''{out}/secret.txt'')) --'"),
    (
        "stage-files-injection",
        "SELECT * FROM @raw/ (FILE_FORMAT => 'csv', FILES => ('t.csv'']), read_text([''{out}/secret.txt'))",
    ),
    ("keyword-as-name", "SELECT 1 AS \"ATTACH\"; ATTACH ':memory:' AS x"),
    ("explain-of-attach", "EXPLAIN ATTACH ':memory:' AS x"),
    ("explain-of-explain-of-pragma", "EXPLAIN EXPLAIN PRAGMA database_list"),
    ("explain-of-call", "EXPLAIN ANALYZE CALL pragma_version()"),
    ("with-before-attach", "WITH x AS (SELECT 1) ATTACH ':memory:' AS y"),
    ("parentheses-before-attach", "(ATTACH ':memory:' AS y)"),
    ("select-into", "SELECT 1 INTO OUTFILE '{out}/w'"),
)

# Read alike by both: one statement with a comment, which answers with its own row.
_ONE: Final = frozenset({"nested-comment"})

CASES: Final[tuple[Case, ...]] = tuple(
    case(f"lexer-{id_}", text, by=_BY, control=_BARE, scoped=id_ in _ONE) for id_, text in _TEXTS
)
