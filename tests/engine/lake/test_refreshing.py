"""A private copy that nobody has written to is brought to a newer one in place, where DuckLake can follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.engine.lake.lakes import Lake, Worker

SETUP = """CREATE TABLE t(i INTEGER, v VARCHAR);
CREATE TABLE other(i INTEGER);
INSERT INTO t SELECT range, 'a' FROM range(500);
INSERT INTO t VALUES (-1, 'inlined');
UPDATE t SET v = 'b' WHERE i = 7"""
ROWS = "SELECT rowid, * FROM {} ORDER BY rowid"


@pytest.mark.parametrize(
    ("statement", "in_place"),
    [
        ("INSERT INTO t VALUES (1000, 'new')", True),
        ("INSERT INTO t SELECT range, 'new' FROM range(1000, 1500)", True),
        ("UPDATE t SET v = 'new' WHERE i < 5", True),
        ("DELETE FROM t WHERE i BETWEEN 10 AND 400", True),
        ("INSERT INTO other VALUES (1)", True),
        ("DELETE FROM t WHERE v <> 'a'", True),
        ("CALL ducklake_flush_inlined_data('lake')", False),
        ("ALTER TABLE t ADD COLUMN z INTEGER DEFAULT 7", False),
        ("ALTER TABLE t RENAME COLUMN v TO w", False),
        ("COMMENT ON TABLE t IS 'c'", False),
        ("CREATE TABLE more(i INTEGER)", False),
    ],
)
def test_a_copy_follows_the_lake(lake: Lake, worker: Worker, statement: str, in_place: bool) -> None:
    lake.execute(SETUP)
    copy = lake.reader.copy(lake.selection("t"))
    worker.attach(copy, lake)
    count = "SELECT count(*), max(i), min(i) FROM {}"
    assert worker.texts(count.format("lake.public.t")) == lake.execute(count.format("t"))
    lake.execute(statement)
    worker.refresh(copy, lake.reader.copy(lake.selection("t")), lake)
    assert worker.refreshed == in_place
    for query in (ROWS, count, "SELECT count(*) FROM {} WHERE i >= 1000"):
        assert worker.texts(query.format("lake.public.t")) == lake.execute(query.format("t"))


def test_a_table_that_is_revoked_is_gone_with_the_next_copy(lake: Lake, worker: Worker) -> None:
    lake.execute(SETUP)
    both, one = (lake.reader.copy(lake.selection(*names)) for names in (["t", "other"], ["other"]))
    worker.attach(both, lake)
    assert list(worker.folder.iterdir())
    worker.refresh(both, one, lake)
    assert worker.refreshed == 0
    assert not list(worker.folder.iterdir())
    assert worker.rows("SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake'") == [("other",)]


def test_copies_with_older_snapshots_are_made_anew(lake: Lake, worker: Worker) -> None:
    lake.execute(SETUP)
    copy = lake.reader.copy(lake.selection("t", history=True))
    worker.attach(copy, lake)
    worker.refresh(copy, lake.reader.copy(lake.selection("t", history=True)), lake)
    assert worker.refreshed == 0


def test_the_users_writes_build_on_a_refreshed_copy(lake: Lake, worker: Worker) -> None:
    lake.execute(SETUP)
    copy = lake.reader.copy(lake.selection("t"))
    worker.attach(copy, lake)
    for number in range(3):
        lake.execute(f"INSERT INTO t VALUES ({1000 + number}, 'new')")
        copy = worker.refresh(copy, lake.reader.copy(lake.selection("t")), lake)
    assert worker.refreshed == 3
    change = "UPDATE {} SET v = 'mine' WHERE i IN (3, 1001)"
    worker.connection.execute(change.format("lake.public.t"))
    lake.execute(change.format("t"))
    rows = "SELECT * FROM {} ORDER BY ALL"
    assert worker.texts(rows.format("lake.public.t")) == lake.execute(rows.format("t"))


def test_the_first_rows_that_are_kept_in_the_catalog_are_seen(lake: Lake, worker: Worker) -> None:
    lake.execute("CREATE TABLE t(i INTEGER)")
    copy = lake.reader.copy(lake.selection("t"))
    worker.attach(copy, lake)
    assert worker.texts("SELECT * FROM lake.public.t") == []
    lake.execute("INSERT INTO t VALUES (7)")
    worker.refresh(copy, lake.reader.copy(lake.selection("t")), lake)
    assert worker.texts("SELECT * FROM lake.public.t") == [["7"]]
