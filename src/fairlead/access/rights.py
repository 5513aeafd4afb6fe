"""Everything that a decision about rights needs, read from the catalog once and kept until the catalog changes.

The decisions are here, as functions of what was read; ``access.py`` keeps the newest reading and says no in words.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fairlead.access.privileges import GRANTABLE, OF_OTHERS, ON_ALL_CONNECTIONS, ON_ALL_TABLES
from fairlead.catalog.records import KINDS, RELATIONS
from fairlead.context import Principal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fairlead.catalog.records import DatabaseRecord, GrantRecord, Kind, ObjectRecord, RoleRecord, SchemaRecord
    from fairlead.catalog.snapshot import Snapshot

    StoreOf = Callable[[Mapping[str, Any]], str]

# (kind, id): what a grant is on; the id is None for the system.
Thing = tuple[str, int | None]

_DEFINED: tuple[Kind, ...] = ("stage", "table", "view")
_FEW = 20  # definitions that are asked for one by one
_SYSTEM: Thing = ("system", None)
# What the privileges on all objects inside are called, by kind of object.
_WIDER: Mapping[str, Mapping[str, str]] = {
    "connection": ON_ALL_CONNECTIONS,
    "table": ON_ALL_TABLES,
    "view": {"SELECT": ON_ALL_TABLES["SELECT"]},
}


@dataclass(frozen=True, slots=True)
class Rights:
    """Roles, memberships, objects and grants of one moment.

    Args:
        roles: by id.
        above: the roles that a user or role is a direct member of.
        objects: of every kind, by id.
        databases: by id.
        schemas: by id.
        definitions: of stages, tables and views, by id.
        holders: who holds a privilege on a thing; the value says whether with grant option.
        narrowed: grants of a part of a table, by id of the table.
        stores: what a connection leads to, by its id; connections to one store have the same.
    """

    roles: Mapping[int, RoleRecord]
    above: Mapping[int, frozenset[int]]
    objects: Mapping[int, ObjectRecord]
    databases: Mapping[int, DatabaseRecord]
    schemas: Mapping[int, SchemaRecord]
    definitions: Mapping[int, Mapping[str, Any]]
    holders: Mapping[tuple[str, Thing], Mapping[int, bool]]
    narrowed: Mapping[int, tuple[GrantRecord, ...]]
    public_id: int
    stores: Mapping[int, str]
    _principals: dict[int, Principal] = field(default_factory=dict)
    _insides: dict[tuple[frozenset[int], int], tuple[frozenset[str], bool]] = field(default_factory=dict)

    @classmethod
    def read(cls, snapshot: Snapshot, store_of: StoreOf, before: Rights | None = None) -> Rights:
        """Read all of it from one snapshot.

        Args:
            snapshot: the catalog.
            store_of: gives what a connection leads to, from its definition.
            before: an earlier reading, for what does not change; None = there is none.
        """
        roles = {role.id: role for role in snapshot.roles()}
        above: dict[int, set[int]] = defaultdict(set)
        for role_id, member_id in snapshot.memberships():
            above[member_id].add(role_id)
        holders: dict[tuple[str, Thing], dict[int, bool]] = defaultdict(dict)
        narrowed: dict[int, tuple[GrantRecord, ...]] = defaultdict(tuple)
        for grant in snapshot.grants():
            if grant.narrowed and grant.object_id is not None:
                narrowed[grant.object_id] += (grant,)
            else:
                holders[grant.privilege, (grant.object_kind, grant.object_id)][grant.grantee_id] = grant.grant_option
        objects = {o.id: o for kind in KINDS for o in snapshot.objects(kind)}
        return cls(
            roles=roles,
            above={member: frozenset(found) for member, found in above.items()},
            objects=objects,
            databases={database.id: database for database in snapshot.databases()},
            schemas={schema.id: schema for schema in snapshot.schemas()},
            definitions=_definitions(snapshot, objects, before),
            holders=dict(holders),
            narrowed=dict(narrowed),
            public_id=next(role.id for role in roles.values() if role.name == "public"),
            stores={i: store_of(definition) for i, definition in snapshot.definitions("connection").items()},
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
        if kind in ("database", "schema"):
            return self._can_on_scope(principal, privilege, kind, object_id or 0)
        record = self.objects.get(object_id or 0)
        return record is not None and record.kind == kind and self._can_on_object(principal, privilege, record)

    def may_grant(self, principal: Principal, privilege: str, kind: str, object_id: int | None) -> bool:
        """Say whether a principal may grant and revoke a privilege on a thing.

        The owner of a database or schema may not grant what is on all connections or tables in it, because these
        belong to others.
        """
        if principal.is_superuser or self._holds(principal, privilege, (kind, object_id), grant_option=True):
            return True
        if kind in ("database", "schema"):
            around = self._around(kind, object_id or 0)
            with_option = self._holds_any(principal, privilege, around, grant_option=True)
            return with_option or (self._owns_around(principal, around) and privilege not in OF_OTHERS)
        record = self.objects.get(object_id or 0)
        if record is None or record.kind != kind:
            return False
        return record.owner_id in principal.role_ids or self._granted(principal, privilege, record, grant_option=True)

    def actions(self, principal: Principal, relation: ObjectRecord) -> frozenset[str]:
        """Return the privileges that a principal has on a whole table or view.

        Those on the table, by ownership or grant, need USAGE on its schema; those on all tables around it do not.
        """
        there_are = GRANTABLE[relation.kind]
        if principal.is_superuser:
            return frozenset(there_are)
        wide, enters = self._inside(principal, relation.schema_id)
        if not enters:
            return wide.intersection(there_are)
        if relation.owner_id in principal.role_ids:
            return frozenset(there_are)
        own = (relation.kind, relation.id)
        return frozenset(p for p in there_are if p in wide or self._holds(principal, p, own))

    def parts(self, principal: Principal, table: ObjectRecord) -> tuple[GrantRecord, ...]:
        """Return the narrowed grants of a table that are in force for a principal, oldest first."""
        found = self.narrowed.get(table.id, ())
        if not found or not self._inside(principal, table.schema_id)[1]:
            return ()
        return tuple(grant for grant in found if grant.grantee_id in principal.role_ids)

    def backed(self, stage: ObjectRecord) -> bool:
        """Say whether the owner of a stage still may use its connection; without that the stage gives nothing."""
        connection_id = self.definitions.get(stage.id, {}).get("connection_id")
        if stage.owner_id not in self.roles or connection_id is None:
            return False
        return self.can(self.principal(stage.owner_id), "USAGE", "connection", connection_id)

    def storage(self, database_id: int) -> DatabaseRecord | None:
        """Return a database that stores through a connection which is enabled and which its owner may use."""
        database = self.databases.get(database_id)
        if database is None or database.connection_id is None:
            return None
        connection = self.objects.get(database.connection_id)
        if connection is None or not connection.enabled:
            return None
        if database.owner_id is None or self.can(
            self.principal(database.owner_id), "USAGE", "connection", database.connection_id
        ):
            return database
        return None

    def _can_on_object(self, principal: Principal, privilege: str, record: ObjectRecord) -> bool:
        if record.kind in RELATIONS:
            return privilege in self.actions(principal, record)
        if not (record.owner_id in principal.role_ids or self._granted(principal, privilege, record)):
            return False
        return record.kind != "stage" or self.backed(record)

    def _inside(self, principal: Principal, schema_id: int) -> tuple[frozenset[str], bool]:
        """Return what a principal may do with every table of a schema, and whether it may use what it has inside."""
        key = (principal.role_ids, schema_id)
        known = self._insides.get(key)
        if known is None:
            around = self._around("schema", schema_id)
            wide = frozenset(p for p, over_all in ON_ALL_TABLES.items() if self._holds_any(principal, over_all, around))
            known = self._insides[key] = wide, self._can_on_scope(principal, "USAGE", "schema", schema_id)
        return known

    def _granted(
        self, principal: Principal, privilege: str, record: ObjectRecord, *, grant_option: bool = False
    ) -> bool:
        """Say whether a privilege on an object is granted on it or on all objects of its kind around it."""
        if self._holds(principal, privilege, (record.kind, record.id), grant_option=grant_option):
            return True
        wider = _WIDER.get(record.kind, {}).get(privilege)
        if wider is None:
            return False
        around = self._around("schema", record.schema_id)
        return self._holds_any(principal, wider, around, grant_option=grant_option)

    def _can_on_scope(self, principal: Principal, privilege: str, kind: str, scope_id: int) -> bool:
        if not self._exists(kind, scope_id):
            return False
        over_all = ON_ALL_CONNECTIONS.get(privilege) if privilege in ("SHOW", "ALTER", "DROP") else None
        privilege = over_all or privilege
        around = self._around(kind, scope_id)
        if privilege not in OF_OTHERS and self._owns_around(principal, around):
            return True
        if self._holds_any(principal, privilege, around):
            return True
        # CREATE is the right to create anything there.
        return privilege == "CREATE CONNECTION" and self._can_on_scope(principal, "CREATE", kind, scope_id)

    def _around(self, kind: str, scope_id: int) -> tuple[Thing, ...]:
        """Return where a grant that reaches into a schema or database may stand."""
        if kind == "database":
            return (("database", scope_id), _SYSTEM)
        schema = self.schemas.get(scope_id)
        return () if schema is None else (("schema", scope_id), ("database", schema.database_id), _SYSTEM)

    def _owns_around(self, principal: Principal, around: tuple[Thing, ...]) -> bool:
        """Say whether a principal owns a schema or the database around it."""
        owners: list[int | None] = []
        for kind, scope_id in around:
            places = self.databases if kind == "database" else self.schemas if kind == "schema" else {}
            place = places.get(scope_id or 0)
            owners.append(None if place is None else place.owner_id)
        return any(owner in principal.role_ids for owner in owners)

    def _holds_any(
        self, principal: Principal, privilege: str, around: tuple[Thing, ...], *, grant_option: bool = False
    ) -> bool:
        """Say whether a privilege is held on one of several things; few privileges exist on the system."""
        return any(
            self._holds(principal, privilege, thing, grant_option=grant_option)
            for thing in around
            if thing != _SYSTEM or privilege in GRANTABLE["system"]
        )

    def _holds(self, principal: Principal, privilege: str, thing: Thing, *, grant_option: bool = False) -> bool:
        holders = self.holders.get((privilege, thing))
        if not holders:
            return False
        return any(option or not grant_option for holder, option in holders.items() if holder in principal.role_ids)

    def _exists(self, kind: str, object_id: int | None) -> bool:
        if kind == "system":
            return True
        if kind in ("database", "schema"):
            return object_id in (self.databases if kind == "database" else self.schemas)
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


def _definitions(
    snapshot: Snapshot, objects: Mapping[int, ObjectRecord], before: Rights | None
) -> Mapping[int, Mapping[str, Any]]:
    """Return the definitions that rights depend on; a version of an object has always the same."""
    found: dict[int, Mapping[str, Any]] = {}
    known = {} if before is None else before.definitions
    missing: list[int] = []
    for object_id, record in objects.items():
        if record.kind not in _DEFINED:
            continue
        if before is not None and object_id in known and before.objects[object_id].version == record.version:
            found[object_id] = known[object_id]
        else:
            missing.append(object_id)
    if len(missing) <= _FEW:
        return found | {object_id: snapshot.definition(object_id) for object_id in missing}
    for kind in _DEFINED:
        found |= snapshot.definitions(kind)
    return found
