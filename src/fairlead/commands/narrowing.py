"""Narrowed grants: SELECT on some columns of some rows of a table, checked against what the table is now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.commands import records
from fairlead.dialects import names
from fairlead.engine.hygiene import refuse_dangerous
from fairlead.errors import UndefinedColumn
from fairlead.lang import ast, parse
from fairlead.lang.conditions import check_condition, words_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.catalog.records import ObjectRecord
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.catalog.transaction import Transaction
    from fairlead.commands.house import House
    from fairlead.context import Context


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a grant is narrowed to; columns are spelled as the table spells them, in its order."""

    columns: tuple[str, ...] | None
    condition: str | None


def narrowing(statement: ast.Grant, table: ObjectRecord, house: House, context: Context) -> Narrowing:
    """Return what a GRANT narrows to, if the caller may and the table has it.

    Raises:
        PermissionDenied: neither owner nor superuser.
        WrongObjectType: a view.
        UndefinedColumn: a column that is not there.
        InvalidParameter: a condition that is not one.
    """
    names.of_kind(table, "table")
    house.access.require_owner(context.principal, table)
    there_are = house.columns_of(table.id)
    if statement.condition is not None:
        check_condition(statement.condition, there_are)
        (as_query,) = parse(f"SELECT {statement.condition}")
        assert isinstance(as_query, ast.DataStatement)
        refuse_dangerous(as_query)
    return Narrowing(_columns(statement.columns, there_are, table), statement.condition)


def grant(
    tx: Transaction, statement: ast.Grant, table: ObjectRecord, to: Sequence[int], house: House, context: Context
) -> None:
    """Store a narrowed grant for each grantee."""
    found = narrowing(statement, table, house, context)
    detail = {"columns": ", ".join(found.columns or ()), "rows": found.condition or ""}
    for grantee_id in to:
        tx.add_grant(
            grantee_id=grantee_id,
            privilege="SELECT",
            object_kind="table",
            object_id=table.id,
            grantor_id=context.principal.user_id,
            columns=found.columns,
            condition=found.condition,
        )
        grantee = tx.role_by_id(grantee_id)
        to_whom = grantee.name if grantee is not None else ""
        house.ledger.append(tx, records.ddl(context, "GRANT SELECT ON PART", table, to=to_whom, **detail))


def names_column(snapshot: Snapshot, table_id: int, column: str) -> bool:
    """Say whether a narrowed grant of a table names a column, which then must not come to mean another one."""
    key = column.casefold()
    for narrowed in snapshot.grants(object_kind="table", object_id=table_id):
        if key in {name.casefold() for name in narrowed.columns or ()}:
            return True
        if narrowed.condition is not None and key in words_in(narrowed.condition):
            return True
    return False


def _columns(wanted: tuple[str, ...], there_are: tuple[str, ...], table: ObjectRecord) -> tuple[str, ...] | None:
    if not wanted:
        return None
    keys = {name.casefold() for name in wanted}
    missing = sorted(keys - {name.casefold() for name in there_are})
    if missing:
        message = f'table "{table.full_name}" has no column "{missing[0]}"'
        raise UndefinedColumn(message, hint=f"it has {', '.join(there_are)}")
    return tuple(name for name in there_are if name.casefold() in keys)
