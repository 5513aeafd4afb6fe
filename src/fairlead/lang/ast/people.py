"""Statements about users, roles, rights and the ledger that records what they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fairlead.lang.ast.values import Statement

if TYPE_CHECKING:
    from fairlead.lang.ast.values import Name
    from fairlead.sensitive import Sensitive


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRole(Statement):
    """``CREATE USER | ROLE [IF NOT EXISTS] name [WITH] [PASSWORD 'x' | IDENTIFIED BY 'x'] [SUPERUSER | NOSUPERUSER]``.

    A user may log in; a role may not.
    """

    name: str
    login: bool
    password: Sensitive | None = None
    superuser: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterRole(Statement):
    """``ALTER USER | ROLE name [WITH] [PASSWORD 'x'] [SUPERUSER | NOSUPERUSER] [RENAME TO n]``."""

    name: str
    login: bool
    password: Sensitive | None = None
    superuser: bool | None = None
    rename_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DropRole(Statement):
    """``DROP USER | ROLE [IF EXISTS] name [, ...]``."""

    names: tuple[str, ...]
    login: bool
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class GrantTarget:
    """What the rights are on.

    ``kind``: ``system`` (``SYSTEM``, ``*.*``), ``database`` (``DATABASE d``, ``WORKSPACE d``, ``d.*``), ``schema``,
    ``connection``, ``secret``, ``stage``, ``table`` (a name without a kind too; it may mean a view), ``view``.
    ``names`` is empty for ``system``. ``all_in`` is True for ``ALL CONNECTIONS [IN ...]``; the names are then those of
    the databases or schemas, as ``within`` says.
    """

    kind: Literal["system", "database", "schema", "connection", "secret", "stage", "table", "view"]
    names: tuple[Name, ...] = ()
    all_in: bool = False
    within: Literal["database", "schema"] = "database"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(Statement):
    """``GRANT privilege [, ...] ON target TO grantee [, ...] [WITH GRANT OPTION]``.

    Narrowed: ``GRANT SELECT [(column [, ...])] ON table [WHERE condition] TO ...``; ``condition`` is its text.

    ``privileges`` are upper case with single blanks, exactly as typed (``SHOW LINK``, ``ACCESS CONNECTION``, ``USAGE``,
    ``ALL PRIVILEGES``). ``grantees`` are user or role names.
    """

    privileges: tuple[str, ...]
    target: GrantTarget
    grantees: tuple[str, ...]
    grant_option: bool = False
    columns: tuple[str, ...] = ()
    condition: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke(Statement):
    """``REVOKE [GRANT OPTION FOR] privilege [, ...] ON target FROM grantee [, ...]``; SELECT may have columns."""

    privileges: tuple[str, ...]
    target: GrantTarget
    grantees: tuple[str, ...]
    grant_option_only: bool = False
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterDefaultPrivileges(Statement):
    """``ALTER DEFAULT PRIVILEGES [FOR ROLE r] [IN SCHEMA s] GRANT | REVOKE privilege ON TABLES TO | FROM grantee``.

    Without ``roles`` it is for the caller's own tables, without ``schemas`` for all of the current database.
    """

    privileges: tuple[str, ...]
    grantees: tuple[str, ...]
    roles: tuple[str, ...] = ()
    schemas: tuple[Name, ...] = ()
    revoke: bool = False
    grant_option: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowDefaultPrivileges(Statement):
    """``SHOW DEFAULT PRIVILEGES``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRole(Statement):
    """``GRANT role [, ...] TO grantee [, ...]``; also ``GRANT ROLE r TO USER u``."""

    roles: tuple[str, ...]
    grantees: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeRole(Statement):
    """``REVOKE role [, ...] FROM grantee [, ...]``."""

    roles: tuple[str, ...]
    grantees: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowGrants(Statement):
    """``SHOW GRANTS [FOR | TO [USER | ROLE] name] [ON kind name]``; neither means the caller's own."""

    grantee: str | None = None
    on: GrantTarget | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowRoles(Statement):
    """``SHOW USERS`` or ``SHOW ROLES``."""

    login: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowLedger(Statement):
    """``SHOW LEDGER [LIMIT n]``: the newest rows of the audit ledger."""

    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyLedger(Statement):
    """``VERIFY LEDGER``: walk the chain and say whether it holds."""
