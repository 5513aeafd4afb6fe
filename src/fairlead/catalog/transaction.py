"""Changing the catalog: a snapshot that can also write, alone, and whole or not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError

from fairlead.catalog import tables as t
from fairlead.catalog.snapshot import Snapshot
from fairlead.errors import (
    DependentObjects,
    DuplicateObject,
    InvalidCatalogName,
    InvalidName,
    InvalidSchemaName,
    UndefinedObject,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Executable

    from fairlead.catalog.records import DatabaseRecord, GrantKind, Kind, ObjectRecord, RoleRecord
    from fairlead.clock import Clock

MAX_NAME_BYTES = 255


class Transaction(Snapshot):
    """The one writing transaction of the process. It ends with the block that opened it.

    ``changed`` says whether objects, roles or grants were changed; a ledger row alone does not count.
    """

    def __init__(self, connection: Connection, clock: Clock) -> None:
        super().__init__(connection)
        self.clock = clock
        self.changed = False

    # --- databases ---------------------------------------------------------------------------------------------------

    def create_database(self, name: str, owner_id: int | None) -> DatabaseRecord:
        """Create a database with the schema ``public``.

        Raises:
            InvalidName, DuplicateObject.
        """
        key = _key(name)
        if self.database(name) is not None:
            message = f'database "{name}" already exists'
            raise DuplicateObject(message)
        values = {"name": name, "name_key": key, "owner_id": owner_id, "created_at": self.clock.now()}
        self._change(insert(t.databases).values(values))
        created = self.database(name)
        assert created is not None
        return created

    def drop_database(self, database_id: int) -> None:
        """Drop an empty database and the grants on it.

        Raises:
            DependentObjects: it holds objects.
        """
        held = self.connection.execute(
            select(t.objects.c.id).where(t.objects.c.database_id == database_id).limit(1)
        ).first()
        if held is not None:
            message = "the database cannot be dropped because it holds objects"
            raise DependentObjects(message, hint="drop what it holds first")
        self._change(delete(t.databases).where(t.databases.c.id == database_id))
        self._drop_grants(("database", "schema"), database_id)

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
            schema: must be ``public``.
            name: kept as typed, unique ignoring case.
            owner_id: a user or role.
            definition: any JSON object; never a secret.
            references: ids of the objects that it depends on.
            comment: any text.

        Raises:
            InvalidName, InvalidCatalogName, InvalidSchemaName, DuplicateObject, UndefinedObject (of a reference).
        """
        key = _key(name)
        place = self.database(database)
        if place is None:
            message = f'database "{database}" does not exist'
            raise InvalidCatalogName(message, hint="SHOW DATABASES lists those there are")
        if schema.casefold() != "public":
            message = f'schema "{database}.{schema}" does not exist'
            raise InvalidSchemaName(message, hint="every database has the schema public")
        if self.find(kind, database, name) is not None:
            message = f'{kind} "{place.name}.public.{name}" already exists'
            raise DuplicateObject(message)
        now = self.clock.now()
        values = {
            "kind": kind,
            "database_id": place.id,
            "schema": "public",
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
        created = self.find(kind, database, name)
        assert created is not None
        self._store(created.id, 1, definition, references)
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
        key, current = _key(new_name), self.get(object_id)
        taken = self.find(current.kind, current.database, new_name, current.schema)
        if taken is not None and taken.id != object_id:
            message = f'{current.kind} "{taken.full_name}" already exists'
            raise DuplicateObject(message)
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
        users = self.dependents(object_id)
        if users:
            message = f'{current.kind} "{current.full_name}" is in use'
            raise DependentObjects(message, detail="\n".join(f"{user.kind} {user.full_name}" for user in users[:20]))
        self._change(delete(t.objects).where(t.objects.c.id == object_id))
        self._drop_grants((current.kind,), object_id)

    def put_sealed(self, object_id: int, field: str, version: int, envelope: bytes) -> None:
        """Store an encrypted value of an object."""
        values = {"object_id": object_id, "field": field, "version": version, "envelope": envelope}
        self._change(insert(t.sealed).values(values))

    # --- roles -------------------------------------------------------------------------------------------------------

    def create_role(
        self, name: str, *, login: bool, superuser: bool = False, verifier: str | None = None
    ) -> RoleRecord:
        """Create a user (``login``) or a role.

        Raises:
            InvalidName, DuplicateObject.
        """
        key = _key(name)
        if self.role(name) is not None:
            message = f'role "{name}" already exists'
            raise DuplicateObject(message)
        values = {
            "name": name,
            "name_key": key,
            "login": login,
            "superuser": superuser,
            "verifier": verifier,
            "created_at": self.clock.now(),
        }
        self._change(insert(t.roles).values(values))
        created = self.role(name)
        assert created is not None
        return created

    def alter_role(
        self, role_id: int, *, name: str | None = None, superuser: bool | None = None, verifier: str | None = None
    ) -> None:
        """Change what is given; None leaves a property as it is.

        Raises:
            InvalidName, DuplicateObject, UndefinedObject.
        """
        values: dict[str, Any] = {}
        if name is not None:
            taken = self.role(name)
            if taken is not None and taken.id != role_id:
                message = f'role "{name}" already exists'
                raise DuplicateObject(message)
            values |= {"name": name, "name_key": _key(name)}
        if superuser is not None:
            values["superuser"] = superuser
        if verifier is not None:
            values["verifier"] = verifier
        if self.role_by_id(role_id) is None:
            message = f"role {role_id} does not exist"
            raise UndefinedObject(message)
        if values:
            self._change(update(t.roles).where(t.roles.c.id == role_id).values(values))

    def drop_role(self, role_id: int) -> None:
        """Remove a user or role with its memberships and the grants to it.

        Raises:
            DependentObjects: it owns something.
        """
        try:
            self._change(delete(t.roles).where(t.roles.c.id == role_id))
        except IntegrityError:
            message = "the role cannot be dropped because it owns objects"
            raise DependentObjects(message, hint="ALTER ... OWNER TO another role, or drop them, first") from None

    def add_member(self, role_id: int, member_id: int) -> None:
        """Make a user or role a member of a role; twice is the same as once."""
        values = {"role_id": role_id, "member_id": member_id}
        self._change(sqlite.insert(t.memberships).values(values).on_conflict_do_nothing())

    def remove_member(self, role_id: int, member_id: int) -> None:
        """End a membership, if there is one."""
        ends = (t.memberships.c.role_id == role_id) & (t.memberships.c.member_id == member_id)
        self._change(delete(t.memberships).where(ends))

    # --- grants ------------------------------------------------------------------------------------------------------

    def add_grant(
        self,
        *,
        grantee_id: int,
        privilege: str,
        object_kind: GrantKind,
        object_id: int | None,
        grant_option: bool = False,
        grantor_id: int,
    ) -> None:
        """Grant a privilege; granting again may add the grant option and never takes it away."""
        same = self._grant(grantee_id, privilege, object_kind, object_id)
        if self.connection.execute(select(t.grants.c.id).where(same)).first() is not None:
            if grant_option:
                self._change(update(t.grants).where(same).values(grant_option=True))
            return
        values = {
            "grantee_id": grantee_id,
            "privilege": privilege,
            "object_kind": object_kind,
            "object_id": object_id,
            "grant_option": grant_option,
            "grantor_id": grantor_id,
            "created_at": self.clock.now(),
        }
        self._change(insert(t.grants).values(values))

    def remove_grant(
        self,
        *,
        grantee_id: int,
        privilege: str,
        object_kind: GrantKind,
        object_id: int | None,
        grant_option_only: bool = False,
    ) -> None:
        """Revoke a privilege, or only the right to grant it; what others were granted by the grantee stays."""
        same = self._grant(grantee_id, privilege, object_kind, object_id)
        if grant_option_only:
            self._change(update(t.grants).where(same).values(grant_option=False))
        else:
            self._change(delete(t.grants).where(same))

    # --- below -------------------------------------------------------------------------------------------------------

    def _change(self, statement: Executable) -> None:
        self.changed = True
        self.connection.execute(statement)

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

    def _drop_grants(self, object_kinds: tuple[str, ...], object_id: int) -> None:
        on_it = t.grants.c.object_kind.in_(object_kinds) & (t.grants.c.object_id == object_id)
        self._change(delete(t.grants).where(on_it))

    @staticmethod
    def _grant(grantee_id: int, privilege: str, object_kind: str, object_id: int | None) -> Any:
        return (
            (t.grants.c.grantee_id == grantee_id)
            & (t.grants.c.privilege == privilege)
            & (t.grants.c.object_kind == object_kind)
            & t.grants.c.object_id.is_not_distinct_from(object_id)
        )


def _key(name: str) -> str:
    """Return what a name is compared by.

    Raises:
        InvalidName: it is empty, too long, or holds a zero character.
    """
    if not name:
        message = "a name cannot be empty"
        raise InvalidName(message)
    length = len(name.encode("utf-8", "surrogatepass"))
    if length > MAX_NAME_BYTES:
        message = f'the name "{name[:20]}..." has {length} bytes'
        raise InvalidName(message, hint=f"a name has at most {MAX_NAME_BYTES} bytes")
    if "\0" in name or not name.isprintable():
        message = "a name cannot hold control characters"
        raise InvalidName(message)
    return name.casefold()
