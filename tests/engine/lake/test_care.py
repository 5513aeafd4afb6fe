"""The care of a lake: nothing that anybody can see changes, and what is not needed goes."""

from __future__ import annotations

import asyncio
import random
import stat
from datetime import UTC, datetime, timedelta

import pytest

from fairlead.engine.lake import condition, statistics
from fairlead.engine.lake.changes import ChangeSet, ColumnChanged, NewColumn, TableRef
from fairlead.errors import WorkerLost
from tests.engine.lake.committing import DATABASE, yard
from tests.engine.running import run
from tests.engine.test_isolation import kill

ORDERED = "ORDER BY ALL"


async def history(place):
    """Return what every snapshot shows, read in two ways: as it lies there, and sorted by the engine."""
    found = {}
    for snapshot in await place.kept():
        if snapshot > 1:
            found[snapshot] = (
                await place.look(at=snapshot),
                await place.look(at=snapshot, order=ORDERED),
                sorted(await place.look(at=snapshot, order="WHERE id = 0")),
            )
    return found


async def some_life(place, table, seed):
    """Random inserts, updates and deletes, small and large."""
    chance = random.Random(seed)
    ids = 0
    for _ in range(12):
        rows = [row[0] for row in await place.look()]
        what = chance.choice(["insert", "insert", "update", "delete"]) if rows else "insert"
        if what == "insert":
            count = chance.choice([1, 3, 150, 400])
            await place.commit(place.inserts(table, ids, count))
            ids += count
            continue
        some = chance.sample(rows, min(len(rows), chance.choice([1, 5, 130])))
        if what == "delete":
            await place.commit(place.deletes(table, some))
        else:
            await place.commit(place.updates(table, {row: (chance.randrange(1000), "new") for row in some}))


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 12))])
def test_care_changes_no_row_no_row_id_and_nothing_that_time_travel_shows(tmp_path, seed):
    async def body():
        async with yard(tmp_path, grace=0) as place:
            table = await place.table()
            await some_life(place, table, seed)
            for _ in range(2):
                before = await history(place)
                newest = before[(await place.lake()).snapshot]
                done = await place.lakes.vacuum(DATABASE)
                assert sum(step.tables for step in done) > 0
                lake = await place.lake()
                assert lake.snapshot == lake.reader.snapshot()
                after = await history(place)
                assert {snapshot: after[snapshot] for snapshot in before} == before
                assert after[lake.snapshot] == newest
                assert {stat.S_IMODE(file.stat().st_mode) for file in place.data_files()} == {0o444}
                await some_life(place, table, seed + 100)

    run(body())


def test_few_files_and_no_inlined_rows_are_left(tmp_path):
    async def body():
        async with yard(tmp_path, grace=0, snapshot_hours=0) as place:
            table = await place.table()
            for number in range(12):
                await place.commit(place.inserts(table, number * 1000, 200))
                await place.commit(place.inserts(table, number * 1000 + 500, 1))
            await place.commit(place.deletes(table, list(range(300))))
            await place.lakes.vacuum(DATABASE)
            done = {step.step: step for step in await place.lakes.vacuum(DATABASE)}
            state = condition.read((await place.lake()).catalog, expire_before=datetime.now(UTC))
            assert not any(state.inlined.values())
            assert len(place.data_files()) == len(state.files) <= 2
            assert len(await place.kept()) == 1
            assert done["flush"].rows == 0
            assert len(await place.look()) == 12 * 201 - 300

    run(body())


def test_a_round_does_what_the_limits_say_and_then_nothing_while_nothing_changes(tmp_path):
    async def body():
        async with yard(tmp_path, inlined_rows=20, small_files=4) as place:
            table = await place.table()
            lake = await place.lake()
            for number in range(20):
                await place.commit(place.inserts(table, number, 1))
            care = place.lakes._care
            quiet = await care.round(lake)
            assert {step.step: step.rows for step in quiet}["flush"] == 0
            await place.commit(place.inserts(table, 20, 1))
            assert {step.step: step.rows for step in await care.round(lake)}["flush"] == 21
            assert await care.round(lake) == ()
            for number in range(4):
                await place.commit(place.inserts(table, number, 200))
            assert {step.step: step.files for step in await care.round(lake)}["merge"] == 5
            assert len(await place.look()) == 21 + 800

    run(body())


def test_the_care_runs_by_itself(tmp_path):
    async def body():
        async with yard(tmp_path, interval=0.02, inlined_rows=1) as place:
            flushed = asyncio.Event()
            care = place.lakes._care
            really = care.round

            async def watched(lake):
                done = await really(lake)
                if any(step.rows for step in done):
                    flushed.set()
                return done

            care.round = watched
            table = await place.table()
            for number in range(5):
                await place.commit(place.inserts(table, number, 1))
            await flushed.wait()
            assert [row[1] for row in await place.look()] == list(range(5))

    run(body())


def test_a_transaction_that_began_before_the_care_can_still_be_committed(tmp_path):
    async def body():
        async with yard(tmp_path, grace=0) as place:
            table = await place.table()
            for number in range(5):
                await place.commit(place.inserts(table, number * 100, 100))
            await place.commit(place.updates(table, {row: (row, "u") for row in range(0, 450, 3)}))
            base = await place.commit(place.inserts(table, 9000, 1))
            change = place.updates(table, {0: (0, "mine"), 1: (1, "mine")}, base=base)
            await place.lakes.vacuum(DATABASE)
            await place.commit(change)
            assert (await place.look())[:3] == [(0, 0, "mine"), (1, 1, "mine"), (2, 2, "x")]

    run(body())


def test_files_stay_for_the_grace(tmp_path):
    async def body():
        async with yard(tmp_path, grace=3600) as place:
            table = await place.table()
            for number in range(6):
                await place.commit(place.inserts(table, number * 1000, 200))
            names = set(place.data_files())
            done = {step.step: step for step in await place.lakes.vacuum(DATABASE)}
            assert done["merge"].files == 6
            assert done["delete files"].files == 0
            assert names < set(place.data_files())
            lake = await place.lake()
            relation = f"__ducklake_metadata_{lake.attached}.ducklake_files_scheduled_for_deletion"

            async def age(hours, where="true"):
                moment = (datetime.now(UTC) - timedelta(hours=hours)).isoformat(sep=" ")
                await (await place.engine.writer()).script(
                    [f"UPDATE {relation} SET schedule_start = '{moment}' WHERE {where}"]
                )

            first = f"data_file_id = (SELECT min(data_file_id) FROM {relation})"
            await age(2, first)
            done = {step.step: step for step in await place.lakes.vacuum(DATABASE)}
            assert done["delete files"].files == 1  # the others are not due
            await age(2)
            done = {step.step: step for step in await place.lakes.vacuum(DATABASE)}
            assert done["delete files"].files == 5
            assert done["delete files"].size > 0
            assert len(place.data_files()) == 1
            assert len(await place.look()) == 1200

    run(body())


def test_orphans_of_a_lost_writer_are_removed_and_other_files_are_not(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            table = await place.table()
            await place.commit(place.inserts(table, 0, 1000))
            lake = await place.lake()
            known = place.data_files()
            orphan = known[0].with_name("ducklake-00000000-0000-7000-8000-000000000000.parquet")
            orphan.write_bytes(b"orphan")
            foreign = known[0].with_name("mine.parquet")
            foreign.write_bytes(b"foreign")
            done = {step.step: step for step in await place.lakes._care.round(lake)}
            assert (done["delete orphans"].files, done["delete orphans"].size) == (1, 6)
            assert place.data_files() == sorted([*known, foreign])
            assert len(await place.look()) == 1000

    run(body())


def test_the_writer_may_die_while_files_are_rewritten(tmp_path, monkeypatch):
    async def body():
        async with yard(tmp_path, grace=0) as place:
            table = await place.table()
            await place.commit(place.inserts(table, 0, 400))
            await place.commit(place.deletes(table, list(range(300))))
            before = await history(place)
            lake = await place.lake()
            really = lake.writer.run

            async def deadly(statements):
                result = await really(statements)
                if "rewrite" in statements[0]:
                    kill(await place.writer_pid())
                    await really(["SELECT 1"])
                return result

            with monkeypatch.context() as patched:
                patched.setattr(lake.writer, "run", deadly)
                with pytest.raises(WorkerLost):
                    await place.lakes.vacuum(DATABASE)
            assert not lake.catalog.with_name(statistics.FILE_NAME).exists()
            after = await history(place)
            assert {snapshot: after[snapshot] for snapshot in before} == before
            await place.commit(place.inserts(table, 5000, 3))
            assert len(await place.look(order=ORDERED)) == 103

    run(body())


def test_statistics_that_a_crash_left_aside_are_back_before_the_next_commit(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            table = await place.table()
            await place.commit(place.inserts(table, 0, 400))
            await place.commit(place.deletes(table, list(range(300))))
            lake = await place.lake()
            statistics.keep(lake.catalog, table.table_id)
            relation = f"__ducklake_metadata_{lake.attached}.ducklake_table_column_stats"
            await (await place.engine.writer()).script([f"UPDATE {relation} SET min_value = '300' WHERE column_id = 1"])
        async with yard(tmp_path) as place:
            lake = await place.lake()
            await place.commit(place.inserts(table, 400, 1))
            assert (await place.look(at=3, order="WHERE id = 0")) == [(0, 0, "x")]
            assert not lake.catalog.with_name(statistics.FILE_NAME).exists()

    run(body())


def test_tables_that_were_altered_are_cared_for_as_well(tmp_path):
    async def body():
        async with yard(tmp_path, grace=0) as place:
            table = await place.table()
            for number in range(4):
                await place.commit(place.inserts(table, number * 1000, 150))
                await place.commit(place.inserts(table, number * 1000 + 500, 2))
            lake = await place.lake()
            ref = TableRef(table.schema, table.name, table.table_id)
            new = NewColumn("z", "INTEGER", default="7")
            await place.commit(ChangeSet(DATABASE, lake.snapshot, structure=(ColumnChanged(ref, "add", "z", new),)))
            for number in range(4):
                await place.commit(place.inserts(table, number * 100, 120))
            before = await history(place)
            await place.lakes.vacuum(DATABASE)
            after = await history(place)
            assert {snapshot: after[snapshot] for snapshot in before} == before

    run(body())


# --- flaws of the engine that the care works around: when one of these fails, a way around can go ---------------------


def test_flaw_merging_loses_the_row_ids_of_updated_rows(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            table = await place.table()
            for number in range(3):
                await place.commit(place.inserts(table, number * 1000, 150))
            await place.commit(place.updates(table, {row: (row, "u") for row in range(130)}))
            await place.commit(place.inserts(table, 9000, 150))
            before = await place.look()
            lake = await place.lake()
            await (await place.engine.writer()).script([f"CALL ducklake_merge_adjacent_files('{lake.attached}')"])
            after = await place.look()
            assert sorted(row[1:] for row in after) == sorted(row[1:] for row in before)
            assert [row[0] for row in after] != [row[0] for row in before]

    run(body())


def test_flaw_rewriting_makes_older_snapshots_wrong(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            table = await place.table()
            snapshot = await place.commit(place.inserts(table, 0, 400))
            await place.commit(place.deletes(table, list(range(300))))
            lake = await place.lake()
            call = f"CALL ducklake_rewrite_data_files('{lake.attached}', delete_threshold => 0.1)"
            await (await place.engine.writer()).script([call])
            assert len(await place.look(at=snapshot)) == 400
            assert await place.look(at=snapshot, order="WHERE id = 0") == []

    run(body())
