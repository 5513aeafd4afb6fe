"""The clients that people use from Python, each over TLS, with the formats and habits of its own."""

from __future__ import annotations

import asyncio
import ssl
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import asyncpg
import pandas as pd
import polars as pl
import psycopg
import psycopg2
import psycopg2.extras
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from tests.services.gateway import Gateway

UUID = uuid.UUID("f47ac10b-58cc-4372-a567-0e02b2c3d479")
MOMENT = datetime(2020, 2, 29, 23, 59, 59, 250_000)  # noqa: DTZ001  # a timestamp without a zone
# A value of every type that clients know: how it is written in SQL, and what they make of it.
VALUES: list[tuple[str, Any]] = [
    ("true", True),
    ("'-7'::SMALLINT", -7),
    ("2147483647", 2147483647),
    ("9223372036854775807", 9223372036854775807),
    ("1.5::FLOAT", 1.5),
    ("0.1::DOUBLE", 0.1),
    ("1e300::DOUBLE", 1e300),
    ("-1234.50::DECIMAL(10, 2)", Decimal("-1234.50")),
    ("170141183460469231731687303715884105727::HUGEINT", Decimal(170141183460469231731687303715884105727)),
    ("DATE '2020-02-29'", date(2020, 2, 29)),
    ("TIME '23:59:59.25'", time(23, 59, 59, 250_000)),
    ("TIMESTAMP '2020-02-29 23:59:59.25'", MOMENT),
    ("TIMESTAMPTZ '2020-02-29 23:59:59.25+00'", MOMENT.replace(tzinfo=UTC)),
    ("INTERVAL '3 days 04:05:06'", timedelta(days=3, hours=4, minutes=5, seconds=6)),
    (f"UUID '{UUID}'", UUID),
    ("'\\x00\\xFF'::BLOB", b"\x00\xff"),
    ("'naïve'", "naïve"),
    ("''", ""),
    ("NULL::INTEGER", None),
]
LISTS: list[tuple[str, Any]] = [
    ("[1, NULL, 3]", [1, None, 3]),
    ("['a', 'b c', '', 'NULL', NULL]", ["a", "b c", "", "NULL", None]),
    ("[1.50, 2.25]::DECIMAL(5, 2)[]", [Decimal("1.50"), Decimal("2.25")]),
    ("[DATE '2020-02-29']", [date(2020, 2, 29)]),
    ("[]::INTEGER[]", []),
]


def select(values: list[tuple[str, Any]], rows: int) -> str:
    """Return a query with the values in each of some rows."""
    columns = ", ".join(f"{sql} AS c{number}" for number, (sql, _) in enumerate(values))
    return f"SELECT {columns} FROM range({rows})"


def plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


@pytest.mark.parametrize("rows", [1, 1000])
@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_psycopg_reads_every_type_in_both_formats(gateway: Gateway, binary: bool, rows: int) -> None:
    with gateway.connect() as connection, connection.cursor(binary=binary) as cursor:
        expected = tuple(value for _, value in VALUES + LISTS)
        cursor.execute(select(VALUES + LISTS, rows))
        assert [tuple(map(plain, row)) for row in cursor.fetchall()] == [expected] * rows
        assert cursor.pgresult is not None
        assert {cursor.pgresult.fformat(column) for column in range(len(expected))} == {int(binary)}


PARAMETERS: list[Any] = [
    True, -7, 2**40, 0.1, Decimal("1234.5678"), date(2020, 2, 29), time(1, 2, 3), MOMENT, MOMENT.replace(tzinfo=UTC),
    timedelta(days=3, seconds=5), UUID, b"\x00\xff", "naïve", [1, None, 3], ["a", "b,c", None], [2**40, 1],
    [0.5, 1e300],
    [Decimal("1.5"), Decimal("-22.75"), None], [date(2020, 2, 29), None], [MOMENT], [UUID], [True, None], [b"a\\", b""],
    [timedelta(days=1)], time(1, 2, 3, tzinfo=timezone(timedelta(hours=-5, minutes=-30))),
]  # fmt: skip


@pytest.mark.parametrize("form", ["%s", "%t", "%b"])
@pytest.mark.parametrize("value", PARAMETERS, ids=lambda value: repr(value)[:40])
def test_psycopg_sends_every_type_in_both_formats(gateway: Gateway, value: Any, form: str) -> None:
    with gateway.connect() as connection:
        found = connection.execute(f"SELECT {form} AS v", (value,), binary=form == "%b").fetchone()
        assert found is not None
        back = (
            [one.normalize() if isinstance(one, Decimal) else plain(one) for one in found[0]]
            if isinstance(found[0], list)
            else plain(found[0])
        )
        unknown = isinstance(value, list) and isinstance(value[0], str) and form != "%b"  # psycopg says no type
        assert back == ('{a,"b,c",NULL}' if unknown else value)
        if isinstance(value, list) and not isinstance(value[0], list):
            assert connection.execute(f"SELECT 1 WHERE {form} = ANY({form})", (value[0], value)).fetchone() == (1,)


def test_any_takes_lists_of_texts_of_which_the_client_does_not_say_the_type(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        connection.execute("CREATE OR REPLACE TABLE any_of (i INTEGER, s VARCHAR, d DATE)")
        connection.execute("INSERT INTO any_of VALUES (1, 'a', '2020-01-01'), (2, 'b', '2021-01-01'), (3, NULL, NULL)")
        for query, value, expected in (
            ("SELECT i FROM any_of WHERE s = ANY(%s) ORDER BY i", ["a", "b", "{"], [1, 2]),
            ("SELECT i FROM any_of WHERE s <> ALL(%s) ORDER BY i", ["a"], [2]),
            ("SELECT i FROM any_of WHERE i = ANY(%s) ORDER BY i", [1, 3], [1, 3]),
            ("SELECT i FROM any_of WHERE i = ANY(%s) ORDER BY i", [], []),
            ("SELECT i FROM any_of WHERE d = ANY(%s) ORDER BY i", [date(2020, 1, 1)], [1]),
            ("SELECT i FROM any_of WHERE i = ANY(%s::INT[]) ORDER BY i", ["1", "2"], [1, 2]),
            ("SELECT i FROM any_of WHERE i = ANY(%s) ORDER BY i", ["1", "2"], [1, 2]),
        ):
            assert [row[0] for row in connection.execute(query, (value,))] == expected


def test_psycopg_in_a_pipeline_with_prepared_statements(gateway: Gateway) -> None:
    with gateway.connect() as connection, connection.pipeline() as pipeline:
        cursors = [connection.execute("SELECT %b + 1, %s", (n, "x"), prepare=True, binary=True) for n in range(50)]
        pipeline.sync()
        assert [cursor.fetchone() for cursor in cursors] == [(n + 1, "x") for n in range(50)]


def test_psycopg_streams_rows_one_by_one(gateway: Gateway) -> None:
    with gateway.connect() as connection, connection.cursor(binary=True) as cursor:
        assert sum(row[0] for row in cursor.stream("SELECT i FROM range(5000) t(i)")) == 5000 * 4999 // 2


# --- asyncpg -----------------------------------------------------------------------------------------------------


def with_asyncpg(gateway: Gateway, work: Callable[[asyncpg.Connection], Coroutine[None, None, None]]) -> None:
    """Run some work on a connection of asyncpg, with the certificate verified."""
    host, port = gateway.address
    context = ssl.create_default_context(cafile=str(gateway.data / "server.crt"))
    assert ip_address(host).is_loopback

    async def body() -> None:
        connection = await asyncpg.connect(
            host=host, port=port, user="fairlead", password=gateway.password, database="main", ssl=context
        )
        try:
            await work(connection)
        finally:
            await connection.close()

    asyncio.run(body())


def test_asyncpg_reads_every_type(gateway: Gateway) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        for rows in (1, 1000):
            found = await connection.fetch(select(VALUES, rows))
            assert [tuple(row) for row in found] == [tuple(value for _, value in VALUES)] * rows
        assert await connection.fetchval("SELECT ['a', 'b c', NULL]") == ["a", "b c", None]

    with_asyncpg(gateway, work)


CASTS: list[tuple[str, Any]] = [
    ("BOOLEAN", True), ("SMALLINT", -7), ("INTEGER", 7), ("BIGINT", 2**40), ("FLOAT", 1.5), ("DOUBLE", 0.1),
    ("DECIMAL(10, 4)", Decimal("1234.5678")), ("DATE", date(2020, 2, 29)), ("TIME", time(1, 2, 3)),
    ("TIMESTAMP", MOMENT), ("TIMESTAMPTZ", MOMENT.replace(tzinfo=UTC)), ("INTERVAL", timedelta(days=3, seconds=5)),
    ("UUID", UUID), ("VARCHAR", "naïve"), ("VARCHAR[]", ["a", None, "b,c"]),
]  # fmt: skip


def test_asyncpg_is_told_the_types_of_parameters_that_have_casts(gateway: Gateway) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        for kind, value in CASTS:
            prepared = await connection.prepare(f"SELECT $1::{kind}")
            assert await prepared.fetchval(value) == value, kind
            assert await prepared.fetchval(None) is None

    with_asyncpg(gateway, work)


def test_asyncpg_is_told_the_types_of_the_columns_that_parameters_stand_beside(gateway: Gateway) -> None:
    casts = [one for one in CASTS if one[0] != "INTERVAL"]  # tables have no such columns
    kinds = [kind for kind, _ in casts] + ["BLOB"]
    values = [value for _, value in casts] + [b"\0\1"]

    async def work(connection: asyncpg.Connection) -> None:
        columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(kinds))
        await connection.execute(f"CREATE OR REPLACE TABLE typed ({columns})")
        places = ", ".join(f"${number}" for number in range(1, len(kinds) + 1))
        insert = f"INSERT INTO typed VALUES ({places})"
        await connection.execute(insert, *values)
        await connection.executemany(insert, [[None] * len(values), values])
        assert await connection.fetchval("SELECT count(*) FROM typed") == 3
        for number, (_, value) in enumerate(casts[:-1]):
            query = f"SELECT count(*) FROM typed WHERE c{number} = $1 OFFSET $2"
            assert await connection.fetchval(query, value, 0) == 2, kinds[number]
        assert await connection.fetchval("SELECT count(*) FROM typed WHERE c12 = ANY($1)", ["naïve", "b"]) == 2
        await connection.execute("UPDATE typed SET c2 = $1 WHERE c3 = $2", 8, 2**40)
        assert await connection.fetch("SELECT DISTINCT c2 FROM typed WHERE c2 IN ($1, $2)", 8, 9) == [(8,)]
        assert await connection.fetchval("SELECT c2 + $1 FROM typed WHERE c2 = 8 LIMIT $2", 1, 1) == 9

    with_asyncpg(gateway, work)


def test_a_cursor_of_asyncpg_goes_on_after_other_statements(gateway: Gateway) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            seen = []
            async for row in connection.cursor("SELECT i, repeat('x', 100) FROM range(5000) t(i)", prefetch=700):
                seen.append(row[0])
                if len(seen) % 1000 == 1:
                    assert await connection.fetchval("SELECT 42") == 42
            assert seen == list(range(5000))

    with_asyncpg(gateway, work)


# --- psycopg2, pandas, polars ------------------------------------------------------------------------------------


@pytest.fixture
def psycopg2_connection(gateway: Gateway) -> Iterator[Any]:
    host, port = gateway.address
    connection = psycopg2.connect(
        host=host, port=port, user="fairlead", password=gateway.password, dbname="main", sslmode="verify-full",
        sslrootcert=str(gateway.data / "server.crt"),
    )  # fmt: skip
    yield connection
    connection.close()


def test_psycopg2_reads_and_writes(psycopg2_connection: Any) -> None:
    psycopg2.extras.register_uuid()
    with psycopg2_connection.cursor() as cursor:
        cursor.execute(select(VALUES + LISTS, 3))
        rows = [tuple(map(plain, row)) for row in cursor.fetchall()]
        assert rows == [tuple(value for _, value in VALUES + LISTS)] * 3
        cursor.execute("CREATE OR REPLACE TABLE people (name VARCHAR, born DATE)")
        psycopg2.extras.execute_values(
            cursor, "INSERT INTO people VALUES %s", [("a", date(1990, 1, 1)), ("b'; --", None)]
        )
        cursor.execute("SELECT name FROM people WHERE name = ANY(ARRAY[%s, %s]) ORDER BY 1", ("a", "b'; --"))
        assert cursor.fetchall() == [("a",), ("b'; --",)]
    psycopg2_connection.rollback()


def test_pandas_and_polars_read_a_query(gateway: Gateway) -> None:
    query = "SELECT i, i * 0.5 AS half, 'n' || i AS name, DATE '2020-01-01' + i::INT AS day FROM range(1000) t(i)"
    with gateway.connect() as connection:
        frame = pl.read_database(query, connection)
        assert frame.schema == {"i": pl.Int64, "half": pl.Decimal(38, 1), "name": pl.String, "day": pl.Date}
        assert frame["i"].sum() == 499_500
        assert frame["day"][31] == date(2020, 2, 1)
    with gateway.connect() as connection:
        data = pd.read_sql(query, connection)  # type: ignore[call-overload]  # pandas takes any DB-API connection
        assert list(data.columns) == ["i", "half", "name", "day"]
        assert int(data["i"].sum()) == 499_500
        filtered = pd.read_sql("SELECT i FROM range(10) t(i) WHERE i = ANY(%s)", connection, params=([2, 3],))  # type: ignore[call-overload]
        assert filtered["i"].tolist() == [2, 3]


def test_a_wrong_number_of_result_formats_is_said(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        answer = connection.pgconn.exec_params(b"SELECT 1", None, result_format=1)
        assert answer.get_value(0, 0) == b"\0\0\0\1"
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("SELECT %b::INT", ("x",))
