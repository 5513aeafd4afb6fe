"""Statements about databases, the settings of a session, and transactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fairlead.lang.ast.values import Statement

if TYPE_CHECKING:
    from fairlead.lang.ast.values import Name


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateDatabase(Statement):
    """``CREATE DATABASE [IF NOT EXISTS] name [DATA PATH 'url' CONNECTION = name]``."""

    name: str
    if_not_exists: bool = False
    data_path: str | None = None
    connection: Name | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DropDatabase(Statement):
    """``DROP DATABASE [IF EXISTS] name [CASCADE | RESTRICT]``: CASCADE takes its tables and views along."""

    name: str
    if_exists: bool = False
    cascade: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowDatabases(Statement):
    """``SHOW DATABASES``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use(Statement):
    """``USE [DATABASE | WORKSPACE] name`` or ``USE database.schema``; one name may be that of a schema."""

    database: str
    schema: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVariable(Statement):
    """``SET [SESSION | LOCAL | GLOBAL] name (= | TO) value``; value None means DEFAULT."""

    name: str
    value: str | None
    scope: Literal["session", "local", "global"] = "session"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetVariable(Statement):
    """``RESET name`` or ``RESET ALL`` (name None), ``UNSET name``."""

    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowVariable(Statement):
    """``SHOW name`` or ``SHOW ALL`` (name None)."""

    name: str | None


@dataclass(frozen=True, slots=True)
class ConfigCall:
    """``set_config(name, value, local) [AS label]``; ``value`` is a text, the number of a parameter, or None."""

    name: str
    value: str | int | None
    local: bool
    label: str = "set_config"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetConfig(Statement):
    """``SELECT set_config(...) [, ...]``: how clients set a setting where they can only query."""

    calls: tuple[ConfigCall, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction(Statement):
    """BEGIN, START TRANSACTION, COMMIT, END, ROLLBACK, ABORT.

    Args:
        action: what it does.
        read_only: the mode of the block that BEGIN asks for, None = the default.
        chain: a new block is begun at once (AND CHAIN).
    """

    action: Literal["begin", "commit", "rollback"]
    read_only: bool | None = None
    chain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Savepoint(Statement):
    """``SAVEPOINT name``, ``RELEASE [SAVEPOINT] name``, ``ROLLBACK TO [SAVEPOINT] name``."""

    action: Literal["set", "release", "rollback"]
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTransaction(Statement):
    """``SET TRANSACTION modes`` or ``SET SESSION CHARACTERISTICS AS TRANSACTION modes``; None = nothing was said."""

    read_only: bool | None
    session: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard(Statement):
    """``DISCARD ALL | TEMP | PLANS | SEQUENCES``, ``DEALLOCATE name | ALL``.

    ``what`` is ``statement:<name>`` for the second and ``statements`` for ``DEALLOCATE ALL``.
    """

    what: str
