"""Settings, databases and transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from fairlead.lang.ast import (
    ConfigCall,
    CreateDatabase,
    Discard,
    DropDatabase,
    ResetVariable,
    SetConfig,
    SetTransaction,
    SetVariable,
    Use,
)
from fairlead.lang.parse_transactions import set_transaction

if TYPE_CHECKING:
    from fairlead.lang.cursor import Cursor

_SCOPES: Final[dict[str, Literal["session", "local", "global"]]] = {
    "SESSION": "session",
    "LOCAL": "local",
    "GLOBAL": "global",
}


def set_variable(cursor: Cursor) -> SetVariable | SetTransaction:
    """Read what follows SET."""
    if cursor.at("VARIABLE"):
        cursor.unsupported("variables of the engine are not offered", "send the value as a parameter, $1")
    scope = _SCOPES["SESSION"]
    if cursor.word() in _SCOPES and not cursor.at_op("=", 1) and not cursor.at("TO", by=1):
        scope = _SCOPES[cursor.next().upper]
    if scope != "global" and (cursor.at("TRANSACTION") or cursor.at("CHARACTERISTICS")):
        return set_transaction(cursor)
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


def sets_config(cursor: Cursor) -> bool:
    """Whether the query at hand begins with a call of set_config."""
    at = 3 if cursor.at("PG_CATALOG", by=1) and cursor.at_op(".", 2) else 1
    return cursor.at("SELECT") and cursor.at("SET_CONFIG", by=at) and cursor.at_op("(", at + 1)


def set_config(cursor: Cursor) -> SetConfig:
    """Read a query that is nothing but calls of set_config: it is a command."""
    cursor.expect("SELECT")
    calls = cursor.comma_list(lambda: _config_call(cursor))
    if cursor.token.kind != "eof":
        cursor.unsupported("set_config stands alone: SELECT set_config('name', 'value', false)", "or write SET")
    return SetConfig(calls=calls, span=cursor.piece.span)


def _config_call(cursor: Cursor) -> ConfigCall:
    if cursor.accept("PG_CATALOG"):
        cursor.expect_op(".", "a point")
    if not cursor.accept("SET_CONFIG"):
        cursor.unsupported("set_config cannot stand beside other columns", "write SET, or one query for each")
    cursor.expect_op("(", "left parenthesis")
    name = cursor.string("the name of a setting, written out")
    cursor.expect_op(",", "a comma")
    value = _config_value(cursor)
    cursor.expect_op(",", "a comma")
    local = cursor.expect_one("TRUE", "FALSE") == "TRUE"
    cursor.expect_op(")", "right parenthesis")
    label = cursor.identifier() if cursor.accept("AS") else "set_config"
    return ConfigCall(name, value, local, label)


def _config_value(cursor: Cursor) -> str | int | None:
    token = cursor.token
    if cursor.accept("NULL"):
        return None
    if token.kind == "param" and token.text.lstrip("$").isdecimal():
        cursor.next()
        value: str | int = int(token.text.lstrip("$"))
    else:
        value = cursor.string("the value of a setting")
    if cursor.accept_op("::"):  # drivers say the type of a parameter
        cursor.expect_one("TEXT", "VARCHAR")
    return value


def reset_variable(cursor: Cursor) -> ResetVariable:
    """Read what follows RESET or UNSET."""
    cursor.accept_one(*_SCOPES)
    name = None if cursor.accept("ALL") else str(cursor.name("the name of a setting"))
    cursor.end()
    return ResetVariable(name=name)


def use(cursor: Cursor) -> Use:
    """Read what follows USE."""
    if cursor.word() in {"SCHEMA", "VCLUSTER"} and cursor.ahead().kind != "eof":
        cursor.unsupported("only a database can be chosen with USE", "USE database.schema chooses a schema, too")
    if cursor.word() in {"DATABASE", "WORKSPACE"} and cursor.ahead().kind != "eof":
        cursor.next()
    database = cursor.identifier("the name of a database")
    schema = cursor.identifier("the name of a schema") if cursor.accept_op(".") else None
    cursor.end()
    return Use(database=database, schema=schema)


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
