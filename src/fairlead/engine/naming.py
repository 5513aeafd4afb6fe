"""How names that begin with a database are spelled for the engine.

A lake is attached under its database's name, but for names that the engine keeps for itself (``main``). Two parts that
mean database and table get their schema, because the engine would look for a schema of the first name only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.context import DEFAULT_SCHEMA
from fairlead.engine.lake.names import attached_name, quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fairlead.lang import ast

_TWO = 2


@dataclass(frozen=True, slots=True)
class Databases:
    """What can stand before a dot.

    Args:
        names: every database, case-folded, with its name as stored.
        schemas: the schemas of each database, both case-folded.
    """

    names: Mapping[str, str]
    schemas: Mapping[str, frozenset[str]]


def respelled(
    statement: ast.DataStatement, databases: Databases, current: str
) -> Iterator[tuple[tuple[int, int], str]]:
    """Give each span that has to be replaced with what takes its place.

    Args:
        statement: the user's.
        databases: what there is.
        current: the current database.
    """
    aliases = _aliases(statement)
    for name in statement.names:
        first = name.parts[0].casefold()
        if len(name.parts) < _TWO or first not in databases.names:
            continue
        if first in databases.schemas.get(current.casefold(), frozenset()):
            continue
        parts = _parts(name, first, databases, aliases)
        if parts is not None:
            yield name.span, ".".join(quote(part) for part in parts)


def _parts(name: ast.DottedName, first: str, databases: Databases, aliases: frozenset[str]) -> tuple[str, ...] | None:
    attached = attached_name(databases.names[first])
    rest = name.parts[1:]
    if rest[0].casefold() in databases.schemas.get(first, frozenset()) and len(rest) > 1:
        return None if attached.casefold() == first else (attached, *rest)
    if name.relation or first not in aliases:
        return attached, DEFAULT_SCHEMA, *rest
    return None


def _aliases(statement: ast.DataStatement) -> frozenset[str]:
    """Return what the names of columns may begin with: in ``a.b`` outside of FROM, a is most often an alias.

    A database that is named where a relation stands is taken for one elsewhere too, as in ``FROM d.t WHERE d.t.x = 1``.
    """
    firsts = {name.parts[0].casefold() for name in statement.names if not name.relation}
    return frozenset(firsts - {name.parts[0].casefold() for name in statement.names if name.relation})
