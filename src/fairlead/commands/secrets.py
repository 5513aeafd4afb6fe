"""CREATE, ALTER and SHOW of secrets. Nothing here, or anywhere, gives a value back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.commands import records
from fairlead.commands.house import House, Result
from fairlead.dialects import errors as texts
from fairlead.dialects import names, tables
from fairlead.dialects.definition import refuse_mask
from fairlead.errors import InvalidParameter
from fairlead.session_types import Notice

if TYPE_CHECKING:
    from fairlead.catalog.records import ObjectRecord
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.catalog.transaction import Transaction
    from fairlead.context import Context
    from fairlead.lang import ast

_FIELD = "value"


def create(statement: ast.CreateSecret, house: House, context: Context) -> Result:
    """Store a new secret, or a new version of one with OR REPLACE."""
    _check_value(statement.value)
    with house.catalog.write() as tx:
        where = names.place(tx, statement.name, context)
        house.access.require_create(context.principal, "CREATE", names.schema(tx, where.database, where.schema))
        existing = tx.find("secret", where.database, where.name, where.schema)
        if existing is not None and statement.or_replace:
            _store_version(house, tx, existing, statement.value, context, "CREATE OR REPLACE SECRET")
            return Result("CREATE SECRET")
        if existing is not None and statement.if_not_exists:
            return Result("CREATE SECRET", notices=(Notice("NOTICE", texts.skipping("secret", where.name)),))
        if existing is not None:
            raise texts.exists("secret", str(where), context.dialect)
        secret = tx.create_object(
            "secret", where.database, where.schema, where.name, owner_id=context.principal.user_id, definition={}
        )
        envelope = house.vault.seal(statement.value.value, object_id=secret.id, field=_FIELD, version=secret.version)
        tx.put_sealed(secret.id, _FIELD, secret.version, envelope)
        house.ledger.append(tx, records.ddl(context, "CREATE SECRET", secret))
    return Result("CREATE SECRET")


def alter(statement: ast.AlterSecret, house: House, context: Context) -> Result:
    """Give a secret a new value, name or owner. Everything that refers to it follows at once."""
    with house.catalog.write() as tx:
        secret = names.find(tx, "secret", statement.name, context)
        if secret is None and statement.if_exists:
            return Result("ALTER SECRET", notices=(Notice("NOTICE", texts.absent("secret", str(statement.name))),))
        secret = names.require(tx, "secret", statement.name, context)
        house.access.require_owner(context.principal, secret)
        if statement.value is not None:
            _check_value(statement.value)
            _store_version(house, tx, secret, statement.value, context, "ALTER SECRET")
        if statement.rename_to is not None:
            tx.rename(secret.id, statement.rename_to)
            house.ledger.append(tx, records.ddl(context, "RENAME SECRET", secret, to=statement.rename_to))
        if statement.owner_to is not None:
            owner = names.role(tx, statement.owner_to)
            house.access.require_membership(context.principal, owner)
            tx.set_owner(secret.id, owner.id)
            house.ledger.append(tx, records.ddl(context, "ALTER SECRET OWNER", secret, to=owner.name))
    return Result("ALTER SECRET")


def show(statement: ast.ShowObjects, house: House, context: Context) -> Result:
    """List the secrets that the caller owns or may use: names and comments, never values."""
    with house.catalog.read() as snapshot:
        scope = names.scope(snapshot, statement.scope, context)
        seen = [
            secret
            for secret in snapshot.objects("secret", database=scope)
            if house.access.can(context.principal, "USAGE", "secret", secret.id)
        ]
        infos = [_info(snapshot, secret) for secret in seen if names.like(secret.name, statement.like)]
    return records.result("SHOW", tables.show_secrets(infos, context.dialect))


def _check_value(value: ast.SecretValue) -> None:
    refuse_mask("secret", value.value)
    if not value.value:
        message = "the secret is empty"
        raise InvalidParameter(message, hint="give its value, or DROP SECRET")


def _info(snapshot: Snapshot, secret: ObjectRecord) -> tables.SecretInfo:
    return tables.SecretInfo(
        name=secret.name,
        database=secret.database,
        schema=secret.schema,
        owner=records.owner_name(snapshot, secret),
        comment=secret.comment,
        version=secret.version,
        created=secret.created_at,
        modified=secret.modified_at,
    )


def _store_version(
    house: House, tx: Transaction, secret: ObjectRecord, value: ast.SecretValue, context: Context, action: str
) -> None:
    house.access.require_owner(context.principal, secret)
    newer = tx.new_version(secret.id, definition={}, references=())
    envelope = house.vault.seal(value.value, object_id=secret.id, field=_FIELD, version=newer.version)
    tx.put_sealed(secret.id, _FIELD, newer.version, envelope)
    house.ledger.append(tx, records.ddl(context, action, newer))
