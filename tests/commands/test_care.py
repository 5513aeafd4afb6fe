"""VACUUM: who may, what it answers, and that statements go on as before."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from fairlead.config import CareSettings, Settings, WorkerSettings
from fairlead.errors import InvalidCatalogName, NotSupported, PermissionDenied
from fairlead.server.gateway import Gateway
from fairlead.session_types import ResultColumns, ResultValues
from tests.engine.running import data_rows, run

STEPS = ["flush", "rewrite", "merge", "expire snapshots", "delete files", "delete orphans"]


class Client:
    """One session of a user."""

    def __init__(self, session):
        self._session = session
        self.columns = ()

    async def __call__(self, script):
        """Return the rows of the last result of a script."""
        rows = []
        async for output in self._session.run_script(script):
            if isinstance(output, ResultColumns):
                rows, self.columns = [], tuple(column.name for column in output.columns)
            elif isinstance(output, ResultValues):
                rows += [tuple(row) for row in output.rows]
            elif hasattr(output, "data"):
                rows += data_rows(output.data)
        return rows


@asynccontextmanager
async def gateway(folder):
    made = Gateway(
        Settings(
            data=folder / "data",
            admin_password="the administrator's password",
            worker=WorkerSettings(spare=0, memory_limit_mb=1024, address_space_mb=3072),
            care=CareSettings(interval=0, grace=0),
        )
    )
    try:
        await made.start()
        yield made
    finally:
        await made.stop()


async def client(made, user="fairlead", database="main"):
    return Client(await made.open_session(user=user, database=database, parameters={}, client="test"))


def test_vacuum_flushes_and_merges_and_says_so_and_rows_stay(tmp_path):
    async def body():
        async with gateway(tmp_path) as made:
            sql = await client(made)
            await sql("CREATE TABLE t (id INTEGER, v VARCHAR)")
            for begin in (0, 1000, 2000):
                await sql(f"INSERT INTO t SELECT range, 'x' FROM range({begin}, {begin + 200})")
                await sql(f"INSERT INTO t VALUES ({begin + 500}, 'one')")
            await sql("UPDATE t SET v = 'new' WHERE id < 100")
            before = await sql("SELECT * FROM t ORDER BY ALL")
            rows = {row[0]: row[1:] for row in await sql("VACUUM")}
            assert sql.columns == ("step", "tables", "files", "rows", "bytes")
            assert list(rows) == STEPS
            assert rows["flush"][2] != "0"
            assert await sql("SELECT * FROM t ORDER BY ALL") == before
            again = {row[0]: row[1:] for row in await sql("VACUUM main")}
            assert again["flush"] == again["merge"] == ("0", "0", "0", "0")
            await sql("UPDATE t SET v = 'newer' WHERE id < 100")
            assert await sql("SELECT count(*) FROM t WHERE v = 'newer'") == [("100",)]

    run(body())


def test_vacuum_is_for_the_owner_of_the_database_and_for_superusers(tmp_path):
    async def body():
        async with gateway(tmp_path) as made:
            sql = await client(made)
            await sql("CREATE USER ann PASSWORD 'a long password'; GRANT CREATE DATABASE ON SYSTEM TO ann")
            ann = await client(made, "ann")
            await ann("CREATE DATABASE hers")
            assert [row[0] for row in await ann("VACUUM hers")] == STEPS
            assert [row[0] for row in await sql("VACUUM hers")] == STEPS
            with pytest.raises(PermissionDenied, match=r"must be owner of (?i:database) main"):
                await ann("VACUUM")
            ledger = await sql("SHOW LEDGER LIMIT 50")
            assert sum("VACUUM" in row and "database hers" in row for row in ledger) == 2

    run(body())


def test_what_vacuum_does_not_know_is_refused(tmp_path):
    async def body():
        async with gateway(tmp_path) as made:
            sql = await client(made)
            for text in ("VACUUM FULL", "VACUUM ANALYZE t", "VACUUM (VERBOSE)", "VACUUM main.t"):
                with pytest.raises(NotSupported):
                    await sql(text)
            with pytest.raises(InvalidCatalogName):
                await sql("VACUUM nowhere")

    run(body())
