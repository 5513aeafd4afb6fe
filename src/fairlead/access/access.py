"""Who may do what: one reading of the rights per change of the catalog, and a refusal that says what is missing.

Decisions follow what is committed. Inside a writing transaction that is still the state before it, which nobody else
can change meanwhile.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NoReturn

from fairlead.access import relations
from fairlead.access.privileges import GRANTABLE
from fairlead.access.rights import Rights
from fairlead.access.rules import EVERYTHING, READING, WRITING, Action, Rule, place
from fairlead.catalog.records import RELATIONS, DatabaseRecord, ObjectRecord, SchemaRecord
from fairlead.errors import PermissionDenied, UndefinedObject

if TYPE_CHECKING:
    from fairlead.access.relations import TableRights, ViewRights
    from fairlead.access.rights import StoreOf
    from fairlead.catalog.catalog import Catalog
    from fairlead.catalog.records import RoleRecord
    from fairlead.context import Principal

# Whatever has an owner and rights.
Owned = ObjectRecord | SchemaRecord | DatabaseRecord


class Access:
    """Decides on rights; safe for use from many threads, and cheap enough to ask on every request.

    Args:
        catalog: of the gateway.
        store_of: gives what a connection leads to, from its stored definition: a place that is closed in one store is
            open in another. Without it all connections are taken to lead to one store.
    """

    def __init__(self, catalog: Catalog, store_of: StoreOf = lambda _: "") -> None:
        self._catalog = catalog
        self._store_of = store_of
        self._reading = threading.Lock()
        self._known: _Known | None = None

    def principal(self, user_name: str) -> Principal:
        """Return a user with every role that is in force.

        Raises:
            UndefinedObject: there is no such user.
        """
        known = self._now()
        role_id = known.ids.get(user_name.casefold())
        if role_id is None:
            message = f'role "{user_name}" does not exist'
            raise UndefinedObject(message, hint="it was dropped, or never was; SHOW USERS lists those there are")
        return known.rights.principal(role_id)

    def as_role(self, role_id: int) -> Principal:
        """Return a user or role as if it ran a statement itself: views are computed as their owners.

        Raises:
            UndefinedObject: it was dropped.
        """
        known = self._now()
        if role_id not in known.rights.roles:
            message = f"role {role_id} does not exist"
            raise UndefinedObject(message)
        return known.rights.principal(role_id)

    def can(self, principal: Principal, privilege: str, kind: str, object_id: int | None) -> bool:
        """Say whether a principal has a privilege: as superuser, by ownership, or by a grant on it or around it.

        READ and WRITE on a stage end when the stage's owner loses USAGE on its connection. A right on a table or view
        is worth nothing without USAGE on its schema. A right on a part of a table is not SELECT: see ``tables``.

        Args:
            principal: who.
            privilege: one of ``privileges.GRANTABLE``; on a database, SHOW, ALTER and DROP mean on all its connections.
            kind: ``system``, ``database``, ``schema``, ``connection``, ``secret``, ``stage``, ``table`` or ``view``.
            object_id: of the database, schema or object; None for ``system``.
        """
        return self._now().rights.can(principal, privilege, kind, object_id)

    def owns(self, principal: Principal, obj: Owned) -> bool:
        """Say whether the owner is the principal or one of its roles; superusers own everything."""
        return self._now().rights.owns(principal, obj.owner_id)

    def sees(self, principal: Principal, obj: Owned) -> bool:
        """Say whether a principal may know that an object exists: its owner, or anybody with any right on it.

        Databases everybody may know, schemas everybody who may know something in them.
        """
        if isinstance(obj, DatabaseRecord):
            return True
        if isinstance(obj, SchemaRecord):
            return self._sees_schema(principal, obj)
        if obj.kind in RELATIONS:
            return relations.seen(self._now().rights, principal, obj)
        return self.owns(principal, obj) or any(
            self.can(principal, privilege, obj.kind, obj.id) for privilege in GRANTABLE[obj.kind]
        )

    def rules(self, principal: Principal) -> tuple[Rule, ...]:
        """Return what a principal may do in stores: connections, then stages, then tables, each in creation order."""
        known = self._now()
        found = known.rules.get(principal)
        if found is None:
            found = _rules(known.rights, principal)
            found = known.rules[principal] = (*found, *relations.rules(known.rights, known.tables_of(principal)))
        return found

    def tables(self, principal: Principal) -> tuple[TableRights, ...]:
        """Return the tables that a principal has any right on, and which; in creation order."""
        return self._now().tables_of(principal)

    def views(self, principal: Principal) -> tuple[ViewRights, ...]:
        """Return the views that a principal owns or may read, in creation order."""
        known = self._now()
        found = known.views.get(principal)
        if found is None:
            found = known.views[principal] = relations.views(known.rights, principal)
        return found

    def require(self, principal: Principal, privilege: str, obj: Owned | None) -> None:
        """Refuse a principal that lacks a privilege on an object, a schema, a database, or (None) the system.

        Raises:
            PermissionDenied.
        """
        kind, object_id = ("system", None) if obj is None else (obj.kind, obj.id)
        if not self.can(principal, privilege, kind, object_id):
            _deny(principal, privilege, _spoken(obj))

    def require_create(self, principal: Principal, privilege: str, schema: SchemaRecord) -> None:
        """Refuse a principal that may not create (``CREATE``, ``CREATE CONNECTION``) in a schema.

        Raises:
            PermissionDenied.
        """
        self.require(principal, privilege, schema)

    def require_owner(self, principal: Principal, obj: Owned) -> None:
        """Refuse a principal that neither owns an object, schema or database, nor is superuser.

        Raises:
            PermissionDenied.
        """
        if not self.owns(principal, obj):
            message = f"must be owner of {obj.kind.upper()} {obj.full_name}"
            raise PermissionDenied(message)

    def require_membership(self, principal: Principal, role: RoleRecord) -> None:
        """Refuse a principal that is not a member of a role, to which it wants to give something.

        Raises:
            PermissionDenied.
        """
        if not principal.is_superuser and role.id not in principal.role_ids:
            message = f'must be a member of "{role.name}"'
            raise PermissionDenied(message)

    def require_grantable(
        self, principal: Principal, privilege: str, kind: str, object_id: int | None, subject: str
    ) -> None:
        """Refuse a principal that may not grant or revoke a privilege: neither owner, nor holder with grant option.

        Args:
            principal: who.
            privilege: one of ``privileges.GRANTABLE``.
            kind: of what it is on.
            object_id: of what it is on.
            subject: the same in words, for the message.

        Raises:
            PermissionDenied.
        """
        if not self._now().rights.may_grant(principal, privilege, kind, object_id):
            message = f"permission denied to grant or revoke {privilege} on {subject}"
            raise PermissionDenied(message, hint="its owner may, and whoever has the right WITH GRANT OPTION")

    def _sees_schema(self, principal: Principal, schema: SchemaRecord) -> bool:
        if self.owns(principal, schema):
            return True
        if any(self.can(principal, privilege, "schema", schema.id) for privilege in GRANTABLE["schema"]):
            return True
        return any(table.record.schema_id == schema.id for table in self.tables(principal))

    def _now(self) -> _Known:
        known = self._known
        if known is None or known.epoch != self._catalog.epoch:
            with self._reading:
                known = self._known
                # The epoch is taken first: what is read then may be newer than it, and never older.
                epoch = self._catalog.epoch
                if known is None or known.epoch != epoch:
                    before = None if known is None else known.rights
                    with self._catalog.read() as snapshot:
                        known = _Known(epoch, Rights.read(snapshot, self._store_of, before))
                    self._known = known
        return known


class _Known:
    """One reading of the rights, and what was worked out from it."""

    __slots__ = ("epoch", "ids", "rights", "rules", "tables", "views")

    def __init__(self, epoch: int, rights: Rights) -> None:
        self.epoch = epoch
        self.rights = rights
        self.ids = {role.name.casefold(): role.id for role in rights.roles.values()}
        self.rules: dict[Principal, tuple[Rule, ...]] = {}
        self.tables: dict[Principal, tuple[TableRights, ...]] = {}
        self.views: dict[Principal, tuple[ViewRights, ...]] = {}

    def tables_of(self, principal: Principal) -> tuple[TableRights, ...]:
        """Return the tables of a principal, worked out once."""
        found = self.tables.get(principal)
        if found is None:
            found = self.tables[principal] = relations.tables(self.rights, principal)
        return found


def _rules(rights: Rights, principal: Principal) -> tuple[Rule, ...]:
    connections: list[Rule] = []
    stages: list[Rule] = []
    for record in rights.objects.values():
        if record.kind == "connection" and record.enabled and rights.can(principal, "USAGE", "connection", record.id):
            via = f"connection {record.full_name}"
            closed = _data_paths(rights, record.id)
            connections.append(Rule(record.id, None, "", EVERYTHING, via, connection=record.full_name, closed=closed))
        elif record.kind == "stage":
            stages += _stage_rules(rights, principal, record)
    return (*connections, *stages)


def _stage_rules(rights: Rights, principal: Principal, stage: ObjectRecord) -> list[Rule]:
    definition = rights.definitions[stage.id]
    connection = rights.objects.get(definition.get("connection_id", 0))
    found = place(definition.get("url", ""))
    if connection is None or not connection.enabled or not stage.enabled or found is None:
        return []
    actions: frozenset[Action] = frozenset()
    if rights.can(principal, "READ", "stage", stage.id):
        actions |= READING
    if rights.can(principal, "WRITE", "stage", stage.id):
        actions |= WRITING
    if not actions:
        return []
    via, closed = f"stage {stage.full_name}", _data_paths(rights, connection.id)
    return [Rule(connection.id, *found, actions, via, connection=connection.full_name, closed=closed)]


def _data_paths(rights: Rights, connection_id: int) -> tuple[tuple[str, str], ...]:
    """Return where databases keep the files of their tables in a store: rights on tables lead there, nothing else."""
    store = rights.stores[connection_id]
    found = (
        place(database.data_path)
        for database in rights.databases.values()
        if database.data_path is not None and rights.stores.get(database.connection_id or 0) == store
    )
    return tuple(one for one in found if one is not None)


def _spoken(obj: Owned | None) -> str:
    return "SYSTEM" if obj is None else f'{obj.kind.upper()} "{obj.full_name}"'


def _deny(principal: Principal, privilege: str, subject: str) -> NoReturn:
    detail = f"The '{principal.user_name}' role needs {privilege} privileges on {subject}"
    raise PermissionDenied(f"permission denied for {subject}", detail=detail)
