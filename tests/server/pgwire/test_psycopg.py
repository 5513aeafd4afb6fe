"""A real client library against the listener."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest
from psycopg import pq

from tests.server.pgwire.double import CANARY, MASKED


def connect(server, **options):
    return psycopg.connect(server.dsn(**options), autocommit=True)


def test_a_login_over_tls_is_bound_to_the_channel(server):
    with connect(server, sslmode="require", channel_binding="require") as connection:
        assert connection.pgconn.ssl_in_use
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_the_self_made_certificate_can_be_verified_by_name_and_address(server):
    with connect(
        server, host="localhost", hostaddr="127.0.0.1", sslmode="verify-full", sslrootcert=server.certificate.path
    ) as c:
        assert c.execute("SELECT 1").fetchone() == (1,)
    with connect(server, sslmode="verify-full", sslrootcert=server.certificate.path) as c:
        assert c.execute("SELECT 1").fetchone() == (1,)


def test_a_plain_connection_is_accepted_unless_tls_is_required(server, make_server):
    with connect(server, sslmode="disable") as connection:
        assert not connection.pgconn.ssl_in_use
    strict = make_server(require_tls=True)
    with pytest.raises(psycopg.OperationalError, match="only TLS"):
        connect(strict, sslmode="disable")
    connect(strict, sslmode="require").close()


def test_a_password_beyond_ascii_works(server):
    connect(server, user="fairlead").close()


def test_a_wrong_password_and_an_unknown_user_fail_alike_are_recorded_and_slowed(server):
    told = []
    for user in ("ann", "nobody"):
        with pytest.raises(psycopg.OperationalError) as caught:
            connect(server, user=user, password="wrong", sslmode="require")
        told.append(str(caught.value).replace(user, "USER").partition("failed: FATAL")[2])
    assert told[0] == told[1]
    assert "password authentication failed" in told[0]
    assert [(user, client) for user, client, _ in server.backend.failures] == [
        ("ann", "127.0.0.1"), ("nobody", "127.0.0.1"),
    ]  # fmt: skip
    assert server.backend.pauses == [0.2, 0.4]


def test_an_unknown_database_is_named_in_the_error(server):
    with pytest.raises(psycopg.OperationalError, match='database "nowhere" does not exist'):
        connect(server, dbname="nowhere")


def test_the_startup_packet_reaches_the_backend_and_comes_back(server):
    with connect(server, application_name="tests", options="-c TimeZone=Asia/Tokyo -c a.b=c\\ d") as connection:
        assert connection.info.parameter_status("application_name") == "tests"
        assert connection.info.parameter_status("TimeZone") == "Asia/Tokyo"
        assert connection.info.parameter_status("server_encoding") == "UTF8"
        assert connection.info.server_version == 160000
        assert "Fairlead" in connection.info.parameter_status("server_version")
    user, database, parameters, client = server.backend.opened[-1]
    assert (user, database, client) == ("ann", "main", "127.0.0.1")
    assert parameters == {"application_name": "tests", "TimeZone": "Asia/Tokyo", "a.b": "c d"}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"client_encoding": "latin1"}, "client_encoding"),
        ({"options": "-x"}, "invalid option"),
        ({"replication": "true"}, "replication"),
    ],
)
def test_what_cannot_be_honoured_is_refused_at_login(server, options, text):
    with pytest.raises(psycopg.OperationalError, match=text):
        connect(server, **options)


def test_parameters_of_all_kinds_arrive(server):
    with connect(server) as connection:
        row = connection.execute("SELECT %s, %t, %b, %s", (7, "ü", 3_000_000_000, None)).fetchone()
    assert row == (7, "ü", 3_000_000_000, None)


def test_a_statement_is_prepared_once_and_used_again(server):
    with connect(server) as connection:
        for number in range(8):
            assert connection.execute("SELECT %s + 1", (number,), prepare=True).fetchone() == (number + 1,)


def test_columns_have_names_and_types(server):
    with connect(server) as connection:
        cursor = connection.execute("SELECT 1 AS i, 'x' AS t, true AS b, DATE '2026-01-02' AS d, NULL AS n")
        assert [(column.name, column.type_code) for column in cursor.description] == [
            ("i", 23), ("t", 25), ("b", 16), ("d", 1082), ("n", 23),
        ]  # fmt: skip
        assert cursor.rowcount == 1
        assert cursor.statusmessage == "SELECT 1"


def test_the_values_of_a_command_arrive_as_texts(server):
    with connect(server) as connection:
        assert connection.execute("SHOW words").fetchall() == [("one", "1"), ("nothing", None)]


def test_a_script_gives_one_result_for_each_statement_and_ends_at_the_first_error(server):
    with connect(server) as connection:
        cursor = connection.execute("SELECT 1; SHOW words; SELECT 2")
        results = [cursor.fetchall()]
        while cursor.nextset():
            results.append(cursor.fetchall())
        assert results == [[(1,)], [("one", "1"), ("nothing", None)], [(2,)]]
        with pytest.raises(psycopg.Error):
            connection.execute("CREATE TABLE a (i INT); SELECT * FROM missing; CREATE TABLE b (i INT)")
        assert connection.execute("SELECT count(*) FROM a").fetchone() == (0,)
        with pytest.raises(psycopg.Error, match="b does not exist"):
            connection.execute("SELECT * FROM b")


@pytest.mark.parametrize("text", ["", ";", "  ; ;"])
def test_an_empty_text_is_answered_as_such(server, text):
    with connect(server) as connection:
        assert connection.pgconn.exec_(text.encode()).status == pq.ExecStatus.EMPTY_QUERY
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_the_transaction_status_is_told(server):
    with connect(server) as connection:
        status = connection.info
        assert status.transaction_status == pq.TransactionStatus.IDLE
        connection.execute("BEGIN")
        assert status.transaction_status == pq.TransactionStatus.INTRANS
        with pytest.raises(psycopg.Error):
            connection.execute("SELECT * FROM missing")
        assert status.transaction_status == pq.TransactionStatus.INERROR
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            connection.execute("SELECT 1")
        connection.execute("ROLLBACK")
        assert status.transaction_status == pq.TransactionStatus.IDLE


def test_psycopgs_own_transactions_commit_and_roll_back(server):
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS i")
        connection.commit()
        connection.execute("INSERT INTO t VALUES (2)")
        connection.rollback()
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_an_error_has_all_its_fields_and_the_position_counts_characters(server):
    with connect(server) as connection, pytest.raises(psycopg.errors.SyntaxError) as caught:
        connection.execute("SELECT 'ßß', oops")
    told = caught.value.diag
    assert (told.severity, told.severity_nonlocalized, told.sqlstate) == ("ERROR", "ERROR", "42601")
    assert (told.message_hint, told.message_detail, told.statement_position) == ("say please", "a fact", "14")


def test_a_defect_is_told_by_a_number_only(server, capfd):
    with connect(server) as connection:
        with pytest.raises(psycopg.errors.InternalError_) as caught:
            connection.execute("DEFECT something private")
        assert "private" not in str(caught.value)
        number = caught.value.diag.message_detail.rstrip(".").split()[-1]
        assert number in capfd.readouterr().out
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_notices_arrive_with_hint_and_detail(server):
    told = []
    with connect(server) as connection:
        connection.add_notice_handler(
            lambda n: told.append((n.severity, n.message_primary, n.message_hint, n.message_detail))
        )
        connection.execute("WARNING look out")
    assert told == [("WARNING", "look out", "a hint", "a detail")]


def test_every_text_is_scrubbed(server):
    told = []
    with connect(server, application_name=CANARY) as connection:
        connection.add_notice_handler(lambda notice: told.append(notice.message_primary))
        connection.execute(f"NOTICE {CANARY}")
        assert told == [MASKED]
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(f"SELECT * FROM '{CANARY}'")
        assert CANARY not in str(caught.value)
        connection.execute(f"SET zone = {CANARY}")
        assert connection.info.parameter_status("TimeZone") == MASKED
        assert connection.info.parameter_status("application_name") == MASKED
        assert connection.execute(f'SELECT 1 AS "{CANARY}"').description[0].name == MASKED


def test_a_changed_setting_is_reported(server):
    with connect(server) as connection:
        assert connection.info.parameter_status("TimeZone") == "UTC"
        connection.execute("SET zone = Asia/Tokyo")
        assert connection.info.timezone.key == "Asia/Tokyo"


@pytest.mark.parametrize("version", ["3.0", "3.2"])
def test_a_cancel_request_ends_the_statement_and_nothing_else(server, version):
    with connect(server, **({"max_protocol_version": version} if pq.version() >= 180000 else {})) as connection:
        canceller = threading.Thread(
            target=lambda: server.backend.started.wait(20) and connection.cancel_safe(timeout=20)
        )
        canceller.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("ENDLESS")
        canceller.join()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_pipeline_is_answered_in_order_and_outlives_an_error(server):
    with connect(server) as connection:
        with connection.pipeline() as pipeline:
            cursors = [connection.execute("SELECT %s", (number,)) for number in range(20)]
            pipeline.sync()
            assert [cursor.fetchone() for cursor in cursors] == [(number,) for number in range(20)]
            # Which call finds the error depends on how fast the answers arrive.
            with pytest.raises(psycopg.Error):  # noqa: PT012
                connection.execute("SELECT * FROM missing")
                skipped = connection.execute("SELECT 1")
                pipeline.sync()
                skipped.fetchone()
            with suppress(psycopg.errors.PipelineAborted):  # if the error was found before the next call
                pipeline.sync()
            assert connection.execute("SELECT 2").fetchone() == (2,)
        assert connection.execute("SELECT %s", (3,)).fetchone() == (3,)


def test_a_long_result_arrives_whole_with_and_without_tls(server):
    for mode in ("disable", "require"):
        with connect(server, sslmode=mode) as connection:
            rows = connection.execute("SELECT i, i * i, repeat('y', (i % 50)::INT) FROM range(20000) t(i)").fetchall()
            assert rows == [(i, i * i, "y" * (i % 50)) for i in range(20000)]


def test_a_text_of_some_megabytes_is_accepted(server):
    with connect(server) as connection:
        text = "z" * 5_000_000
        assert connection.execute("SELECT length(%s)", (text,)).fetchone() == (len(text),)


def test_a_hundred_quick_connections_all_work(server):
    def one(number):
        with connect(server, sslmode="require") as connection:
            return connection.execute("SELECT %s", (number,)).fetchone()[0]

    with ThreadPoolExecutor(20) as pool:
        assert sorted(pool.map(one, range(100))) == list(range(100))


def test_a_session_ends_with_its_connection(server):
    connection = connect(server)
    (session,) = server.backend.sessions
    connection.close()
    _until(lambda: session.closed)
    assert server.backend.sessions == []


def test_a_client_that_vanishes_stops_what_it_runs(server):
    connection = connect(server)
    connection.pgconn.send_query(b"ENDLESS")
    connection.pgconn.flush()
    assert server.backend.started.wait(20)
    connection.pgconn.finish()
    assert server.backend.was_cancelled.wait(20)


def test_one_session_too_many_is_told_so(make_server):
    server = make_server(worker={"max_sessions": 2})
    first, second = connect(server), connect(server)
    with pytest.raises(psycopg.OperationalError, match="2 sessions already"):
        connect(server)
    first.close()
    _until(lambda: len(server.backend.sessions) == 1)
    connect(server).close()
    second.close()


def test_a_stop_is_told_to_idle_and_to_busy_clients(server):
    idle, busy = connect(server), connect(server)
    busy.pgconn.send_query(b"ENDLESS")
    busy.pgconn.flush()
    assert server.backend.started.wait(20)
    server.stop()
    with pytest.raises(psycopg.errors.AdminShutdown):
        idle.execute("SELECT 1")
    assert busy.pgconn.get_result().error_field(pq.DiagnosticField.SQLSTATE) == b"57P01"
    assert server.backend.sessions == []


def _until(condition) -> None:
    """Wait for what happens in the listener's thread; fail when it does not."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)
