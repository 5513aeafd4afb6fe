"""GRANT, REVOKE and SHOW GRANTS: rights of all four systems, and membership in roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from fairlead.lang.ast import Grant, GrantRole, GrantTarget, Name, Revoke, RevokeRole, ShowGrants
from fairlead.lang.parse_roles import account
from fairlead.lang.vocabulary import LINK_PRIVILEGES, PRIVILEGES

if TYPE_CHECKING:
    from fairlead.lang.cursor import Cursor
    from fairlead.lang.lexer import Token

TargetKind = Literal["system", "database", "schema", "connection", "secret", "stage"]
_KINDS: Final[dict[str, TargetKind]] = {
    "DATABASE": "database",
    "WORKSPACE": "database",
    "SCHEMA": "schema",
    "CONNECTION": "connection",
    "LINK": "connection",
    "SECRET": "secret",
    "STAGE": "stage",
}
_PLURALS: Final[dict[str, TargetKind]] = {
    "CONNECTIONS": "connection",
    "LINKS": "connection",
    "SECRETS": "secret",
    "STAGES": "stage",
}
_SCOPE_TEXT: Final = "LINK privileges can be granted on *.* or db.* only"


def grant(cursor: Cursor) -> Grant | GrantRole:
    """Read what follows GRANT."""
    if (roles := _roles(cursor, "TO")) is not None:
        grantees = _grantees(cursor)
        cursor.end()
        return GrantRole(roles=roles, grantees=grantees)
    privileges = _privileges(cursor)
    target = _target(cursor, privileges)
    cursor.expect("TO")
    grantees = _grantees(cursor)
    option = cursor.accept("WITH")
    if option:
        cursor.expect("GRANT", "OPTION")
    cursor.end()
    return Grant(privileges=privileges, target=target, grantees=grantees, grant_option=option)


def revoke(cursor: Cursor) -> Revoke | RevokeRole:
    """Read what follows REVOKE."""
    if (roles := _roles(cursor, "FROM")) is not None:
        grantees = _grantees(cursor)
        cursor.end()
        return RevokeRole(roles=roles, grantees=grantees)
    only = cursor.accept("GRANT", "OPTION", "FOR")
    privileges = _privileges(cursor)
    target = _target(cursor, privileges)
    cursor.expect("FROM")
    grantees = _grantees(cursor)
    cursor.end()
    return Revoke(privileges=privileges, target=target, grantees=grantees, grant_option_only=only)


def show_grants(cursor: Cursor) -> ShowGrants:
    """Read what follows SHOW GRANTS."""
    grantee = None
    if cursor.accept_one("FOR", "TO"):
        grantee = _account(cursor)
    on = None
    if cursor.at("ON"):
        on = _target(cursor, ())
    cursor.end()
    return ShowGrants(grantee=grantee, on=on)


def _roles(cursor: Cursor, closing: str) -> tuple[str, ...] | None:
    """Read role names if TO or FROM comes before any ON; else stay where we are."""
    for token in cursor.tokens[cursor.at_index :]:
        if token.kind == "word" and token.upper == "ON":
            return None
        if token.kind == "word" and token.upper == closing:
            break
    else:
        return None

    def one() -> str:
        if cursor.at("ROLE") and not cursor.at(closing, by=1) and not cursor.at_op(",", 1):
            cursor.next()
        return account(cursor)

    roles = cursor.comma_list(one)
    cursor.expect(closing)
    return roles


def _account(cursor: Cursor) -> str:
    if cursor.word() in {"USER", "ROLE", "GROUP"} and cursor.ahead().kind in {"word", "quoted", "string"}:
        cursor.next()
    return account(cursor)


def _grantees(cursor: Cursor) -> tuple[str, ...]:
    return cursor.comma_list(lambda: _account(cursor))


def _privileges(cursor: Cursor) -> tuple[str, ...]:
    def one() -> str:
        first = cursor.token
        words: list[str] = []
        while cursor.token.kind == "word" and not cursor.at("ON"):
            words.append(cursor.next().upper)
        privilege = " ".join(words)
        if privilege not in PRIVILEGES:
            cursor.fail("a privilege", token=_culprit(cursor, first, words), suggest=PRIVILEGES)
        return privilege

    return cursor.comma_list(one)


def _culprit(cursor: Cursor, first: Token, words: list[str]) -> Token:
    """Return the token to complain about: the second word where the first one begins a privilege."""
    begins = len(words) > 1 and any(known.startswith(f"{words[0]} ") for known in PRIVILEGES)
    return cursor.tokens[cursor.tokens.index(first) + 1] if begins else first


def _target(cursor: Cursor, privileges: tuple[str, ...]) -> GrantTarget:
    cursor.expect("ON")
    at = cursor.token
    word = cursor.word()
    if cursor.at("ALL") and cursor.ahead().upper in _PLURALS:
        return _all_of(cursor)
    if word == "SYSTEM" and not cursor.at_op(".", 1):
        cursor.next()
        target = GrantTarget("system")
    elif word in _KINDS and cursor.ahead().kind in {"word", "quoted"}:
        cursor.next()
        target = GrantTarget(_KINDS[word], cursor.comma_list(cursor.name))
    elif cursor.accept_op("*"):
        cursor.expect_op(".", "dot")
        cursor.expect_op("*", "*")
        target = GrantTarget("system")
    else:
        target = _database(cursor, privileges, at)
    if cursor.at_op("(") or cursor.at("ON"):
        cursor.unsupported("narrowed grants are not offered yet", "grant READ or WRITE on a stage instead")
    return target


def _database(cursor: Cursor, privileges: tuple[str, ...], at: Token) -> GrantTarget:
    """Read ``db.*``; anything else that is just a name gets the text of singlestore.md, section 6."""
    if at.kind not in {"word", "quoted"}:
        cursor.fail("the object of the grant", suggest=tuple(_KINDS))
    if not cursor.at_op(".", 1):
        cursor.fail(*_KINDS, "SYSTEM", "db.*", token=at)
    database = cursor.identifier()
    cursor.next()
    if cursor.accept_op("*"):
        return GrantTarget("database", (Name((database,)),))
    if privileges and LINK_PRIVILEGES.issuperset(privileges):
        cursor.fail(message=_SCOPE_TEXT, hint="for one link: GRANT USAGE ON LINK db.name TO user", token=at)
    return cursor.fail(
        message="the kind of the object is missing", hint="write ON CONNECTION db.name, or db.*", token=at
    )


def _all_of(cursor: Cursor) -> GrantTarget:
    cursor.next()
    kind = _PLURALS[cursor.next().upper]
    names: tuple[Name, ...] = ()
    if cursor.accept("IN"):
        if cursor.at("SCHEMA"):
            cursor.unsupported("grants on all objects of one schema are not offered yet", "write IN DATABASE d")
        cursor.expect_one("DATABASE", "WORKSPACE")
        names = (Name((cursor.identifier(),)),)
    return GrantTarget(kind, names, all_in=True)
