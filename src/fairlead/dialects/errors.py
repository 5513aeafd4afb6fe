"""The situations that every kind of object knows (taken, missing, in use, not allowed), in the words of each dialect.

Native texts follow PostgreSQL's form with the full name; the strict ones are those of the specs (materialize.md 4, 7
and 8; singlestore.md 8; databend.md 13; clickzetta.md 10). The SQLSTATE is the same in all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fairlead.connectors import declaration
from fairlead.errors import (
    DependentObjects,
    DuplicateObject,
    DuplicateTable,
    FairleadError,
    PermissionDenied,
    UndefinedObject,
    UndefinedTable,
    WrongObjectType,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.catalog.records import DatabaseRecord, ObjectRecord
    from fairlead.context import Dialect
    from fairlead.lang.ast import Noun

_DATABEND_NAMES: Final = {
    1005: "SyntaxException",
    1006: "BadArguments",
    1063: "PermissionDenied",
    2002: "InvalidConfig",
    2501: "UnknownStage",
    2502: "StageAlreadyExists",
    2510: "UnknownConnection",
    2511: "IllegalConnection",
    2512: "ConnectionAlreadyExists",
    2801: "UnknownVariable",
    4000: "StorageOther",
}
_MISSING_CODES: Final = {"connection": 2510, "stage": 2501}
_EXISTS_CODES: Final = {"connection": 2512, "stage": 2502}
_RELATIONS: Final = ("table", "view")
_CASCADE_HINT: Final = "Use DROP ... CASCADE to drop the dependent objects too."
# Secret properties of the clients behind links, beside those that connectors declare (singlestore.md 2.2).
_SECRET_KEY: Final = re.compile(
    r"passw|secret|token|credential|account_key|auth_json|api[_-]?key|private|\.pem$|ssl\.keystore|^sasl\.username$"
    r"|^schema\.registry\.username$|^mongodb\.user$|^database\.user$|^access_id$|^account_name$",
    re.IGNORECASE,
)


def databend(code: int, text: str, dialect: Dialect) -> str:
    """Return Databend's message: decorated with name and code under its own dialect, the text alone elsewhere."""
    return f"{_DATABEND_NAMES[code]}. Code: {code}, Text = {text}" if dialect == "databend" else text


def is_secret_key(key: str) -> bool:
    """Say whether a key of a link belongs into CREDENTIALS, whatever the type of the link is."""
    for connector in declaration.connectors():
        spec = connector.find("singlestore", key)
        if spec is not None and spec.words["singlestore"].clause == "CREDENTIALS":
            return True
    return _SECRET_KEY.search(key) is not None


def exists(kind: str, full_name: str, dialect: Dialect, *, noun: Noun = "CONNECTION") -> FairleadError:
    """Return the error about a name that is taken.

    Args:
        kind: connection, secret, stage, table or view.
        full_name: ``database.schema.name``.
        dialect: of the session.
        noun: how the statement calls a connection.
    """
    match dialect:
        case "databend" if kind in _EXISTS_CODES:
            text = databend(_EXISTS_CODES[kind], f"{kind.capitalize()} '{_last(full_name)}' already exists.", dialect)
        case "clickzetta":
            text = f"AlreadyExist: {kind} {_two(full_name)}"
        case "materialize" if kind == "secret":
            text = f"catalog item '{_last(full_name)}' already exists"
        case _:
            text = f"{_subject(kind, full_name, dialect, noun)} already exists"
    hint = None if kind in ("secret", "table") else "OR REPLACE changes it in place"
    error = DuplicateTable if kind in _RELATIONS else DuplicateObject
    return error(text, hint=hint if dialect == "native" else None)


def missing(kind: str, full_name: str, dialect: Dialect, *, noun: Noun = "CONNECTION") -> FairleadError:
    """Return the error about an object that does not exist, to somebody who may know that."""
    match dialect:
        case "databend" if kind in _MISSING_CODES:
            text = databend(_MISSING_CODES[kind], f"{kind.capitalize()} '{_last(full_name)}' does not exist.", dialect)
        case "materialize":
            text = f"unknown catalog item '{_last(full_name)}'"
        case _:
            text = f"{_subject(kind, full_name, dialect, noun)} does not exist"
    plural = "LINKS" if noun == "LINK" else f"{kind.upper()}S"
    error = UndefinedTable if kind in _RELATIONS else UndefinedObject
    return error(text, hint=f"SHOW {plural} lists those that you may see" if dialect == "native" else None)


def denied(kind: str, full_name: str, dialect: Dialect, *, noun: Noun = "CONNECTION") -> FairleadError:
    """Return the error about a right that the caller lacks; it is the same for an object that does not exist."""
    match dialect:
        case "databend" if kind == "connection":
            needed = f"Permission denied: privilege AccessConnection is required on connection {_last(full_name)}"
            text = databend(1063, needed, dialect)
        case "databend":
            text = databend(1063, f"Permission denied: a privilege is required on {kind} {_last(full_name)}", dialect)
        case "materialize":
            text = f'permission denied for {kind.upper()} "{full_name}"'
        case "clickzetta":
            text = f'permission denied for {kind} "{_last(full_name)}"'
        case _:
            text = f"permission denied for {_subject(kind, full_name, dialect, noun)}"
    hint = f"it does not exist, or you have no right on it; SHOW {kind.upper()}S lists yours"
    return PermissionDenied(text, hint=hint)


def in_use(
    target: ObjectRecord,
    seen: Sequence[ObjectRecord | DatabaseRecord],
    hidden: int,
    dialect: Dialect,
    *,
    noun: Noun = "CONNECTION",
) -> FairleadError:
    """Return the error about an object that cannot be dropped because others use it.

    Args:
        target: what should be dropped.
        seen: the dependents that the caller may see; these are named.
        hidden: how many more there are.
        dialect: of the session.
        noun: how the statement calls a connection.
    """
    word = "LINK" if noun == "LINK" and target.kind == "connection" else target.kind.upper()
    if dialect == "databend" and target.kind == "connection":
        users = _listed([f"{d.kind} '{d.name}'" for d in seen], hidden)
        text = databend(2511, f"Connection '{target.name}' is in use by {users}.", dialect)
        hint = f"Use DROP CONNECTION {target.name} CASCADE to drop the objects that use it."
        return DependentObjects(text, hint=hint)
    if dialect in ("singlestore", "clickzetta"):
        users = _listed([f'{d.kind} "{_two(d.full_name)}"' for d in seen], hidden)
        name = _two(target.full_name) if dialect == "singlestore" else target.name
        depend = "depends" if len(seen) + hidden == 1 else "depend"
        return DependentObjects(f'cannot drop {word.lower()} "{name}": {users} {depend} on it', hint=_CASCADE_HINT)
    strict = dialect == "materialize"
    users = _listed([f'{d.kind} "{d.name if strict else d.full_name}"' for d in seen], hidden)
    name = target.name if strict else target.full_name
    return DependentObjects(
        f'cannot drop {word.lower()} "{name}": still depended upon by {users}',
        hint=_CASCADE_HINT if strict else f"DROP {word} {target.name} CASCADE drops them too",
    )


def type_change(full_name: str, current: str, wanted: str, dialect: Dialect) -> FairleadError:
    """Return the error about OR REPLACE with another type.

    Args:
        full_name: ``database.schema.name``.
        current: kind of the connector that is stored.
        wanted: kind of the connector of the statement.
        dialect: of the session.
    """
    spelling: declaration.Spelling = "singlestore" if dialect == "native" else dialect
    one, other = (declaration.connector(kind).shown_types.get(spelling, kind) for kind in (current, wanted))
    if dialect == "databend":
        reason = f"is in use and cannot change its storage type from {one} to {other}."
        return WrongObjectType(databend(2511, f"Connection '{_last(full_name)}' {reason}", dialect))
    subject = _subject("connection", full_name, dialect, "LINK" if dialect == "singlestore" else "CONNECTION")
    return WrongObjectType(f"{subject} has type {one} and cannot become {other}")


def absent(kind: str, name: str) -> str:
    """Return the notice of IF EXISTS on an object that does not exist."""
    return f'{kind} "{name}" does not exist, skipping'


def skipping(kind: str, name: str) -> str:
    """Return the notice of IF NOT EXISTS on an object that exists."""
    return f'{kind} "{name}" already exists, skipping'


def _subject(kind: str, full_name: str, dialect: Dialect, noun: Noun) -> str:
    if kind == "connection" and (noun == "LINK" or dialect == "singlestore"):
        return f'link "{_two(full_name)}"'
    if dialect == "clickzetta":
        return f'{kind} "{_two(full_name)}"'
    return f'{kind} "{full_name}"'


def _listed(users: list[str], hidden: int) -> str:
    if hidden:
        more = f"{hidden} more object{'s' if hidden > 1 else ''}" if users else _objects(hidden)
        users = [*users, f"and {more}" if users else more]
    return ", ".join(users).replace(", and ", " and ")


def _objects(count: int) -> str:
    return f"{count} object{'s' if count > 1 else ''}"


def _two(full_name: str) -> str:
    """Return ``database.name`` of a full name."""
    parts = full_name.split(".", 2)
    return f"{parts[0]}.{parts[-1]}" if len(parts) > 1 else full_name


def _last(full_name: str) -> str:
    return full_name.split(".", 2)[-1]
