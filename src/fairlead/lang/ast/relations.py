"""Statements about schemas, tables and views, as far as they are the gateway's own and not the engine's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from fairlead.lang.ast.values import Statement

if TYPE_CHECKING:
    from fairlead.lang.ast.values import Name


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateView(Statement):
    """``CREATE [OR REPLACE] VIEW [IF NOT EXISTS] name [(column [, ...])] AS query``.

    ``query`` is the text of one query without parameters, as typed.
    """

    name: Name
    query: str = field(repr=False)
    columns: tuple[str, ...] = ()
    or_replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterObject(Statement):
    """``ALTER TABLE | VIEW | SCHEMA | DATABASE [IF EXISTS] name (RENAME TO new | OWNER TO role)``; COMMENT ON VIEW.

    Tables and databases take OWNER TO only: other changes of a table are the engine's.
    """

    kind: Literal["table", "view", "schema", "database"]
    name: Name
    rename_to: str | None = None
    owner_to: str | None = None
    comment: str | None = None
    if_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowSnapshots(Statement):
    """``SHOW SNAPSHOTS [IN | FROM database] [LIMIT n]``: the versions that can be read, newest first."""

    scope: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowTables(Statement):
    """``SHOW TABLES | VIEWS | SCHEMAS [IN | FROM scope] [LIKE 'p']``; the scope is a schema or a database."""

    kind: Literal["table", "view", "schema"]
    scope: Name | None = None
    like: str | None = None
