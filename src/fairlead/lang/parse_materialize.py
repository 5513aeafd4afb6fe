"""Materialize's CREATE CONNECTION ... TO type (...) and its options (materialize.md, sections 3 and 9.2).

Option names have several words and the equals sign may be left out, so names come from a list, the longest first.
Commas between options are required in the materialize dialect only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.errors import InvalidParameter
from fairlead.lang.ast import CreateConnection, NameRef, Option, Text, Value
from fairlead.lang.values import value, word_value
from fairlead.lang.vocabulary import (
    CREDENTIAL_OPTIONS,
    MATERIALIZE_TYPES,
    NATIVE_OPTION_NAMES,
    OPTION_NAMES,
    REFERENCE_OPTIONS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.lang.ast import Name
    from fairlead.lang.cursor import Cursor


def _by_first_word(names: tuple[str, ...]) -> Mapping[str, list[tuple[str, ...]]]:
    table: dict[str, list[tuple[str, ...]]] = {}
    for name in sorted(names, key=len, reverse=True):
        words = tuple(name.split())
        table.setdefault(words[0], []).append(words)
    return table


_STRICT: Final = _by_first_word(OPTION_NAMES)
_NATIVE: Final = _by_first_word((*OPTION_NAMES, *NATIVE_OPTION_NAMES))
_TYPES: Final = _by_first_word(MATERIALIZE_TYPES)
_LONGEST: Final = 4
_ALIASES: Final = {"USERNAME": "USER"}


def create_to(cursor: Cursor, name: Name, *, old_form: bool, or_replace: bool, if_not_exists: bool) -> CreateConnection:
    """Read what follows TO or FOR."""
    if or_replace and cursor.dialect == "materialize":
        cursor.fail("CONNECTION", token=cursor.tokens[1], hint="the native dialect has it: SET dialect = 'native'")
    kind = _longest(cursor, _TYPES)
    if kind is None:
        cursor.fail("the type of the connection", suggest=MATERIALIZE_TYPES)
    if old_form:
        options = _options(cursor)
    else:
        cursor.expect_op("(", "left parenthesis")
        options = _options(cursor)
        cursor.expect_op(")", "right parenthesis")
    validate = with_validate(cursor)
    cursor.end()
    return CreateConnection(
        name=name,
        spelling="materialize",
        type_word=kind,
        options=options,
        or_replace=or_replace,
        if_not_exists=if_not_exists,
        validate=validate,
    )


def _options(cursor: Cursor) -> tuple[Option, ...]:
    options = [option(cursor)]
    while True:
        unseparated = cursor.native and cursor.token.kind == "word" and not cursor.at("WITH")
        if not cursor.accept_op(",") and not unseparated:
            return tuple(options)
        options.append(option(cursor))


def option(cursor: Cursor) -> Option:
    """Read one option: name, optional equals sign, optional value."""
    start = cursor.token.start
    name = option_name(cursor)
    equals = cursor.accept_op("=")
    if not equals and (cursor.token.kind == "eof" or any(map(cursor.at_op, ",)"))):
        return Option(name, None, position=start)
    return Option(name, _value(cursor, name), position=start)


def option_name(cursor: Cursor) -> str:
    """Read the name of an option."""
    table = _NATIVE if cursor.native else _STRICT
    name = _longest(cursor, table)
    if name is None:
        _public_key(cursor)
        names = (*OPTION_NAMES, *NATIVE_OPTION_NAMES) if cursor.native else OPTION_NAMES
        cursor.fail("the name of an option", suggest=names, phrase=_phrase(cursor))
    return _ALIASES.get(name, name)


def _phrase(cursor: Cursor) -> str:
    """Return the bare words that stand where a name should, for "did you mean"."""
    words: list[str] = []
    while len(words) < _LONGEST and cursor.ahead(len(words)).kind == "word":
        words.append(cursor.ahead(len(words)).upper)
    return " ".join(words)


def _public_key(cursor: Cursor) -> None:
    if cursor.at("PUBLIC", "KEY"):
        cursor.at_index += 2
        cursor.fail("1 or 2 after PUBLIC KEY")


def _longest(cursor: Cursor, table: Mapping[str, list[tuple[str, ...]]]) -> str | None:
    for words in table.get(cursor.word(), ()):
        if all(_is(cursor, offset, word) for offset, word in enumerate(words)):
            cursor.at_index += len(words)
            return " ".join(words)
    return None


def _is(cursor: Cursor, offset: int, word: str) -> bool:
    token = cursor.ahead(offset)
    return token.kind in {"word", "number"} and token.upper == word


def _value(cursor: Cursor, name: str) -> Value:
    if cursor.at("STORED") and cursor.native:
        return value(cursor)
    if name in REFERENCE_OPTIONS:
        return _reference(cursor, name)
    if name in {"BROKER", "BROKERS"}:
        return _broker(cursor, name)
    if name in CREDENTIAL_OPTIONS:
        return _credential(cursor)
    return value(cursor)


def _reference(cursor: Cursor, name: str) -> NameRef:
    if name == "AWS PRIVATELINK" and cursor.at_op("(") and cursor.native:
        raise InvalidParameter(
            "AWS PRIVATELINK requires the name of an AWS PRIVATELINK connection",
            hint="Write AWS PRIVATELINK <connection> (PORT n).",
            position=cursor.token.start + 1,
        )
    reference = NameRef(cursor.name())
    if name == "AWS PRIVATELINK" and cursor.at_op("("):
        cursor.unsupported("ports and zones of AWS PRIVATELINK are not offered yet")
    return reference


def _broker(cursor: Cursor, name: str) -> Value:
    result = value(cursor)
    if cursor.at("USING") or (name == "BROKERS" and isinstance(result, Text) and result.kind != "string"):
        cursor.unsupported("USING and MATCHING of brokers are not offered yet")
    return result


def _credential(cursor: Cursor) -> Value:
    what = "connection credential value"
    if cursor.at("SECRET"):
        return value(cursor, what)
    if cursor.token.kind in {"word", "quoted"}:
        result = word_value(cursor)
        if isinstance(result, NameRef):
            cursor.fail(message="a dotted name cannot be a credential value")
        return result
    if cursor.at_op("(") or cursor.at_op("["):
        cursor.fail(what)
    return value(cursor, what)


def with_validate(cursor: Cursor) -> bool | None:
    """Read ``WITH (VALIDATE [= value])`` if it is there.

    Raises:
        InvalidParameter: a value that is not a boolean.
    """
    if not cursor.accept("WITH"):
        return None
    cursor.expect_op("(", "left parenthesis")
    result = True

    def one() -> None:
        nonlocal result
        cursor.expect("VALIDATE")
        if not cursor.accept_op("=") and (cursor.at_op(")") or cursor.at_op(",")):
            result = True
            return
        token = cursor.next()
        if token.kind not in {"word", "string"} or token.upper not in {"TRUE", "FALSE", "ON", "OFF"}:
            raise InvalidParameter("invalid VALIDATE: cannot use value as boolean", position=token.start + 1)
        result = token.upper in {"TRUE", "ON"}

    cursor.comma_list(one)
    cursor.expect_op(")", "right parenthesis")
    return result
