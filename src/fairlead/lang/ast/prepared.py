"""Prepared statements and cursors as SQL has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from fairlead.lang.ast.values import Statement

if TYPE_CHECKING:
    from fairlead.lang.ast.data import DataStatement


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare(Statement):
    """``PREPARE name [(types)] AS statement``.

    Args:
        name: of the prepared statement.
        types: names of PostgreSQL's types, one for each parameter that has one; lower case.
        statement: what is prepared.
    """

    name: str
    types: tuple[str, ...] = ()
    statement: DataStatement


@dataclass(frozen=True, slots=True)
class Argument:
    """A value that stands for a parameter: its text, None = NULL, and the kind of literal that it was."""

    value: str | None = field(repr=False)
    kind: Literal["text", "integer", "decimal", "boolean", "null"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execute(Statement):
    """``EXECUTE name [(values)]``."""

    name: str
    arguments: tuple[Argument, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareCursor(Statement):
    """``DECLARE name [BINARY] [INSENSITIVE] [NO SCROLL] CURSOR [WITH | WITHOUT HOLD] FOR query``."""

    name: str
    query: DataStatement
    binary: bool = False
    hold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch(Statement):
    """``FETCH [direction] [FROM | IN] cursor``, or MOVE.

    Args:
        name: of the cursor.
        count: rows to go forward; None = all that are left.
        move: rows are passed over, not given.
    """

    name: str
    count: int | None = 1
    move: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseCursor(Statement):
    """``CLOSE name`` or ``CLOSE ALL`` (name None)."""

    name: str | None
