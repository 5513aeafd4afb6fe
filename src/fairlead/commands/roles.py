"""CREATE, ALTER, DROP and SHOW of users and roles, and membership."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.access.scram import verifier_of
from fairlead.catalog.records import KINDS
from fairlead.commands import records
from fairlead.commands.house import House, Result
from fairlead.dialects import names
from fairlead.errors import DependentObjects, DuplicateObject, InvalidParameter, PermissionDenied
from fairlead.session_types import Notice

if TYPE_CHECKING:
    from fairlead.catalog.records import DatabaseRecord, ObjectRecord, RoleRecord, SchemaRecord
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.context import Context
    from fairlead.lang import ast
    from fairlead.sensitive import Sensitive

_RESERVED = ("public",)


def create(statement: ast.CreateRole, house: House, context: Context) -> Result:
    """CREATE USER or CREATE ROLE."""
    noun = _noun(statement.login)
    verifier = _verifier(statement.password)
    with house.catalog.write() as tx:
        house.access.require(context.principal, "CREATE ROLE", None)
        if statement.superuser:
            _require_superuser(context, "make a superuser")
        if tx.role(statement.name) is not None:
            if statement.if_not_exists:
                notice = Notice("NOTICE", f'role "{statement.name}" already exists, skipping')
                return Result(f"CREATE {noun}", notices=(notice,))
            message = f'role "{statement.name}" already exists'
            raise DuplicateObject(message)
        tx.create_role(statement.name, login=statement.login, superuser=statement.superuser, verifier=verifier)
        house.ledger.append(tx, records.ddl(context, f"CREATE {noun}", f"role {statement.name}"))
    return Result(f"CREATE {noun}")


def alter(statement: ast.AlterRole, house: House, context: Context) -> Result:
    """ALTER USER or ALTER ROLE; everybody may change their own password."""
    noun = _noun(statement.login)
    verifier = _verifier(statement.password)
    with house.catalog.write() as tx:
        role = names.role(tx, statement.name)
        own_password_only = (
            role.id == context.principal.user_id and statement.superuser is None and statement.rename_to is None
        )
        if not own_password_only:
            house.access.require(context.principal, "CREATE ROLE", None)
        if (role.superuser or statement.superuser is not None) and not own_password_only:
            _require_superuser(context, "change a superuser")
        if statement.superuser is False:
            _keep_a_superuser(tx, role)
        if statement.rename_to is not None and (role.name in _RESERVED or tx.role(statement.rename_to) is not None):
            message = f'role "{statement.rename_to}" already exists'
            raise DuplicateObject(message)
        tx.alter_role(role.id, name=statement.rename_to, superuser=statement.superuser, verifier=verifier)
        house.ledger.append(tx, records.ddl(context, f"ALTER {noun}", f"role {role.name}"))
    return Result(f"ALTER {noun}")


def drop(statement: ast.DropRole, house: House, context: Context) -> Result:
    """DROP USER or DROP ROLE: refused while the role owns something."""
    noun = _noun(statement.login)
    notices: list[Notice] = []
    with house.catalog.write() as tx:
        house.access.require(context.principal, "CREATE ROLE", None)
        for name in dict.fromkeys(statement.names):
            role = tx.role(name)
            if role is None and statement.if_exists:
                notices.append(Notice("NOTICE", f'role "{name}" does not exist, skipping'))
                continue
            role = names.role(tx, name)
            _refuse_drop(tx, role, context)
            tx.drop_role(role.id)
            house.ledger.append(tx, records.ddl(context, f"DROP {noun}", f"role {role.name}"))
    return Result(f"DROP {noun}", notices=tuple(notices))


def show(statement: ast.ShowRoles, house: House, context: Context) -> Result:
    """SHOW USERS or SHOW ROLES; those without CREATE ROLE see themselves and their own roles."""
    with house.catalog.read() as snapshot:
        everybody = house.access.can(context.principal, "CREATE ROLE", "system", None)
        by_id = {role.id: role for role in snapshot.roles()}
        groups: dict[int, list[str]] = {}
        for role_id, member_id in snapshot.memberships():
            groups.setdefault(member_id, []).append(by_id[role_id].name)
        rows = [
            (role.name, "yes" if role.superuser else "no", ", ".join(sorted(groups.get(role.id, []))))
            for role in by_id.values()
            if role.login == statement.login and (everybody or role.id in context.principal.role_ids)
        ]
    return Result("SHOW", ("name", "superuser", "member_of"), sorted(rows))


def grant(statement: ast.GrantRole, house: House, context: Context) -> Result:
    """GRANT role TO user."""
    with house.catalog.write() as tx:
        house.access.require(context.principal, "CREATE ROLE", None)
        for role_name in dict.fromkeys(statement.roles):
            role = names.role(tx, role_name)
            if role.superuser:
                _require_superuser(context, "grant a superuser's rights")
            for member_name in dict.fromkeys(statement.grantees):
                member = names.role(tx, member_name)
                _refuse_circle(tx, role, member)
                tx.add_member(role.id, member.id)
                house.ledger.append(tx, records.ddl(context, "GRANT ROLE", f"role {role.name}", to=member.name))
    return Result("GRANT ROLE")


def revoke(statement: ast.RevokeRole, house: House, context: Context) -> Result:
    """REVOKE role FROM user."""
    with house.catalog.write() as tx:
        house.access.require(context.principal, "CREATE ROLE", None)
        for role_name in dict.fromkeys(statement.roles):
            role = names.role(tx, role_name)
            for member_name in dict.fromkeys(statement.grantees):
                member = names.role(tx, member_name)
                tx.remove_member(role.id, member.id)
                house.ledger.append(tx, records.ddl(context, "REVOKE ROLE", f"role {role.name}", of=member.name))
    return Result("REVOKE ROLE")


def _noun(login: bool) -> str:
    return "USER" if login else "ROLE"


def _verifier(password: Sensitive | None) -> str | None:
    """Return the SCRAM verifier of a password, which goes nowhere else: not to the scrubber, which answers guesses."""
    if password is None:
        return None
    if not password:
        message = "the password is empty"
        raise InvalidParameter(message, hint="give a password, or leave PASSWORD out to make a user who cannot log in")
    return verifier_of(password)


def _require_superuser(context: Context, what: str) -> None:
    if not context.principal.is_superuser:
        message = f"only a superuser may {what}"
        raise PermissionDenied(message)


def _keep_a_superuser(tx: Snapshot, role: RoleRecord) -> None:
    """Somebody must remain who can give rights; nobody could give this one back."""
    if role.superuser and not any(r.superuser and r.login and r.verifier and r.id != role.id for r in tx.roles()):
        message = f'"{role.name}" is the last superuser who can log in, and stays one'
        raise DependentObjects(message, hint="make another user superuser first")


def _refuse_drop(tx: Snapshot, role: RoleRecord, context: Context) -> None:
    if role.superuser:
        _require_superuser(context, "drop a superuser")
    if role.name in _RESERVED or role.id == context.principal.user_id:
        message = f'role "{role.name}" cannot be dropped'
        raise DependentObjects(message, hint="it is reserved, or it is the user who asks")
    owned: list[ObjectRecord | SchemaRecord | DatabaseRecord] = [
        *(o for kind in KINDS for o in tx.objects(kind) if o.owner_id == role.id),
        *(schema for schema in tx.schemas() if schema.owner_id == role.id),
        *(database for database in tx.databases() if database.owner_id == role.id),
    ]
    if owned:
        listed = "\n".join(f"{o.kind} {o.full_name}" for o in owned[:20])
        message = f'role "{role.name}" cannot be dropped because it owns {len(owned)} object(s)'
        raise DependentObjects(message, detail=listed, hint="ALTER ... OWNER TO another role, or drop them, first")


def _refuse_circle(tx: Snapshot, role: RoleRecord, member: RoleRecord) -> None:
    holders: dict[int, set[int]] = {}
    for role_id, member_id in tx.memberships():
        holders.setdefault(member_id, set()).add(role_id)
    reach, frontier = {role.id}, [role.id]
    while frontier:
        for above in holders.get(frontier.pop(), ()):
            if above not in reach:
                reach.add(above)
                frontier.append(above)
    if member.id in reach:
        message = f'role "{role.name}" cannot be a member of itself'
        if member.id != role.id:
            message = f'role "{role.name}" is a member of role "{member.name}" already'
        raise InvalidParameter(message, hint="memberships cannot form a circle")
