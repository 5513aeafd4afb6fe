"""A real writer with its lakes, and change sets for them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import duckdb

from fairlead.config import CareSettings
from fairlead.engine.lake.changes import ChangeSet, NewColumn, RowChanges, TableCreated, TableRef
from fairlead.engine.lake.lakes import Lakes
from tests.engine.running import started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from fairlead.engine.engine import Engine
    from fairlead.engine.lake.lake import Lake
    from fairlead.engine.lake.metadata import LakeTable

DATABASE = 7
COLUMNS = (NewColumn("id", "INTEGER"), NewColumn("v", "VARCHAR"))
NAMES = ("id", "v")


class Yard:
    """Lakes with a writer, and what tests do with them."""

    def __init__(self, data: Path, engine: Engine, lakes: Lakes) -> None:
        self.data = data
        self.engine = engine
        self.lakes = lakes
        self._duck = duckdb.connect(config={"threads": "1"})

    async def lake(self) -> Lake:
        return await self.lakes.lake(DATABASE)

    async def table(self, name: str = "t") -> LakeTable:
        """Make a table of two columns."""
        lake = await self.lake()
        change = TableCreated(TableRef("public", name), COLUMNS)
        changes = ChangeSet(DATABASE, lake.snapshot, structure=(change,))
        committed = await lake.commit(changes, author="ann", extra={"owner": 3})
        return next(table for table in committed.tables if table.name == name)

    def parquet(self, sql: str) -> Path:
        """Write a query's rows into a new folder of the inbox."""
        file = self.lakes.new_inbox() / "rows.parquet"
        self._duck.execute(f"COPY ({sql}) TO '{file}' (FORMAT parquet)")
        return file

    def inserts(
        self, table: LakeTable, begin: int, count: int, text: str = "x", *, base: int | None = None
    ) -> ChangeSet:
        file = self.parquet(f"SELECT range::INTEGER AS id, '{text}' AS v FROM range({begin}, {begin + count})")
        return self.rows(table, base, inserted=count, inserts=(file,))

    def updates(self, table: LakeTable, rows: dict[int, tuple[int, str]], *, base: int | None = None) -> ChangeSet:
        """Return the change of rows to other values, by row id."""
        values = ", ".join(f"({row}::BIGINT, {id_}::INTEGER, '{text}')" for row, (id_, text) in rows.items())
        file = self.parquet(f"SELECT * FROM (VALUES {values}) AS x(fairlead_rowid, id, v)")
        return self.rows(table, base, updated=len(rows), updates=file)

    def deletes(self, table: LakeTable, rows: list[int], *, base: int | None = None) -> ChangeSet:
        file = self.parquet(f"SELECT unnest({rows}::BIGINT[]) AS fairlead_rowid")
        return self.rows(table, base, deleted=len(rows), deletes=file)

    def rows(self, table: LakeTable, base: int | None = None, **changes: Any) -> ChangeSet:
        lake = self.lakes.known(DATABASE)
        assert lake is not None
        ref = TableRef(table.schema, table.name, table.table_id)
        one = RowChanges(ref, columns=NAMES, **changes)
        return ChangeSet(DATABASE, lake.snapshot if base is None else base, rows=(one,))

    async def commit(self, changes: ChangeSet, **extra: Any) -> int:
        try:
            return (await (await self.lake()).commit(changes, author="ann", extra=extra)).snapshot
        finally:
            for rows in changes.rows:
                for file in (*rows.inserts, rows.updates, rows.deletes):
                    if file is not None:
                        self.lakes.clear_inbox(file.parent)

    async def look(self, name: str = "t", *, at: int | None = None, order: str = "") -> list[tuple[Any, ...]]:
        """Return row ids and rows, in the order of row ids unless another one is given."""
        lake = await self.lake()
        version = f" AT (VERSION => {at})" if at is not None else ""
        sql = f"SELECT rowid, id, v FROM {lake.attached}.public.{name}{version} {order}"
        async with lake.writer.turn:
            await lake.attach()
            found = [tuple(row) for row in (await lake.writer.run([sql]))[0]]
        return found if order else sorted(found)

    async def kept(self) -> list[int]:
        return [one.id for one in (await self.lake()).reader.snapshots()]

    async def writer_pid(self) -> int:
        return (await self.engine.writer()).worker_pid

    def data_files(self) -> list[Path]:
        return sorted((self.data / "lake" / str(DATABASE) / "files").rglob("*.parquet"))


@asynccontextmanager
async def yard(data: Path, **care: Any) -> AsyncIterator[Yard]:
    """Start an engine with lakes; the care runs only when a test asks for it."""
    async with started(data) as (engine, _):
        lakes = Lakes(data, engine.writer, settings=CareSettings(**{"interval": 0, **care}))
        await lakes.start()
        try:
            yield Yard(data, engine, lakes)
        finally:
            await lakes.stop()
