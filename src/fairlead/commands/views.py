"""CREATE VIEW, and what becomes of a view: its text is stored, and planned again at each use, as its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fairlead.commands import depending, records
from fairlead.commands.house import House, Result
from fairlead.dialects import errors as texts
from fairlead.dialects import names
from fairlead.engine.hygiene import refuse_dangerous
from fairlead.errors import InvalidObjectDefinition, InvalidParameter, NotSupported
from fairlead.lang import ast, parse, render
from fairlead.lang.lexer import DATA, tokenize
from fairlead.lang.masking import holds_credential
from fairlead.session_types import Notice

if TYPE_CHECKING:
    from fairlead.catalog.records import ObjectRecord
    from fairlead.catalog.snapshot import Snapshot
    from fairlead.context import Context


def create(statement: ast.CreateView, house: House, context: Context) -> Result:
    """CREATE VIEW: names in it are looked up at each use, in the database and schema that are current now."""
    stored = definition(house, statement, context)
    with house.catalog.write() as tx:
        where = names.place(tx, statement.name, context)
        existing = replaced(house, tx, statement, context)
        if existing is not None and statement.or_replace:
            _refuse_recursion(tx, existing, statement, context)
            newer = tx.new_version(existing.id, definition=stored)
            house.ledger.append(tx, records.ddl(context, "REPLACE VIEW", newer))
            return Result("CREATE VIEW")
        if existing is not None:
            return Result("CREATE VIEW", notices=(Notice("NOTICE", texts.skipping("view", where.name), "42P07"),))
        view = tx.create_object(
            "view",
            where.database,
            where.schema,
            where.name,
            owner_id=context.principal.user_id,
            definition=stored,
        )
        house.ledger.append(tx, records.ddl(context, "CREATE VIEW", view))
    return Result("CREATE VIEW")


def replaced(house: House, snapshot: Snapshot, statement: ast.CreateView, context: Context) -> ObjectRecord | None:
    """Return what has the name of a new view already: with OR REPLACE a view, with IF NOT EXISTS anything.

    Raises:
        DuplicateTable, WrongObjectType: the name is taken.
        PermissionDenied: the caller may not create it, or replace that one.
    """
    where = names.place(snapshot, statement.name, context)
    existing = snapshot.relation(where.database, where.schema, where.name)
    if existing is not None and statement.or_replace:
        existing = names.of_kind(existing, "view")
        house.access.require_owner(context.principal, existing)
        return existing
    house.access.require_create(context.principal, "CREATE", names.schema(snapshot, where.database, where.schema))
    if existing is not None and not statement.if_not_exists:
        raise texts.exists(existing.kind, existing.full_name, context.dialect)
    return existing


def _refuse_recursion(snapshot: Snapshot, view: ObjectRecord, statement: ast.CreateView, context: Context) -> None:
    """A view that reads itself could be made only in place of one that was there."""
    read = depending.read_by(snapshot, statement.query, context.database, context.schema, context)
    if read & {view.id, *(one.id for one in depending.dependents(snapshot, [view], context))}:
        message = f'infinite recursion: view "{view.full_name}" would read itself'
        raise InvalidObjectDefinition(message)


def for_engine(statement: ast.DropObjects, house: House, context: Context) -> ast.DataStatement | None:
    """Return DROP VIEW as a statement for the engine where it names no view of the catalog: it may mean temporary ones.

    Args:
        statement: any DROP.
        house: whose catalog is asked.
        context: gives the current database.
    """
    if statement.kind != "view" or any(len(name.parts) > 1 for name in statement.names):
        return None
    with house.catalog.read() as snapshot:
        if any(names.relation(snapshot, name, context) is not None for name in statement.names):
            return None
    text = render(statement)  # names are never masked
    identifiers = frozenset(name.last.casefold() for name in statement.names)
    return ast.DataStatement(text=text, verb="DROP", identifiers=identifiers, span=statement.span)


def renamed(statement: ast.DataStatement, house: House, context: Context) -> ast.AlterObject | None:
    """Return ALTER TABLE name RENAME TO other as a change of a view, where the name is a view's, as in PostgreSQL.

    Args:
        statement: one for the engine.
        house: whose catalog is asked.
        context: gives the current database.
    """
    if statement.verb != "ALTER" or not statement.names:
        return None
    target = next(name for name in statement.names if name.relation)
    tail, _ = tokenize(statement.text, DATA, target.span[1])
    if [token.upper for token in tail[:2]] != ["RENAME", "TO"] or tail[3].kind != "eof":
        return None
    name = ast.Name(target.parts)
    with house.catalog.read() as snapshot:
        found = names.relation(snapshot, name, context)
    if found is None or found.kind != "view":
        return None
    return ast.AlterObject(kind="view", name=name, rename_to=tail[2].text, span=statement.span)


def definition(house: House, statement: ast.CreateView, context: Context) -> dict[str, Any]:
    """Return what is stored of a view.

    Raises:
        PermissionDenied, NotSupported, InvalidParameter: a text that no view may have.
    """
    (query,) = parse(statement.query)
    assert isinstance(query, ast.DataStatement)
    if house.settings.layers.statements != "off":
        refuse_dangerous(query)
    _refuse_credentials(query)
    repeated = len({column.casefold() for column in statement.columns}) != len(statement.columns)
    if repeated:
        message = "a column of the view is named twice"
        raise InvalidParameter(message)
    return {
        "sql": statement.query,
        "columns": list(statement.columns),
        "database": context.database,
        "schema": context.schema,
        "dialect": context.dialect,
    }


def _refuse_credentials(query: ast.DataStatement) -> None:
    """A view's text is stored and shown in clear."""
    for location in query.locations:
        given = next((option.value for option in location.options if option.key == "CONNECTION"), ())
        inline = isinstance(given, tuple) and any(
            isinstance(option, ast.Option) and option.name != "CONNECTION_NAME" for option in given
        )
        if inline or holds_credential(location.url or ""):
            message = "credentials written into a view are not accepted"
            raise NotSupported(message, hint="CONNECTION => (CONNECTION_NAME = 'name'), of a connection you may use")
