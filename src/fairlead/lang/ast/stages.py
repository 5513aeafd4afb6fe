"""Statements about stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.lang.ast.values import Statement

if TYPE_CHECKING:
    from fairlead.lang.ast.values import Name, Option


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateStage(Statement):
    """``CREATE [OR REPLACE] STAGE [IF NOT EXISTS] name [URL =] 'uri' [CONNECTION = (...)] [FILE_FORMAT = (...)] ...``.

    ``connection`` is the value of CONNECTION_NAME, parsed as a name. ``inline`` holds any other key of the clause.
    """

    name: Name
    url: str | None = None
    connection: Name | None = None
    inline: tuple[Option, ...] = ()
    file_format: tuple[Option, ...] = ()
    comment: str | None = None
    or_replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterStage(Statement):
    """``ALTER STAGE [IF EXISTS] name SET (URL | CONNECTION | FILE_FORMAT | COMMENT) = value [...]``."""

    name: Name
    url: str | None = None
    connection: Name | None = None
    inline: tuple[Option, ...] = ()
    file_format: tuple[Option, ...] | None = None
    comment: str | None = None
    if_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStage(Statement):
    """``LIST @stage/path [PATTERN = 'regex']``."""

    stage: Name
    path: str
    pattern: str | None = None
