"""A private lake in a locked worker: attached by a script, used by the user's own statements."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from fairlead.engine.api import Done, Progress
from fairlead.errors import EngineError, FairleadError
from tests.engine.running import ended, events, rows, run, started, tag

ATTACH = (
    "ATTACH 'ducklake::memory:' AS \"{name}\" (DATA_PATH '{folder.spill}/lake/', DATA_INLINING_ROW_LIMIT {limit:d})"
)


@asynccontextmanager
async def lake(folder, *, limit=10, **more):
    """A session that uses the schema ``public`` of a private lake."""
    async with started(folder, **more) as (engine, _):
        session = await engine.session()
        await session.script(
            [
                ATTACH.format(name="sales", folder=session.folder, limit=limit),
                'CREATE SCHEMA "sales".public',
                'DROP SCHEMA "sales".main',
                'USE "sales".public',
            ]
        )
        yield session


STATEMENTS = [
    # statement, tag, whether it may have changed the lake
    ("CREATE TABLE t (i INT, v VARCHAR DEFAULT 'x')", "CREATE TABLE", True),
    ("CREATE TABLE IF NOT EXISTS t (i INT)", "CREATE TABLE", True),
    ("INSERT INTO t (i) VALUES (1), (2)", "INSERT 0 2", True),
    ("INSERT INTO t SELECT range, 'many' FROM range(10, 1010)", "INSERT 0 1000", True),
    ("INSERT INTO t VALUES (5, 'y')", "INSERT 0 1", True),
    ("UPDATE t SET v = 'z' WHERE i < 5", "UPDATE 2", True),
    ("DELETE FROM t WHERE i = 5", "DELETE 1", True),
    ("MERGE INTO t USING (SELECT 1 AS i) s ON t.i = s.i WHEN MATCHED THEN UPDATE SET v = 'm'", "MERGE 1", True),
    ("CREATE TABLE made AS SELECT * FROM t", "SELECT 1002", True),
    ("CREATE OR REPLACE TABLE made AS SELECT 1 AS i", "SELECT 1", True),
    ("CREATE TEMP TABLE mine AS SELECT 1 AS i", "SELECT 1", False),
    ("INSERT INTO mine VALUES (2)", "INSERT 0 1", True),
    ("ALTER TABLE t ADD COLUMN d INT DEFAULT 7", "ALTER TABLE", True),
    ("ALTER TABLE t RENAME COLUMN d TO e", "ALTER TABLE", True),
    ("COMMENT ON TABLE t IS 'it''s'", "COMMENT", True),
    ("COMMENT ON COLUMN t.v IS NULL", "COMMENT", True),
    ("COPY t (i, v) TO '{folder.spill}/out/t.csv' (HEADER)", "COPY 1002", False),
    ("COPY t (i, v) FROM '{folder.spill}/out/t.csv' (HEADER)", "COPY 1002", True),
    ("SELECT count(*) FROM t", "SELECT 1", False),
    ("TRUNCATE TABLE t", "TRUNCATE TABLE", True),
    ("DROP TABLE t", "DROP TABLE", True),
    ("CREATE SCHEMA other", "CREATE SCHEMA", True),
    ("DROP SCHEMA other", "DROP SCHEMA", True),
]


def test_every_kind_of_change_runs_with_its_tag(tmp_path):
    async def work():
        async with lake(tmp_path) as session:
            for sql, expected, changes in STATEMENTS:
                done = (await events(session, sql.format(folder=session.folder)))[-1]
                assert done == Done(expected, changes), sql

    run(work())


def test_a_transaction_sees_its_own_changes_and_its_commit_makes_one_snapshot(tmp_path):
    async def work():
        async with lake(tmp_path) as session:
            await events(session, "CREATE TABLE t AS SELECT range AS i FROM range(100)")
            (((before,),),) = await session.script(["FROM system.main.ducklake_current_snapshot('sales')"])
            await events(session, "BEGIN")
            await events(session, "DELETE FROM t WHERE i < 50")
            await events(session, "INSERT INTO t VALUES (1000)")
            assert await rows(session, "SELECT count(*) FROM t") == [("51",)]
            assert tag(await events(session, "COMMIT")) == "COMMIT"
            changed = f"FROM system.main.ducklake_table_changes('sales', 'public', 't', {before + 1}, {before + 1})"
            counts = f"SELECT change_type, count(*) {changed} GROUP BY ALL ORDER BY ALL"
            assert await session.script([counts]) == [[["delete", 50], ["insert", 1]]]
            metadata = '"__ducklake_metadata_sales"'
            assert await session.script([f"SELECT max(snapshot_id) FROM {metadata}.ducklake_snapshot"]) == [
                [[before + 1]]
            ]
            await session.script([f"COPY ({counts}) TO '{session.folder.spill}/out/counts.parquet'"])
            assert (session.folder.spill / "out" / "counts.parquet").is_file()

    run(work())


def test_metadata_can_be_filled_by_the_gateway_and_files_come_from_the_linked_folder(tmp_path):
    async def work():
        async with lake(tmp_path) as session:
            data = tmp_path / "data.parquet"
            await session.script(
                [f"COPY (SELECT range::INT AS i FROM range(5000)) TO '{session.folder.spill}/out/data.parquet'"]
            )
            (session.folder.spill / "out" / "data.parquet").rename(data)
            data.chmod(0o444)
            link = session.folder.files / "one.parquet"
            link.hardlink_to(data)
            await session.script(
                [
                    "CREATE TABLE t (i INT)",
                    f"CALL system.main.ducklake_add_data_files('sales', 't', '{link}', schema => 'public')",
                ]
            )
            assert await rows(session, "SELECT count(*), sum(i) FROM t") == [("5000", str(sum(range(5000))))]
            # Changes of rows in a file that cannot be written lie beside it.
            assert tag(await events(session, "UPDATE t SET i = -1 WHERE i < 100")) == "UPDATE 100"
            assert tag(await events(session, "DELETE FROM t WHERE i >= 4900")) == "DELETE 100"
            assert await rows(session, "SELECT count(*), min(i), max(i) FROM t") == [("4900", "-1", "4899")]
            link.unlink()
            with pytest.raises(FairleadError):
                await rows(session, "SELECT sum(i) FROM t")
            assert data.is_file()

    run(work())


def test_a_lake_can_be_dropped_and_made_again_and_several_live_side_by_side(tmp_path):
    async def work():
        async with lake(tmp_path) as session:
            await events(session, "CREATE TABLE t AS SELECT 1 AS i")
            again = ATTACH.format(name="sales", folder=session.folder, limit=10)
            await session.script(["USE memory.main", 'DETACH "sales"', again])
            assert await session.script(["SELECT count(*) FROM duckdb_tables() WHERE database_name = 'sales'"]) == [
                [[0]]
            ]
            await session.script([ATTACH.format(name="a b", folder=session.folder, limit=10)])
            await session.script(['CREATE TABLE "a b".main.u AS SELECT 2 AS i', "CREATE TABLE sales.main.t (i INT)"])
            assert await rows(session, 'SELECT i, (SELECT count(*) FROM sales.main.t) FROM "a b".main.u') == [
                ("2", "0")
            ]

    run(work())


@pytest.mark.parametrize(
    ("sql", "sqlstate"),
    [
        ("CREATE SEQUENCE s", "0A000"),
        ("CREATE TYPE mood AS ENUM ('a')", "0A000"),
        ("CREATE INDEX ix ON t (i)", "0A000"),
        ("CREATE VIEW v AS SELECT 1", "42501"),
        ("CREATE MACRO m(x) AS x", "42501"),
        ("VACUUM", "42501"),
        ("CHECKPOINT", "42501"),
        ("USE memory.main", "42501"),
        ("DETACH sales", "42501"),
        ("CALL ducklake_expire_snapshots('sales')", "42501"),
    ],
)
def test_what_a_lake_has_not_is_refused_before_it_runs(tmp_path, sql, sqlstate):
    async def work():
        async with lake(tmp_path) as session:
            await events(session, "CREATE TABLE t (i INT)")
            with pytest.raises(EngineError) as failure:
                await events(session, sql)
            assert failure.value.sqlstate == sqlstate
            assert await rows(session, "SELECT count(*) FROM t") == [("0",)]

    run(work())


def test_what_was_attached_ends_with_its_worker_and_the_generation_says_so(tmp_path):
    async def work():
        async with lake(tmp_path) as session:
            await events(session, "CREATE TABLE t AS SELECT 1 AS i")
            await ended(session)
            with pytest.raises(FairleadError, match="sales"):
                await rows(session, "FROM sales.public.t")
            assert session.generation == 2

    run(work())


def test_a_long_statement_tells_how_far_it_is_where_that_is_wanted(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            await session.script(["CREATE TEMP TABLE t AS SELECT range AS i FROM range(2000000)"])
            hashed, told = "i::VARCHAR", []
            while not told:  # until it takes longer than the second between two reports
                hashed = f"md5(md5(md5({hashed})))"
                slow = f"SELECT {hashed} FROM t"
                told = [event async for event in session.execute(slow, progress=True) if isinstance(event, Progress)]
            assert all(0 <= event.fraction <= 1 for event in told)
            assert [event.fraction for event in told] == sorted(event.fraction for event in told)
            silent = await events(session, slow)
            assert not any(isinstance(event, Progress) for event in silent)
            assert tag(silent) == "SELECT 2000000"

    run(work())


def test_progress_in_a_failed_transaction_changes_nothing(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            await events(session, "CREATE TEMP TABLE t (i INT PRIMARY KEY)")
            await events(session, "BEGIN", progress=True)
            with pytest.raises(EngineError):
                await events(session, "INSERT INTO t VALUES (1), (1)", progress=True)
            with pytest.raises(EngineError) as failure:
                await events(session, "SELECT 1", progress=True)
            assert failure.value.sqlstate == "25P02"
            assert tag(await events(session, "ROLLBACK", progress=True)) == "ROLLBACK"
            assert await rows(session, "SELECT 1", progress=True) == [("1",)]

    run(work())
