"""Everything that is declared, by key, and the vocabulary that the planner knows it by."""

from __future__ import annotations

from typing import Final

from fairlead.commands.introspection import empty, functions, information_schema, ours, pg_catalog
from fairlead.commands.introspection.base import BASES
from fairlead.commands.introspection.declared import Declared, hygienic, qualified
from fairlead.engine.catalogs.vocabulary import PG_CATALOG, Vocabulary, function_key, relation_key

_BY_SCHEMA: Final = {
    PG_CATALOG: pg_catalog.RELATIONS | empty.RELATIONS,
    "information_schema": information_schema.RELATIONS,
    "fairlead": ours.RELATIONS,
}

SYSTEM: Final[dict[str, tuple[str, ...]]] = {schema: tuple(sorted(found)) for schema, found in _BY_SCHEMA.items()}

VOCABULARY: Final = Vocabulary(
    relations={schema: frozenset(found) for schema, found in _BY_SCHEMA.items()},
    functions=functions.CALLED,
    telling=functions.TELLING,
)

DECLARED: Final[dict[str, Declared]] = {
    one.key: one
    for one in (
        *(
            Declared(relation_key(schema, name), "view", qualified(sql))
            for schema, found in _BY_SCHEMA.items()
            for name, sql in found.items()
        ),
        *(Declared(function_key(name), "macro", hygienic(qualified(sql))) for name, sql in functions.FUNCTIONS.items()),
    )
}


def closure(keys: frozenset[str]) -> tuple[str, ...]:
    """Return keys with all that they stand on, each after what it needs."""
    ordered: dict[str, None] = {}

    def add(key: str) -> None:
        if key not in ordered:
            for needed in sorted(needs(key)):
                add(needed)
            ordered[key] = None

    for key in sorted(keys):
        add(key)
    return tuple(ordered)


def needs(key: str) -> frozenset[str]:
    """Return the keys that one stands on directly."""
    if key in BASES:
        return frozenset()
    if key in ("relation", "column"):
        base = frozenset({"base_relation", "base_schema", "base_role"})
        return base | {"base_column", "relation"} if key == "column" else base
    return DECLARED[key].needs
