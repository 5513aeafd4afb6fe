"""The writer: one process that may touch the lakes, and what else it may not."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from fairlead.errors import FairleadError, WorkerLost
from tests.engine.running import ended, rows, run, started
from tests.services.requirement import missing

VARIANTS = [{}, {"landlock": "off"}, {"fence": "off"}]


def attach(root: Path) -> str:
    (root / "1" / "files").mkdir(parents=True, exist_ok=True)
    options = f"DATA_PATH '{root}/1/files/', META_JOURNAL_MODE 'WAL', DATA_INLINING_ROW_LIMIT 100"
    return f"ATTACH 'ducklake:sqlite:{root}/1/catalog.sqlite' AS lake ({options})"


def test_the_writer_keeps_a_lake_in_files(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            writer, root = await engine.writer(), tmp_path / "lake"
            assert root.stat().st_mode & 0o777 == 0o700
            await writer.script(
                [
                    attach(root),
                    "CREATE TABLE lake.main.t AS SELECT range AS i FROM range(1000)",
                    f"COPY (SELECT 5000 AS i) TO '{root}/inbox/new.parquet'",
                    f"INSERT INTO lake.main.t SELECT * FROM read_parquet('{root}/inbox/new.parquet')",
                    "DELETE FROM lake.main.t WHERE i < 10",
                ]
            )
            assert await writer.script(["SELECT count(*), max(i) FROM lake.main.t"]) == [[[991, 5000]]]
            with sqlite3.connect(f"file:{root}/1/catalog.sqlite?mode=ro", uri=True) as catalog:
                assert catalog.execute("PRAGMA journal_mode").fetchone() == ("wal",)
                assert catalog.execute("SELECT table_name FROM ducklake_table").fetchall() == [("t",)]
            assert list((root / "1" / "files").rglob("*.parquet"))
            assert writer.folder is None

    run(work())


def test_there_is_one_writer_and_it_takes_no_place_of_a_session(tmp_path):
    async def work():
        async with started(tmp_path, max_sessions=1) as (engine, _):
            first, second = await asyncio.gather(engine.writer(), engine.writer())
            assert first is second
            session = await engine.session()
            assert await rows(session, "SELECT 1") == [("1",)]
            assert first.worker_pid != session.worker_pid
            assert first.door_key.key_id != session.door_key.key_id

    run(work())


@pytest.mark.parametrize("off", VARIANTS, ids=lambda off: next(iter(off), "all layers"))
def test_the_writer_reaches_no_file_outside_of_the_lakes(tmp_path, off):
    canary = tmp_path / "canary.csv"
    canary.write_text("secret\ncanary-value\n")
    with sqlite3.connect(tmp_path / "canary.sqlite") as database:
        database.execute("CREATE TABLE t AS SELECT 'canary-value' AS v")
    attempts = [
        f"FROM read_csv('{canary}')",
        f"FROM read_text('{tmp_path}/lake/../canary.csv')",
        f"COPY (SELECT 1) TO '{tmp_path}/written.csv'",
        "FROM read_text('/proc/self/environ')",
    ]
    # The engine's own fence does not cover these: Landlock alone holds them.
    by_landlock = [
        f"FROM sqlite_scan('{tmp_path}/canary.sqlite', 't')",
        f"ATTACH 'ducklake:sqlite:{tmp_path}/other.sqlite' AS other (DATA_PATH '{tmp_path}/lake/2/')",
    ]

    async def work():
        async with started(tmp_path, layers=off) as (engine, _):
            landlock = next(layer for layer in engine.layers() if layer.name == "landlock")
            if not landlock.active and "landlock" not in off:
                missing(landlock.reason, "it needs another kernel")
            writer = await engine.writer()
            for attempt in [*attempts, *(by_landlock if landlock.active else ())]:
                with pytest.raises(FairleadError) as failure:
                    await writer.script([attempt])
                assert "canary-value" not in f"{failure.value}{failure.value.detail}", attempt
            (tmp_path / "lake" / "inbox" / "control.csv").write_text("a\n1\n")
            assert await writer.script([f"FROM read_csv('{tmp_path}/lake/inbox/control.csv')"]) == [[[1]]]

    run(work())
    assert sorted(file.name for file in tmp_path.iterdir()) == ["canary.csv", "canary.sqlite", "lake", "spill"]


@pytest.mark.parametrize("off", VARIANTS, ids=lambda off: next(iter(off), "all layers"))
def test_a_session_reaches_no_file_of_the_lakes(tmp_path, off):
    async def work():
        async with started(tmp_path, layers=off) as (engine, _):
            writer, root = await engine.writer(), tmp_path / "lake"
            await writer.script([attach(root), "CREATE TABLE lake.main.t AS SELECT range AS i FROM range(1000)"])
            (file,) = (root / "1" / "files").rglob("*.parquet")
            session = await engine.session()
            for attempt in (
                f"FROM read_parquet('{file}')",
                f"FROM read_blob('{root}/1/catalog.sqlite')",
                f"COPY (SELECT 'junk') TO '{root}/1/catalog.sqlite' (FORMAT csv, USE_TMP_FILE false)",
                f"COPY (SELECT 'junk') TO '{root}/inbox/x.csv'",
                attach(root),
            ):
                with pytest.raises(FairleadError):
                    await session.script([attempt])
            assert await session.script([f"FROM glob('{root}/**')"]) == [[]] if "fence" in off else True
            assert await writer.script(["SELECT count(*) FROM lake.main.t"]) == [[[1000]]]

    run(work())


def test_the_writer_reaches_object_stores_through_its_own_door(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, store):
            writer = await engine.writer()
            with pytest.raises(FairleadError):
                await writer.script(["FROM read_parquet('s3://bucket/a.parquet')"])
            with pytest.raises(FairleadError):
                await writer.script(["COPY (SELECT 1) TO 's3://bucket/b.parquet'"])
            for key in ("/bucket/a.parquet", "/bucket/b.parquet"):
                assert any(key in request and writer.door_key.key_id in request for request in store.requests), key

    run(work())


def test_sqlite_may_sort_in_files(tmp_path):
    """It looks for a temporary folder of its own; without one, large work fails."""

    async def work():
        async with started(tmp_path) as (engine, _):
            writer = await engine.writer()
            await writer.script(
                [
                    f"ATTACH '{tmp_path}/lake/x.sqlite' AS x (TYPE sqlite)",
                    "CREATE TABLE x.t AS SELECT md5(range::VARCHAR) AS v FROM range(200000)",
                ]
            )
            query = "SELECT v, count(*) FROM t GROUP BY v ORDER BY 2, 1"
            assert await writer.script([f"SELECT count(*) FROM sqlite_query('x', '{query}')"]) == [[[200_000]]]

    run(work())


def test_a_writer_that_died_is_replaced_on_demand_and_nothing_committed_is_lost(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            writer, root = await engine.writer(), tmp_path / "lake"
            again = attach(root)
            await writer.script([again, "CREATE TABLE lake.main.t AS SELECT 1 AS i"])
            await writer.script(["BEGIN", "INSERT INTO lake.main.t VALUES (2)"])
            (root / "tmp" / "left.tmp").write_text("left")
            key, pid = writer.door_key, writer.worker_pid
            await ended(writer)
            with pytest.raises(WorkerLost):
                await writer.script(["COMMIT"])
            assert writer.generation == 1
            assert await writer.script([again, "FROM lake.main.t"], replace=True) == [[], [[1]]]
            assert writer.generation == 2
            assert writer.worker_pid != pid
            assert writer.door_key == key
            assert await engine.writer() is writer
            assert not (root / "tmp" / "left.tmp").exists()
            assert writer.take_notices() == []

    run(work())


def test_a_cancelled_commit_leaves_the_writer_usable(tmp_path):
    async def work():
        async with started(tmp_path, cancel_grace=0.3) as (engine, _):
            writer, root = await engine.writer(), tmp_path / "lake"
            await writer.script([attach(root), "CREATE TABLE lake.main.t (i BIGINT)", "BEGIN"])
            endless = "INSERT INTO lake.main.t SELECT a.range FROM range(10000000) a, range(10000000) b"
            running = asyncio.create_task(writer.script([endless]))
            await asyncio.sleep(0)
            assert writer.running is not None
            await writer.cancel()
            with pytest.raises(FairleadError):
                await running
            if writer.generation == 1:
                await writer.script(["ROLLBACK"], replace=True)
            found = await writer.script(
                ["DETACH DATABASE IF EXISTS lake", attach(root), "SELECT count(*) FROM lake.main.t"], replace=True
            )
            assert found[-1] == [[0]]

    run(work())


GATEWAY = """
import asyncio, sys
from pathlib import Path
from tests.engine.running import started

async def work():
    async with started(Path(sys.argv[1])) as (engine, _):
        writer, session = await engine.writer(), await engine.session()
        print(writer.worker_pid, session.worker_pid, engine.zygote_pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(work())
"""


def test_the_writer_ends_with_its_gateway(tmp_path):
    gateway = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(GATEWAY), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    with gateway:
        pids = [int(pid) for pid in gateway.stdout.readline().split()]
        assert len(pids) == 3
        handles = [os.pidfd_open(pid) for pid in pids]
        gateway.send_signal(signal.SIGKILL)
    for handle in handles:
        assert asyncio.run(_ended(handle))
        os.close(handle)


async def _ended(handle):
    over = asyncio.Event()
    asyncio.get_running_loop().add_reader(handle, over.set)
    async with asyncio.timeout(20):
        return await over.wait()
