"""COPY FROM STDIN with the clients that people use, and what nobody should do, against a real gateway."""

from __future__ import annotations

import datetime as dt
import os
import random
import subprocess
import threading
import time
from decimal import Decimal

import psycopg
import pytest
from psycopg import errors

from tests.server.pgwire import raw
from tests.server.pgwire.raw import RawClient, fields
from tests.services.requirement import require_service


@pytest.fixture
def who(gateway):
    with gateway.connect() as connection:
        yield connection


@pytest.fixture
def table(who):
    """A table of a number and a text; every client that copies uses its own."""
    who.execute("CREATE TEMP TABLE t (a INTEGER, b VARCHAR)")
    return who


def copy(who, sql, *pieces):
    cursor = who.cursor()
    with cursor.copy(sql) as sink:
        for piece in pieces:
            sink.write(piece)
    return cursor.statusmessage


def rows(who, sql="SELECT * FROM t"):
    return who.execute(sql).fetchall()


# --- psycopg ---------------------------------------------------------------------------------------------------------


def test_text_and_csv_are_loaded(table):
    assert copy(table, "COPY t FROM STDIN", b"1\tone\n2\t\\N\n", b"3\ttab\\t") == "COPY 3"
    assert copy(table, "COPY t (b, a) FROM STDIN WITH CSV HEADER", b'b,a\n"x\ny",4\n,5\n') == "COPY 2"
    assert rows(table) == [(1, "one"), (2, None), (3, "tab\t"), (4, "x\ny"), (5, None)]


def test_values_of_every_kind_come_back_as_they_were_sent(who):
    who.execute(
        "CREATE TEMP TABLE k (a BIGINT, b VARCHAR, c BLOB, d DATE, e TIMESTAMPTZ, f DECIMAL(12, 3), g DOUBLE,"
        " h BOOLEAN, i UUID, j VARCHAR)"
    )
    moment = dt.datetime(2026, 2, 3, 4, 5, 6, 789, dt.UTC)
    chance = random.Random(7)
    text = "".join(chrome for chrome in map(chr, range(1, 0x2FF)))
    sent = [
        (2**62, text, bytes(range(256)), moment.date(), moment, Decimal("-1.005"), 1e300, True, "0" * 32, "\\N"),
        (-1, "", b"", None, None, Decimal(0), float("inf"), False, None, "\\."),
        (*[None] * 9, chance.randbytes(50).decode("latin1").replace("\0", "")),
    ]
    cursor = who.cursor()
    with cursor.copy("COPY k FROM STDIN") as sink:
        for row in sent:
            sink.write_row(row)
    assert cursor.statusmessage == "COPY 3"
    found = rows(who, "SELECT * REPLACE (replace(i::VARCHAR, '-', '') AS i) FROM k")
    assert found == sent


def test_nothing_is_loaded_when_a_row_is_faulty(table):
    cases = [
        ("COPY t FROM STDIN CSV", b'1,"a\nb"\nx,c\n', errors.InvalidTextRepresentation, 'line 3, column a: "x"'),
        ("COPY t FROM STDIN", b"1\ta\n2\n", errors.BadCopyFileFormat, 'line 2: "2"'),
        ("COPY t FROM STDIN", b"1\ta\n2\tb\tc\n", errors.BadCopyFileFormat, 'line 2: "2\tb\tc"'),
        ("COPY t FROM STDIN CSV HEADER", b'h,h\n1,"a\n"\n2,\xff\n', errors.CharacterNotInRepertoire, "line 4"),
        ("COPY t FROM STDIN CSV", b'1,a\n2,"b\n', errors.BadCopyFileFormat, "line 3"),
        ("COPY t FROM STDIN", b"1\ta\0\n", errors.CharacterNotInRepertoire, "line 1"),
        ("COPY t FROM STDIN", b"1\t\\303\n", errors.CharacterNotInRepertoire, 'line 1, column b: "\\303"'),
        ("COPY t FROM STDIN", b"99999999999\t\n", errors.InvalidTextRepresentation, 'line 1, column a: "99999999999"'),
    ]
    for sql, data, error, where in cases:
        with pytest.raises(error) as refused:
            copy(table, sql, data)
        assert refused.value.diag.context == f"COPY t, {where}"
    assert rows(table) == []


def test_a_fault_far_into_much_data_is_found(table):
    good = b"".join(b"%d\tsome text of a row\n" % n for n in range(400_000))
    for data, error, where in [
        (good + b"x\ty\n" + good, errors.InvalidTextRepresentation, 'line 400001, column a: "x"'),
        (good * 3 + b"7\n" + good, errors.BadCopyFileFormat, 'line 1200001: "7"'),
    ]:
        with pytest.raises(error) as refused:
            copy(table, "COPY t FROM STDIN", data)
        assert refused.value.diag.context == f"COPY t, {where}"


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("COPY nothing_here FROM STDIN", errors.UndefinedTable),
        ("COPY t (a, nope) FROM STDIN", errors.UndefinedColumn),
        ("COPY t (a, A) FROM STDIN", errors.DuplicateColumn),
        ("COPY t FROM STDIN (FORMAT csv, FORCE_NULL (x))", errors.InvalidParameterValue),
    ],
)
def test_what_cannot_work_is_refused_before_any_data(table, sql, error):
    with pytest.raises(error), table.cursor().copy(sql):
        pass
    assert rows(table, "SELECT 1") == [(1,)]


def test_a_view_is_not_loaded_and_says_so_before_any_data(table):
    table.execute("CREATE TEMP VIEW v AS SELECT * FROM t")
    with pytest.raises(psycopg.Error, match="v"), table.cursor().copy("COPY v FROM STDIN"):
        pass


def test_a_copy_is_part_of_its_transaction(gateway):
    with gateway.connect(autocommit=False) as who:
        who.execute("CREATE TEMP TABLE t (a INTEGER)")
        copy(who, "COPY t FROM STDIN", b"1\n")
        assert rows(who) == [(1,)]
        who.commit()
        copy(who, "COPY t FROM STDIN", b"2\n")
        who.rollback()
        assert rows(who) == [(1,)]
        with pytest.raises(errors.InvalidTextRepresentation, match="invalid input syntax") as refused:
            copy(who, "COPY t FROM STDIN", b"2\nx\n")
        assert refused.value.diag.context == 'COPY t, line 2, column a: "x"'
        with pytest.raises(errors.InFailedSqlTransaction):
            rows(who)
        who.rollback()
        assert rows(who) == [(1,)]


def test_a_default_fills_a_column_that_has_no_data(who):
    who.execute("CREATE TEMP TABLE t (a INTEGER, b VARCHAR DEFAULT 'filled')")
    copy(who, "COPY t (a) FROM STDIN", b"1\n")
    assert rows(who) == [(1, "filled")]


def test_a_client_that_fails_amid_its_data_loads_nothing(table):
    def sends_and_fails():
        with table.cursor().copy("COPY t FROM STDIN") as sink:
            sink.write(b"1\ta\n")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sends_and_fails()
    assert rows(table) == []


def test_a_copy_that_waits_for_data_can_be_cancelled(table):
    def waits():
        with table.cursor().copy("COPY t FROM STDIN") as sink:
            sink.write(b"1\ta\n")
            table.cancel_safe()

    with pytest.raises(errors.QueryCanceled):
        waits()
    assert rows(table) == []


def test_a_load_that_is_cancelled_loads_nothing(table):
    data = b"".join(b"%d\t%d\n" % (n, n) for n in range(200_000))
    cancelled = threading.Event()

    def cancel():
        while not cancelled.wait(0.05):
            table.cancel_safe()

    def copy_until_cancelled():
        while True:
            copy(table, "COPY t FROM STDIN", data)

    canceller = threading.Thread(target=cancel)
    canceller.start()
    try:
        with pytest.raises(errors.QueryCanceled):
            copy_until_cancelled()
    finally:
        cancelled.set()
        canceller.join()
    # A late cancel may hit the query; what it counts are whole loads, if any.
    count = rows(table, "SELECT count(*) FROM t")[0][0]
    assert count % 200_000 == 0


def test_what_is_beyond_the_limit_is_refused_and_leaves_nothing(start_gateway):
    gateway = start_gateway(env={"FAIRLEAD_WORKER__SPILL_LIMIT_MB": "8"})
    with gateway.connect() as who:
        who.execute("CREATE TEMP TABLE t (a VARCHAR)")
        with pytest.raises(errors.ProgramLimitExceeded, match="more than 8 MiB"):
            copy(who, "COPY t FROM STDIN", *[b"x" * 100_000 + b"\n"] * 200)
        assert rows(who) == []
        assert copy(who, "COPY t FROM STDIN", b"y\n") == "COPY 1"
        left = [name for _, _, names in os.walk(gateway.data) for name in names if name.startswith("copy-")]
    assert left == []


def test_rows_of_a_native_table_are_there_for_everybody(gateway, who):
    who.execute("CREATE TABLE lasting (a INTEGER, b VARCHAR)")
    assert copy(who, "COPY lasting FROM STDIN CSV", b"1,x\n2,\n") == "COPY 2"
    assert copy(who, "COPY main.public.lasting (a) FROM STDIN", b"3\n") == "COPY 1"
    with gateway.connect() as other:
        assert rows(other, "SELECT * FROM lasting ORDER BY a") == [(1, "x"), (2, None), (3, None)]
    who.execute("CREATE USER stranger PASSWORD 'a stranger''s password'")
    with gateway.connect("stranger", "a stranger's password") as stranger:
        with pytest.raises(psycopg.Error) as refused, stranger.cursor().copy("COPY lasting FROM STDIN"):
            pass
        assert refused.value.sqlstate in ("42501", "42P01")
        who.execute("GRANT INSERT ON TABLE lasting TO stranger")
        assert copy(stranger, "COPY lasting FROM STDIN", b"4\tz\n") == "COPY 1"
    assert rows(who, "SELECT count(*) FROM lasting") == [(4,)]


# --- psql ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def psql(gateway):
    program = require_service("psql")

    def run(*arguments, given=""):
        host, port = gateway.address
        target = f"host={host} port={port} user=fairlead dbname=main sslmode=require"
        environment = {"PATH": os.environ["PATH"], "PGPASSWORD": gateway.password, "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            [str(program), "-X", "-A", "-t", "-d", target, *arguments],
            input=given, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    return run


def test_psql_copies_from_a_file(psql, tmp_path):
    (tmp_path / "rows.csv").write_text('a,b\n1,"x, y"\n2,\n')
    (tmp_path / "rows.txt").write_text("3\tz\\n\n")
    done = psql(
        *("-c", "CREATE TEMP TABLE t (a INTEGER, b VARCHAR)"),
        *("-c", f"\\copy t from '{tmp_path}/rows.csv' with (format csv, header match)"),
        *("-c", f"\\copy t from '{tmp_path}/rows.txt'"),
        *("-c", "SELECT a, replace(b, chr(10), '/') FROM t"),
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["CREATE TABLE", "COPY 2", "COPY 1", "1|x, y", "2|", "3|z/"]


def test_psql_copies_what_stands_in_a_script(psql):
    script = "CREATE TEMP TABLE t (a INTEGER, b VARCHAR);\nCOPY t FROM stdin;\n1\tone\n\\.\n"
    script += "COPY t FROM stdin CSV;\n2,two\n\\.\nCOPY t FROM stdin;\nx\ty\n\\.\nSELECT * FROM t;\n"
    done = psql(given=script)
    assert done.stdout.splitlines() == ["CREATE TABLE", "COPY 1", "COPY 1", "1|one", "2|two"]
    assert 'CONTEXT:  COPY t, line 1, column a: "x"' in done.stderr


# --- bytes that no client sends --------------------------------------------------------------------------------------


@pytest.fixture
def client(gateway):
    with RawClient(gateway.address) as found:
        found.start_tls()
        found.login("fairlead", gateway.password, database="main")
        found.send(raw.query("CREATE TEMP TABLE t (a INTEGER)"))
        found.read_until()
        yield found


def data(text):
    return raw.message(b"d", text)


DONE = raw.message(b"c")


def test_the_extended_protocol_copies_with_a_sync_on_either_side(client):
    batch = raw.parse("", "COPY t FROM STDIN") + raw.bind("", "") + raw.describe("P", "") + raw.execute()
    client.send(
        batch, raw.SYNC, data(b"1\n2"), raw.FLUSH, data(b"\n"), DONE, raw.SYNC, raw.query("SELECT sum(a) FROM t")
    )
    assert "".join(tag for tag, _ in client.read_until()) == "12nGCZ"
    assert client.read_until()[1] == ("D", struct_row(b"3"))


def test_a_query_amid_the_data_loads_nothing_and_fails_the_block(client):
    client.send(raw.query("BEGIN"), raw.query("COPY t FROM STDIN"), data(b"1\n"), raw.query("SELECT 1"))
    client.read_until()
    answer = client.read_until()
    assert (fields(answer[1][1])["C"], answer[-1]) == ("08P01", ("Z", b"E"))
    client.send(data(b"2\n"), DONE, raw.query("ROLLBACK"), raw.query("SELECT count(*) FROM t"))
    client.read_until()
    assert client.read_until()[1] == ("D", struct_row(b"0"))


def test_the_time_that_a_client_takes_counts(client):
    client.send(raw.query("SET statement_timeout = '200ms'"), raw.query("COPY t FROM STDIN"), data(b"1\n"))
    client.read_until()
    answer = client.read_until()
    told = fields(answer[1][1])
    assert (told["C"], "timeout" in told["M"], answer[-1]) == ("57014", True, ("Z", b"I"))


def test_a_connection_cut_amid_the_data_leaves_no_file(gateway, client):
    client.send(raw.query("COPY t FROM STDIN"), *[data(b"1\n" * 100_000)] * 10)
    client.read()
    client.socket.close()
    deadline = time.monotonic() + 20
    while _copy_files(gateway) and time.monotonic() < deadline:
        with gateway.connect() as other:
            assert rows(other, "SELECT 1") == [(1,)]
    assert _copy_files(gateway) == []


@pytest.mark.parametrize("seed", range(12))
def test_random_data_are_loaded_or_refused_and_the_session_goes_on(client, seed):
    chance = random.Random(seed)
    statements = ["COPY t FROM STDIN", "COPY t FROM STDIN CSV", "COPY t FROM STDIN CSV QUOTE '''' ESCAPE '\\' HEADER"]
    for _ in range(8):
        noise = [chance.choice([chance.randbytes(9), b"1\n", b'"', b"\\", b"\n", b"\\.\n", b"\r"]) for _ in range(9)]
        end = chance.choice([DONE, DONE, raw.message(b"f", b"no\0"), raw.query("SELECT 1")])
        client.send(raw.query(chance.choice(statements)), *map(data, noise), end)
        answer = client.read_until()
        assert [tag for tag, _ in answer] in (["G", "C", "Z"], ["G", "E", "Z"])
        # If the error came before the query did, the query has an answer of its own.
        if end[:1] == b"Q" and fields(answer[1][1])["C"] != "08P01":
            client.read_until()
    client.send(raw.query("SELECT count(a) >= 0 FROM t"))
    assert client.read_until()[1] == ("D", struct_row(b"t"))


def struct_row(*values):
    return len(values).to_bytes(2, "big") + b"".join(len(value).to_bytes(4, "big") + value for value in values)


def _copy_files(gateway):
    return [name for _, _, names in os.walk(gateway.data) for name in names if name.startswith("copy-")]
