"""From text to statements: the first words choose the module that reads the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from fairlead.errors import NotSupported
from fairlead.lang.ast import AlterConnection, AlterObject, DropObjects, SetComment, Statement
from fairlead.lang.complaint import broken
from fairlead.lang.cursor import Cursor
from fairlead.lang.heads import DATA_OBJECTS, explained
from fairlead.lang.lexer import check_characters
from fairlead.lang.parse_alter import alter_connection
from fairlead.lang.parse_care import vacuum
from fairlead.lang.parse_connections import create_connection
from fairlead.lang.parse_copy import copy_from_stdin, copy_to_stdout, with_client
from fairlead.lang.parse_data import data_statement
from fairlead.lang.parse_defaults import alter_default_privileges
from fairlead.lang.parse_exports import copies_to_store, copy_to_store, select_into
from fairlead.lang.parse_grants import grant, revoke
from fairlead.lang.parse_links import alter_link, create_link
from fairlead.lang.parse_prepared import close, declare, execute, fetch, prepare
from fairlead.lang.parse_relations import ALTERED, alter_object, create_view
from fairlead.lang.parse_roles import alter_role, create_role, drop_role
from fairlead.lang.parse_secrets import alter_secret, create_secret
from fairlead.lang.parse_settings import (
    create_database,
    discard,
    drop_database,
    reset_variable,
    set_config,
    set_variable,
    sets_config,
    use,
)
from fairlead.lang.parse_show import describe, show, validate, verify
from fairlead.lang.parse_stages import alter_stage, create_stage, list_stage
from fairlead.lang.parse_transactions import transaction
from fairlead.lang.splitter import split
from fairlead.lang.tails import into_at
from fairlead.lang.vocabulary import CATEGORIES, FIRST_WORDS

if TYPE_CHECKING:
    from fairlead.context import Dialect
    from fairlead.lang.splitter import Piece

_ATTACH_HINT: Final = "reach outside data through a connection and a stage"
_SETTING_HINT: Final = "the engine is configured by the gateway"
_MERGE_HINT: Final = (
    "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET ... WHEN NOT MATCHED THEN INSERT ..."
)
_REFUSED: Final = {
    "CALL": "write SELECT * FROM function(...)",
    "ATTACH": _ATTACH_HINT,
    "DETACH": _ATTACH_HINT,
    "INSTALL": "extensions are installed by the operator",
    "LOAD": "extensions are loaded by the gateway",
    "EXPORT": "write COPY (query) TO @stage/path",
    "IMPORT": "write CREATE TEMP TABLE t AS FROM @stage/path",
    "PRAGMA": _SETTING_HINT,
    "CHECKPOINT": _SETTING_HINT,
    "ANALYZE": _SETTING_HINT,
    "FORCE": _SETTING_HINT,
    "UPDATE": "extensions are installed by the operator",
    "LISTEN": None,
    "NOTIFY": None,
    "LOCK": None,
    "REMOVE": None,
    "PRESIGN": None,
    "BACKUP": None,
    "RESTORE": None,
    "REFRESH": "a view is computed at each use; CREATE OR REPLACE TABLE t AS SELECT ... keeps its rows",
    "UPSERT": _MERGE_HINT,
    "REPLACE": _MERGE_HINT,
    "UNDROP": "a dropped table is gone; rows that were deleted are there in SELECT ... FROM t AT (VERSION => n)",
    "PUT": None,
    "GET": None,
}
# Those in the lake are read elsewhere; they are named here where a word is none of them.
_IN_LAKE: Final = ("TABLE", "VIEW", "SCHEMA")
_CREATE: Final = ("SECRET", "CONNECTION", "LINK", "STAGE", "USER", "ROLE", "DATABASE", *_IN_LAKE, *CATEGORIES)
_ALTER: Final = ("SECRET", "CONNECTION", "LINK", "STAGE", "USER", "ROLE", "DATABASE", *_IN_LAKE)
_DROP: Final = ("SECRET", "CONNECTION", "LINK", "STAGE", "USER", "ROLE", "DATABASE", *_IN_LAKE)
_LATER: Final = frozenset(
    (
        *("TABLE", "VIEW", "MACRO", "FUNCTION", "SCHEMA", "SEQUENCE", "TYPE", "INDEX", "SOURCE", "SINK", "PIPELINE"),
        *("PIPE", "VOLUME", "CATALOG", "EXTERNAL", "CLUSTER", "TASK", "MATERIALIZED", "UNIQUE", "RECURSIVE", "TEMP"),
        *("TEMPORARY", "FILE", "AGGREGATOR"),
    )
)


def parse(text: str, dialect: Dialect = "native") -> list[Statement]:
    """Read a script.

    Args:
        text: statements with semicolons between; empty ones are left out.
        dialect: ``native`` takes all four spellings, the others only what that system takes.

    Raises:
        SqlSyntaxError: with line, column, caret and the nearest known spelling; it never shows a secret.
        NotSupported: a statement that is known but not offered.
        InvalidParameter, InvalidName, InvalidJson: a value that no object could have.
    """
    check_characters(text)
    return [_statement(text, piece, dialect) for piece in split(text, dialect)]


def _statement(text: str, piece: Piece, dialect: Dialect) -> Statement:
    if piece.broken:
        raise broken(text, piece) from None
    cursor = Cursor(text, piece, dialect)
    if piece.head == "data" and (into := into_at(piece.tokens)) >= 0:
        return select_into(cursor, into)
    if piece.head == "data" and copies_to_store(cursor):
        return copy_to_store(cursor)
    if piece.head == "data" and sets_config(cursor):
        return set_config(cursor)
    if piece.head == "data":
        way = with_client(cursor) if cursor.at("COPY") else ""
        return {"FROM": copy_from_stdin, "TO": copy_to_stdout}.get(way, data_statement)(cursor)
    statement = _ours(cursor)
    cursor.end()
    return replace(statement, span=piece.span)


def _ours(cursor: Cursor) -> Statement:  # noqa: C901, PLR0911, PLR0912  # a table of first words
    first = cursor.token
    verb = cursor.word()
    if verb in _REFUSED:
        raise NotSupported(f"{verb} is not offered", hint=_REFUSED[verb], position=first.start + 1)
    if verb not in FIRST_WORDS:
        cursor.fail("a statement", suggest=FIRST_WORDS)
    cursor.next()
    match verb:
        case "CREATE":
            return _create(cursor)
        case "ALTER":
            return _alter(cursor)
        case "DROP":
            return _drop(cursor)
        case "SHOW":
            return show(cursor)
        case "DESC" | "DESCRIBE":
            return describe(cursor)
        case "VALIDATE":
            return validate(cursor)
        case "LIST":
            return list_stage(cursor)
        case "GRANT":
            return grant(cursor)
        case "REVOKE":
            return revoke(cursor)
        case "SET":
            return set_variable(cursor)
        case "RESET" | "UNSET":
            return reset_variable(cursor)
        case "USE":
            return use(cursor)
        case "DISCARD" | "DEALLOCATE":
            return discard(cursor, verb)
        case "VERIFY":
            return verify(cursor)
        case "VACUUM":
            return vacuum(cursor)
        case "COMMENT":
            return _comment(cursor)
        case "EXPLAIN":
            return _explain(cursor)
        case "BEGIN" | "START" | "COMMIT" | "END" | "ROLLBACK" | "ABORT" | "SAVEPOINT" | "RELEASE":
            return transaction(cursor, verb)
        case "PREPARE":
            return prepare(cursor)
        case "EXECUTE":
            return execute(cursor)
        case "DECLARE":
            return declare(cursor)
        case "FETCH" | "MOVE":
            return fetch(cursor, verb)
        case "CLOSE":
            return close(cursor)
        case _:
            raise NotSupported(f"this form of {verb} is not offered", position=first.start + 1)


def _explain(cursor: Cursor) -> Statement:
    cursor.at_index = min(explained(cursor.tokens), len(cursor.tokens) - 1)
    if cursor.word() in FIRST_WORDS or cursor.word() in _REFUSED:
        cursor.unsupported("EXPLAIN is offered for statements of the engine only")
    return cursor.fail("a statement", suggest=FIRST_WORDS)


def _create(cursor: Cursor) -> Statement:  # noqa: PLR0911  # a table
    or_replace = cursor.accept("OR", "REPLACE")
    word = cursor.word()
    if cursor.accept("VIEW"):
        return create_view(cursor, or_replace=or_replace)
    if cursor.accept_one("PERSISTENT", "TEMPORARY", "TEMP") and cursor.at("SECRET"):
        return _engine_secret(cursor)
    if word in _LATER and not cursor.at("CONNECTION", by=1):
        _later(cursor, f"CREATE {word}", "CREATE TEMP TABLE and CREATE TEMP VIEW are" if word in DATA_OBJECTS else None)
    if word in CATEGORIES or word == "CONNECTION":
        return create_connection(cursor, or_replace=or_replace)
    cursor.expect_one(*_CREATE)
    if or_replace and word in {"USER", "ROLE", "DATABASE"}:
        cursor.fail(message=f"OR REPLACE is not for {word}", token=cursor.tokens[1])
    match word:
        case "SECRET":
            return create_secret(cursor, or_replace=or_replace)
        case "LINK":
            return create_link(cursor, or_replace=or_replace)
        case "STAGE":
            return create_stage(cursor, or_replace=or_replace)
        case "DATABASE":
            return create_database(cursor)
        case _:
            return create_role(cursor, login=word == "USER")


def _engine_secret(cursor: Cursor) -> Statement:
    return cursor.unsupported(
        "the engine's own secrets are not used here: credentials never reach the engine",
        "CREATE CONNECTION keeps endpoint and credentials together; CREATE SECRET s AS '...' keeps one value",
    )


def _later(cursor: Cursor, what: str, hint: str | None) -> None:
    raise NotSupported(f"{what} is not offered yet", hint=hint, position=cursor.tokens[0].start + 1)


def _alter(cursor: Cursor) -> Statement:  # noqa: PLR0911  # a table
    word = cursor.word()
    if word == "DEFAULT":
        return alter_default_privileges(cursor)
    if word in ALTERED:
        return alter_object(cursor)
    if word in _LATER or word == "SYSTEM":
        _later(cursor, f"ALTER {word}", None)
    match cursor.expect_one(*_ALTER):
        case "SECRET":
            return alter_secret(cursor)
        case "CONNECTION":
            return alter_connection(cursor)
        case "LINK":
            return alter_link(cursor)
        case "STAGE":
            return alter_stage(cursor)
        case _:
            return alter_role(cursor, login=word == "USER")


def _drop(cursor: Cursor) -> Statement:
    word = cursor.word()
    if word in _LATER and word != "VIEW" and not cursor.at("CONNECTION", by=1):
        _later(cursor, f"DROP {word}", None)
    if word in CATEGORIES and cursor.at("CONNECTION", by=1):
        cursor.fail("CONNECTION", hint="connections of all categories share one name space: DROP CONNECTION name")
    match cursor.expect_one(*_DROP):
        case "DATABASE":
            return drop_database(cursor)
        case "USER" | "ROLE":
            return drop_role(cursor, login=word == "USER")
        case _:
            return _drop_objects(cursor, word)


_DROPPED: Final[dict[str, Literal["secret", "stage", "view"]]] = {
    "SECRET": "secret",
    "STAGE": "stage",
    "VIEW": "view",
}


def _drop_objects(cursor: Cursor, word: str) -> DropObjects:
    strict_link = word == "LINK" and cursor.dialect == "singlestore"
    if strict_link and cursor.at("IF", "EXISTS"):
        cursor.native_only("DROP LINK IF EXISTS")
    if_exists = cursor.flag_if_exists()
    names = cursor.comma_list(cursor.name)
    if len(names) > 1 and cursor.dialect not in {"native", "materialize"}:
        cursor.fail(message="one statement drops one object in this dialect", token=cursor.tokens[0])
    if strict_link and cursor.word() in {"CASCADE", "RESTRICT"}:
        cursor.native_only(cursor.word())
    cascade = cursor.accept_one("CASCADE", "RESTRICT") == "CASCADE"
    return DropObjects(
        kind=_DROPPED.get(word, "connection"),
        names=names,
        if_exists=if_exists,
        cascade=cascade,
        noun="LINK" if word == "LINK" else "CONNECTION",
    )


def _comment(cursor: Cursor) -> AlterConnection | AlterObject:
    cursor.expect("ON")
    word = cursor.word()
    if cursor.accept("VIEW"):
        view = cursor.name()
        cursor.expect("IS")
        return AlterObject(kind="view", name=view, comment="" if cursor.accept("NULL") else cursor.string())
    if word in {"SECRET", "STAGE", "TABLE", "DATABASE", "SCHEMA", "COLUMN"}:
        cursor.unsupported(f"COMMENT ON {word} is not offered yet")
    cursor.expect_one("CONNECTION", "LINK", "VIEW")
    name = cursor.name()
    cursor.expect("IS")
    text = "" if cursor.accept("NULL") else cursor.string()
    return AlterConnection(name=name, actions=(SetComment(text),), noun="LINK" if word == "LINK" else "CONNECTION")
