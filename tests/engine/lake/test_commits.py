"""Commits to a lake by the real writer: what gets in, what is refused, what survives a lost writer."""

from __future__ import annotations

import asyncio
import json
import stat

import pytest

from fairlead.engine.lake.changes import (
    ChangeSet,
    ColumnChanged,
    NewColumn,
    SchemaCreated,
    SchemaDropped,
    TableCreated,
    TableDropped,
    TableRef,
    TableRenamed,
)
from fairlead.engine.lake.lake import Storage
from fairlead.errors import DuplicateSchema, DuplicateTable, EngineError, LakeUnreadable, SerializationFailure
from tests.engine.lake.committing import COLUMNS, DATABASE, yard
from tests.engine.running import run
from tests.engine.test_isolation import kill


def structure(base, *changes):
    return ChangeSet(DATABASE, base, structure=changes)


def ref(table):
    return TableRef(table.schema, table.name, table.table_id)


def test_a_new_lake_has_the_schema_public_and_no_other(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            assert place.lakes.known(DATABASE) is None
            lake = await place.lake()
            assert [name for _, name in lake.reader.schemas()] == ["public"]
            assert place.lakes.known(DATABASE) is lake
            assert lake.data_path == f"{tmp_path.resolve()}/lake/{DATABASE}/files/"

    run(body())


def test_a_lake_that_a_crash_left_half_made_is_completed(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            folder = tmp_path / "lake" / str(DATABASE)
            (folder / "files").mkdir(parents=True)
            attach = f"ATTACH 'ducklake:sqlite:{folder}/catalog.sqlite' AS half (DATA_PATH '{folder}/files/')"
            writer = await place.engine.writer()
            await writer.script([attach, "DETACH half"])
            lake = await place.lake()
            assert [name for _, name in lake.reader.schemas()] == ["public"]

    run(body())


def test_rows_are_added_changed_and_removed_and_their_ids_stay(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            table = await place.table()
            await place.commit(place.inserts(table, 0, 5))
            await place.commit(place.updates(table, {1: (1, "new"), 3: (3, "new")}))
            await place.commit(place.deletes(table, [0, 3]))
            assert await place.look() == [(1, 1, "new"), (2, 2, "x"), (4, 4, "x")]

    run(body())


def test_what_travels_with_a_commit_is_found_in_the_lake(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            await place.table()
            newest = (await place.lake()).reader.snapshots()[-1]
            extra = json.loads(newest.extra)
            assert newest.author == "ann"
            assert extra["owner"] == 3
            assert len(extra["txid"]) == 32

    run(body())


def test_data_files_cannot_be_written_once_they_are_committed(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            table = await place.table()
            await place.commit(place.inserts(table, 0, 1000))
            await place.commit(place.deletes(table, list(range(500))))
            await place.commit(place.deletes(table, list(range(500, 700))))  # replaces the file of deletions
            assert {stat.S_IMODE(file.stat().st_mode) for file in place.data_files()} == {0o444}
            assert len(place.data_files()) >= 3

    run(body())


@pytest.mark.parametrize(
    ("mine", "theirs", "conflict"),
    [
        ("insert", "insert", False),
        ("insert", "update", False),
        ("insert", "delete", False),
        ("update", "insert", False),
        ("update", "update", True),
        ("update", "delete", True),
        ("delete", "delete", True),
        ("delete", "update", True),
        ("insert", "alter", True),
        ("update", "alter", True),
        ("insert", "drop", True),
        ("insert", "rename", True),
        ("alter", "insert", False),
        ("alter", "update", True),
        ("drop", "update", True),
        ("drop", "drop", True),
        ("rename", "rename", True),
    ],
)
def test_the_first_committer_wins(tmp_path, mine, theirs, conflict):
    async def body():
        async with yard(tmp_path) as place:
            table = await place.table()
            base = await place.commit(place.inserts(table, 0, 10))
            z = NewColumn(f"z_{mine}", "INTEGER")

            def make(what, number):
                return {
                    "insert": lambda: place.inserts(table, 100, 3, base=base),
                    "update": lambda: place.updates(table, {number: (number, "u")}, base=base),
                    "delete": lambda: place.deletes(table, [number], base=base),
                    "alter": lambda: structure(base, ColumnChanged(ref(table), "add", z.name, z)),
                    "drop": lambda: structure(base, TableDropped(ref(table))),
                    "rename": lambda: structure(base, TableRenamed(ref(table), f"new{number}")),
                }[what]()

            await place.commit(make(theirs, 1))
            before = (await place.lake()).snapshot
            if conflict:
                with pytest.raises(SerializationFailure) as caught:
                    await place.commit(make(mine, 2))
                assert caught.value.sqlstate == "40001"
                assert (await place.lake()).reader.snapshot() == before
            else:
                assert await place.commit(make(mine, 2)) == before + 1

    run(body())


def test_names_that_were_taken_meanwhile_are_refused(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            base = (await place.lake()).snapshot
            table = await place.table()
            with pytest.raises(DuplicateTable):
                await place.commit(structure(base, TableCreated(TableRef("public", "T"), COLUMNS)))
            await place.commit(structure(base, SchemaCreated("s")))
            with pytest.raises(DuplicateSchema):
                await place.commit(structure(base, SchemaCreated("S")))
            await place.commit(structure(base + 2, SchemaDropped("s")))
            with pytest.raises(SerializationFailure):
                await place.commit(structure(base + 2, SchemaDropped("s")))
            lake = await place.lake()
            again = (TableDropped(ref(table)), TableCreated(TableRef("public", "t"), COLUMNS))
            await place.commit(structure(lake.snapshot, *again))  # a name that it gives up itself is free
            assert [one.name for one in lake.tables()] == ["t"]

    run(body())


def test_a_change_set_that_meets_other_rows_than_it_says_changes_nothing(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            table = await place.table()
            base = await place.commit(place.inserts(table, 0, 3))
            with pytest.raises(SerializationFailure):
                await place.commit(place.deletes(table, [0, 77]))
            assert len(await place.look()) == 3
            assert await place.commit(place.deletes(table, [0])) == base + 1

    run(body())


def test_after_a_failed_commit_the_lake_goes_on(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            table = await place.table()
            broken = place.inserts(table, 0, 3)
            broken.rows[0].inserts[0].write_bytes(b"no parquet")
            with pytest.raises(EngineError):
                await place.commit(broken)
            await place.commit(place.inserts(table, 5, 1))
            assert await place.look() == [(0, 5, "x")]

    run(body())


def test_appends_that_wait_together_are_committed_together_and_a_bad_one_fails_alone(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            table = await place.table()
            other = await place.table("u")
            lake = await place.lake()
            base = lake.snapshot
            sets = [place.inserts(other if i % 3 == 0 else table, i * 10, 10) for i in range(12)]
            sets[5].rows[0].inserts[0].write_bytes(b"no parquet")
            sets.append(place.inserts(table, 500, 1))
            done = await asyncio.gather(*(place.commit(one) for one in sets), return_exceptions=True)
            assert [isinstance(one, EngineError) for one in done] == [i == 5 for i in range(13)]
            expected = sorted(j for i in range(12) if i % 3 and i != 5 for j in range(i * 10, i * 10 + 10))
            assert sorted(row[1] for row in await place.look()) == [*expected, 500]
            assert len(await place.look("u")) == 40
            sets = [place.inserts(table, 1000 + i, 1) for i in range(12)]
            before = lake.snapshot
            await asyncio.gather(*(place.commit(one) for one in sets))
            assert lake.snapshot <= before + 2  # the first one alone, because nobody else waited yet
            assert before > base

    run(body())


def test_a_client_that_goes_away_before_its_turn_leaves_nothing_and_one_that_is_on_gets_all_in(tmp_path, monkeypatch):
    async def body():
        async with yard(tmp_path) as place:
            table = await place.table()
            lake = await place.lake()
            await lake.writer.turn.acquire()
            early = asyncio.create_task(place.commit(place.inserts(table, 0, 1)))
            await asyncio.sleep(0)
            early.cancel()
            with pytest.raises(asyncio.CancelledError):
                await early
            lake.writer.turn.release()
            begun = asyncio.Event()
            really = lake.writer.run

            async def watched(statements):
                begun.set()
                return await really(statements)

            monkeypatch.setattr(lake.writer, "run", watched)
            late = asyncio.create_task(place.commit(place.inserts(table, 1, 1)))
            await begun.wait()
            late.cancel()
            with pytest.raises(asyncio.CancelledError):
                await late
            await lake.settle()
            assert [row[1] for row in await place.look()] == [1]

    run(body())


def test_a_writer_that_died_idle_is_replaced_without_anybody_noticing(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            table = await place.table()
            kill(await place.writer_pid())
            await place.commit(place.inserts(table, 0, 1))
            assert len(await place.look()) == 1

    run(body())


@pytest.mark.parametrize("committed", [True, False])
def test_a_writer_that_dies_at_the_commit_is_asked_for_what_it_has_left(tmp_path, committed, monkeypatch):
    async def body():
        async with yard(tmp_path) as place:
            table = await place.table()
            lake = await place.lake()
            really = lake.writer.run
            pid = await place.writer_pid()
            deaths = []

            async def deadly(statements):
                if statements == ["COMMIT"] and not deaths:
                    deaths.append(pid)
                    if committed:
                        await really(statements)
                    kill(pid)
                    return await really(["SELECT 1"])
                return await really(statements)

            monkeypatch.setattr(lake.writer, "run", deadly)
            await place.commit(place.inserts(table, 0, 200))
            assert deaths == [pid]
            assert sorted(row[1] for row in await place.look()) == list(range(200))

    run(body())


def test_a_transaction_that_kills_every_writer_is_given_up(tmp_path, monkeypatch):
    async def body():
        async with yard(tmp_path) as place:
            table = await place.table()
            lake = await place.lake()
            really = lake.writer.run

            async def deadly(statements):
                if statements == ["COMMIT"]:
                    kill(await place.writer_pid())
                return await really(statements)

            with monkeypatch.context() as patched:
                patched.setattr(lake.writer, "run", deadly)
                with pytest.raises(EngineError, match="not committed"):
                    await place.commit(place.inserts(table, 0, 200))
            await place.commit(place.inserts(table, 0, 1))
            assert len(await place.look()) == 1

    run(body())


def test_a_dropped_lake_is_gone_and_a_new_one_can_take_its_place(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            table = await place.table()
            await place.commit(place.inserts(table, 0, 1000))
            await place.lakes.drop(DATABASE)
            assert place.lakes.known(DATABASE) is None
            assert {folder.name for folder in (tmp_path / "lake").iterdir()} <= {"inbox", "tmp"}
            await place.lakes.drop(DATABASE)  # nothing there: no error
            assert (await place.lake()).tables() == ()

    run(body())


def test_a_lake_survives_a_move_of_the_data_directory(tmp_path):
    async def body():
        async with yard(tmp_path / "a") as place:
            await place.commit(place.inserts(await place.table(), 0, 1000))
        (tmp_path / "a").rename(tmp_path / "b")
        async with yard(tmp_path / "b") as place:
            assert len(await place.look()) == 1000

    run(body())


def test_a_lake_is_not_opened_with_files_elsewhere_than_they_are(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            await place.lake()
        async with yard(tmp_path) as place:
            with pytest.raises(LakeUnreadable):
                await place.lakes.lake(DATABASE, storage=Storage("s3://bucket/prefix/", "alias"))

    run(body())


def test_what_an_earlier_gateway_left_in_the_inbox_is_removed(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            left = place.lakes.new_inbox()
            (left / "rows.parquet").write_bytes(b"x")
            (tmp_path / "lake" / "dropped-3-ab").mkdir()
        async with yard(tmp_path) as place:
            assert not left.exists()
            assert not (tmp_path / "lake" / "dropped-3-ab").exists()
            fresh = place.lakes.new_inbox()
            place.lakes.clear_inbox(fresh)
            assert not fresh.exists()

    run(body())


def test_statements_about_different_tables_do_not_wait_for_each_other(tmp_path):
    async def body():
        async with yard(tmp_path) as place:
            lake = await place.lake()
            one = lake.contended("T")
            async with one:
                assert lake.contended("t") is one
                assert not lake.contended("u").locked()
            assert not lake.contended("t").locked()

    run(body())
