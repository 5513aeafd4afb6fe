"""Who runs a statement, and where: handed to every room that decides or records something."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Protocol

Dialect = Literal["native", "materialize", "singlestore", "databend", "clickzetta"]

DEFAULT_DATABASE = "main"
DEFAULT_SCHEMA = "public"


@dataclass(frozen=True, slots=True)
class Principal:
    """A user with every role that is in force for them.

    Args:
        user_id: id of the user in the catalog.
        user_name: name as stored.
        role_ids: ids of the user, of all roles held directly or through other roles, and of ``public``.
        is_superuser: whether the user, not one of the roles, is superuser.
    """

    user_id: int
    user_name: str
    role_ids: frozenset[int]
    is_superuser: bool


class SettingValues(Protocol):
    """Gives the values of a session's settings."""

    def current(self, name: str) -> str:
        """Return the value of a setting.

        Raises:
            UndefinedObject: there is no such setting.
        """
        ...


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What a statement may ask about its session; the same inside a view of another owner.

    Args:
        user: who has logged in.
        database: the current one.
        search_path: schemas of it, in which unqualified names are looked for.
        process_id: the session's number, as clients know it; 0 = none.
        client: address of the client; empty = none.
        settings: of the session.
    """

    user: str
    database: str
    search_path: tuple[str, ...]
    process_id: int
    client: str
    settings: SettingValues


@dataclass(frozen=True, slots=True)
class Context:
    """One statement of one session."""

    session_id: str
    statement_id: str
    principal: Principal
    database: str = DEFAULT_DATABASE
    schema: str = DEFAULT_SCHEMA
    dialect: Dialect = "native"
    application: str = ""
    client: str = ""
    validate_connections: bool | None = None  # None = as the type of the connection says
    search_path: tuple[str, ...] = ()  # of the session; empty = the schema alone
    facts: SessionFacts | None = None  # None = no session asks

    def at_statement(self, statement_id: str) -> Context:
        """Return the same context for another statement."""
        return replace(self, statement_id=statement_id)
