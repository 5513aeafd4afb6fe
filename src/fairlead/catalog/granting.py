"""Changes of roles, memberships and grants."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, insert, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError

from fairlead.catalog import tables as t
from fairlead.catalog.changing import Changing, name_key
from fairlead.errors import DependentObjects, DuplicateObject, UndefinedObject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement

    from fairlead.catalog.records import GrantKind, GrantRecord, RoleRecord


class Granting(Changing):
    """The part of a transaction that changes who there is and who may do what."""

    # --- roles -------------------------------------------------------------------------------------------------------

    def create_role(
        self, name: str, *, login: bool, superuser: bool = False, verifier: str | None = None
    ) -> RoleRecord:
        """Create a user (``login``) or a role.

        Raises:
            InvalidName, DuplicateObject.
        """
        key = name_key(name)
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
            values |= {"name": name, "name_key": name_key(name)}
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
        columns: Sequence[str] | None = None,
        condition: str | None = None,
    ) -> None:
        """Grant a privilege; granting again may add the grant option and never takes it away.

        Args:
            grantee_id: a user or role.
            privilege: what may be done.
            object_kind: of what it is on.
            object_id: of what it is on, None for the system.
            grant_option: whether it may be granted on.
            grantor_id: who grants.
            columns: narrow it to these columns, as the table spells them.
            condition: narrow it to the rows for which this SQL expression is true.
        """
        given = None if columns is None else tuple(columns)
        for known in self._grants(grantee_id, privilege, object_kind, object_id):
            if (known.columns, known.condition) == (given, condition):
                if grant_option:
                    self._change(update(t.grants).where(t.grants.c.id == known.id).values(grant_option=True))
                return
        values = {
            "grantee_id": grantee_id,
            "privilege": privilege,
            "object_kind": object_kind,
            "object_id": object_id,
            "grant_option": grant_option,
            "grantor_id": grantor_id,
            "created_at": self.clock.now(),
            "columns": None if given is None else json.dumps(given),
            "condition": condition,
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
        columns: Sequence[str] | None = None,
    ) -> None:
        """Revoke a privilege, or only the right to grant it; what others were granted by the grantee stays.

        Args:
            grantee_id: a user or role.
            privilege: what may be done.
            object_kind: of what it is on.
            object_id: of what it is on, None for the system.
            grant_option_only: take the right to grant it only.
            columns: take only the narrowed grants of exactly these columns; without, narrowed ones go too.
        """
        found = self._grants(grantee_id, privilege, object_kind, object_id)
        if columns is not None:
            wanted = {column.casefold() for column in columns}
            found = [g for g in found if g.columns is not None and {c.casefold() for c in g.columns} == wanted]
        for known in found:
            only = t.grants.c.id == known.id
            if grant_option_only:
                self._change(update(t.grants).where(only).values(grant_option=False))
            else:
                self._change(delete(t.grants).where(only))

    def add_default_grant(
        self,
        *,
        owner_id: int,
        database_id: int,
        schema_id: int | None,
        grantee_id: int,
        privilege: str,
        grant_option: bool = False,
    ) -> None:
        """Let new tables and views of an owner give a privilege; once more may add the grant option.

        Args:
            owner_id: whose tables.
            database_id: where they are made.
            schema_id: only in this schema; None for all of the database.
            grantee_id: who gets it.
            privilege: on a table; a view takes those that views have.
            grant_option: whether it may be granted on.
        """
        same = _default(owner_id, database_id, schema_id, grantee_id, privilege)
        row = self.connection.execute(t.default_grants.select().where(same)).first()
        if row is None:
            values = {
                "owner_id": owner_id,
                "database_id": database_id,
                "schema_id": schema_id,
                "grantee_id": grantee_id,
                "privilege": privilege,
                "grant_option": grant_option,
            }
            self._change(insert(t.default_grants).values(values))
        elif grant_option:
            self._change(update(t.default_grants).where(same).values(grant_option=True))

    def remove_default_grant(
        self, *, owner_id: int, database_id: int, schema_id: int | None, grantee_id: int, privilege: str
    ) -> None:
        """End a default privilege, if there is one; tables and views that exist keep what they gave."""
        same = _default(owner_id, database_id, schema_id, grantee_id, privilege)
        self._change(delete(t.default_grants).where(same))

    def _grants(self, grantee_id: int, privilege: str, object_kind: str, object_id: int | None) -> list[GrantRecord]:
        found = self.grants(grantee_ids=(grantee_id,), object_kind=object_kind, object_id=object_id)
        return [g for g in found if g.privilege == privilege and g.object_id == object_id]


def _default(
    owner_id: int, database_id: int, schema_id: int | None, grantee_id: int, privilege: str
) -> ColumnElement[bool]:
    return and_(
        t.default_grants.c.owner_id == owner_id,
        t.default_grants.c.database_id == database_id,
        t.default_grants.c.schema_id.is_not_distinct_from(schema_id),
        t.default_grants.c.grantee_id == grantee_id,
        t.default_grants.c.privilege == privilege,
    )
