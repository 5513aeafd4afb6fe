"""The privileges that exist, and the names that four systems have for them.

Privileges of single objects are plain words (``USAGE`` on a connection). A privilege on every connection of a
database, or of the system, has a name of its own (``USAGE CONNECTION``), because ``USAGE`` on a database means
something else to a Materialize user, who would otherwise hand out credentials without knowing it. Those on every table,
present and future, are named alike (``SELECT TABLE``); there the plain word can mean nothing else, so it is a spelling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.errors import InvalidParameter, SqlSyntaxError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.catalog.records import GrantKind

# A privilege on a connection -> the privilege on everything above it that contains the same right.
ON_ALL_CONNECTIONS: Final[Mapping[str, str]] = {
    "USAGE": "USAGE CONNECTION",
    "SHOW": "SHOW CONNECTION",
    "ALTER": "ALTER CONNECTION",
    "DROP": "DROP CONNECTION",
}

# The same for tables and, as far as they have the privilege, views.
ON_ALL_TABLES: Final[Mapping[str, str]] = {
    "SELECT": "SELECT TABLE",
    "INSERT": "INSERT TABLE",
    "UPDATE": "UPDATE TABLE",
    "DELETE": "DELETE TABLE",
    "TRUNCATE": "TRUNCATE TABLE",
}

_ALL_CONNECTIONS: Final = tuple(ON_ALL_CONNECTIONS.values())
_ALL_TABLES: Final = tuple(ON_ALL_TABLES.values())
# On everything of others: not the owner of a database or schema, only its holders may grant these.
OF_OTHERS: Final = frozenset((*_ALL_CONNECTIONS, *_ALL_TABLES))

# What can be granted on what, in the order in which it is listed to people.
GRANTABLE: Final[Mapping[GrantKind, tuple[str, ...]]] = {
    "system": ("CREATE CONNECTION", "CREATE DATABASE", "CREATE ROLE", "OUTBOUND", *_ALL_CONNECTIONS, *_ALL_TABLES),
    "database": ("CREATE", "USAGE", "CREATE CONNECTION", *_ALL_CONNECTIONS, *_ALL_TABLES),
    "schema": ("CREATE", "USAGE", "CREATE CONNECTION", *_ALL_CONNECTIONS, *_ALL_TABLES),
    "connection": ("USAGE", "SHOW", "ALTER", "DROP"),
    "secret": ("USAGE",),
    "stage": ("READ", "WRITE"),
    "table": tuple(ON_ALL_TABLES),
    "view": ("SELECT",),
}

_SCOPE_SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "CREATE LINK": ("CREATE CONNECTION",),
    "SHOW LINK": ("SHOW CONNECTION", "USAGE CONNECTION"),
    "DROP LINK": ("DROP CONNECTION",),
    "ACCESS CONNECTION": ("SHOW CONNECTION", "USAGE CONNECTION"),
    "USE CONNECTION": ("USAGE CONNECTION",),
    **{plain: (wide,) for plain, wide in ON_ALL_TABLES.items()},
}

# Other spellings of what can be granted; those in GRANTABLE need no entry.
_SPELLINGS: Final[Mapping[GrantKind, Mapping[str, tuple[str, ...]]]] = {
    "system": {
        **_SCOPE_SPELLINGS,
        "CREATE USER": ("CREATE ROLE",),
        "CREATEROLE": ("CREATE ROLE",),
        "CREATEDB": ("CREATE DATABASE",),
    },
    "database": _SCOPE_SPELLINGS,
    "schema": _SCOPE_SPELLINGS,
    "connection": {
        "ACCESS CONNECTION": ("SHOW", "USAGE"),
        "ACCESS": ("SHOW", "USAGE"),
        "USE": ("USAGE",),
        "READ METADATA": ("SHOW",),
        "ALTER CONNECTION": ("ALTER",),
        "DROP CONNECTION": ("DROP",),
    },
    "secret": {"USE": ("USAGE",)},
    "stage": {"READ VOLUME": ("READ",), "WRITE VOLUME": ("WRITE",), "READ STAGE": ("READ",), "WRITE STAGE": ("WRITE",)},
    "table": {},
    "view": {},
}

_ALL: Final = ("ALL", "ALL PRIVILEGES")
_LINK_PRIVILEGES: Final = ("CREATE LINK", "SHOW LINK", "DROP LINK")


def canonical(privileges: tuple[str, ...], target_kind: GrantKind) -> tuple[str, ...]:
    """Return our privileges for those of a GRANT or REVOKE, each once, in the order in which they are listed.

    Args:
        privileges: as typed, upper case, single blanks.
        target_kind: what they are on.

    Raises:
        SqlSyntaxError: a LINK privilege on a single object (singlestore.md section 6).
        InvalidParameter: a privilege that cannot be granted there; the hint lists those that can.
    """
    found = {right for typed in privileges for right in _meaning(typed, target_kind)}
    return tuple(right for right in GRANTABLE[target_kind] if right in found)


def _meaning(typed: str, kind: GrantKind) -> tuple[str, ...]:
    if typed in _ALL:
        return GRANTABLE[kind]
    if typed in GRANTABLE[kind]:
        return (typed,)
    if typed in _SPELLINGS[kind]:
        return _SPELLINGS[kind][typed]
    if typed in _LINK_PRIVILEGES:
        message = "LINK privileges can be granted on *.* or db.* only"
        raise SqlSyntaxError(message, hint="for one link: GRANT USAGE ON LINK [db.]name TO user")
    if typed == "OWNERSHIP":
        message = "ownership is not granted"
        raise InvalidParameter(message, hint=f"ALTER {kind.upper()} ... OWNER TO role gives an object to a role")
    message = f"{typed} cannot be granted on {_article(kind)}"
    raise InvalidParameter(message, hint=f"on {_article(kind)}: {', '.join((*GRANTABLE[kind], 'ALL'))}")


def _article(kind: GrantKind) -> str:
    return "the system" if kind == "system" else f"a {kind}"
