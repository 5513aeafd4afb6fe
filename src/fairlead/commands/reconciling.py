"""At start: the catalog's rows of tables are brought after the lakes, which are the truth about what tables there are.

A gateway that was killed between a lake's commit and its own may have left a new table without an owner's row, or a
row without its table. Who made a table is kept with the lake's commit.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from fairlead.commands.committing import definition
from fairlead.engine.lake.files import made_in
from fairlead.engine.lake.lake import CATALOG_NAME
from fairlead.engine.lake.metadata import LakeReader
from fairlead.engine.lake.reconciling import KnownTable
from fairlead.engine.lake.reconciling import reconcile as compared

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.catalog.records import DatabaseRecord, ObjectRecord
    from fairlead.catalog.transaction import Transaction
    from fairlead.commands.house import House
    from fairlead.engine.lake.reconciling import Missing


async def reconcile(house: House) -> None:
    """Bring the rows of every database after its lake."""
    await asyncio.to_thread(_reconcile, house)


def _reconcile(house: House) -> None:
    with house.catalog.read() as snapshot:
        databases = snapshot.databases()
    for database in databases:
        file = house.settings.data.resolve() / "lake" / str(database.id) / CATALOG_NAME
        if not file.exists():
            continue
        reader = LakeReader(file)
        try:
            if reader.snapshot() > 0:
                _reconcile_one(house, database, reader, file)
        finally:
            reader.close()


def _reconcile_one(house: House, database: DatabaseRecord, reader: LakeReader, file: Path) -> None:
    tables, schemas = reader.tables(), {name for _, name in reader.schemas()}
    with house.catalog.read() as snapshot:
        rows = [
            _known(record, snapshot.definition(record.id))
            for record in snapshot.objects("table", database=database.name)
        ]
        known = {schema.name: schema for schema in snapshot.schemas(database.name)}
    difference = compared(tables, reader.snapshots(), made_in(file), rows)
    if difference.empty and schemas == known.keys():
        return
    with house.catalog.write() as tx:
        for name in schemas - known.keys():
            tx.create_schema(database.name, name, _owner(tx, None, database))
        for object_id in difference.dropped:
            tx.drop_object(object_id)
        for moved in difference.renamed:
            tx.rename(moved.object_id, moved.table.name)
        for missing in difference.created:
            _create(tx, database, missing)
        for name in known.keys() - schemas:
            tx.drop_schema(known[name].id)


def _known(record: ObjectRecord, stored: dict[str, Any]) -> KnownTable:
    return KnownTable(record.id, stored["table_id"], stored["uuid"], record.schema, record.name)


def _create(tx: Transaction, database: DatabaseRecord, missing: Missing) -> None:
    table, owner = missing.table, _owner(tx, missing.owner_id, database)
    if owner is None or tx.find("view", database.name, table.name, table.schema) is not None:
        return
    tx.create_object("table", database.name, table.schema, table.name, owner_id=owner, definition=definition(table))


def _owner(tx: Transaction, role_id: int | None, database: DatabaseRecord) -> int | None:
    """Return the role if it is there, else the owner of the database, else the first superuser."""
    for candidate in (role_id, database.owner_id):
        if candidate is not None and tx.role_by_id(candidate) is not None:
            return candidate
    return next((role.id for role in tx.roles() if role.superuser), None)
