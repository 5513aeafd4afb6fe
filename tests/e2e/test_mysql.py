"""MySQL's clients against a real gateway: PyMySQL, the MariaDB command line, SQLAlchemy, MariaDB Connector/J."""

from __future__ import annotations

import datetime as dt
import subprocess
import threading
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymysql
import pytest
import sqlalchemy as sa
from pymysql.constants import CLIENT
from pymysql.cursors import SSCursor

from tests.services.gateway import ADMINISTRATOR, Gateway
from tests.services.requirement import missing, require_service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.services.certificates import Authority

JAVA_DRIVER = Path("/usr/share/java/mariadb-java-client.jar")
CLASSES = Path(__file__).parent / "java"
MILLION = 1_000_000


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway with a MySQL listener."""
    one = Gateway(tmp_path_factory.mktemp("gateway"), arguments=("--mysql", "127.0.0.1:0"))
    try:
        yield one.start()
    finally:
        one.end()


def connect(gateway: Gateway, **options: Any) -> pymysql.connections.Connection[Any]:
    host, port = gateway.mysql
    settings = {"host": host, "port": port, "user": ADMINISTRATOR, "password": gateway.password, "database": "main"}
    return pymysql.connect(
        **{**settings, "ssl_ca": str(gateway.certificate), "ssl_verify_cert": True, "autocommit": True, **options}
    )


@pytest.fixture
def mysql(gateway: Gateway) -> Iterator[pymysql.connections.Connection[Any]]:
    with connect(gateway) as connection:
        yield connection


def rows(connection: pymysql.connections.Connection[Any], text: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, values or None)
        return list(cursor.fetchall())


def told(connection: pymysql.connections.Connection[Any], text: str) -> tuple[int, str]:
    """Return the number and the message of the error that a statement ends with."""
    with pytest.raises(pymysql.MySQLError) as error:
        rows(connection, text)
    return error.value.args[0], error.value.args[1]


# --- login -----------------------------------------------------------------------------------------------------------


def test_a_wrong_password_and_an_unknown_user_are_told_the_same(gateway: Gateway):
    for user in (ADMINISTRATOR, "nobody"):
        with pytest.raises(pymysql.MySQLError) as error:
            connect(gateway, user=user, password="wrong")
        assert error.value.args[0] == 1045
        assert f'password authentication failed for user "{user}"' in error.value.args[1]
    ledger = gateway.connect().execute("SHOW LEDGER").fetchall()
    assert sum("login.failed" in map(str, row) for row in ledger) >= 2


def test_no_password_is_refused(gateway: Gateway):
    with pytest.raises(pymysql.MySQLError) as error:
        connect(gateway, password="")
    assert error.value.args[0] == 1045


def test_another_authority_is_not_trusted(gateway: Gateway, other_authority: Authority):
    with pytest.raises(pymysql.MySQLError, match="certificate"):
        connect(gateway, ssl_ca=str(other_authority.certificate))


def test_without_tls_nobody_logs_in(gateway: Gateway):
    with pytest.raises(pymysql.MySQLError) as error:
        connect(gateway, ssl_ca=None, ssl_verify_cert=None, ssl_disabled=True)
    assert error.value.args[0] == 3159


def test_a_hundred_logins_one_behind_the_other_all_succeed(gateway: Gateway):
    """A client's TLS handshake mostly arrives together with its request for TLS."""
    for _ in range(100):
        connect(gateway).close()


# --- statements ------------------------------------------------------------------------------------------------------


def test_parameters_and_values_come_back_as_they_were(mysql: pymysql.connections.Connection[Any]):
    values = ['it\'s \\ "q" \n % ü', 5, None, b"\x00\xff'\\", Decimal("1.50"), 0.1]
    found = rows(mysql, "SELECT %s, %s, %s, %s, %s, %s", *values)
    assert found == [tuple(values)]
    found = rows(
        mysql,
        "SELECT true, DATE '2020-01-31', TIMESTAMP '2020-01-31 10:00:00.5', TIME '10:00:00', -7::BIGINT, [1, 2]",
    )
    moment = dt.datetime(2020, 1, 31, 10, 0, 0, 500_000)  # noqa: DTZ001
    assert found == [(1, moment.date(), moment, dt.timedelta(hours=10), -7, "[1, 2]")]


def test_a_million_rows_arrive_and_other_statements_follow(mysql: pymysql.connections.Connection[Any]):
    with mysql.cursor(SSCursor) as cursor:
        cursor.execute(f"SELECT i, 'name-' || i FROM range({MILLION}) r(i)")
        total = 0
        for count, (number, name) in enumerate(cursor.fetchall_unbuffered()):
            assert number == count
            total += len(name)
    assert total == sum(len(f"name-{number}") for number in range(MILLION))
    assert rows(mysql, "SELECT 1") == [(1,)]


def test_rows_of_more_than_16_mib_arrive(mysql: pymysql.connections.Connection[Any]):
    ((text, number),) = rows(mysql, "SELECT repeat('x', 40000000), 7")
    assert (len(text), number) == (40_000_000, 7)
    assert rows(mysql, f"SELECT /* {'y' * 20_000_000} */ 1") == [(1,)]  # a command in two packets


@pytest.mark.parametrize(
    ("text", "number", "state"),
    [
        ("SELEC 1", 1064, "42000"),
        ("SELECT nope", 1054, "42S22"),
        ("SELECT * FROM nowhere", 1146, "42S02"),
        ("USE nowhere", 1049, "42000"),
        ("SELECT 'a'::INT", 1292, "22007"),
        ("SELECT 1 LIMIT 1, 2", 1235, "42000"),
        ("SELECT @@nothing", 1193, "HY000"),
        ("SET sql_mode = 'NO_BACKSLASH_ESCAPES'", 1235, "42000"),
        ("SET NAMES latin1", 1231, "42000"),
        ("KILL 4000000000", 1094, "HY000"),
        ("COPY t FROM STDIN", 1146, "42S02"),
        ("", 1065, "42000"),
    ],
)
def test_an_error_has_mysqls_number_and_state_and_the_session_goes_on(
    mysql: pymysql.connections.Connection[Any], text: str, number: int, state: str
):
    with pytest.raises(pymysql.MySQLError) as error:
        rows(mysql, text)
    assert error.value.args[0] == number
    assert getattr(error.value, "sqlstate", state) in (state, None)
    assert rows(mysql, "SELECT 1") == [(1,)]


def test_several_statements_in_a_text_are_run_when_the_client_asked_for_it(gateway: Gateway):
    text = "SELECT 1; CREATE TEMP TABLE m (i INT); INSERT INTO m VALUES (1), (2); SELECT count(*) FROM m"
    with connect(gateway, client_flag=CLIENT.MULTI_STATEMENTS) as several, several.cursor() as cursor:
        cursor.execute(text)
        found = [cursor.fetchall()]
        while cursor.nextset():
            found.append(cursor.fetchall() if cursor.description else cursor.rowcount)
    assert found == [((1,),), 0, 2, ((2,),)]
    with connect(gateway, client_flag=0) as single:
        single.client_flag &= ~CLIENT.MULTI_STATEMENTS
        assert told(single, "SELECT * FROM m; SELECT 2")[0] in (1064, 1146)


def test_kill_query_ends_what_another_session_of_the_user_runs(gateway: Gateway):
    with connect(gateway) as runs, connect(gateway) as kills:
        failure: list[Exception] = []

        def run() -> None:
            try:
                rows(runs, "SELECT count(*) FROM range(100000000000) r(i) WHERE i % 7 = 3")
            except pymysql.MySQLError as error:
                failure.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        while not any(row[0] == str(runs.thread_id()) and row[4] == "Query" for row in rows(kills, "SHOW PROCESSLIST")):
            assert thread.is_alive()
        while thread.is_alive():
            rows(kills, f"KILL QUERY {runs.thread_id()}")
            thread.join(0.2)
        assert failure[0].args[0] == 1317
        assert rows(runs, "SELECT 1") == [(1,)]


def test_a_session_of_another_user_cannot_be_killed(gateway: Gateway, mysql: pymysql.connections.Connection[Any]):
    rows(mysql, "CREATE USER mallory PASSWORD 'a password of mallory'")
    with connect(gateway, user="mallory", password="a password of mallory") as mallory:
        for what in ("KILL QUERY", "KILL"):
            assert told(mallory, f"{what} {mysql.thread_id()}")[0] == 1094
        assert [row[1] for row in rows(mallory, "SHOW PROCESSLIST")] == ["mallory"]
    assert rows(mysql, "SELECT 1") == [(1,)]


# --- transactions ----------------------------------------------------------------------------------------------------


def test_autocommit_off_begins_transactions_by_itself(gateway: Gateway, mysql: pymysql.connections.Connection[Any]):
    rows(mysql, "CREATE TABLE tx (i INT)")
    with connect(gateway, autocommit=False) as other:
        rows(other, "INSERT INTO tx VALUES (1)")
        assert rows(mysql, "SELECT count(*) FROM tx") == [(0,)]
        other.rollback()
        rows(other, "INSERT INTO tx VALUES (2)")
        other.commit()
        assert rows(mysql, "SELECT i FROM tx") == [(2,)]
        rows(other, "INSERT INTO tx VALUES (3)")
        rows(other, "SET autocommit = 1")
        assert rows(mysql, "SELECT count(*) FROM tx") == [(2,)]
    rows(mysql, "START TRANSACTION")
    rows(mysql, "DELETE FROM tx")
    rows(mysql, "BEGIN")  # commits what was open
    rows(mysql, "ROLLBACK")
    assert rows(mysql, "SELECT count(*) FROM tx") == [(0,)]
    rows(mysql, "DROP TABLE tx")


def test_an_error_costs_a_transaction_only_what_it_has_written(gateway: Gateway):
    with connect(gateway, autocommit=False) as client:
        assert told(client, "SELECT nope")[0] == 1054
        assert rows(client, "SELECT 1") == [(1,)]
        rows(client, "CREATE TABLE lost (i INT)")
        assert told(client, "SELECT nope")[0] == 1054
        assert told(client, "SELECT 1")[0] == 1105
        assert told(client, "COMMIT")[0] == 1180
        assert told(client, "SELECT * FROM lost")[0] == 1146


# --- what clients and tools ask --------------------------------------------------------------------------------------


def test_what_drivers_send_when_they_connect_is_answered(mysql: pymysql.connections.Connection[Any]):
    for text in (
        "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci",
        "SET character_set_results = NULL",
        "SET SESSION sql_mode = 'STRICT_TRANS_TABLES'",
        "SET @@session.autocommit = 1",
        "set autocommit=1, sql_mode = concat(@@sql_mode,',STRICT_TRANS_TABLES')",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SET SESSION TRANSACTION READ WRITE",
        "SET time_zone = '+00:00'",
        "SET max_execution_time = 0",
    ):
        assert rows(mysql, text) == [], text
    found = rows(
        mysql,
        "/* mysql-connector-j */SELECT  @@session.auto_increment_increment AS auto_increment_increment, "
        "@@character_set_client AS character_set_client, @@max_allowed_packet AS p, @@sql_mode AS m, "
        "@@transaction_isolation AS i, @@lower_case_table_names",
    )
    assert found[0][:3] == (1, "utf8mb4", 64 * 2**20)
    assert "ANSI_QUOTES" in found[0][3]
    assert "NO_BACKSLASH_ESCAPES" not in found[0][3]
    assert found[0][4:] == ("REPEATABLE-READ", 2)
    assert rows(mysql, "select @@version_comment limit 1") == [("Fairlead",)]
    assert rows(mysql, "SELECT DATABASE(), CURRENT_USER(), CONNECTION_ID()") == [
        ("main", f"{ADMINISTRATOR}@127.0.0.1", mysql.thread_id())
    ]
    assert rows(mysql, "SHOW VARIABLES LIKE 'auto_increment%'")[0] == ("auto_increment_increment", "1")
    assert rows(mysql, "SHOW VARIABLES WHERE Variable_name = 'autocommit' OR Variable_name IN ('version_comment')") == [
        ("autocommit", "ON"),
        ("version_comment", "Fairlead"),
    ]
    assert rows(mysql, "SELECT 1 WHERE DATABASE() = 'main' AND @@autocommit = 1") == [(1,)]


def test_a_warning_can_be_asked_for(mysql: pymysql.connections.Connection[Any]):
    rows(mysql, "SET foreign_key_checks = 0")
    assert rows(mysql, "SHOW WARNINGS") == [("Warning", "1105", "foreign_key_checks has no effect here")]
    rows(mysql, "SELECT 1")
    assert rows(mysql, "SHOW WARNINGS") == []


def test_tables_and_their_columns_are_shown_as_mysql_does(mysql: pymysql.connections.Connection[Any]):
    rows(mysql, "CREATE DATABASE other")
    rows(mysql, "USE other")
    rows(mysql, "CREATE TABLE `a b` (`i d` BIGINT NOT NULL, s VARCHAR, d DECIMAL(10, 2), t TIMESTAMP, b BOOLEAN)")
    rows(mysql, "CREATE VIEW v AS SELECT 1 AS one")
    assert ("other",) in rows(mysql, "SHOW DATABASES")
    assert rows(mysql, "SHOW TABLES") == [("a b",), ("v",)]
    assert rows(mysql, "SHOW FULL TABLES FROM `other` LIKE 'a%'") == [("a b", "BASE TABLE")]
    assert rows(mysql, "SHOW TABLES FROM main") == []
    expected = [
        ("i d", "bigint", "NO", "", None, ""),
        ("s", "longtext", "YES", "", None, ""),
        ("d", "decimal(10,2)", "YES", "", None, ""),
        ("t", "datetime(6)", "YES", "", None, ""),
        ("b", "tinyint(1)", "YES", "", None, ""),
    ]
    assert rows(mysql, "DESCRIBE `a b`") == rows(mysql, "SHOW COLUMNS FROM `a b` FROM other") == expected
    assert rows(mysql, "SHOW FIELDS FROM other.`a b` LIKE 's'") == expected[1:2]
    assert rows(mysql, "SHOW INDEX FROM `a b`") == []
    assert rows(mysql, "SHOW CREATE TABLE `a b`")[0][1].startswith('CREATE TABLE "a b" (\n  "i d" bigint NOT NULL,\n')
    assert told(mysql, "SHOW COLUMNS FROM nowhere")[0] == 1146
    rows(mysql, "DROP VIEW v")
    rows(mysql, "DROP TABLE `a b`")
    mysql.select_db("main")
    rows(mysql, "DROP DATABASE other")


def test_statements_of_singlestore_and_databend_have_their_own_columns(mysql: pymysql.connections.Connection[Any]):
    rows(mysql, "SET dialect = 'singlestore'")
    rows(
        mysql,
        r"""CREATE LINK lk AS S3 CREDENTIALS '{"aws_access_key_id": "AKIA", "aws_secret_access_key": "hidden-key-1"}'
        CONFIG '{"region": "eu-west-1"}' DESCRIPTION 'it\'s mine'""",
    )
    with mysql.cursor() as cursor:
        cursor.execute("SHOW LINKS")
        assert [column[0] for column in cursor.description] == ["Link", "Type", "Description", "Config"]
        assert cursor.fetchall() == (("lk", "S3", "it's mine", '{"region":"eu-west-1"}'),)
    rows(mysql, "DROP LINK lk")
    rows(mysql, "SET dialect = 'databend'")
    rows(
        mysql,
        "CREATE CONNECTION c STORAGE_TYPE = 's3' ACCESS_KEY_ID = 'AK' SECRET_ACCESS_KEY = 'hidden-key-2' REGION = 'r'",
    )
    found = rows(mysql, "SHOW CONNECTIONS")
    assert [row[:2] for row in found] == [("c", "s3")]
    assert "hidden" not in str(found)
    rows(mysql, "DROP CONNECTION c")


def test_sqlalchemy_creates_writes_reflects_and_reads(gateway: Gateway):
    host, port = gateway.mysql
    url = sa.URL.create("mysql+pymysql", ADMINISTRATOR, gateway.password, host, port, "main")
    engine = sa.create_engine(url, connect_args={"ssl_ca": str(gateway.certificate), "ssl_verify_cert": True})
    metadata = sa.MetaData()
    table = sa.Table(
        "alchemy",
        metadata,
        sa.Column("id", sa.BigInteger),
        sa.Column("a name", sa.String(50)),
        sa.Column("amount", sa.Numeric(10, 2)),
        sa.Column("day", sa.DateTime),
    )
    metadata.create_all(engine)
    moment = dt.datetime(2024, 1, 2, 3, 4, 5)  # noqa: DTZ001
    given = [{"id": 1, "a name": "it's %", "amount": Decimal("1.50"), "day": moment}, {"id": 2, "a name": None}]
    with engine.begin() as connection:
        for row in given:
            connection.execute(table.insert(), row)
    with engine.connect() as connection:
        found = connection.execute(sa.select(table).order_by(table.c.id)).all()
    assert [tuple(row) for row in found] == [(1, "it's %", Decimal("1.50"), moment), (2, None, None, None)]
    inspector = sa.inspect(engine)
    assert "alchemy" in inspector.get_table_names()
    columns = {column["name"]: str(column["type"]) for column in inspector.get_columns("alchemy")}
    assert columns == {"id": "BIGINT", "a name": "LONGTEXT", "amount": "DECIMAL(10, 2)", "day": "DATETIME"}
    assert inspector.get_indexes("alchemy") == []
    metadata.drop_all(engine)
    engine.dispose()


# --- other clients ---------------------------------------------------------------------------------------------------


@pytest.fixture
def mariadb(gateway: Gateway) -> Callable[..., subprocess.CompletedProcess[str]]:
    program = require_service("mariadb")
    host, port = gateway.mysql

    def run(text: str, *options: str, password: str = gateway.password) -> subprocess.CompletedProcess[str]:
        where = [f"--host={host}", f"--port={port}", f"--user={ADMINISTRATOR}", "--ssl"]
        trust = [] if any(one.startswith("--ssl-ca") for one in options) else [f"--ssl-ca={gateway.certificate}"]
        command = [str(program), "--no-defaults", *where, *trust, "--batch", *options, "main", "-e", text]
        environment = {"MYSQL_PWD": password, "PATH": "/usr/bin:/bin"}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    return run


def test_the_mariadb_command_line_runs_statements(mariadb: Callable[..., subprocess.CompletedProcess[str]]):
    done = mariadb("SELECT 1 AS a, 'x' AS `b c`; SHOW DATABASES; SELECT NULL", "--ssl-verify-server-cert")
    assert done.stdout == "a\tb c\n1\tx\nDatabase\nmain\nNULL\nNULL\n", done.stderr


def test_the_mariadb_command_line_is_told_errors(
    mariadb: Callable[..., subprocess.CompletedProcess[str]], other_authority: Authority
):
    assert "ERROR 1146 (42S02)" in mariadb("SELECT * FROM nowhere").stderr
    assert "ERROR 1045 (28000)" in mariadb("SELECT 1", password="wrong").stderr
    refused = mariadb("SELECT 1", f"--ssl-ca={other_authority.certificate}", "--ssl-verify-server-cert")
    assert "ERROR 2026" in refused.stderr


def test_a_million_rows_reach_the_mariadb_command_line(mariadb: Callable[..., subprocess.CompletedProcess[str]]):
    done = mariadb(f"SELECT i, i % 2 = 0 FROM range({MILLION}) r(i)", "--skip-column-names", "--quick")
    lines = done.stdout.splitlines()
    assert len(lines) == MILLION
    assert lines[-1] == f"{MILLION - 1}\t0"


@pytest.mark.parametrize("options", ["", "&useServerPrepStmts=true"])
def test_connector_j_does_what_java_programs_do(gateway: Gateway, options: str):
    java = require_service("java")
    if not JAVA_DRIVER.is_file():
        missing("MariaDB Connector/J is not installed")
    host, port = gateway.mysql
    url = f"jdbc:mariadb://{host}:{port}/main?useSsl=true&serverSslCert={gateway.certificate}{options}"
    done = subprocess.run(
        [java, "-cp", JAVA_DRIVER, CLASSES / "MysqlClient.java", url, ADMINISTRATOR, gateway.password],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout.splitlines() == [
        "parameters 42 it's \\ ü 1099511627776 0.25 2024-01-02 03:04:05.006 null",
        "values 1.50 true 2020-01-31 2020-01-31 10:11:12.5 0.1 7 120",
        "inserted 3",
        "after rollback 0",
        "inserted 3",
        "after commit 3",
        "error 1146 42S02",
        "cancelled 1317 70100",
        f"rows {MILLION} {MILLION * (MILLION - 1) // 2}",
    ], done.stderr
