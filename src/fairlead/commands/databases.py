"""CREATE, DROP and SHOW of databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.commands import records
from fairlead.commands.house import House, Result
from fairlead.context import DEFAULT_DATABASE
from fairlead.dialects import names
from fairlead.errors import DependentObjects, DuplicateObject
from fairlead.session_types import Notice

if TYPE_CHECKING:
    from fairlead.context import Context
    from fairlead.lang import ast


def create(statement: ast.CreateDatabase, house: House, context: Context) -> Result:
    """CREATE DATABASE."""
    with house.catalog.write() as tx:
        house.access.require(context.principal, "CREATE DATABASE", None)
        if tx.database(statement.name) is not None:
            if statement.if_not_exists:
                notice = Notice("NOTICE", f'database "{statement.name}" already exists, skipping')
                return Result("CREATE DATABASE", notices=(notice,))
            message = f'database "{statement.name}" already exists'
            raise DuplicateObject(message)
        tx.create_database(statement.name, owner_id=context.principal.user_id)
        house.ledger.append(tx, records.ddl(context, "CREATE DATABASE", f"database {statement.name}"))
    return Result("CREATE DATABASE")


def drop(statement: ast.DropDatabase, house: House, context: Context) -> Result:
    """DROP DATABASE: only an empty one."""
    with house.catalog.write() as tx:
        found = tx.database(statement.name)
        if found is None and statement.if_exists:
            notice = Notice("NOTICE", f'database "{statement.name}" does not exist, skipping')
            return Result("DROP DATABASE", notices=(notice,))
        found = names.database(tx, statement.name)
        house.access.require_owner(context.principal, found)
        held = [o for kind in ("connection", "secret", "stage") for o in tx.objects(kind, database=found.name)]
        if held or found.name == DEFAULT_DATABASE:
            message = f'database "{found.name}" cannot be dropped'
            detail = "\n".join(f"{o.kind} {o.full_name}" for o in held[:20]) or "it is the default database"
            raise DependentObjects(message, detail=detail, hint="drop what it holds first")
        tx.drop_database(found.id)
        house.ledger.append(tx, records.ddl(context, "DROP DATABASE", f"database {found.name}"))
    return Result("DROP DATABASE")


def show(_statement: ast.ShowDatabases, house: House, _context: Context) -> Result:
    """SHOW DATABASES."""
    with house.catalog.read() as snapshot:
        return Result("SHOW", ("name",), [(database.name,) for database in snapshot.databases()])
