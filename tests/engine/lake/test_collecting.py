"""What a transaction in a private copy leads to in the real lake: the same as if it had been run there."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from fairlead.engine.lake.changes import RowChanges, SchemaCreated, TableCreated, TableDropped, TableRef
from fairlead.errors import InvalidName, NotSupported, WorkerLost
from tests.engine.lake.transacting import CountsDiffer, Private, RealLake, transact

if TYPE_CHECKING:
    from pathlib import Path

SETUP = (
    "CREATE TABLE t (a INTEGER, s STRUCT(x INTEGER, y VARCHAR), v VARCHAR DEFAULT 'q')",
    "INSERT INTO t SELECT range, {'x': range, 'y': 'k'}, 'v' FROM range(10)",
    "INSERT INTO t SELECT range, {'x': range, 'y': NULL}, 'w' FROM range(100, 300)",
    'CREATE TABLE u (id BIGINT NOT NULL DEFAULT 3, snapshot_id INTEGER, "Odd ""name""" DATE)',
    "INSERT INTO u SELECT range, range, '2020-01-01' FROM range(200)",
    "CREATE TABLE w (l STRUCT(a INTEGER)[], m MAP(VARCHAR, STRUCT(x INTEGER)))",
    "INSERT INTO w VALUES ([{'a': 1}, NULL], MAP {'k': {'x': 2}}), (NULL, NULL)",
    "CREATE TABLE p (d DATE, n INTEGER, v VARCHAR)",
    "ALTER TABLE p SET PARTITIONED BY (year(d), n)",
    "COMMENT ON TABLE p IS 'old'",
    "INSERT INTO p SELECT DATE '2020-01-01' + range::INTEGER * 100, range % 3, 'x' FROM range(20)",
    "CREATE SCHEMA other",
    "CREATE TABLE other.o AS SELECT 1 AS one",
)
BIG = "SELECT range, NULL, 'big' FROM range(1000, 1500)"

TRANSACTIONS: dict[str, tuple[str, ...]] = {
    "one row": ("INSERT INTO t VALUES (77, NULL, 'new')",),
    "many rows": (f"INSERT INTO t {BIG}",),
    "few and many rows": ("INSERT INTO t VALUES (77, NULL, 'new')", f"INSERT INTO t {BIG}"),
    "several files": (f"INSERT INTO t {BIG}", f"INSERT INTO t {BIG}"),
    "rows of a partitioned table": ("INSERT INTO p SELECT '2021-05-05', range % 3, 'y' FROM range(300)",),
    "an update of inlined rows": ("UPDATE t SET v = 'u' WHERE a < 3",),
    "an update of rows in a file": ("UPDATE t SET v = 'u', s = NULL WHERE a > 150",),
    "an update of all rows": ("UPDATE t SET a = a + 1",),
    "an update twice": ("UPDATE t SET v = 'u' WHERE a < 120", "UPDATE t SET v = 'w' WHERE a BETWEEN 5 AND 110"),
    "an update that changes nothing": ("UPDATE t SET v = 'u' WHERE a = -1",),
    "an update of the partition": ("UPDATE p SET n = n + 1, d = NULL WHERE n = 1",),
    "an update of nested values": ("UPDATE w SET l = [], m = MAP {'z': NULL}",),
    "a removal": ("DELETE FROM t WHERE a % 7 = 0",),
    "a removal of what was updated": (
        "UPDATE t SET v = 'u' WHERE a > 120",
        "DELETE FROM t WHERE a BETWEEN 110 AND 130",
    ),
    "a removal of everything": ("DELETE FROM t",),
    "a truncation": ("TRUNCATE t",),
    "a truncation, then new rows": ("TRUNCATE t", f"INSERT INTO t {BIG}", "INSERT INTO t VALUES (1, NULL, 'new')"),
    "rows that come and go": (
        f"INSERT INTO t {BIG}",
        "INSERT INTO t VALUES (9999, NULL, 'x')",
        "DELETE FROM t WHERE a >= 1000",
    ),
    "new rows, updated": (
        f"INSERT INTO t {BIG}",
        "UPDATE t SET v = 'u' WHERE a > 1200",
        "DELETE FROM t WHERE a = 1201",
    ),
    "new inlined rows, updated": ("INSERT INTO t VALUES (9999, NULL, 'x')", "UPDATE t SET v = 'u' WHERE a > 250"),
    "everything at once": (
        f"INSERT INTO t {BIG}",
        "UPDATE t SET v = 'u' WHERE a % 3 = 0",
        "DELETE FROM t WHERE a % 5 = 0",
        "INSERT INTO t VALUES (9999, NULL, 'x')",
        "UPDATE t SET v = 'y' WHERE a % 2 = 0",
    ),
    "a merge": (
        (
            "MERGE INTO t USING (SELECT range + 200 AS id FROM range(200)) n ON t.a = n.id "
            "WHEN MATCHED THEN UPDATE SET v = 'm' WHEN NOT MATCHED THEN INSERT (a) VALUES (n.id)"
        ),
    ),
    "a table with a column snapshot_id": (
        "UPDATE u SET snapshot_id = -1 WHERE id < 5",
        "DELETE FROM u WHERE id = 7",
        "INSERT INTO u SELECT range, 0, NULL FROM range(500, 700)",
        "INSERT INTO u (snapshot_id) VALUES (5)",
    ),
    "two tables": ("UPDATE t SET v = 'u' WHERE a = 3", "INSERT INTO u VALUES (1, 2, NULL)"),
    "a new table": (
        "CREATE TABLE n (a INTEGER NOT NULL DEFAULT -5, b VARCHAR DEFAULT 'it''s', c DECIMAL(10,2) DEFAULT 1.50)",
    ),
    "a new table with rows": ("CREATE TABLE n (a INTEGER, b VARCHAR)", "INSERT INTO n VALUES (1, 'x'), (2, NULL)"),
    "a new table as a query": ("CREATE TABLE n AS SELECT range AS i, 'v' || range AS v FROM range(1000)",),
    "a new table, altered after its rows": (
        "CREATE TABLE n AS SELECT range AS i, 'v' || range AS v FROM range(1000)",
        "ALTER TABLE n RENAME COLUMN v TO w",
        "ALTER TABLE n ADD COLUMN z INTEGER DEFAULT 4",
        "ALTER TABLE n DROP COLUMN i",
    ),
    "a new table, changed": (
        "CREATE TABLE n AS SELECT range AS i FROM range(1000)",
        "UPDATE n SET i = -i WHERE i < 500",
        "DELETE FROM n WHERE i = 700",
    ),
    "a new nested table": (
        "CREATE TABLE n (l STRUCT(a INTEGER, b VARCHAR[])[], m MAP(INTEGER, DATE))",
        "INSERT INTO n VALUES ([{'a': 1, 'b': ['x', NULL]}, NULL], MAP {1: NULL})",
    ),
    "a new partitioned table": (
        "CREATE TABLE n (a INTEGER, d TIMESTAMP, v VARCHAR)",
        "ALTER TABLE n SET PARTITIONED BY (a, month(d), hour(d), bucket(4, v))",
        "INSERT INTO n SELECT range % 2, '2020-01-01 10:00:00', 'x' FROM range(200)",
        "COMMENT ON TABLE n IS 'it''s'",
        "COMMENT ON COLUMN n.v IS 'v'",
    ),
    "a new table in a new schema": ('CREATE SCHEMA "New One"', 'CREATE TABLE "New One".n AS SELECT 1 AS x'),
    "a new table that is dropped": (
        "CREATE TABLE n AS SELECT 1 AS x",
        "DROP TABLE n",
        "CREATE SCHEMA s",
        "DROP SCHEMA s",
    ),
    "a dropped table": ("UPDATE t SET v = 'u'", "INSERT INTO t VALUES (1, NULL, 'x')", "DROP TABLE t"),
    "a dropped schema": ("DROP SCHEMA other CASCADE",),
    "a dropped schema, made again": (
        "DROP SCHEMA other CASCADE",
        "CREATE SCHEMA other",
        "CREATE TABLE other.o (two INTEGER)",
    ),
    "a table dropped and made again": ("DROP TABLE t", "CREATE TABLE t (z INTEGER)", "INSERT INTO t VALUES (1)"),
    "a replaced table": ("CREATE OR REPLACE TABLE t AS SELECT range AS r FROM range(300)",),
    "a renamed table": ("ALTER TABLE t RENAME TO t2",),
    "a renamed table, changed": (
        "ALTER TABLE t RENAME TO t2",
        "UPDATE t2 SET v = 'u' WHERE a < 5",
        "DELETE FROM t2 WHERE a > 200",
        "INSERT INTO t2 VALUES (1, NULL, 'x')",
    ),
    "a renamed table, altered": (
        "ALTER TABLE t RENAME TO t2",
        "ALTER TABLE t2 ADD COLUMN n INTEGER DEFAULT 7",
        "ALTER TABLE t2 ALTER a TYPE BIGINT",
    ),
    "tables that change names": (
        "ALTER TABLE t RENAME TO tmp",
        "ALTER TABLE u RENAME TO t",
        "ALTER TABLE tmp RENAME TO u",
    ),
    "tables that change names in a circle": (
        "ALTER TABLE t RENAME TO tmp",
        "ALTER TABLE u RENAME TO t",
        "ALTER TABLE w RENAME TO u",
        "ALTER TABLE tmp RENAME TO w",
        "UPDATE w SET v = 'u' WHERE a < 4",
    ),
    "a table that takes a name that has become free": ("ALTER TABLE t RENAME TO old", "ALTER TABLE u RENAME TO t"),
    "a table that replaces another": (
        "CREATE TABLE fresh AS SELECT 1 AS x",
        "DROP TABLE t",
        "ALTER TABLE u RENAME TO t",
    ),
    "columns added": (
        "ALTER TABLE t ADD COLUMN n INTEGER",
        "ALTER TABLE t ADD COLUMN k VARCHAR DEFAULT 'it''s'",
        "ALTER TABLE t ALTER k SET DEFAULT 'later'",
        "ALTER TABLE u ALTER id SET DEFAULT 9",
    ),
    "a column added, then rows": (
        "ALTER TABLE t ADD COLUMN n INTEGER DEFAULT 7",
        "INSERT INTO t (a, n) VALUES (9999, 8)",
        "UPDATE t SET n = 9 WHERE a < 3",
    ),
    "columns dropped": ("ALTER TABLE t DROP COLUMN v", "ALTER TABLE t DROP COLUMN a"),
    "columns renamed": ("ALTER TABLE t RENAME COLUMN v TO v2", "ALTER TABLE t RENAME COLUMN a TO v"),
    "columns that change names": (
        "ALTER TABLE t RENAME COLUMN v TO tmp",
        "ALTER TABLE t RENAME COLUMN a TO v",
        "ALTER TABLE t RENAME COLUMN tmp TO a",
    ),
    "a column dropped and made again": ("ALTER TABLE t DROP COLUMN v", "ALTER TABLE t ADD COLUMN v BIGINT DEFAULT 5"),
    "a column widened": ("ALTER TABLE t ALTER a TYPE BIGINT", "INSERT INTO t (a) VALUES (5000000000)"),
    "a column widened, renamed, with a default": (
        "ALTER TABLE t ALTER a TYPE BIGINT",
        "ALTER TABLE t RENAME COLUMN a TO b",
        "ALTER TABLE t ALTER b SET DEFAULT 5",
    ),
    "NOT NULL": ("ALTER TABLE t ALTER a SET NOT NULL", "INSERT INTO t (a) VALUES (5)"),
    "NOT NULL and more": (
        "ALTER TABLE t ALTER a SET NOT NULL",
        "ALTER TABLE t RENAME COLUMN a TO b",
        "ALTER TABLE t ADD COLUMN a INTEGER",
    ),
    "NULL allowed": ("ALTER TABLE u ALTER id DROP NOT NULL", "ALTER TABLE u ALTER id DROP DEFAULT"),
    "fields of a struct": (
        "ALTER TABLE t ADD COLUMN s.z INTEGER",
        "ALTER TABLE t RENAME COLUMN s.x TO y2",
        "ALTER TABLE t DROP COLUMN s.y",
        "UPDATE t SET s = {'y2': 1, 'z': 2} WHERE a < 3",
    ),
    "fields that change names": (
        "ALTER TABLE t RENAME COLUMN s TO s2",
        "ALTER TABLE t RENAME COLUMN s2.x TO tmp",
        "ALTER TABLE t RENAME COLUMN s2.y TO x",
        "ALTER TABLE t RENAME COLUMN s2.tmp TO y",
    ),
    "a struct of another type": ("ALTER TABLE t ALTER s TYPE STRUCT(x BIGINT, y VARCHAR, z DATE)",),
    "fields in a list and a map": (
        "ALTER TABLE w ADD COLUMN l.element.b VARCHAR",
        "ALTER TABLE w ADD COLUMN m.value.y INTEGER",
        "INSERT INTO w VALUES ([{'a': 1, 'b': 'x'}], MAP {'k': {'x': 2, 'y': 3}})",
    ),
    "partitions set": ("ALTER TABLE t SET PARTITIONED BY (a, v)",),
    "partitions set, then rows": ("ALTER TABLE t SET PARTITIONED BY (v)", f"INSERT INTO t {BIG}"),
    "partitions reset": ("ALTER TABLE p RESET PARTITIONED BY",),
    "partitions set anew": (
        "ALTER TABLE p SET PARTITIONED BY (v, day(d))",
        "INSERT INTO p VALUES ('2020-01-01', 1, 'x')",
    ),
    "partitions and a dropped column": (
        "ALTER TABLE p RESET PARTITIONED BY",
        "ALTER TABLE p DROP COLUMN n",
        "ALTER TABLE p SET PARTITIONED BY (year(d))",
    ),
    "a partition's column renamed": (
        "ALTER TABLE p RENAME COLUMN n TO m",
        "INSERT INTO p VALUES ('2020-01-01', 1, 'x')",
    ),
    "comments": ("COMMENT ON TABLE t IS 'it''s'", "COMMENT ON COLUMN t.v IS 'v'", "COMMENT ON TABLE p IS NULL"),
    "comments on what is renamed": (
        "ALTER TABLE t RENAME TO t2",
        "ALTER TABLE t2 RENAME COLUMN v TO v2",
        "COMMENT ON COLUMN t2.v2 IS 'v'",
    ),
    "defaults": tuple(
        f"CREATE TABLE n{i} (x {type_} DEFAULT {value})"
        for i, (type_, value) in enumerate(
            [
                ("BOOLEAN", "true"),
                ("BOOLEAN", "false"),
                ("DATE", "DATE '2020-01-01'"),
                ("DATE", "'2020-01-01'"),
                ("DATE", "current_date"),
                ("TIMESTAMP", "now()::TIMESTAMP"),
                ("TIMESTAMPTZ", "now()"),
                ("TIMESTAMPTZ", "TIMESTAMPTZ '2020-01-01 00:00:00+01'"),
                ("TIME", "current_time"),
                ("UUID", "uuid()"),
                ("UUID", "gen_random_uuid()"),
                ("DOUBLE", "random()"),
                ("DOUBLE", "1e300"),
                ("BLOB", "'\\x00'::BLOB"),
                ("VARCHAR", "current_date::VARCHAR"),
                ("VARCHAR", "''"),
                ("VARCHAR", "'now()'"),
                ("VARCHAR", "'NULL'"),
                ("VARCHAR", "e'a\\nb'"),
                ("BIGINT", "CAST(5 AS BIGINT)"),
                ("HUGEINT", "170141183460469231731687303715884105727"),
                ("INTEGER", "NULL"),
                ("JSON", "'{\"a\": 1}'"),
            ]
        )
    ),
}


@pytest.mark.parametrize("statements", TRANSACTIONS.values(), ids=TRANSACTIONS.keys())
def test_a_transaction_leads_to_the_same_lake(tmp_path: Path, statements: tuple[str, ...]) -> None:
    direct, collected = RealLake(tmp_path / "direct"), RealLake(tmp_path / "collected")
    for lake in (direct, collected):
        lake.run(*SETUP)
    since = direct.next_rows()
    direct.run("BEGIN", *statements, "COMMIT")
    transact(collected, tmp_path / "worker", *statements)
    assert collected.shape() == direct.shape()
    assert collected.contents(since) == direct.contents(since)


def test_a_second_transaction_builds_on_the_first(tmp_path: Path) -> None:
    lake = RealLake(tmp_path / "real")
    lake.run("CREATE TABLE t (a INTEGER)")
    number = itertools.count()
    for statement in (
        "INSERT INTO t FROM range(150)",
        "UPDATE t SET a = -a WHERE a < 20",
        "DELETE FROM t WHERE a < -10",
    ):
        transact(lake, tmp_path / str(next(number)), statement)
    assert lake.rows("SELECT count(*), min(a), sum(a) FROM t") == [(141, -10, sum(range(20, 150)) - 55)]


# --- what is in a change set ---


@pytest.fixture
def lake(tmp_path: Path) -> RealLake:
    made = RealLake(tmp_path / "real")
    made.run(*SETUP)
    return made


def changes_of(lake: RealLake, folder: Path, *statements: str) -> Any:
    private = Private(lake, folder)
    private.run("BEGIN", *statements, "COMMIT")
    return private.collect(folder / "inbox")


def test_a_transaction_that_touches_no_table_is_found_out_at_once(lake: RealLake, tmp_path: Path) -> None:
    private = Private(lake, tmp_path / "worker")
    private.run("BEGIN", "CREATE TEMP TABLE x AS FROM t", "COMMIT")
    assert private.collect(tmp_path / "inbox").empty
    assert len(private.scripts) == 1
    assert not (tmp_path / "inbox").exists()


def test_rows_are_counted_as_what_became_of_them(lake: RealLake, tmp_path: Path) -> None:
    changes = changes_of(
        lake,
        tmp_path / "worker",
        "INSERT INTO t SELECT range, NULL, 'n' FROM range(1000, 1200)",
        "UPDATE t SET v = 'u' WHERE a IN (1, 2, 1000)",
        "UPDATE t SET v = 'w' WHERE a IN (2, 3)",
        "DELETE FROM t WHERE a IN (3, 4, 1001)",
    )
    (rows,) = changes.rows
    assert (rows.inserted, rows.updated, rows.deleted) == (199, 2, 2)
    assert rows.table.table_id is not None
    assert rows.columns == ("a", "s", "v")


def test_data_files_of_the_private_lake_are_handed_over_as_they_are(lake: RealLake, tmp_path: Path) -> None:
    private = Private(lake, tmp_path / "worker")
    private.run("BEGIN", f"INSERT INTO t {BIG}", f"INSERT INTO t {BIG}", "COMMIT")
    written = {path.stat().st_ino for path in private.spill.rglob("*.parquet")}
    (rows,) = private.collect(tmp_path / "inbox").rows
    assert {path.stat().st_ino for path in rows.inserts} == written
    assert not any("COPY" in statement for script in private.scripts for statement in script)


def test_all_files_lie_in_the_inbox(lake: RealLake, tmp_path: Path) -> None:
    changes = changes_of(lake, tmp_path / "worker", *TRANSACTIONS["everything at once"])
    (rows,) = changes.rows
    paths = [*rows.inserts, rows.updates, rows.deletes]
    assert all(path is not None and path.parent == tmp_path / "worker" / "inbox" for path in paths)
    assert len(set(paths)) == len(paths)


def test_new_tables_have_no_id(lake: RealLake, tmp_path: Path) -> None:
    changes = changes_of(lake, tmp_path / "w", "DROP TABLE w", "CREATE SCHEMA s", "CREATE TABLE s.w AS SELECT 1 AS x")
    dropped, schema, created = changes.structure
    assert isinstance(dropped, TableDropped)
    assert dropped.table.table_id is not None
    assert schema == SchemaCreated("s")
    assert isinstance(created, TableCreated)
    assert created.table == TableRef("s", "w")
    assert changes.rows == (
        RowChanges(TableRef("s", "w"), inserted=1, inserts=changes.rows[0].inserts, columns=("x",)),
    )


def test_a_table_renamed_by_others_is_found_by_its_id(lake: RealLake, tmp_path: Path) -> None:
    changes = changes_of(lake, tmp_path / "worker", "UPDATE t SET v = 'u' WHERE a = 1")
    lake.run("ALTER TABLE t RENAME TO elsewhere")
    lake.apply(changes)
    assert lake.rows("SELECT v FROM elsewhere WHERE a = 1") == [("u",)]


@pytest.mark.parametrize("mine", ["UPDATE t SET v = 'u' WHERE a < 5", "DELETE FROM t WHERE a > 200"])
def test_rows_that_others_have_removed_are_missed(lake: RealLake, tmp_path: Path, mine: str) -> None:
    changes = changes_of(lake, tmp_path / "worker", mine)
    lake.run("DELETE FROM t WHERE a IN (4, 250)")
    with pytest.raises(CountsDiffer):
        lake.apply(changes)
    assert lake.rows("SELECT count(*) FROM t") == [(208,)]


def test_users_cannot_mislead_it_with_macros(tmp_path: Path) -> None:
    lake = RealLake(tmp_path / "real")
    lake.run("CREATE TABLE t AS SELECT range AS a FROM range(200)")
    private = Private(lake, tmp_path / "worker")
    for name, body in (("count(x)", "7"), ("list(x)", "8"), ("concat(x, y)", "9"), ('"||"(x, y)', "10")):
        private.run(f"CREATE TEMP MACRO {name} AS {body}")
    private.run("CREATE TEMP MACRO read_parquet(x) AS TABLE SELECT 1 AS fairlead_rowid")
    private.run("BEGIN", "INSERT INTO t FROM range(300)", "DELETE FROM t WHERE a < 100", "COMMIT")
    (rows,) = private.collect(tmp_path / "inbox").rows
    assert (rows.inserted, rows.updated, rows.deleted) == (200, 0, 100)


# --- what tables cannot have ---


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (("CREATE TABLE n (x INTEGER DEFAULT 1 + 2)",), "default of column"),
        (("CREATE TABLE n (x VARCHAR DEFAULT upper('x'))",), "default of column"),
        (("CREATE TABLE n (x VARCHAR DEFAULT current_user)",), "default of column"),
        (("CREATE TABLE n (x TIME_NS)",), "TIME_NS"),
        (("CREATE TABLE n (x STRUCT(v VARIANT)[])",), "VARIANT"),
        (("CREATE TABLE n (x GEOMETRY)",), "GEOMETRY"),
        (("CREATE VIEW n AS SELECT 1",), "created view"),
        (("CREATE MACRO n(x) AS x",), "created scalar macro"),
        (("ALTER TABLE t SET SORTED BY (a)",), "sorted"),
        (("ALTER TABLE t ADD COLUMN n INTEGER", "ALTER TABLE t RENAME TO t2"), "renamed after it has been altered"),
    ],
)
def test_what_tables_cannot_have_is_refused(
    lake: RealLake, tmp_path: Path, statements: tuple[str, ...], message: str
) -> None:
    with pytest.raises(NotSupported, match=message):
        changes_of(lake, tmp_path / "worker", *statements)


@pytest.mark.parametrize("name", ["rowid", "RowID", "fairlead_rowid"])
def test_a_column_cannot_hide_the_id_of_its_row(lake: RealLake, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidName, match=name):
        changes_of(lake, tmp_path / "worker", f"ALTER TABLE t RENAME COLUMN v TO {name}")


def test_a_copy_without_numbered_rows_is_not_trusted(lake: RealLake, tmp_path: Path) -> None:
    private = Private(lake, tmp_path / "worker")
    private.run(f"UPDATE __ducklake_metadata_{private.name}.main.ducklake_table_stats SET next_row_id = 1000")
    private.run("INSERT INTO t VALUES (1, NULL, 'x')")
    with pytest.raises(WorkerLost):
        private.collect(tmp_path / "inbox")


def test_two_local_commits_are_not_one_transaction(lake: RealLake, tmp_path: Path) -> None:
    private = Private(lake, tmp_path / "worker")
    private.run("INSERT INTO t VALUES (1, NULL, 'x')", "INSERT INTO t VALUES (1, NULL, 'x')")
    with pytest.raises(WorkerLost):
        private.collect(tmp_path / "inbox")
