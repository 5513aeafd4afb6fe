"""The short way of an INSERT that is a transaction of its own: into a table in memory, and from there to the writer.

It needs no private copy of the lake, so it is several times as fast as the long way; and as it reads nothing of the
table, nothing that others do to the table can be in its way.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from fairlead.commands.rights import deny
from fairlead.engine.lake.carrying import AS_TEXT
from fairlead.engine.lake.changes import ChangeSet, RowChanges, TableRef
from fairlead.engine.lake.columntypes import PLAIN
from fairlead.engine.lake.names import literal, quote

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.access.relations import TableRights
    from fairlead.commands.house import House
    from fairlead.commands.visible import Visible
    from fairlead.context import Context
    from fairlead.engine.lake.lakes import Lake
    from fairlead.engine.lake.metadata import LakeTable
    from fairlead.engine.session import EngineSession
    from fairlead.lang import ast

_AS_TEXT = frozenset(PLAIN[name] for name in AS_TEXT)
_MOST = 50  # temporary tables of one session


class Staged:
    """One INSERT on its short way.

    Args:
        rights: the user's, on the table.
        lake: of the table.
        table: as it is now.
        target: the name in the statement.
    """

    def __init__(self, rights: TableRights, lake: Lake, table: LakeTable, target: ast.DottedName) -> None:
        self.rights = rights
        self.lake = lake
        self.table = table
        self.target = target

    @property
    def name(self) -> str:
        """The table in the worker's memory, as it stands in SQL: it has the target's own name, for RETURNING."""
        return f"{self.schema}.{quote(self.table.name)}"

    @property
    def schema(self) -> str:
        """The schema that holds it alone, as it stands in SQL."""
        return f"memory.{quote(f'fairlead_rows_{self.lake.database_id}_{self.table.table_id}')}"

    def rest(self, statement: ast.DataStatement) -> ast.DataStatement:
        """Return the statement as far as copies of the lake are needed: without its target."""
        name = self.table.name.casefold()
        return replace(statement, identifiers=statement.identifiers - {name}, names=statement.names[1:])

    def create(self) -> tuple[str, ...]:
        """Return the statements that make the table."""
        columns = []
        for column in self.table.columns:
            null = "" if column.nullable else " NOT NULL"
            default = f" DEFAULT {column.default}" if column.default is not None else ""
            columns.append(f"{quote(column.name)} {column.type}{default}{null}")
        return (
            f"DROP SCHEMA IF EXISTS {self.schema} CASCADE",
            f"CREATE SCHEMA {self.schema}",
            f"CREATE TABLE {self.name} ({', '.join(columns)})",
        )

    def carried(self) -> str:
        """Return the query that gives the rows as Parquet can hold them; the writer casts texts back."""
        columns = (
            f"CAST({quote(c.name)} AS VARCHAR) AS {quote(c.name)}" if c.type in _AS_TEXT else quote(c.name)
            for c in self.table.columns
        )
        return f"SELECT {', '.join(columns)} FROM {self.name}"  # noqa: S608  # quoted names

    @property
    def possible(self) -> bool:
        """Whether every column can go this way: not those with a part that Parquet cannot hold."""
        nested = (column.type for column in self.table.columns if column.type not in PLAIN.values())
        return not any(part in type_ for type_ in nested for part in _AS_TEXT)


class Staging:
    """The short way in one session.

    Args:
        house: the gateway's rooms.
        context: gives the context of the statement that runs now.
    """

    def __init__(self, house: House, context: Callable[[], Context]) -> None:
        self._house = house
        self._context = context
        self._made: dict[str, tuple[str, ...]] = {}
        self._generation = 0
        self._serial = 0

    async def way(self, visible: Visible, statement: ast.DataStatement) -> Staged | None:
        """Return the short way of a statement, None where it has to go the long one.

        Raises:
            PermissionDenied: the user may not insert into the table.
        """
        target = next((name for name in statement.names if name.relation), None)
        if statement.verb != "INSERT" or target is None:
            return None
        rights = self._table(visible, target)
        if (
            rights is None
            or sum(name.parts[-1].casefold() == rights.record.name.casefold() for name in statement.names) > 1
        ):
            return None
        if "INSERT" not in rights.actions:
            deny(rights, "INSERT", self._context())
        lake = await self._house.lakes.lake(rights.record.database_id)
        table = next((table for table in lake.tables() if table.table_id == rights.table_id), None)
        staged = Staged(rights, lake, table, target) if table is not None else None
        return staged if staged is not None and staged.possible else None

    def _table(self, visible: Visible, target: ast.DottedName) -> TableRights | None:
        """Return the one table that a name means; None where that is not plain."""
        context = self._context()
        parts = [part.casefold() for part in target.parts]
        database = visible.by_database.get(context.database.casefold())
        schema = context.schema.casefold()
        match parts:
            case [name]:
                pass
            case [first, name] if database is not None and first in {s.casefold() for s in database.schemas}:
                schema = first
            case [first, name]:
                database = visible.by_database.get(first)
            case [first, schema, name]:
                database = visible.by_database.get(first)
            case _:
                return None
        if database is None:
            return None
        found = [t for t in database.tables.get(name, ()) if t.record.schema.casefold() == schema]
        return found[0] if len(found) == 1 else None

    async def begin(self, worker: EngineSession, staged: Staged) -> bool:
        """Have the temporary table ready; False where a temporary table of the user's stands in the way."""
        if worker.generation != self._generation:
            self._generation, self._made = worker.generation, {}
        script = [*staged.create()] if self._made.get(staged.schema) != staged.create() else []
        if len(staged.target.parts) == 1:
            name = literal(staged.table.name.casefold())
            there = "SELECT system.main.count(*) FROM system.main.duckdb_tables()"
            script.append(f"{there} WHERE temporary AND system.main.lower(table_name) = {name}")
        if not script:
            return True
        if len(self._made) >= _MOST:
            script = [*(f"DROP SCHEMA {schema} CASCADE" for schema in self._made), *script]
            self._made = {}
        answers = await worker.script(script)
        self._made[staged.schema] = staged.create()
        return len(staged.target.parts) > 1 or answers[-1] == [[0]]

    async def hide(self, worker: EngineSession) -> None:
        """Take the temporary tables away before somebody asks what there is."""
        made, self._made = self._made, {}
        if made and worker.generation == self._generation:
            await worker.script([f"DROP SCHEMA IF EXISTS {schema} CASCADE" for schema in made])

    async def settle(self, worker: EngineSession, staged: Staged) -> None:
        """Hand the rows to the writer, which commits them.

        Raises:
            FairleadError: they are not in the table.
        """
        assert worker.folder is not None
        self._serial += 1
        out = worker.folder.spill / "out" / f"rows-{self._serial}.parquet"
        self._made.pop(staged.schema)  # until the rows are gone from it
        script = [
            f"COPY ({staged.carried()}) TO {literal(str(out))} (FORMAT parquet)",
            f"DELETE FROM {staged.name}",  # noqa: S608  # a name of our own
        ]
        answers = await worker.script(script)
        self._made[staged.schema] = staged.create()
        count = int(answers[0][0][0])
        if not count:
            return
        inbox = await asyncio.to_thread(self._house.lakes.new_inbox)
        try:
            rows = inbox / out.name
            await asyncio.to_thread(out.rename, rows)
            changes = ChangeSet(
                database_id=staged.lake.database_id,
                base=staged.lake.snapshot,
                rows=(
                    RowChanges(
                        TableRef(staged.table.schema, staged.table.name, staged.table.table_id),
                        inserted=count,
                        inserts=(rows,),
                        columns=tuple(column.name for column in staged.table.columns),
                    ),
                ),
            )
            user = self._context().principal
            await staged.lake.commit(changes, author=user.user_name, extra={"owner": user.user_id})
        finally:
            await asyncio.to_thread(self._house.lakes.clear_inbox, inbox)
