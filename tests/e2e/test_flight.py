"""Flight SQL with ADBC's driver (Go) over TLS, as polars, pandas and many tools use it."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import adbc_driver_manager
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from adbc_driver_flightsql import DatabaseOptions, dbapi

from tests.security.processes import descendants
from tests.services.gateway import ADMINISTRATOR, Gateway
from tests.services.process import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

Connection = dbapi.Connection
ANALYST = "analyst"
ANALYST_PASSWORD = "an analyst's own password"
MILLION = "SELECT i, i * 1.5::DOUBLE AS x, 'text ' || i AS s, i % 2 = 0 AS even FROM range(1000000) r(i)"
FOR_EVER = "SELECT count(*) FROM range(100000) a(i), range(100000) b(j), range(1000) c(k) WHERE i + j + k = 7"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    one = Gateway(tmp_path_factory.mktemp("gateway"), arguments=("--flight", "127.0.0.1:0"))
    try:
        yield one.start()
    finally:
        one.end()


@pytest.fixture(scope="module")
def admin(gateway: Gateway) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with gateway.connect() as who:
        who.execute(f"CREATE USER {ANALYST} PASSWORD 'an analyst''s own password'")
        yield who


def connect(
    gateway: Gateway, user: str = ADMINISTRATOR, password: str | None = None, *, autocommit: bool = True, **options: str
) -> Connection:
    return dbapi.connect(
        gateway.flight,
        db_kwargs={
            "username": user,
            "password": gateway.password if password is None else password,
            DatabaseOptions.TLS_ROOT_CERTS.value: gateway.certificate.read_text(),
            **options,
        },
        autocommit=autocommit,
    )


@pytest.fixture
def cursor(gateway: Gateway) -> Iterator[dbapi.Cursor]:
    with connect(gateway) as connection, connection.cursor() as one:
        yield one


def fetched(cursor: dbapi.Cursor, query: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    cursor.execute(query, parameters)
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


# --- queries ---------------------------------------------------------------------------------------------------------


def test_values_of_every_type_arrive_as_arrow_has_them(cursor: dbapi.Cursor) -> None:
    cursor.execute(
        """SELECT true AS b, 1::TINYINT AS i1, 2::SMALLINT AS i2, 3 AS i4, 4::BIGINT AS i8, 5::HUGEINT AS i16,
           18446744073709551615::UBIGINT AS u8, 1.5::FLOAT AS f4, 2.5::DOUBLE AS f8, 12.34::DECIMAL(10,2) AS d,
           'text' AS s, 'ab'::BLOB AS o, DATE '2026-02-03' AS day, TIME '04:05:06' AS t,
           TIMESTAMP '2026-02-03 04:05:06.789' AS ts, TIMESTAMPTZ '2026-02-03 04:05:06+00' AS tz,
           [1, 2, NULL] AS l, {'a': 1, 'b': 'x'} AS r, MAP {'k': 1} AS m,
           '11111111-2222-3333-4444-555555555555'::UUID AS u, NULL::INTEGER AS n"""
    )
    table = cursor.fetch_arrow_table()
    assert table.to_pylist() == [
        {
            "b": True,
            "i1": 1,
            "i2": 2,
            "i4": 3,
            "i8": 4,
            "i16": Decimal(5),
            "u8": 18446744073709551615,
            "f4": 1.5,
            "f8": 2.5,
            "d": Decimal("12.34"),
            "s": "text",
            "o": b"ab",
            "day": date(2026, 2, 3),
            "t": time(4, 5, 6),
            "ts": datetime(2026, 2, 3, 4, 5, 6, 789000),  # noqa: DTZ001  # of a column without a zone
            "tz": datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC),
            "l": [1, 2, None],
            "r": {"a": 1, "b": "x"},
            "m": [("k", 1)],
            "u": "11111111-2222-3333-4444-555555555555",
            "n": None,
        }
    ]
    assert table.schema.field("i1").type == pa.int8()
    assert table.schema.field("d").type == pa.decimal128(10, 2)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "BOOLEAN"),
        (42, "BIGINT"),
        (-1.5, "DOUBLE"),
        (float("inf"), "DOUBLE"),
        ("it's", "VARCHAR"),
        (b"\x00\xff", "BLOB"),
        (Decimal("123.450"), "DECIMAL(6,3)"),
        (date(2026, 1, 2), "DATE"),
        (time(1, 2, 3, 4), "TIME"),
        (datetime(2026, 1, 2, 3, 4, 5, 6), "TIMESTAMP"),  # noqa: DTZ001  # of a column without a zone
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "TIMESTAMPTZ"),
        (timedelta(days=1, microseconds=5), "INTERVAL"),
        ([1, 2, 3], "BIGINT[]"),
        (["a", 'q"\\', "{}"], "VARCHAR[]"),
        (None, "INTEGER"),
    ],
)
def test_a_parameter_comes_back_as_it_was(cursor: dbapi.Cursor, value: Any, kind: str) -> None:
    assert fetched(cursor, f"SELECT $1::{kind} IS NOT DISTINCT FROM $2::{kind}", [value, value]) == [(True,)]
    back = fetched(cursor, f"SELECT $1::{kind}", [value])[0][0]
    if isinstance(value, timedelta):
        assert (back.months, back.days * 86_400 * 10**9 + back.nanoseconds) == (0, 86_400_000_005_000)
    else:
        assert back == value


def test_a_million_rows_arrive_whole(cursor: dbapi.Cursor) -> None:
    cursor.execute(MILLION)
    table = cursor.fetch_arrow_table()
    assert table.num_rows == 1_000_000
    assert pa.compute.sum(table["i"]).as_py() == 499_999_500_000
    assert table["s"][-1].as_py() == "text 999999"


def test_results_are_read_side_by_side(gateway: Gateway) -> None:
    with connect(gateway) as connection, connection.cursor() as one, connection.cursor() as other:
        one.execute("SELECT i FROM range(300000) r(i)")
        other.execute("SELECT i FROM range(200000) r(i)")
        first, second = one.fetchmany(3), other.fetchmany(3)
        assert first == second == [(0,), (1,), (2,)]
        assert len(one.fetchall()) == 299_997
        assert len(other.fetchall()) == 199_997


def test_polars_and_pandas_read(gateway: Gateway) -> None:
    with connect(gateway) as connection:
        frame = pl.read_database("SELECT i, i / 2 AS half FROM range(10) r(i)", connection)
        assert frame["half"].sum() == 22.5
        assert pd.read_sql("SELECT 'x' AS a, 1 AS b", connection).to_dict("records") == [{"a": "x", "b": 1}]


def test_commands_of_the_gateway_give_texts(cursor: dbapi.Cursor) -> None:
    assert [row[0] for row in fetched(cursor, "SHOW DATABASES")] == ["main"]
    assert fetched(cursor, "SHOW TimeZone") == [("UTC",)]


# --- changes ---------------------------------------------------------------------------------------------------------


def test_changes_are_counted(cursor: dbapi.Cursor) -> None:
    cursor.execute("CREATE OR REPLACE TABLE counted (i INTEGER, s VARCHAR)")
    cursor.execute("INSERT INTO counted SELECT i, 's' FROM range(5) r(i)")
    assert cursor.rowcount == 5
    cursor.executemany("INSERT INTO counted VALUES ($1, $2)", [(10, "a"), (11, "b"), (12, None)])
    assert cursor.rowcount == 3
    assert fetched(cursor, "SELECT count(*), count(s) FROM counted") == [(8, 7)]
    cursor.execute("DELETE FROM counted WHERE i >= 10")
    assert cursor.rowcount == 3


def test_many_rows_of_parameters_are_all_or_nothing(cursor: dbapi.Cursor) -> None:
    cursor.execute("CREATE OR REPLACE TABLE all_or_nothing (i TINYINT)")
    with pytest.raises(adbc_driver_manager.Error):
        cursor.executemany("INSERT INTO all_or_nothing VALUES ($1)", [(1,), (1000,)])
    assert fetched(cursor, "SELECT count(*) FROM all_or_nothing") == [(0,)]


ROWS = pa.table({"i": [1, 2, None], "s": ["a", None, "c"], "d": pa.array([Decimal("1.50")] * 3, pa.decimal128(10, 2))})


def test_rows_are_loaded_in_bulk(cursor: dbapi.Cursor) -> None:
    cursor.execute("DROP TABLE IF EXISTS bulk")
    assert cursor.adbc_ingest("bulk", ROWS, mode="create") == 3
    assert cursor.adbc_ingest("bulk", ROWS.to_batches(max_chunksize=1)[0], mode="append") == 1
    assert cursor.adbc_ingest("bulk", ROWS, mode="create_append") == 3
    assert fetched(cursor, "SELECT count(*), sum(i), sum(d) FROM bulk") == [(7, 7, Decimal("10.50"))]
    cursor.adbc_ingest("bulk_of_this_session", ROWS, mode="create", temporary=True)
    assert fetched(cursor, "SELECT count(*) FROM bulk_of_this_session") == [(3,)]
    cursor.adbc_ingest("bulk", ROWS, mode="replace", db_schema_name="public", catalog_name="main")
    cursor.execute("SELECT * FROM bulk ORDER BY i NULLS LAST")
    assert cursor.fetch_arrow_table() == ROWS
    with pytest.raises(adbc_driver_manager.Error, match="42P07"):
        cursor.adbc_ingest("bulk", ROWS, mode="create")
    with pytest.raises(adbc_driver_manager.Error, match="42P01"):
        cursor.adbc_ingest("bulk_that_is_not_there", ROWS, mode="append")


def test_a_bulk_load_is_part_of_the_transaction(gateway: Gateway) -> None:
    with connect(gateway, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("bulk_undone", ROWS, mode="create")
        assert fetched(cursor, "SELECT count(*) FROM bulk_undone") == [(3,)]
        connection.rollback()
        with pytest.raises(adbc_driver_manager.Error, match="42P01"):
            fetched(cursor, "SELECT count(*) + 0 FROM bulk_undone")


def test_who_may_not_write_loads_nothing(gateway: Gateway, admin: psycopg.Connection[Any]) -> None:
    admin.execute("CREATE OR REPLACE TABLE guarded (i BIGINT, s VARCHAR, d DECIMAL(10,2))")
    admin.execute(f"GRANT SELECT ON TABLE guarded TO {ANALYST}")
    with connect(gateway, ANALYST, ANALYST_PASSWORD) as connection, connection.cursor() as cursor:
        for mode in ("append", "replace", "create_append"):
            with pytest.raises(adbc_driver_manager.Error) as caught:
                cursor.adbc_ingest("guarded", ROWS, mode=mode)
            assert caught.value.status_code.name == "UNAUTHORIZED", (mode, str(caught.value))
    assert admin.execute("SELECT count(*) FROM guarded").fetchone() == (0,)


def test_a_transaction_is_rolled_back_and_committed(gateway: Gateway) -> None:
    with connect(gateway, autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE TABLE moved (i INTEGER)")
        connection.commit()
        cursor.execute("INSERT INTO moved VALUES (1)")
        connection.rollback()
        assert fetched(cursor, "SELECT count(*) FROM moved") == [(0,)]
        cursor.execute("INSERT INTO moved VALUES (2)")
        connection.commit()
    with connect(gateway) as connection, connection.cursor() as cursor:
        assert fetched(cursor, "SELECT i FROM moved") == [(2,)]


def test_a_failed_transaction_cannot_be_committed(gateway: Gateway) -> None:
    with connect(gateway, autocommit=False) as connection, connection.cursor() as cursor:
        with pytest.raises(adbc_driver_manager.Error):
            cursor.execute("SELECT 1 / (SELECT 'x'::INTEGER)").fetchall()
        with pytest.raises(adbc_driver_manager.Error, match="25P02"):
            connection.commit()  # after an error here, the driver wants a new connection


# --- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "status", "sqlstate"),
    [
        ("SELECT * FROM nowhere", "NOT_FOUND", "42P01"),
        ("SELEKT 1", "INVALID_ARGUMENT", "42601"),
        ("SELECT 'x'::INTEGER", "INVALID_ARGUMENT", "22P02"),
        ("SHOW nothing_of_that_name", "NOT_FOUND", "42704"),
        ("SELECT 1; SELECT 2", "INVALID_ARGUMENT", "42601"),
        ("COPY t FROM STDIN", "NOT_FOUND", "42P01"),
    ],
)
def test_an_error_has_a_status_a_sqlstate_and_no_traceback(
    cursor: dbapi.Cursor, statement: str, status: str, sqlstate: str
) -> None:
    with pytest.raises(adbc_driver_manager.Error) as caught:
        fetched(cursor, statement)
    assert caught.value.status_code.name == status, str(caught.value)
    assert f"[FlightSQL] {sqlstate}: " in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert ".py" not in str(caught.value)
    assert fetched(cursor, "SELECT 1") == [(1,)]


@pytest.mark.parametrize(("user", "password"), [(ADMINISTRATOR, "wrong"), ("nobody", "x"), (ADMINISTRATOR, "")])
def test_a_wrong_password_is_refused_and_recorded(
    gateway: Gateway, admin: psycopg.Connection[Any], user: str, password: str
) -> None:
    def failures() -> int:
        rows = admin.execute("SHOW LEDGER LIMIT 1000").fetchall()
        return sum("login.failed" in map(str, row) for row in rows)

    before = failures()
    with pytest.raises(adbc_driver_manager.Error) as caught:
        connect(gateway, user, password)
    assert caught.value.status_code.name == "UNAUTHENTICATED", str(caught.value)
    assert failures() == before + 1


def test_a_client_that_does_not_trust_the_certificate_does_not_connect(gateway: Gateway, other_authority: Any) -> None:
    with pytest.raises(adbc_driver_manager.Error, match="certificate"):
        connect(gateway, **{DatabaseOptions.TLS_ROOT_CERTS.value: other_authority.certificate.read_text()})


def test_a_revoked_grant_ends_at_once(gateway: Gateway, admin: psycopg.Connection[Any]) -> None:
    admin.execute("CREATE OR REPLACE TABLE shared AS SELECT 7 AS i")
    admin.execute(f"GRANT SELECT ON TABLE shared TO {ANALYST}")
    with connect(gateway, ANALYST, ANALYST_PASSWORD) as connection, connection.cursor() as cursor:
        assert fetched(cursor, "SELECT i FROM shared") == [(7,)]
        admin.execute(f"REVOKE SELECT ON TABLE shared FROM {ANALYST}")
        with pytest.raises(adbc_driver_manager.Error) as caught:
            fetched(cursor, "SELECT i + 1 FROM shared")
        # What somebody has no right on is answered like what does not exist.
        assert "42P01" in str(caught.value), str(caught.value)
        with pytest.raises(adbc_driver_manager.Error) as caught:
            cursor.execute("CREATE USER somebody PASSWORD 'pass word'")
        assert caught.value.status_code.name == "UNAUTHORIZED", str(caught.value)


def test_a_statement_is_cancelled(gateway: Gateway) -> None:
    with connect(gateway) as connection, connection.cursor() as cursor:
        failure: list[adbc_driver_manager.Error] = []

        def run() -> None:
            try:
                fetched(cursor, FOR_EVER)
            except adbc_driver_manager.Error as error:
                failure.append(error)

        before = cpu_ticks(gateway)
        running = threading.Thread(target=run)
        running.start()
        wait_until(lambda: cpu_ticks(gateway) > before + 50)
        cursor.adbc_cancel()
        running.join(30)
        assert not running.is_alive()
        assert failure[0].status_code.name == "CANCELLED"
        assert fetched(cursor, "SELECT 2") == [(2,)]


CLIENT = """
import sys
from adbc_driver_flightsql import DatabaseOptions, dbapi
uri, user, password, authority, query = sys.argv[1:]
options = {"username": user, "password": password, DatabaseOptions.TLS_ROOT_CERTS.value: authority}
dbapi.connect(uri, db_kwargs=options, autocommit=True).cursor().execute(query)
"""


def test_a_client_that_dies_leaves_no_statement_behind(gateway: Gateway) -> None:
    before = cpu_ticks(gateway)
    arguments = (gateway.flight, ADMINISTRATOR, gateway.password, gateway.certificate.read_text(), FOR_EVER)
    with subprocess.Popen([sys.executable, "-c", CLIENT, *arguments], stderr=subprocess.DEVNULL) as client:
        wait_until(lambda: cpu_ticks(gateway) > before + 100, timeout=30)
        client.kill()
    seen = [cpu_ticks(gateway)]

    def rests() -> bool:
        seen.append(cpu_ticks(gateway))
        return len(seen) > 10 and seen[-1] - seen[-10] <= 1

    wait_until(rests, timeout=30)


def test_a_statement_timeout_holds(cursor: dbapi.Cursor) -> None:
    cursor.execute("SET statement_timeout = 300")
    with pytest.raises(adbc_driver_manager.Error, match="57014"):
        fetched(cursor, FOR_EVER)


def cpu_ticks(gateway: Gateway) -> int:
    """Return the processor time that the gateway's workers have used."""
    ticks = 0
    for pid in descendants(gateway.pid):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks


# --- metadata --------------------------------------------------------------------------------------------------------


def test_objects_are_listed_for_those_who_may_know_of_them(gateway: Gateway, admin: psycopg.Connection[Any]) -> None:
    admin.execute("CREATE OR REPLACE TABLE listed (i INTEGER NOT NULL, d DECIMAL(10,2), s VARCHAR[])")
    admin.execute("CREATE OR REPLACE VIEW listed_view AS SELECT i FROM listed")
    with connect(gateway, autocommit=False) as connection:
        found = _tables(connection)
        assert found["listed"] == ("TABLE", ["i", "d", "s"])
        assert found["listed_view"] == ("VIEW", ["i"])
        schema = connection.adbc_get_table_schema("listed")
        assert schema.field("d").type == pa.decimal128(10, 2)
        assert connection.adbc_get_table_types() == ["TABLE", "VIEW"]
        assert connection.adbc_get_info()["vendor_name"] == "Fairlead"
    with connect(gateway, ANALYST, ANALYST_PASSWORD, autocommit=False) as connection:
        assert "listed" not in _tables(connection)
        admin.execute(f"GRANT INSERT ON TABLE listed TO {ANALYST}")
        assert _tables(connection)["listed"] == ("TABLE", ["i", "d", "s"])
        with closing(connection.cursor()) as cursor:
            assert fetched(cursor, "SELECT 1") == [(1,)]  # the transaction has not failed by it


def _tables(connection: Connection) -> dict[str, tuple[str, list[str]]]:
    catalogs = connection.adbc_get_objects(depth="all").read_all().to_pylist()
    return {
        table["table_name"]: (table["table_type"], [column["column_name"] for column in table["table_columns"] or []])
        for catalog in catalogs
        for schema in catalog["catalog_db_schemas"] or []
        for table in schema["db_schema_tables"] or []
    }


def test_the_database_is_chosen_at_the_login_and_later(gateway: Gateway, admin: psycopg.Connection[Any]) -> None:
    admin.execute("CREATE DATABASE IF NOT EXISTS side")
    with connect(gateway, **{"adbc.flight.sql.rpc.call_header.database": "side"}) as connection:
        assert connection.adbc_current_catalog == "side"
        connection.adbc_current_catalog = "main"
        assert connection.adbc_current_catalog == "main"
        assert connection.adbc_current_db_schema == "public"
