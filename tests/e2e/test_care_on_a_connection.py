"""The care of tables whose files are on a connection: through the writer's door, and only of what is ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.commands.test_care import client
from tests.commands.test_care import gateway as in_process
from tests.engine.running import run

if TYPE_CHECKING:
    from tests.services.moto import Moto

PREFIX = "warehouse/"
ORPHAN = f"{PREFIX}public/t/ducklake-00000000-0000-7000-8000-000000000000.parquet"


def connection(store):
    key = store.key
    return (
        f"CREATE SECRET lake_key AS '{key.secret_access_key}'",
        f"""CREATE CONNECTION lake TO AWS (ACCESS KEY ID = '{key.access_key_id}',
            SECRET ACCESS KEY = SECRET lake_key, ENDPOINT = '{store.endpoint}', REGION = '{store.region}')""",
    )


@pytest.fixture
def store(moto: Moto):
    return moto.server


def test_files_on_a_connection_are_merged_and_removed_and_foreign_ones_are_left(store, start_gateway):
    bucket = store.bucket("warehouse")
    gateway = start_gateway(env={"FAIRLEAD_CARE_INTERVAL": "0", "FAIRLEAD_CARE_GRACE": "0"})
    sql = gateway.connect()
    for statement in connection(store):
        sql.execute(statement)
    sql.execute(f"CREATE DATABASE far DATA PATH 's3://{bucket}/{PREFIX}' CONNECTION = lake")
    with gateway.connect(dbname="far") as far:
        far.execute("CREATE TABLE t (id INTEGER, v VARCHAR)")
        for begin in (0, 1000, 2000):
            far.execute(f"INSERT INTO t SELECT range, 'x' FROM range({begin}, {begin + 200})")
        far.execute("UPDATE t SET v = 'new' WHERE id < 150")
        before = far.execute("SELECT id, v FROM t ORDER BY ALL").fetchall()
        store.put(bucket, ORPHAN, b"orphan")
        store.put(bucket, f"{PREFIX}mine.parquet", b"foreign")
        before_care = len(store.keys(bucket))
        done = {row[0]: row for row in far.execute("VACUUM").fetchall()}
        assert done["merge"][2] != "0"
        assert int(done["delete files"][2]) >= 3
        assert done["delete orphans"][2] == "1"
        left = set(store.keys(bucket))
        assert ORPHAN not in left
        assert f"{PREFIX}mine.parquet" in left
        assert len(left) < before_care - 2
        assert far.execute("SELECT id, v FROM t ORDER BY ALL").fetchall() == before


def test_a_lake_on_a_connection_that_is_dropped_leaves_no_file_of_its_own(store, tmp_path):
    bucket = store.bucket("dropped")

    async def body():
        async with in_process(tmp_path) as made:
            sql = await client(made)
            for statement in connection(store):
                await sql(statement)
            await sql(f"CREATE DATABASE far DATA PATH 's3://{bucket}/{PREFIX}' CONNECTION = lake")
            far = await client(made, database="far")
            await far("CREATE TABLE t AS SELECT range AS id FROM range(1000)")
            await far("DELETE FROM t WHERE id < 300")
            store.put(bucket, f"{PREFIX}mine.parquet", b"foreign")
            assert len(store.keys(bucket)) > 1
            with made.house.catalog.read() as snapshot:
                database = snapshot.database("far")
            await made.house.lakes.drop(database.id)
            assert store.keys(bucket) == [f"{PREFIX}mine.parquet"]
            assert made.house.lakes.known(database.id) is None

    run(body())
