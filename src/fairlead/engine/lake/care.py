"""The care of a lake: rows that are kept in the metadata become files, small files become large ones, old ones go.

Every step takes one turn of the writer, so commits wait for one step at most, and none changes a row, a row id, or
what time travel shows. Two flaws of DuckLake 1.0 (duckdb 1.5.5) are worked around here, each with a test that fails
when the way around is not needed any more: *merging* takes the row ids of updated rows to be consecutive (see
:meth:`Care._own_row_ids`), and *rewriting* narrows the statistics that older snapshots are read with (see
``statistics.py``).
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from fairlead.engine.lake import condition, removing, statistics
from fairlead.engine.lake.applying import Step
from fairlead.engine.lake.names import literal, metadata_name, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fairlead.config import CareSettings
    from fairlead.engine.lake.condition import Condition, DataFile
    from fairlead.engine.lake.lake import Lake
    from fairlead.engine.lake.metadata import LakeTable

_MIB: Final = 1 << 20
# Files are merged with those of about their own size, so that a large one is not written anew for each small one.
_TIERS: Final = ((0, _MIB), (_MIB, 16 * _MIB), (16 * _MIB, 128 * _MIB))
_ROW_ID: Final = "_ducklake_internal_row_id"
_EXPIRED_AT_ONCE: Final = 1000
_LOOK_AGAIN: Final = 600.0
_EVER: Final = datetime.max.replace(tzinfo=UTC)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Done:
    """What one kind of step has done.

    Args:
        step: its name.
        tables: number of tables concerned.
        files: number of files that were replaced or removed; of expired snapshots, for that step.
        rows: that were moved into files.
        size: bytes given free on the disk; 0 for files on a connection, whose size is not asked for.
    """

    step: str
    tables: int = 0
    files: int = 0
    rows: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class _Limits:
    """Above which something is done."""

    inlined_rows: int
    small_files: int
    deleted_share: float


@dataclass(slots=True)
class _Memory:
    """What the last round has left of a lake."""

    snapshot: int
    generation: int
    at: float


class Care:
    """Looks after lakes.

    Args:
        settings: when to do what.
    """

    def __init__(self, settings: CareSettings) -> None:
        self._settings = settings
        self._limits = _Limits(settings.inlined_rows, settings.small_files, settings.deleted_share)
        self._memory: dict[int, _Memory] = {}

    async def round(self, lake: Lake) -> tuple[Done, ...]:
        """Do what is due in one lake; nothing where it has not changed since the last time.

        Raises:
            FairleadError: a step failed; those before it are done.
        """
        known = self._memory.get(lake.database_id)
        generation = lake.writer.generation
        if known is not None and known.snapshot == lake.snapshot and time.monotonic() < known.at + _LOOK_AGAIN:
            return ()
        steps = await self._compact(lake, self._limits)
        steps += [await self._expire(lake), await self._clean(lake)]
        if lake.storage is None and (known is None or known.generation != generation):
            # Only a writer that was lost leaves files that nobody names.
            steps.append(await self._orphans(lake))
        self._memory[lake.database_id] = _Memory(lake.snapshot, generation, time.monotonic())
        return tuple(steps)

    async def everything(self, lake: Lake) -> tuple[Done, ...]:
        """Do all that can be done in one lake.

        Raises:
            FairleadError: a step failed; those before it are done.
        """
        steps = await self._compact(lake, _Limits(inlined_rows=0, small_files=1, deleted_share=0.01))
        return (*steps, await self._expire(lake), await self._clean(lake), await self._orphans(lake))

    async def erase(self, lake: Lake) -> None:
        """Delete every file of a lake that is being dropped; the writer's turn is held.

        Raises:
            FairleadError: the store cannot be reached.
        """
        await lake.attach()
        name = literal(lake.attached)
        dropped = [Step(f"DROP TABLE {_named(lake, table)}") for table in lake.tables()]
        if dropped:
            await lake.transact(dropped)
        await lake.refresh()
        old = await asyncio.to_thread(condition.read, lake.catalog, expire_before=_EVER)
        if old.expired:
            await lake.writer.run([f"CALL ducklake_expire_snapshots({name}, versions => {_list(old.expired)})"])
        await removing.scheduled(lake, before=_EVER)
        await removing.orphans(lake)

    # --- compaction --------------------------------------------------------------------------------------------------

    async def _compact(self, lake: Lake, limits: _Limits) -> list[Done]:
        tables = {table.table_id: table for table in lake.tables()}
        state = await self._read(lake)
        flushed = [
            await self._flush(lake, tables[table])
            for table, rows in state.inlined.items()
            if rows > limits.inlined_rows and table in tables
        ]
        state = await self._read(lake) if flushed else state
        rewritten = [
            await self._rewrite(lake, tables[table], limits.deleted_share)
            for table in sorted({f.table_id for f in state.files if f.deleted > limits.deleted_share * f.rows})
            if table in tables
        ]
        state = await self._read(lake) if rewritten else state
        merged = [
            await self._merge(lake, tables[table], smallest, largest)
            for table, smallest, largest in _mergeable(state.files, limits.small_files)
            if table in tables
        ]
        return [_sum("flush", flushed), _sum("rewrite", rewritten), _sum("merge", merged)]

    async def _flush(self, lake: Lake, table: LakeTable) -> Done:
        call = f"CALL ducklake_flush_inlined_data({literal(lake.attached)}, {_arguments(table, 'table_name')})"
        rows = await self._turn(lake, [call])
        return Done("flush", tables=len(rows), rows=sum(row[2] for row in rows))

    async def _merge(self, lake: Lake, table: LakeTable, smallest: int, largest: int) -> Done:
        async def work() -> list[list[Any]]:
            await lake.attach()
            await self._own_row_ids(lake, table)
            call = (
                f"CALL ducklake_merge_adjacent_files({literal(lake.attached)}, {literal(table.name)}, "
                f"schema => {literal(table.schema)}, min_file_size => {smallest}, max_file_size => {largest})"
            )
            return await _run(lake, [call])

        rows = await lake.in_turn(work)
        return Done("merge", tables=len({row[1] for row in rows}), files=sum(row[2] for row in rows))

    async def _own_row_ids(self, lake: Lake, table: LakeTable) -> None:
        """Tell DuckLake which files hold row ids of their own, so that merging keeps them.

        An UPDATE writes the row ids of the rows into its file; DuckLake notes a range of new ones beside it and, where
        the ranges of neighbours meet, merges the files without the ids that are in them. Without a range it keeps them.
        """
        state = await asyncio.to_thread(condition.read, lake.catalog, expire_before=_NEVER)
        numbered = {
            _place(lake, table, f): f.file_id for f in state.files if f.table_id == table.table_id and f.numbered
        }
        if not numbered:
            return
        footers = f"system.main.parquet_schema({_texts(numbered)})"
        query = f"SELECT DISTINCT file_name FROM {footers} WHERE name = {literal(_ROW_ID)}"  # noqa: S608  # our own
        own = [numbered[name] for (name,) in (await lake.writer.run([query]))[0]]
        if own:
            relation = f"{quote(metadata_name(lake.attached))}.ducklake_data_file"
            where = f"table_id = {table.table_id} AND data_file_id IN ({', '.join(map(str, own))})"
            await lake.writer.run([f"UPDATE {relation} SET row_id_start = NULL WHERE {where}"])  # noqa: S608

    async def _rewrite(self, lake: Lake, table: LakeTable, share: float) -> Done:
        """Write the files anew of which many rows are deleted; the table's statistics stay as wide as they were."""

        async def work() -> list[list[Any]]:
            await lake.attach()
            await asyncio.to_thread(statistics.keep, lake.catalog, table.table_id)
            call = (
                f"CALL ducklake_rewrite_data_files({literal(lake.attached)}, {literal(table.name)}, "
                f"schema => {literal(table.schema)}, delete_threshold => {share})"
            )
            try:
                return await _run(lake, [call])
            finally:
                await lake.attach()  # writes the statistics back

        rows = await lake.in_turn(work)
        return Done("rewrite", tables=len({row[1] for row in rows}), files=sum(row[2] for row in rows))

    # --- what is old -------------------------------------------------------------------------------------------------

    async def _expire(self, lake: Lake) -> Done:
        expired = (await self._read(lake)).expired
        for begin in range(0, len(expired), _EXPIRED_AT_ONCE):
            some = _list(expired[begin : begin + _EXPIRED_AT_ONCE])
            await self._turn(lake, [f"CALL ducklake_expire_snapshots({literal(lake.attached)}, versions => {some})"])
        return Done("expire snapshots", files=len(expired))

    async def _clean(self, lake: Lake) -> Done:
        """Delete the files that were given up, after the grace."""
        before = datetime.now(UTC) - timedelta(seconds=self._settings.grace)
        count, freed = await lake.in_turn(lambda: removing.scheduled(lake, before=before))
        return Done("delete files", files=count, size=freed)

    async def _orphans(self, lake: Lake) -> Done:
        count, freed = await lake.in_turn(lambda: removing.orphans(lake))
        return Done("delete orphans", files=count, size=freed)

    # --- shared ------------------------------------------------------------------------------------------------------

    async def _read(self, lake: Lake) -> Condition:
        before = datetime.now(UTC) - timedelta(hours=self._settings.snapshot_hours)
        return await asyncio.to_thread(condition.read, lake.catalog, expire_before=before)

    async def _turn(self, lake: Lake, statements: Sequence[str]) -> list[list[Any]]:
        async def work() -> list[list[Any]]:
            await lake.attach()
            return await _run(lake, statements)

        found: list[list[Any]] = await lake.in_turn(work)
        return found


async def _run(lake: Lake, statements: Sequence[str]) -> list[list[Any]]:
    """Run statements, each a transaction of its own, read the lake's new state, return the rows of the last one."""
    try:
        return (await lake.writer.run(statements))[-1]
    finally:
        await lake.refresh()


def _mergeable(found: Iterable[DataFile], more_than: int) -> Iterator[tuple[int, int, int]]:
    """Give table and sizes of files of which there are too many; DuckLake merges only files without deletions."""
    counts: dict[tuple[int, int, int], int] = {}
    for file in found:
        for smallest, largest in _TIERS:
            if not file.deleted and smallest <= file.size < largest:
                key = file.table_id, smallest, largest
                counts[key] = counts.get(key, 0) + 1
    for key, count in sorted(counts.items()):
        if count > more_than:
            yield key


def _place(lake: Lake, table: LakeTable, file: DataFile) -> str:
    """Return a file's path as the writer names it."""
    if not file.relative:
        return file.path
    root = f"{lake.folder}/" if lake.storage is None else lake.storage.writer_url
    return f"{root}{table.prefix}{file.path}"


def _named(lake: Lake, table: LakeTable) -> str:
    return f"{quote(lake.attached)}.{quote(table.schema)}.{quote(table.name)}"


def _arguments(table: LakeTable, name: str) -> str:
    return f"schema_name => {literal(table.schema)}, {name} => {literal(table.name)}"


def _sum(name: str, steps: Iterable[Done]) -> Done:
    done = list(steps)
    return Done(
        name,
        tables=sum(step.tables for step in done),
        files=sum(step.files for step in done),
        rows=sum(step.rows for step in done),
    )


def _list(numbers: Iterable[int]) -> str:
    return f"[{', '.join(map(str, numbers))}]"


def _texts(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(literal, texts))}]"
