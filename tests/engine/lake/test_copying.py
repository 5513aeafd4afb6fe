"""A worker's private copy shows the same rows as the lake, of the selected tables and of nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from fairlead.engine.lake.copying import CopiedView, Selection
from fairlead.errors import InvalidSchemaName, LakeMoved, UndefinedObject

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.lake.lakes import Lake, Worker

ROWS = "SELECT rowid, * FROM {} ORDER BY rowid"


def fill(lake: Lake, name: str) -> None:
    """A table with files, inlined rows, deletes in delete files and in the catalog, and updates."""
    lake.execute(f"CREATE TABLE {name}(i INT NOT NULL, v VARCHAR DEFAULT 'x', n DECIMAL(18,2))")
    lake.execute(f"INSERT INTO {name} VALUES (-1, 'a', 1.5), (-2, NULL, NULL)")
    lake.execute(f"INSERT INTO {name} SELECT range, 'n' || range, range / 7 FROM range(1000)")
    lake.execute(f"UPDATE {name} SET v = 'changed' WHERE i IN (-1, 7)")
    lake.execute(f"DELETE FROM {name} WHERE i IN (-2, 8) OR i BETWEEN 200 AND 600")
    lake.execute(f"DELETE FROM {name} WHERE i = 9")


def test_files_inlined_rows_deletes_and_updates_are_read_as_in_the_lake(lake: Lake, worker: Worker) -> None:
    fill(lake, "t")
    worker.attach(lake.reader.copy(lake.selection("t")), lake)
    assert worker.texts(ROWS.format("lake.public.t")) == lake.execute(ROWS.format("t"))


def test_a_copy_can_be_replaced_by_a_newer_one_after_the_user_has_committed(lake: Lake, worker: Worker) -> None:
    fill(lake, "t")
    for number in range(3):
        worker.attach(lake.reader.copy(lake.selection("t")), lake)
        worker.connection.execute(f"USE lake.public; INSERT INTO t VALUES ({number}, 'private', 0)")
        worker.connection.execute("CREATE TABLE mine AS SELECT * FROM t; DELETE FROM t WHERE i > 3")
        worker.detach()
        lake.execute(f"INSERT INTO t VALUES ({number}, 'real', 0)")
    worker.attach(lake.reader.copy(lake.selection("t")), lake)
    assert worker.texts(ROWS.format("lake.public.t")) == lake.execute(ROWS.format("t"))
    assert worker.rows("SELECT count(*) FROM lake.public.t WHERE v = 'private'") == [(0,)]
    with pytest.raises(duckdb.CatalogException):
        worker.rows("FROM lake.public.mine")


@pytest.mark.parametrize("history", [False, True])
def test_nothing_of_other_tables_is_in_the_script(lake: Lake, worker: Worker, history: bool) -> None:
    for secret in ("hidden", "shape"):
        lake.execute(f'CREATE TABLE {secret}_name("{secret}_column" VARCHAR, s STRUCT("{secret}_part" INTEGER))')
        lake.execute(f"INSERT INTO {secret}_name VALUES ('{secret}_inlined', NULL)")
        lake.execute(f"INSERT INTO {secret}_name SELECT '{secret}_stats_' || range, NULL FROM range(500)")
        lake.execute(f"COMMENT ON TABLE {secret}_name IS '{secret}_comment'")
        lake.execute(f"COMMENT ON COLUMN {secret}_name.\"{secret}_column\" IS '{secret}_column_comment'")
        lake.execute(f"DELETE FROM {secret}_name WHERE {secret}_column = '{secret}_stats_77'")
        lake.execute(f'ALTER TABLE {secret}_name RENAME COLUMN "{secret}_column" TO "{secret}_now"')
        lake.execute(f'ALTER TABLE {secret}_name SET PARTITIONED BY ("{secret}_now")')
    lake.execute("CREATE VIEW hidden_view AS SELECT 'hidden_view_text' AS x")
    lake.execute("CREATE MACRO hidden_macro() AS 'hidden_macro_text'")
    lake.execute("CREATE TABLE hidden_dropped(i INTEGER); DROP TABLE hidden_dropped")
    lake.execute("CREATE SCHEMA hidden_schema")
    fill(lake, "t")
    lake.execute("CALL ducklake_set_commit_message('lake', 'hidden_author', 'hidden_message')")
    selection = Selection(
        {lake.table("t").table_id: "full", lake.table("shape_name").table_id: "columns"}, history, schemas=["public"]
    )
    copy = lake.reader.copy(selection)
    text = "\n".join(worker.attach(copy, lake)).lower()
    assert "changed" in text, "the rows of the selected table should be there"
    assert "shape_now" in text
    assert "shape_comment" in text
    for absent in ("hidden", "shape_inlined", "shape_stats"):
        assert absent not in text
    prefixes = [lake.table(name).prefix for name in ("hidden_name", "shape_name")]
    assert not [file for file in copy.files for prefix in prefixes if prefix in file]
    assert worker.rows("SELECT count(*) FROM lake.public.shape_name") == [(0,)]


def test_a_table_of_columns_takes_rows(lake: Lake, worker: Worker) -> None:
    fill(lake, "t")
    worker.attach(lake.reader.copy(Selection({lake.table("t").table_id: "columns"})), lake)
    worker.connection.execute("INSERT INTO lake.public.t (i, n) VALUES (1, 2.5)")
    worker.connection.execute("INSERT INTO lake.public.t SELECT range, 'x', 1 FROM range(500)")
    assert worker.rows("SELECT count(*), count(v), max(n)::VARCHAR FROM lake.public.t") == [(501, 501, "2.50")]
    assert worker.rows("SELECT v FROM lake.public.t WHERE n = 2.5") == [("x",)]


def test_a_small_write_stays_in_the_catalog_of_a_table_without_inlined_rows(lake: Lake, worker: Worker) -> None:
    lake.execute("CREATE TABLE t(i INTEGER)")
    lake.execute("INSERT INTO t SELECT range FROM range(500)")
    lake.execute("CREATE TABLE later(i INTEGER)")
    worker.attach(lake.reader.copy(lake.selection("t")), lake)
    for _ in range(2):
        worker.connection.execute("INSERT INTO lake.public.t VALUES (1000)")
        worker.connection.execute("UPDATE lake.public.t SET i = i + 1 WHERE i > 498")
    assert worker.rows("SELECT count(*), max(i), sum(i) FROM lake.public.t") == [(502, 1002, 499 * 249 + 501 + 2003)]


def test_other_schemas_are_there_if_they_are_named(lake: Lake, worker: Worker) -> None:
    lake.execute("CREATE SCHEMA one; CREATE SCHEMA two; CREATE TABLE one.t AS SELECT 1 AS i")
    names = "SELECT schema_name FROM duckdb_schemas() WHERE database_name = 'lake' ORDER BY 1"
    for schemas, expected in ((None, ["one", "public", "two"]), ([], ["one"]), (["TWO"], ["one", "two"])):
        worker.attach(lake.reader.copy(lake.selection("t", schemas=schemas)), lake)
        assert [row[0] for row in worker.rows(names)] == expected
        worker.detach()
    with pytest.raises(InvalidSchemaName):
        lake.reader.copy(Selection({}, schemas=["three"]))


def test_an_empty_lake_can_be_attached_and_written_to(lake: Lake, worker: Worker) -> None:
    worker.attach(lake.reader.copy(Selection({})), lake)
    worker.connection.execute("CREATE TABLE lake.public.t AS SELECT 42 AS i")
    assert worker.rows("FROM lake.public.t") == [(42,)]


def test_views_are_put_into_the_copy(lake: Lake, worker: Worker) -> None:
    fill(lake, "t")
    lake.execute("CREATE VIEW of_the_lake AS SELECT 1")
    views = (
        CopiedView("public", "v", "SELECT i, v FROM lake.public.t WHERE i < 0", ("one", 'an"other')),
        CopiedView("PUBLIC", "W", "SELECT count(*) AS c FROM lake.public.v"),
    )
    worker.attach(lake.reader.copy(lake.selection("t", views=views)), lake)
    assert worker.rows('SELECT one, "an""other" FROM lake.public.v') == [(-1, "changed")]
    assert worker.rows("SELECT c FROM lake.public.W") == [(1,)]
    with pytest.raises(duckdb.CatalogException):
        worker.rows("FROM lake.public.of_the_lake")
    worker.connection.execute("CREATE TABLE lake.public.after(i INTEGER)")
    ids = worker.rows(
        "SELECT table_id FROM __ducklake_metadata_lake.ducklake_table UNION ALL "
        "SELECT view_id FROM __ducklake_metadata_lake.ducklake_view"
    )
    assert len(ids) == len(set(ids)) == 4


def test_an_older_snapshot_can_be_copied(lake: Lake, worker: Worker) -> None:
    fill(lake, "t")
    at, before = lake.reader.snapshot(), lake.execute(ROWS.format("t"))
    table = lake.table("t").table_id
    lake.execute("DELETE FROM t WHERE i BETWEEN 20 AND 40; UPDATE t SET v = 'later' WHERE i > 950")
    lake.execute("INSERT INTO t VALUES (1, 'later', 1); INSERT INTO t SELECT range, 'later', 1 FROM range(200)")
    lake.execute("ALTER TABLE t RENAME TO later; ALTER TABLE later DROP COLUMN v; ALTER TABLE later ADD COLUMN w DATE")
    for history in (False, True):
        script = worker.attach(lake.reader.copy(Selection({table: "full"}, history), at), lake)
        assert "later" not in "\n".join(script)
        assert worker.texts(ROWS.format("lake.public.t")) == before
        worker.connection.execute("UPDATE lake.public.t SET n = 1")
        assert worker.rows("SELECT DISTINCT n::VARCHAR FROM lake.public.t") == [("1.00",)]
        worker.detach()


def test_an_older_snapshot_whose_files_were_merged_with_later_ones_is_refused(lake: Lake) -> None:
    fill(lake, "t")
    at = lake.reader.snapshot()
    lake.execute("UPDATE t SET v = 'later'")
    with pytest.raises(LakeMoved, match="later"):
        lake.reader.copy(lake.selection("t"), at)
    assert lake.reader.copy(lake.selection("t")).files


@pytest.mark.parametrize("flushed", [False, True])
def test_history_reads_old_versions_and_never_a_namesake(lake: Lake, worker: Worker, flushed: bool) -> None:
    lake.execute("CREATE TABLE t AS SELECT 'a secret of another table' AS s")
    dropped_at = lake.reader.snapshot()
    lake.execute("DROP TABLE t")
    fill(lake, "t")
    lake.execute("ALTER TABLE t ADD COLUMN z INTEGER DEFAULT 7; ALTER TABLE t RENAME COLUMN v TO w")
    lake.execute("INSERT INTO t VALUES (5, 'n', 1, 2)")
    if flushed:
        lake.execute("CALL ducklake_flush_inlined_data('lake')")
    script = worker.attach(lake.reader.copy(lake.selection("t", history=True)), lake)
    assert "secret" not in "\n".join(script)
    for snapshot in lake.reader.snapshots():
        query = f"SELECT COLUMNS(*)::VARCHAR FROM {{}} AT (VERSION => {snapshot.id}) ORDER BY ALL"
        if snapshot.id <= dropped_at + 1:
            with pytest.raises(duckdb.Error):
                worker.rows(query.format("lake.public.t"))
        else:
            assert worker.texts(query.format("lake.public.t")) == lake.execute(query.format("t"))
    at_time = f"SELECT count(*) FROM {{}} AT (TIMESTAMP => TIMESTAMPTZ '{lake.reader.snapshots()[-3].time}')"
    assert worker.texts(at_time.format("lake.public.t")) == lake.execute(at_time.format("t"))


def test_without_history_older_versions_cannot_be_read(lake: Lake, worker: Worker) -> None:
    fill(lake, "t")
    worker.attach(lake.reader.copy(lake.selection("t")), lake)
    with pytest.raises(duckdb.Error, match="No snapshot found"):
        worker.rows(f"FROM lake.public.t AT (VERSION => {lake.reader.snapshot() - 1})")


def test_tables_and_snapshots_that_are_not_there_are_refused(lake: Lake) -> None:
    with pytest.raises(UndefinedObject, match="4711"):
        lake.reader.copy(Selection({4711: "full"}))
    with pytest.raises(UndefinedObject, match="4711"):
        lake.reader.copy(Selection({}), at=4711)


def test_the_names_of_files_are_the_workers_own(lake: Lake, worker: Worker, tmp_path: Path) -> None:
    fill(lake, "t")
    copy = lake.reader.copy(lake.selection("t"))
    assert copy.files
    assert all(file.startswith(lake.table("t").prefix) and (lake.files / file).is_file() for file in copy.files)
    script = "\n".join(worker.attach(copy, lake))
    assert str(lake.folder) not in script
    assert str(worker.folder) in script


def test_a_catalog_name_with_quotes_and_spaces_works(lake: Lake, worker: Worker) -> None:
    fill(lake, "t")
    worker.attach(lake.reader.copy(lake.selection("t")), lake, attached='a "b" \'c')
    assert worker.rows('SELECT count(*) > 0 FROM "a ""b"" \'c".public.t') == [(True,)]
    worker.detach('a "b" \'c')
