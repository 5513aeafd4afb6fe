"""Changing the catalog: a snapshot that can also write, alone, and whole or not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, update

from fairlead.catalog import tables as t
from fairlead.catalog.changing import MAX_NAME_BYTES, name_key
from fairlead.catalog.placing import Placing
from fairlead.catalog.records import RELATIONS
from fairlead.errors import (
    DependentObjects,
    DuplicateObject,
    DuplicateTable,
    InvalidCatalogName,
    InvalidSchemaName,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fairlead.catalog.records import DatabaseRecord, Kind, ObjectRecord

__all__ = ["MAX_NAME_BYTES", "Transaction"]

# What of a default privilege on tables a view takes.
_ON_VIEWS = frozenset({"SELECT"})


class Transaction(Placing):
    """The one writing transaction of the process. It ends with the block that opened it."""

    # --- objects -----------------------------------------------------------------------------------------------------

    def create_object(
        self,
        kind: Kind,
        database: str,
        schema: str,
        name: str,
        *,
        owner_id: int,
        definition: dict[str, Any],
        references: Iterable[int] = (),
        comment: str = "",
    ) -> ObjectRecord:
        """Create an object in version 1.

        Args:
            kind: its name space.
            database: where; must exist.
            schema: of the database; must exist.
            name: kept as typed, unique ignoring case.
            owner_id: a user or role.
            definition: any JSON object; never a secret.
            references: ids of the objects that it depends on.
            comment: any text.

        Raises:
            InvalidName, InvalidCatalogName, InvalidSchemaName, DuplicateObject (DuplicateTable of tables and views),
            UndefinedObject (of a reference).
        """
        key = name_key(name)
        place = self.database(database)
        if place is None:
            message = f'database "{database}" does not exist'
            raise InvalidCatalogName(message, hint="SHOW DATABASES lists those there are")
        where = self.schema(database, schema)
        if where is None:
            message = f'schema "{place.name}.{schema}" does not exist'
            raise InvalidSchemaName(message, hint="SHOW SCHEMAS lists those there are")
        self._refuse_taken_object(kind, place.name, where.name, name)
        now = self.clock.now()
        values = {
            "kind": kind,
            "database_id": place.id,
            "schema": where.name.casefold(),
            "name": name,
            "name_key": key,
            "owner_id": owner_id,
            "comment": comment,
            "enabled": True,
            "version": 1,
            "created_at": now,
            "modified_at": now,
        }
        self._change(insert(t.objects).values(values))
        created = self.find(kind, database, name, schema)
        assert created is not None
        self._store(created.id, 1, definition, references)
        if kind in RELATIONS:
            self._grant_defaults(created)
        return created

    def new_version(
        self, object_id: int, *, definition: dict[str, Any], references: Iterable[int] = ()
    ) -> ObjectRecord:
        """Give an object a new definition; what refers to it follows at once, because it refers by id."""
        version = self.get(object_id).version + 1
        self._set(object_id, version=version)
        self._store(object_id, version, definition, references)
        return self.get(object_id)

    def rename(self, object_id: int, new_name: str) -> ObjectRecord:
        """Give an object another name.

        Raises:
            InvalidName, DuplicateObject.
        """
        key, current = name_key(new_name), self.get(object_id)
        self._refuse_taken_object(current.kind, current.database, current.schema, new_name, except_id=object_id)
        self._set(object_id, name=new_name, name_key=key)
        return self.get(object_id)

    def set_owner(self, object_id: int, owner_id: int) -> None:
        """Give an object to another user or role."""
        self._set(object_id, owner_id=owner_id)

    def set_comment(self, object_id: int, comment: str) -> None:
        """Change the comment."""
        self._set(object_id, comment=comment)

    def set_enabled(self, object_id: int, enabled: bool) -> None:
        """Enable or disable an object; a disabled connection gives nobody anything."""
        self._set(object_id, enabled=enabled)

    def drop_object(self, object_id: int) -> None:
        """Remove an object with its versions, sealed values and the grants on it.

        Raises:
            DependentObjects: something refers to it.
            UndefinedObject: it does not exist.
        """
        current = self.get(object_id)
        users: list[ObjectRecord | DatabaseRecord] = [*self.dependents(object_id), *self.stored_through(object_id)]
        if users:
            message = f'{current.kind} "{current.full_name}" is in use'
            raise DependentObjects(message, detail="\n".join(f"{user.kind} {user.full_name}" for user in users[:20]))
        self._change(delete(t.objects).where(t.objects.c.id == object_id))
        self._drop_grants(current.kind, object_id)

    def put_sealed(self, object_id: int, field: str, version: int, envelope: bytes) -> None:
        """Store an encrypted value of an object."""
        values = {"object_id": object_id, "field": field, "version": version, "envelope": envelope}
        self._change(insert(t.sealed).values(values))

    # --- below -------------------------------------------------------------------------------------------------------

    def _refuse_taken_object(self, kind: Kind, database: str, schema: str, name: str, *, except_id: int = 0) -> None:
        """Refuse a name that is taken: tables and views share one name space, each other kind has its own."""
        relation = kind in RELATIONS
        taken = self.relation(database, schema, name) if relation else self.find(kind, database, name, schema)
        if taken is not None and taken.id != except_id:
            message = f'{taken.kind} "{taken.full_name}" already exists'
            raise (DuplicateTable if relation else DuplicateObject)(message)

    def _grant_defaults(self, record: ObjectRecord) -> None:
        """Grant on a new table or view what its owner has said that new ones give."""
        for default in self.default_grants():
            here = default.database_id == record.database_id and default.schema_id in (None, record.schema_id)
            fits = record.kind == "table" or default.privilege in _ON_VIEWS
            if here and fits and default.owner_id == record.owner_id:
                self.add_grant(
                    grantee_id=default.grantee_id,
                    privilege=default.privilege,
                    object_kind="table" if record.kind == "table" else "view",
                    object_id=record.id,
                    grant_option=default.grant_option,
                    grantor_id=record.owner_id,
                )

    def _set(self, object_id: int, **values: Any) -> None:
        self.get(object_id)
        stamped = {**values, "modified_at": self.clock.now()}
        self._change(update(t.objects).where(t.objects.c.id == object_id).values(stamped))

    def _store(self, object_id: int, version: int, definition: dict[str, Any], references: Iterable[int]) -> None:
        text = json.dumps(definition, sort_keys=True, separators=(",", ":"))
        values = {"object_id": object_id, "version": version, "definition": text, "created_at": self.clock.now()}
        self._change(insert(t.versions).values(values))
        self._change(delete(t.dependencies).where(t.dependencies.c.object_id == object_id))
        for target_id in sorted(set(references)):
            self.get(target_id)
            self._change(insert(t.dependencies).values(object_id=object_id, target_id=target_id))
