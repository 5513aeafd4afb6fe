"""COPY TO STDOUT with the clients that people use: what it sends is what PostgreSQL 15 sends."""

from __future__ import annotations

import csv
import io
import os
import random
import subprocess

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


def copied(who, sql, parameters=None):
    """Return the data of a COPY, and its command tag."""
    cursor = who.cursor()
    with cursor.copy(sql, parameters) as source:
        data = b"".join(bytes(piece) for piece in source)
    return data, f"COPY {cursor.rowcount}"


# Each was compared, byte by byte, with what PostgreSQL 15.18 answers to the same statement.
VALUES = "SELECT * FROM (VALUES (1, E'a\\tb\\nc\\\\d\\r', NULL), (2, '', 'ö|,\"x\"')) v(a, \"b,|\", c)"
FORMATS = [
    ("", b'1\ta\\tb\\nc\\\\d\\r\t\\N\n2\t\t\xc3\xb6|,"x"\n'),
    ("(DELIMITER '|', HEADER)", b'a|b,\\||c\n1|a\\tb\\nc\\\\d\\r|\\N\n2||\xc3\xb6\\|,"x"\n'),
    ("(NULL 'nil')", b'1\ta\\tb\\nc\\\\d\\r\tnil\n2\t\t\xc3\xb6|,"x"\n'),
    ("CSV", b'1,"a\tb\nc\\d\r",\n2,"","\xc3\xb6|,""x"""\n'),
    ("CSV HEADER", b'a,"b,|",c\n1,"a\tb\nc\\d\r",\n2,"","\xc3\xb6|,""x"""\n'),
    ("(FORMAT csv, ESCAPE '\\', NULL 'nil')", b'1,"a\tb\nc\\\\d\r",nil\n2,,"\xc3\xb6|,\\"x\\""\n'),
    ("(FORMAT csv, FORCE_QUOTE (a, C), DELIMITER '|')", b'"1"|"a\tb\nc\\d\r"|\n"2"|""|"\xc3\xb6|,""x"""\n'),
    ("(FORMAT csv, QUOTE '''', FORCE_QUOTE *)", b"'1','a\tb\nc\\d\r',\n'2','','\xc3\xb6|,\"x\"'\n"),
]


@pytest.mark.parametrize(("options", "expected"), FORMATS)
def test_the_bytes_are_those_of_postgresql(who, options, expected):
    assert copied(who, f"COPY ({VALUES}) TO STDOUT {options}") == (expected, "COPY 2")


def test_an_end_marker_that_is_a_value_is_told_from_one_that_ends(who):
    markers = "COPY (SELECT * FROM (VALUES ('\\.'), ('x')) v(a)) TO STDOUT"
    assert copied(who, markers)[0] == b"\\\\.\nx\n"
    assert copied(who, f"{markers} CSV")[0] == b'"\\."\nx\n'


def test_a_table_is_copied_with_the_columns_that_are_asked_for(who):
    who.execute('CREATE TEMP TABLE t (a INTEGER, "B c" VARCHAR)')
    who.execute("INSERT INTO t VALUES (1, 'x'), (2, NULL)")
    assert copied(who, "COPY t TO STDOUT") == (b"1\tx\n2\t\\N\n", "COPY 2")
    assert copied(who, 'COPY t ("B c", a) TO STDOUT CSV HEADER') == (b"B c,a\nx,1\n,2\n", "COPY 2")
    assert copied(who, "COPY (DELETE FROM t WHERE a = 1 RETURNING a) TO STDOUT") == (b"1\n", "COPY 1")
    assert copied(who, "COPY (SELECT a FROM t WHERE a = 1) TO STDOUT CSV HEADER") == (b"a\n", "COPY 0")


@pytest.mark.parametrize("seed", range(4))
def test_what_is_copied_out_comes_back_in(who, seed):
    chance = random.Random(seed)
    letters = ["\\", "\t", "\n", "\r", '"', ",", "|", "'", "a", "ö", "\u20ac", "\b", "N", ".", " "]
    texts = [None if chance.random() < 0.1 else "".join(chance.choices(letters, k=chance.randrange(9)))
             for _ in range(500)]  # fmt: skip
    who.execute("CREATE TEMP TABLE s (n INTEGER, b VARCHAR)")
    who.execute("CREATE TEMP TABLE t (n INTEGER, b VARCHAR)")
    with who.cursor().copy("COPY s FROM STDIN") as sink:
        for row in enumerate(texts):
            sink.write_row(row)
    expected = list(enumerate(texts))
    assert who.execute("SELECT * FROM s ORDER BY n").fetchall() == expected
    for options in ("", "(DELIMITER '|')", "CSV", "(FORMAT csv, ESCAPE '\\', NULL 'N', QUOTE '''')", "CSV HEADER"):
        data, tag = copied(who, f"COPY s TO STDOUT {options}")
        who.execute("DELETE FROM t")
        with who.cursor().copy(f"COPY t FROM STDIN {options}") as sink:
            sink.write(data)
        assert (tag, who.execute("SELECT * FROM t ORDER BY n").fetchall()) == ("COPY 500", expected), options
    read = list(csv.reader(io.StringIO(copied(who, "COPY s TO STDOUT CSV")[0].decode(), newline="")))
    assert [text for _, text in read] == [text or "" for text in texts]


def test_each_row_comes_as_a_message_of_its_own(who):
    with who.cursor().copy("COPY (SELECT i, 'row ' || i FROM range(10000) r(i)) TO STDOUT") as source:
        source.set_types(["int8", "text"])
        assert list(source.rows()) == [(i, f"row {i}") for i in range(10_000)]


def test_large_rows_and_many_of_them_come_whole(who):
    data, tag = copied(who, "COPY (SELECT i, repeat('\\', 300000) FROM range(100) r(i)) TO STDOUT")
    assert (tag, len(data)) == ("COPY 100", sum(len(str(i)) + 600_002 for i in range(100)))


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("COPY nothing_here TO STDOUT", errors.UndefinedTable),
        ("COPY (SELECT nope) TO STDOUT", errors.UndefinedColumn),
        ("COPY (SELECT 1) TO STDOUT (FORMAT csv, FORCE_QUOTE (nope))", errors.InvalidParameterValue),
        ("COPY (SELECT 1) TO STDOUT (FORMAT csv, HEADER match)", errors.InvalidParameterValue),
        ("COPY (SELECT 1) TO STDOUT (QUOTE 'x')", errors.InvalidParameterValue),
        ("COPY (SELECT 1) TO STDOUT (FORCE_NULL (a))", errors.FeatureNotSupported),
        ("COPY (CREATE TEMP TABLE x (a INT)) TO STDOUT", errors.FeatureNotSupported),
        ("COPY (UPDATE t SET a = 1) TO STDOUT", errors.FeatureNotSupported),
        ("COPY () TO STDOUT", errors.SyntaxError),
        ("COPY (SELECT 1 TO STDOUT", errors.SyntaxError),
        ("COPY (SELECT 1) TO PROGRAM 'x'", errors.FeatureNotSupported),
    ],
)
def test_what_cannot_work_is_refused(who, sql, error):
    with pytest.raises(error), who.cursor().copy(sql):
        pass
    assert who.execute("SELECT 1").fetchall() == [(1,)]


def test_an_error_in_the_middle_ends_the_copy_and_the_session_goes_on(who):
    late = "COPY (SELECT CASE WHEN i = 900000 THEN error('late') ELSE i END FROM range(1000000) r(i)) TO STDOUT"
    with pytest.raises(psycopg.Error, match="late"):
        copied(who, late)
    assert who.execute("SELECT 1").fetchall() == [(1,)]


def test_a_copy_can_be_cancelled_in_the_middle(who):
    def cancels():
        with who.cursor().copy("COPY (SELECT i, repeat('x', 100) FROM range(100000000) r(i)) TO STDOUT") as source:
            for count, _ in enumerate(source):
                if count == 1000:
                    who.cancel_safe()

    with pytest.raises(errors.QueryCanceled):
        cancels()
    assert who.execute("SELECT 1").fetchall() == [(1,)]


def test_a_user_copies_out_only_what_they_may_read(gateway):
    with gateway.connect() as admin:
        admin.execute("CREATE TABLE kept_from_copy AS SELECT 1 AS a")
        admin.execute("CREATE USER copier PASSWORD 'copies'")
    with gateway.connect("copier", "copies") as other, pytest.raises(errors.UndefinedTable):
        copied(other, "COPY kept_from_copy TO STDOUT")


def test_the_extended_protocol_copies_out(gateway):
    with RawClient(gateway.address) as client:
        client.start_tls()
        client.login("fairlead", gateway.password, database="main")
        statement = "COPY (SELECT i FROM range(3) r(i)) TO STDOUT"
        client.send(raw.parse("", statement), raw.describe("S", ""), raw.bind("", ""), raw.describe("P", ""))
        client.send(raw.execute("", 2), raw.SYNC)
        answer = client.read_until()
        assert "".join(tag for tag, _ in answer) == "1tn2nHdddcCZ"
        assert answer[5][1] == b"\0\0\1\0\0"
        client.send(raw.query(f"{statement}; SELECT 1; COPY (SELECT 1/0::INT, error('x')) TO STDOUT; SELECT 2"))
        answer = client.read_until()
        assert "".join(tag for tag, _ in answer) == "HdddcCTDCEZ"
        assert "x" in fields(answer[-2][1])["M"]


def test_psql_copies_into_a_file(gateway, tmp_path):
    program = require_service("psql")
    host, port = gateway.address
    target = f"host={host} port={port} user=fairlead dbname=main sslmode=require"
    done = subprocess.run(
        [
            *(str(program), "-X", "-A", "-t", "-d", target),
            *("-c", f"\\copy (select 1 as a, 'x,y' as b) to '{tmp_path}/rows.csv' csv header"),
            *("-c", "\\copy (select 1 as a, 'x') to stdout"),
        ],
        env={"PATH": os.environ["PATH"], "PGPASSWORD": gateway.password},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stdout.splitlines(), done.stderr) == (["COPY 1", "1\tx"], "")
    assert (tmp_path / "rows.csv").read_text() == 'a,b\n1,"x,y"\n'
