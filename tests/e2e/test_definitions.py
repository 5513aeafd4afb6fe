"""What is told of CREATE, ALTER and DROP: the right SQLSTATE, and a NOTICE where nothing was to be done."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.services.gateway import Gateway

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def db(gateway: Gateway) -> Iterator[Connection]:
    """The administrator in a database of the test's own, with a table, a view and a schema."""
    name = f"d{secrets.token_hex(4)}"
    with gateway.connect() as admin:
        admin.execute(f"CREATE DATABASE {name}")
    with gateway.connect(dbname=name) as who:
        who.execute("CREATE TABLE t (a INTEGER, b VARCHAR)")
        who.execute("CREATE TABLE other (x INTEGER)")
        who.execute("CREATE VIEW v AS SELECT 1 AS x")
        who.execute("CREATE SCHEMA s")
        yield who


def failure(connection: Connection, sql: str) -> psycopg.errors.Diagnostic:
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(sql)  # type: ignore[call-overload]
    return caught.value.diag


def notices(connection: Connection, sql: str) -> list[tuple[str | None, str | None]]:
    """Run a statement and return (SQLSTATE, text) of the notices that came with it."""
    told: list[tuple[str | None, str | None]] = []

    def keep(diag: psycopg.errors.Diagnostic) -> None:
        told.append((diag.sqlstate, diag.message_primary))

    connection.add_notice_handler(keep)
    try:
        connection.execute(sql)  # type: ignore[call-overload]
    finally:
        connection.remove_notice_handler(keep)
    return told


@pytest.mark.parametrize(
    ("statement", "sqlstate"),
    [
        ("UPDATE t SET nothing = 1", "42703"),
        ("UPDATE t SET a = nothing", "42703"),
        ("INSERT INTO t (nothing) VALUES (1)", "42703"),
        ("ALTER TABLE t DROP COLUMN nothing", "42703"),
        ("ALTER TABLE t ALTER nothing TYPE BIGINT", "42703"),
        ("ALTER TABLE t ALTER nothing DROP NOT NULL", "42703"),
        ("ALTER TABLE t RENAME COLUMN nothing TO c", "42703"),
        ("ALTER TABLE t RENAME COLUMN a TO b", "42701"),
        ("ALTER TABLE t ADD COLUMN a INTEGER", "42701"),
        ("CREATE TABLE k (a INTEGER, a INTEGER)", "42701"),
        ("ALTER TABLE t RENAME TO other", "42P07"),
        ("ALTER TABLE t RENAME TO v", "42P07"),
        ("ALTER TABLE t RENAME TO t", "42P07"),
        ("ALTER TABLE nothing RENAME TO nothing", "42P01"),
        ("CREATE TABLE v (a INTEGER)", "42P07"),
        ("CREATE SCHEMA s", "42P06"),
        ("DROP SCHEMA nothing", "3F000"),
        ("DROP TABLE v", "42809"),
    ],
)
def test_what_is_missing_or_there_already_has_postgresqls_sqlstate(
    db: Connection, statement: str, sqlstate: str
) -> None:
    assert failure(db, statement).sqlstate == sqlstate
    assert db.execute("SELECT count(*) FROM t").fetchall() == [(0,)], "the table is as it was"


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("CREATE TABLE IF NOT EXISTS t (q INTEGER)", ("42P07", 'relation "t" already exists, skipping')),
        ("CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS q", ("42P07", 'relation "t" already exists, skipping')),
        ("CREATE TABLE IF NOT EXISTS v (q INTEGER)", ("42P07", 'relation "v" already exists, skipping')),
        ("CREATE TABLE IF NOT EXISTS s.t (q INTEGER)", None),
        ("CREATE TEMP TABLE IF NOT EXISTS t (q INTEGER)", None),
        ("CREATE VIEW IF NOT EXISTS v AS SELECT 2 AS q", ("42P07", 'view "v" already exists, skipping')),
        ("CREATE SCHEMA IF NOT EXISTS s", ("42P06", 'schema "s" already exists, skipping')),
        ("CREATE SCHEMA IF NOT EXISTS s2", None),
        ("DROP TABLE IF EXISTS nothing", ("00000", 'table "nothing" does not exist, skipping')),
        ("DROP TABLE IF EXISTS s.t", ("00000", 'table "t" does not exist, skipping')),
        ("DROP TABLE IF EXISTS other", None),
        ("DROP VIEW IF EXISTS nothing", ("00000", 'view "nothing" does not exist, skipping')),
        ("DROP SCHEMA IF EXISTS nothing", ("00000", 'schema "nothing" does not exist, skipping')),
        ("DROP SCHEMA IF EXISTS s", None),
        ("ALTER TABLE IF EXISTS nothing RENAME TO n", ("00000", 'relation "nothing" does not exist, skipping')),
        (
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS a INTEGER",
            ("42701", 'column "a" of relation "t" already exists, skipping'),
        ),
        (
            "ALTER TABLE t DROP COLUMN IF EXISTS zz",
            ("00000", 'column "zz" of relation "t" does not exist, skipping'),
        ),
    ],
)
def test_what_is_skipped_is_told(db: Connection, statement: str, told: tuple[str, str] | None) -> None:
    assert notices(db, statement) == ([told] if told else [])


def test_a_block_tells_of_its_own_tables(gateway: Gateway, db: Connection) -> None:
    with gateway.connect(dbname=db.info.dbname, autocommit=False) as block:
        block.execute("CREATE TABLE mine (a INTEGER)")
        assert notices(block, "CREATE TABLE IF NOT EXISTS mine (a INTEGER)") == [
            ("42P07", 'relation "mine" already exists, skipping')
        ]
        block.execute("DROP TABLE mine")
        assert notices(block, "DROP TABLE IF EXISTS mine") == [("00000", 'table "mine" does not exist, skipping')]


def test_of_two_renames_at_once_one_wins_and_catalog_and_lake_agree(gateway: Gateway, db: Connection) -> None:
    for turn in range(4):
        db.execute(f"CREATE TABLE r{turn} AS SELECT {turn} AS n")  # type: ignore[call-overload]
        start = Barrier(2)

        def rename(number: int, turn: int = turn, start: Barrier = start) -> str | None:
            with gateway.connect(dbname=db.info.dbname) as client:
                client.execute("SELECT 1")
                start.wait(30)
                try:
                    client.execute(f"ALTER TABLE r{turn} RENAME TO r{turn}_{number}")  # type: ignore[call-overload]
                except psycopg.Error as error:
                    return error.sqlstate
                return None

        with ThreadPoolExecutor(2) as pool:
            told = list(pool.map(rename, range(2)))
        assert told.count(None) == 1
        assert {state for state in told if state} <= {"40001", "42P01"}
        won = f"r{turn}_{told.index(None)}"
        assert db.execute(f"SELECT n FROM {won}").fetchall() == [(turn,)]  # type: ignore[call-overload]
        listed = [row[0] for row in db.execute("SHOW TABLES").fetchall() if row[0].startswith(f"r{turn}")]
        engine = "SELECT table_name FROM information_schema.tables WHERE table_name LIKE %s"
        assert listed == [row[0] for row in db.execute(engine, [f"r{turn}%"]).fetchall()] == [won]


# --- what depends on what is dropped ----------------------------------------------------------------------------------


def names_of(connection: Connection) -> set[str]:
    return {f"{row[2]}.{row[0]}" for row in connection.execute("SHOW TABLES").fetchall()}


@pytest.fixture
def read(db: Connection) -> Connection:
    """The same, with views that read the table and each other."""
    db.execute("CREATE VIEW one AS WITH other AS (SELECT 1 AS x) SELECT t.a, x FROM t, other")
    db.execute("CREATE VIEW two AS SELECT a FROM public.one")
    db.execute("CREATE TABLE s.inside AS SELECT 1 AS n")
    db.execute("CREATE VIEW s.within AS SELECT n FROM s.inside")
    db.execute("CREATE VIEW outside AS SELECT n FROM s.within")
    return db


def test_a_table_that_views_read_is_not_dropped(read: Connection) -> None:
    told = failure(read, "DROP TABLE t")
    name = read.info.dbname
    assert told.sqlstate == "2BP01"
    assert told.message_primary == (
        f'cannot drop table "{name}.public.t": still depended upon by view "{name}.public.one", '
        f'view "{name}.public.two"'
    )
    assert "CASCADE" in (told.message_hint or "")
    assert failure(read, "DROP VIEW one").sqlstate == "2BP01"
    assert failure(read, "DROP SCHEMA s").sqlstate == "2BP01"
    assert names_of(read) >= {"public.t", "public.one", "public.two", "s.inside", "s.within", "public.outside"}
    read.execute("DROP TABLE other")  # the view's own expression has that name
    assert "public.other" not in names_of(read)


def test_cascade_takes_the_views_along(read: Connection) -> None:
    assert notices(read, "DROP TABLE t CASCADE") == [("00000", "drop cascades to 2 other objects")]
    assert names_of(read) == {"public.other", "public.v", "s.inside", "s.within", "public.outside"}
    assert notices(read, "DROP VIEW s.within CASCADE") == [("00000", "drop cascades to 1 other object")]
    assert notices(read, "DROP TABLE other CASCADE") == []
    assert names_of(read) == {"public.v", "s.inside"}


def test_cascade_of_a_schema_takes_all_of_it_along_and_what_reads_it(read: Connection) -> None:
    assert notices(read, "DROP SCHEMA s CASCADE") == [("00000", "drop cascades to 3 other objects")]
    assert names_of(read) == {"public.t", "public.other", "public.v", "public.one", "public.two"}
    assert [row[0] for row in read.execute("SHOW SCHEMAS").fetchall()] == ["public"]
    read.execute("CREATE SCHEMA s")
    left = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 's' AND table_catalog = %s"
    assert read.execute(left, [read.info.dbname]).fetchall() == [(0,)]


@pytest.mark.parametrize(("end", "left"), [("COMMIT", False), ("ROLLBACK", True)])
def test_cascade_in_a_block_holds_with_the_block(gateway: Gateway, read: Connection, end: str, left: bool) -> None:
    before = names_of(read)
    with gateway.connect(dbname=read.info.dbname) as block:
        block.execute("BEGIN")
        block.execute("DROP SCHEMA s CASCADE")
        block.execute("DROP TABLE t CASCADE")
        assert names_of(read) == before, "nobody else sees it yet"
        block.execute(end.encode())
    gone = {"public.t", "public.one", "public.two", "s.inside", "s.within", "public.outside"}
    assert names_of(read) == (before if left else before - gone)
    if left:
        assert read.execute("SELECT count(*) FROM outside").fetchall() == [(1,)]


def test_a_temporary_table_is_in_nobodys_view(read: Connection) -> None:
    read.execute("CREATE TEMP TABLE t (a INTEGER)")
    read.execute("DROP TABLE t CASCADE")
    assert "public.one" in names_of(read)
    assert read.execute("SELECT count(*) FROM one").fetchall() == [(0,)]


def test_others_views_go_with_a_table_but_not_others_tables_with_a_schema(gateway: Gateway, read: Connection) -> None:
    user = f"u{secrets.token_hex(4)}"
    read.execute(f"CREATE USER {user} PASSWORD 'correct horse battery staple'")  # type: ignore[call-overload]
    read.execute(f"GRANT USAGE, CREATE ON SCHEMA s TO {user}")  # type: ignore[call-overload]
    read.execute(f"GRANT SELECT ON t TO {user}")  # type: ignore[call-overload]
    read.execute(f"CREATE SCHEMA mine; ALTER SCHEMA mine OWNER TO {user}")  # type: ignore[call-overload]
    read.execute("CREATE TABLE mine.theirs (a INTEGER)")
    with gateway.connect(user, "correct horse battery staple", dbname=read.info.dbname) as who:
        who.execute("CREATE VIEW s.theirs AS SELECT a FROM t")
        assert failure(who, "DROP TABLE t CASCADE").sqlstate == "42501"
        assert failure(who, "DROP SCHEMA mine CASCADE").sqlstate == "42501"
        assert failure(who, "DROP SCHEMA s CASCADE").sqlstate == "42501"
    assert {"public.t", "s.theirs", "mine.theirs"} <= names_of(read)
    assert failure(read, "DROP TABLE t").sqlstate == "2BP01"
    read.execute("DROP TABLE t CASCADE")
    assert "s.theirs" not in names_of(read)


def test_cascade_of_a_database_takes_tables_and_views_along_and_nothing_else(
    gateway: Gateway, read: Connection
) -> None:
    name, view = read.info.dbname, f"v{secrets.token_hex(4)}"
    read.execute("CREATE SECRET stays AS 'a secret of the database'")
    read.close()
    with gateway.connect() as admin:
        admin.execute(f"CREATE VIEW {view} AS SELECT n FROM {name}.s.inside")  # type: ignore[call-overload]
        assert failure(admin, f"DROP DATABASE {name}").sqlstate == "2BP01"
        told = failure(admin, f"DROP DATABASE {name} CASCADE")
        assert told.sqlstate == "2BP01"
        assert told.message_detail == f"secret {name}.public.stays"
        admin.execute(f"DROP SECRET {name}.public.stays")  # type: ignore[call-overload]
        assert notices(admin, f"DROP DATABASE {name} CASCADE") == [("00000", "drop cascades to 9 other objects")]
        assert name not in {row[0] for row in admin.execute("SHOW DATABASES").fetchall()}
        assert f"public.{view}" not in names_of(admin)
        admin.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        assert failure(admin, f"SELECT * FROM {name}.t").sqlstate == "42P01"


# --- texts that are stored are bound when they are stored -------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "sqlstate", "word"),
    [
        ("CREATE VIEW w AS SELECT nothing FROM t", "42703", "nothing"),
        ("CREATE VIEW w AS SELECT * FROM nowhere", "42P01", "nowhere"),
        ("CREATE VIEW w AS SELECT * FROM v JOIN nowhere ON true", "42P01", "nowhere"),
        ("CREATE VIEW w AS SELECT no_such_function(a) FROM t", "42883", "no_such_function"),
        ("CREATE VIEW w (a, b, c) AS SELECT a FROM t", "42601", "more column names"),
        ("CREATE VIEW t AS SELECT 1 AS a", "42P07", "already exists"),
        ("CREATE VIEW nowhere.w AS SELECT nothing FROM t", "3D000", "nowhere"),
    ],
)
def test_a_view_of_nothing_is_not_created(db: Connection, statement: str, sqlstate: str, word: str) -> None:
    told = failure(db, statement)
    assert told.sqlstate == sqlstate
    assert word in (told.message_primary or "")
    if told.statement_position is not None and sqlstate != "42883":  # the engine points elsewhere for functions
        assert int(told.statement_position) == statement.index(word) + 1
    assert names_of(db) == {"public.t", "public.other", "public.v"}


def test_a_view_may_get_more_columns_and_keeps_those_it_has(db: Connection) -> None:
    db.execute("CREATE VIEW w AS SELECT a, b FROM t")
    db.execute("CREATE VIEW above AS SELECT * FROM w")
    for refused in (
        "SELECT a FROM t",
        "SELECT b, a FROM t",
        "SELECT a::BIGINT AS a, b FROM t",
        "SELECT a, b AS c FROM t",
    ):
        assert failure(db, f"CREATE OR REPLACE VIEW w AS {refused}").sqlstate == "42P16", refused
    assert failure(db, "CREATE OR REPLACE VIEW w AS SELECT a, b FROM above").sqlstate == "42P17"
    assert failure(db, "CREATE OR REPLACE VIEW w AS SELECT a, b FROM w").sqlstate == "42P17"
    db.execute("CREATE OR REPLACE VIEW w (a, b, c) AS SELECT a, b || '!', 7 FROM t")
    db.execute("INSERT INTO t VALUES (1, 'x')")
    assert db.execute("SELECT a, b, c FROM w").fetchall() == [(1, "x!", 7)]
    db.execute("ALTER TABLE t RENAME COLUMN b TO bb")
    db.execute("CREATE OR REPLACE VIEW w AS SELECT bb FROM t")  # nobody could read what it was


def test_an_error_in_a_views_text_names_the_view(gateway: Gateway, db: Connection) -> None:
    db.execute("CREATE VIEW w AS SELECT a, b FROM t")
    db.execute("CREATE VIEW above AS SELECT w.a FROM w, other")
    db.execute("ALTER TABLE t RENAME COLUMN b TO bb")
    for statement in ("SELECT * FROM w", "SELECT count(*) FROM above JOIN other ON true"):
        told = failure(db, statement)
        assert told.sqlstate == "42703"
        assert told.message_detail == f"in the text of view {db.info.dbname}.public.w"
        assert told.statement_position is None
    own = failure(db, "SELECT nothing FROM other")
    assert (own.sqlstate, own.message_detail) == ("42703", None)
    with pytest.raises(psycopg.Error) as caught:
        db.execute("SELECT * FROM w WHERE a = %s", [1])
    assert "public.w" in (caught.value.diag.message_detail or "")


@pytest.mark.parametrize(
    ("condition", "sqlstate"),
    [
        ("nothing = 1", "42703"),
        ("a", "42804"),
        ("b || 'x'", "42804"),
        ("no_such_function(a)", "42883"),
        ("a IN (SELECT 1)", "22023"),
    ],
)
def test_the_condition_of_a_grant_is_bound_when_it_is_granted(db: Connection, condition: str, sqlstate: str) -> None:
    role = f"r{secrets.token_hex(4)}"
    db.execute(f"CREATE ROLE {role}")  # type: ignore[call-overload]
    assert failure(db, f"GRANT SELECT ON t WHERE {condition} TO {role}").sqlstate == sqlstate
    assert failure(db, f"GRANT SELECT (a, nothing) ON t TO {role}").sqlstate == "42703"
    assert db.execute(f"SHOW GRANTS TO {role}").fetchall() == []  # type: ignore[call-overload]
    db.execute(f"GRANT SELECT ON t WHERE a > 1 AND b IS NOT NULL TO {role}")  # type: ignore[call-overload]
    assert len(db.execute(f"SHOW GRANTS TO {role}").fetchall()) == 1  # type: ignore[call-overload]


# --- what is shown can be run again -----------------------------------------------------------------------------------


def test_comments_are_shown_to_who_may_read_the_whole(gateway: Gateway, db: Connection) -> None:
    user = f"u{secrets.token_hex(4)}"
    db.execute(f"CREATE USER {user} PASSWORD 'correct horse battery staple'")  # type: ignore[call-overload]
    db.execute("COMMENT ON TABLE t IS 'it''s a table'")
    db.execute("COMMENT ON VIEW v IS 'it''s a view'")
    db.execute(f"GRANT SELECT (a) ON t TO {user}; GRANT SELECT ON v TO {user}")  # type: ignore[call-overload]

    def comments(who: Connection) -> dict[str, str]:
        return {row[0]: row[5] for row in who.execute("SHOW TABLES").fetchall()}

    assert comments(db) == {"t": "it's a table", "other": "", "v": "it's a view"}
    with gateway.connect(user, "correct horse battery staple", dbname=db.info.dbname) as who:
        assert comments(who) == {"t": "", "v": "it's a view"}
        assert failure(who, "COMMENT ON VIEW v IS 'mine'").sqlstate == "42501"
        assert "a table" not in str(who.execute("SHOW CREATE TABLE t").fetchall())
    db.execute("COMMENT ON VIEW v IS NULL")
    db.execute("COMMENT ON TABLE t IS NULL")
    assert comments(db) == {"t": "", "other": "", "v": ""}


def test_show_create_makes_the_same_table_again(db: Connection) -> None:
    db.execute(
        """CREATE TABLE full_one ("A b" BIGINT NOT NULL, day DATE DEFAULT current_date, n DECIMAL(12, 2) DEFAULT 1.5,
        "q'""t" VARCHAR DEFAULT 'it''s', s STRUCT(x INTEGER, "y z" VARCHAR[]), flag BOOLEAN DEFAULT 'true')"""
    )
    db.execute('ALTER TABLE full_one SET PARTITIONED BY (year(day), bucket(8, "A b"), n)')
    db.execute("COMMENT ON TABLE full_one IS 'it''s; one'")
    db.execute("""COMMENT ON COLUMN full_one."q'""t" IS 'a -- text'""")
    db.execute("CREATE VIEW over (x) AS SELECT n FROM full_one")
    db.execute("COMMENT ON VIEW over IS 'it''s; a view'")
    shown = [db.execute(f"SHOW CREATE {what}".encode()).fetchall() for what in ("TABLE full_one", "VIEW over")]
    assert [len(text.split(";\n")) for ((_, text),) in shown] == [4, 2]
    db.execute("DROP TABLE full_one CASCADE")
    for ((_, text),) in shown:
        db.execute(text.encode())
    assert [db.execute(f"SHOW CREATE {what}".encode()).fetchall() for what in ("TABLE full_one", "VIEW over")] == shown
    db.execute('INSERT INTO full_one ("A b") VALUES (1)')
    assert db.execute("SELECT x FROM over").fetchall() == db.execute("SELECT n FROM full_one").fetchall()
