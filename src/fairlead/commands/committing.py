"""What stands between a change set and the lake: the rights of the user, and afterwards the catalog's own rows.

A worker is not trusted, so the rights are decided on what has changed, whatever statement changed it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fairlead.catalog.records import KINDS
from fairlead.commands import depending, narrowing, records, schemas
from fairlead.commands.rights import deny
from fairlead.context import DEFAULT_SCHEMA
from fairlead.engine.lake.changes import (
    ColumnChanged,
    Commented,
    SchemaCreated,
    SchemaDropped,
    TableCreated,
    TableDropped,
    TablePartitioned,
    TableRenamed,
)
from fairlead.errors import DependentObjects, DuplicateTable, NotSupported, PermissionDenied, SerializationFailure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from fairlead.access.relations import TableRights
    from fairlead.catalog.records import DatabaseRecord
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.catalog.transaction import Transaction
    from fairlead.commands.house import House
    from fairlead.context import Context
    from fairlead.engine.lake.changes import ChangeSet, NewColumn, RowChanges, Structure, TableRef
    from fairlead.engine.lake.metadata import LakeTable


_HELD = "drop what it holds first; DROP SCHEMA ... CASCADE takes tables and views along"
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_LOSSY = re.compile(r"\b(?:U?HUGEINT|INTERVAL|TIMETZ|TIME WITH TIME ZONE)\b")
_INSTEAD = {
    "HUGEINT": "use DECIMAL(38, 0), or cast to it",
    "UHUGEINT": "use DECIMAL(38, 0), or cast to it",
    "INTERVAL": "use BIGINT (of seconds, say) or VARCHAR, and cast it in queries",
    "TIMETZ": "use TIME or TIMESTAMPTZ",
    "TIME WITH TIME ZONE": "use TIME or TIMESTAMPTZ",
}


class Authority:
    """Decides on one change set.

    Args:
        house: the gateway's rooms.
        context: gives the principal.
        database: whose lake is changed.
        tables: the rights on its tables, by the lake's id.
        along: ids of views that go with what is dropped.
    """

    def __init__(  # what decides
        self,
        house: House,
        context: Context,
        database: DatabaseRecord,
        tables: Mapping[int, TableRights],
        along: AbstractSet[int] = frozenset(),
    ) -> None:
        self._house = house
        self._context = context
        self._database = database
        self._tables = tables
        self._along = along

    def check(self, changes: ChangeSet, *, truncates: bool) -> None:
        """Refuse a change set that the principal may not make.

        Args:
            changes: what has changed.
            truncates: whether rows were taken away by TRUNCATE, for which that right is enough where it took them all.

        Raises:
            PermissionDenied: a right is missing.
            DuplicateTable: a new name is taken by a view.
            SerializationFailure: a table has gone meanwhile.
        """
        made = {change.name.casefold() for change in changes.structure if isinstance(change, SchemaCreated)}
        gone = {change.table.table_id for change in changes.structure if isinstance(change, TableDropped)}
        with self._house.catalog.read() as snapshot:
            for change in changes.structure:
                self._structure(snapshot, change, made, gone)
        for rows in changes.rows:
            self._rows(rows, truncates=truncates)

    def _structure(self, snapshot: Snapshot, change: Structure, made: set[str], gone: set[int | None]) -> None:
        match change:
            case SchemaCreated(name):
                schemas.refuse_reserved_schema(name)
                self._house.access.require(self._context.principal, "CREATE", self._database)
            case SchemaDropped(name):
                self._drop_schema(snapshot, name, gone)
            case TableCreated(table):
                for column in change.columns:
                    _refuse_lossy(column)
                self._create_in(snapshot, table.schema, made)
                self._free(snapshot, table.schema, table.name)
            case TableRenamed(table, new_name):
                self._own(table)
                self._free(snapshot, table.schema, new_name)
            case ColumnChanged(table):
                if change.action in ("add", "retype"):
                    _refuse_lossy(change.column)
                self._own(table)
                self._keep_meaning(snapshot, change)
            case TableDropped(table) | TablePartitioned(table) | Commented(table):
                self._own(table)

    def _drop_schema(self, snapshot: Snapshot, name: str, gone: set[int | None]) -> None:
        """Refuse to drop the schema that every database has, somebody else's, or one that holds something."""
        schema, principal = snapshot.schema(self._database.name, name), self._context.principal
        if schema is None or not (principal.is_superuser or schema.owner_id in principal.role_ids):
            message = f"must be owner of schema {name}"
            raise PermissionDenied(message)
        dropped = {rights.record.id for table_id, rights in self._tables.items() if table_id in gone}
        inside = [o for kind in KINDS for o in snapshot.objects(kind, database=schema.database, schema=name)]
        held = [record for record in inside if record.id not in dropped | self._along]
        if held or name == DEFAULT_SCHEMA:
            message = f'schema "{name}" cannot be dropped'
            seen = [record for record in held if self._house.access.sees(principal, record)]
            lines = [f"{record.kind} {record.full_name}" for record in seen[:20]]
            lines += ["objects that you have no rights on"] * (len(seen) < len(held))
            detail = "\n".join(lines) or "every database has it"
            raise DependentObjects(message, detail=detail, hint=_HELD if held else None)

    def _keep_meaning(self, snapshot: Snapshot, change: ColumnChanged) -> None:
        """Refuse to rename or drop a column that a narrowed grant names: the name could come to mean another one."""
        if change.action not in ("rename", "drop") or change.table.table_id is None:
            return
        if narrowing.names_column(snapshot, self._known(change.table).record.id, change.name):
            message = f'a grant on a part of "{change.table.name}" names the column "{change.name}"'
            raise DependentObjects(message, hint="REVOKE it first: SHOW GRANTS ON TABLE lists it")

    def _create_in(self, snapshot: Snapshot, schema: str, made: set[str]) -> None:
        if schema.casefold() in made:
            return
        found = snapshot.schema(self._database.name, schema)
        principal = self._context.principal
        if found is None or not self._house.access.can(principal, "CREATE", "schema", found.id):
            where = f"{self._database.name}.{schema}"
            detail = f"The '{principal.user_name}' role needs CREATE privileges on SCHEMA \"{where}\""
            raise PermissionDenied(f'permission denied for SCHEMA "{where}"', detail=detail)

    def _free(self, snapshot: Snapshot, schema: str, name: str) -> None:
        if snapshot.find("view", self._database.name, name, schema) is not None:
            message = f'"{name}" is a view already'
            raise DuplicateTable(message, hint="tables and views share their names")

    def _own(self, table: TableRef) -> None:
        if table.table_id is None:  # made by this very change set
            return
        rights = self._known(table)
        if not rights.owner:
            message = f"must be owner of table {rights.record.full_name}"
            raise PermissionDenied(message)

    def _rows(self, rows: RowChanges, *, truncates: bool) -> None:
        if rows.table.table_id is None:
            return
        rights = self._known(rows.table)
        actions = rights.actions
        needed = {
            "INSERT": rows.inserted,
            "UPDATE": rows.updated,
            "DELETE": rows.deleted if not (truncates and rows.emptied and "TRUNCATE" in actions) else 0,
        }
        for action, count in needed.items():
            if count and action not in actions:
                deny(rights, action, self._context)

    def _known(self, table: TableRef) -> TableRights:
        rights = self._tables.get(table.table_id or 0)
        if rights is None:
            message = f'could not serialize access: table "{table.schema}.{table.name}" does not exist any more'
            raise SerializationFailure(message, hint="run the transaction again")
        return rights


def _refuse_lossy(column: NewColumn) -> None:
    """Refuse a type whose values files cannot hold whole: better no table than one that rounds.

    Raises:
        NotSupported.
    """
    found = _LOSSY.search(_QUOTED.sub("", column.type))
    if found is not None:
        message = f'column "{column.name}" has the type {found[0]}, which files of tables cannot hold exactly'
        raise NotSupported(message, hint=_INSTEAD[found[0]])


def record(  # what a commit brings
    house: House,
    context: Context,
    database: DatabaseRecord,
    changes: ChangeSet,
    tables: tuple[LakeTable, ...],
    along: AbstractSet[int] = frozenset(),
) -> None:
    """Bring the catalog's rows after a lake's commit: who owns what there is now.

    Args:
        house: the gateway's rooms.
        context: gives the owner of what is new.
        database: whose lake was changed.
        changes: what was committed.
        tables: of the lake, after the commit.
        along: ids of views that go with what was dropped.
    """
    if not changes.structure:
        return
    by_name = {(table.schema.casefold(), table.name.casefold()): table for table in tables}
    with house.catalog.write() as tx:
        if any(isinstance(change, TableDropped | SchemaDropped) for change in changes.structure):
            depending.drop_views(house, tx, along, context)
        known = {d["table_id"]: i for i, d in tx.definitions("table").items() if tx.get(i).database_id == database.id}
        for change in changes.structure:
            _record(tx, house, context, database, change, by_name, known)


def _record(  # one case per kind of change
    tx: Transaction,
    house: House,
    context: Context,
    database: DatabaseRecord,
    change: Structure,
    by_name: Mapping[tuple[str, str], LakeTable],
    known: Mapping[int, int],
) -> None:
    match change:
        case SchemaCreated(name):
            tx.create_schema(database.name, name, context.principal.user_id)
            house.ledger.append(tx, records.ddl(context, "CREATE SCHEMA", f"schema {database.name}.{name}"))
        case SchemaDropped(name):
            found = tx.schema(database.name, name)
            if found is not None:
                tx.drop_schema(found.id)
            house.ledger.append(tx, records.ddl(context, "DROP SCHEMA", f"schema {database.name}.{name}"))
        case TableCreated(table):
            made = by_name.get((table.schema.casefold(), table.name.casefold()))
            if made is None:  # dropped or renamed by somebody else in the meantime
                return
            stored = definition(made)
            new = tx.create_object(
                "table",
                database.name,
                made.schema,
                made.name,
                owner_id=context.principal.user_id,
                definition=stored,
            )
            house.ledger.append(tx, records.ddl(context, "CREATE TABLE", new))
        case TableDropped(table) if (dropped := known.get(table.table_id or 0)) is not None:
            house.ledger.append(tx, records.ddl(context, "DROP TABLE", tx.get(dropped)))
            tx.drop_object(dropped)
        case TableRenamed(table, new_name) if (renamed := known.get(table.table_id or 0)) is not None:
            tx.rename(renamed, new_name)
            house.ledger.append(tx, records.ddl(context, "ALTER TABLE", tx.get(renamed)))
        case ColumnChanged(table) | TablePartitioned(table) | Commented(table):
            subject = f"table {database.name}.{table.schema}.{table.name}"
            house.ledger.append(tx, records.ddl(context, "ALTER TABLE", subject))
        case _:
            return


def definition(table: LakeTable) -> dict[str, object]:
    """Return what the catalog keeps of a table: how to find it in the lake."""
    return {"table_id": table.table_id, "uuid": table.uuid, "prefix": table.prefix}
