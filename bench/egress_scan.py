"""What the store proxy costs: scans of one Parquet file through it over the same scans with bare httpfs.

Starts a MinIO (``FAIRLEAD_TEST_MINIO`` or the PATH), writes the file to it with DuckDB, then runs each query in turn
over both ways, in one DuckDB process of its own, so that both see the same machine. Prints medians and ratios of this
one run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import duckdb_extension_httpfs

from fairlead.access.rules import READING, Rule
from fairlead.config import EgressSettings
from fairlead.connectors.store import S3Target
from fairlead.context import Context, Principal
from fairlead.egress.door import Door, ResolvedTarget
from fairlead.egress.egress import Egress
from fairlead.sensitive import Sensitive

URL = "s3://bench/raw/scan.parquet"
KEY, SECRET = "benchroot", "benchsecret"
QUERIES = {
    "full scan": f"SELECT count(id), sum(customer), max(placed), sum(amount), max(note) FROM '{URL}' WHERE amount >= 0",
    "one column": f"SELECT sum(amount) FROM '{URL}'",
    "point read": f"SELECT * FROM '{URL}' WHERE id = 5000000",
}
MAKE = """
    COPY (SELECT i AS id, (hash(i) % 1000000)::BIGINT AS customer,
                 TIMESTAMP '2024-01-01' + INTERVAL (i) SECOND AS placed, random() * 1000 AS amount,
                 md5(i::VARCHAR)[:14] AS note
          FROM range({rows}) t(i)) TO '{url}' (FORMAT parquet)
"""


class NoLedger:
    """Counts instead of writing, so that only the proxy is measured."""

    def begin(self, _context: Context, **_: Any) -> int:
        """Take a row."""
        return 1

    def finish(self, _use_id: int, **_: Any) -> None:
        """Take its account."""

    def refused(self, _context: Context, **_: Any) -> None:
        """Fail: nothing is refused here."""
        raise AssertionError


def connect(port: int, key: str, secret: str, threads: int) -> duckdb.DuckDBPyConnection:
    """Return a connection as a worker has it."""
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": threads})
    folder = Path(duckdb_extension_httpfs.__file__).parent
    (extension,) = folder.glob("extensions/*/httpfs.duckdb_extension")
    connection.execute(f"LOAD '{extension}'")
    connection.execute("SET httpfs_client_implementation = 'httplib'; SET enable_external_file_cache = false")
    connection.execute(
        "CREATE SECRET s"
        " (TYPE s3, KEY_ID ?, SECRET ?, ENDPOINT ?, REGION 'us-east-1', URL_STYLE 'path', USE_SSL false)",
        [key, secret, f"127.0.0.1:{port}"],
    )
    return connection


def client() -> None:
    """Run the queries of standard input in turn over all ways; the other end of ``measure``."""
    task = json.load(sys.stdin)
    ways = {way: connect(*args, task["threads"]) for way, args in task["ways"].items()}
    times: dict[str, dict[str, list[float]]] = {name: {way: [] for way in ways} for name in QUERIES}
    for name, query in QUERIES.items():
        for run in range(task["runs"] + 1):
            for way, connection in ways.items():
                start = time.perf_counter()
                connection.execute(query).fetchall()
                if run:
                    times[name][way].append(time.perf_counter() - start)
    json.dump(times, sys.stdout)


def free_port() -> int:
    """Return a free TCP port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def start_store(folder: str, port: int) -> subprocess.Popen[bytes]:
    """Start MinIO with a bucket ``bench``."""
    program = os.environ.get("FAIRLEAD_TEST_MINIO") or shutil.which("minio")
    if program is None:
        sys.exit("no minio: set FAIRLEAD_TEST_MINIO")
    (Path(folder) / "bench").mkdir()
    environment = {"MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": SECRET, "MINIO_BROWSER": "off", "HOME": folder}
    command = [program, "server", folder, "--address", f"127.0.0.1:{port}", "--quiet"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def write_file(port: int, rows: int) -> None:
    """Write the Parquet file, as soon as the store answers."""
    connection = connect(port, KEY, SECRET, 2)
    deadline = time.monotonic() + 30
    while True:
        try:
            connection.execute(MAKE.format(rows=rows, url=URL))
        except duckdb.Error:
            if time.monotonic() > deadline:
                raise
        else:
            return


def open_egress(port: int) -> tuple[Egress, int]:
    """Return an egress with one open door and the port of its proxy."""
    principal = Principal(1, "bench", frozenset({1}), is_superuser=False)
    rule = Rule(7, "bench", "raw/", READING, "stage main.public.raw", "main.public.lake")
    target = S3Target(f"http://127.0.0.1:{port}", "us-east-1", Sensitive(KEY), Sensitive(SECRET), None, path_style=True)
    egress = Egress(
        rules=lambda _: (rule,),
        target=lambda _: ResolvedTarget(target, "main.public.bench", "1"),
        version=lambda _: "1",
        ledger=NoLedger(),
        settings=EgressSettings(),
    )
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    egress.serve(listener)
    context = Context("session", "statement", principal)
    egress.open_door(Door("DUMMYKEY", Sensitive("dummysecret"), lambda: principal, lambda: context))
    egress.statement_begin("DUMMYKEY")
    return egress, int(listener.getsockname()[1])


def report(times: dict[str, dict[str, list[float]]]) -> None:
    """Print the table."""
    print(f"{'':12}{'direct ms':>12}{'proxy ms':>12}{'ratio':>8}")
    for name, ways in times.items():
        direct, proxy = (statistics.median(ways[way]) * 1000 for way in ("direct", "proxy"))
        print(f"{name:12}{direct:12.1f}{proxy:12.1f}{proxy / direct:8.2f}")


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2, help="of DuckDB")
    parser.add_argument("--client", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.client:
        client()
        return
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        store = start_store(folder, port)
        try:
            write_file(port, arguments.rows)
            egress, proxy_port = open_egress(port)
            task = {
                "ways": {"direct": [port, KEY, SECRET], "proxy": [proxy_port, "DUMMYKEY", "dummysecret"]},
                "runs": arguments.runs,
                "threads": arguments.threads,
            }
            command = [sys.executable, __file__, "--client"]
            before = time.process_time()
            done = subprocess.run(command, input=json.dumps(task), capture_output=True, text=True, check=True)
            report(json.loads(done.stdout))
            spent = time.process_time() - before
            use = egress.statement_end("DUMMYKEY", "ok")
            per_gigabyte = spent / use.bytes_read * 1e12
            print(f"{use.requests} requests, {use.bytes_read / 1e6:.0f} MB, CPU {per_gigabyte:.0f} ms per GB")
            egress.stop()
        finally:
            store.terminate()
            store.wait()


if __name__ == "__main__":
    main()
