"""CREATE VIEW, the ALTER and SHOW of tables, views, schemas and databases that the gateway answers itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from fairlead.errors import InvalidParameter
from fairlead.lang.ast import AlterObject, CreateView, ShowTables
from fairlead.lang.cursor import Cursor
from fairlead.lang.parse_data import data_statement
from fairlead.lang.splitter import Piece

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.lang.lexer import Token

_QUERIES: Final = ("SELECT", "WITH", "FROM", "VALUES")
# What the statement after the common table expressions of a WITH can begin with.
_BEGINNINGS: Final = frozenset({"SELECT", "FROM", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE"})
_KINDS: Final[dict[str, Literal["table", "view", "schema", "database"]]] = {
    "TABLE": "table",
    "VIEW": "view",
    "SCHEMA": "schema",
    "DATABASE": "database",
}
_LISTS: Final[dict[str, Literal["table", "view", "schema"]]] = {
    "TABLES": "table",
    "VIEWS": "view",
    "SCHEMAS": "schema",
}
LISTS: Final = frozenset(_LISTS)
ALTERED: Final = frozenset(_KINDS)


def create_view(cursor: Cursor, *, or_replace: bool) -> CreateView:
    """Read what follows CREATE VIEW."""
    at = cursor.token
    if_not_exists = cursor.flag_if_not_exists()
    if or_replace and if_not_exists:
        cursor.fail(message="OR REPLACE and IF NOT EXISTS cannot be used together", token=at)
    name = cursor.name()
    columns: tuple[str, ...] = ()
    if cursor.accept_op("("):
        columns = cursor.comma_list(cursor.identifier)
        cursor.expect_op(")", "right parenthesis")
    cursor.expect("AS")
    return CreateView(
        name=name, query=_query(cursor), columns=columns, or_replace=or_replace, if_not_exists=if_not_exists
    )


def _query(cursor: Cursor) -> str:
    """Read the rest as one query; its text is kept, so that it is planned anew at each use."""
    first = cursor.token
    inner = Cursor(cursor.text, Piece("data", cursor.tokens[cursor.at_index :]), cursor.dialect)
    while inner.at_op("("):
        inner.next()
    if inner.word() not in _QUERIES:
        cursor.fail(*_QUERIES, token=inner.token)
    _refuse_writing(cursor, inner.tokens[inner.at_index :])
    inner.at_index = 0
    statement = data_statement(inner)
    if statement.parameters:
        message = "a view cannot have parameters"
        raise InvalidParameter(message, hint="give the value at each use: SELECT ... FROM view WHERE ...")
    cursor.at_index = len(cursor.tokens) - 1
    return cursor.text[first.start : statement.span[1]]


def _refuse_writing(cursor: Cursor, tokens: Sequence[Token]) -> None:
    """Refuse WITH ... INSERT and SELECT ... INTO: a query only reads."""
    depth, begun = 0, tokens[0].upper != "WITH"
    for token in tokens:
        if token.kind == "op":
            depth += (token.text in "([{") - (token.text in ")]}")
        elif token.kind == "word" and depth <= 0:  # a parenthesis around the whole query may end before INTO
            if not begun and token.upper in _BEGINNINGS:
                begun = True
                if token.upper not in _QUERIES:
                    cursor.fail(*_QUERIES, token=token)
            if token.upper == "INTO":
                cursor.fail(message="the query of a view cannot have INTO", token=token)


def alter_object(cursor: Cursor) -> AlterObject:
    """Read what follows ALTER where it names one of ``ALTERED``."""
    kind = _KINDS[cursor.next().upper]
    if_exists = cursor.flag_if_exists()
    name = cursor.name()
    rename_to = owner_to = None
    actions = ("OWNER",) if kind in {"table", "database"} else ("OWNER", "RENAME")
    if cursor.expect_one(*actions) == "OWNER":
        cursor.expect("TO")
        owner_to = cursor.identifier("the name of a user or role")
    else:
        cursor.expect("TO")
        rename_to = cursor.identifier()
    cursor.end()
    return AlterObject(kind=kind, name=name, rename_to=rename_to, owner_to=owner_to, if_exists=if_exists)


def show_tables(cursor: Cursor) -> ShowTables:
    """Read what follows SHOW where it names one of ``LISTS``."""
    kind = _LISTS[cursor.next().upper]
    scope = like = None
    if cursor.accept_one("IN", "FROM"):
        if cursor.word() in {"SCHEMA", "DATABASE"} and cursor.ahead().kind in {"word", "quoted"}:
            cursor.next()
        scope = cursor.name("the name of a schema or database")
    if cursor.accept("LIKE"):
        like = cursor.string()
    if cursor.at("WHERE") or cursor.at("LIMIT"):
        cursor.unsupported(f"{cursor.word()} in SHOW is not offered yet", "LIKE 'pattern' selects by name")
    cursor.end()
    return ShowTables(kind=kind, scope=scope, like=like)
