"""Statements that are alike for secrets, connections and stages: drop, list, describe, show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fairlead.lang.ast.values import Statement

if TYPE_CHECKING:
    from fairlead.lang.ast.values import Name, Noun


@dataclass(frozen=True, slots=True, kw_only=True)
class DropObjects(Statement):
    """``DROP kind [IF EXISTS] name [, ...] [CASCADE | RESTRICT]``."""

    kind: Literal["secret", "connection", "stage", "view"]
    names: tuple[Name, ...]
    if_exists: bool = False
    cascade: bool = False
    noun: Noun = "CONNECTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowObjects(Statement):
    """``SHOW SECRETS | CONNECTIONS | STAGES | LINKS [ON|IN|FROM scope] [LIKE 'p']``.

    ``scope`` is a schema (Materialize) or a database (LINKS). ``category`` is STORAGE, API or CATALOG.
    """

    kind: Literal["secret", "connection", "stage"]
    noun: Noun = "CONNECTION"
    scope: str | None = None
    like: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeObject(Statement):
    """``DESC | DESCRIBE CONNECTION | LINK | STAGE [EXTENDED] name``."""

    kind: Literal["connection", "stage"]
    name: Name
    noun: Noun = "CONNECTION"
    extended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowCreate(Statement):
    """``SHOW [REDACTED] CREATE CONNECTION | LINK | STAGE | TABLE | VIEW name``."""

    kind: Literal["connection", "stage", "table", "view"]
    name: Name
    noun: Noun = "CONNECTION"
    redacted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowDependents(Statement):
    """``SHOW DEPENDENTS OF SECRET | CONNECTION | LINK name``."""

    kind: Literal["secret", "connection"]
    name: Name
    noun: Noun = "CONNECTION"
