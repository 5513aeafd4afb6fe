"""What a query through the whole gateway costs: scans of a stage with psycopg over bare httpfs on the same object.

Every sample runs in a fresh session of the gateway, and in a fresh bare instance, so that no file cache helps either.
"""

from __future__ import annotations

import statistics
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import duckdb_extension_httpfs

from bench.places import object_store, running_gateway
from bench.row import Row

if TYPE_CHECKING:
    from tests.services.gateway import Gateway
    from tests.services.s3 import S3Server

ROWS = 10_000_000
SAMPLES = 9
MILLISECONDS = 1000.0
QUERIES = {
    "full scan": ("SELECT count(id), sum(customer), max(placed), sum(amount), max(note) FROM {place}", 1.15, 1.05),
    "one-column scan": ("SELECT sum(amount) FROM {place}", 1.5, 1.25),
}
_MAKE = f"""COPY (SELECT i AS id, (hash(i) % 1000000)::BIGINT AS customer,
    TIMESTAMP '2024-01-01' + INTERVAL (i) SECOND AS placed, random() * 1000 AS amount,
    md5(i::VARCHAR)[:20] AS note FROM range({ROWS}) t(i)) TO '{{url}}' (FORMAT parquet)"""


def run() -> list[Row]:
    """Measure through a stage and bare, in turns."""
    with object_store() as store, running_gateway() as gateway:
        bucket = store.bucket("bench")
        with closing(bare(store)) as maker:
            maker.execute(_MAKE.format(url=f"s3://{bucket}/raw/scan.parquet"))
        with gateway.connect() as admin:
            admin.execute(
                f"""CREATE CONNECTION lake STORAGE_TYPE = 's3' ACCESS_KEY_ID = '{store.key.access_key_id}'
                    SECRET_ACCESS_KEY = '{store.key.secret_access_key}' ENDPOINT_URL = '{store.endpoint}'"""
            )
            admin.execute(f"CREATE STAGE raw URL = 's3://{bucket}/raw/' CONNECTION = (CONNECTION_NAME = 'lake')")
        return [_compared(name, gateway, store, bucket) for name in QUERIES]


def _compared(name: str, gateway: Gateway, store: S3Server, bucket: str) -> Row:
    sql, limit, goal = QUERIES[name]
    through, plain = [], []
    for sample in range(SAMPLES + 1):
        with gateway.connect() as client:
            client.execute("SELECT 1")
            started = time.perf_counter()
            client.execute(sql.format(place="@raw/scan.parquet")).fetchall()  # type: ignore[arg-type]
            taken = time.perf_counter() - started
        with closing(bare(store)) as connection:
            started = time.perf_counter()
            connection.execute(sql.format(place=f"'s3://{bucket}/raw/scan.parquet'")).fetchall()
            taken_bare = time.perf_counter() - started
        if sample:  # the first is warm-up
            through.append(taken)
            plain.append(taken_bare)
    return Row(
        f"{name} through a stage",
        statistics.median(through) * MILLISECONDS,
        "ms",
        baseline=statistics.median(plain) * MILLISECONDS,
        against="bare httpfs",
        limit=limit,
        goal=goal,
        samples=SAMPLES,
    )


def bare(store: S3Server) -> duckdb.DuckDBPyConnection:
    """Return DuckDB with the credential in its own hands, as many threads as a worker has."""
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": 2})
    folder = Path(duckdb_extension_httpfs.__file__).parent
    connection.execute(f"LOAD '{next(folder.glob('extensions/*/httpfs.duckdb_extension'))}'")
    connection.execute(
        """CREATE SECRET s (TYPE s3, KEY_ID ?, SECRET ?, ENDPOINT ?, REGION 'us-east-1', URL_STYLE 'path',
            USE_SSL false)""",
        [store.key.access_key_id, store.key.secret_access_key, store.endpoint.removeprefix("http://")],
    )
    connection.execute("SELECT 1")
    return connection
