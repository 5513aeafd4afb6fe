"""Views that read a table or another view: refused to be left behind by a DROP, or dropped along with CASCADE.

A view's text is stored, and its names are looked up at each use; so what depends on a relation is found by looking up
the names of every view's text now, in the database and schema that were current when it was made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fairlead.catalog.records import RELATIONS
from fairlead.commands import records
from fairlead.dialects import errors as texts
from fairlead.dialects import names
from fairlead.engine.lake.names import literal
from fairlead.errors import FairleadError
from fairlead.lang import ast
from fairlead.lang.sources import sources
from fairlead.session_types import Notice

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from fairlead.catalog.records import ObjectRecord
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.catalog.transaction import Transaction
    from fairlead.commands.house import House
    from fairlead.context import Context
    from fairlead.engine.session import EngineSession
    from fairlead.lang.ddl import Ddl

_MOST_LISTED = 20


def read_by(snapshot: Snapshot, query: str, database: str, schema: str, context: Context) -> set[int]:
    """Return the ids of the tables and views that a query reads, as far as there are such.

    Args:
        snapshot: the catalog.
        query: its text.
        database: in which names are looked up.
        schema: the same.
        context: of the statement.
    """
    there = replace(context, database=database, schema=schema)
    found = (_meant(snapshot, parts, there) for parts in sources(query))
    return {record.id for record in found if record is not None}


def dependents(snapshot: Snapshot, targets: Collection[ObjectRecord], context: Context) -> tuple[ObjectRecord, ...]:
    """Return the views that read one of some tables and views, directly or through others, and are none of them."""
    stored = snapshot.definitions("view")
    found: dict[int, ObjectRecord] = {}
    waiting = list(targets)
    known = {record.id for record in targets}
    while waiting:
        names_ = {record.name.casefold() for record in waiting}
        ids = {record.id for record in waiting}
        waiting = []
        for view_id, view in stored.items():
            if view_id in known or not any(parts[-1] in names_ for parts in sources(view["sql"])):
                continue
            if read_by(snapshot, view["sql"], view["database"], view["schema"], context) & ids:
                known.add(view_id)
                found[view_id] = snapshot.get(view_id)
                waiting.append(found[view_id])
    return tuple(found.values())


def drop_views(house: House, tx: Transaction, views: Collection[int], context: Context) -> None:
    """Drop views that went with what they read, as far as they are still there."""
    there = {record.id: record for record in tx.objects("view")} if views else {}
    for view_id in sorted(there.keys() & set(views)):
        tx.drop_object(view_id)
        house.ledger.append(tx, records.ddl(context, "DROP VIEW", there[view_id], cascade="yes"))


def told(house: House, context: Context, dropped: Sequence[ObjectRecord]) -> list[Notice]:
    """Return the notice about what CASCADE takes along; what the caller may not see is only counted."""
    if not dropped:
        return []
    seen = [f"{one.kind} {one.full_name}" for one in dropped if house.access.sees(context.principal, one)]
    if len(dropped) == len(seen) == 1:
        return [Notice("NOTICE", f"drop cascades to {seen[0]}")]
    detail = "\n".join(f"drop cascades to {one}" for one in seen[:_MOST_LISTED]) or None
    count = len(dropped)
    return [Notice("NOTICE", f"drop cascades to {count} other object{'' if count == 1 else 's'}", detail=detail)]


@dataclass(frozen=True, slots=True)
class Cascade:
    """What goes with a DROP: views of the catalog, and what is told of them."""

    views: frozenset[int] = frozenset()
    notices: tuple[Notice, ...] = ()


NOTHING = Cascade()


async def cascade(house: House, context: Context, ddl: Ddl, worker: EngineSession) -> Cascade:
    """Return what goes with a DROP TABLE or DROP SCHEMA.

    Args:
        house: whose catalog is asked.
        context: of the statement.
        ddl: its head, as typed.
        worker: of the session: a temporary table is in nobody's view.

    Raises:
        DependentObjects: views read the table, and the statement does not say CASCADE.
        PermissionDenied: something in the schema is somebody else's.
    """
    if ddl.verb != "DROP" or ddl.kind == "view":
        return NOTHING
    with house.catalog.read() as snapshot:
        targets = _targets(house, snapshot, ddl, context)
        around = dependents(snapshot, targets, context)
    inside = [record for record in targets if record.kind == "view"]
    if not (around or (targets and ddl.kind == "schema")) or (
        len(ddl.name) == 1 and ddl.kind == "table" and await _temporary(worker, ddl.name[0])
    ):
        return NOTHING
    if ddl.cascade is None:
        seen = tuple(one for one in around if house.access.sees(context.principal, one))
        raise texts.in_use(targets[0], seen, len(around) - len(seen), context.dialect)
    named = [] if ddl.kind == "table" else targets
    views = frozenset(one.id for one in (*inside, *around))
    return Cascade(views, tuple(told(house, context, [*named, *around])))


def _targets(house: House, snapshot: Snapshot, ddl: Ddl, context: Context) -> list[ObjectRecord]:
    """Return the table, or with CASCADE what the schema holds; without it a schema that holds something stays."""
    if ddl.kind == "table":
        found = _meant(snapshot, ddl.name, context)
        mine = found is not None and found.kind == "table" and house.access.owns(context.principal, found)
        return [found] if found is not None and mine else []  # of others', the commit says whose it is
    schema = names.find_schema(snapshot, ast.Name(ddl.name), context)
    if schema is None or ddl.cascade is None or not house.access.owns(context.principal, schema):
        return []
    held = [o for kind in RELATIONS for o in snapshot.objects(kind, database=schema.database, schema=schema.name)]
    for record in held:
        house.access.require_owner(context.principal, record)
    return held


def _meant(snapshot: Snapshot, parts: tuple[str, ...], context: Context) -> ObjectRecord | None:
    try:
        return names.relation(snapshot, ast.Name(parts), context)
    except FairleadError:  # a database or schema that is not there
        return None


async def _temporary(worker: EngineSession, name: str) -> bool:
    same = f"system.main.lower(table_name) = system.main.lower({literal(name)})"
    question = f"SELECT 1 FROM system.main.duckdb_tables() WHERE temporary AND {same}"  # noqa: S608  # a literal
    return bool((await worker.script([question]))[0])
