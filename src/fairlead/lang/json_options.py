"""The JSON arguments of SingleStore's CREDENTIALS and CONFIG clauses as options (singlestore.md, section 1).

The text is one JSON object of strings, numbers and booleans; ``headers`` may be an object of strings, ``suffixes`` and
``allowed_hosts`` a list, and ``{"secret": "name"}`` stands for a named secret. An empty text is an empty object.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, NoReturn

from fairlead.errors import InvalidJson
from fairlead.lang.ast import ListOf, Option, SecretRef, Text, Value
from fairlead.lang.values import named_in_string
from fairlead.sensitive import Sensitive

if TYPE_CHECKING:
    from fairlead.lang.lexer import Token

_LISTS: Final = frozenset({"suffixes", "allowed_hosts"})
_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,80}")


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


class _Pairs(list[tuple[str, object]]):
    """A JSON object with its keys in order, repeated ones included."""

    __slots__ = ()


def options_of(token: Token, clause: str) -> tuple[Option, ...]:
    """Return the options in a JSON text.

    Args:
        token: the string literal.
        clause: CREDENTIALS or CONFIG; goes into the options and the errors.

    Raises:
        InvalidJson: not one JSON object of allowed values; never with a piece of the text.
    """
    pairs = _parse(token, clause)
    seen: set[str] = set()
    options: list[Option] = []
    for key, item in pairs:
        if key in seen:
            _refuse(token, clause, key, "is given twice")
        seen.add(key)
        options.append(Option(key, _value(token, clause, key, item), clause, token.start))
    return tuple(options)


def _parse(token: Token, clause: str) -> _Pairs:
    if not token.text.strip():
        return _Pairs()
    try:
        parsed = json.loads(
            token.text, object_pairs_hook=_Pairs, parse_int=_Number, parse_float=_Number, parse_constant=_no_constant
        )
        token.text.encode()
    except json.JSONDecodeError as error:
        message = f"{clause} is not valid JSON: line {error.lineno}, column {error.colno}"
        raise InvalidJson(message, position=token.start + 1) from None
    except (ValueError, RecursionError):
        raise InvalidJson(f"{clause} is not valid JSON", position=token.start + 1) from None
    if not isinstance(parsed, _Pairs):
        raise InvalidJson(f"{clause} must be one JSON object", position=token.start + 1)
    return parsed


def _no_constant(_: str) -> NoReturn:
    raise ValueError


def _value(token: Token, clause: str, key: str, item: object) -> Value:  # noqa: PLR0911  # a table
    match item:
        case bool():
            return Text(Sensitive("true" if item else "false"), "boolean")
        case _Number():
            return Text(Sensitive(item), "number")
        case str():
            return Text(Sensitive(_sound(token, clause, key, item)))
        case None:
            return _refuse(token, clause, key, "is null")
        case _Pairs() if key == "headers":
            return Text(Sensitive(_headers(token, clause, item)), "json")
        case _Pairs() if len(item) == 1 and item[0][0] == "secret" and type(item[0][1]) is str:
            return SecretRef(named_in_string(_sound(token, clause, key, item[0][1])))
        case list() if key in _LISTS and all(type(entry) is str for entry in item):
            return ListOf(tuple(Text(Sensitive(_sound(token, clause, key, entry))) for entry in item))
        case _:
            return _refuse(token, clause, key, "must be a string, a number or a boolean")


def _headers(token: Token, clause: str, item: _Pairs) -> str:
    if len(dict(item)) != len(item) or not all(type(text) is str for _, text in item):
        _refuse(token, clause, "headers", "must be an object of strings without repeated keys")
    return json.dumps({_sound(token, clause, "headers", k): _sound(token, clause, "headers", str(v)) for k, v in item})


def _sound(token: Token, clause: str, key: str, text: str) -> str:
    """Refuse what no other part of the house could hold: NUL and lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        _refuse(token, clause, key, "is not valid Unicode")
    if "\0" in text:
        _refuse(token, clause, key, "holds the character NUL")
    return text


def _refuse(token: Token, clause: str, key: str, why: str) -> NoReturn:
    # Only keys of the documents are named: what stands in a key's place may be a misplaced secret.
    shown = f'key "{key}"' if clause == "CONFIG" and _KEY.fullmatch(key) else "a key"
    raise InvalidJson(f"{clause}: {shown} {why}", position=token.start + 1)
