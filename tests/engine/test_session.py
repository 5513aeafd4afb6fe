"""Statements of one session in a real worker."""

from __future__ import annotations

import asyncio

import pytest

from fairlead.engine.api import Columns, Parameter, Rows
from fairlead.errors import (
    EngineError,
    FairleadError,
    ObjectNotReady,
    OutOfMemory,
    PermissionDenied,
    QueryCanceled,
    TooManyConnections,
)
from tests.engine.running import events, oids, rows, run, started, tag

VALUES = [
    # expression, announced type, text that a PostgreSQL client gets
    ("1::TINYINT", 21, "1"),
    ("-5::BIGINT", 20, "-5"),
    ("18446744073709551615::UBIGINT", 1700, "18446744073709551615"),
    ("170141183460469231731687303715884105727::HUGEINT", 1700, "170141183460469231731687303715884105727"),
    ("true", 16, "t"),
    ("1 = 2", 16, "f"),
    ("1.5::DOUBLE", 701, "1.5"),
    ("12.30::DECIMAL(10, 2)", 1700, "12.30"),
    ("0.5::DECIMAL(3, 3)", 1700, "0.500"),
    ("0::DECIMAL(38, 10)", 1700, "0.0000000000"),
    ("'it''s'", 25, "it's"),
    ("''", 25, ""),
    ("NULL::VARCHAR", 25, None),
    ("DATE '2020-02-29'", 1082, "2020-02-29"),
    ("TIME '10:11:12.5'", 1083, "10:11:12.5"),
    ("TIMESTAMP '2020-01-01 10:00:00.000001'", 1114, "2020-01-01 10:00:00.000001"),
    ("TIMESTAMPTZ '2020-01-01 10:00:00+02'", 1184, "2020-01-01 08:00:00+00"),
    ("INTERVAL 14 MONTH", 1186, "1 year 2 mons"),
    ("'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID", 2950, "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
    (r"'\xFFab'::BLOB", 17, r"\xff6162"),
    ("""'{"a": 1}'::JSON""", 114, '{"a": 1}'),
    ("[1, NULL, 2]", 1007, "{1,NULL,2}"),
    ("{'a': [true]}", 25, "{'a': [true]}"),
    ("MAP {'k': 1.5}", 25, "{k=1.5}"),
    ("'x'::ENUM('x', 'y')", 25, "x"),
    ("'101'::BIT", 1562, "101"),
]


def test_every_type_arrives_as_postgresql_text_beside_the_others_and_alone(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            found = await events(session, "SELECT " + ", ".join(expression for expression, _, _ in VALUES))
            assert oids(found) == [oid for _, oid, _ in VALUES]
            (together,) = await rows(session, "SELECT " + ", ".join(expression for expression, _, _ in VALUES))
            assert list(together) == [text for _, _, text in VALUES]
            for expression, _, text in VALUES:
                assert await rows(session, f"SELECT {expression}") == [(text,)], expression

    run(work())


def test_a_large_result_arrives_whole_and_in_order(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            columns = "i, 'v' || i, i / 2.0::DOUBLE, CASE WHEN i % 3 = 0 THEN i % 2 = 0 END"
            sql = f"SELECT {columns} FROM range(50000) r(i) ORDER BY i"
            found = await rows(session, sql)
            assert len(found) == 50000
            assert found[12345] == ("12345", "v12345", "6172.5", "f")
            assert [int(row[0]) for row in found] == list(range(50000))
            assert tag(await events(session, sql)) == "SELECT 50000"

    run(work())


def test_columns_of_the_same_name_and_no_rows_at_all_keep_their_shape(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            shape, *rest = await events(session, 'SELECT 1 AS a, 1.5::DOUBLE AS a, 2 AS "A b" WHERE false')
            assert isinstance(shape, Columns)
            assert [column.name for column in shape.columns] == ["a", "a", "A b"]
            assert tag(rest) == "SELECT 0"
            assert await rows(session, "SELECT 1 AS a, 1.5::DOUBLE AS a") == [("1", "1.5")]

    run(work())


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE TEMP TABLE t (i INT)", "CREATE TABLE"),
        ("CREATE OR REPLACE TEMP VIEW v AS SELECT 1", "CREATE VIEW"),
        ("CREATE TEMP MACRO m(x) AS x + 1", "CREATE MACRO"),
        ("INSERT INTO base VALUES (1), (2)", "INSERT 0 2"),
        ("INSERT INTO base VALUES (1), (2) RETURNING i", "INSERT 0 2"),
        ("UPDATE base SET i = 5", "UPDATE 3"),
        ("DELETE FROM base", "DELETE 3"),
        ("DROP TABLE base", "DROP TABLE"),
        ("BEGIN", "BEGIN"),
        ("SET TimeZone = 'Europe/Berlin'", "SET"),
        ("EXPLAIN SELECT 1", "EXPLAIN"),
        ("SHOW TABLES", "SELECT 1"),
        ("PIVOT base ON i", "SELECT 1"),
        ("VALUES (1), (2)", "SELECT 2"),
        ("/* nothing */ ;", ""),
    ],
)
def test_each_allowed_kind_has_its_command_tag(tmp_path, sql, expected):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            await events(session, "CREATE TEMP TABLE base AS SELECT unnest([1, 1, 1]) AS i")
            assert tag(await events(session, sql)) == expected

    run(work())


@pytest.mark.parametrize(
    ("sql", "parameters", "expected"),
    [
        ("SELECT $1 + 1", [Parameter(b"41", 23, False)], "42"),
        ("SELECT $1 + 1", [Parameter((41).to_bytes(4, "big"), 23, True)], "42"),
        ("SELECT DATE '2020-01-02' = $1", [Parameter(b"2020-01-02", 0, False)], "t"),
        ("SELECT i FROM range(9) r(i) LIMIT 1 OFFSET $1", [Parameter(b"3", 0, False)], "3"),
        ("SELECT $1", [Parameter(b"it's ; $1", 0, False)], "it's ; $1"),
        ("SELECT $2 || $1", [Parameter(b"a", 25, False), Parameter(b"b", 1043, False)], "ba"),
        ("SELECT $1", [Parameter(None, 0, False)], None),
        ("SELECT $1 IS NULL", [Parameter(None, 23, False)], "t"),
        ("SELECT $1", [Parameter(rb"\x00ff", 17, False)], r"\x00ff"),
        ("SELECT list_sum($1)", [Parameter(b"{1,2,NULL,3}", 1007, False)], "6"),
        ("SELECT $1::VARCHAR", [Parameter(b"12.50", 1700, False)], "12.50"),
        ("SELECT $1", [Parameter(b"7", 23, False), Parameter(b"not used", 25, False)], "7"),
    ],
)
def test_parameters_are_bound_by_their_type_or_fit_to_their_place(tmp_path, sql, parameters, expected):
    async def work():
        async with started(tmp_path) as (engine, _):
            assert await rows(await engine.session(), sql, parameters) == [(expected,)]

    run(work())


def test_describe_tells_shape_and_parameters_and_runs_nothing(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            described = await session.describe("SELECT $1 + 1 AS n, $2 AS t, DATE '2020-01-01' = $3 AS d", [20])
            assert described.parameters == (20, 25, 25)
            assert [(column.name, column.type_oid) for column in described.columns] == [("n", 20), ("t", 25), ("d", 16)]
            assert [column.name for column in (await session.describe("SHOW TABLES")).columns] == ["name"]
            assert (await session.describe("CREATE TEMP TABLE made (i INT)")).columns == ()
            assert await rows(session, "SHOW TABLES") == []
            with pytest.raises(EngineError) as failure:
                await session.describe("SELECT nothing FROM nowhere")
            assert failure.value.sqlstate == "42P01"

    run(work())


ERRORS = [
    ("SELEC 1", "42601", 1),
    ("SELECT 'ä', missing", "42703", 13),
    ("SELECT no_such_function(1)", "42883", 8),
    ("SELECT * FROM no_such_table", "42P01", 15),
    ("SELECT 'a'::INT", "22P02", 11),
    ("SELECT 1; SELECT 2", "0A000", None),
    ("SELECT error('own words')", "22023", None),
    ("SELECT CASE WHEN i = 40000 THEN error('late') ELSE i END FROM range(50000) r(i)", "22023", None),
    ("INSERT INTO keyed VALUES (1), (1)", "23505", None),
    ("SELECT * FROM read_csv('/etc/passwd')", "42501", 15),
    ("CREATE SECRET s (TYPE s3)", "42501", None),
]


def test_errors_have_sqlstate_and_position_and_the_next_statement_works(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            await events(session, "CREATE TEMP TABLE keyed (i INT PRIMARY KEY)")
            for sql, sqlstate, position in ERRORS:
                with pytest.raises(FairleadError) as failure:
                    await events(session, sql)
                assert (failure.value.sqlstate, failure.value.position) == (sqlstate, position), sql
                assert "exception_message" not in str(failure.value)
                assert await rows(session, "SELECT 1") == [("1",)]
            assert session.take_notices() == []

    run(work())


def test_an_error_aborts_its_transaction_and_rollback_heals_it(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            await events(session, "CREATE TEMP TABLE t (i INT PRIMARY KEY)")
            await events(session, "BEGIN")
            await events(session, "INSERT INTO t VALUES (1)")
            with pytest.raises(EngineError):
                await events(session, "INSERT INTO t VALUES (1)")
            with pytest.raises(EngineError) as failure:
                await events(session, "SELECT 1")
            assert failure.value.sqlstate == "25P02"
            await events(session, "ROLLBACK")
            assert await rows(session, "SELECT count(*) FROM t") == [("0",)]

    run(work())


def test_a_slow_reader_stops_the_worker_and_may_leave_early_without_harm(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            pid = session.worker_pid
            await events(session, "BEGIN")
            await events(session, "CREATE TEMP TABLE kept AS SELECT 1 AS i")
            # Endless, if nobody stopped it.
            reading = session.execute("SELECT repeat('x', 1000), i FROM range(100000000000) r(i)")
            async for event in reading:
                if isinstance(event, Rows):
                    break
            with pytest.raises(ObjectNotReady):
                await events(session, "SELECT 1")
            await reading.aclose()
            assert await rows(session, "SELECT i FROM kept") == [("1",)]
            await events(session, "COMMIT")
            assert session.worker_pid == pid
            assert session.take_notices() == []

    run(work())


def test_cancel_ends_a_statement_and_keeps_the_worker(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            pid = session.worker_pid
            endless = asyncio.create_task(events(session, "SELECT count(*) FROM range(10000000) a, range(10000000) b"))
            while session.running is None:  # noqa: ASYNC110  # a step or two, until the task has begun
                await asyncio.sleep(0)
            await session.cancel()
            with pytest.raises(QueryCanceled):
                await endless
            assert await rows(session, "SELECT 1") == [("1",)]
            assert session.worker_pid == pid
            await session.cancel()  # nothing runs: nothing happens
            assert await rows(session, "SELECT 2") == [("2",)]

    run(work())


def test_cancel_reaches_a_result_that_nobody_is_reading(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            pid = session.worker_pid
            suspended = session.execute("SELECT repeat('x', 1000), i FROM range(100000000000) r(i)")
            assert isinstance(await anext(suspended), Columns)
            await session.cancel()
            with pytest.raises(QueryCanceled):
                await anext(suspended)
            assert await rows(session, "SELECT 1") == [("1",)]
            assert session.worker_pid == pid

    run(work())


def test_a_statement_that_ignores_interrupts_is_killed_and_the_session_goes_on(tmp_path):
    async def work():
        async with started(tmp_path, statement_timeout=1.0, cancel_grace=0.5) as (engine, _):
            session = await engine.session()
            await events(session, "SET TimeZone = 'Asia/Tokyo'")
            pid, key = session.worker_pid, session.door_key
            began = asyncio.get_running_loop().time()
            with pytest.raises(QueryCanceled, match="statement timeout"):
                await events(session, "SELECT levenshtein(repeat('a', 200000), repeat('b', 200000))")
            assert asyncio.get_running_loop().time() - began < 10
            assert await rows(session, "SELECT TIMESTAMPTZ '2020-01-01 00:00:00+00'") == [("2020-01-01 09:00:00+09",)]
            assert session.worker_pid != pid
            assert session.door_key == key
            assert len(session.take_notices()) == 1
            assert session.take_notices() == []

    run(work())


BOMBS = [
    "SELECT list_sum(list_transform(range(300000000), lambda x: x * 2))",
    "SELECT repeat('a', 4000000000)",
    "SELECT len(range(1000000000))",
    "SELECT unnest(range(1000000000))",
    "SELECT damerau_levenshtein(repeat('a', 60000), repeat('b', 60000))",
    "SELECT format('{:2000000000d}', 1)",
    "SELECT list_sort(range(100000000))[1]",
    "SELECT count(*) FROM range(10000000) a, range(10000000) b",
    "SELECT 1" + " UNION ALL SELECT 1" * 20000,
]


def test_bombs_end_as_errors_of_their_own_session_while_another_works(tmp_path):
    async def work():
        async with started(tmp_path, statement_timeout=3.0, cancel_grace=0.5) as (engine, _):
            victim, neighbour = await engine.session(), await engine.session()
            pid = neighbour.worker_pid
            for bomb in BOMBS:
                began = asyncio.get_running_loop().time()
                with pytest.raises((OutOfMemory, QueryCanceled)):
                    await events(victim, bomb)
                assert asyncio.get_running_loop().time() - began < 20, bomb[:60]
                assert await rows(victim, "SELECT 1") == [("1",)]
                assert await rows(neighbour, "SELECT 2") == [("2",)]
            assert neighbour.worker_pid == pid

    run(work())


def test_a_row_that_is_too_large_for_a_message_is_an_error(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            with pytest.raises(EngineError, match="a row may have 64 MiB") as failure:
                await events(session, "SELECT repeat('x', 70000000)")
            assert failure.value.sqlstate == "54000"
            assert len((await rows(session, "SELECT repeat('x', 30000000) FROM range(3)"))[2][0]) == 30000000

    run(work())


def test_aliases_are_mapped_back_in_rows_and_errors(tmp_path):
    async def work():
        async with started(tmp_path) as (engine, _):
            session = await engine.session()
            aliases = {"lake-7f3a": "lake"}
            assert await rows(session, "SELECT 's3://lake-7f3a/a/b.csv', 1.5::DOUBLE", aliases=aliases) == [
                ("s3://lake/a/b.csv", "1.5")
            ]
            assert await rows(session, "SELECT ['s3://lake-7f3a/x']", aliases=aliases) == [("{s3://lake/x}",)]
            with pytest.raises(FairleadError) as failure:
                await events(session, "SELECT * FROM read_csv('s3://lake-7f3a/none.csv')", aliases=aliases)
            assert "s3://lake/none.csv" in str(failure.value)
            assert "7f3a" not in str(failure.value)
            assert "127.0.0.1" not in str(failure.value)

    run(work())


def test_the_number_of_sessions_is_limited(tmp_path):
    async def work():
        async with started(tmp_path, max_sessions=1) as (engine, _):
            first = await engine.session()
            with pytest.raises(TooManyConnections):
                await engine.session()
            await first.close()
            assert await rows(await engine.session(), "SELECT 1") == [("1",)]

    run(work())


def test_only_client_settings_can_be_changed(tmp_path):
    async def work():
        async with started(tmp_path, layers={"statements": "off"}) as (engine, _):
            session = await engine.session()
            for setting in (
                "threads = 64",
                "memory_limit = '1TB'",
                "enable_external_access = true",
                "allowed_directories = ['/']",
                "temp_directory = '/tmp'",
                "validate_external_file_cache = 'NO_VALIDATION'",
                "enable_http_metadata_cache = true",
                "httpfs_client_implementation = 'curl'",
                "allow_unsigned_extensions = true",
                "arrow_lossless_conversion = false",
            ):
                with pytest.raises(FairleadError):
                    await events(session, f"SET {setting}")
            assert tag(await events(session, "SET TimeZone = 'UTC'")) == "SET"
            with pytest.raises((PermissionDenied, EngineError)):
                await events(session, "SET lock_configuration = false")

    run(work())
