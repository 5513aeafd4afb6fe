"""Changes of databases and schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, insert, select, update

from fairlead.catalog import tables as t
from fairlead.catalog.changing import name_key
from fairlead.catalog.granting import Granting
from fairlead.errors import DependentObjects, DuplicateObject, InvalidCatalogName, InvalidSchemaName

if TYPE_CHECKING:
    from fairlead.catalog.records import DatabaseRecord, SchemaRecord

_PUBLIC = "public"


class Placing(Granting):
    """The part of a transaction that changes where things can be."""

    # --- databases ---------------------------------------------------------------------------------------------------

    def create_database(
        self, name: str, owner_id: int | None, *, data_path: str | None = None, connection_id: int | None = None
    ) -> DatabaseRecord:
        """Create a database with the schema ``public``, in which everybody may use what they have rights on.

        Args:
            name: kept as typed, unique ignoring case.
            owner_id: a user or role, who owns ``public`` too; None for superusers alone.
            data_path: URL below which the files of its tables are; None for the gateway's own disk.
            connection_id: of the connection that leads there.

        Raises:
            InvalidName, DuplicateObject.
        """
        key = name_key(name)
        if self.database(name) is not None:
            message = f'database "{name}" already exists'
            raise DuplicateObject(message)
        values = {
            "name": name,
            "name_key": key,
            "owner_id": owner_id,
            "created_at": self.clock.now(),
            "data_path": data_path,
            "connection_id": connection_id,
        }
        self._change(insert(t.databases).values(values))
        created = self.database(name)
        assert created is not None
        self._open_to_all(self.create_schema(name, _PUBLIC, owner_id), owner_id)
        return created

    def set_database_owner(self, database_id: int, owner_id: int) -> None:
        """Give a database, with its schema ``public``, to another user or role."""
        self._change(update(t.databases).where(t.databases.c.id == database_id).values(owner_id=owner_id))
        public = and_(t.schemas.c.database_id == database_id, t.schemas.c.name_key == _PUBLIC)
        self._change(update(t.schemas).where(public).values(owner_id=owner_id))

    def drop_database(self, database_id: int) -> None:
        """Drop an empty database with its schemas and the grants on them.

        Raises:
            DependentObjects: it holds objects.
        """
        held = self.connection.execute(
            select(t.objects.c.id).where(t.objects.c.database_id == database_id).limit(1)
        ).first()
        if held is not None:
            message = "the database cannot be dropped because it holds objects"
            raise DependentObjects(message, hint="drop what it holds first")
        for schema in self.schemas():
            if schema.database_id == database_id:
                self._drop_grants("schema", schema.id)
        self._change(delete(t.databases).where(t.databases.c.id == database_id))
        self._drop_grants("database", database_id)

    # --- schemas -----------------------------------------------------------------------------------------------------

    def create_schema(self, database: str, name: str, owner_id: int | None) -> SchemaRecord:
        """Create a schema.

        Args:
            database: where; must exist.
            name: kept as typed, unique in the database ignoring case.
            owner_id: a user or role, None for superusers alone.

        Raises:
            InvalidName, InvalidCatalogName, DuplicateObject.
        """
        key, place = name_key(name), self.database(database)
        if place is None:
            message = f'database "{database}" does not exist'
            raise InvalidCatalogName(message, hint="SHOW DATABASES lists those there are")
        self._refuse_taken(place.name, name)
        values = {
            "database_id": place.id,
            "name": name,
            "name_key": key,
            "owner_id": owner_id,
            "created_at": self.clock.now(),
        }
        self._change(insert(t.schemas).values(values))
        created = self.schema(database, name)
        assert created is not None
        return created

    def rename_schema(self, schema_id: int, new_name: str) -> SchemaRecord:
        """Give a schema another name; what is in it goes along.

        Raises:
            InvalidName, InvalidSchemaName, DuplicateObject.
        """
        key, current = name_key(new_name), self._required_schema(schema_id)
        self._refuse_taken(current.database, new_name, except_id=schema_id)
        inside = and_(t.objects.c.database_id == current.database_id, t.objects.c.schema == current.name.casefold())
        self._change(update(t.objects).where(inside).values(schema=key))
        self._change(update(t.schemas).where(t.schemas.c.id == schema_id).values(name=new_name, name_key=key))
        return self._required_schema(schema_id)

    def set_schema_owner(self, schema_id: int, owner_id: int) -> None:
        """Give a schema to another user or role."""
        self._required_schema(schema_id)
        self._change(update(t.schemas).where(t.schemas.c.id == schema_id).values(owner_id=owner_id))

    def drop_schema(self, schema_id: int) -> None:
        """Drop an empty schema and the grants on it.

        Raises:
            InvalidSchemaName: it does not exist.
            DependentObjects: it holds objects, or is ``public``.
        """
        current = self._required_schema(schema_id)
        inside = and_(t.objects.c.database_id == current.database_id, t.objects.c.schema == current.name.casefold())
        if current.name.casefold() == _PUBLIC:
            message = "the schema public belongs to its database"
            raise DependentObjects(message, hint="DROP DATABASE drops it too")
        if self.connection.execute(select(t.objects.c.id).where(inside).limit(1)).first() is not None:
            message = f'schema "{current.full_name}" cannot be dropped because it holds objects'
            raise DependentObjects(message, hint="drop what it holds first")
        self._change(delete(t.schemas).where(t.schemas.c.id == schema_id))
        self._drop_grants("schema", schema_id)

    def _required_schema(self, schema_id: int) -> SchemaRecord:
        found = self.schema_by_id(schema_id)
        if found is None:
            message = f"schema {schema_id} does not exist"
            raise InvalidSchemaName(message, hint="it was dropped while this statement ran")
        return found

    def _refuse_taken(self, database: str, name: str, *, except_id: int = 0) -> None:
        taken = self.schema(database, name)
        if taken is not None and taken.id != except_id:
            message = f'schema "{taken.full_name}" already exists'
            raise DuplicateObject(message)

    def _open_to_all(self, schema: SchemaRecord, owner_id: int | None) -> None:
        """Grant USAGE to everybody, so that a grant on a table is enough."""
        everybody = self.role("public")
        if everybody is not None:
            self.add_grant(
                grantee_id=everybody.id,
                privilege="USAGE",
                object_kind="schema",
                object_id=schema.id,
                grantor_id=owner_id or everybody.id,
            )
