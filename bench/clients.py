"""A million rows to the clients that people use, and the smallest statement, beside a PostgreSQL on the same machine.

Both servers hold the same rows in a table, both are reached over TLS on the loopback address, and they take turns. The
clients run in a process of their own, so that nothing of one run is left for the next.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import psycopg

from bench.places import running_gateway
from bench.row import Row
from tests.services.certificates import Authority
from tests.services.postgres import Postgres, programs

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 1_000_000
SAMPLES = 3
SMALL = 3000
MILLISECONDS = 1000.0
GOAL = 1 / 0.75
_TABLE = """
    CREATE TABLE bench_rows AS SELECT
        i::INTEGER AS a, i::BIGINT * 7919 AS b, CASE WHEN i % 10 = 0 THEN NULL ELSE (i % 1000)::INTEGER END AS c,
        i / 7.0::DOUBLE PRECISION AS d, (i % 100) * 0.25::DOUBLE PRECISION AS e,
        'name number ' || i AS f, CASE WHEN i % 7 = 0 THEN NULL ELSE 'word' || (i % 50) END AS g,
        TIMESTAMP '2020-01-01 00:00:00' + i * INTERVAL '1 second' AS h,
        (i * 0.01)::DECIMAL(12, 2) AS k, i % 3 = 0 AS l
    FROM {series} AS t(i)
"""
_QUERY = "SELECT * FROM bench_rows"


@dataclass(frozen=True, slots=True)
class Place:
    """A server, and the settings of libpq that lead there."""

    name: str
    host: str
    port: int
    user: str
    password: str
    database: str


def run() -> list[Row]:
    """Measure every client against the gateway, and against PostgreSQL where there is one."""
    with running_gateway() as gateway, _postgres() as other:
        host, port = gateway.address
        ours = Place("fairlead", host, port, "fairlead", gateway.password, "main")
        with gateway.connect() as connection:
            connection.execute(_TABLE.format(series=f"range({ROWS})"))
        rows = []
        for what in CLIENTS:
            rows += _held_against(f"{ROWS // 1000}k rows x 10 to {what}", what, ours, other, samples=SAMPLES)
        rows += _held_against("SELECT 1 by psycopg", "select 1", ours, other, samples=SAMPLES)
        if other is None:
            rows = [
                Row(f"{row.what} (no PostgreSQL here: apt-get install postgresql-15)", row.median, row.unit)
                for row in rows
            ]
        return rows


@contextmanager
def _postgres() -> Iterator[Place | None]:
    found = programs()
    if found is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as folder:
        server = Postgres(found, Path(folder), Authority(Path(folder)).leaf("server"))
        try:
            server.start()
            with server.connect() as connection:
                connection.execute(_TABLE.format(series=f"generate_series(0, {ROWS - 1})"))
                connection.execute("VACUUM ANALYZE bench_rows")
            yield Place("PostgreSQL", "127.0.0.1", server.port, "admin", "", "postgres")
        finally:
            server.end()


def _held_against(what: str, client: str, ours: Place, other: Place | None, *, samples: int) -> list[Row]:
    taken: dict[str, list[float]] = {}
    for _ in range(samples):
        for place in (ours, other):
            if place is not None:
                taken.setdefault(place.name, []).append(_once(client, place))
    mine = statistics.median(taken[ours.name])
    unit, factor = ("ms", MILLISECONDS) if client == "select 1" else ("s", 1.0)
    if other is None:
        return [Row(what, mine * factor, unit, samples=samples)]
    theirs = statistics.median(taken[other.name])
    return [
        Row(what, mine * factor, unit, theirs * factor, other.name, goal=GOAL if unit == "s" else None, samples=samples)
    ]


def _once(client: str, place: Place) -> float:
    """Run one client in a process of its own and return its seconds, without those that its start takes."""
    environment = {
        "PATH": os.environ["PATH"], "PGHOST": place.host, "PGPORT": str(place.port), "PGUSER": place.user,
        "PGPASSWORD": place.password, "PGDATABASE": place.database, "PGSSLMODE": "require",
    }  # fmt: skip
    answer = subprocess.run(
        [sys.executable, "-m", "bench.clients", client],
        check=True, capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    return float(json.loads(answer.stdout)["seconds"])


# --- in a process of its own -------------------------------------------------------------------------------------


def _by_psql() -> float:
    """Time what psql says that the query took: it reads and prints every row."""
    psql = shutil.which("psql")
    assert psql is not None, "psql is not installed"
    script = f"\\timing on\n\\o /dev/null\nSELECT 1;\n{_QUERY};\n"
    answer = subprocess.run(
        [psql, "-X", "-q", "-A", "-t"], input=script, check=True, capture_output=True, text=True, env=dict(os.environ)
    )
    times = [line.split()[1] for line in answer.stdout.splitlines() if line.startswith("Time:")]
    return float(times[-1]) / MILLISECONDS


def _by_psycopg(*, binary: bool) -> float:
    with psycopg.connect(autocommit=True) as connection, connection.cursor(binary=binary) as cursor:
        cursor.execute("SELECT 1")
        started = time.perf_counter()
        cursor.execute(_QUERY)
        count = sum(1 for _ in cursor)
        taken = time.perf_counter() - started
    assert count == ROWS
    return taken


def _by_asyncpg() -> float:
    async def body() -> float:
        connection = await asyncpg.connect(ssl="require")
        await connection.fetch("SELECT 1")
        started = time.perf_counter()
        rows = await connection.fetch(_QUERY)
        taken = time.perf_counter() - started
        assert len(rows) == ROWS
        await connection.close()
        return taken

    return asyncio.run(body())


def _smallest() -> float:
    with psycopg.connect(autocommit=True) as connection:
        for _ in range(100):
            connection.execute("SELECT 1").fetchone()
        started = time.perf_counter()
        for _ in range(SMALL):
            connection.execute("SELECT 1").fetchone()
        return (time.perf_counter() - started) / SMALL


CLIENTS = {
    "psql": _by_psql,
    "psycopg in text": lambda: _by_psycopg(binary=False),
    "psycopg in binary": lambda: _by_psycopg(binary=True),
    "asyncpg": _by_asyncpg,
}

if __name__ == "__main__":
    measured = {**CLIENTS, "select 1": _smallest}[sys.argv[1]]()
    json.dump({"seconds": measured}, sys.stdout)
