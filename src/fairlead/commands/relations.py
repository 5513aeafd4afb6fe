"""Tables, views and schemas by name, for those who may know of them; and the listings of what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.commands import records
from fairlead.dialects import errors as texts
from fairlead.dialects import names
from fairlead.dialects import relations as shapes
from fairlead.dialects.infos import RelationInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fairlead.catalog.records import Kind, ObjectRecord, SchemaRecord
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.commands.house import House, Result
    from fairlead.context import Context
    from fairlead.lang import ast


def visible(house: House, snapshot: Snapshot, kind: Kind, name: ast.Name, context: Context) -> ObjectRecord:
    """Return a table or view that the caller may see; one that they may not see is answered like a missing one.

    Args:
        house: whose access decides.
        snapshot: the catalog.
        kind: ``view`` takes a view only, ``table`` either, as in PostgreSQL.
        name: as typed.
        context: who asks, and where.

    Raises:
        UndefinedTable, PermissionDenied, WrongObjectType.
    """
    found = names.relation(snapshot, name, context)
    if found is not None and house.access.sees(context.principal, found):
        return found if kind == "table" else names.of_kind(found, kind)
    where = names.place(snapshot, name, context)
    schema = names.schema(snapshot, where.database, where.schema)
    if found is None and house.access.can(context.principal, "CREATE", "schema", schema.id):
        raise texts.missing(kind, str(where), context.dialect)
    raise texts.denied(kind, str(where), context.dialect)


def show(statement: ast.ShowTables, house: House, context: Context) -> Result:
    """SHOW TABLES (views are among them), SHOW VIEWS and SHOW SCHEMAS: what the caller may see."""
    with house.catalog.read() as snapshot:
        if statement.kind == "schema":
            return _show_schemas(snapshot, statement, house, context)
        kinds: Sequence[Kind] = ("view",) if statement.kind == "view" else ("table", "view")
        found = [
            record
            for record in _in_scope(snapshot, kinds, statement.scope, context)
            if house.access.sees(context.principal, record) and names.like(record.name, statement.like)
        ]
        comments = _comments(house, {record.database_id for record in found if record.kind == "table"}, context)
        infos = [_info(snapshot, record, comments.get(record.id)) for record in found]
    return records.result("SHOW", shapes.show_tables(infos))


def _in_scope(
    snapshot: Snapshot, kinds: Sequence[Kind], scope: ast.Name | None, context: Context
) -> list[ObjectRecord]:
    where = context.database if scope is None else names.scope_of(snapshot, scope, context)
    database, schema = (where, None) if isinstance(where, str) else (where.database, where.name)
    found = [record for kind in kinds for record in snapshot.objects(kind, database=database, schema=schema)]
    return sorted(found, key=lambda record: (record.schema, record.name.casefold()))


def _comments(house: House, databases: Iterable[int], context: Context) -> dict[int, str]:
    """Return the comments of tables, which their lakes keep; who may read a part of a table only is not told them."""
    found: dict[int, str] = {}
    for database_id in databases:
        found |= house.comments_in(database_id)
    if not found:
        return found
    whole = {t.record.id for t in house.access.tables(context.principal) if t.owner or t.actions}
    return {table: comment for table, comment in found.items() if table in whole}


def _info(snapshot: Snapshot, record: ObjectRecord, comment: str | None) -> RelationInfo:
    return RelationInfo(
        name=record.name,
        database=record.database,
        schema=record.schema,
        kind=record.kind,
        owner=records.owner_name(snapshot, record),
        comment=comment or record.comment,
        created=record.created_at,
    )


def _show_schemas(snapshot: Snapshot, statement: ast.ShowTables, house: House, context: Context) -> Result:
    database = context.database if statement.scope is None else names.database(snapshot, statement.scope.last).name
    infos = [
        RelationInfo(schema.name, schema.database, "", "schema", _owner(snapshot, schema), "", schema.created_at)
        for schema in snapshot.schemas(database)
        if house.access.sees(context.principal, schema) and names.like(schema.name, statement.like)
    ]
    return records.result("SHOW", shapes.show_schemas(infos))


def _owner(snapshot: Snapshot, schema: SchemaRecord) -> str:
    owner = None if schema.owner_id is None else snapshot.role_by_id(schema.owner_id)
    return "" if owner is None else owner.name
