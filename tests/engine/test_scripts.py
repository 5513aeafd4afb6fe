"""Scripts: the gateway's own SQL in a session's worker."""

from __future__ import annotations

import asyncio

import pytest

from fairlead.errors import EngineError, FairleadError, ObjectNotReady, OutOfMemory, QueryCanceled, WorkerLost
from tests.engine.running import ended, events, rows, run, started

VALUES = [
    # expression, as it comes back
    ("NULL", None),
    ("true", True),
    ("170141183460469231731687303715884105727::HUGEINT", 170141183460469231731687303715884105727),
    ("1.5::DOUBLE", 1.5),
    ("'it''s; -- ä'", "it's; -- ä"),
    ("[1, NULL, 2]", [1, None, 2]),
    ("[['a'], []]", [["a"], []]),
    ("[1.5, 2.5]::DOUBLE[2]", [1.5, 2.5]),
    (r"'\x00\xFFab'::BLOB", "00ff6162"),
    ("12.30::DECIMAL(10, 2)", "12.30"),
    ("DATE '2020-02-29'", "2020-02-29"),
    ("TIMESTAMPTZ '2020-01-01 10:00:00+02'", "2020-01-01 08:00:00+00:00"),
    ("'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
    ("{'a': 1}", "{'a': 1}"),
]


def test_each_statement_gives_its_rows_as_json_values(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            select = "SELECT " + ", ".join(expression for expression, _ in VALUES)
            found = await session.script(["CREATE TABLE memory.main.t (i INT)", "SELECT 1 WHERE false", select])
            assert found == [[], [], [[expected for _, expected in VALUES]]]
            assert [type(value) for value in found[2][0]] == [type(expected) for _, expected in VALUES]
            many = await session.script(["FROM range(2500) ORDER BY 1", "SELECT 2"])
            assert many == [[[number] for number in range(2500)], [[2]]]
            assert await session.script([]) == []

    run(work())


def test_a_script_may_do_what_a_user_may_not_and_shares_the_users_transaction(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            with pytest.raises(EngineError):
                await events(session, "ATTACH ':memory:' AS other")
            await session.script(["ATTACH ':memory:' AS other", "CREATE TABLE other.t AS SELECT 1 AS i"])
            await events(session, "BEGIN")
            await events(session, "UPDATE other.t SET i = 2")
            assert await session.script(["FROM other.t"]) == [[[2]]]
            await session.script(["INSERT INTO other.t VALUES (3)"])
            await events(session, "ROLLBACK")
            assert await rows(session, "FROM other.t") == [("1",)]

    run(work())


def test_an_error_ends_a_script_and_quotes_nothing_of_it(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            for broken in ("SELECT 'ours', missing", "SELEC 'ours'", "SELECT 'ours'; SELECT 'ours'::INT + missing"):
                with pytest.raises(EngineError) as failure:
                    await session.script(["CREATE OR REPLACE TABLE done AS SELECT 7 AS i", broken, "DROP TABLE done"])
                assert failure.value.position is None
                assert "ours" not in f"{failure.value}{failure.value.detail}{failure.value.hint}"
                assert await session.script(["FROM done"]) == [[[7]]]
            with pytest.raises(EngineError) as failure:
                await session.script(["SELECT * FROM no_such_table"])
            assert failure.value.sqlstate == "42P01"

    run(work())


def test_a_script_holds_to_the_fence(tmp_path):
    async def work():
        async with started(tmp_path, layers={"landlock": "off"}) as (engine, _):
            session = await engine.session()
            for refused in ("FROM read_text('/etc/hostname')", "ATTACH '/x.db'", "SET threads = 9", "INSTALL sqlite"):
                with pytest.raises(FairleadError, match=r"only object stores|disabled|locked|not allowed"):
                    await session.script([refused])
            assert await session.script(["SELECT 1"]) == [[[1]]]

    run(work())


def test_large_scripts_arrive_and_answers_are_bounded(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            many = ", ".join(f"({number}, 'a value of some length')" for number in range(150_000))
            sizes = await session.script(
                ["CREATE TABLE t (i INT, v VARCHAR)", f"INSERT INTO t VALUES {many}", "SELECT count(*), sum(i) FROM t"]
            )
            assert sizes[1:] == [[[150_000]], [[150_000, sum(range(150_000))]]]
            text = (await session.script(["SELECT repeat('x', 15000000)"]))[0][0][0]
            assert text == "x" * 15_000_000
            with pytest.raises(EngineError, match="16 MiB") as failure:
                await session.script(["SELECT v FROM t", "SELECT repeat('x', 1000) FROM range(15000)"])
            assert failure.value.sqlstate == "54000"
            with pytest.raises((EngineError, OutOfMemory)):
                await session.script(["SELECT repeat('x', 20000000)"])
            assert await session.script(["SELECT 1"]) == [[[1]]]
            assert session.generation == 1

    run(work())


def test_a_script_can_be_cancelled_and_the_worker_stays(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            endless = "SELECT count(*) FROM range(10000000) a, range(10000000) b"
            running = asyncio.create_task(session.script(["CREATE TABLE t (i INT)", endless, "DROP TABLE t"]))
            await asyncio.sleep(0)
            assert session.running is not None
            with pytest.raises(ObjectNotReady):
                await session.script(["SELECT 1"])
            await session.cancel()
            with pytest.raises(QueryCanceled):
                await running
            assert await session.script(["SELECT 1"]) == [[[1]]]
            assert session.generation == 1

    run(work())


def test_a_script_ends_with_the_task_that_waits_for_it(tmp_path):
    async def work():
        async with started(tmp_path, cancel_grace=0.2) as (engine, _):
            session = await engine.session()
            endless = "SELECT count(*) FROM range(10000000) a, range(10000000) b"
            running = asyncio.create_task(session.script([endless]))
            await asyncio.sleep(0)
            assert session.running is not None
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert session.running is None
            assert await session.script(["SELECT 1"], replace=True) == [[[1]]]

    run(work())


def test_a_script_is_subject_to_the_statement_timeout(tmp_path):
    async def work():
        async with started(tmp_path, statement_timeout=0.3) as (engine, _):
            session = await engine.session()
            with pytest.raises(QueryCanceled, match="timeout"):
                await session.script(["SELECT count(*) FROM range(10000000) a, range(10000000) b"])

    run(work())


def test_a_lost_worker_is_replaced_only_where_that_is_asked_for(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            await session.script(["CREATE TABLE t AS SELECT 1 AS i"])
            assert (session.generation, session.folder.spill.is_dir()) == (1, True)
            first = session.folder
            await ended(session)
            for _ in range(2):
                with pytest.raises(WorkerLost):
                    await session.script(["FROM t"])
            assert session.generation == 1
            assert await session.script(["SELECT 1"], replace=True) == [[[1]]]
            assert session.generation == 2
            assert session.folder != first
            assert len(session.take_notices()) == 1
            await ended(session)
            assert await rows(session, "SELECT 2") == [("2",)]
            assert session.generation == 3
            assert await session.script([], replace=True) == []
            assert session.generation == 3

    run(work())


def test_a_worker_that_ends_within_a_script_is_lost(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            running = asyncio.create_task(session.script(["SELECT count(*) FROM range(10000000) a, range(10000000) b"]))
            await asyncio.sleep(0)
            assert session.running is not None
            await ended(session)
            with pytest.raises(WorkerLost):
                await running
            assert session.generation == 1

    run(work())
