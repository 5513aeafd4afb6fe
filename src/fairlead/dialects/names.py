"""Which object a name means, and where a new one goes (DESIGN 2.9, rows "Qualification" and "Scope")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.context import DEFAULT_DATABASE, DEFAULT_SCHEMA, Context
from fairlead.dialects import errors as texts
from fairlead.errors import (
    InvalidCatalogName,
    InvalidName,
    InvalidParameter,
    InvalidSchemaName,
    UndefinedObject,
    WrongObjectType,
)
from fairlead.lang import ast

if TYPE_CHECKING:
    from fairlead.catalog.records import DatabaseRecord, Kind, ObjectRecord, RoleRecord, SchemaRecord
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.lang.ast import Name

_MAX_PARTS = 3


@dataclass(frozen=True, slots=True)
class Place:
    """A full name: where an object is, or would be."""

    database: str
    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.database}.{self.schema}.{self.name}"


def database(snapshot: Snapshot, name: str) -> DatabaseRecord:
    """Return the database of that name.

    Raises:
        InvalidCatalogName: there is none.
    """
    found = snapshot.database(name)
    if found is None:
        message = f'database "{name}" does not exist'
        raise InvalidCatalogName(message, hint="SHOW DATABASES lists those there are")
    return found


def place(snapshot: Snapshot, name: Name, context: Context, *, database_first: bool = False) -> Place:
    """Say where an object of this name goes, or is looked for first.

    Args:
        snapshot: the catalog.
        name: one to three parts.
        context: gives the current database and schema.
        database_first: two parts mean ``database.name``, as in LINK and ClickZetta statements.

    Raises:
        InvalidName: more than three parts.
        InvalidCatalogName, InvalidSchemaName: a part names nothing.
    """
    parts = name.parts
    if len(parts) > _MAX_PARTS:
        message = f"qualified name did not have between 1 and 3 components: {name}"
        raise InvalidName(message)
    if len(parts) == 1:
        return Place(context.database, context.schema, parts[0])
    if len(parts) == 2:  # noqa: PLR2004
        inside = None if database_first else snapshot.schema(context.database, parts[0])
        if inside is not None:
            return Place(inside.database, inside.name, parts[1])
        return Place(database(snapshot, parts[0]).name, DEFAULT_SCHEMA, parts[1])
    found = schema(snapshot, parts[0], parts[1])
    return Place(found.database, found.name, parts[2])


def schema(snapshot: Snapshot, database_name: str, name: str) -> SchemaRecord:
    """Return the schema of that name in a database.

    Raises:
        InvalidCatalogName, InvalidSchemaName: there is none.
    """
    found = snapshot.schema(database_name, name)
    if found is None:
        message = f'schema "{database(snapshot, database_name).name}.{name}" does not exist'
        raise InvalidSchemaName(message, hint="SHOW SCHEMAS lists those that you may see")
    return found


def find_schema(snapshot: Snapshot, name: Name, context: Context) -> SchemaRecord | None:
    """Return the schema that ``[database.]schema`` means, or None."""
    if len(name.parts) > 2:  # noqa: PLR2004
        message = f"a schema has a name of one or two parts: {name}"
        raise InvalidName(message)
    return snapshot.schema(name.parts[0] if len(name.parts) > 1 else context.database, name.last)


def schema_named(snapshot: Snapshot, name: Name, context: Context) -> SchemaRecord:
    """Return the schema that ``[database.]schema`` means.

    Raises:
        InvalidName, InvalidCatalogName, InvalidSchemaName.
    """
    found = find_schema(snapshot, name, context)
    if found is None:
        found = schema(snapshot, name.parts[0] if len(name.parts) > 1 else context.database, name.last)
    return found


def scope_of(snapshot: Snapshot, name: Name, context: Context) -> SchemaRecord | str:
    """Return the schema, or else the name of the database, whose tables ``IN name`` lists.

    Raises:
        InvalidName, InvalidCatalogName, InvalidSchemaName.
    """
    inside = find_schema(snapshot, name, context)
    if inside is not None or len(name.parts) > 1:
        return inside or schema_named(snapshot, name, context)
    return database(snapshot, name.last).name


def relation(snapshot: Snapshot, name: Name, context: Context) -> ObjectRecord | None:
    """Return the table or view that a name means, or None; it is not looked for in other databases."""
    where = place(snapshot, name, context)
    return snapshot.relation(where.database, where.schema, where.name)


def of_kind(record: ObjectRecord, kind: Kind) -> ObjectRecord:
    """Return a record that must be of a kind.

    Raises:
        WrongObjectType: it is of another one.
    """
    if record.kind != kind:
        message = f'"{record.full_name}" is not a {kind}'
        raise WrongObjectType(message, hint=f"it is a {record.kind}")
    return record


def find(
    snapshot: Snapshot, kind: Kind, name: Name, context: Context, *, database_first: bool = False
) -> ObjectRecord | None:
    """Return the object that a name means, or None; an unqualified one is looked for in ``main.public`` too."""
    where = place(snapshot, name, context, database_first=database_first)
    found = snapshot.find(kind, where.database, where.name, where.schema)
    if found is None and len(name.parts) == 1 and context.database.casefold() != DEFAULT_DATABASE:
        found = snapshot.find(kind, DEFAULT_DATABASE, name.last)
    return found


def require(
    snapshot: Snapshot, kind: Kind, name: Name, context: Context, *, database_first: bool = False
) -> ObjectRecord:
    """Return the object that a name means.

    Raises:
        UndefinedObject: there is none, in the words of the dialect.
    """
    found = find(snapshot, kind, name, context, database_first=database_first)
    if found is None:
        raise texts.missing(kind, str(place(snapshot, name, context, database_first=database_first)), context.dialect)
    return found


def role(snapshot: Snapshot, name: str) -> RoleRecord:
    """Return the user or role of that name.

    Raises:
        UndefinedObject: there is none.
    """
    found = snapshot.role(name)
    if found is None:
        message = f'role "{name}" does not exist'
        raise UndefinedObject(message, hint="SHOW USERS and SHOW ROLES list those there are")
    return found


def scope(snapshot: Snapshot, name: str | None, context: Context) -> str:
    """Return the database that ``ON db``, ``FROM schema`` or nothing means in a SHOW."""
    if name is None or name.casefold() == DEFAULT_SCHEMA:
        return context.database
    return database(snapshot, name).name


def like(name: str, pattern: str | None) -> bool:
    """Say whether a name fits a LIKE pattern (``%``, ``_``), ignoring case; None fits all.

    Quadratic at worst: patterns are users' own, so no expression that could backtrack is made of them.
    """
    if pattern is None:
        return True
    text, wanted = name.casefold(), pattern.casefold()
    at = in_pattern = 0
    star, resume = -1, 0
    while at < len(text):
        symbol = wanted[in_pattern] if in_pattern < len(wanted) else ""
        if symbol == "%":
            star, resume = in_pattern, at
            in_pattern += 1
        elif symbol and symbol in ("_", text[at]):
            at, in_pattern = at + 1, in_pattern + 1
        elif star >= 0:
            resume += 1
            at, in_pattern = resume, star + 1
        else:
            return False
    return not wanted[in_pattern:].strip("%")


def parse(text: str) -> Name:
    """Return the name that a text spells, parts separated by dots."""
    return ast.Name(tuple(text.split(".")))


def plain_text(value: ast.Value) -> str:
    """Return the text of an option that names an object.

    Raises:
        InvalidParameter: it is not a text.
    """
    if not isinstance(value, ast.Text):
        message = "expected the name of an object"
        raise InvalidParameter(message)
    return value.value.reveal()
