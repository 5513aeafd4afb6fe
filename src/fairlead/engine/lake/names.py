"""Names of a lake inside a worker, and how identifiers and texts are written into the gateway's own SQL."""

from __future__ import annotations

from typing import Final

from fairlead.errors import InvalidName

RESERVED: Final = frozenset({"main", "memory", "system", "temp"})
"""Catalogs that every DuckDB has, or a name that it keeps for itself; compared without case."""

METADATA_PREFIX: Final = "__ducklake_metadata_"


def attached_name(database: str) -> str:
    """The name under which a database's lake is attached. Two databases never get the same one.

    ``main`` becomes ``main_`` (and, so that nothing clashes, ``main_`` becomes ``main__``); a database that is called
    like DuckLake's own metadata catalogs gets a leading underscore.
    """
    folded = database.lower()
    if folded.rstrip("_") in RESERVED:
        return database + "_"
    if folded.startswith("__") and folded.lstrip("_").startswith(METADATA_PREFIX.lstrip("_")):
        return "_" + database
    return database


def metadata_name(attached: str) -> str:
    """The catalog in which DuckLake keeps the metadata of a lake that is attached under a name."""
    return METADATA_PREFIX + attached


def quote(identifier: str) -> str:
    """An identifier as it stands in SQL.

    Raises:
        InvalidName: an empty name, or one with a NUL character.
    """
    if not identifier or "\0" in identifier:
        raise InvalidName("A name cannot be empty and cannot have a NUL character")
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as it stands in SQL: a string literal, or, as SQL has no escape for NUL, the decoding of its bytes."""
    if "\0" in text:
        return f"system.main.decode({blob(text.encode())})"
    return "'" + text.replace("'", "''") + "'"


def blob(data: bytes) -> str:
    """Bytes as they stand in SQL."""
    return "'" + "".join(f"\\x{byte:02X}" for byte in data) + "'::BLOB"


def value(item: object) -> str:
    """A value of a SQLite row as it stands in SQL.

    Raises:
        TypeError: a value of another type than SQLite has.
    """
    match item:
        case None:
            return "NULL"
        case str():
            return literal(item)
        case int() | float():
            return repr(item)
        case bytes():
            return blob(item)
        case _:
            raise TypeError(f"SQLite has no values of type {type(item).__name__}")
