"""Statements that MySQL clients send by themselves, and that no engine has to answer: read from tokens to plain values.

What is not recognised here goes to the session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fairlead.errors import NotSupported, SqlSyntaxError
from fairlead.server.mysql.rewriting import is_call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.server.mysql.lexing import Token

_SCOPES: Final = frozenset({"SESSION", "LOCAL", "GLOBAL"})
_LITERALS: Final = frozenset({"string", "number"})
_LAST: Final = 2


class Cursor:
    """Tokens that are read from front to back.

    Args:
        text: the client's text.
        tokens: of one statement.
    """

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self.text = text
        self.tokens = tokens
        self.at = 0

    @property
    def token(self) -> Token | None:
        """The next token."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def accept(self, *words: str) -> bool:
        """Read these words, if they come next."""
        following = self.tokens[self.at : self.at + len(words)]
        if [token.value for token in following if token.kind == "word"] != list(words):
            return False
        self.at += len(words)
        return True

    def accept_one(self, *words: str) -> str:
        """Read one of these words, if one comes next, and return it."""
        return next((word for word in words if self.accept(word)), "")

    def op(self, text: str) -> bool:
        """Read a sign, if it comes next."""
        if self.token is None or not self.token.is_op(text):
            return False
        self.at += 1
        return True

    def kind(self, *kinds: str) -> Token | None:
        """Read a token of one of the kinds, if one comes next."""
        token = self.token
        if token is None or token.kind not in kinds:
            return None
        self.at += 1
        return token

    def name(self) -> str:
        """Read a name, or a string in its place.

        Raises:
            SqlSyntaxError: something else comes next.
        """
        token = self.kind("word", "quoted", "string")
        if token is None:
            raise self.unexpected("a name")
        return token.text if token.kind == "word" else token.value

    def text_value(self) -> str:
        """Read a string.

        Raises:
            SqlSyntaxError: something else comes next.
        """
        token = self.kind("string", "quoted")
        if token is None:
            raise self.unexpected("a string")
        return token.value

    def end(self) -> None:
        """Take it that nothing follows.

        Raises:
            SqlSyntaxError: something does.
        """
        if self.token is not None:
            raise self.unexpected("the end of the statement")

    def unexpected(self, what: str) -> SqlSyntaxError:
        """Return the error for what comes next."""
        token = self.token
        found = f'at or near "{token.text}"' if token is not None and token.kind != "string" else "here"
        position = token.start + 1 if token is not None else len(self.text)
        return SqlSyntaxError(f"syntax error {found}: expected {what}", position=position)


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a SELECT: a variable or function by its token, or a literal.

    Args:
        label: of the column.
        token: what is asked for.
    """

    label: str
    token: Token


def facts(cursor: Cursor) -> list[Item] | None:
    """Read a SELECT of nothing but variables, functions of the session and literals; None where it is none."""
    if not cursor.accept("SELECT"):
        return None
    items: list[Item] = []
    while True:
        item = _item(cursor)
        if item is None:
            return None
        items.append(item)
        if not cursor.op(","):
            break
    cursor.accept("FROM", "DUAL")
    if cursor.accept("LIMIT"):
        limit = cursor.kind("number")
        if limit is None or limit.value == "0":
            return None
    if cursor.token is not None or all(item.token.kind in _LITERALS for item in items):
        return None
    return items


def _item(cursor: Cursor) -> Item | None:
    start = cursor.token
    if start is None:
        return None
    size = is_call(cursor.tokens, cursor.at)
    bare_user = start.kind == "word" and start.value == "CURRENT_USER"
    if not (size or bare_user or start.kind in {"variable", *_LITERALS}):
        return None
    cursor.at += size or 1
    label = cursor.text[start.start : cursor.tokens[cursor.at - 1].end]
    alias = cursor.kind("word", "quoted", "string") if cursor.accept("AS") else _bare_alias(cursor)
    return Item(alias.text if alias.kind == "word" else alias.value, start) if alias else Item(label, start)


def _bare_alias(cursor: Cursor) -> Token | None:
    token = cursor.token
    if token is None or (token.kind == "word" and token.value in {"FROM", "LIMIT", "WHERE", "UNION", "ORDER"}):
        return None
    return cursor.kind("word", "quoted")


@dataclass(frozen=True, slots=True)
class Assignment:
    """One assignment of a SET.

    Args:
        name: of the variable, in small letters.
        value: tokens of the value.
        system: whether the name was written as ``@@name``.
        session: whether it is for this session, rather than for all.
    """

    name: str
    value: tuple[Token, ...]
    system: bool
    session: bool


def assignments(cursor: Cursor) -> list[Assignment]:
    """Read what follows SET, where it is a list of assignments.

    Raises:
        NotSupported: a user variable is set.
    """
    found = []
    while True:
        scope = "" if _is_equals(cursor, 1) else cursor.accept_one(*_SCOPES)
        token = cursor.kind("word", "quoted", "variable", "stage")
        if token is None:
            raise cursor.unexpected("the name of a variable")
        if token.kind == "stage":
            raise NotSupported("user variables are not offered", hint="send the value as a parameter")
        name = token.value.lower()
        cursor.op(":")
        if not cursor.op("=") and not cursor.accept("TO"):
            raise cursor.unexpected("=")
        scoped = token.text[2:].lower().startswith("global") if token.kind == "variable" else scope == "GLOBAL"
        found.append(Assignment(name, _value(cursor), token.kind == "variable", not scoped))
        if not cursor.op(","):
            return found


def is_assignment(cursor: Cursor) -> bool:
    """Tell whether a name and a sign of assignment come next."""
    following = cursor.tokens[cursor.at + 1 : cursor.at + 2]
    return bool(following) and (following[0].is_op("=") or following[0].is_op(":") or following[0].value == "TO")


def _is_equals(cursor: Cursor, ahead: int) -> bool:
    at = cursor.at + ahead
    return at < len(cursor.tokens) and cursor.tokens[at].is_op("=")


def _value(cursor: Cursor) -> tuple[Token, ...]:
    """Read up to the next comma that is in no parenthesis."""
    start, depth = cursor.at, 0
    while (token := cursor.token) is not None and not (depth == 0 and token.is_op(",")):
        depth += token.is_op("(") - token.is_op(")")
        cursor.at += 1
    if start == cursor.at:
        raise cursor.unexpected("a value")
    return tuple(cursor.tokens[start : cursor.at])


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which rows of a SHOW are wanted: LIKE a pattern, or any of some names; all where there is neither."""

    like: str | None = None
    names: frozenset[str] | None = None


def pattern(cursor: Cursor) -> Pattern:
    """Read LIKE 'p', or WHERE with names that are equal, LIKE or IN.

    Raises:
        NotSupported: another WHERE.
    """
    if cursor.accept("LIKE"):
        return Pattern(like=cursor.text_value())
    if not cursor.accept("WHERE"):
        return Pattern()
    names: set[str] = set()
    while (token := cursor.token) is not None:
        cursor.at += 1
        if token.kind == "string":
            names.add(token.value.lower())
        elif not (
            token.kind == "quoted"
            or (token.kind == "op" and token.text in "=(),")
            or (token.kind == "word" and token.value in {"VARIABLE_NAME", "OR", "IN", "LIKE"})
        ):
            raise NotSupported("this WHERE of SHOW is not offered", hint="write LIKE 'pattern'")
    return Pattern(names=frozenset(names))
