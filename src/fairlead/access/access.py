"""Who may do what: one reading of the rights per change of the catalog, and a refusal that says what is missing.

Decisions follow what is committed. Inside a writing transaction that is still the state before it, which nobody else
can change meanwhile.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NoReturn

from fairlead.access.privileges import GRANTABLE
from fairlead.access.rights import Rights
from fairlead.access.rules import EVERYTHING, READING, WRITING, Action, Rule, place
from fairlead.catalog.records import DatabaseRecord, ObjectRecord
from fairlead.errors import PermissionDenied, UndefinedObject

if TYPE_CHECKING:
    from fairlead.catalog.catalog import Catalog
    from fairlead.catalog.records import RoleRecord
    from fairlead.context import Principal


class Access:
    """Decides on rights; safe for use from many threads, and cheap enough to ask on every request."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
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

    def can(self, principal: Principal, privilege: str, kind: str, object_id: int | None) -> bool:
        """Say whether a principal has a privilege: as superuser, by ownership, or by a grant on it or around it.

        READ and WRITE on a stage end when the stage's owner loses USAGE on its connection.

        Args:
            principal: who.
            privilege: one of ``privileges.GRANTABLE``; on a database, SHOW, ALTER and DROP mean on all its connections.
            kind: ``system``, ``database``, ``schema``, ``connection``, ``secret`` or ``stage``.
            object_id: of the database or object; None for ``system``.
        """
        return self._now().rights.can(principal, privilege, kind, object_id)

    def owns(self, principal: Principal, obj: ObjectRecord | DatabaseRecord) -> bool:
        """Say whether the owner is the principal or one of its roles; superusers own everything."""
        return self._now().rights.owns(principal, obj.owner_id)

    def sees(self, principal: Principal, obj: ObjectRecord) -> bool:
        """Say whether a principal may know that an object exists: its owner, or anybody with any right on it."""
        return self.owns(principal, obj) or any(
            self.can(principal, privilege, obj.kind, obj.id) for privilege in GRANTABLE[obj.kind]
        )

    def rules(self, principal: Principal) -> tuple[Rule, ...]:
        """Return what a principal may do in stores: whole connections first, then stages, each in creation order."""
        known = self._now()
        found = known.rules.get(principal)
        if found is None:
            found = known.rules[principal] = _rules(known.rights, principal)
        return found

    def require(self, principal: Principal, privilege: str, obj: ObjectRecord | DatabaseRecord | None) -> None:
        """Refuse a principal that lacks a privilege on an object, a database, or (None) the system.

        Raises:
            PermissionDenied.
        """
        kind, object_id = _thing(obj)
        if not self.can(principal, privilege, kind, object_id):
            _deny(principal, privilege, _spoken(obj))

    def require_create(self, principal: Principal, privilege: str, database: DatabaseRecord) -> None:
        """Refuse a principal that may not create (``CREATE``, ``CREATE CONNECTION``) in a database.

        Raises:
            PermissionDenied.
        """
        if not self.can(principal, privilege, "database", database.id):
            _deny(principal, privilege, f'SCHEMA "{database.name}.public"')

    def require_owner(self, principal: Principal, obj: ObjectRecord | DatabaseRecord) -> None:
        """Refuse a principal that neither owns an object or database, nor is superuser.

        Raises:
            PermissionDenied.
        """
        if not self.owns(principal, obj):
            kind, name = _named(obj)
            message = f"must be owner of {kind} {name}"
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

    def _now(self) -> _Known:
        known = self._known
        if known is None or known.epoch != self._catalog.epoch:
            with self._reading:
                known = self._known
                # The epoch is taken first: what is read then may be newer than it, and never older.
                epoch = self._catalog.epoch
                if known is None or known.epoch != epoch:
                    with self._catalog.read() as snapshot:
                        known = _Known(epoch, Rights.read(snapshot))
                    self._known = known
        return known


class _Known:
    """One reading of the rights, and what was worked out from it."""

    __slots__ = ("epoch", "ids", "rights", "rules")

    def __init__(self, epoch: int, rights: Rights) -> None:
        self.epoch = epoch
        self.rights = rights
        self.ids = {role.name.casefold(): role.id for role in rights.roles.values()}
        self.rules: dict[Principal, tuple[Rule, ...]] = {}


def _rules(rights: Rights, principal: Principal) -> tuple[Rule, ...]:
    connections: list[Rule] = []
    stages: list[Rule] = []
    for record in rights.objects.values():
        if record.kind == "connection" and record.enabled and rights.can(principal, "USAGE", "connection", record.id):
            via = f"connection {record.full_name}"
            connections.append(Rule(record.id, None, "", EVERYTHING, via, connection=record.full_name))
        elif record.kind == "stage":
            stages += _stage_rules(rights, principal, record)
    return (*connections, *stages)


def _stage_rules(rights: Rights, principal: Principal, stage: ObjectRecord) -> list[Rule]:
    definition = rights.stages[stage.id]
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
    return [Rule(connection.id, *found, actions, f"stage {stage.full_name}", connection=connection.full_name)]


def _thing(obj: ObjectRecord | DatabaseRecord | None) -> tuple[str, int | None]:
    if obj is None:
        return "system", None
    return ("database" if isinstance(obj, DatabaseRecord) else obj.kind), obj.id


def _named(obj: ObjectRecord | DatabaseRecord) -> tuple[str, str]:
    return ("DATABASE", obj.name) if isinstance(obj, DatabaseRecord) else (obj.kind.upper(), obj.full_name)


def _spoken(obj: ObjectRecord | DatabaseRecord | None) -> str:
    if obj is None:
        return "SYSTEM"
    kind, name = _named(obj)
    return f'{kind} "{name}"'


def _deny(principal: Principal, privilege: str, subject: str) -> NoReturn:
    detail = f"The '{principal.user_name}' role needs {privilege} privileges on {subject}"
    raise PermissionDenied(f"permission denied for {subject}", detail=detail)
