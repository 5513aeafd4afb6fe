"""Texts that are stored to be run later are bound when they are stored: who writes a mistake is told of it.

A view's query and the condition of a narrowed grant are described by the session's own worker, with the rights of
whoever creates them, after it is certain that they may.
"""

from __future__ import annotations

import asyncio
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, Protocol

from fairlead.commands import narrowing, relations, views
from fairlead.commands.visible import query_of
from fairlead.engine.lake.names import quote
from fairlead.errors import DatatypeMismatch, FairleadError, InvalidTableDefinition, SqlSyntaxError
from fairlead.lang import ast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.catalog.records import ObjectRecord
    from fairlead.commands.house import House
    from fairlead.context import Context
    from fairlead.engine.api import Column, Described

_BOOLEAN: Final = 16
_KEPT: Final = "DROP VIEW and CREATE it again; new columns may be added at the end of those there are"


class Describes(Protocol):
    """Tells what a statement of the session would return."""

    async def describe(self, statement: ast.DataStatement, type_oids: Sequence[int]) -> Described:
        """Return parameters and columns of a statement without running it."""


async def bind(statement: ast.Statement, data: Describes, house: House, context: Context) -> None:
    """Refuse a statement that stores a text which means nothing; other statements pass.

    Args:
        statement: of the catalog.
        data: of the session.
        house: the gateway's rooms.
        context: of the statement.

    Raises:
        EngineError: the text names what is not there, or is not a query.
        SqlSyntaxError, InvalidTableDefinition: the view cannot have these columns.
        DatatypeMismatch: the condition is not true or false.
        FairleadError: the caller may not store it.
    """
    match statement:
        case ast.CreateView():
            await _view(statement, data, house, context)
        case ast.Grant(condition=str()):
            await _condition(statement, data, house, context)


async def _view(statement: ast.CreateView, data: Describes, house: House, context: Context) -> None:
    existing = await asyncio.to_thread(_replaced, statement, house, context)
    if existing is not None and statement.if_not_exists:
        return
    try:
        found = (await data.describe(query_of(statement.query, context.dialect), ())).columns
    except FairleadError as error:
        if error.position is not None:
            error.position += statement.span[1] - len(statement.query)  # which ends the statement
        raise
    if len(statement.columns) > len(found):
        message = "CREATE VIEW specifies more column names than columns"
        raise SqlSyntaxError(message, hint=f"the query has {len(found)}")
    if existing is not None:
        await _refuse_other_columns(existing, statement.columns, found, data)


def _replaced(statement: ast.CreateView, house: House, context: Context) -> ObjectRecord | None:
    views.definition(house, statement, context)
    with house.catalog.read() as snapshot:
        return views.replaced(house, snapshot, statement, context)


async def _refuse_other_columns(
    existing: ObjectRecord, named: Sequence[str], found: Sequence[Column], data: Describes
) -> None:
    """As in PostgreSQL: columns may be added at the end; those that there were keep name and type."""
    place = ".".join(map(quote, (existing.database, existing.schema, existing.name)))
    try:
        before = (await data.describe(query_of(f"SELECT * FROM {place}"), ())).columns  # noqa: S608  # quoted names
    except FairleadError:  # it has come to mean nothing, so nobody can read it
        return
    if len(found) < len(before):
        message = f'cannot drop columns from view "{existing.full_name}"'
        raise InvalidTableDefinition(message, hint=_KEPT)
    for old, new, name in zip_longest(before, found[: len(before)], named[: len(before)]):
        now = name or new.name
        if old.name.casefold() != now.casefold():
            message = f'cannot change name of view column "{old.name}" to "{now}"'
            raise InvalidTableDefinition(message, hint=_KEPT)
        if (old.type_oid, old.type_modifier) != (new.type_oid, new.type_modifier):
            message = f'cannot change data type of view column "{old.name}"'
            raise InvalidTableDefinition(message, hint=_KEPT)


async def _condition(statement: ast.Grant, data: Describes, house: House, context: Context) -> None:
    for place in await asyncio.to_thread(_narrowed, statement, house, context):
        query = query_of(f"SELECT ({statement.condition}\n) FROM {place}")  # noqa: S608  # checked, and quoted names
        (column,) = (await _described(query, data)).columns
        if column.type_oid != _BOOLEAN:
            message = "the condition of a grant must be true or false"
            raise DatatypeMismatch(message, hint="compare with something: WHERE region = 'EU'")


async def _described(query: ast.DataStatement, data: Describes) -> Described:
    try:
        return await data.describe(query, ())
    except FairleadError as error:
        error.position = None  # in a text that nobody has typed
        raise


def _narrowed(statement: ast.Grant, house: House, context: Context) -> list[str]:
    """Return the tables of a narrowed grant that the caller may narrow, after the first check of the condition."""
    places: list[str] = []
    if statement.target.kind != "table" or statement.target.all_in:
        return places  # the command says that this is not offered
    with house.catalog.read() as snapshot:
        for name in statement.target.names:
            table = relations.visible(house, snapshot, "table", name, context)
            narrowing.narrowing(statement, table, house, context)
            places.append(".".join(map(quote, (table.database, table.schema, table.name))))
    return places
