"""ALTER CONNECTION in the three spellings: each action is told by its first word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.lang.ast import (
    AlterAction,
    AlterConnection,
    Option,
    OwnerTo,
    RenameTo,
    SetComment,
    SetEnabled,
    SetOptions,
    UnsetOptions,
)
from fairlead.lang.parse_connections import parameter
from fairlead.lang.parse_materialize import option, option_name, with_validate
from fairlead.lang.values import option_word
from fairlead.lang.vocabulary import OPTION_NAMES

if TYPE_CHECKING:
    from fairlead.lang.cursor import Cursor

_ACTIONS: Final = ("SET", "DROP", "RESET", "UNSET", "RENAME", "OWNER", "ENABLE", "DISABLE", "ROTATE")


def alter_connection(cursor: Cursor) -> AlterConnection:
    """Read what follows ALTER CONNECTION."""
    if cursor.dialect in {"databend", "clickzetta"}:
        cursor.native_only("ALTER CONNECTION")
    if_exists = cursor.flag_if_exists()
    name = cursor.name()
    actions = cursor.comma_list(lambda: _action(cursor))
    validate = with_validate(cursor)
    cursor.end()
    return AlterConnection(name=name, actions=actions, if_exists=if_exists, validate=validate)


def _action(cursor: Cursor) -> AlterAction:  # noqa: PLR0911  # a table
    word = cursor.expect_one(*_ACTIONS)
    if word in {"UNSET", "ENABLE", "DISABLE"}:
        cursor.native_only(word)
    match word:
        case "SET":
            return _set(cursor)
        case "DROP" | "RESET":
            cursor.expect_op("(", "left parenthesis")
            names = cursor.comma_list(lambda: _option_name(cursor))
            cursor.expect_op(")", "right parenthesis")
            return UnsetOptions(names)
        case "UNSET":
            if cursor.at("TAG"):
                cursor.unsupported("tags are not offered yet")
            return UnsetOptions(cursor.comma_list(lambda: _option_name(cursor)))
        case "RENAME":
            cursor.expect("TO")
            return RenameTo(cursor.identifier())
        case "OWNER":
            cursor.expect("TO")
            return OwnerTo(cursor.identifier())
        case "ROTATE":
            return cursor.unsupported("ROTATE KEYS is for SSH TUNNEL connections, which are not offered yet")
        case _:
            return SetEnabled(word == "ENABLE")


def _set(cursor: Cursor) -> AlterAction:
    if cursor.at("TAG"):
        cursor.unsupported("tags are not offered yet")
    if cursor.accept_op("("):
        options = [_any_option(cursor)]
        while cursor.accept_op(",") or (cursor.native and cursor.token.kind == "word"):
            cursor.native_only("more than one option in a SET (...)")
            options.append(_any_option(cursor))
        cursor.expect_op(")", "right parenthesis")
        return SetOptions(tuple(options))
    cursor.native_only("SET without parentheses")
    if cursor.accept_one("COMMENT", "COMMENTS", "DESCRIPTION"):
        cursor.accept_op("=")
        return SetComment(cursor.string())
    assigned = [parameter(cursor)]
    while cursor.token.kind == "word":
        assigned.append(parameter(cursor))
    return SetOptions(tuple(assigned))


def _any_option(cursor: Cursor) -> Option:
    """Read an option of Materialize, or natively ``PARAM = value`` of the others."""
    if cursor.native and cursor.at_op("=", 1) and cursor.word() not in OPTION_NAMES:
        return parameter(cursor)
    return option(cursor)


def _option_name(cursor: Cursor) -> str:
    one_word = cursor.token.kind == "word" and (cursor.ahead().kind == "eof" or any(cursor.at_op(op, 1) for op in ",)"))
    return option_word(cursor) if cursor.native and one_word else option_name(cursor)
