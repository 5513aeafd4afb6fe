"""Reading the catalog: one consistent view, for as long as the block that asked for it.

A ``Snapshot`` wraps one SQLite transaction. Lookups by name ignore case; lists are in creation order, which is the
order of ids.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select

from fairlead.catalog import tables as t
from fairlead.catalog.records import (
    RELATIONS,
    DatabaseRecord,
    DefaultGrantRecord,
    GrantRecord,
    Kind,
    ObjectRecord,
    RoleRecord,
    SchemaRecord,
    SealedRecord,
)
from fairlead.errors import UndefinedObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection, Row, Select

_IN_SCHEMA = and_(t.schemas.c.database_id == t.objects.c.database_id, t.schemas.c.name_key == t.objects.c.schema)

_OBJECTS = select(  # in the order of ObjectRecord
    t.objects.c.id,
    t.objects.c.kind,
    t.databases.c.name.label("database"),
    t.schemas.c.name.label("schema"),
    t.objects.c.name,
    t.objects.c.owner_id,
    t.objects.c.comment,
    t.objects.c.enabled,
    t.objects.c.version,
    t.objects.c.created_at,
    t.objects.c.modified_at,
    t.objects.c.database_id,
    t.schemas.c.id.label("schema_id"),
).select_from(
    t.objects.join(t.databases, t.objects.c.database_id == t.databases.c.id).join(t.schemas, _IN_SCHEMA),
)

_DATABASES = select(
    t.databases.c.id,
    t.databases.c.name,
    t.databases.c.owner_id,
    t.databases.c.created_at,
    t.databases.c.data_path,
    t.databases.c.connection_id,
)

_SCHEMAS = select(
    t.schemas.c.id,
    t.schemas.c.database_id,
    t.databases.c.name.label("database"),
    t.schemas.c.name,
    t.schemas.c.owner_id,
    t.schemas.c.created_at,
).join_from(t.schemas, t.databases)

_ROLES = select(
    t.roles.c.id, t.roles.c.name, t.roles.c.login, t.roles.c.superuser, t.roles.c.verifier, t.roles.c.created_at
)


class Snapshot:
    """One consistent view of the catalog, valid inside the block that opened it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    # --- databases ---------------------------------------------------------------------------------------------------

    def databases(self) -> tuple[DatabaseRecord, ...]:
        """Return every database."""
        found = self.connection.execute(_DATABASES.order_by(t.databases.c.id))
        return tuple(DatabaseRecord(*row) for row in found)

    def database(self, name: str) -> DatabaseRecord | None:
        """Return the database of that name, or None."""
        row = self.connection.execute(_DATABASES.where(t.databases.c.name_key == name.casefold())).first()
        return None if row is None else DatabaseRecord(*row)

    def stored_through(self, connection_id: int) -> tuple[DatabaseRecord, ...]:
        """Return the databases whose tables are stored through a connection."""
        query = _DATABASES.where(t.databases.c.connection_id == connection_id).order_by(t.databases.c.id)
        return tuple(DatabaseRecord(*row) for row in self.connection.execute(query))

    def schemas(self, database: str | None = None) -> tuple[SchemaRecord, ...]:
        """Return every schema, of one database where given."""
        query = _SCHEMAS.order_by(t.schemas.c.id)
        if database is not None:
            query = query.where(t.databases.c.name_key == database.casefold())
        return tuple(SchemaRecord(*row) for row in self.connection.execute(query))

    def schema(self, database: str, name: str) -> SchemaRecord | None:
        """Return the schema of that name, or None."""
        return self._schema(
            and_(t.databases.c.name_key == database.casefold(), t.schemas.c.name_key == name.casefold())
        )

    def schema_by_id(self, schema_id: int) -> SchemaRecord | None:
        """Return the schema of that id, or None."""
        return self._schema(t.schemas.c.id == schema_id)

    # --- objects -----------------------------------------------------------------------------------------------------

    def relation(self, database: str, schema: str, name: str) -> ObjectRecord | None:
        """Return the table or view of that name, or None."""
        found = (self.find(kind, database, name, schema) for kind in RELATIONS)
        return next((record for record in found if record is not None), None)

    def find(self, kind: Kind, database: str, name: str, schema: str = "public") -> ObjectRecord | None:
        """Return the object of that kind and name, or None."""
        query = _OBJECTS.where(
            t.objects.c.kind == kind,
            t.databases.c.name_key == database.casefold(),
            t.objects.c.schema == schema.casefold(),
            t.objects.c.name_key == name.casefold(),
        )
        row = self.connection.execute(query).first()
        return None if row is None else ObjectRecord(**row._asdict())

    def get(self, object_id: int) -> ObjectRecord:
        """Return the object of that id.

        Raises:
            UndefinedObject: it was dropped.
        """
        found = self._objects(_OBJECTS.where(t.objects.c.id == object_id))
        if not found:
            message = f"object {object_id} does not exist"
            raise UndefinedObject(message, hint="it was dropped while this statement ran")
        return found[0]

    def objects(
        self, kind: Kind, *, database: str | None = None, schema: str | None = None
    ) -> tuple[ObjectRecord, ...]:
        """Return every object of a kind, of one database or schema where given."""
        query = _OBJECTS.where(t.objects.c.kind == kind)
        if database is not None:
            query = query.where(t.databases.c.name_key == database.casefold())
        if schema is not None:
            query = query.where(t.objects.c.schema == schema.casefold())
        return self._objects(query)

    def definition(self, object_id: int, version: int | None = None) -> dict[str, Any]:
        """Return what was stored of an object, in its newest or in a given version.

        Raises:
            UndefinedObject: there is no such object or version.
        """
        query = select(t.versions.c.definition).where(t.versions.c.object_id == object_id)
        if version is not None:
            query = query.where(t.versions.c.version == version)
        text = self.connection.execute(query.order_by(t.versions.c.version.desc()).limit(1)).scalar()
        if text is None:
            message = f"object {object_id} has no {'definition' if version is None else f'version {version}'}"
            raise UndefinedObject(message)
        return _parsed(text)

    def definitions(self, kind: Kind) -> dict[int, dict[str, Any]]:
        """Return the newest definition of every object of a kind, by object id."""
        newest = and_(t.versions.c.object_id == t.objects.c.id, t.versions.c.version == t.objects.c.version)
        query = select(t.objects.c.id, t.versions.c.definition).join_from(t.objects, t.versions, newest)
        return {row[0]: _parsed(row[1]) for row in self.connection.execute(query.where(t.objects.c.kind == kind))}

    def dependents(self, object_id: int) -> tuple[ObjectRecord, ...]:
        """Return the objects that refer to this one directly."""
        users = select(t.dependencies.c.object_id).where(t.dependencies.c.target_id == object_id)
        return self._objects(_OBJECTS.where(t.objects.c.id.in_(users)))

    def dependencies(self, object_id: int) -> tuple[ObjectRecord, ...]:
        """Return the objects that this one refers to directly."""
        targets = select(t.dependencies.c.target_id).where(t.dependencies.c.object_id == object_id)
        return self._objects(_OBJECTS.where(t.objects.c.id.in_(targets)))

    def sealed(self, object_id: int, field: str, version: int | None = None) -> SealedRecord | None:
        """Return the newest sealed value of a field at or below a version, with the version that it was sealed for."""
        query = select(t.sealed.c.envelope, t.sealed.c.version).where(
            t.sealed.c.object_id == object_id, t.sealed.c.field == field
        )
        if version is not None:
            query = query.where(t.sealed.c.version <= version)
        row = self.connection.execute(query.order_by(t.sealed.c.version.desc()).limit(1)).first()
        return None if row is None else SealedRecord(*row)

    def all_sealed(self) -> Iterator[tuple[int, str, SealedRecord]]:
        """Give every sealed value that there is, with the id of its object and its field."""
        query = select(t.sealed.c.object_id, t.sealed.c.field, t.sealed.c.envelope, t.sealed.c.version)
        for row in self.connection.execute(query):
            yield row.object_id, row.field, SealedRecord(row.envelope, row.version)

    def in_use(self) -> bool:
        """Say whether anything here can only be read or verified with the keyring that wrote it."""
        query = select(or_(exists(select(t.sealed.c.object_id)), exists(select(t.ledger_head.c.id))))
        return bool(self.connection.execute(query).scalar())

    # --- roles and grants --------------------------------------------------------------------------------------------

    def role(self, name: str) -> RoleRecord | None:
        """Return the user or role of that name, or None."""
        return self._role(t.roles.c.name_key == name.casefold())

    def role_by_id(self, role_id: int) -> RoleRecord | None:
        """Return the user or role of that id, or None."""
        return self._role(t.roles.c.id == role_id)

    def roles(self) -> tuple[RoleRecord, ...]:
        """Return every user and role."""
        return tuple(RoleRecord(*row) for row in self.connection.execute(_ROLES.order_by(t.roles.c.id)))

    def memberships(self) -> tuple[tuple[int, int], ...]:
        """Return every (role id, id of a direct member)."""
        query = select(t.memberships.c.role_id, t.memberships.c.member_id)
        return tuple((row[0], row[1]) for row in self.connection.execute(query))

    def grants(
        self,
        *,
        grantee_ids: Iterable[int] | None = None,
        object_kind: str | None = None,
        object_id: int | None = None,
    ) -> tuple[GrantRecord, ...]:
        """Return grants, of some grantees or on some object where given, oldest first."""
        query = select(t.grants).order_by(t.grants.c.id)
        if grantee_ids is not None:
            query = query.where(t.grants.c.grantee_id.in_(bindparam("grantees", list(grantee_ids), expanding=True)))
        if object_kind is not None:
            query = query.where(t.grants.c.object_kind == object_kind)
        if object_id is not None:
            query = query.where(t.grants.c.object_id == object_id)
        return tuple(_grant(row) for row in self.connection.execute(query))

    def default_grants(self) -> tuple[DefaultGrantRecord, ...]:
        """Return every default privilege, oldest first."""
        found = self.connection.execute(select(t.default_grants).order_by(t.default_grants.c.id))
        return tuple(DefaultGrantRecord(*row) for row in found)

    def _schema(self, condition: ColumnElement[bool]) -> SchemaRecord | None:
        row = self.connection.execute(_SCHEMAS.where(condition)).first()
        return None if row is None else SchemaRecord(*row)

    def _objects(self, query: Select[Any]) -> tuple[ObjectRecord, ...]:
        return tuple(ObjectRecord(*row) for row in self.connection.execute(query.order_by(t.objects.c.id)))

    def _role(self, condition: ColumnElement[bool]) -> RoleRecord | None:
        row = self.connection.execute(_ROLES.where(condition)).first()
        return None if row is None else RoleRecord(*row)


def _grant(row: Row[Any]) -> GrantRecord:
    values = row._asdict()
    columns = values.pop("columns")
    return GrantRecord(**values, columns=None if columns is None else tuple(json.loads(columns)))


def _parsed(text: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(text)
    return value
