"""What an export costs: SELECT ... INTO LINK beside bare DuckDB's COPY of the same rows to the same store."""

from __future__ import annotations

import json
import statistics
import time
from contextlib import closing
from typing import TYPE_CHECKING

from bench.places import object_store, running_gateway
from bench.row import Row
from bench.stage_scan import bare

if TYPE_CHECKING:
    import duckdb
    import psycopg

    from tests.services.s3 import S3Server

ROWS = 3_000_000
SAMPLES = 5
_MAKE = f"""CREATE TEMP TABLE t AS SELECT i AS id, (hash(i) % 1000000)::BIGINT AS customer,
    TIMESTAMP '2024-01-01' + INTERVAL (i) SECOND AS placed, i * 7 % 1000 / 10.0 AS amount,
    md5(i::VARCHAR)[:20] AS note FROM range({ROWS}) t(i)"""
# What is measured: the options of INTO LINK, the path, the options of the bare COPY, limit, goal.
_EXPORTS = {
    "Parquet, one file": ("FORMAT PARQUET", "one", "FORMAT parquet", 1.5, 1.1),
    "Parquet, a folder": ("FORMAT PARQUET", "dir/", "FORMAT parquet, PER_THREAD_OUTPUT", 1.5, 1.1),
    "CSV, one file": ("", "one", "FORMAT csv, HEADER false, DELIMITER '\t'", 2.0, 1.5),
}


def run() -> list[Row]:
    """Measure each form through a link and bare, in turns."""
    with object_store() as store, running_gateway() as gateway, gateway.connect() as client:
        bucket = store.bucket("bench")
        key = store.key
        credentials = {"aws_access_key_id": key.access_key_id, "aws_secret_access_key": key.secret_access_key}
        config = {"region": store.region, "endpoint_url": store.endpoint}
        client.execute(
            f"CREATE LINK lake AS S3 CREDENTIALS '{json.dumps(credentials)}' CONFIG '{json.dumps(config)}'"  # type: ignore[arg-type]
        )
        client.execute(_MAKE)  # type: ignore[arg-type]
        with closing(bare(store)) as connection:
            connection.execute(_MAKE)
            return [_compared(name, client, connection, store, bucket) for name in _EXPORTS]


def _compared(
    name: str,
    client: psycopg.Connection[tuple[object, ...]],
    connection: duckdb.DuckDBPyConnection,
    store: S3Server,
    bucket: str,
) -> Row:
    options, path, copied, limit, goal = _EXPORTS[name]
    through: list[float] = []
    plain: list[float] = []
    size = 0
    for sample in range(SAMPLES + 1):
        started = time.perf_counter()
        client.execute(f"SELECT * FROM t INTO LINK lake '{bucket}/{sample}-{path}' {options}")  # type: ignore[arg-type]
        taken = time.perf_counter() - started
        started = time.perf_counter()
        connection.execute(f"COPY t TO 's3://{bucket}/bare-{sample}-{path.rstrip('/')}' ({copied})")
        taken_bare = time.perf_counter() - started
        size = _empty(store, bucket)
        if sample:  # the first is warm-up
            through.append(taken)
            plain.append(taken_bare)
    median = statistics.median(through)
    return Row(
        f"export of {ROWS / 1e6:.0f} M rows, {name}: {size / median / 1e6:.0f} MB/s",
        median,
        "s",
        baseline=statistics.median(plain),
        against="bare COPY",
        limit=limit,
        goal=goal,
        samples=SAMPLES,
    )


def _empty(store: S3Server, bucket: str) -> int:
    """Remove everything, and return how many bytes the export through the link had."""
    client = store.client()
    listed = client.list_objects_v2(Bucket=bucket).get("Contents", [])
    for entry in listed:
        client.delete_object(Bucket=bucket, Key=entry["Key"])
    return sum(entry["Size"] for entry in listed if not entry["Key"].startswith("bare-"))
