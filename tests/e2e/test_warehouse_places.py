"""Where a database keeps its files on a connection: closed to everybody else, in that store and in no other."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.services.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.services.gateway import Gateway
    from tests.services.lake import Lake

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def elsewhere(admin: Connection, lake: Lake) -> Iterator[str]:
    """A connection to a store of another address, where buckets of the same names are."""
    relay, name = Relay(lake.store.endpoint), f"elsewhere{secrets.token_hex(4)}"
    made = lake.connection_sql("databend", name).replace(lake.store.endpoint, relay.endpoint)
    admin.execute(made)  # type: ignore[call-overload]
    yield name
    relay.close()


@pytest.fixture
def bucket(gateway: Gateway, admin: Connection, lake: Lake) -> str:
    """A bucket with a database below ``wh/``, and with files of others."""
    bucket, name = lake.store.bucket("places"), f"far{secrets.token_hex(4)}"
    lake.store.put(bucket, "wh2/near.csv", b"a\n1\n")
    lake.store.put(bucket, "raw/t.csv", b"a\n1\n")
    admin.execute(f"CREATE DATABASE {name} DATA PATH 's3://{bucket}/wh/' CONNECTION = lake")  # type: ignore[call-overload]
    with gateway.connect(dbname=name) as db:
        db.execute("CREATE TABLE telling_name AS SELECT range AS n FROM range(5000)")
    return bucket


def test_a_listing_above_a_database_shows_nothing_of_it(admin: Connection, lake: Lake, bucket: str) -> None:
    there = {one["Key"] for one in lake.store.client().list_objects_v2(Bucket=bucket)["Contents"]}
    assert any("telling_name" in key for key in there)
    through = "(CONNECTION => (CONNECTION_NAME = 'lake'))"
    stage = f"s{secrets.token_hex(4)}"
    admin.execute(f"CREATE STAGE {stage} URL = 's3://{bucket}/' CONNECTION = (CONNECTION_NAME = 'lake')")  # type: ignore[call-overload]
    for statement in (
        f"SELECT DISTINCT filename FROM read_csv('s3://{bucket}/**')",
        f"SELECT DISTINCT filename FROM 's3://{bucket}/*/*.csv' {through}",
        f"SELECT file FROM glob('s3://{bucket}/*/**')",
        f"LIST @{stage}",
    ):
        shown = str(admin.execute(statement).fetchall())  # type: ignore[call-overload]
        assert "wh2/near.csv" in shown, statement
        assert "raw/t.csv" in shown, statement
        assert "telling_name" not in shown, statement
        assert "/wh/" not in shown, statement


def test_a_namesake_in_another_store_is_not_closed(admin: Connection, bucket: str, elsewhere: str) -> None:
    file = f"s3://{bucket}/wh/public/telling_name/*.parquet"
    read = f"SELECT count(*) FROM '{file}' (CONNECTION => (CONNECTION_NAME = '{{}}'))"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        admin.execute(read.format("lake").encode())
    assert admin.execute(read.format(elsewhere).encode()).fetchall() == [(5000,)]


def test_databases_in_two_stores_may_have_the_same_path(admin: Connection, bucket: str, elsewhere: str) -> None:
    path = f"DATA PATH 's3://{bucket}/wh/' CONNECTION ="
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        admin.execute(f"CREATE DATABASE second {path} lake")  # type: ignore[call-overload]
    name = f"far{secrets.token_hex(4)}"
    admin.execute(f"CREATE DATABASE {name} {path} {elsewhere}")  # type: ignore[call-overload]
    admin.execute(f"DROP DATABASE {name}")  # type: ignore[call-overload]


def test_a_place_that_cannot_be_used_is_warned_of(admin: Connection, lake: Lake) -> None:
    relay, down, name = Relay(lake.store.endpoint), f"down{secrets.token_hex(4)}", f"far{secrets.token_hex(4)}"
    admin.execute(lake.connection_sql("databend", down).replace(lake.store.endpoint, relay.endpoint))  # type: ignore[call-overload]
    relay.close()
    told: list[tuple[str | None, str | None]] = []

    def keep(diag: psycopg.errors.Diagnostic) -> None:
        told.append((diag.severity, diag.message_primary))

    admin.add_notice_handler(keep)
    try:
        for place, connection, word in (
            (f"s3://{lake.bucket}/fresh-{name}/", "lake", None),
            (f"s3://no-such-bucket-{name}/wh/", "lake", "there is no bucket"),
            (f"s3://{lake.bucket}/down-{name}/", down, "cannot be used now"),
        ):
            told.clear()
            admin.execute(f"CREATE DATABASE {name} DATA PATH '{place}' CONNECTION = {connection}")  # type: ignore[call-overload]
            assert name in {row[0] for row in admin.execute("SHOW DATABASES").fetchall()}
            assert [severity for severity, _ in told] == ([] if word is None else ["WARNING"])
            assert all(word and word in (text or "") and place in (text or "") for _, text in told)
            admin.execute(f"DROP DATABASE {name}")  # type: ignore[call-overload]
    finally:
        admin.remove_notice_handler(keep)
