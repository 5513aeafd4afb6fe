"""ALTER DEFAULT PRIVILEGES and SHOW DEFAULT PRIVILEGES."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.access import privileges
from fairlead.commands import records
from fairlead.commands.house import House, Result
from fairlead.dialects import names
from fairlead.dialects import relations as shapes
from fairlead.dialects.infos import DefaultInfo

if TYPE_CHECKING:
    from fairlead.catalog.records import DefaultGrantRecord, RoleRecord
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.context import Context
    from fairlead.lang import ast


def alter(statement: ast.AlterDefaultPrivileges, house: House, context: Context) -> Result:
    """Say what the tables and views that a role will make give to others; those there are stay as they are."""
    with house.catalog.write() as tx:
        rights = privileges.canonical(statement.privileges, "table")
        owners = _owners(house, tx, statement, context)
        database = names.database(tx, context.database)
        places: list[tuple[int, int | None, str]] = [(database.id, None, f"database {database.name}")]
        if statement.schemas:
            schemas = [names.schema_named(tx, name, context) for name in statement.schemas]
            places = [(schema.database_id, schema.id, f"schema {schema.full_name}") for schema in schemas]
        grantees = [names.role(tx, name) for name in dict.fromkeys(statement.grantees)]
        for owner in owners:
            for database_id, schema_id, subject in places:
                for right in rights:
                    for grantee in grantees:
                        values = {"owner_id": owner.id, "grantee_id": grantee.id, "database_id": database_id}
                        if statement.revoke:
                            tx.remove_default_grant(**values, schema_id=schema_id, privilege=right)
                        else:
                            tx.add_default_grant(
                                **values, schema_id=schema_id, privilege=right, grant_option=statement.grant_option
                            )
                        verb = "REVOKE" if statement.revoke else "GRANT"
                        detail = {"of": owner.name, "to": grantee.name}
                        house.ledger.append(tx, records.ddl(context, f"DEFAULT {verb} {right}", subject, **detail))
    return Result("ALTER DEFAULT PRIVILEGES")


def show(_statement: ast.ShowDefaultPrivileges, house: House, context: Context) -> Result:
    """SHOW DEFAULT PRIVILEGES: those that the caller, or a role of theirs, gives or gets; a superuser sees all."""
    principal = context.principal
    with house.catalog.read() as snapshot:
        infos = [
            _info(snapshot, default)
            for default in snapshot.default_grants()
            if principal.is_superuser or principal.role_ids & {default.owner_id, default.grantee_id}
        ]
    return records.result("SHOW", shapes.show_default_privileges(infos))


def _owners(house: House, tx: Snapshot, statement: ast.AlterDefaultPrivileges, context: Context) -> list[RoleRecord]:
    owners = [names.role(tx, name) for name in dict.fromkeys(statement.roles or (context.principal.user_name,))]
    for owner in owners:
        house.access.require_membership(context.principal, owner)
    return owners


def _info(snapshot: Snapshot, default: DefaultGrantRecord) -> DefaultInfo:
    roles = {role.id: role.name for role in snapshot.roles()}
    schema = None if default.schema_id is None else snapshot.schema_by_id(default.schema_id)
    return DefaultInfo(
        owner=roles[default.owner_id],
        database=next(d.name for d in snapshot.databases() if d.id == default.database_id),
        schema=None if schema is None else schema.name,
        privilege=default.privilege,
        grantee=roles[default.grantee_id],
        grant_option=default.grant_option,
    )
