"""SHOW, DESC and SHOW CREATE of connections and stages, filtered by what the caller may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.commands import connections, records, stages
from fairlead.commands.house import House, Result
from fairlead.dialects import names, render, tables

if TYPE_CHECKING:
    from fairlead.catalog.records import ObjectRecord
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
        seen = [d for d in snapshot.dependents(target.id) if house.access.sees(context.principal, d)]
    rows = [(d.kind, d.full_name) for d in seen]
    return Result("SHOW", ("object_type", "object_name"), rows)


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
    principal = context.principal
    if any(house.access.can(principal, r, "database", database.id) for r in ("SHOW", "CREATE CONNECTION", "DROP")):
        return
    listed = snapshot.objects("connection", database=scope)
    if any(house.access.sees(principal, connection) for connection in listed):
        return
    house.access.require(principal, "SHOW", database)
