"""GRANT, REVOKE and SHOW GRANTS: the dialects' privilege names, mapped onto the house's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.access import privileges
from fairlead.commands import connections, narrowing, records, relations, stages
from fairlead.commands.house import House, Result
from fairlead.dialects import names, tables
from fairlead.errors import InvalidParameter

if TYPE_CHECKING:
    from fairlead.catalog.records import GrantKind, GrantRecord, ObjectRecord
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.context import Context
    from fairlead.lang import ast


@dataclass(frozen=True, slots=True)
class _Thing:
    """What a grant is on: kind, id and description, and the rights of the statement as they are called on it."""

    kind: GrantKind
    id: int | None
    subject: str
    rights: tuple[str, ...] = ()
    record: ObjectRecord | None = None


def grant(statement: ast.Grant, house: House, context: Context) -> Result:
    """GRANT privileges on objects to users and roles."""
    narrowed = bool(statement.columns) or statement.condition is not None
    with house.catalog.write() as tx:
        things = _things(house, tx, statement.target, statement.privileges, context)
        grantees = [names.role(tx, name) for name in dict.fromkeys(statement.grantees)]
        for thing in things:
            if narrowed and thing.record is not None:
                narrowing.grant(tx, statement, thing.record, [role.id for role in grantees], house, context)
                continue
            _require_grantable(house, thing, context)
            for right in thing.rights:
                for grantee in grantees:
                    tx.add_grant(
                        grantee_id=grantee.id,
                        privilege=right,
                        object_kind=thing.kind,
                        object_id=thing.id,
                        grant_option=statement.grant_option,
                        grantor_id=context.principal.user_id,
                    )
                    house.ledger.append(tx, records.ddl(context, f"GRANT {right}", thing.subject, to=grantee.name))
    return Result("GRANT")


def revoke(statement: ast.Revoke, house: House, context: Context) -> Result:
    """REVOKE: what was granted is gone at the next request, also for sessions that run."""
    with house.catalog.write() as tx:
        things = _things(house, tx, statement.target, statement.privileges, context)
        grantees = [names.role(tx, name) for name in dict.fromkeys(statement.grantees)]
        for thing in things:
            _require_grantable(house, thing, context)
            for right in thing.rights:
                for grantee in grantees:
                    tx.remove_grant(
                        grantee_id=grantee.id,
                        privilege=right,
                        object_kind=thing.kind,
                        object_id=thing.id,
                        grant_option_only=statement.grant_option_only,
                        columns=statement.columns or None,
                    )
                    house.ledger.append(tx, records.ddl(context, f"REVOKE {right}", thing.subject, of=grantee.name))
    return Result("REVOKE")


def show(statement: ast.ShowGrants, house: House, context: Context) -> Result:
    """SHOW GRANTS of the caller, of a user or role, or on an object."""
    with house.catalog.read() as snapshot:
        if statement.on is not None:
            found = [
                grant
                for thing in _things(house, snapshot, statement.on, (), context)
                for grant in snapshot.grants(object_kind=thing.kind, object_id=thing.id)
            ]
        else:
            found = list(snapshot.grants(grantee_ids=_grantees(house, snapshot, statement.grantee, context)))
        infos = [_info(snapshot, grant) for grant in found]
    return records.result("SHOW", tables.show_grants(infos, context.dialect))


def _require_grantable(house: House, thing: _Thing, context: Context) -> None:
    for right in thing.rights:
        house.access.require_grantable(context.principal, right, thing.kind, thing.id, thing.subject)


def _grantees(house: House, snapshot: Snapshot, name: str | None, context: Context) -> tuple[int, ...]:
    if name is None:
        return tuple(sorted(context.principal.role_ids))
    role = names.role(snapshot, name)
    if role.id not in context.principal.role_ids:
        house.access.require(context.principal, "CREATE ROLE", None)
    return (role.id,)


def _things(
    house: House, tx: Snapshot, target: ast.GrantTarget, typed: tuple[str, ...], context: Context
) -> list[_Thing]:
    """Return what a grant is on, with the rights of the statement."""
    match target.kind:
        case "system":
            return [_Thing("system", None, "system", privileges.canonical(typed, "system"))]
        case "database":
            rights = privileges.canonical(typed, "database")
            databases = [names.database(tx, str(name)) for name in target.names]
            return [_Thing("database", d.id, f"database {d.name}", rights) for d in databases]
        case "schema":
            rights = privileges.canonical(typed, "schema")
            schemas = [names.schema_named(tx, name, context) for name in target.names]
            return [_Thing("schema", s.id, f"schema {s.full_name}", rights) for s in schemas]
        case "table" | "view":
            return _relations(house, tx, target, typed, context)
    if target.all_in:
        message = f"ALL {target.kind.upper()}S is not offered yet"
        raise InvalidParameter(message, hint=f"grant on DATABASE, or name each {target.kind}")
    rights = privileges.canonical(typed, target.kind)
    objects = [_object(house, tx, target, name, context) for name in dict.fromkeys(target.names)]
    return [_Thing(target.kind, o.id, f"{o.kind} {o.full_name}", rights, o) for o in objects]


def _object(house: House, tx: Snapshot, target: ast.GrantTarget, name: ast.Name, context: Context) -> ObjectRecord:
    if target.kind == "connection":
        return connections.visible(house, tx, name, context)
    if target.kind == "stage":
        return stages.visible(house, tx, name, context)
    return names.require(tx, "secret", name, context)


def _relations(
    house: House, tx: Snapshot, target: ast.GrantTarget, typed: tuple[str, ...], context: Context
) -> list[_Thing]:
    """Return tables and views: those named, or with ALL TABLES IN those that there are now, as in PostgreSQL."""
    if not target.all_in:
        kind: GrantKind = target.kind
        named = [
            relations.visible(house, tx, "view" if kind == "view" else "table", name, context)
            for name in dict.fromkeys(target.names)
        ]
        return [_relation(record, privileges.canonical(typed, _kind(record))) for record in named]
    asked = set(privileges.canonical(typed, "table"))
    things: list[_Thing] = []
    for record in _all_in(tx, target, context):
        rights = tuple(right for right in privileges.GRANTABLE[_kind(record)] if right in asked)
        # A refusal would name what the caller may not know of.
        if house.access.sees(context.principal, record) and (rights or not typed):
            things.append(_relation(record, rights))
    return things


def _all_in(tx: Snapshot, target: ast.GrantTarget, context: Context) -> list[ObjectRecord]:
    places: list[tuple[str, str | None]] = []
    for name in target.names:
        if target.within == "schema":
            schema = names.schema_named(tx, name, context)
            places.append((schema.database, schema.name))
        else:
            places.append((names.database(tx, str(name)).name, None))
    return [
        record
        for database, schema_name in places
        for kind in ("table", "view")
        for record in tx.objects(kind, database=database, schema=schema_name)
    ]


def _kind(record: ObjectRecord) -> GrantKind:
    return record.kind


def _relation(record: ObjectRecord, rights: tuple[str, ...]) -> _Thing:
    return _Thing(record.kind, record.id, f"{record.kind} {record.full_name}", rights, record)


def _info(snapshot: Snapshot, grant: GrantRecord) -> tables.GrantInfo:
    parts = _parts(snapshot, grant)
    grantee, grantor = snapshot.role_by_id(grant.grantee_id), snapshot.role_by_id(grant.grantor_id)
    return tables.GrantInfo(
        privilege=grant.privilege,
        object_kind=grant.object_kind,
        object_name=".".join(parts),
        grantee=grantee.name if grantee else "",
        grantee_login=bool(grantee and grantee.login),
        grantor=grantor.name if grantor else "",
        grant_option=grant.grant_option,
        created=grant.created_at,
        object_parts=parts,
        columns=grant.columns,
        condition=grant.condition,
    )


def _parts(snapshot: Snapshot, grant: GrantRecord) -> tuple[str, ...]:
    """Return the name of what a grant is on, as its parts; none for the system."""
    if grant.object_id is None:
        return ()
    if grant.object_kind == "database":
        return tuple(d.name for d in snapshot.databases() if d.id == grant.object_id)
    if grant.object_kind == "schema":
        schema = snapshot.schema_by_id(grant.object_id)
        return () if schema is None else (schema.database, schema.name)
    record = snapshot.get(grant.object_id)
    return record.database, record.schema, record.name
