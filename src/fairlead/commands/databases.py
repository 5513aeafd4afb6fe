"""CREATE, DROP and SHOW of databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.catalog.records import KINDS, RELATIONS
from fairlead.commands import connections, depending, records, schemas
from fairlead.commands.house import House, Result
from fairlead.connectors import declaration
from fairlead.connectors.locations import parse_url
from fairlead.context import DEFAULT_DATABASE
from fairlead.dialects import names
from fairlead.dialects.stored import store_of
from fairlead.errors import (
    DependentObjects,
    DuplicateObject,
    InvalidParameter,
    StoreError,
    StoreRefusedCredential,
    StoreUnreachable,
    UndefinedFile,
)
from fairlead.session_types import Notice

if TYPE_CHECKING:
    from fairlead.catalog.records import DatabaseRecord, ObjectRecord
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.catalog.transaction import Transaction
    from fairlead.context import Context
    from fairlead.lang import ast


_LATER: Final = "the database is created; tables can be when the store answers. VALIDATE CONNECTION looks closer"
_HINT: Final = "drop what it holds first; DROP DATABASE ... CASCADE takes tables and views of yours along"


def create(statement: ast.CreateDatabase, house: House, context: Context) -> Result:
    """CREATE DATABASE. A store that does not answer is warned of: it may be made, or come back, later."""
    schemas.refuse_reserved_database(statement.name)
    notices = _asked(house, statement, context)
    with house.catalog.write() as tx:
        house.access.require(context.principal, "CREATE DATABASE", None)
        if tx.database(statement.name) is not None:
            if statement.if_not_exists:
                notice = Notice("NOTICE", f'database "{statement.name}" already exists, skipping')
                return Result("CREATE DATABASE", notices=(notice,))
            message = f'database "{statement.name}" already exists'
            raise DuplicateObject(message)
        data_path, connection = _storage(house, tx, statement, context)
        connection_id = None if connection is None else connection.id
        tx.create_database(statement.name, context.principal.user_id, data_path=data_path, connection_id=connection_id)
        detail = {"at": data_path or "", "connection": connection.full_name} if connection is not None else {}
        house.ledger.append(tx, records.ddl(context, "CREATE DATABASE", f"database {statement.name}", **detail))
    return Result("CREATE DATABASE", notices=notices)


def _asked(house: House, statement: ast.CreateDatabase, context: Context) -> tuple[Notice, ...]:
    """Ask the store for what is at the DATA PATH, outside of any transaction; return what is wrong with it."""
    with house.catalog.read() as snapshot:
        house.access.require(context.principal, "CREATE DATABASE", None)
        if statement.data_path is None or snapshot.database(statement.name) is not None:
            return ()
        url, connection = _storage(house, snapshot, statement, context)
    if url is None or connection is None or not connection.enabled:
        return ()
    try:
        next(house.egress.list(context, connection.id, *parse_url(url)), None)
    except (StoreUnreachable, StoreRefusedCredential, StoreError, UndefinedFile) as error:
        message = f"{url} cannot be used now: {error.message}"
        return (Notice("WARNING", message, "01000", hint=_LATER),)
    return ()


def drop(statement: ast.DropDatabase, house: House, context: Context) -> Result:
    """DROP DATABASE: an empty one, or with CASCADE its tables and views too.

    Its lake goes first: without its row, nobody could reach the files any more.
    """
    with house.catalog.read() as snapshot:
        found = snapshot.database(statement.name)
        if found is None and statement.if_exists:
            notice = Notice("NOTICE", f'database "{statement.name}" does not exist, skipping')
            return Result("DROP DATABASE", notices=(notice,))
        found = names.database(snapshot, statement.name)
        house.access.require_owner(context.principal, found)
        _refuse_held(house, context, snapshot, found, cascade=statement.cascade)
    if house.lakes.has(found.id):
        house.lakes.wait(house.lakes.drop(found.id))
    with house.catalog.write() as tx:
        _refuse_held(house, context, tx, names.database(tx, statement.name), cascade=statement.cascade)
        notices = _drop_relations(house, tx, found, context)
        tx.drop_database(found.id)
        house.ledger.append(tx, records.ddl(context, "DROP DATABASE", f"database {found.name}"))
    return Result("DROP DATABASE", notices=notices)


def _drop_relations(house: House, tx: Transaction, database: DatabaseRecord, context: Context) -> tuple[Notice, ...]:
    """Drop what CASCADE takes along: the tables and views of a database, and views of others that read them."""
    inside = [o for kind in RELATIONS for o in tx.objects(kind, database=database.name)]
    around = depending.dependents(tx, inside, context)
    notices = depending.told(house, context, [*inside, *around])
    depending.drop_views(house, tx, [one.id for one in around], context)
    for record in inside:
        tx.drop_object(record.id)
        house.ledger.append(tx, records.ddl(context, f"DROP {record.kind.upper()}", record, cascade="yes"))
    return tuple(notices)


def _refuse_held(
    house: House, context: Context, snapshot: Snapshot, database: DatabaseRecord, *, cascade: bool
) -> None:
    held = [o for kind in KINDS for o in snapshot.objects(kind, database=database.name)]
    if cascade:  # as long as all of it is the caller's own, and nothing of it leads outside
        held = [o for o in held if o.kind not in RELATIONS or not house.access.owns(context.principal, o)]
    if held or database.name == DEFAULT_DATABASE:
        message = f'database "{database.name}" cannot be dropped'
        seen = [f"{o.kind} {o.full_name}" for o in held if house.access.sees(context.principal, o)]
        seen += ["objects that you have no rights on"] if len(seen) < len(held) else []
        detail = "\n".join(seen[:20]) or "it is the default database"
        raise DependentObjects(message, detail=detail, hint=_HINT)


def show(_statement: ast.ShowDatabases, house: House, context: Context) -> Result:
    """SHOW DATABASES. Where one stores is shown to its owner, and to those who see the connection."""
    with house.catalog.read() as snapshot:
        rows = [(d.name, *_shown_storage(house, snapshot, d, context)) for d in snapshot.databases()]
    return Result("SHOW", ("name", "data_path", "connection"), rows)


def _shown_storage(
    house: House, snapshot: Snapshot, database: DatabaseRecord, context: Context
) -> tuple[str | None, str | None]:
    if database.connection_id is None:
        return None, None
    connection = snapshot.get(database.connection_id)
    if house.access.owns(context.principal, database) or house.access.sees(context.principal, connection):
        return database.data_path, connection.full_name
    return None, None


def _storage(
    house: House, tx: Snapshot, statement: ast.CreateDatabase, context: Context
) -> tuple[str | None, ObjectRecord | None]:
    """Check right, URL and scheme of DATA PATH, in this order; the store is not asked."""
    if statement.data_path is None or statement.connection is None:
        return None, None
    connection = connections.visible(house, tx, statement.connection, context)
    house.access.require(context.principal, "USAGE", connection)
    url = statement.data_path if statement.data_path.endswith("/") else statement.data_path + "/"
    kind = connections.definition(tx, connection).kind
    if url.split("://", 1)[0].lower() not in declaration.connector(kind).schemes:
        message = f"connection {connection.full_name} ({kind}) does not lead to {statement.data_path}"
        schemes = " or ".join(f"{scheme}://" for scheme in sorted(declaration.connector(kind).schemes))
        raise InvalidParameter(message, hint=f"write a URL: {schemes}bucket/folder/")
    place, store = parse_url(url), store_of(tx.definition(connection.id))
    for other in tx.databases():
        if other.data_path is None or other.connection_id is None:
            continue
        same_store = store_of(tx.definition(other.connection_id)) == store
        if same_store and _overlap(place, parse_url(other.data_path)):
            message = "another database stores its tables there, above it, or below it"
            raise InvalidParameter(message, hint="give each database a folder of its own")
    return url, connection


def _overlap(one: tuple[str, str], other: tuple[str, str]) -> bool:
    return one[0] == other[0] and (one[1].startswith(other[1]) or other[1].startswith(one[1]))
