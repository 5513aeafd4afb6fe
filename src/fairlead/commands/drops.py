"""DROP of secrets, connections, stages and views: refused while something depends on them, but for CASCADE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.commands import connections, depending, records, relations
from fairlead.commands.house import House, Result
from fairlead.dialects import errors as texts
from fairlead.dialects import names
from fairlead.session_types import Notice

if TYPE_CHECKING:
    from fairlead.catalog.records import DatabaseRecord, ObjectRecord
    from fairlead.catalog.transaction import Transaction
    from fairlead.context import Context
    from fairlead.lang import ast


def drop(statement: ast.DropObjects, house: House, context: Context) -> Result:
    """Drop objects, all or none."""
    tag = f"DROP {statement.noun if statement.kind == 'connection' else statement.kind.upper()}"
    notices: list[Notice] = []
    with house.catalog.write() as tx:
        for name in statement.names:
            target = _target(house, tx, statement, name, context)
            if target is None:
                notices.append(Notice("NOTICE", texts.absent(statement.kind, str(name))))
                continue
            dropped = _drop_with_dependents(house, tx, target, context, cascade=statement.cascade, noun=statement.noun)
            if others := dropped - 1:
                plural = "" if others == 1 else "s"
                notices.append(Notice("NOTICE", f"drop cascades to {others} other object{plural}"))
    return Result(tag, notices=tuple(notices))


def _target(
    house: House, tx: Transaction, statement: ast.DropObjects, name: ast.Name, context: Context
) -> ObjectRecord | None:
    first = statement.noun == "LINK"
    if statement.kind == "view":
        found = names.relation(tx, name, context)
    else:
        found = names.find(tx, statement.kind, name, context, database_first=first)
    if found is None and statement.if_exists:
        return None
    if statement.kind == "view":
        found = relations.visible(house, tx, "view", name, context)
        house.access.require_owner(context.principal, found)
        return found
    if statement.kind == "connection":
        found = connections.visible(house, tx, name, context, statement.noun)
        house.access.require(context.principal, "DROP", found)
        return found
    found = names.require(tx, statement.kind, name, context)
    house.access.require_owner(context.principal, found)
    return found


def _drop_with_dependents(
    house: House, tx: Transaction, target: ObjectRecord, context: Context, *, cascade: bool, noun: ast.Noun
) -> int:
    """Drop an object and, with CASCADE, all that depends on it; return how many objects went."""
    dependents, databases = tx.dependents(target.id), tx.stored_through(target.id)
    if target.kind == "view":
        dependents = depending.dependents(tx, [target], context)
    if databases or (dependents and not cascade):
        everything: tuple[ObjectRecord | DatabaseRecord, ...] = (*dependents, *databases)
        seen = tuple(d for d in everything if house.access.sees(context.principal, d))
        refusal = texts.in_use(target, seen, len(everything) - len(seen), context.dialect, noun=noun)
        if databases:
            refusal.hint = "DROP DATABASE first: CASCADE does not reach what holds people's tables"
        raise refusal
    count = 1
    for dependent in dependents:
        if target.kind == "view":  # as in PostgreSQL, nobody's view keeps a relation from being dropped by its owner
            depending.drop_views(house, tx, [dependent.id], context)
            count += 1
            continue
        house.access.require_owner(context.principal, dependent)
        count += _drop_with_dependents(house, tx, dependent, context, cascade=True, noun="CONNECTION")
    tx.drop_object(target.id)
    house.ledger.append(tx, records.ddl(context, f"DROP {target.kind.upper()}", target))
    return count
