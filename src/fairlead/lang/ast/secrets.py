"""Statements about secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.lang.ast.values import Statement

if TYPE_CHECKING:
    from fairlead.lang.ast.values import Name
    from fairlead.sensitive import Sensitive


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretValue:
    """The expression after AS, evaluated.

    It is constant: a literal, ``decode('..', 'base64' | 'hex' | 'escape')``, ``'..'::bytea``, ``||``,
    ``convert_to('..', 'utf8')``.
    """

    value: Sensitive


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSecret(Statement):
    """``CREATE [OR REPLACE] SECRET [IF NOT EXISTS] name AS expr [COMMENT 'x']``."""

    name: Name
    value: SecretValue
    if_not_exists: bool = False
    or_replace: bool = False
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterSecret(Statement):
    """``ALTER SECRET [IF EXISTS] name (AS expr | RENAME TO n | OWNER TO r)``: exactly one is given."""

    name: Name
    if_exists: bool = False
    value: SecretValue | None = None
    rename_to: str | None = None
    owner_to: str | None = None
