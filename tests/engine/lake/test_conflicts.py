"""What other commits do to a table stands against changing its rows; adding rows and care do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.engine.lake.lakes import Lake

SETUP = """CREATE TABLE other(i INTEGER);
INSERT INTO other VALUES (1);
CREATE TABLE t(i INTEGER, v VARCHAR);
INSERT INTO t SELECT range, 'a' FROM range(500);
INSERT INTO t SELECT range, 'b' FROM range(500, 1000);
INSERT INTO t VALUES (1, 'inlined'), (2, 'inlined');
DELETE FROM t WHERE i = 2;
DELETE FROM t WHERE i BETWEEN 500 AND 990;
INSERT INTO t SELECT range, 'c' FROM range(2000, 2150);
INSERT INTO t SELECT range, 'd' FROM range(2150, 2300)"""
CARE = ["flush_inlined_data('lake')", "merge_adjacent_files('lake')"]


@pytest.mark.parametrize(
    ("statement", "changed"),
    [
        ("INSERT INTO t VALUES (5, 'x')", False),
        ("INSERT INTO t SELECT range, 'x' FROM range(1000)", False),
        ("UPDATE t SET v = 'x' WHERE v = 'inlined'", True),
        ("UPDATE t SET v = 'x' WHERE i = 100", True),
        ("UPDATE t SET v = 'x'", True),
        ("DELETE FROM t WHERE v = 'inlined'", True),
        ("DELETE FROM t WHERE i = 100", True),
        ("DELETE FROM t WHERE i < 400", True),
        ("TRUNCATE t", True),
        ("MERGE INTO t USING (SELECT 1 AS i) s ON t.i = s.i WHEN MATCHED THEN UPDATE SET v = 'm'", True),
        ("BEGIN; INSERT INTO t VALUES (7, 'x'); INSERT INTO other VALUES (1); COMMIT", False),
        ("BEGIN; INSERT INTO other VALUES (1); DELETE FROM t WHERE i = 3; COMMIT", True),
        ("ALTER TABLE t ADD COLUMN z INTEGER", True),
        ("ALTER TABLE t RENAME COLUMN v TO w", True),
        ("ALTER TABLE t SET PARTITIONED BY (v)", True),
        ("COMMENT ON TABLE t IS 'c'", True),
        ("ALTER TABLE t RENAME TO t2", True),
        ("DROP TABLE t", True),
        ("CREATE OR REPLACE TABLE t(i INTEGER)", True),
        ("UPDATE other SET i = 2", False),
        ("INSERT INTO other VALUES (1); DELETE FROM other", False),
        ("ALTER TABLE other ADD COLUMN z INTEGER", False),
        ("DROP TABLE other", False),
        ("""CREATE TABLE "x,altered_table:2""y"(i INTEGER)""", False),
        ("CREATE VIEW w AS SELECT 1", False),
        ("CREATE SCHEMA s", False),
        *((f"CALL ducklake_{call}", False) for call in CARE),
        ("CALL ducklake_rewrite_data_files('lake', delete_threshold => 0.1)", False),
    ],
)
def test_a_later_commit_is_a_conflict_or_not(lake: Lake, statement: str, changed: bool) -> None:
    lake.execute(SETUP)
    table, base = lake.table("t").table_id, lake.reader.snapshot()
    assert not lake.reader.changed_since(table, base)
    lake.execute(statement)
    assert lake.reader.snapshot() > base, "the statement made no commit"
    assert lake.reader.changed_since(table, base) is changed
    dropped = "DROP TABLE t" in statement or "OR REPLACE" in statement
    assert lake.reader.changed_since(table, lake.reader.snapshot()) is dropped


def test_a_change_is_still_seen_after_its_traces_are_flushed_and_merged(lake: Lake) -> None:
    lake.execute(SETUP)
    table, base = lake.table("t").table_id, lake.reader.snapshot()
    lake.execute("UPDATE t SET v = 'x' WHERE v = 'inlined'")
    for call in CARE:
        lake.execute(f"CALL ducklake_{call}")
    assert lake.reader.changed_since(table, base)


def test_row_ids_survive_all_care(lake: Lake) -> None:
    lake.execute(SETUP)
    rows = lake.execute("SELECT rowid, i, v FROM t ORDER BY rowid")
    for call in [*CARE, "rewrite_data_files('lake', delete_threshold => 0.1)", *CARE]:
        lake.execute(f"CALL ducklake_{call}")
        assert lake.execute("SELECT rowid, i, v FROM t ORDER BY rowid") == rows


def test_what_has_expired_cannot_be_told_and_counts_as_a_conflict(lake: Lake) -> None:
    lake.execute(SETUP)
    table, base = lake.table("t").table_id, lake.reader.snapshot()
    lake.execute("INSERT INTO t VALUES (5, 'x')")
    lake.execute("INSERT INTO t VALUES (6, 'x')")
    lake.execute("CALL ducklake_expire_snapshots('lake', older_than => now())")
    assert lake.reader.changed_since(table, base)
    assert not lake.reader.changed_since(table, lake.reader.snapshot())


def test_a_table_that_never_was_is_a_conflict(lake: Lake) -> None:
    assert lake.reader.changed_since(4711, lake.reader.snapshot())
