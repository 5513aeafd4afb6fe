"""ALTER ... OWNER TO and RENAME TO of tables, views, schemas and databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fairlead.commands import records, relations
from fairlead.commands.house import House, Result
from fairlead.dialects import errors as texts
from fairlead.dialects import names
from fairlead.errors import NotSupported
from fairlead.session_types import Notice

if TYPE_CHECKING:
    from fairlead.catalog.records import DatabaseRecord, RoleRecord, SchemaRecord
    from fairlead.catalog.transaction import Transaction
    from fairlead.context import Context
    from fairlead.lang import ast


def alter(statement: ast.AlterObject, house: House, context: Context) -> Result:
    """Give a table, view, schema or database to another role, or a view another name or a comment."""
    tag = "COMMENT" if statement.comment is not None else f"ALTER {statement.kind.upper()}"
    with house.catalog.write() as tx:
        if statement.if_exists and not _exists(tx, statement, context):
            notice = Notice("NOTICE", texts.absent(statement.kind, str(statement.name)))
            return Result(tag, notices=(notice,))
        match statement.kind:
            case "table" | "view":
                _alter_relation(house, tx, statement, context)
            case "schema":
                _alter_schema(house, tx, statement, context)
            case "database":
                _alter_database(house, tx, statement, context)
    return Result(tag)


def _exists(tx: Transaction, statement: ast.AlterObject, context: Context) -> bool:
    match statement.kind:
        case "table" | "view":
            return names.relation(tx, statement.name, context) is not None
        case "schema":
            return names.find_schema(tx, statement.name, context) is not None
        case "database":
            return tx.database(statement.name.last) is not None


def _alter_relation(house: House, tx: Transaction, statement: ast.AlterObject, context: Context) -> None:
    kind: Literal["table", "view"] = "view" if statement.kind == "view" else "table"
    target = names.of_kind(relations.visible(house, tx, kind, statement.name, context), kind)
    house.access.require_owner(context.principal, target)
    if statement.rename_to is not None:
        tx.rename(target.id, statement.rename_to)
        house.ledger.append(tx, records.ddl(context, "RENAME VIEW", target, to=statement.rename_to))
        return
    if statement.comment is not None:
        tx.set_comment(target.id, statement.comment)
        house.ledger.append(tx, records.ddl(context, "COMMENT ON VIEW", target))
        return
    owner = _new_owner(house, tx, statement, context)
    tx.set_owner(target.id, owner.id)
    house.ledger.append(tx, records.ddl(context, f"ALTER {statement.kind.upper()} OWNER", target, to=owner.name))


def _alter_schema(house: House, tx: Transaction, statement: ast.AlterObject, context: Context) -> None:
    target = names.schema_named(tx, statement.name, context)
    house.access.require_owner(context.principal, target)
    if statement.rename_to is not None:
        message = "a schema cannot be renamed: the lake has no such change"
        raise NotSupported(message, hint="CREATE SCHEMA makes another one, and CREATE TABLE ... AS copies into it")
    owner = _new_owner(house, tx, statement, context)
    tx.set_schema_owner(target.id, owner.id)
    _record_owner(house, tx, context, target, owner)


def _alter_database(house: House, tx: Transaction, statement: ast.AlterObject, context: Context) -> None:
    target = names.database(tx, str(statement.name))
    house.access.require_owner(context.principal, target)
    owner = _new_owner(house, tx, statement, context)
    if target.connection_id is not None:
        # Its tables are read with the right of its owner on the connection.
        house.access.require(house.access.as_role(owner.id), "USAGE", tx.get(target.connection_id))
    tx.set_database_owner(target.id, owner.id)
    _record_owner(house, tx, context, target, owner)


def _new_owner(house: House, tx: Transaction, statement: ast.AlterObject, context: Context) -> RoleRecord:
    owner = names.role(tx, statement.owner_to or "")
    house.access.require_membership(context.principal, owner)
    return owner


def _record_owner(
    house: House, tx: Transaction, context: Context, target: SchemaRecord | DatabaseRecord, owner: RoleRecord
) -> None:
    action = f"ALTER {target.kind.upper()} OWNER"
    house.ledger.append(tx, records.ddl(context, action, f"{target.kind} {target.full_name}", to=owner.name))
