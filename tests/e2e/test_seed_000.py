"""The page "Configuring and Using Connection Links", from beginning to end, as written there, with its two users."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from tests.services.gateway import Gateway
    from tests.services.lake import Lake

SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"


def _statement(pattern: str) -> str:
    """Return a statement of the page, as it stands there."""
    page = next(SEEDS.glob("000_*")).read_text(encoding="utf-8")
    found = re.search(pattern, page, re.DOTALL)
    assert found is not None
    return found.group(0)


def _filled(statement: str, lake: Lake) -> str:
    """Fill in the key; the real store of the test stands where the page means Amazon's."""
    key = lake.store.key
    return (
        statement.replace("your_access_key_id", key.access_key_id)
        .replace("your_secret_access_key", key.secret_access_key)
        .replace('"region":"us-east-1"', f'"region":"us-east-1","endpoint_url":"{lake.store.endpoint}"')
    )


def test_the_steps_of_the_page_run_as_written(gateway: Gateway, lake: Lake) -> None:
    create = _filled(_statement(r"CREATE LINK productdb\.demouser_S3.*?;"), lake)
    client = lake.store.client()
    client.create_bucket(Bucket="testing")
    with gateway.connect() as dba:
        dba.execute("CREATE DATABASE productdb")
        dba.execute("CREATE USER user1 PASSWORD 'correct horse'")
        dba.execute(create)  # type: ignore[arg-type]
        second = create.replace("demouser_S3", "demouser2_S3").replace("Product list", "Brand list")
        dba.execute(second)  # type: ignore[arg-type]
        dba.execute(_statement(r"GRANT SHOW LINK ON productdb\.\* TO 'user1';"))  # type: ignore[arg-type]
        dba.execute("USE productdb")
        dba.execute("CREATE TABLE t1 (id INTEGER, name VARCHAR, price DECIMAL(8, 2))")
        dba.execute("INSERT INTO t1 VALUES (1, 'rope', 12.50), (2, 'block', NULL), (3, E'two\twords', 0.10)")
        dba.execute("GRANT SELECT ON t1 TO user1")
    with gateway.connect("user1", "correct horse") as user1:
        shown = user1.execute(_statement(r"SHOW LINKS ON productdb;")).fetchall()  # type: ignore[arg-type]
        assert [row[:3] for row in shown] == [
            ("demouser_S3", "S3", "Product list"),
            ("demouser2_S3", "S3", "Brand list"),
        ]
        user1.execute(_statement(r"USE productdb;"))  # type: ignore[arg-type]
        export = _statement(r"SELECT \* FROM t1 INTO LINK demouser_S3 'testing/output';")
        done = user1.execute(export)  # type: ignore[arg-type]
        assert done.statusmessage == "SELECT 3"
        with pytest.raises(psycopg.Error) as refused:
            user1.execute(export)  # type: ignore[arg-type]
        assert refused.value.sqlstate == "58P02"
    listed = client.list_objects_v2(Bucket="testing")["Contents"]
    assert [one["Key"] for one in listed] == ["output"]
    written = client.get_object(Bucket="testing", Key="output")["Body"].read().decode()
    assert sorted(written.splitlines()) == ["1\trope\t12.50", "2\tblock\t\\N", "3\ttwo\\\twords\t0.10"]
