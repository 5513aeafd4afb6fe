"""What PostgreSQL clients expect of a session: transactions, cursors, prepared statements, settings, functions."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess

import psycopg
import psycopg2
import psycopg2.extras
import pytest
import sqlalchemy as sa
from psycopg import errors
from sqlalchemy import orm

from tests.server.pgwire import raw
from tests.server.pgwire.raw import RawClient
from tests.services.requirement import require_service


@pytest.fixture
def who(gateway):
    with gateway.connect() as connection:
        yield connection


@pytest.fixture
def table(who):
    """An empty table of one number; made anew for each test."""
    who.execute("CREATE TABLE IF NOT EXISTS kept (a INTEGER)")
    who.execute("DELETE FROM kept")
    return who


def rows(who, sql, *values):
    return who.execute(sql, *values).fetchall()


def numbers(who):
    return sorted(a for (a,) in rows(who, "SELECT a FROM kept"))


@pytest.fixture
def psql(gateway):
    program = require_service("psql")

    def run(*arguments, given=""):
        host, port = gateway.address
        target = f"host={host} port={port} user=fairlead dbname=main sslmode=require"
        environment = {"PATH": os.environ["PATH"], "PGPASSWORD": gateway.password, "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            [str(program), "-X", "-A", "-t", "-q", "-d", target, *arguments],
            input=given, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    return run


# --- transactions ----------------------------------------------------------------------------------------------------


def test_an_error_undoes_what_stood_before_it_in_the_same_message(table):
    with pytest.raises(psycopg.Error, match="late"):
        table.execute("INSERT INTO kept VALUES (1); INSERT INTO kept VALUES (2); SELECT error('late')")
    assert (numbers(table), table.info.transaction_status) == ([], psycopg.pq.TransactionStatus.IDLE)
    table.execute("INSERT INTO kept VALUES (1); INSERT INTO kept VALUES (2)")
    assert numbers(table) == [1, 2]


@pytest.mark.parametrize(
    ("script", "left", "status"),
    [
        ("INSERT INTO kept VALUES (1); COMMIT; INSERT INTO kept VALUES (2); SELECT error('x')", [1], "IDLE"),
        ("INSERT INTO kept VALUES (1); ROLLBACK; INSERT INTO kept VALUES (2)", [2], "IDLE"),
        ("BEGIN; INSERT INTO kept VALUES (1); COMMIT; INSERT INTO kept VALUES (2); SELECT error('x')", [1], "IDLE"),
        ("INSERT INTO kept VALUES (1); BEGIN; INSERT INTO kept VALUES (2); COMMIT; SELECT error('x')", [1, 2], "IDLE"),
        ("INSERT INTO kept VALUES (1); BEGIN; SELECT error('x')", [], "INERROR"),
        ("BEGIN; INSERT INTO kept VALUES (1); COMMIT AND CHAIN; INSERT INTO kept VALUES (2)", [1], "INTRANS"),
        ("CREATE TEMP TABLE gone (a INT); SELECT error('x'); SELECT * FROM gone", [], "IDLE"),
    ],
)
def test_begin_and_commit_inside_of_a_message_mean_what_they_do_in_postgresql(table, script, left, status):
    with contextlib.suppress(psycopg.Error):  # what is left tells whether it came
        table.execute(script)
    assert table.info.transaction_status == psycopg.pq.TransactionStatus[status]
    table.execute("ROLLBACK")
    assert numbers(table) == left


def test_a_failed_commit_of_a_script_is_told_instead_of_success(gateway, table):
    with gateway.connect(autocommit=False) as other, RawClient(gateway.address) as client:
        table.execute("INSERT INTO kept VALUES (1)")
        other.execute("UPDATE kept SET a = 2")
        client.start_tls()
        client.login("fairlead", gateway.password, database="main")
        client.send(raw.query("SELECT 1; INSERT INTO kept VALUES (7); UPDATE kept SET a = a + 1"))
        assert client.read_until()[-1] == ("Z", b"I")
        with pytest.raises(errors.SerializationFailure):
            other.commit()
    assert numbers(table) == [2, 8]


def test_a_read_only_transaction_reads_only(table):
    table.autocommit = False
    table.read_only = True
    for write in (
        "INSERT INTO kept VALUES (1)",
        "WITH x AS (SELECT 1 AS a) INSERT INTO kept SELECT a FROM x",
        "EXPLAIN ANALYZE DELETE FROM kept",
        "CREATE STAGE s URL = 's3://b/c/'",
        "DROP TABLE kept",
        "VACUUM",
    ):
        with pytest.raises(errors.ReadOnlySqlTransaction):
            table.execute(write)
        table.rollback()
    assert rows(table, "WITH x AS (SELECT 1 AS a) SELECT * FROM x") == [(1,)]
    table.rollback()
    table.read_only = None
    table.autocommit = True
    table.execute("SET default_transaction_read_only = on")
    with pytest.raises(errors.ReadOnlySqlTransaction):
        table.execute("INSERT INTO kept VALUES (1)")
    table.execute("BEGIN READ WRITE; INSERT INTO kept VALUES (5); COMMIT")
    table.execute("RESET default_transaction_read_only")
    assert numbers(table) == [5]
    table.execute("BEGIN; SET TRANSACTION READ ONLY; SELECT a FROM kept")
    with pytest.raises(errors.ActiveSqlTransaction):
        table.execute("SET TRANSACTION READ WRITE")
    table.execute("ROLLBACK")


def test_serializable_is_refused_and_weaker_levels_are_what_there_is(who):
    with pytest.raises(errors.FeatureNotSupported, match="SERIALIZABLE"):
        who.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
    who.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
    assert rows(who, "SHOW transaction_isolation") == [("repeatable read",)]
    who.execute("ROLLBACK")


def test_a_savepoint_before_anything_was_written_is_gone_back_to(table):
    table.autocommit = False
    table.execute("SELECT 1")
    with table.transaction():
        table.execute("INSERT INTO kept VALUES (1)")
        raise psycopg.Rollback
    with pytest.raises(psycopg.Error, match="inner"), table.transaction():
        table.execute("INSERT INTO kept VALUES (2); SELECT error('inner')")
    with table.transaction():
        table.execute("INSERT INTO kept VALUES (3)")
    table.commit()
    assert numbers(table) == [3]


def test_going_back_over_writes_before_the_savepoint_is_refused_and_nothing_is_kept(table):
    table.execute("BEGIN; INSERT INTO kept VALUES (1); SAVEPOINT s")
    table.execute("ROLLBACK TO s")  # nothing was written since
    table.execute("INSERT INTO kept VALUES (2)")
    with pytest.raises(errors.FeatureNotSupported, match="cannot go back"):
        table.execute("ROLLBACK TO s")
    with pytest.raises(errors.InFailedSqlTransaction):
        table.execute("SELECT 1")
    table.execute("COMMIT")
    assert numbers(table) == []
    with pytest.raises(errors.InvalidSavepointSpecification):
        table.execute("BEGIN; RELEASE nowhere")
    table.execute("ROLLBACK")
    with pytest.raises(errors.NoActiveSqlTransaction):
        table.execute("SAVEPOINT s")


def test_a_savepoint_takes_settings_back(table):
    table.execute("BEGIN; SAVEPOINT s; SET application_name = 'inside'; ROLLBACK TO s")
    assert rows(table, "SHOW application_name") != [("inside",)]
    table.execute("ROLLBACK")


# --- cursors and prepared statements ---------------------------------------------------------------------------------


def test_a_cursor_gives_its_rows_in_parts(who):
    who.execute("BEGIN; DECLARE c NO SCROLL CURSOR FOR SELECT i FROM range(10) r(i)")
    assert rows(who, "FETCH 3 FROM c") == [(0,), (1,), (2,)]
    assert rows(who, "SELECT 'between'") == [("between",)]
    assert rows(who, "FETCH c") == [(3,)]
    assert who.execute("MOVE FORWARD 2 IN c").statusmessage == "MOVE 2"
    assert rows(who, "FETCH ALL FROM c") == [(6,), (7,), (8,), (9,)]
    assert rows(who, "FETCH NEXT FROM c") == []
    who.execute("CLOSE c")
    with pytest.raises(errors.InvalidCursorName):
        who.execute("FETCH c")
    who.execute("ROLLBACK")


def test_a_held_cursor_outlives_its_transaction_and_others_do_not(who):
    who.execute("BEGIN; DECLARE h CURSOR WITH HOLD FOR SELECT i FROM range(5) r(i); DECLARE c CURSOR FOR SELECT 1")
    assert rows(who, "FETCH 2 FROM h") == [(0,), (1,)]
    who.execute("COMMIT")
    assert rows(who, "FETCH 2 FROM h") == [(2,), (3,)]
    with pytest.raises(errors.InvalidCursorName):
        who.execute("FETCH c")
    who.execute("CLOSE ALL")


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("DECLARE c CURSOR FOR SELECT 1", errors.NoActiveSqlTransaction),
        ("DECLARE c SCROLL CURSOR FOR SELECT 1", errors.ObjectNotInPrerequisiteState),
        ("BEGIN; DECLARE c CURSOR FOR SELECT 1; FETCH PRIOR FROM c", errors.ObjectNotInPrerequisiteState),
        ("BEGIN; DECLARE c CURSOR FOR SELECT 1; DECLARE c CURSOR FOR SELECT 1", errors.DuplicateCursor),
        ("BEGIN; DECLARE c CURSOR FOR SELECT nope", errors.UndefinedColumn),
        ("DECLARE c CURSOR WITH HOLD FOR DELETE FROM t", errors.FeatureNotSupported),
        ("CLOSE nowhere", errors.InvalidCursorName),
    ],
)
def test_what_a_cursor_cannot_do_is_refused(who, sql, error):
    with pytest.raises(error):
        who.execute(sql)
    who.execute("ROLLBACK")


def test_named_cursors_of_the_drivers_stream(gateway):
    with gateway.connect(autocommit=False) as who, who.cursor(name="many rows") as cursor:
        cursor.itersize = 1000
        cursor.execute("SELECT i FROM range(%s::INT) r(i)", [25_000])
        assert sum(i for (i,) in cursor) == 25_000 * 24_999 // 2
        assert rows(who, "SELECT 1") == [(1,)]
    host, port = gateway.address
    old = psycopg2.connect(
        host=host, port=port, user="fairlead", password=gateway.password, dbname="main", sslmode="require"
    )
    try:
        with old, old.cursor(name="old", cursor_factory=psycopg2.extras.DictCursor) as cursor:
            cursor.execute("SELECT i FROM range(5000) r(i)")
            assert [row["i"] for row in cursor] == list(range(5000))
    finally:
        old.close()


def test_sql_prepares_and_executes(who, table):
    who.execute("PREPARE add (int) AS INSERT INTO kept VALUES ($1)")
    for value in ("1", "'2'", "-3", "NULL"):
        assert who.execute(f"EXECUTE add ({value})").statusmessage == "INSERT 0 1"
    assert rows(who, "SELECT a FROM kept ORDER BY a NULLS LAST") == [(-3,), (1,), (2,), (None,)]
    who.execute("PREPARE both AS SELECT $1 || $2 AS t, $1 IS NULL AS n")
    assert rows(who, "EXECUTE both ('a', 'it''s')") == [("ait's", False)]
    for sql, error in [
        ("EXECUTE both ('a')", errors.InvalidParameterValue),
        ("EXECUTE both (1 + 1, 'a')", errors.FeatureNotSupported),
        ("PREPARE both AS SELECT 1", errors.DuplicatePreparedStatement),
        ("PREPARE other (nonsense) AS SELECT 1", errors.UndefinedObject),
        ("PREPARE other AS CREATE TABLE x (a INT)", errors.FeatureNotSupported),
        ("EXECUTE nowhere", errors.InvalidSqlStatementName),
    ]:
        with pytest.raises(error):
            who.execute(sql)
    who.execute("DEALLOCATE both")
    with pytest.raises(errors.InvalidSqlStatementName):
        who.execute("EXECUTE both ('a', 'b')")


# --- what a statement asks about its session -------------------------------------------------------------------------


def test_the_functions_tell_who_and_where(gateway, who):
    who.execute("CREATE USER asker PASSWORD 'asks'")
    with gateway.connect("asker", "asks") as other:
        found = rows(
            other,
            "SELECT current_user, session_user, user, current_role, current_catalog, current_schema,"
            " current_database(), pg_catalog.version() LIKE 'PostgreSQL 16%Fairlead%', pg_backend_pid(),"
            " inet_client_addr(), pg_is_in_recovery(), upper(current_user)",
        )[0]
        assert found == (
            *["asker"] * 4, "main", "public", "main", True, other.info.backend_pid, "127.0.0.1", False, "ASKER",
        )  # fmt: skip
        names = other.execute("SELECT current_user, current_database(), version(), upper(version())").description
        assert [column.name for column in names][:3] == ["current_user", "current_database", "version"]
        assert rows(other, "SELECT user FROM (SELECT 'a column' AS user) q") == [("a column",)]
        assert rows(other, "SELECT current_schemas(true)::VARCHAR") == [("[pg_catalog, public]",)]


def test_a_view_knows_who_asks_it(gateway, who):
    who.execute("CREATE OR REPLACE VIEW asked AS SELECT current_user AS u, current_database() AS d")
    who.execute("CREATE USER viewer PASSWORD 'views'")
    who.execute("GRANT SELECT ON VIEW asked TO viewer")
    with gateway.connect("viewer", "views") as other:
        assert rows(other, "SELECT * FROM asked") == [("viewer", "main")]
    assert rows(who, "SELECT * FROM asked") == [("fairlead", "main")]


def test_settings_are_asked_for_and_set_by_functions(who):
    assert rows(who, "SELECT current_setting('search_path'), current_setting('nope', true)") == [("public", None)]
    assert rows(who, "SELECT set_config('application_name', %s, false)", ["by function"]) == [("by function",)]
    assert rows(who, "SHOW application_name") == [("by function",)]
    assert rows(who, "SELECT set_config('TimeZone', 'Europe/Berlin', false) AS tz") == [("Europe/Berlin",)]
    assert who.info.parameter_status("TimeZone") == "Europe/Berlin"
    for sql, error in [
        ("SELECT current_setting('nope')", errors.UndefinedObject),
        ("SELECT current_setting('thre' || 'ads')", errors.InsufficientPrivilege),
        ("SELECT ('threads').current_setting()", errors.InsufficientPrivilege),
        ("SELECT system.main.current_setting('threads')", errors.InsufficientPrivilege),
        ("SELECT set_config('nope', 'x', false)", errors.UndefinedObject),
        ("SELECT 1, set_config('TimeZone', 'UTC', false)", errors.InsufficientPrivilege),
        ("CREATE TABLE frozen (a VARCHAR DEFAULT current_database())", errors.FeatureNotSupported),
    ]:
        with pytest.raises(error):
            who.execute(sql)


def test_the_search_path_says_where_names_are_looked_for(who):
    who.execute("CREATE SCHEMA IF NOT EXISTS sales")
    who.execute("CREATE TABLE sales.only_there AS SELECT 42 AS a")
    with pytest.raises(errors.UndefinedTable):
        who.execute("SELECT * FROM only_there")
    who.execute("SET search_path = sales")
    assert rows(who, "SELECT a, current_schema FROM only_there") == [(42, "sales")]
    who.execute("CREATE TABLE made_there (b INT)")
    who.execute("INSERT INTO made_there VALUES (1)")
    who.execute("SET search_path TO public, sales")
    assert rows(who, "SELECT b FROM made_there") == [(1,)]
    assert rows(who, "SELECT current_schema, b FROM sales.made_there") == [("public", 1)]
    who.execute("USE main.sales")
    assert rows(who, "SELECT a FROM only_there") == [(42,)]
    who.execute("USE main")
    assert rows(who, "SHOW search_path") == [("public",)]
    with pytest.raises(errors.InvalidSchemaName):
        who.execute("SET search_path = nowhere")
    with who.transaction(force_rollback=True):
        who.execute("SET LOCAL search_path = sales")
        assert rows(who, "SELECT a FROM only_there") == [(42,)]
    assert rows(who, "SHOW search_path") == [("public",)]


def test_settings_come_with_the_connection(gateway):
    host, port = gateway.address
    with psycopg.connect(
        host=host, port=port, user="fairlead", password=gateway.password, dbname="main", sslmode="require",
        options="-c statement_timeout=1234 -c default_transaction_read_only=on", autocommit=True,
    ) as who:  # fmt: skip
        assert rows(who, "SHOW statement_timeout") == [("1234",)]
        with pytest.raises(errors.ReadOnlySqlTransaction):
            who.execute("CREATE TABLE never (a INT)")


def test_messages_that_are_not_wanted_are_not_sent(who):
    told = []
    who.add_notice_handler(lambda notice: told.append(notice.message_primary))
    who.execute("COMMIT")
    who.execute("SET client_min_messages = error")
    who.execute("COMMIT")
    assert told == ["there is no transaction in progress"]


# --- clients ---------------------------------------------------------------------------------------------------------


def test_psql_runs_scripts_in_one_transaction_or_statement_by_statement(psql, tmp_path, table):
    done = psql("-c", "INSERT INTO kept VALUES (1); SELECT error('x')")
    assert ("x" in done.stderr, numbers(table)) == (True, [])
    script = tmp_path / "s.sql"
    script.write_text("INSERT INTO kept VALUES (1);\nINSERT INTO kept VALUES (2);\nSELECT error('x');\n")
    psql("-1", "-f", str(script))
    assert numbers(table) == []
    psql("-f", str(script))
    assert numbers(table) == [1, 2]
    done = psql(given="SELECT 6 * 7 AS answer \\gset\n\\echo :answer\nSELECT :answer + 1;\n")
    assert done.stdout.splitlines() == ["42", "43"]
    assert "Time: " in psql(given="\\timing on\nSELECT 1;\n").stdout


def test_asynchronous_psycopg_and_its_pipeline(gateway):
    host, port = gateway.address

    async def run():
        async with await psycopg.AsyncConnection.connect(
            host=host, port=port, user="fairlead", password=gateway.password, dbname="main", sslmode="require",
            autocommit=True,
        ) as who:  # fmt: skip
            async with who.pipeline() as pipeline:
                found = [await who.execute("SELECT %s::INT + 1", [number]) for number in range(20)]
                bad = await who.execute("SELECT nope")
                with pytest.raises(errors.UndefinedColumn):
                    await pipeline.sync()
                del bad
            assert [(await cursor.fetchone())[0] for cursor in found] == list(range(1, 21))
            return await (await who.execute("SELECT 1")).fetchall()

    assert asyncio.run(run()) == [(1,)]


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_sqlalchemy_core_and_orm(gateway, driver):
    host, port = gateway.address
    url = sa.URL.create(
        f"postgresql+{driver}", "fairlead", gateway.password, host, port, "main", query={"sslmode": "require"}
    )
    engine = sa.create_engine(url, use_native_hstore=False)  # which looks into pg_catalog

    class Base(orm.DeclarativeBase):
        pass

    class Item(Base):
        __tablename__ = f"items_{driver}"
        id: orm.Mapped[int] = orm.mapped_column(primary_key=True, autoincrement=False)
        name: orm.Mapped[str]

    try:
        with engine.begin() as connection:
            connection.execute(sa.text(f"CREATE TABLE items_{driver} (id INTEGER, name VARCHAR)"))
        with orm.Session(engine) as session:
            with session.begin_nested():
                session.add_all([Item(id=1, name="one"), Item(id=2, name="two")])
            session.commit()
            session.get_one(Item, 1).name = "uno"
            session.commit()
            assert session.scalars(sa.select(Item.name).order_by(Item.id)).all() == ["uno", "two"]
        with engine.connect() as connection:
            many = sa.text("SELECT i FROM range(5000) r(i)")
            streamed = connection.execution_options(stream_results=True, max_row_buffer=500).execute(many)
            assert sum(i for (i,) in streamed) == 5000 * 4999 // 2
    finally:
        engine.dispose()
