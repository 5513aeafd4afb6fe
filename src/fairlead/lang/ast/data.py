"""Statements for the engine, passed on as they are but for the places that name our objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from fairlead.lang.ast.values import Statement

if TYPE_CHECKING:
    from fairlead.lang.ast.values import Name, Option


@dataclass(frozen=True, slots=True)
class StageOption:
    """One ``KEY => value`` of a stage reference; a FILES list is a tuple, CONNECTION a tuple of options."""

    key: str
    value: str | tuple[str, ...] | tuple[Option, ...] | bool


@dataclass(frozen=True, slots=True)
class LocationRef:
    """A place in the data statement that names our objects: ``@stage/path`` (bare or in quotes) or a URL literal.

    ``span`` covers everything that the planner replaces, options in parentheses included. ``role`` says where it
    stands: read as a table (``from``), written by COPY (``to``), an argument of a function that reads files
    (``argument``), or any other text that happens to be a URL (``literal``, never a stage).
    """

    span: tuple[int, int]
    stage: Name | None
    path: str
    url: str | None
    role: Literal["from", "to", "argument", "literal"]
    options: tuple[StageOption, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataStatement(Statement):
    """A statement for the engine, passed on verbatim but for the spans of ``locations``.

    Args:
        text: the statement without the closing semicolon.
        verb: its first keyword in upper case (``SELECT``, ``WITH``, ``COPY``, ``EXPLAIN`` ...).
        locations: what the planner resolves; spans are relative to ``text``.
        identifiers: every identifier in it, decoded and case-folded, for the denial list.
        calls: those of them that stand before an opening parenthesis.
        parameters: highest ``$n``.
    """

    text: str = field(repr=False)
    verb: str
    locations: tuple[LocationRef, ...] = ()
    identifiers: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    parameters: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty(Statement):
    """Nothing but blanks and comments."""
