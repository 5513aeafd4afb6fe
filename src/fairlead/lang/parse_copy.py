"""COPY between a table and the client: ``COPY table FROM STDIN`` and ``COPY table | (query) TO STDOUT``.

The grammar is that of PostgreSQL 17, with Materialize's spelling of the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from fairlead.errors import NotSupported
from fairlead.lang import copy_options
from fairlead.lang.ast import CopyFromStdin, CopyToStdout
from fairlead.lang.cursor import Cursor
from fairlead.lang.lexer import Token
from fairlead.lang.parse_data import data_statement
from fairlead.lang.splitter import Piece, split

if TYPE_CHECKING:
    from fairlead.lang.ast import DataStatement

_CLIENT: Final = {"FROM": "STDIN", "TO": "STDOUT"}
_READS: Final = frozenset({"SELECT", "WITH", "FROM", "VALUES", "TABLE", "PIVOT", "UNPIVOT"})
_WRITES: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})


def with_client(cursor: Cursor) -> Literal["FROM", "TO", ""]:
    """Say which way the COPY at hand goes, if it is one FROM STDIN or TO STDOUT."""
    at = _direction(cursor)
    if at < 0:
        return ""
    way, place = cursor.tokens[at].upper, cursor.tokens[at + 1]
    if place.kind != "word" or place.upper != _CLIENT[way]:
        return ""
    return "FROM" if way == "FROM" else "TO"


def _direction(cursor: Cursor) -> int:
    """Return the index of the first FROM or TO outside of parentheses, -1 where there is none."""
    depth = 0
    for at, token in enumerate(cursor.tokens[:-1]):
        if token.kind == "op":
            depth += (token.text == "(") - (token.text == ")")
        elif depth == 0 and token.kind == "word" and token.upper in _CLIENT and at:
            return at
    return -1


def copy_from_stdin(cursor: Cursor) -> CopyFromStdin:
    """Read the statement.

    Raises:
        NotSupported: WHERE, and options that are known but not offered.
        InvalidParameter: an option's value that PostgreSQL refuses.
        SqlSyntaxError: anything else that is not the statement.
    """
    cursor.expect("COPY")
    given = _given(cursor, copy_options.FROM_CLIENT)
    if cursor.at("INTO") and not cursor.at("FROM", by=1):
        cursor.next()
    table = cursor.name("table name")
    columns = copy_options.columns(cursor) if cursor.at_op("(") else ()
    cursor.expect("FROM", "STDIN")
    given.read(cursor)
    if cursor.at("WHERE"):
        cursor.unsupported("COPY ... WHERE is not offered", "COPY into a temporary table, then INSERT ... SELECT")
    cursor.end()
    return CopyFromStdin(
        table=table,
        columns=columns,
        format=given.chosen_format,
        delimiter=given.chosen_delimiter,
        null=given.chosen_null,
        header=given.header or "no",
        quote=given.chosen_quote,
        escape=given.chosen_escape,
        force_null=given.force_null or (),
        force_not_null=given.force_not_null or (),
        span=cursor.piece.span,
    )


def copy_to_stdout(cursor: Cursor) -> CopyToStdout:
    """Read the statement.

    Raises:
        NotSupported: a statement in parentheses that gives no rows.
        InvalidParameter: an option's value that PostgreSQL refuses.
        SqlSyntaxError: anything else that is not the statement.
    """
    cursor.expect("COPY")
    given = _given(cursor, copy_options.TO_CLIENT)
    if cursor.at_op("("):
        query = _inside(cursor, _direction(cursor))
        table = False
    else:
        query = _reading(cursor)
        table = True
    cursor.expect("TO", "STDOUT")
    given.read(cursor)
    cursor.end()
    return CopyToStdout(
        query=query,
        table=table,
        format=given.chosen_format,
        delimiter=given.chosen_delimiter,
        null=given.chosen_null,
        header=given.header == "skip",
        quote=given.chosen_quote,
        escape=given.chosen_escape,
        force_quote=given.force_quote or (),
        span=cursor.piece.span,
    )


def _given(cursor: Cursor, way: copy_options.Direction) -> copy_options.Given:
    """Begin the options: ``COPY BINARY t`` is how PostgreSQL 7 wrote the first of them."""
    given = copy_options.Given(way)
    if cursor.at("BINARY") and not (cursor.at("FROM", by=1) or cursor.at("TO", by=1)):
        cursor.next()
        given.format = "binary"
    return given


def _inside(cursor: Cursor, end: int) -> DataStatement:
    """Read the query in the parentheses that end before a token."""
    first = cursor.at_index
    if cursor.tokens[end - 1].text != ")":
        cursor.at_index = end
        cursor.fail("right parenthesis")
    inner = cursor.tokens[first + 1 : end - 1]
    if not inner or not _balanced(inner):
        cursor.fail("a query")
    cursor.at_index = end
    stop = Token("eof", "", inner[-1].end, inner[-1].end)
    query = data_statement(Cursor(cursor.text, Piece("data", [*inner, stop]), cursor.dialect))
    returning = any(token.kind == "word" and token.upper == "RETURNING" for token in inner)
    if query.verb in _WRITES and not returning:
        raise NotSupported("COPY query must have a RETURNING clause", position=inner[0].start + 1)
    if query.verb not in _READS | _WRITES:
        raise NotSupported("COPY takes a query in the parentheses", position=inner[0].start + 1)
    return query


def _balanced(tokens: list[Token]) -> bool:
    depth = 0
    for token in tokens:
        if token.kind == "op":
            depth += (token.text == "(") - (token.text == ")")
        if depth < 0:
            return False
    return depth == 0


def _reading(cursor: Cursor) -> DataStatement:
    """Read ``table [(columns)]`` and return the query for its rows, made of the user's own spellings."""
    first = cursor.token
    cursor.name("table name")
    table = cursor.text[first.start : cursor.tokens[cursor.at_index - 1].end]
    chosen = "*"
    if cursor.at_op("("):
        opened = cursor.token.end
        copy_options.columns(cursor)
        chosen = cursor.text[opened : cursor.tokens[cursor.at_index - 1].start]
    text = f"SELECT {chosen}\nFROM {table}"  # names that were read as names
    return data_statement(Cursor(text, next(split(text)), cursor.dialect))
