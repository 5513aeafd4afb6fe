"""The condition of a narrowed grant: one expression over the columns of one table, and nothing beside it.

The text is put into a WHERE later, so it is read here token by token, under the engine's own rules, against lists of
what may stand in it: columns of the table, literals, operators, calls of functions, and the few words of expressions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from fairlead.errors import InvalidParameter, UndefinedColumn
from fairlead.lang.lexer import DATA, READERS, LexError, tokenize

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from fairlead.lang.lexer import Token

_WORDS: Final = frozenset(
    (
        *("AND", "OR", "NOT", "IN", "IS", "NULL", "ISNULL", "NOTNULL", "TRUE", "FALSE", "UNKNOWN", "LIKE", "ILIKE"),
        *("GLOB", "SIMILAR", "TO", "ESCAPE", "BETWEEN", "SYMMETRIC", "CASE", "WHEN", "THEN", "ELSE", "END"),
        *("CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "AT", "TIME", "ZONE", "COLLATE"),
    )
)
# They may stand before a string: DATE '2026-01-01'.
_LITERALS: Final = frozenset({"DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL"})
_UNITS: Final = frozenset({"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "WEEK", "QUARTER"})
_TYPES: Final = frozenset(
    (
        *("BOOLEAN", "BOOL", "TINYINT", "SMALLINT", "INTEGER", "INT", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT"),
        *("UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "REAL", "DOUBLE", "DECIMAL", "NUMERIC", "VARCHAR", "TEXT"),
        *("STRING", "CHAR", "BLOB", "BYTEA", "UUID", "DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL", "JSON"),
    )
)
# They begin or continue a query, or make a call of a function more than that. A column of that name needs quotes.
_REFUSED: Final = frozenset(
    (
        *("SELECT", "FROM", "WITH", "VALUES", "TABLE", "UNION", "EXCEPT", "INTERSECT", "WHERE", "GROUP", "ORDER"),
        *("LIMIT", "OFFSET", "HAVING", "QUALIFY", "WINDOW", "PIVOT", "UNPIVOT", "DESCRIBE", "SHOW", "SUMMARIZE"),
        *("EXPLAIN", "EXISTS", "OVER", "FILTER", "WITHIN", "LAMBDA", "COLUMNS", "ANY", "ALL", "SOME", "UNNEST"),
    )
)
_NO_CALLS: Final = frozenset({"IN", "AND", "OR", "NOT", "WHEN", "THEN", "ELSE", "CASE"})
_OPERATORS: Final = frozenset(
    (
        *("=", "<", ">", "<=", ">=", "<>", "!=", "+", "-", "*", "/", "%", "||", "::", ","),
        *("(", ")", "[", "]"),
    )
)
_CLOSES: Final = {")": "(", "]": "["}
_HINT: Final = "a condition is one expression over the table's columns: region = 'EU' AND amount < 100"


def check_condition(text: str, columns: Collection[str]) -> None:
    """Refuse a text that is not one expression over a table's columns.

    Args:
        text: as it would stand after WHERE.
        columns: names of the table's columns.

    Raises:
        InvalidParameter: with what does not belong there.
        UndefinedColumn: a name that is no column of the table.
    """
    try:
        tokens, end = tokenize(text, DATA)
    except LexError as error:
        _refuse(error.message)
    if len(tokens) == 1 or ";" in text[tokens[-1].start : end]:
        _refuse("it is empty, or more than one expression")
    _refuse_comments(text, tokens)
    known = {column.casefold() for column in columns}
    open_: list[str] = []
    for at, token in enumerate(tokens[:-1]):
        before, after = (tokens[at - 1] if at else None), tokens[at + 1]
        if token.kind == "op":
            _operator(token, before, after, open_)
        elif token.kind in {"word", "quoted"}:
            _word(token, before, after, known)
        elif token.kind not in {"string", "number", "hex"}:
            _refuse(f"a {'parameter' if token.kind == 'param' else 'place'} cannot stand in it")
        elif token.kind == "string" and "://" in token.text:
            _refuse("a URL cannot stand in it")
    if open_:
        _refuse("a parenthesis is not closed")


def words_in(text: str) -> frozenset[str]:
    """Return every word of a condition that has been checked, its columns among them, case-folded."""
    tokens, _ = tokenize(text, DATA)
    return frozenset(token.text.casefold() for token in tokens if token.kind in {"word", "quoted"})


def _operator(token: Token, before: Token | None, after: Token, open_: list[str]) -> None:
    if token.text not in _OPERATORS:
        _refuse(f'"{token.text}" cannot stand in it')
    if token.text in {"(", "["}:
        open_.append(token.text)
    elif token.text in _CLOSES:
        if not open_ or open_.pop() != _CLOSES[token.text]:
            _refuse("a parenthesis is closed that was not opened")
    elif not open_ and token.text == ",":
        _refuse("it is more than one expression")
    elif token.text == "*" and (_opens(before) or after.text in {")", ",", ""}):
        _refuse('"*" stands for other columns')


def _word(token: Token, before: Token | None, after: Token, known: set[str]) -> None:
    word = token.upper if token.kind == "word" else ""
    if _is_part(word, before, after):
        return
    if word in _REFUSED:
        _refuse(f"{word} cannot stand in it")
    if after.kind == "op" and after.text == "(" and word not in _NO_CALLS:
        if not word or READERS.fullmatch(word):
            _refuse(f"{token.text}() cannot stand in it")
    elif token.text.casefold() not in known and word not in _WORDS:
        message = f'column "{token.text}" does not exist in the table'
        raise UndefinedColumn(message, hint=_HINT)


def _is_part(word: str, before: Token | None, after: Token) -> bool:
    """Whether a word means something only because of its neighbours: a type, a unit, IS DISTINCT FROM."""
    last = "" if before is None else before.upper
    return (
        (word in _TYPES and (last in {"::", "AS"}))
        or (word == "AS" and after.upper in _TYPES)
        or (word in _LITERALS and after.kind == "string")
        or (word in _UNITS and before is not None and before.kind in {"string", "number"})
        or (word == "DISTINCT" and last in {"IS", "NOT"})
        or (word == "FROM" and last == "DISTINCT")
    )


def _opens(before: Token | None) -> bool:
    return before is None or (before.kind == "op" and before.text in {"(", "[", ","})


def _refuse_comments(text: str, tokens: Sequence[Token]) -> None:
    """A comment could hide what is put after the condition."""
    at = 0
    for token in tokens:
        if text[at : token.start].strip():
            _refuse("a comment cannot stand in it")
        at = token.end


def _refuse(why: str) -> NoReturn:
    message = f"the condition cannot be used: {why}"
    raise InvalidParameter(message, hint=_HINT)
