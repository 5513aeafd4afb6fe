"""VACUUM: all care of a database's tables, now and in the foreground."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.commands import records
from fairlead.commands.house import House, Result
from fairlead.dialects import names

if TYPE_CHECKING:
    from fairlead.context import Context
    from fairlead.lang import ast

COLUMNS = ("step", "tables", "files", "rows", "bytes")


def vacuum(statement: ast.Vacuum, house: House, context: Context) -> Result:
    """Flush, rewrite and merge files, let old snapshots go, delete what nothing needs; for the database's owner."""
    with house.catalog.read() as snapshot:
        database = names.database(snapshot, statement.database or context.database)
    house.access.require_owner(context.principal, database)
    house.ledger.record(records.event(context, "ddl", "VACUUM", f"database {database.name}"))
    done = house.lakes.wait(house.lakes.vacuum(database.id))
    rows = [(one.step, str(one.tables), str(one.files), str(one.rows), str(one.size)) for one in done]
    return Result("VACUUM", COLUMNS, rows)
