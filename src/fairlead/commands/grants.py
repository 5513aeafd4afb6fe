"""GRANT, REVOKE and SHOW GRANTS: the dialects' privilege names, mapped onto the house's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.access import privileges
from fairlead.commands import connections, records, stages
from fairlead.commands.house import House, Result
from fairlead.dialects import names, tables
from fairlead.errors import InvalidParameter

if TYPE_CHECKING:
    from fairlead.catalog.records import GrantRecord
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.context import Context
    from fairlead.lang import ast


def grant(statement: ast.Grant, house: House, context: Context) -> Result:
    """GRANT privileges on objects to users and roles."""
    with house.catalog.write() as tx:
        rights = privileges.canonical(statement.privileges, statement.target.kind)
        targets = _grantable(house, tx, statement.target, rights, context)
        grantees = [names.role(tx, name) for name in dict.fromkeys(statement.grantees)]
        for object_id, subject in targets:
            for right in rights:
                for grantee in grantees:
                    tx.add_grant(
                        grantee_id=grantee.id,
                        privilege=right,
                        object_kind=statement.target.kind,
                        object_id=object_id,
                        grant_option=statement.grant_option,
                        grantor_id=context.principal.user_id,
                    )
                    house.ledger.append(tx, records.ddl(context, f"GRANT {right}", subject, to=grantee.name))
    return Result("GRANT")


def revoke(statement: ast.Revoke, house: House, context: Context) -> Result:
    """REVOKE: what was granted is gone at the next request, also for sessions that run."""
    with house.catalog.write() as tx:
        rights = privileges.canonical(statement.privileges, statement.target.kind)
        targets = _grantable(house, tx, statement.target, rights, context)
        grantees = [names.role(tx, name) for name in dict.fromkeys(statement.grantees)]
        for object_id, subject in targets:
            for right in rights:
                for grantee in grantees:
                    tx.remove_grant(
                        grantee_id=grantee.id,
                        privilege=right,
                        object_kind=statement.target.kind,
                        object_id=object_id,
                        grant_option_only=statement.grant_option_only,
                    )
                    house.ledger.append(tx, records.ddl(context, f"REVOKE {right}", subject, of=grantee.name))
    return Result("REVOKE")


def show(statement: ast.ShowGrants, house: House, context: Context) -> Result:
    """SHOW GRANTS of the caller, of a user or role, or on an object."""
    with house.catalog.read() as snapshot:
        if statement.on is not None:
            found = [
                grant
                for object_id, _ in _targets(house, snapshot, statement.on, context)
                for grant in snapshot.grants(object_kind=statement.on.kind, object_id=object_id)
            ]
        else:
            found = list(snapshot.grants(grantee_ids=_grantees(house, snapshot, statement.grantee, context)))
        infos = [_info(snapshot, grant) for grant in found]
    return records.result("SHOW", tables.show_grants(infos, context.dialect))


def _grantable(
    house: House, tx: Snapshot, target: ast.GrantTarget, rights: tuple[str, ...], context: Context
) -> list[tuple[int | None, str]]:
    """Return what a grant is on, if the caller may grant every one of the rights on all of it."""
    targets = _targets(house, tx, target, context)
    for object_id, subject in targets:
        for right in rights:
            house.access.require_grantable(context.principal, right, target.kind, object_id, subject)
    return targets


def _grantees(house: House, snapshot: Snapshot, name: str | None, context: Context) -> tuple[int, ...]:
    if name is None:
        return tuple(sorted(context.principal.role_ids))
    role = names.role(snapshot, name)
    if role.id not in context.principal.role_ids:
        house.access.require(context.principal, "CREATE ROLE", None)
    return (role.id,)


def _targets(house: House, tx: Snapshot, target: ast.GrantTarget, context: Context) -> list[tuple[int | None, str]]:
    """Return (object id, description) of what a grant is on."""
    if target.kind == "system":
        return [(None, "system")]
    if target.kind in ("database", "schema"):
        found = [names.database(tx, name.parts[0]) for name in target.names]
        return [(database.id, f"database {database.name}") for database in found]
    if target.all_in:
        message = f"ALL {target.kind.upper()}S is not offered yet"
        raise InvalidParameter(message, hint=f"grant on DATABASE, or name each {target.kind}")
    subjects: list[tuple[int | None, str]] = []
    for name in dict.fromkeys(target.names):
        if target.kind == "connection":
            record = connections.visible(house, tx, name, context)
        elif target.kind == "stage":
            record = stages.visible(house, tx, name, context)
        else:
            record = names.require(tx, "secret", name, context)
        subjects.append((record.id, f"{record.kind} {record.full_name}"))
    return subjects


def _info(snapshot: Snapshot, grant: GrantRecord) -> tables.GrantInfo:
    subject = ""
    if grant.object_kind in ("database", "schema"):
        subject = next((d.name for d in snapshot.databases() if d.id == grant.object_id), "")
    elif grant.object_id is not None:
        subject = snapshot.get(grant.object_id).full_name
    grantee, grantor = snapshot.role_by_id(grant.grantee_id), snapshot.role_by_id(grant.grantor_id)
    return tables.GrantInfo(
        privilege=grant.privilege,
        object_kind=grant.object_kind,
        object_name=subject,
        grantee=grantee.name if grantee else "",
        grantee_login=bool(grantee and grantee.login),
        grantor=grantor.name if grantor else "",
        grant_option=grant.grant_option,
        created=grant.created_at,
    )
