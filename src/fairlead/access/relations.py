"""What a principal may do with tables and views: the form in which the engine and the lake read rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.access.rules import Action, Rule, place
from fairlead.catalog.records import RELATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fairlead.access.rights import Rights
    from fairlead.catalog.records import ObjectRecord
    from fairlead.context import Principal

_READ = frozenset({Action.READ})


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a table that may be read: these columns (None for all) of the rows for which ``where`` is true."""

    columns: tuple[str, ...] | None
    where: str | None


@dataclass(frozen=True, slots=True)
class TableRights:
    """A table that a principal has some right on.

    Args:
        record: the table.
        table_id: its id in the lake.
        uuid: the same for ever, also where ids are given out again.
        prefix: of its files, below the database's.
        owner: whether the principal owns it, itself or by a role; superusers own everything.
        actions: what may be done with all of it: SELECT, INSERT, UPDATE, DELETE, TRUNCATE.
        parts: what may be read where SELECT is not among the actions.
    """

    record: ObjectRecord
    table_id: int
    uuid: str
    prefix: str
    owner: bool
    actions: frozenset[str]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class ViewRights:
    """A view that a principal owns or may read.

    Args:
        record: the view.
        sql: its query, as typed.
        columns: names for the query's columns; empty for its own.
        owner_id: with whose rights it is computed.
        select: whether the principal may read it.
        database: in which its names are looked up.
        schema: the same.
        dialect: in which the query is written.
    """

    record: ObjectRecord
    sql: str
    columns: tuple[str, ...]
    owner_id: int
    select: bool
    database: str
    schema: str
    dialect: str


def tables(rights: Rights, principal: Principal) -> tuple[TableRights, ...]:
    """Return the tables that a principal has any right on, in creation order."""
    return tuple(_tables(rights, principal))


def views(rights: Rights, principal: Principal) -> tuple[ViewRights, ...]:
    """Return the views that a principal owns or may read, in creation order."""
    return tuple(_views(rights, principal))


def rules(rights: Rights, readable: Iterable[TableRights]) -> Iterator[Rule]:
    """Yield what lets a worker read the files of whole tables that are kept through a connection."""
    for table in readable:
        database = rights.storage(table.record.database_id)
        found = None if database is None else place(database.data_path or "")
        # Without a folder of its own a table would open those of all others.
        own_folder = table.prefix.endswith("/") and not table.prefix.startswith("/")
        if database is None or database.connection_id is None or found is None or not own_folder:
            continue
        if "SELECT" in table.actions:
            connection = rights.objects[database.connection_id].full_name
            bucket, prefix = found
            via = f"table {table.record.full_name}"
            yield Rule(database.connection_id, bucket, prefix + table.prefix, _READ, via, connection=connection)


def _tables(rights: Rights, principal: Principal) -> Iterator[TableRights]:
    for record in rights.objects.values():
        if record.kind != "table":
            continue
        actions = rights.actions(principal, record)
        parts = () if "SELECT" in actions else rights.parts(principal, record)
        if actions or parts:
            definition = rights.definitions[record.id]
            yield TableRights(
                record,
                definition["table_id"],
                definition["uuid"],
                definition["prefix"],
                rights.owns(principal, record.owner_id),
                actions,
                tuple(Part(grant.columns, grant.condition) for grant in parts),
            )


def _views(rights: Rights, principal: Principal) -> Iterator[ViewRights]:
    for record in rights.objects.values():
        if record.kind != "view":
            continue
        select = "SELECT" in rights.actions(principal, record)
        if select or rights.owns(principal, record.owner_id):
            definition = rights.definitions[record.id]
            yield ViewRights(
                record,
                definition["sql"],
                tuple(definition["columns"]),
                record.owner_id,
                select,
                definition["database"],
                definition["schema"],
                definition["dialect"],
            )


def seen(rights: Rights, principal: Principal, record: ObjectRecord) -> bool:
    """Say whether a principal may know that a table or view exists: its owner, or anybody with a right on a part."""
    assert record.kind in RELATIONS
    return (
        rights.owns(principal, record.owner_id)
        or bool(rights.actions(principal, record))
        or bool(rights.parts(principal, record))
    )
