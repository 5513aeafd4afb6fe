"""Settings, databases and transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from fairlead.lang.ast import (
    CreateDatabase,
    Discard,
    DropDatabase,
    ResetVariable,
    SetVariable,
    Transaction,
    Use,
)

if TYPE_CHECKING:
    from fairlead.lang.cursor import Cursor

_SCOPES: Final[dict[str, Literal["session", "local", "global"]]] = {
    "SESSION": "session",
    "LOCAL": "local",
    "GLOBAL": "global",
}


def set_variable(cursor: Cursor) -> SetVariable:
    """Read what follows SET."""
    if cursor.at("VARIABLE"):
        cursor.unsupported("variables of the engine are not offered", "send the value as a parameter, $1")
    scope = _SCOPES["SESSION"]
    if cursor.word() in _SCOPES and not cursor.at_op("=", 1) and not cursor.at("TO", by=1):
        scope = _SCOPES[cursor.next().upper]
    if cursor.at("TRANSACTION") or cursor.at("CHARACTERISTICS"):
        cursor.unsupported("the transaction mode cannot be set: every transaction is isolated by snapshot")
    if cursor.accept("TIME", "ZONE"):
        name = "timezone"
    elif cursor.accept("NAMES"):
        name = "client_encoding"
    else:
        name = str(cursor.name("the name of a setting"))
        if not cursor.accept_op("="):
            cursor.expect("TO")
    value = None if cursor.accept("DEFAULT") else ", ".join(cursor.comma_list(lambda: _value(cursor)))
    cursor.end()
    return SetVariable(name=name, value=value, scope=scope)


def _value(cursor: Cursor) -> str:
    sign = cursor.next().text if cursor.at_op("-") and cursor.ahead().kind == "number" else ""
    token = cursor.token
    if token.kind not in {"word", "quoted", "string", "number"}:
        cursor.fail("a value")
    return sign + cursor.next().text


def reset_variable(cursor: Cursor) -> ResetVariable:
    """Read what follows RESET or UNSET."""
    cursor.accept_one(*_SCOPES)
    name = None if cursor.accept("ALL") else str(cursor.name("the name of a setting"))
    cursor.end()
    return ResetVariable(name=name)


def use(cursor: Cursor) -> Use:
    """Read what follows USE."""
    if cursor.word() in {"SCHEMA", "VCLUSTER"} and cursor.ahead().kind != "eof":
        cursor.unsupported("only a database can be chosen with USE")
    if cursor.word() in {"DATABASE", "WORKSPACE"} and cursor.ahead().kind != "eof":
        cursor.next()
    database = cursor.identifier("the name of a database")
    cursor.end()
    return Use(database=database)


def create_database(cursor: Cursor) -> CreateDatabase:
    """Read what follows CREATE DATABASE."""
    if_not_exists = cursor.flag_if_not_exists()
    name = cursor.identifier()
    data_path = connection = None
    if cursor.accept("DATA", "PATH"):
        cursor.accept_op("=")
        data_path = cursor.string()
        cursor.expect("CONNECTION")
        cursor.accept_op("=")
        connection = cursor.name()
    cursor.end()
    return CreateDatabase(name=name, if_not_exists=if_not_exists, data_path=data_path, connection=connection)


def drop_database(cursor: Cursor) -> DropDatabase:
    """Read what follows DROP DATABASE."""
    if_exists = cursor.flag_if_exists()
    name = cursor.identifier()
    cascade = cursor.accept_one("CASCADE", "RESTRICT") == "CASCADE"
    cursor.end()
    return DropDatabase(name=name, if_exists=if_exists, cascade=cascade)


def transaction(cursor: Cursor, verb: str) -> Transaction:
    """Read what follows BEGIN, START, COMMIT, END, ROLLBACK or ABORT; modes of BEGIN have no effect."""
    if verb == "START":
        if not cursor.at("TRANSACTION"):
            cursor.fail("TRANSACTION")
        cursor.next()
    else:
        cursor.accept_one("TRANSACTION", "WORK")
    if verb in {"BEGIN", "START"}:
        while cursor.accept_one("ISOLATION", "LEVEL", "READ", "ONLY", "WRITE", "COMMITTED", "UNCOMMITTED") or (
            cursor.accept_one("REPEATABLE", "SERIALIZABLE", "NOT", "DEFERRABLE") or cursor.accept_op(",")
        ):
            pass
        cursor.end()
        return Transaction(action="begin")
    if cursor.at("TO"):
        cursor.unsupported("savepoints are not offered")
    cursor.end()
    return Transaction(action="commit" if verb in {"COMMIT", "END"} else "rollback")


def discard(cursor: Cursor, verb: str) -> Discard:
    """Read what follows DISCARD or DEALLOCATE."""
    if verb == "DISCARD":
        what = cursor.expect_one("ALL", "TEMP", "TEMPORARY", "PLANS", "SEQUENCES")
        cursor.end()
        return Discard(what="TEMP" if what == "TEMPORARY" else what)
    if cursor.at("PREPARE") and cursor.ahead().kind != "eof":
        cursor.next()
    if cursor.at("ALL") and cursor.ahead().kind == "eof":
        cursor.next()
        what = "statements"
    else:
        what = f"statement:{cursor.identifier('the name of a prepared statement')}"
    cursor.end()
    return Discard(what=what)
