"""Names that a database or schema cannot have, because the engine has them already or reads them otherwise."""

from __future__ import annotations

from typing import Final

from fairlead.errors import InvalidName

# ``main_`` is how the engine sees the database ``main``.
_DATABASES: Final = frozenset({"memory", "temp", "system", "information_schema", "pg_catalog", "main_"})
_SCHEMAS: Final = frozenset({"information_schema", "pg_catalog", "main", "temp"})
_PREFIXES: Final = ("__", "fairlead_")


def refuse_reserved_database(name: str) -> None:
    """Refuse a name that no database can have.

    Raises:
        InvalidName.
    """
    _refuse("database", name, _DATABASES)


def refuse_reserved_schema(name: str) -> None:
    """Refuse a name that no schema can have.

    Raises:
        InvalidName.
    """
    _refuse("schema", name, _SCHEMAS)


def _refuse(kind: str, name: str, reserved: frozenset[str]) -> None:
    key = name.casefold()
    if key in reserved or key.startswith(_PREFIXES):
        message = f'"{name}" is reserved and cannot be the name of a {kind}'
        raise InvalidName(message, hint="choose another name")
