"""A small lake on a real store: the bucket that the tests of the main job read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.services.s3 import S3Server

ORDERS = 10_000


@dataclass(frozen=True, slots=True)
class Lake:
    """A bucket with ``raw/`` (granted), ``raw2/`` and ``hr/`` (not), and another bucket."""

    store: S3Server
    bucket: str
    other_bucket: str

    def connection_sql(self, spelling: str, name: str) -> str:
        """Return the statement that creates a connection to the lake in one of the spellings."""
        key, secret = self.store.key.access_key_id, self.store.key.secret_access_key
        endpoint, region = self.store.endpoint, self.store.region
        return {
            "materialize": f"""CREATE CONNECTION {name} TO AWS (ACCESS KEY ID = '{key}',
                SECRET ACCESS KEY = SECRET lake_key, ENDPOINT = '{endpoint}', REGION = '{region}')""",
            "singlestore": f"""CREATE LINK {name} AS S3
                CREDENTIALS '{json.dumps({"aws_access_key_id": key, "aws_secret_access_key": secret})}'
                CONFIG '{json.dumps({"region": region, "endpoint_url": endpoint})}'""",
            "databend": f"""CREATE CONNECTION {name} STORAGE_TYPE = 's3' ACCESS_KEY_ID = '{key}'
                SECRET_ACCESS_KEY = '{secret}' ENDPOINT_URL = '{endpoint}' REGION = '{region}'""",
            "clickzetta": f"""CREATE STORAGE CONNECTION {name} TYPE S3 ACCESS_KEY = '{key}' SECRET_KEY = '{secret}'
                ENDPOINT = '{endpoint}' REGION = '{region}'""",
        }[spelling]


@pytest.fixture(scope="module")
def lake(minio: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    bucket, other = minio.bucket("acme"), minio.bucket("other")
    folder = tmp_path_factory.mktemp("lake")
    for key, body in _objects(folder).items():
        minio.put(bucket, key, body)
    minio.put(other, "plans.csv", b"year,plan\n2027,forbidden-plan\n")
    return Lake(minio, bucket, other)


def _objects(folder: Path) -> dict[str, bytes]:
    with duckdb.connect() as db:
        for month in (1, 2):
            db.execute(
                f"""COPY (SELECT i AS order_id, i % 50 AS customer_id, (i % 97)::DECIMAL(10,2) AS amount,
                    DATE '2026-0{month}-01' + (i % 28)::INTEGER AS day FROM range({ORDERS}) t(i))
                    TO '{folder}/orders{month}.parquet' (FORMAT parquet)"""
            )
    customers = "customer_id,country\n" + "".join(f"{i},{('DE', 'FR', 'NL')[i % 3]}\n" for i in range(50))
    return {
        "raw/orders/month=1/a.parquet": (folder / "orders1.parquet").read_bytes(),
        "raw/orders/month=2/a.parquet": (folder / "orders2.parquet").read_bytes(),
        "raw/customers.csv": customers.encode(),
        "raw2/near.csv": b"a\nforbidden-near\n",
        "hr/salaries.csv": b"id,salary\n1,forbidden-salary\n",
    }
