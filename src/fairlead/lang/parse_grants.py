"""GRANT, REVOKE and SHOW GRANTS: rights of all four systems, and membership in roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from fairlead.lang.ast import Grant, GrantRole, GrantTarget, Name, Revoke, RevokeRole, ShowGrants
from fairlead.lang.parse_roles import account
from fairlead.lang.vocabulary import LINK_PRIVILEGES, PRIVILEGES, TABLE_PRIVILEGES

if TYPE_CHECKING:
    from fairlead.lang.cursor import Cursor
    from fairlead.lang.lexer import Token

TargetKind = Literal["system", "database", "schema", "connection", "secret", "stage", "table", "view"]
_KINDS: Final[dict[str, TargetKind]] = {
    "DATABASE": "database",
    "WORKSPACE": "database",
    "SCHEMA": "schema",
    "CONNECTION": "connection",
    "LINK": "connection",
    "SECRET": "secret",
    "STAGE": "stage",
    "TABLE": "table",
    "VIEW": "view",
}
_PLURALS: Final[dict[str, TargetKind]] = {
    "CONNECTIONS": "connection",
    "LINKS": "connection",
    "SECRETS": "secret",
    "STAGES": "stage",
    "TABLES": "table",
}
_SCOPE_TEXT: Final = "LINK privileges can be granted on *.* or db.* only"


def grant(cursor: Cursor) -> Grant | GrantRole:
    """Read what follows GRANT."""
    if (roles := _roles(cursor, "TO")) is not None:
        to = grantees(cursor)
        cursor.end()
        return GrantRole(roles=roles, grantees=to)
    privileges, columns = _privileges(cursor)
    target = _target(cursor, privileges, columns)
    condition = _condition(cursor, privileges, target)
    cursor.expect("TO")
    to = grantees(cursor)
    at = cursor.token
    option = with_option(cursor)
    if option and (columns or condition is not None):
        cursor.fail(message="a narrowed grant cannot have the grant option", token=at)
    cursor.end()
    return Grant(
        privileges=privileges, target=target, grantees=to, grant_option=option, columns=columns, condition=condition
    )


def revoke(cursor: Cursor) -> Revoke | RevokeRole:
    """Read what follows REVOKE."""
    if (roles := _roles(cursor, "FROM")) is not None:
        of = grantees(cursor)
        cursor.end()
        return RevokeRole(roles=roles, grantees=of)
    only = cursor.accept("GRANT", "OPTION", "FOR")
    privileges, columns = _privileges(cursor)
    if only and columns:
        cursor.fail(message="a narrowed grant has no grant option", token=cursor.tokens[1])
    target = _target(cursor, privileges, columns)
    cursor.expect("FROM")
    of = grantees(cursor)
    cursor.end()
    return Revoke(privileges=privileges, target=target, grantees=of, grant_option_only=only, columns=columns)


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


def grantees(cursor: Cursor) -> tuple[str, ...]:
    """Read users and roles."""
    return cursor.comma_list(lambda: _account(cursor))


def with_option(cursor: Cursor) -> bool:
    """Read WITH GRANT OPTION if it is there."""
    if cursor.accept("WITH"):
        cursor.expect("GRANT", "OPTION")
        return True
    return False


def plain_privileges(cursor: Cursor) -> tuple[str, ...]:
    """Read privileges."""
    return cursor.comma_list(lambda: _privilege(cursor))


def _privileges(cursor: Cursor) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read privileges, and the columns that SELECT is narrowed to."""
    privileges = plain_privileges(cursor)
    if not cursor.at_op("("):
        return privileges, ()
    if privileges != ("SELECT",):
        cursor.fail(message="only SELECT alone can be narrowed to columns")
    cursor.next()
    columns = cursor.comma_list(lambda: cursor.identifier("the name of a column"))
    cursor.expect_op(")", "right parenthesis")
    if cursor.at_op(","):
        cursor.fail(message="only SELECT alone can be narrowed to columns")
    return privileges, columns


def _privilege(cursor: Cursor) -> str:
    first = cursor.token
    words: list[str] = []
    while cursor.token.kind == "word" and not cursor.at("ON"):
        words.append(cursor.next().upper)
    privilege = " ".join(words)
    if privilege not in PRIVILEGES:
        cursor.fail("a privilege", token=_culprit(cursor, first, words), suggest=PRIVILEGES)
    return privilege


def _condition(cursor: Cursor, privileges: tuple[str, ...], target: GrantTarget) -> str | None:
    """Read WHERE up to the last TO; what the text means is checked against the table."""
    if not cursor.at("WHERE"):
        return None
    if privileges != ("SELECT",) or target.kind != "table" or target.all_in:
        cursor.fail(message="only SELECT on tables can be narrowed to rows")
    cursor.next()
    first = cursor.at_index
    tos = [at for at, t in enumerate(cursor.tokens) if at > first and t.kind == "word" and t.upper == "TO"]
    if not tos:
        cursor.fail("a condition" if cursor.token.kind == "eof" or cursor.at("TO") else "TO")
    cursor.at_index = tos[-1]
    return cursor.text[cursor.tokens[first].start : cursor.tokens[tos[-1] - 1].end]


def _culprit(cursor: Cursor, first: Token, words: list[str]) -> Token:
    """Return the token to complain about: the second word where the first one begins a privilege."""
    begins = len(words) > 1 and any(known.startswith(f"{words[0]} ") for known in PRIVILEGES)
    return cursor.tokens[cursor.tokens.index(first) + 1] if begins else first


def _target(cursor: Cursor, privileges: tuple[str, ...], columns: tuple[str, ...] = ()) -> GrantTarget:
    cursor.expect("ON")
    at = cursor.token
    target = _any_target(cursor, privileges)
    if columns and (target.kind != "table" or target.all_in):
        cursor.fail(message="only SELECT on tables can be narrowed to columns", token=at)
    return target


def _any_target(cursor: Cursor, privileges: tuple[str, ...]) -> GrantTarget:
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
    elif _names_table(cursor, privileges):
        target = GrantTarget("table", cursor.comma_list(cursor.name))
    else:
        target = _database(cursor, privileges, at)
    if cursor.at_op("(") or cursor.at("ON"):
        cursor.unsupported("narrowed grants on connections are not offered yet", "grant READ or WRITE on a stage")
    return target


def _names_table(cursor: Cursor, privileges: tuple[str, ...]) -> bool:
    """Whether a name without a kind is a table's. SHOW GRANTS ON names no privilege."""
    named = cursor.token.kind in {"word", "quoted"} and not (cursor.at_op(".", 1) and cursor.at_op("*", 2))
    return named and TABLE_PRIVILEGES.issuperset(privileges)


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
    within: Literal["database", "schema"] = "database"
    if kind == "table" and not cursor.at("IN"):
        cursor.fail("IN")
    if cursor.accept("IN"):
        if cursor.at("SCHEMA") and kind != "table":
            cursor.unsupported("grants on all objects of one schema are not offered yet", "write IN DATABASE d")
        within = "schema" if cursor.accept("SCHEMA") else "database"
        if within == "schema":
            names = cursor.comma_list(cursor.name)
        else:
            cursor.expect_one("DATABASE", "WORKSPACE")
            names = (Name((cursor.identifier(),)),)
    return GrantTarget(kind, names, all_in=True, within=within)
