"""CREATE LINK and ALTER LINK (singlestore.md, sections 2 and 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.lang.ast import (
    AlterAction,
    AlterConnection,
    CreateConnection,
    Option,
    RenameTo,
    ReplaceClause,
    SetComment,
    SetOptions,
)
from fairlead.lang.json_options import options_of
from fairlead.lang.values import value
from fairlead.lang.vocabulary import LINK_TYPES

if TYPE_CHECKING:
    from fairlead.lang.cursor import Cursor

_CLAUSES: Final = ("CREDENTIALS", "CONFIG")
_GLUED: Final = (*_CLAUSES, "DESCRIPTION")


def create_link(cursor: Cursor, *, or_replace: bool) -> CreateConnection:
    """Read what follows CREATE [OR REPLACE] LINK."""
    conflict = cursor.token
    if_not_exists = cursor.flag_if_not_exists()
    if if_not_exists and or_replace:
        cursor.fail(message="OR REPLACE and IF NOT EXISTS cannot be used together", token=conflict)
    name = cursor.name()
    cursor.expect("AS")
    kind = _type(cursor)
    clauses: dict[str, tuple[Option, ...]] = {}
    config: str | None = None
    stored = False
    description: str | None = None
    while cursor.token.kind != "eof":
        at = cursor.token
        clause = cursor.expect_one(*_CLAUSES, "DESCRIPTION")
        if clause in clauses or (clause == "DESCRIPTION" and description is not None):
            cursor.fail(message=f"{clause} is given twice", token=at)
        if clause == "DESCRIPTION":
            description = cursor.string()
            if not cursor.native:
                cursor.end()
        elif clause == "CREDENTIALS" and cursor.native and cursor.accept("STORED"):
            stored = True
            clauses[clause] = ()
        else:
            clauses[clause], text = _json(cursor, clause)
            config = text if clause == "CONFIG" else config
    return CreateConnection(
        name=name,
        spelling="singlestore",
        type_word=kind,
        options=tuple(option for options in clauses.values() for option in options),
        or_replace=or_replace,
        if_not_exists=if_not_exists,
        credentials_stored=stored,
        clauses=tuple(clauses),
        config_text=config,
        comment=description,
        noun="LINK",
    )


def _type(cursor: Cursor) -> str:
    word = cursor.word()
    if word in LINK_TYPES:
        return cursor.next().upper
    for kind in LINK_TYPES:
        for clause in _GLUED:
            if word == kind + clause:
                cursor.fail(message="a blank is missing between two words", hint=f"write {kind} {clause}")
    return cursor.fail(*LINK_TYPES)


def _json(cursor: Cursor, clause: str) -> tuple[tuple[Option, ...], str]:
    token = cursor.token
    cursor.string("JSON in a string literal")
    return options_of(token, clause), token.text


def alter_link(cursor: Cursor) -> AlterConnection:
    """Read what follows ALTER LINK."""
    if cursor.at("IF"):
        cursor.native_only("IF EXISTS")
    if_exists = cursor.flag_if_exists()
    name = cursor.name()
    actions: list[AlterAction] = []
    if cursor.at("RENAME"):
        cursor.native_only("RENAME")
        cursor.expect("RENAME", "TO")
        actions.append(RenameTo(cursor.identifier()))
    else:
        seen: set[str] = set()
        while not actions or cursor.token.kind != "eof":
            cursor.expect("SET")
            at = cursor.token
            what = cursor.expect_one(*_CLAUSES, "DESCRIPTION")
            if what in seen:
                cursor.fail(message=f"SET {what} is given twice", token=at)
            seen.add(what)
            actions.append(_set(cursor, what))
    cursor.end()
    return AlterConnection(name=name, actions=tuple(actions), if_exists=if_exists, noun="LINK")


def _set(cursor: Cursor, what: str) -> AlterAction:
    if what == "DESCRIPTION":
        cursor.native_only("SET DESCRIPTION")
        return SetComment(cursor.string())
    if cursor.accept_op("::"):
        start = cursor.token.start
        key = _key(cursor)
        cursor.expect_op("=", "equals sign")
        simple = cursor.token.kind in {"string", "number"} or cursor.at_op("-")
        if not simple and cursor.word() not in {"TRUE", "FALSE", "SECRET", "STORED"}:
            cursor.fail("a string, a number or a boolean")
        return SetOptions((Option(key, value(cursor), what, start),))
    options, text = _json(cursor, what)
    return ReplaceClause(what, options, text if what == "CONFIG" else None)


def _key(cursor: Cursor) -> str:
    """Read a key as it is written: words, dots and dashes without blanks, or one quoted identifier."""
    if cursor.token.kind == "quoted":
        return cursor.next().text
    if cursor.token.kind != "word":
        cursor.fail("a key")
    start = end = cursor.next()
    while cursor.token.start == end.end and not cursor.at_op("="):
        if cursor.token.kind not in {"word", "number"} and cursor.token.text not in {".", "-"}:
            cursor.fail("a key")
        end = cursor.next()
    return cursor.text[start.start : end.end]
