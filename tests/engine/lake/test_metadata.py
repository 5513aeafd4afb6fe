"""The gateway reads what is in a lake from its catalog, beside the writer."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from fairlead.engine.lake.metadata import LakeColumn, LakeReader
from fairlead.errors import LakeUnreadable, NotSupported

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.lake.lakes import Lake


def test_tables_have_columns_types_defaults_and_comments(lake: Lake) -> None:
    lake.execute(
        """CREATE TABLE t(i INTEGER NOT NULL, v VARCHAR DEFAULT 'it''s', n DECIMAL(18, 2) DEFAULT 1.5,
        s STRUCT(a INTEGER[], "b ""c" MAP(VARCHAR, TIMESTAMPTZ)), moment TIMESTAMPTZ DEFAULT now())"""
    )
    lake.execute("COMMENT ON TABLE t IS 'a comment'; ALTER TABLE t RENAME TO u")
    (table,) = lake.reader.tables()
    assert (table.schema, table.name, table.prefix, table.comment) == ("public", "u", "public/t/", "a comment")
    assert table.columns[:3] == (
        LakeColumn(1, "i", "INTEGER", False, None),
        LakeColumn(2, "v", "VARCHAR", True, "'it''s'"),
        LakeColumn(3, "n", "DECIMAL(18,2)", True, "'1.5'"),
    )
    assert [column.name for column in table.columns] == ["i", "v", "n", "s", "moment"]
    assert table.columns[3].type == 'STRUCT("a" INTEGER[], "b ""c" MAP(VARCHAR, TIMESTAMPTZ))'
    assert table.columns[4].default is not None
    assert "now" in table.columns[4].default


def test_tables_are_told_as_of_a_snapshot(lake: Lake) -> None:
    lake.execute("CREATE TABLE t(i INTEGER)")
    before = lake.reader.snapshot()
    lake.execute("ALTER TABLE t ADD COLUMN j INTEGER; ALTER TABLE t RENAME TO u; CREATE TABLE v(i INTEGER)")
    assert [table.name for table in lake.reader.tables()] == ["u", "v"]
    ((old,), new) = lake.reader.tables(before), lake.table("u")
    assert (old.name, len(old.columns), len(new.columns)) == ("t", 1, 2)
    assert (old.table_id, old.uuid) == (new.table_id, new.uuid)


def test_snapshots_tell_time_author_message_and_extra(lake: Lake) -> None:
    lake.execute(
        "BEGIN; CREATE TABLE t(i INTEGER);"
        " CALL ducklake_set_commit_message('lake', 'me', 'why', extra_info => '{\"txid\": 1}'); COMMIT"
    )
    *older, newest = lake.reader.snapshots()
    assert (newest.id, newest.author, newest.message, newest.extra) == (
        lake.reader.snapshot(),
        "me",
        "why",
        '{"txid": 1}',
    )
    assert newest.time.tzinfo is not None
    assert newest.time >= older[-1].time
    assert older[-1].author is None


def test_schemas_and_the_data_path_are_told(lake: Lake) -> None:
    lake.execute('CREATE SCHEMA "a ""b"; CREATE SCHEMA gone; DROP SCHEMA gone')
    assert [name for _, name in lake.reader.schemas()] == ["public", 'a "b']
    assert lake.reader.data_path() == f"{lake.files}/"


def test_threads_read_while_the_writer_commits(lake: Lake) -> None:
    lake.execute("CREATE TABLE t(i INTEGER)")
    selection = lake.selection("t")
    with ThreadPoolExecutor(4) as pool:
        copies = [pool.submit(lake.reader.copy, selection) for _ in range(50)]
        for number in range(10):
            lake.execute(f"INSERT INTO t VALUES ({number})")
        for copy in (future.result() for future in copies):
            rows = [row for table in copy.inlined for row in table.rows]
            # One row for each commit after the one that made the table: never a part of one.
            assert len(rows) == copy.snapshot - selection_base(lake)


def selection_base(lake: Lake) -> int:
    """The snapshot that made the table: no row is older."""
    connection = sqlite3.connect(f"file:{lake.folder}/catalog.sqlite?mode=ro", uri=True)
    (begin,) = connection.execute("SELECT begin_snapshot FROM ducklake_table").fetchone()
    connection.close()
    return int(begin)


def test_a_catalog_is_read_while_no_writer_runs_and_after_it_came_back(lake: Lake) -> None:
    lake.execute("CREATE TABLE t(i INTEGER)")
    before = lake.reader.snapshot()
    lake.reader.close()
    lake.stop()
    assert LakeReader(lake.folder / "catalog.sqlite").snapshot() == before
    lake.start()
    lake.execute("INSERT INTO t VALUES (1)")
    assert lake.reader.snapshot() == before + 1


def test_a_file_that_is_not_there_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(LakeUnreadable):
        LakeReader(tmp_path / "catalog.sqlite").snapshot()
    assert not list(tmp_path.iterdir())


def test_another_version_of_the_format_and_an_unknown_type_are_refused(lake: Lake) -> None:
    lake.execute("CREATE TABLE t(i INTEGER)")
    lake.reader.close()
    lake.stop()
    with sqlite3.connect(lake.folder / "catalog.sqlite") as connection:
        connection.execute("UPDATE ducklake_column SET column_type = 'int4096'")
    with pytest.raises(NotSupported, match="int4096"):
        LakeReader(lake.folder / "catalog.sqlite").tables()
    with connection:
        connection.execute("UPDATE ducklake_metadata SET value = '9.9' WHERE key = 'version'")
    connection.close()
    with pytest.raises(LakeUnreadable, match=r"9\.9"):
        LakeReader(lake.folder / "catalog.sqlite").snapshot()
