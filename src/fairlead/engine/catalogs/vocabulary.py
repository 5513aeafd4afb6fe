"""What can be named of the catalogs, and how the worker's side of it is called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fairlead.engine.lake.names import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

PG_CATALOG: Final = "pg_catalog"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a statement may name.

    Args:
        relations: by schema, their case-folded names. Those of ``pg_catalog`` are found without the schema, too.
        functions: case-folded names; in a statement that names a catalog, a call of one means ours.
        telling: those of the functions whose call alone makes a statement one that names a catalog.
    """

    relations: Mapping[str, frozenset[str]]
    functions: frozenset[str]
    telling: frozenset[str]

    def named(self, identifiers: frozenset[str], calls: frozenset[str]) -> bool:
        """Tell whether a statement may name a catalog.

        Args:
            identifiers: of the statement, case-folded.
            calls: those that stand before a parenthesis.
        """
        return (
            not identifiers.isdisjoint(self.relations)
            or not calls.isdisjoint(self.telling)
            or not identifiers.isdisjoint(self.relations.get(PG_CATALOG, ()))
            or not identifiers.isdisjoint(REG_TYPES)
        )


NOTHING: Final = Vocabulary({}, frozenset(), frozenset())

# PostgreSQL's types whose values are object ids that are written as names.
REG_TYPES: Final = frozenset(
    {"regclass", "regtype", "regproc", "regprocedure", "regnamespace", "regrole", "regoper", "regoperator"}
)


def relation_key(schema: str, name: str) -> str:
    """Return the key of a relation: its name, with its schema before it where that is not ``pg_catalog``."""
    return name if schema == PG_CATALOG else f"{schema}_{name}"


def function_key(name: str) -> str:
    """Return the key of a function."""
    return f"f_{name}"


# In the text of an edit or a declaration, {key} is the worker's name of what has that key.
_REFERENCE: Final = re.compile(r"\{([a-z_0-9]+)\}")


def references(text: str) -> frozenset[str]:
    """Return the keys that a text refers to."""
    return frozenset(_REFERENCE.findall(text))


def in_worker(text: str, database_id: int) -> str:
    """Return a text with the worker's names for its references.

    Args:
        text: with keys in braces.
        database_id: whose catalogs are meant.
    """
    return _REFERENCE.sub(lambda found: physical(database_id, found[1]), text)


def physical(database_id: int, key: str) -> str:
    """Return the name, as it stands in SQL, under which a worker holds a relation or function.

    Temporary, because a transaction may write to one database beside the temporary one, and that is the lake.

    Args:
        database_id: whose catalogs they are.
        key: of the relation or function.
    """
    return f"temp.main.{quote(bare(database_id, key))}"


def bare(database_id: int, key: str) -> str:
    """Return the same name without its place, as it stands in CREATE TEMP."""
    return f"fairlead_{database_id}_{key}"
