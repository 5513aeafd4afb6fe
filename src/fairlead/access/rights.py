"""Everything that a decision about rights needs, read from the catalog once and kept until the catalog changes.

The decisions are here, as functions of what was read; ``access.py`` keeps the newest reading and says no in words.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fairlead.access.privileges import ON_ALL_CONNECTIONS
from fairlead.context import Principal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fairlead.catalog.records import DatabaseRecord, ObjectRecord, RoleRecord
    from fairlead.catalog.snapshot import Snapshot

# (kind, id): what a grant is on; the id is None for the system.
Thing = tuple[str, int | None]

_SYSTEM: Thing = ("system", None)
_SCOPES = ("database", "schema")


@dataclass(frozen=True, slots=True)
class Rights:
    """Roles, memberships, objects and grants of one moment.

    Args:
        roles: by id.
        above: the roles that a user or role is a direct member of.
        objects: connections, secrets and stages by id.
        databases: by id.
        stages: definitions of stages by id.
        holders: who holds a privilege on a thing; the value says whether with grant option.
    """

    roles: Mapping[int, RoleRecord]
    above: Mapping[int, frozenset[int]]
    objects: Mapping[int, ObjectRecord]
    databases: Mapping[int, DatabaseRecord]
    stages: Mapping[int, Mapping[str, Any]]
    holders: Mapping[tuple[str, Thing], Mapping[int, bool]]
    public_id: int
    _principals: dict[int, Principal] = field(default_factory=dict)

    @classmethod
    def read(cls, snapshot: Snapshot) -> Rights:
        """Read all of it from one snapshot."""
        roles = {role.id: role for role in snapshot.roles()}
        above: dict[int, set[int]] = defaultdict(set)
        for role_id, member_id in snapshot.memberships():
            above[member_id].add(role_id)
        holders: dict[tuple[str, Thing], dict[int, bool]] = defaultdict(dict)
        for grant in snapshot.grants():
            holders[grant.privilege, (grant.object_kind, grant.object_id)][grant.grantee_id] = grant.grant_option
        return cls(
            roles=roles,
            above={member: frozenset(found) for member, found in above.items()},
            objects={o.id: o for kind in ("connection", "secret", "stage") for o in snapshot.objects(kind)},
            databases={database.id: database for database in snapshot.databases()},
            stages=snapshot.definitions("stage"),
            holders=dict(holders),
            public_id=next(role.id for role in roles.values() if role.name == "public"),
        )

    def principal(self, role_id: int) -> Principal:
        """Return a user or role with every role that is in force for it."""
        known = self._principals.get(role_id)
        if known is None:
            role = self.roles[role_id]
            known = Principal(role.id, role.name, self._in_force(role_id), role.superuser)
            self._principals[role_id] = known
        return known

    def owns(self, principal: Principal, owner_id: int | None) -> bool:
        """Say whether an owner is the principal or one of its roles; superusers own everything."""
        return principal.is_superuser or owner_id in principal.role_ids

    def can(self, principal: Principal, privilege: str, kind: str, object_id: int | None) -> bool:
        """Say whether a principal has a privilege on a thing, by whatever way."""
        if principal.is_superuser:
            return self._exists(kind, object_id)
        if kind == "system":
            return self._holds(principal, privilege, _SYSTEM)
        if kind in _SCOPES:
            return self._can_on_scope(principal, privilege, object_id)
        record = self.objects.get(object_id or 0)
        if record is None or record.kind != kind:
            return False
        if not (record.owner_id in principal.role_ids or self._granted(principal, privilege, record)):
            return False
        return kind != "stage" or self.backed(record)

    def may_grant(self, principal: Principal, privilege: str, kind: str, object_id: int | None) -> bool:
        """Say whether a principal may grant and revoke a privilege on a thing.

        The owner of a database may not grant what is on all its connections, because these belong to others.
        """
        if principal.is_superuser or self._holds(principal, privilege, (kind, object_id), grant_option=True):
            return True
        if kind in _SCOPES:
            database = self.databases.get(object_id or 0)
            owned = database is not None and database.owner_id in principal.role_ids
            over_all = self._over(privilege, object_id)
            with_option = any(self._holds(principal, privilege, thing, grant_option=True) for thing in over_all)
            return with_option or (owned and privilege not in ON_ALL_CONNECTIONS.values())
        record = self.objects.get(object_id or 0)
        if record is None or record.kind != kind:
            return False
        return record.owner_id in principal.role_ids or self._granted(principal, privilege, record, grant_option=True)

    def backed(self, stage: ObjectRecord) -> bool:
        """Say whether the owner of a stage still may use its connection; without that the stage gives nothing."""
        connection_id = self.stages.get(stage.id, {}).get("connection_id")
        if stage.owner_id not in self.roles or connection_id is None:
            return False
        return self.can(self.principal(stage.owner_id), "USAGE", "connection", connection_id)

    def _granted(
        self, principal: Principal, privilege: str, record: ObjectRecord, *, grant_option: bool = False
    ) -> bool:
        """Say whether a privilege on an object is granted on it or, for connections, on all those around it."""
        if self._holds(principal, privilege, (record.kind, record.id), grant_option=grant_option):
            return True
        wider = ON_ALL_CONNECTIONS.get(privilege) if record.kind == "connection" else None
        if wider is None:
            return False
        things = (*((scope, record.database_id) for scope in _SCOPES), _SYSTEM)
        return any(self._holds(principal, wider, thing, grant_option=grant_option) for thing in things)

    def _can_on_scope(self, principal: Principal, privilege: str, database_id: int | None) -> bool:
        database = self.databases.get(database_id or 0)
        if database is None:
            return False
        over_all = ON_ALL_CONNECTIONS.get(privilege) if privilege in ("SHOW", "ALTER", "DROP") else None
        privilege = over_all or privilege
        if database.owner_id in principal.role_ids and privilege not in ON_ALL_CONNECTIONS.values():
            return True
        if any(self._holds(principal, privilege, thing) for thing in self._over(privilege, database_id)):
            return True
        # CREATE is the right to create anything there.
        return privilege == "CREATE CONNECTION" and self._can_on_scope(principal, "CREATE", database_id)

    def _over(self, privilege: str, database_id: int | None) -> tuple[Thing, ...]:
        """Return where a grant of a privilege on a database may stand; only some privileges exist for the system."""
        here: tuple[Thing, ...] = tuple((scope, database_id) for scope in _SCOPES)
        everywhere = privilege == "CREATE CONNECTION" or privilege in ON_ALL_CONNECTIONS.values()
        return (*here, _SYSTEM) if everywhere else here

    def _holds(self, principal: Principal, privilege: str, thing: Thing, *, grant_option: bool = False) -> bool:
        holders = self.holders.get((privilege, thing))
        if not holders:
            return False
        return any(option or not grant_option for holder, option in holders.items() if holder in principal.role_ids)

    def _exists(self, kind: str, object_id: int | None) -> bool:
        if kind == "system":
            return True
        if kind in _SCOPES:
            return object_id in self.databases
        record = self.objects.get(object_id or 0)
        return record is not None and record.kind == kind

    def _in_force(self, role_id: int) -> frozenset[int]:
        found: set[int] = set()
        frontier: list[int] = [role_id, self.public_id]
        while frontier:
            current = frontier.pop()
            if current not in found:
                found.add(current)
                frontier.extend(self._above(current))
        return frozenset(found)

    def _above(self, role_id: int) -> Iterable[int]:
        return self.above.get(role_id, ())
