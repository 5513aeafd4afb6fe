"""Values of options: literals, secret references, concatenations, lists, maps, names. No option has a meaning here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.lang.ast import Concat, ListOf, MapOf, Name, NameRef, Option, SecretRef, Stored, Text, Value
from fairlead.lang.literals import name_parts
from fairlead.sensitive import Sensitive

if TYPE_CHECKING:
    from fairlead.lang.cursor import Cursor

_WORDS: Final = {"TRUE": "boolean", "FALSE": "boolean", "NULL": "null"}
_DEEPEST: Final = 16


def string_value(cursor: Cursor, what: str = "string literal") -> Value:
    """Read ``'text'``, and natively also SECRET references, concatenations and STORED: what Databend's options take."""
    if cursor.token.kind == "string":
        return _concatenated(cursor, _literal(cursor))
    if cursor.native and (cursor.at("SECRET") or cursor.at("STORED")):
        return value(cursor, what)
    return cursor.fail(what)


def value(cursor: Cursor, what: str = "option value", depth: int = 0) -> Value:
    """Read any value.

    Args:
        cursor: at its first token.
        what: what to say that was expected.
        depth: how many lists it stands in.
    """
    if cursor.at("STORED") and cursor.native and not cursor.at_op(".", 1):
        cursor.next()
        return Stored()
    if cursor.at("SECRET") and cursor.ahead().kind in {"word", "quoted"}:
        return _concatenated(cursor, _secret(cursor))
    if cursor.at("MAP") and cursor.at_op("[", 1):
        cursor.next()
        return _map(cursor, depth)
    if cursor.at_op("(") or cursor.at_op("["):
        return _list(cursor, depth)
    if cursor.token.kind in {"word", "quoted"}:
        return word_value(cursor)
    return _concatenated(cursor, _literal(cursor, what))


def word_value(cursor: Cursor) -> Text | NameRef:
    """Read TRUE, FALSE, NULL, a bare word, or a dotted name."""
    word = cursor.word()
    if word in _WORDS:
        cursor.next()
        return Text(Sensitive(word.lower()), "null" if word == "NULL" else "boolean")
    token = cursor.token
    if cursor.at_op(".", 1):
        return NameRef(cursor.name())
    cursor.identifier()
    return Text(Sensitive(token.text), "word")


def _literal(cursor: Cursor, what: str = "option value") -> Text:
    token = cursor.token
    minus = "-" if cursor.at_op("-") and cursor.ahead().kind == "number" else ""
    if minus:
        cursor.next()
        token = cursor.token
    match token.kind:
        case "string":
            result = Text(Sensitive(token.text))
        case "number":
            result = Text(Sensitive(minus + token.text), "number")
        case "hex":
            result = Text(Sensitive(_hex(cursor)))
        case _:
            cursor.fail(what)
    cursor.next()
    return result


def _hex(cursor: Cursor) -> str:
    try:
        return bytes.fromhex(cursor.token.text).decode()
    except ValueError:
        return cursor.fail(message="a X'..' literal must be the hexadecimal form of UTF-8 text")


def _secret(cursor: Cursor) -> SecretRef:
    cursor.expect("SECRET")
    return SecretRef(cursor.name("the name of a secret"))


def _concatenated(cursor: Cursor, first: Text | SecretRef) -> Text | SecretRef | Concat:
    if not cursor.native or not cursor.at_op("||"):
        return first
    parts: list[Text | SecretRef] = [first]
    while cursor.accept_op("||"):
        parts.append(_secret(cursor) if cursor.at("SECRET") else Text(Sensitive(cursor.string())))
    if any(isinstance(part, Text) and part.kind != "string" for part in parts):
        cursor.fail(message="only string literals and secrets can be concatenated")
    return Concat(tuple(parts))


def _list(cursor: Cursor, depth: int) -> Value:
    _not_too_deep(cursor, depth)
    close, what = (")", "right parenthesis") if cursor.next().text == "(" else ("]", "right square bracket")
    if cursor.accept_op(close):
        return ListOf(())
    if close == ")" and cursor.token.kind == "string" and cursor.at_op("=", 1):
        pairs = cursor.comma_list(lambda: _pair(cursor, "=", depth))
        cursor.expect_op(close, what)
        return MapOf(pairs)
    items = cursor.comma_list(lambda: value(cursor, depth=depth + 1))
    cursor.expect_op(close, what)
    return ListOf(items)


def _map(cursor: Cursor, depth: int) -> MapOf:
    _not_too_deep(cursor, depth)
    cursor.expect_op("[", "left square bracket")
    pairs = () if cursor.at_op("]") else cursor.comma_list(lambda: _pair(cursor, "=>", depth))
    cursor.expect_op("]", "right square bracket")
    return MapOf(pairs)


def _pair(cursor: Cursor, op: str, depth: int) -> tuple[str, Value]:
    key = cursor.string()
    cursor.expect_op(op, "arrow" if op == "=>" else "equals sign")
    return key, value(cursor, depth=depth + 1)


def _not_too_deep(cursor: Cursor, depth: int) -> None:
    if depth >= _DEEPEST:
        cursor.fail(message="lists are nested too deeply")


def named_in_string(text: str) -> Name:
    """Return the name that a string holds (``CONNECTION_NAME = 'db.c'``)."""
    return Name(name_parts(text))


def assigned_option(cursor: Cursor) -> Option:
    """Read ``ident = value`` as Databend does: strings, and a bare boolean where it takes one."""
    start = cursor.token.start
    name = option_word(cursor)
    cursor.expect_op("=", "equals sign")
    if cursor.word() in {"TRUE", "FALSE"} and name == "ENABLE_VIRTUAL_HOST_STYLE":
        return Option(name, word_value(cursor), position=start)
    return Option(name, string_value(cursor), position=start)


def option_word(cursor: Cursor) -> str:
    """Read an option name of one word, in upper case."""
    if cursor.token.kind != "word":
        cursor.fail("the name of an option")
    return cursor.next().upper
