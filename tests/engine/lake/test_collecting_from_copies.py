"""The whole way, with the real reader of catalogs: a lake on SQLite, its copy in a locked worker, and back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from fairlead.engine.lake.applying import apply_script
from fairlead.engine.lake.collecting import collect
from fairlead.engine.lake.copying import Selection
from tests.engine.lake.lakes import NAME

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fairlead.engine.lake.changes import ChangeSet
    from tests.engine.lake.lakes import Lake, Worker


def committed(lake: Lake, worker: Worker, inbox: Path, selection: Selection, *statements: str) -> ChangeSet:
    """Run a transaction in a copy, and apply it to the lake as the writer does."""
    base = lake.reader.snapshot()
    worker.attach(lake.reader.copy(selection), lake)
    worker.run([f"USE {NAME}.public", "BEGIN", *statements, "COMMIT"])

    async def script(asked: Sequence[str]) -> list[list[list[Any]]]:
        return [[list(row) for row in worker.connection.execute(one).fetchall()] for one in asked]

    changes = asyncio.run(
        collect(script, attached=NAME, base=base, database_id=1, out=worker.spill / "out", inbox=inbox)
    )
    lake.execute("BEGIN")
    for step in apply_script(changes, attached="lake", tables=lake.reader.tables()):
        rows = lake.execute(step.sql)
        assert step.rows is None or rows == [[str(step.rows)]]
    lake.execute("COMMIT")
    return changes


def test_changes_come_back_to_the_lake(lake: Lake, worker: Worker, tmp_path: Path) -> None:
    lake.execute("CREATE TABLE t (a INTEGER, v VARCHAR DEFAULT 'q', l INTEGER[], h HUGEINT, z TIMETZ)")
    lake.execute("INSERT INTO t SELECT range, 'file', [range], range, '01:02:03+04' FROM range(200)")
    lake.execute("INSERT INTO t SELECT range, 'row', NULL, NULL, NULL FROM range(200, 210)")
    changes = committed(
        lake,
        worker,
        tmp_path / "inbox",
        lake.selection("t"),
        "ALTER TABLE t ADD COLUMN d DATE",
        "UPDATE t SET v = 'changed', z = '05:06:07-08', h = 12345678901234567890123456789 WHERE a IN (5, 205)",
        "DELETE FROM t WHERE a IN (6, 206)",
        "INSERT INTO t (a, d) VALUES (1000, '2020-01-01')",
        "CREATE TABLE n AS SELECT a FROM t",
    )
    assert [(rows.inserted, rows.updated, rows.deleted) for rows in changes.rows] == [(1, 2, 2), (209, 0, 0)]
    assert lake.execute("SELECT count(*), sum(a) FROM n") == [["209", str(sum(range(210)) - 212 + 1000)]]
    assert lake.execute("SELECT rowid, a, v, h, z FROM t WHERE v = 'changed' ORDER BY 1") == [
        ["5", "5", "changed", "12345678901234567890123456789", "05:06:07-08:00"],
        ["205", "205", "changed", "12345678901234567890123456789", "05:06:07-08:00"],
    ]
    assert lake.execute("SELECT v, d FROM t WHERE a = 1000") == [["q", "2020-01-01"]]
    assert lake.execute("SELECT count(*) FROM t") == [["209"]]


def test_a_table_that_may_only_be_added_to_gets_its_rows(lake: Lake, worker: Worker, tmp_path: Path) -> None:
    lake.execute("CREATE TABLE t (a INTEGER)")
    lake.execute("INSERT INTO t FROM range(500)")
    selection = Selection({lake.table("t").table_id: "columns"})
    changes = committed(lake, worker, tmp_path / "inbox", selection, "INSERT INTO t VALUES (-1), (-2)")
    (rows,) = changes.rows
    assert (rows.inserted, rows.updated, rows.deleted) == (2, 0, 0)
    assert lake.execute("SELECT count(*), min(a) FROM t") == [["502", "-2"]]


@pytest.mark.parametrize("statement", ["TRUNCATE t", "DELETE FROM t"])
def test_removing_everything_removes_what_was_seen(lake: Lake, worker: Worker, tmp_path: Path, statement: str) -> None:
    lake.execute("CREATE TABLE t (a INTEGER)")
    lake.execute("INSERT INTO t FROM range(500)")
    lake.execute("INSERT INTO t FROM range(500, 510)")
    lake.execute("UPDATE t SET a = -a WHERE a BETWEEN 10 AND 300")
    changes = committed(lake, worker, tmp_path / "inbox", lake.selection("t"), statement)
    assert changes.rows[0].deleted == 510
    assert lake.execute("SELECT count(*) FROM t") == [["0"]]
