"""SHOW, DESCRIBE and VALIDATE: what can be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from fairlead.lang.ast import (
    DescribeObject,
    Noun,
    ShowCreate,
    ShowDatabases,
    ShowDefaultPrivileges,
    ShowDependents,
    ShowLedger,
    ShowObjects,
    ShowRoles,
    ShowSnapshots,
    ShowVariable,
    Statement,
    ValidateConnection,
    VerifyLedger,
)
from fairlead.lang.parse_grants import show_grants
from fairlead.lang.parse_relations import LISTS, show_tables
from fairlead.lang.vocabulary import CATEGORIES

if TYPE_CHECKING:
    from fairlead.lang.cursor import Cursor

_LISTS: Final[dict[str, tuple[Literal["secret", "connection", "stage"], Noun]]] = {
    "SECRETS": ("secret", "CONNECTION"),
    "CONNECTIONS": ("connection", "CONNECTION"),
    "LINKS": ("connection", "LINK"),
    "STAGES": ("stage", "CONNECTION"),
}
_CREATED: Final[dict[str, Literal["connection", "stage", "table", "view"]]] = {
    "STAGE": "stage",
    "TABLE": "table",
    "VIEW": "view",
}
_MOST_ROWS: Final = 1_000_000


def show(cursor: Cursor) -> Statement:  # noqa: C901, PLR0911  # a table
    """Read what follows SHOW."""
    word = cursor.word()
    if (word in _LISTS and not cursor.at_op(".", 1)) or (word in CATEGORIES and cursor.at("CONNECTIONS", by=1)):
        return _objects(cursor)
    if word in LISTS and not cursor.at_op(".", 1):
        return show_tables(cursor)
    if cursor.accept("DEFAULT", "PRIVILEGES"):
        cursor.end()
        return ShowDefaultPrivileges()
    if cursor.at("REDACTED") or cursor.at("CREATE"):
        return _create(cursor)
    if cursor.accept("DEPENDENTS"):
        return _dependents(cursor)
    if cursor.accept("GRANTS"):
        return show_grants(cursor)
    if cursor.accept("SNAPSHOTS"):
        scope = cursor.identifier() if cursor.accept_one("IN", "FROM") else None
        limit = cursor.integer() if cursor.accept("LIMIT") else 100
        cursor.end()
        return ShowSnapshots(scope=scope, limit=min(limit, _MOST_ROWS))
    if cursor.accept("LEDGER"):
        limit = cursor.integer() if cursor.accept("LIMIT") else 100
        cursor.end()
        return ShowLedger(limit=min(limit, _MOST_ROWS))
    result: Statement
    if cursor.accept_one("USERS", "ROLES"):
        result = ShowRoles(login=word == "USERS")
    elif cursor.accept("DATABASES"):
        result = ShowDatabases()
    else:
        result = ShowVariable(name=_variable(cursor))
    cursor.end()
    return result


def _variable(cursor: Cursor) -> str | None:
    if cursor.accept("ALL"):
        return None
    if cursor.accept("TIME", "ZONE"):
        return "timezone"
    if cursor.accept("TRANSACTION", "ISOLATION", "LEVEL"):
        return "transaction_isolation"
    return str(cursor.name("what to show"))


def _objects(cursor: Cursor) -> ShowObjects:
    category = cursor.accept_one(*CATEGORIES) or None
    kind, noun = _LISTS[cursor.next().upper]
    scope = like = None
    if cursor.accept_one("ON", "IN", "FROM"):
        scope = cursor.identifier("the name of a database or schema")
    if cursor.accept("LIKE"):
        like = cursor.string()
    if cursor.at("WHERE") or cursor.at("LIMIT"):
        cursor.unsupported(f"{cursor.word()} in SHOW is not offered yet", "LIKE 'pattern' selects by name")
    cursor.end()
    return ShowObjects(kind=kind, noun=noun, scope=scope, like=like, category=category)


def _create(cursor: Cursor) -> ShowCreate:
    redacted = cursor.accept("REDACTED")
    cursor.expect("CREATE")
    word = cursor.expect_one("CONNECTION", "LINK", "STAGE", "TABLE", "VIEW")
    name = cursor.name()
    cursor.end()
    return ShowCreate(
        kind=_CREATED.get(word, "connection"),
        name=name,
        noun="LINK" if word == "LINK" else "CONNECTION",
        redacted=redacted,
    )


def _dependents(cursor: Cursor) -> ShowDependents:
    cursor.expect("OF")
    word = cursor.expect_one("SECRET", "CONNECTION", "LINK")
    name = cursor.name()
    cursor.end()
    kind: Literal["secret", "connection"] = "secret" if word == "SECRET" else "connection"
    return ShowDependents(kind=kind, name=name, noun="LINK" if word == "LINK" else "CONNECTION")


def describe(cursor: Cursor) -> DescribeObject:
    """Read what follows DESC or DESCRIBE."""
    word = cursor.expect_one("CONNECTION", "LINK", "STAGE")
    extended = cursor.at("EXTENDED") and cursor.ahead().kind in {"word", "quoted"} and cursor.accept("EXTENDED")
    name = cursor.name()
    cursor.end()
    kind: Literal["connection", "stage"] = "stage" if word == "STAGE" else "connection"
    return DescribeObject(kind=kind, name=name, noun="LINK" if word == "LINK" else "CONNECTION", extended=extended)


def validate(cursor: Cursor) -> ValidateConnection:
    """Read what follows VALIDATE."""
    word = cursor.expect_one("CONNECTION", "LINK")
    name = cursor.name()
    cursor.end()
    return ValidateConnection(name=name, noun="LINK" if word == "LINK" else "CONNECTION")


def verify(cursor: Cursor) -> VerifyLedger:
    """Read what follows VERIFY."""
    cursor.expect("LEDGER")
    cursor.end()
    return VerifyLedger()
