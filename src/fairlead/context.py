"""Who runs a statement, and where: handed to every room that decides or records something."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

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

    def at_statement(self, statement_id: str) -> Context:
        """Return the same context for another statement."""
        return replace(self, statement_id=statement_id)
