"""What the listener answers by itself, or has the session answer in another shape: statements around the statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.engine.api import Column
from fairlead.errors import NotSupported
from fairlead.server.mysql import asking
from fairlead.server.mysql.asking import Cursor
from fairlead.server.mysql.showing import MYSQL_SHAPED, describe, show
from fairlead.server.mysql.steps import TEXT_OID, Answer, Begin, End, Kill, Set, Table
from fairlead.server.mysql.variables import Value, Variables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.context import Dialect
    from fairlead.server.mysql.facts import Facts
    from fairlead.server.mysql.lexing import Token

_BIGINT_OID: Final = 20


def answer(text: str, tokens: Sequence[Token], facts: Facts, dialect: Dialect) -> Answer | None:
    """Return what is to be done for a statement that is not for the session as it is; None for all others.

    Args:
        text: the client's whole text.
        tokens: of the statement.
        facts: of the session.
        dialect: of the session.

    Raises:
        FairleadError: it cannot be done.
    """
    cursor = Cursor(text, tokens)
    verb = tokens[0].value if tokens[0].kind == "word" else ""
    match verb:
        case "SELECT":
            return _facts(cursor, facts)
        case "SET":
            cursor.accept("SET")
            return _set(cursor, facts)
        case "SHOW":
            cursor.accept("SHOW")
            return show(cursor, facts, dialect)
        case "DESCRIBE" | "DESC" | "EXPLAIN" if dialect in MYSQL_SHAPED:
            return describe(cursor, facts)
        case "KILL":
            cursor.accept("KILL")
            return _kill(cursor)
    return _transaction(cursor)


def _facts(cursor: Cursor, facts: Facts) -> Answer | None:
    items = asking.facts(cursor)
    if items is None:
        return None
    columns, row = [], []
    for item in items:
        if item.token.kind in ("string", "number"):
            value: Value = item.token.value
        else:
            value = facts.value(item.token)
        number = isinstance(value, int) or item.token.kind == "number"
        columns.append(Column(item.label, _BIGINT_OID if number and not _has_point(value) else TEXT_OID, -1))
        row.append(None if value is None else str(int(value)) if isinstance(value, bool) else str(value))
    return Table(tuple(columns), [tuple(row)])


def _has_point(value: Value) -> bool:
    return isinstance(value, str) and not value.isdigit()


# --- SET -------------------------------------------------------------------------------------------------------------


def _set(cursor: Cursor, facts: Facts) -> Answer | None:
    if cursor.accept("NAMES"):
        return _names(cursor)
    if cursor.accept("CHARACTER", "SET") or cursor.accept("CHARSET"):
        charset = cursor.name()
        cursor.end()
        return Set((("character_set_client", charset), ("character_set_results", charset)))
    mark = cursor.at
    scope = cursor.accept_one("SESSION", "LOCAL", "GLOBAL")
    if cursor.accept("TRANSACTION"):
        return _set_transaction(cursor, scope)
    if cursor.token is None or not (cursor.token.kind in ("variable", "stage") or asking.is_assignment(cursor)):
        return None  # SET TIME ZONE, and what else the gateway knows
    cursor.at = mark
    found = asking.assignments(cursor)
    if not all(one.system or Variables.known(one.name) for one in found):
        if len(found) > 1:
            raise NotSupported("set the gateway's own settings one by one")
        return None  # a setting of the gateway
    if not all(one.session for one in found):
        raise NotSupported("variables cannot be set for all sessions", hint="SET SESSION sets one for yours")
    return Set(tuple((one.name, _value(one.value, facts)) for one in found))


def _names(cursor: Cursor) -> Set:
    charset = cursor.name()
    values = [(f"character_set_{what}", charset) for what in ("client", "connection", "results")]
    if cursor.accept("COLLATE"):
        values.append(("collation_connection", cursor.name()))
    cursor.end()
    return Set(tuple(values))


def _set_transaction(cursor: Cursor, scope: str) -> Set:
    if scope == "GLOBAL":
        raise NotSupported("variables cannot be set for all sessions", hint="SET SESSION sets one for yours")
    values: list[tuple[str, str | None]] = []
    while cursor.token is not None:
        if cursor.accept("ISOLATION", "LEVEL"):
            level = cursor.accept_one("REPEATABLE", "SERIALIZABLE") or cursor.name().upper()
            rest = cursor.accept_one("READ", "COMMITTED", "UNCOMMITTED")
            values.append(("transaction_isolation", "-".join(filter(None, (level, rest)))))
        elif cursor.accept("READ", "WRITE"):
            values.append(("transaction_read_only", "0"))
        elif cursor.accept("READ", "ONLY"):
            values.append(("transaction_read_only", "1"))
        elif not cursor.op(","):
            raise cursor.unexpected("ISOLATION LEVEL or READ")
    return Set(tuple(values))


def _value(tokens: Sequence[Token], facts: Facts) -> str | None:
    """Return the value of an assignment: a literal, a word, a variable, or CONCAT of such."""
    first = tokens[0]
    if first.kind == "word" and first.value == "CONCAT" and len(tokens) > 2 and tokens[1].is_op("("):  # noqa: PLR2004
        inner = [token for token in tokens[2:-1] if not token.is_op(",")]
        return "".join(_value((token,), facts) or "" for token in inner)
    if len(tokens) == 2 and first.is_op("-") and tokens[1].kind == "number":  # noqa: PLR2004  # the sign and a number
        return f"-{tokens[1].value}"
    if len(tokens) != 1 or first.kind in ("op", "param", "stage", "bytes"):
        raise NotSupported("only literals and variables can be assigned")
    if first.kind == "variable":
        value = facts.value(first)
        return None if value is None else str(int(value)) if isinstance(value, bool) else str(value)
    if first.kind == "word" and first.value == "NULL":
        return None
    return first.text if first.kind == "word" else first.value


# --- sessions and transactions ---------------------------------------------------------------------------------------


def _kill(cursor: Cursor) -> Kill:
    what = cursor.accept_one("QUERY", "CONNECTION")
    token = cursor.kind("number")
    if token is None or not token.value.isdigit():
        raise cursor.unexpected("the id of a session")
    cursor.end()
    return Kill(int(token.value), what != "QUERY")


def _transaction(cursor: Cursor) -> Answer | None:
    if cursor.accept("START", "TRANSACTION"):
        while cursor.token is not None:
            if cursor.accept("READ", "ONLY"):
                raise NotSupported("transactions that only read are not offered")
            known = cursor.accept("WITH", "CONSISTENT", "SNAPSHOT") or cursor.accept("READ", "WRITE")
            if not (known or cursor.op(",")):
                raise cursor.unexpected("the end of the statement")
        return Begin()
    if cursor.accept("BEGIN"):
        cursor.accept_one("WORK", "TRANSACTION")
        cursor.end()
        return Begin()
    commit = cursor.accept("COMMIT")
    if not commit and not cursor.accept("ROLLBACK"):
        return None
    cursor.accept_one("WORK", "TRANSACTION")
    cursor.accept("AND", "NO", "CHAIN")
    cursor.accept("NO", "RELEASE")
    if cursor.token is not None:
        raise NotSupported("savepoints, chains and releases of transactions are not offered")
    return End(commit)
