"""CREATE and ALTER of connections: definitions checked by the dialects, secrets sealed by the vault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fairlead.commands import records, trial
from fairlead.commands.house import House, Result
from fairlead.context import DEFAULT_DATABASE, Context
from fairlead.dialects import definition as meaning
from fairlead.dialects import errors as texts
from fairlead.dialects import names
from fairlead.errors import NotSupported, PermissionDenied, WrongObjectType
from fairlead.lang import ast
from fairlead.session_types import Notice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fairlead.catalog.records import ObjectRecord
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.catalog.transaction import Transaction


def create(statement: ast.CreateConnection, house: House, context: Context) -> Result:
    """Create a connection or link in any of the four spellings."""
    defined = meaning.define(statement, context.dialect)

    def change(tx: Transaction) -> tuple[int | None, Result]:
        return _create(house, tx, defined, statement, context)

    return trial.changed(house, context, statement.validate, change)


def alter(statement: ast.AlterConnection, house: House, context: Context) -> Result:
    """Change a connection in place; everything that uses it follows at its next request."""

    def change(tx: Transaction) -> tuple[int | None, Result]:
        return _alter(house, tx, statement, context)

    return trial.changed(house, context, statement.validate, change)


def _create(
    house: House, tx: Transaction, defined: meaning.Definition, statement: ast.CreateConnection, context: Context
) -> tuple[int | None, Result]:
    tag = f"CREATE {statement.noun}"
    where = _place(tx, statement, context)
    existing = tx.find("connection", where.database, where.name, where.schema)
    if existing is not None and statement.or_replace:
        _replace(house, tx, existing, defined, statement, context)
        return existing.id, Result(tag)
    schema = names.schema(tx, where.database, where.schema)
    house.access.require_create(context.principal, "CREATE CONNECTION", schema)
    if existing is not None and statement.if_not_exists:
        return None, Result(tag, notices=_skipped(tx, existing, defined, where.name))
    if existing is not None:
        raise texts.exists("connection", str(where), context.dialect, noun=statement.noun)
    _refuse_kept(defined, str(where))
    stored, references = _to_stored(house, tx, defined, context)
    connection = tx.create_object(
        "connection",
        where.database,
        where.schema,
        where.name,
        owner_id=context.principal.user_id,
        definition=stored,
        references=references,
        comment=statement.comment or "",
    )
    _seal(house, tx, connection, defined)
    destination = meaning.destination(defined)
    house.ledger.append(tx, records.ddl(context, tag, connection, destination=destination))
    return connection.id, Result(tag, notices=_share(house, tx, connection, context))


def _alter(
    house: House, tx: Transaction, statement: ast.AlterConnection, context: Context
) -> tuple[int | None, Result]:
    tag = f"ALTER {statement.noun}"
    found = names.find(tx, "connection", statement.name, context, database_first=statement.noun == "LINK")
    if found is None and statement.if_exists:
        return None, Result(tag, notices=(Notice("NOTICE", texts.absent("connection", str(statement.name))),))
    connection = visible(house, tx, statement.name, context, statement.noun)
    house.access.require(context.principal, "ALTER", connection)
    for action in statement.actions:
        _act(house, tx, connection, action, context)
    if any(isinstance(a, ast.SetOptions | ast.UnsetOptions | ast.ReplaceClause) for a in statement.actions):
        current = definition(tx, connection)
        edited = meaning.edit(current, statement, context.dialect)
        _store_edited(house, tx, connection, current, edited, context, tag)
    return connection.id, Result(tag)


def visible(
    house: House, tx: Snapshot, name: ast.Name, context: Context, noun: ast.Noun = "CONNECTION"
) -> ObjectRecord:
    """Return the connection of that name, if the caller may know that it exists.

    A caller without any right on connections of the database gets one answer for a missing and for an existing one.

    Raises:
        UndefinedObject, PermissionDenied.
    """
    database_first = noun == "LINK"
    where = names.place(tx, name, context, database_first=database_first)
    found = names.find(tx, "connection", name, context, database_first=database_first)
    if found is not None and house.access.sees(context.principal, found):
        return found
    schema = names.schema(tx, where.database, where.schema)
    knows_all = any(
        house.access.can(context.principal, right, "schema", schema.id) for right in ("SHOW", "CREATE CONNECTION")
    )
    if found is None and knows_all:
        raise texts.missing("connection", str(where), context.dialect, noun=noun)
    raise texts.denied("connection", str(where), context.dialect, noun=noun)


def definition(tx: Snapshot, connection: ObjectRecord) -> meaning.Definition:
    """Return what is stored of a connection, secret references as names."""

    def name_of(secret_id: int) -> ast.Name:
        secret = tx.get(secret_id)
        return ast.Name((secret.database, secret.schema, secret.name))

    return meaning.from_json(tx.definition(connection.id), name_of)


def _place(tx: Transaction, statement: ast.CreateConnection, context: Context) -> names.Place:
    """Return where a new connection goes: Databend's live in ``main.public``, all others in the current database."""
    if statement.spelling == "databend" and len(statement.name.parts) == 1:
        return names.Place(DEFAULT_DATABASE, "public", statement.name.last)
    first = statement.spelling in ("singlestore", "clickzetta")
    return names.place(tx, statement.name, context, database_first=first)


def _replace(
    house: House,
    tx: Transaction,
    existing: ObjectRecord,
    defined: meaning.Definition,
    statement: ast.CreateConnection,
    context: Context,
) -> None:
    """Replace a definition; id, owner, grants and dependents stay, so nobody's object becomes somebody else's."""
    house.access.require_owner(context.principal, existing)
    current = definition(tx, existing)
    if current.kind != defined.kind and (tx.dependents(existing.id) or tx.stored_through(existing.id)):
        message = f'connection "{existing.full_name}" is in use and cannot become a connection of another type'
        raise WrongObjectType(message, hint=f"SHOW DEPENDENTS OF CONNECTION {existing.name} lists what uses it")
    if current.kind != defined.kind and statement.spelling in ("singlestore", "clickzetta"):
        raise texts.type_change(existing.full_name, current.kind, defined.kind, context.dialect)
    _store_edited(house, tx, existing, current, meaning.keep(current, defined), context, f"REPLACE {statement.noun}")
    if statement.comment is not None or statement.spelling in ("singlestore", "clickzetta"):
        tx.set_comment(existing.id, statement.comment or "")  # the other two spellings have no comment to leave out


def _act(house: House, tx: Transaction, connection: ObjectRecord, action: ast.AlterAction, context: Context) -> None:
    match action:
        case ast.RenameTo(name=new):
            house.access.require_owner(context.principal, connection)
            tx.rename(connection.id, new)
            house.ledger.append(tx, records.ddl(context, "RENAME CONNECTION", connection, to=new))
        case ast.OwnerTo(role=role):
            house.access.require_owner(context.principal, connection)
            owner = names.role(tx, role)
            house.access.require_membership(context.principal, owner)
            tx.set_owner(connection.id, owner.id)
            house.ledger.append(tx, records.ddl(context, "ALTER CONNECTION OWNER", connection, to=owner.name))
        case ast.SetComment(text=text):
            tx.set_comment(connection.id, text)
            house.ledger.append(tx, records.ddl(context, "COMMENT ON CONNECTION", connection))
        case ast.SetEnabled(enabled=enabled):
            tx.set_enabled(connection.id, enabled)
            verb = "ENABLE CONNECTION" if enabled else "DISABLE CONNECTION"
            house.ledger.append(tx, records.ddl(context, verb, connection))
        case _:
            pass


def _store_edited(
    house: House,
    tx: Transaction,
    connection: ObjectRecord,
    current: meaning.Definition,
    edited: meaning.Definition,
    context: Context,
    action: str,
) -> None:
    """Store a new version. A secret that stays may only go where it went before, unless the owner says otherwise."""
    moved = meaning.destination(current) != meaning.destination(edited)
    if moved and meaning.keeps_secret(edited) and not house.access.owns(context.principal, connection):
        message = f'connection "{connection.full_name}" would send its stored credential to another destination'
        raise PermissionDenied(message, hint="give the credential again in the same statement, or ask the owner")
    stored, references = _to_stored(house, tx, edited, context, check_all=moved)
    newer = tx.new_version(connection.id, definition=stored, references=references)
    _seal(house, tx, newer, edited)
    house.ledger.append(tx, records.ddl(context, action, newer, destination=meaning.destination(edited)))


def _to_stored(
    house: House, tx: Transaction, defined: meaning.Definition, context: Context, *, check_all: bool = True
) -> tuple[dict[str, Any], tuple[int, ...]]:
    """Return the JSON to store and the ids of the secrets that it refers to; each needs USAGE."""
    found: dict[ast.Name, int] = {}
    for name in meaning.secret_names(defined):
        secret = names.require(tx, "secret", name, context)
        if check_all:
            house.access.require(context.principal, "USAGE", secret)
        found[name] = secret.id
    return meaning.to_json(defined, found.__getitem__), tuple(sorted(set(found.values())))


def _seal(house: House, tx: Transaction, connection: ObjectRecord, defined: meaning.Definition) -> None:
    sealed: Mapping[str, Any] = meaning.inline_secrets(defined)
    for field, value in sealed.items():
        envelope = house.vault.seal(value, object_id=connection.id, field=field, version=connection.version)
        tx.put_sealed(connection.id, field, connection.version, envelope)


def _refuse_kept(defined: meaning.Definition, full_name: str) -> None:
    if meaning.keeps_secret(defined) and meaning.kept(defined):
        message = f'connection "{full_name}" does not exist, so there is no stored credential to keep'
        raise NotSupported(message, hint="write the credential instead of STORED")


def _skipped(tx: Transaction, existing: ObjectRecord, defined: meaning.Definition, name: str) -> tuple[Notice, ...]:
    """Return the notice that an existing connection stays as it is, and whether its definition differs."""
    differs = "" if meaning.same_plain(definition(tx, existing), defined) else "; its definition differs from this one"
    return (Notice("NOTICE", texts.skipping("connection", name) + differs),)


def _share(house: House, tx: Transaction, connection: ObjectRecord, context: Context) -> tuple[Notice, ...]:
    """Give every user USAGE in ClickZetta's strict dialect: a workspace shares its connections (clickzetta.md O6).

    Not natively: there the spelling of a statement must not decide who may use a credential.
    """
    if context.dialect != "clickzetta" or not house.settings.share_connections:
        return ()
    public = names.role(tx, "public")
    tx.add_grant(
        grantee_id=public.id,
        privilege="USAGE",
        object_kind="connection",
        object_id=connection.id,
        grant_option=False,
        grantor_id=context.principal.user_id,
    )
    house.ledger.append(tx, records.ddl(context, "GRANT USAGE", connection, to="public"))
    hint = f"REVOKE USAGE ON CONNECTION {connection.name} FROM public ends it"
    return (Notice("NOTICE", f'every user may use connection "{connection.full_name}"', hint=hint),)
