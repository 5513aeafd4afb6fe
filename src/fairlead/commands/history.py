"""SHOW SNAPSHOTS: which versions of a database's tables can be read, and when each was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.commands.house import House, Result
from fairlead.dialects import names

if TYPE_CHECKING:
    from fairlead.context import Context
    from fairlead.lang import ast

COLUMNS = ("version", "time", "author")


def show(statement: ast.ShowSnapshots, house: House, context: Context) -> Result:
    """Show the snapshots, newest first, to those who see a table or view there; authors to the database's owner."""
    with house.catalog.read() as snapshot:
        database = names.database(snapshot, names.scope(snapshot, statement.scope, context))
    principal = context.principal
    owner = house.access.owns(principal, database)
    records = [one.record for one in house.access.tables(principal)]
    records += [one.record for one in house.access.views(principal)]
    seen = owner or any(record.database_id == database.id for record in records)
    if not seen or not house.lakes.has(database.id):
        return Result("SHOW", COLUMNS)
    lake = house.lakes.wait(house.lakes.lake(database.id))
    found = lake.reader.snapshots()[::-1][: statement.limit]
    told = [one.author or "" if owner or one.author == principal.user_name else "" for one in found]
    shown = [(str(one.id), one.time.isoformat(sep=" "), author) for one, author in zip(found, told, strict=True)]
    return Result("SHOW", COLUMNS, shown)
