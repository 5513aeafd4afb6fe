"""PREPARE and EXECUTE, and cursors: DECLARE, FETCH, MOVE, CLOSE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.errors import CursorNotScrollable, NotSupported
from fairlead.lang.ast import Argument, CloseCursor, DeclareCursor, Execute, Fetch, Prepare
from fairlead.lang.cursor import Cursor
from fairlead.lang.parse_data import data_statement
from fairlead.lang.splitter import Piece

if TYPE_CHECKING:
    from fairlead.lang.ast import DataStatement

_QUERIES: Final = frozenset({"SELECT", "WITH", "FROM", "VALUES", "TABLE"})
_PREPARED: Final = _QUERIES | {"INSERT", "UPDATE", "DELETE", "MERGE"}
_BACKWARD: Final = ("PRIOR", "FIRST", "LAST", "ABSOLUTE", "RELATIVE", "BACKWARD")
_LITERALS: Final = "EXECUTE takes values that are written out"
_LITERALS_HINT: Final = "compute them first, or use the prepared statements of the client's protocol"


def prepare(cursor: Cursor) -> Prepare:
    """Read what follows PREPARE.

    Raises:
        NotSupported: a statement that is no query and changes no table.
    """
    name = cursor.identifier("the name of a prepared statement")
    types: tuple[str, ...] = ()
    if cursor.accept_op("("):
        types = cursor.comma_list(lambda: _type(cursor))
        cursor.expect_op(")", "right parenthesis")
    cursor.expect("AS")
    return Prepare(name=name, types=types, statement=_rest(cursor, _PREPARED, "PREPARE"))


def execute(cursor: Cursor) -> Execute:
    """Read what follows EXECUTE.

    Raises:
        NotSupported: a value that is not a literal.
    """
    name = cursor.identifier("the name of a prepared statement")
    arguments: tuple[Argument, ...] = ()
    if cursor.accept_op("("):
        arguments = cursor.comma_list(lambda: _argument(cursor))
        cursor.expect_op(")", "right parenthesis")
    cursor.end()
    return Execute(name=name, arguments=arguments)


def declare(cursor: Cursor) -> DeclareCursor:
    """Read what follows DECLARE.

    Raises:
        CursorNotScrollable: SCROLL.
        NotSupported: what is no query.
    """
    name = cursor.identifier("the name of a cursor")
    binary = False
    while not cursor.at("CURSOR"):
        position = cursor.token.start + 1
        word = cursor.expect_one("BINARY", "INSENSITIVE", "ASENSITIVE", "NO", "SCROLL", "CURSOR")
        binary = binary or word == "BINARY"
        if word == "NO":
            cursor.expect("SCROLL")
        elif word == "SCROLL":
            raise _forward_only(position)
    cursor.expect("CURSOR")
    hold = False
    if cursor.at("WITH", "HOLD") or cursor.at("WITHOUT", "HOLD"):
        hold = cursor.next().upper == "WITH"
        cursor.expect("HOLD")
    cursor.expect("FOR")
    return DeclareCursor(name=name, query=_rest(cursor, _QUERIES, "DECLARE CURSOR"), binary=binary, hold=hold)


def fetch(cursor: Cursor, verb: str) -> Fetch:
    """Read what follows FETCH or MOVE.

    Raises:
        CursorNotScrollable: a direction other than forward.
    """
    count = _direction(cursor)
    cursor.accept_one("FROM", "IN")
    name = cursor.identifier("the name of a cursor")
    cursor.end()
    return Fetch(name=name, count=count, move=verb == "MOVE")


def close(cursor: Cursor) -> CloseCursor:
    """Read what follows CLOSE."""
    everything = cursor.at("ALL") and cursor.ahead().kind == "eof"
    name = None if everything else cursor.identifier("the name of a cursor")
    if everything:
        cursor.next()
    cursor.end()
    return CloseCursor(name=name)


def _direction(cursor: Cursor) -> int | None:
    """Read how far to go; a word of the list may also be the name of the cursor, which then stands last."""
    last = cursor.ahead().kind == "eof"
    if last or cursor.accept("NEXT"):
        return 1
    if cursor.word() in _BACKWARD or cursor.at_op("-"):
        raise _forward_only(cursor.token.start + 1)
    cursor.accept("FORWARD")
    if cursor.accept("ALL"):
        return None
    return cursor.integer() if cursor.token.kind == "number" else 1


def _forward_only(position: int) -> CursorNotScrollable:
    return CursorNotScrollable(
        "cursor can only scan forward",
        hint="declare it without SCROLL and FETCH NEXT, a number, ALL or FORWARD",
        position=position,
    )


def _rest(cursor: Cursor, verbs: frozenset[str], what: str) -> DataStatement:
    """Read the rest of the statement as one for the engine."""
    tokens = cursor.tokens[cursor.at_index :]
    position = tokens[0].start + 1
    if tokens[0].kind == "eof":
        cursor.fail("a query")
    statement = data_statement(Cursor(cursor.text, Piece("data", tokens), cursor.dialect))
    if statement.verb not in verbs:
        raise NotSupported(f"{what} takes no {statement.verb}", position=position)
    cursor.at_index = len(cursor.tokens) - 1
    return statement


def _type(cursor: Cursor) -> str:
    """Read the name of a type: one word or several, and what stands in parentheses behind it, which is not used."""
    words = [cursor.identifier("the name of a type").lower()]
    while cursor.token.kind == "word":
        words.append(cursor.next().text.lower())
    if cursor.accept_op("("):
        cursor.comma_list(cursor.integer)
        cursor.expect_op(")", "right parenthesis")
    while cursor.accept_op("["):
        cursor.expect_op("]", "right bracket")
        words[-1] += "[]"
    return " ".join(words)


def _argument(cursor: Cursor) -> Argument:
    token = cursor.token
    if token.kind == "string":
        cursor.next()
        argument = Argument(token.text)
    elif cursor.accept("NULL"):
        argument = Argument(None, "null")
    elif word := cursor.accept_one("TRUE", "FALSE"):
        argument = Argument(word.lower(), "boolean")
    else:
        sign = "-" if cursor.accept_op("-") else ""
        if cursor.token.kind != "number":
            cursor.unsupported(_LITERALS, _LITERALS_HINT)
        text = sign + cursor.next().text
        argument = Argument(text, "integer" if text.lstrip("-").isdecimal() else "decimal")
    if not (cursor.at_op(",") or cursor.at_op(")")):
        cursor.unsupported(_LITERALS, _LITERALS_HINT)
    return argument
