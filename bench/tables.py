"""What native tables cost: scans beside bare DuckDB on the very same Parquet files, inserts beside a bare DuckLake.

The bare DuckLake runs in this process, with the same kind of catalog (SQLite) and the same options, and checks no
right; its figure for one client is the baseline for several clients too.
"""

from __future__ import annotations

import itertools
import sqlite3
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import duckdb

from bench.places import running_gateway
from bench.row import Row, alternate
from fairlead.config import WorkerSettings
from fairlead.engine.zygote import extension_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.services.gateway import Gateway

MILLISECONDS = 1000.0
COLUMNS = """i AS id, (hash(i) % 1000000)::BIGINT AS customer, TIMESTAMP '2024-01-01' + INTERVAL (i) SECOND AS placed,
    (hash(i + 1) % 100000) / 4 AS amount, md5(i::VARCHAR)[:20] AS note"""
QUERIES = {
    "count": "SELECT count(*) FROM {place}",
    "sum of one column": "SELECT sum(amount) FROM {place}",
    "aggregates of all columns": "SELECT count(id), sum(customer), max(placed), sum(amount), max(note) FROM {place}",
    "group by": "SELECT customer % 1000 AS g, count(*), avg(amount) FROM {place} GROUP BY g ORDER BY g",
    "filter": "SELECT count(*), sum(amount) FROM {place} WHERE customer < 20000 AND note LIKE '%ab%'",
}
_serial = itertools.count().__next__


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured; the defaults are those of the figures that are told.

    Args:
        rows: of the table that is scanned.
        chunk: of them that one INSERT brings.
        samples: of each figure.
        singles: inserts of one row, for one client.
        batches: rows of the larger inserts.
        clients: how many write at once.
        together: inserts of one row by all clients together.
    """

    rows: int = 10_000_000
    chunk: int = 1_000_000
    samples: int = 9
    singles: int = 50
    batches: tuple[int, ...] = (1_000, 100_000)
    clients: tuple[int, ...] = (1, 4, 16)
    together: int = 96


def run(sizes: Sizes | None = None) -> list[Row]:
    """Measure against one gateway that nobody else uses."""
    sizes = sizes or Sizes()
    with running_gateway() as gateway, tempfile.TemporaryDirectory(prefix="fairlead-bench-") as folder:
        scans = _scans(gateway, sizes)
        with closing(bare_lake(Path(folder))) as lake:
            return [*scans, *_inserts(gateway, lake, Path(folder), sizes), *_clients(gateway, lake, sizes)]


# --- scans -----------------------------------------------------------------------------------------------------------


def _scans(gateway: Gateway, sizes: Sizes) -> list[Row]:
    with gateway.connect() as client, closing(duckdb.connect(config={"threads": WorkerSettings().threads})) as bare:
        client.execute(f"CREATE TABLE big AS SELECT {COLUMNS} FROM range(0) t(i)".encode())
        for first in range(0, sizes.rows, sizes.chunk):
            last = min(first + sizes.chunk, sizes.rows)
            client.execute(f"INSERT INTO big SELECT {COLUMNS} FROM range({first}, {last}) t(i)".encode())
        bare.execute(f"CREATE VIEW big AS SELECT * FROM read_parquet({[str(file) for file in _files(gateway)]})")
        rows = []
        for name, query in QUERIES.items():
            sql = query.format(place="big")
            through, plain = client.execute(sql.encode()).fetchall(), bare.execute(sql).fetchall()
            assert through == plain, f"{name}: the two do not read the same rows"
            median, baseline = alternate(
                lambda sql=sql: client.execute(sql.encode()).fetchall(),  # type: ignore[misc]
                lambda sql=sql: bare.execute(sql).fetchall(),  # type: ignore[misc]
                samples=sizes.samples,
            )
            rows.append(_row(f"{name} of a table", median, baseline, sizes.samples, "bare DuckDB", goal=1.1))
        return rows


def _files(gateway: Gateway) -> list[Path]:
    """Return the data files of the one table that there is."""
    (catalog,) = gateway.data.glob("lake/*/catalog.sqlite")
    with closing(sqlite3.connect(f"file:{catalog}?mode=ro", uri=True)) as connection:
        live = connection.execute("SELECT path FROM ducklake_data_file WHERE end_snapshot IS NULL").fetchall()
    names = {PurePosixPath(path).name for (path,) in live}
    return [file for file in (catalog.parent / "files").rglob("*.parquet") if file.name in names]


# --- inserts by one client -------------------------------------------------------------------------------------------


def bare_lake(folder: Path) -> duckdb.DuckDBPyConnection:
    """Return DuckDB with a lake attached and chosen, its files in a folder."""
    config = {"allow_unsigned_extensions": "true", "threads": WorkerSettings().threads}
    connection = duckdb.connect(config=config)
    for name, path in extension_files().items():
        if name != "httpfs":
            connection.execute(f"LOAD '{path}'")
    connection.execute(
        f"""ATTACH 'ducklake:sqlite:{folder}/catalog.sqlite' AS lake (DATA_PATH '{folder}/files/',
            META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 10000, DATA_INLINING_ROW_LIMIT 100)"""
    )
    connection.execute("USE lake")
    return connection


def _inserts(gateway: Gateway, lake: duckdb.DuckDBPyConnection, folder: Path, sizes: Sizes) -> list[Row]:
    with gateway.connect() as client:
        for one in (client, lake):
            one.execute("CREATE TABLE rows (id BIGINT, amount DOUBLE, note VARCHAR)")

        def both(sql: str) -> tuple[Callable[[], object], Callable[[], object]]:
            return lambda: client.execute(sql.encode()), lambda: lake.execute(sql)

        through, plain = both("INSERT INTO rows VALUES (1, 1.5, 'a note')")
        median, baseline = alternate(through, plain, samples=sizes.singles, warm=3)
        rows = [_row("insert of 1 row", median, baseline, sizes.singles, "bare DuckLake")]
        for count in sizes.batches:
            through, plain = both(f"INSERT INTO rows SELECT i, i / 2, 'note ' || i FROM range({count}) t(i)")
            median, baseline = alternate(through, plain, samples=sizes.samples)
            rows.append(_row(f"insert of {count:,} rows", median, baseline, sizes.samples, "bare DuckLake"))
            text = "".join(f"{i}\t{i / 2}\tnote {i}\n" for i in range(count))
            file = folder / f"{count}.tsv"
            file.write_text(text)

            def copy(text: str = text) -> None:
                with client.cursor() as cursor, cursor.copy("COPY rows FROM STDIN") as sink:
                    sink.write(text)

            options = "delim = '\t', header = false, columns = {'id': 'BIGINT', 'amount': 'DOUBLE', 'note': 'VARCHAR'}"
            _, plain = both(f"INSERT INTO rows FROM read_csv('{file}', {options})")
            median, baseline = alternate(copy, plain, samples=sizes.samples)
            rows.append(_row(f"COPY of {count:,} rows", median, baseline, sizes.samples, "bare, from a file"))
        same = [one.execute("SELECT count(*), sum(id) FROM rows").fetchall() for one in (client, lake)]
        assert same[0] == same[1], "the two do not hold the same rows"
        return rows


# --- inserts by several clients --------------------------------------------------------------------------------------


def _clients(gateway: Gateway, lake: duckdb.DuckDBPyConnection, sizes: Sizes) -> list[Row]:
    baseline = statistics.median(_alone(lake, sizes.together) for _ in range(3))
    rows = []
    for count in sizes.clients:
        taken = statistics.median(_together(gateway, count, sizes.together) for _ in range(3))
        what = f"insert of 1 row, {count} client{'s' if count > 1 else ''}, per row"
        rows.append(_row(what, taken, baseline, 3, "bare DuckLake, one client"))
    return rows


def _alone(lake: duckdb.DuckDBPyConnection, inserts: int) -> float:
    table = f"alone_{_serial()}"
    lake.execute(f"CREATE TABLE {table} (client INTEGER, n INTEGER)")
    started = time.perf_counter()
    for n in range(inserts):
        lake.execute(f"INSERT INTO {table} VALUES (0, {n})")
    return (time.perf_counter() - started) / inserts


def _together(gateway: Gateway, clients: int, inserts: int) -> float:
    """Return the seconds that an insert takes when so many clients insert as fast as they can."""
    table, each = f"together_{_serial()}", inserts // clients
    with gateway.connect() as admin:
        admin.execute(f"CREATE TABLE {table} (client INTEGER, n INTEGER)".encode())
        start = threading.Barrier(clients + 1)

        def insert(number: int) -> None:
            with gateway.connect() as client:
                client.execute("SELECT 1")
                start.wait(60)
                for n in range(each):
                    client.execute(f"INSERT INTO {table} VALUES ({number}, {n})".encode())

        with ThreadPoolExecutor(clients) as pool:
            working = [pool.submit(insert, number) for number in range(clients)]
            start.wait(60)
            started = time.perf_counter()
            for one in working:
                one.result()
            taken = time.perf_counter() - started
        (found,) = admin.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()
        assert found == (clients * each,), "rows are missing"
    return taken / (clients * each)


def _row(what: str, median: float, baseline: float, samples: int, against: str, *, goal: float | None = None) -> Row:
    return Row(
        what,
        median * MILLISECONDS,
        "ms",
        baseline=baseline * MILLISECONDS,
        against=against,
        goal=goal,
        samples=samples,
    )
