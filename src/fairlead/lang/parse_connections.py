"""CREATE CONNECTION: which of the spellings it is, and the two that have no brackets (Databend, ClickZetta).

TO or FOR after the name is Materialize's, STORAGE_TYPE is Databend's; a category word before CONNECTION or TYPE after
the name is ClickZetta's; CREATE LINK, SingleStore's, has a module of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.lang.ast import CreateConnection, Option, Value
from fairlead.lang.parse_materialize import create_to
from fairlead.lang.values import assigned_option, option_word, string_value, value
from fairlead.lang.vocabulary import CATEGORIES, CLICKZETTA_TYPES, PARAMETERS

if TYPE_CHECKING:
    from fairlead.lang.ast import Name
    from fairlead.lang.cursor import Cursor

_COMMENTS: Final = ("COMMENT", "COMMENTS")
_PROPERTY_TYPES: Final = frozenset({"OSS", "COS", "S3"})


def create_connection(cursor: Cursor, *, or_replace: bool) -> CreateConnection:
    """Read what follows CREATE [OR REPLACE], the category word included."""
    category = cursor.accept_one(*CATEGORIES) or None
    cursor.expect("CONNECTION")
    conflict = cursor.token
    if_not_exists = cursor.flag_if_not_exists()
    name = cursor.name()
    if if_not_exists and or_replace:
        message = "OR REPLACE and IF NOT EXISTS cannot be used together"
        if cursor.dialect == "databend" or cursor.at("STORAGE_TYPE"):
            message = "option IF NOT EXISTS and OR REPLACE are incompatible."
        cursor.fail(message=message, token=conflict)
    return _spelled(cursor, name, category, or_replace=or_replace, if_not_exists=if_not_exists)


def _spelled(
    cursor: Cursor, name: Name, category: str | None, *, or_replace: bool, if_not_exists: bool
) -> CreateConnection:
    expected = {
        "native": ("TYPE",) if category else ("TO", "FOR", "STORAGE_TYPE", "TYPE"),
        "materialize": ("TO", "FOR"),
        "databend": ("STORAGE_TYPE",),
        "clickzetta": ("TYPE",),
    }.get(cursor.dialect)
    if expected is None:
        cursor.fail(
            message="this dialect has CREATE LINK instead of CREATE CONNECTION",
            hint="the native dialect has both: SET dialect = 'native'",
        )
    if cursor.word() not in expected:
        cursor.fail(*expected)
    match cursor.next().upper:
        case "STORAGE_TYPE":
            return _databend(cursor, name, or_replace=or_replace, if_not_exists=if_not_exists)
        case "TYPE":
            return _clickzetta(cursor, name, category, or_replace=or_replace, if_not_exists=if_not_exists)
        case opening:
            return create_to(
                cursor, name, old_form=opening == "FOR", or_replace=or_replace, if_not_exists=if_not_exists
            )


# --- Databend --------------------------------------------------------------------------------------------------------


def _databend(cursor: Cursor, name: Name, *, or_replace: bool, if_not_exists: bool) -> CreateConnection:
    if cursor.dialect == "databend" and len(name.parts) > 1:
        cursor.fail(message="the name of a connection has one part in the databend dialect", token=cursor.tokens[2])
    cursor.expect_op("=", "equals sign")
    kind = cursor.string()
    options: list[Option] = []
    while cursor.token.kind != "eof":
        if cursor.native:
            cursor.accept_op(",")
        if cursor.at("FORMAT") and cursor.ahead().kind == "word" and cursor.ahead(2).kind == "eof":
            cursor.at_index += 2
            break
        options.append(assigned_option(cursor))
    return CreateConnection(
        name=name,
        spelling="databend",
        type_word=kind.upper(),
        options=tuple(options),
        or_replace=or_replace,
        if_not_exists=if_not_exists,
    )


# --- ClickZetta ------------------------------------------------------------------------------------------------------


def _clickzetta(
    cursor: Cursor, name: Name, category: str | None, *, or_replace: bool, if_not_exists: bool
) -> CreateConnection:
    kind = _type_word(cursor)
    options: list[Option] = []
    clauses: tuple[str, ...] = ()
    comment: str | None = None
    while cursor.token.kind != "eof":
        if cursor.native:
            cursor.accept_op(",")
        if cursor.word() in _COMMENTS and comment is None:
            cursor.next()
            cursor.accept_op("=")
            comment = cursor.string()
        elif cursor.at("PROPERTIES") or cursor.at("WITH", "PROPERTIES"):
            if clauses:
                cursor.fail(message="PROPERTIES is given twice")
            clauses = ("PROPERTIES",)
            options += _properties(cursor)
        else:
            options.append(parameter(cursor))
    if category is None and (kind not in _PROPERTY_TYPES or not clauses) and not cursor.native:
        cursor.fail(*CATEGORIES, token=cursor.tokens[1])
    return CreateConnection(
        name=name,
        spelling="clickzetta",
        type_word=kind,
        options=tuple(options),
        or_replace=or_replace,
        if_not_exists=if_not_exists,
        category=category,
        clauses=clauses,
        comment=comment,
    )


def _type_word(cursor: Cursor) -> str:
    if cursor.native:
        cursor.accept_op("=")
        if cursor.token.kind == "string":
            return cursor.next().text.upper()
    if cursor.token.kind != "word":
        cursor.fail("the type of the connection", suggest=CLICKZETTA_TYPES)
    return cursor.next().upper


def _properties(cursor: Cursor) -> list[Option]:
    cursor.accept("WITH")
    cursor.expect("PROPERTIES")
    cursor.expect_op("(", "left parenthesis")

    def pair() -> Option:
        start = cursor.token.start
        key = cursor.string("the name of a property in quotes")
        cursor.expect_op("=", "equals sign")
        return Option(key, string_value(cursor), "PROPERTIES", start)

    pairs = cursor.comma_list(pair)
    cursor.expect_op(")", "right parenthesis")
    return list(pairs)


def parameter(cursor: Cursor) -> Option:
    """Read ``PARAM = value`` of ClickZetta."""
    start = cursor.token.start
    name = option_word(cursor)
    if not cursor.accept_op("="):
        before = cursor.tokens[cursor.at_index - 1]
        if before.upper not in PARAMETERS:
            cursor.fail("the name of a parameter", token=before, suggest=PARAMETERS)
        cursor.fail("equals sign")
    return Option(name, _parameter_value(cursor), position=start)


def _parameter_value(cursor: Cursor) -> Value:
    token = cursor.token
    if token.kind in {"word", "quoted"} and not cursor.native and token.upper not in {"TRUE", "FALSE"}:
        cursor.fail("a value in quotes")
    if cursor.at_op("("):
        cursor.fail("a value")
    return value(cursor, "a value")
