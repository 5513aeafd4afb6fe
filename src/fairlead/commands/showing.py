"""SHOW, DESC and SHOW CREATE of connections and stages, filtered by what the caller may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fairlead.commands import connections, records, relations, stages
from fairlead.commands.house import House, Result
from fairlead.context import DEFAULT_SCHEMA
from fairlead.dialects import names, render, tables
from fairlead.dialects import relations as shapes
from fairlead.dialects.infos import TableInfo

if TYPE_CHECKING:
    from fairlead.catalog.records import DatabaseRecord, ObjectRecord
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.context import Context
    from fairlead.lang import ast


def show_connections(statement: ast.ShowObjects, house: House, context: Context) -> Result:
    """SHOW CONNECTIONS and SHOW LINKS."""
    with house.catalog.read() as snapshot:
        scope = names.scope(snapshot, statement.scope, context)
        if statement.noun == "LINK":
            _require_link_rights(house, snapshot, scope, context)
        infos = [
            info(snapshot, connection)
            for connection in snapshot.objects("connection", database=scope)
            if house.access.sees(context.principal, connection) and names.like(connection.name, statement.like)
        ]
    if statement.category is not None:
        infos = [i for i in infos if i.category == statement.category]
    if statement.noun == "LINK":
        return records.result("SHOW", tables.show_links(infos))
    return records.result("SHOW", tables.show_connections(infos, context.dialect))


def describe_connection(statement: ast.DescribeObject, house: House, context: Context) -> Result:
    """DESC CONNECTION and DESC LINK."""
    with house.catalog.read() as snapshot:
        connection = connections.visible(house, snapshot, statement.name, context, statement.noun)
        house.access.require(context.principal, "SHOW", connection)
        shown = info(snapshot, connection)
    return records.result("DESCRIBE", tables.describe_connection(shown, context.dialect, extended=statement.extended))


def show_create(statement: ast.ShowCreate, house: House, context: Context) -> Result:
    """SHOW CREATE: a statement that can be run again, without any credential."""
    with house.catalog.read() as snapshot:
        if statement.kind == "stage":
            return stages.show_create(snapshot, statement, house, context)
        if statement.kind in ("table", "view"):
            return _show_create_relation(snapshot, statement, house, context)
        connection = connections.visible(house, snapshot, statement.name, context, statement.noun)
        house.access.require(context.principal, "SHOW", connection)
        shown = info(snapshot, connection)
    text = render.show_create(shown, context.dialect, redacted=statement.redacted)
    return records.result("SHOW", tables.show_create(shown, text, statement.noun, context.dialect))


def show_dependents(statement: ast.ShowDependents, house: House, context: Context) -> Result:
    """SHOW DEPENDENTS: what refers to a secret or connection; others' objects that may not be seen are left out."""
    with house.catalog.read() as snapshot:
        if statement.kind == "connection":
            target = connections.visible(house, snapshot, statement.name, context, statement.noun)
        else:
            target = names.require(snapshot, "secret", statement.name, context)
            house.access.require_owner(context.principal, target)
        dependents: tuple[ObjectRecord | DatabaseRecord, ...] = (
            *snapshot.dependents(target.id),
            *snapshot.stored_through(target.id),
        )
        seen = [d for d in dependents if house.access.sees(context.principal, d)]
    rows = [(d.kind, d.full_name) for d in seen]
    return Result("SHOW", ("object_type", "object_name"), rows)


def _show_create_relation(snapshot: Snapshot, statement: ast.ShowCreate, house: House, context: Context) -> Result:
    kind: Literal["table", "view"] = "view" if statement.kind == "view" else "table"
    record = names.of_kind(relations.visible(house, snapshot, kind, statement.name, context), kind)
    parts = (record.database, record.schema, record.name)
    if kind == "view":
        stored = snapshot.definition(record.id)
        text = shapes.create_view(parts, stored["columns"], stored["sql"], record.comment)
    else:
        text = shapes.create_table(parts, _seen_shape(house, record, context))
    return Result("SHOW", ("name", "create_sql"), [(record.full_name, text)])


def _seen_shape(house: House, table: ObjectRecord, context: Context) -> TableInfo:
    """Return what the caller may know: all of it with any right on all columns of the table, or owning it."""
    shape = house.shape_of(table.id)
    rights = next((t for t in house.access.tables(context.principal) if t.record.id == table.id), None)
    if rights is None or rights.owner or rights.actions or any(part.columns is None for part in rights.parts):
        return shape
    seen = {name for part in rights.parts for name in part.columns or ()}
    return TableInfo(tuple(column for column in shape.columns if column.name in seen))


def info(snapshot: Snapshot, connection: ObjectRecord) -> tables.ConnectionInfo:
    """Return what the tables of the dialects show of a connection."""
    return tables.ConnectionInfo(
        name=connection.name,
        database=connection.database,
        schema=connection.schema,
        owner=records.owner_name(snapshot, connection),
        comment=connection.comment,
        enabled=connection.enabled,
        version=connection.version,
        created=connection.created_at,
        modified=connection.modified_at,
        definition=connections.definition(snapshot, connection),
    )


def _require_link_rights(house: House, snapshot: Snapshot, scope: str, context: Context) -> None:
    """Refuse SHOW LINKS without any right on that database or a link in it (singlestore.md section 6)."""
    database = names.database(snapshot, scope)
    schema = names.schema(snapshot, scope, DEFAULT_SCHEMA)
    principal = context.principal
    if any(house.access.can(principal, r, "schema", schema.id) for r in ("SHOW", "CREATE CONNECTION", "DROP")):
        return
    listed = snapshot.objects("connection", database=scope)
    if any(house.access.sees(principal, connection) for connection in listed):
        return
    house.access.require(principal, "SHOW", database)
