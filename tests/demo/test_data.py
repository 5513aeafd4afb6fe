"""The tour's data set is the same on every run, and as large as the tour says."""

from __future__ import annotations

import hashlib

import duckdb
import pytest

from demo import data, store


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    data.write(folder)
    return folder


def fingerprint(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(str(path.relative_to(folder)), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]


def test_two_runs_write_the_same_bytes(folder, tmp_path):
    data.write(tmp_path)
    assert fingerprint(tmp_path) == fingerprint(folder)


def test_a_second_run_into_the_same_folder_leaves_no_old_file(folder):
    before = fingerprint(folder)
    data.write(folder)
    assert fingerprint(folder) == before


def test_there_are_one_and_a_half_million_order_lines_in_a_file_per_month(folder):
    files = list(folder.glob(f"{store.BUCKET}/raw/orders/year=*/month=*/*.parquet"))
    assert len(files) == 24
    lines = duckdb.read_parquet([str(path) for path in files]).count("*").fetchall()[0][0]
    assert 1_400_000 < lines < 1_600_000


def test_every_order_line_has_its_customer_and_its_product(folder):
    raw = folder / store.BUCKET / "raw"
    orphans = duckdb.sql(f"""
        SELECT count(*) FROM read_parquet('{raw}/orders/*/*/*.parquet') AS line
        WHERE NOT EXISTS (FROM read_csv('{raw}/customers.csv') AS c WHERE c.customer_id = line.customer_id)
           OR NOT EXISTS (FROM read_csv('{raw}/products.csv') AS p WHERE p.product_id = line.product_id)
    """).fetchall()
    assert orphans == [(0,)]


def test_the_store_holds_every_file_under_its_bucket(folder, tmp_path):
    shop = store.DemoStore(tmp_path / "log")
    try:
        shop.start()
        objects, size = shop.upload(folder)
        assert (objects, size) == (28, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))
        body = shop.client().get_object(Bucket=store.FORBIDDEN_BUCKET, Key="plans.csv")["Body"].read()
        assert body == (folder / store.FORBIDDEN_BUCKET / "plans.csv").read_bytes()
    finally:
        shop.stop()
