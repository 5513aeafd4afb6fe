"""COPY in PostgreSQL's binary format, out and in, and the drivers that use it."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import ssl
import struct
import uuid
from decimal import Decimal

import asyncpg
import pytest
from psycopg import errors

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COLUMNS = (
    "a BIGINT, b INTEGER, c SMALLINT, d VARCHAR, e BLOB, f DOUBLE, g FLOAT, h BOOLEAN, i DATE, j TIMESTAMP,"
    " k TIMESTAMPTZ, l TIME, m DECIMAL(18, 4), n UUID, o JSON, p INTERVAL"
)
TYPES = [
    *("int8", "int4", "int2", "text", "bytea", "float8", "float4", "bool", "date", "timestamp", "timestamptz", "time"),
    *("numeric", "uuid", "json", "interval"),
]


@pytest.fixture
def who(gateway):
    with gateway.connect() as connection:
        connection.execute(f"CREATE TEMP TABLE s ({COLUMNS})")
        connection.execute(f"CREATE TEMP TABLE t ({COLUMNS})")
        connection.execute("CREATE TEMP TABLE one (a INTEGER)")
        yield connection


def out(who, sql):
    with who.cursor().copy(f"COPY {sql} TO STDOUT (FORMAT binary)") as source:
        return b"".join(bytes(piece) for piece in source)


def take(who, table, data):
    cursor = who.cursor()
    with cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)") as sink:
        sink.write(data)
    return cursor.statusmessage


def row(chance):
    moment = dt.datetime(2026, 2, 3, 4, 5, 6, chance.randrange(10**6))  # noqa: DTZ001  # TIMESTAMP has no zone
    return (
        chance.randrange(-(2**63), 2**63), chance.randrange(-(2**31), 2**31), chance.randrange(-(2**15), 2**15),
        "".join(chance.choices("aö\u20ac\n\t\\", k=chance.randrange(9))), chance.randbytes(chance.randrange(9)),
        chance.choice([0.1, -1e300, float("inf")]), chance.choice([0.5, -2.0]), chance.random() < 0.5,
        dt.date(1900 + chance.randrange(200), 1, 2), moment, moment.replace(tzinfo=dt.UTC), moment.time(),
        Decimal(chance.randrange(-(10**17), 10**17)) / 10_000, uuid.UUID(int=chance.getrandbits(128)),
        chance.choice(["[1, 2]", '{"a": null}']), dt.timedelta(days=chance.randrange(99), microseconds=7),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_every_type_goes_in_and_comes_out(who, seed):
    chance = random.Random(seed)
    sent = [tuple(None if chance.random() < 0.1 else value for value in row(chance)) for _ in range(300)]
    cursor = who.cursor()
    with cursor.copy("COPY s FROM STDIN (FORMAT binary)") as sink:
        sink.set_types(TYPES)
        for one in sent:
            sink.write_row(one)
    assert cursor.statusmessage == "COPY 300"
    found = who.execute("SELECT * FROM s", binary=True).fetchall()
    assert [(*one[:14], one[15]) for one in found] == [(*one[:14], one[15]) for one in sent]
    assert take(who, "t", out(who, "s")) == "COPY 300"
    same = "SELECT (SELECT count(*) FROM (FROM s EXCEPT ALL FROM t)), (SELECT count(*) FROM (FROM t EXCEPT ALL FROM s))"
    assert who.execute(same).fetchone() == (0, 0)


def test_times_without_end_stay_without_end(who):
    who.execute("INSERT INTO s (i, j) VALUES ('infinity', '-infinity'), ('-infinity', 'infinity')")
    take(who, "t", out(who, "s"))
    assert who.execute("SELECT i::VARCHAR, j::VARCHAR FROM t ORDER BY i").fetchall() == [
        ("-infinity", "infinity"),
        ("infinity", "-infinity"),
    ]


def test_nothing_is_a_signature_and_a_trailer_in_one_message(who):
    assert out(who, "s") == SIGNATURE + b"\xff\xff"
    assert take(who, "one", SIGNATURE + b"\xff\xff") == "COPY 0"
    assert take(who, "one", out(who, "(SELECT i::INTEGER FROM range(40000) r(i))")) == "COPY 40000"
    assert who.execute("SELECT sum(a) FROM one").fetchone() == (40_000 * 39_999 // 2,)


def field(value):
    return struct.pack("!i", len(value)) + value


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "signature"),
        (b"not the format at all", "signature"),
        (SIGNATURE[:15], "signature"),
        (SIGNATURE[:11] + struct.pack("!Ii", 1 << 16, 0), "OIDS"),
        (SIGNATURE, "line 1: unexpected EOF"),
        (SIGNATURE + b"\0\1" + field(b"\0\0\0\1"), "line 2: unexpected EOF"),
        (SIGNATURE + b"\0\2" + field(b"x") * 2, "row field count is 2, expected 1"),
        (SIGNATURE + b"\0\1" + struct.pack("!i", 2**31 - 1), "invalid field size"),
        (SIGNATURE + b"\0\1" + struct.pack("!i", -7), "invalid field size"),
        (SIGNATURE + b"\0\1" + field(b"\1") + b"\xff\xff", "column 1: incorrect binary data format"),
        (SIGNATURE + b"\xff\xff" + b"more", "after EOF marker"),
    ],
)
def test_what_is_not_the_format_is_refused_and_nothing_is_loaded(who, data, message):
    with pytest.raises(errors.BadCopyFileFormat, match=message) as refused:
        take(who, "one", data)
    assert refused.value.diag.context == "COPY one"
    assert who.execute("SELECT count(*) FROM one").fetchone() == (0,)


@pytest.mark.parametrize("seed", range(8))
def test_random_data_are_refused_and_the_session_goes_on(who, seed):
    chance = random.Random(seed)
    whole = bytearray(out(who, "(SELECT i::INTEGER FROM range(50) r(i))"))
    for _ in range(5):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(SIGNATURE) if chance.random() < 0.9 else 0, len(data))] = chance.randrange(256)
        try:
            take(who, "one", bytes(data[: chance.choice((len(data), chance.randrange(len(data))))]))
        except errors.BadCopyFileFormat:
            continue
    assert who.execute("SELECT 1").fetchone() == (1,)


def test_a_column_that_has_no_binary_form_is_refused(who):
    who.execute("CREATE TEMP TABLE nested (a STRUCT(b INTEGER), c INTEGER[])")
    with pytest.raises(errors.FeatureNotSupported, match="type INTEGER\\[\\]"):
        take(who, "nested (c)", SIGNATURE + b"\xff\xff")


def test_asyncpg_copies_records_and_queries(gateway, tmp_path):
    host, port = gateway.address

    async def run():
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        who = await asyncpg.connect(
            host=host, port=port, user="fairlead", password=gateway.password, database="main", ssl=context
        )
        try:
            await who.execute("CREATE TEMP TABLE r (a BIGINT, b VARCHAR, c TIMESTAMP)")
            moment = dt.datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001  # TIMESTAMP has no zone
            records = [(number, f"row {number}", moment) for number in range(5000)]
            told = await who.copy_records_to_table("r", records=records)
            await who.copy_from_query("SELECT a, b FROM r WHERE a < 3", output=tmp_path / "out", format="csv")
            await who.copy_from_table("r", columns=["a"], output=tmp_path / "all", format="binary")
            return told, await who.fetchval("SELECT sum(a) FROM r")
        finally:
            await who.close()

    assert asyncio.run(run()) == ("COPY 5000", 5000 * 4999 // 2)
    assert (tmp_path / "out").read_text() == "0,row 0\n1,row 1\n2,row 2\n"
    assert len((tmp_path / "all").read_bytes()) == len(SIGNATURE) + 2 + 5000 * (2 + 4 + 8)
