"""Relations that a user reads with the rights of their owner: views, and tables of which only a part was granted.

A user's worker holds nothing that its user may not read. So where a view needs more than that, its text is planned and
run as its owner, in a worker of the owner's, and only the result comes over, as a file that the user's worker attaches.
Where the user may read everything that a view names, the view stays a view, and the engine can push filters into it.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from fairlead.access.relations import ViewRights
from fairlead.commands.visible import Need, Visible, query_of
from fairlead.engine.lake.copying import CopiedView
from fairlead.engine.lake.names import attached_name, literal, quote
from fairlead.errors import FairleadError, PermissionDenied
from fairlead.lang.lexer import DATA, READERS, tokenize

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from fairlead.access.relations import TableRights
    from fairlead.commands.data import DataRunner
    from fairlead.commands.house import House
    from fairlead.commands.visible import InDatabase
    from fairlead.context import Context, Principal
    from fairlead.engine.api import Column
    from fairlead.engine.planner import AliasBook, Planner
    from fairlead.engine.session import EngineSession
    from fairlead.lang import ast

_DEPTH = 8
_IN_A_TEXT = "42"  # SQLSTATEs of what is wrong with a statement, or with a text that it uses
# What shows what there is in a session, its user's and not the owner's; and names that may be those of files.
_ENGINES_OWN = re.compile(r"information_schema|show|describe|(?:duckdb|pg|sqlite|fairlead)_.*|.*[./:].*", re.DOTALL)


class Definers:
    """The owners' side of one session.

    Args:
        house: the gateway's rooms.
        planner: plans the texts of views.
        book: aliases of the session's door.
        context: gives the context of the statement that runs now.
        runner: makes what runs statements as another user, in a given database and schema.
        depth: how many views stand above this session's statements.
    """

    def __init__(
        self,
        house: House,
        planner: Planner,
        book: AliasBook,
        context: Callable[[], Context],
        runner: Callable[[Principal, str, str], DataRunner],
        depth: int = 0,
    ) -> None:
        self._house = house
        self._planner = planner
        self._book = book
        self._context = context
        self._runner = runner
        self._depth = depth
        self._runners: dict[tuple[int, str, str], DataRunner] = {}
        self._computed: set[int] = set()
        self._supplied: dict[str, Path] = {}
        self._amid: set[str] = set()  # of them, what was handed over inside of the open transaction
        self._serial = 0
        self._running: DataRunner | None = None

    # --- what is in a private copy -----------------------------------------------------------------------------------

    def views(self, visible: Visible, key: str, need: Need, context: Context) -> tuple[Need, tuple[CopiedView, ...]]:
        """Return what a copy has to hold for some views, and the views as they stand in the copy.

        Args:
            visible: what the user sees.
            key: database of the copy.
            need: tables and views that a statement may mean.
            context: of the statement.
        """
        made: dict[int, CopiedView] = {}
        while waiting := [view for view in need.views if view.record.id not in made]:
            for view in waiting:
                within = self._inline(visible, key, view, context.principal)
                if within is None:
                    sql = _handed_over(view)
                    self._computed.add(view.record.id)
                else:
                    self._computed.discard(view.record.id)
                    there = replace(context, database=view.database, schema=view.schema, search_path=())
                    sql = self._planner.plan(query_of(view.sql, view.dialect), there, self._book).sql
                    need |= within
                columns = view.columns if within is not None else ()
                made[view.record.id] = CopiedView(view.record.schema, view.record.name, sql, columns)
        parts = tuple(
            CopiedView(table.record.schema, table.record.name, _handed_over(table))
            for table in need.tables
            if table.parts
        )
        return need, (*made.values(), *parts)

    def _inline(self, visible: Visible, key: str, view: ViewRights, principal: Principal) -> Need | None:
        """Return what a view names, where the user may read it all; None where only its owner may."""
        if view.database.casefold() != key:
            return None
        statement = query_of(view.sql, view.dialect)
        if self._planner.names_catalogs(statement):
            return None  # what it names is made in the worker for one statement at a time
        mine = visible.by_database[key].named(statement.identifiers)
        if view.owner_id == principal.user_id:
            return mine
        # Under a view of this user's, whatever else it reads would come out for those who may read that view.
        if self._depth or _reads_more(statement, visible.by_database.keys() - {key}):
            return None
        words = statement.identifiers | _strings(view)  # FROM 'name' is a table, too
        mine = visible.by_database[key].named(words)
        theirs = Visible(self._house, self._owner(view)).by_database[key].named(words)
        whole = all("SELECT" in table.actions for table in mine.tables | theirs.tables)
        same = {table.table_id for table in mine.tables} == {table.table_id for table in theirs.tables}
        return mine if whole and same and not theirs.views and not mine.views else None

    def _owner(self, relation: ViewRights | TableRights) -> Principal:
        with self._house.catalog.read() as snapshot:
            role = snapshot.role_by_id(relation.record.owner_id)
        if role is None:
            message = f"the owner of {relation.record.full_name} does not exist any more"
            raise PermissionDenied(message)
        return self._house.access.principal(role.name)

    def closure(self, database: InDatabase, identifiers: frozenset[str]) -> Need:
        """Return what names may mean, and what stands behind the views among it that the engine opens itself."""
        found = database.named(identifiers)
        opened: set[int] = set()
        while waiting := [v for v in found.views if v.record.id not in opened | self._computed]:
            for view in waiting:
                opened.add(view.record.id)
                found |= database.named(query_of(view.sql, view.dialect).identifiers)
        return found

    # --- what is computed --------------------------------------------------------------------------------------------

    async def supply(self, worker: EngineSession, needed: Need, *, keep: bool) -> None:
        """Compute what a statement needs of others' relations, and hand it to its worker.

        Args:
            worker: of the session.
            needed: tables and views that the statement may mean.
            keep: what was handed over before stays as it is, as inside a transaction block.
        """
        computed = [view for view in needed.views if view.record.id in self._computed]
        parts = [table for table in needed.tables if table.parts]
        relations: list[ViewRights | TableRights] = [*parts, *computed]
        if not keep:
            wanted = {_catalog(relation) for relation in relations}
            await self._withdraw(worker, [name for name in self._supplied if name not in wanted])
        if not keep:
            self._amid.clear()
        for relation in relations:
            name = _catalog(relation)
            if not (keep and name in self._supplied):
                await self._hand_over(worker, relation, name)
                if keep:
                    self._amid.add(name)

    async def _withdraw(self, worker: EngineSession, names: Sequence[str]) -> None:
        if not names:
            return
        await worker.script([f"DETACH {quote(name)}" for name in names])
        for name in names:
            await asyncio.to_thread(self._supplied.pop(name).unlink, missing_ok=True)

    async def _hand_over(self, worker: EngineSession, relation: ViewRights | TableRights, name: str) -> None:
        if self._depth >= _DEPTH:
            message = f"{relation.record.full_name} stands on more than {_DEPTH} views of other owners"
            raise PermissionDenied(message)
        assert worker.folder is not None
        statement = await self._text(relation)
        self._serial += 1
        file = worker.folder.files / f"{name}-{self._serial}.duckdb"
        runner = self._runner_of(relation)
        self._running = runner
        try:
            await runner.materialise(statement, file)
        except FairleadError as error:
            error.detail = error.detail or f"while {relation.record.full_name} was computed as its owner"
            raise
        finally:
            self._running = None
        script = [f"ATTACH {literal(str(file))} AS {quote(name)} (READ_ONLY)"]
        before = self._supplied.get(name)
        if before is not None:
            script.insert(0, f"DETACH {quote(name)}")
        await worker.script(script)
        self._supplied[name] = file
        if before is not None:
            await asyncio.to_thread(before.unlink, missing_ok=True)

    async def columns(self, view: ViewRights) -> tuple[Column, ...]:
        """Return the columns of a view's query, as its owner would get them; nothing is computed for that.

        Raises:
            FairleadError: the query has a fault, or its owner may not run it.
        """
        runner = self._runner_of(view)
        self._running = runner
        try:
            return (await runner.describe(query_of(view.sql, view.dialect), ())).columns
        finally:
            self._running = None

    async def _text(self, relation: ViewRights | TableRights) -> ast.DataStatement:
        """Return the query that the owner runs."""
        if isinstance(relation, ViewRights):
            statement = query_of(relation.sql, relation.dialect)
            if not relation.columns:
                return statement
            listed = ", ".join(quote(column) for column in relation.columns)
            sql = f"SELECT * FROM (\n{relation.sql}\n) AS v({listed})"  # noqa: S608  # one query, checked
            return query_of(sql, relation.dialect)
        lake = await self._house.lakes.lake(relation.record.database_id)
        columns = next((t.columns for t in lake.tables() if t.table_id == relation.table_id), ())
        return query_of(part_of(relation, tuple(column.name for column in columns)))

    def _runner_of(self, relation: ViewRights | TableRights) -> DataRunner:
        there = relation if isinstance(relation, ViewRights) else relation.record
        key = relation.record.owner_id, there.database, there.schema
        if key not in self._runners:
            self._runners[key] = self._runner(self._owner(relation), there.database, there.schema)
        return self._runners[key]

    def undone(self) -> None:
        """The transaction is rolled back, and with it the attaching of what was handed over in it."""
        for name in self._amid:
            self._supplied.pop(name, None)
        self._amid.clear()

    # --- what went wrong ---------------------------------------------------------------------------------------------

    async def blame(self, worker: EngineSession, failure: FairleadError, named: Need) -> None:
        """Say in an error in which view's text it is, where one of the views that a statement names fails by itself.

        Args:
            worker: of the session.
            failure: of the statement; gets the view as its detail.
            named: what the statement may mean.
        """
        opened = [view for view in named.views if view.record.id not in self._computed]
        if failure.sqlstate[:2] != _IN_A_TEXT or failure.detail is not None or not worker.worker.alive:
            return
        broken = [view for view in opened if await _fails_as(worker, view, failure)]
        names = {view.record.name.casefold() for view in broken}
        inner = (v for v in broken if names.isdisjoint(query_of(v.sql, v.dialect).identifiers - {v.record.name}))
        view = next(inner, None)
        if view is not None:
            failure.detail = f"in the text of view {view.record.full_name}"
            failure.position = None

    # --- end ---------------------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """The session's worker is gone, and what was handed to it."""
        self._supplied = {}

    async def cancel(self) -> None:
        """End the owner's statement, if one runs."""
        if self._running is not None:
            await self._running.cancel()

    async def close(self) -> None:
        """End the owners' workers."""
        runners, self._runners = self._runners, {}
        for runner in runners.values():
            await runner.close()


async def _fails_as(worker: EngineSession, view: ViewRights, failure: FairleadError) -> bool:
    place = ".".join(map(quote, (attached_name(view.record.database), view.record.schema, view.record.name)))
    try:
        await worker.describe(f"SELECT * FROM {place}")  # noqa: S608  # quoted names
    except FairleadError as error:
        return (error.sqlstate, error.message) == (failure.sqlstate, failure.message)
    return False


def part_of(table: TableRights, columns: tuple[str, ...]) -> str:
    """Return the query for the part of a table that narrowed grants give together.

    A row is there if any grant gives it; a column of it has a value if a grant that gives the row gives the column.

    Args:
        table: with its narrowed grants.
        columns: of the table, in order.
    """
    granted = [(part, {c.casefold() for c in part.columns or columns}, part.where) for part in table.parts]
    shown: list[str] = []
    for column in columns:
        conditions = [where for _, names, where in granted if column.casefold() in names]
        if not conditions:
            continue
        if any(where is None for where in conditions) or len(conditions) == len(granted):
            shown.append(quote(column))
        else:
            when = " OR ".join(f"({where}\n)" for where in conditions)
            shown.append(f"CASE WHEN {when} THEN {quote(column)} END AS {quote(column)}")
    everywhere = any(where is None for _, _, where in granted)
    rows = "" if everywhere else " WHERE " + " OR ".join(f"({where}\n)" for _, _, where in granted)
    place = f"{quote(table.record.database)}.{quote(table.record.schema)}.{quote(table.record.name)}"
    return f"SELECT {', '.join(shown)} FROM {place}{rows}"  # noqa: S608  # quoted names, conditions checked at GRANT


def _reads_more(statement: ast.DataStatement, elsewhere: Collection[str]) -> bool:
    """Tell whether a view may read more than tables of its database: files, other databases, what there is."""
    return (
        bool(statement.locations)
        or not statement.identifiers.isdisjoint(elsewhere)
        or any(READERS.fullmatch(name) for name in statement.calls)
        or any(_ENGINES_OWN.fullmatch(name) for name in statement.identifiers)
    )


def _strings(view: ViewRights) -> frozenset[str]:
    tokens, _ = tokenize(view.sql, DATA)
    return frozenset(token.text.casefold() for token in tokens if token.kind == "string")


def _catalog(relation: ViewRights | TableRights) -> str:
    return f"fairlead_{relation.record.kind}_{relation.record.id}"


def _handed_over(relation: ViewRights | TableRights) -> str:
    return f"SELECT * FROM {quote(_catalog(relation))}.main.v"  # noqa: S608  # a name of our own
