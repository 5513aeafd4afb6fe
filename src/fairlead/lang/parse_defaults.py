"""ALTER DEFAULT PRIVILEGES: what new tables and views give of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.lang.ast import AlterDefaultPrivileges
from fairlead.lang.parse_grants import grantees, plain_privileges, with_option
from fairlead.lang.parse_roles import account

if TYPE_CHECKING:
    from fairlead.lang.ast import Name
    from fairlead.lang.cursor import Cursor


def alter_default_privileges(cursor: Cursor) -> AlterDefaultPrivileges:
    """Read what follows ALTER."""
    cursor.expect("DEFAULT", "PRIVILEGES")
    roles: tuple[str, ...] = ()
    schemas: tuple[Name, ...] = ()
    if cursor.accept("FOR"):
        cursor.expect_one("ROLE", "USER")
        roles = cursor.comma_list(lambda: account(cursor))
    if cursor.accept("IN"):
        if cursor.at("DATABASE"):
            cursor.unsupported("default privileges of another database are set there", "USE it first")
        cursor.expect("SCHEMA")
        schemas = cursor.comma_list(cursor.name)
    revoke = cursor.expect_one("GRANT", "REVOKE") == "REVOKE"
    privileges = plain_privileges(cursor)
    cursor.expect("ON")
    if cursor.word() in {"CONNECTIONS", "SECRETS", "STAGES", "SCHEMAS", "SEQUENCES", "FUNCTIONS", "TYPES"}:
        cursor.unsupported(f"default privileges on {cursor.word()} are not offered yet", "ON TABLES is")
    cursor.expect("TABLES")
    cursor.expect("FROM" if revoke else "TO")
    to = grantees(cursor)
    option = not revoke and with_option(cursor)
    cursor.end()
    return AlterDefaultPrivileges(
        roles=roles, schemas=schemas, privileges=privileges, grantees=to, revoke=revoke, grant_option=option
    )
