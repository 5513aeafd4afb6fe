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
    stands: read as a table (``from``), written or read by COPY (``to``, ``load``), an argument of a function that reads
    files (``argument``), or any other text that happens to be a URL (``literal``, never a stage).
    """

    span: tuple[int, int]
    stage: Name | None
    path: str
    url: str | None
    role: Literal["from", "to", "load", "argument", "literal"]
    options: tuple[StageOption, ...] = ()


@dataclass(frozen=True, slots=True)
class DottedName:
    """A name of two or more parts, or one of any length where a relation stands.

    Args:
        span: of the whole name, in the statement's text.
        parts: decoded, as typed.
        relation: it stands after FROM, JOIN, INTO, UPDATE, TABLE or the like; other names may be columns.
    """

    span: tuple[int, int]
    parts: tuple[str, ...]
    relation: bool


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
        names: what may have to be spelled out for the engine.
        query_at: where the query of a CREATE TABLE ... AS begins in ``text``, -1 = this is none.
    """

    text: str = field(repr=False)
    verb: str
    locations: tuple[LocationRef, ...] = ()
    identifiers: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    parameters: int = 0
    names: tuple[DottedName, ...] = ()
    query_at: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty(Statement):
    """Nothing but blanks and comments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyFromStdin(Statement):
    """``COPY table FROM STDIN``: the client sends the rows. Options have PostgreSQL's meaning and defaults.

    Args:
        table: as typed.
        columns: those that the data have, in their order; empty = all of the table.
        format: of the data.
        delimiter: one ASCII character.
        null: what stands for NULL, as it stands in the data.
        header: whether the first line names the columns, and whether the names must be those expected.
        quote: one ASCII character; csv only.
        escape: one ASCII character; csv only.
        force_null: columns in which a quoted ``null`` is NULL too; ``("*",)`` = all.
        force_not_null: columns in which an unquoted ``null`` is a text; ``("*",)`` = all.
    """

    table: Name
    columns: tuple[str, ...] = ()
    format: Literal["text", "csv", "binary"] = "text"
    delimiter: str = "\t"
    null: str = "\\N"
    header: Literal["no", "skip", "match"] = "no"
    quote: str = '"'
    escape: str = '"'
    force_null: tuple[str, ...] = ()
    force_not_null: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyToStdout(Statement):
    """``COPY table | (query) TO STDOUT``: the client takes the rows. Options have PostgreSQL's meaning and defaults.

    Args:
        query: gives the rows.
        table: the query was made of the name of a table, so places in its text are none of the user's.
        format: of the data.
        delimiter: one ASCII character.
        null: what stands for NULL.
        header: whether the first line names the columns.
        quote: one ASCII character; csv only.
        escape: one ASCII character; csv only.
        force_quote: columns whose values are always quoted; ``("*",)`` = all.
    """

    query: DataStatement
    table: bool = field(default=False, compare=False)
    format: Literal["text", "csv", "binary"] = "text"
    delimiter: str = "\t"
    null: str = "\\N"
    header: bool = False
    quote: str = '"'
    escape: str = '"'
    force_quote: tuple[str, ...] = ()
