"""Ways around the rights on tables that take two users: what one of them prepares, the other one runs or takes back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest

from tests.commands.test_care import client
from tests.commands.test_care import gateway as in_process
from tests.engine.running import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.services.gateway import Gateway

_PASSWORD = "correct horse battery staple"
_SECRET = "planted"


class Two(NamedTuple):
    """The administrator, and an analyst with a schema of their own."""

    admin: psycopg.Connection[tuple[Any, ...]]
    analyst: psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(scope="module")
def planted(gateway: Gateway) -> Gateway:
    with gateway.connect() as admin:
        for sql in (
            f"CREATE USER analyst PASSWORD '{_PASSWORD}'",
            "CREATE SCHEMA own",
            "ALTER SCHEMA own OWNER TO analyst",
            "CREATE TABLE secret_t (a INTEGER, b VARCHAR)",
            f"INSERT INTO secret_t VALUES (1, '{_SECRET}'), (2, '{_SECRET}')",
            "CREATE TABLE open_t (a INTEGER)",
            "INSERT INTO open_t VALUES (1)",
        ):
            admin.execute(sql.encode())
    return gateway


@pytest.fixture
def two(planted: Gateway) -> Iterator[Two]:
    with planted.connect() as admin, planted.connect("analyst", _PASSWORD) as analyst:
        yield Two(admin, analyst)


def answer(who: psycopg.Connection[tuple[Any, ...]], sql: str) -> str:
    """Return the rows of a statement, or its error, as a text."""
    try:
        return str(who.execute(sql.encode()).fetchall())
    except psycopg.Error as error:
        return str(error)


def create_while_readable(two: Two, sql: str) -> None:
    """Let the analyst create a view of what they may not read any more: a view is bound when it is created."""
    two.admin.execute("GRANT SELECT ON secret_t TO analyst")
    two.analyst.execute(sql.encode())
    two.admin.execute("REVOKE SELECT ON secret_t FROM analyst")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT b AS n FROM secret_t",
        "SELECT b AS n FROM 'secret_t'",
        "SELECT b AS n FROM main.public.secret_t",
        "SELECT table_name AS n FROM information_schema.tables",
        "SELECT table_name AS n FROM duckdb_tables()",
        "SELECT b AS n FROM (FROM secret_t)",
    ],
)
def test_a_view_below_anothers_view_is_read_with_its_own_owners_rights(two: Two, query: str):
    two.analyst.execute("CREATE OR REPLACE VIEW own.below AS SELECT 'fair' AS n")
    two.admin.execute("CREATE OR REPLACE VIEW above AS SELECT n FROM own.below, (SELECT count(*) FROM secret_t)")
    two.admin.execute("GRANT SELECT ON VIEW above TO analyst")
    assert answer(two.analyst, "SELECT n FROM above") == "[('fair',)]"
    create_while_readable(two, f"CREATE OR REPLACE VIEW own.below AS {query}")
    seen = answer(two.analyst, "SELECT n FROM above")
    assert _SECRET not in seen
    assert "'secret_t'" not in seen


def test_a_superuser_reads_an_analysts_view_with_the_analysts_rights(two: Two):
    assert "does not exist" in answer(two.analyst, "CREATE OR REPLACE VIEW own.bait AS SELECT b FROM secret_t")
    create_while_readable(two, "CREATE OR REPLACE VIEW own.bait AS SELECT b FROM secret_t")
    two.admin.execute("CREATE OR REPLACE TABLE copied (b VARCHAR)")
    for begin, end in (("SELECT 1", "SELECT 1"), ("BEGIN", "ROLLBACK")):
        two.admin.execute(begin.encode())
        assert "does not exist" in answer(two.admin, "INSERT INTO copied SELECT b FROM own.bait")
        two.admin.execute(end.encode())


def test_the_result_of_a_view_goes_with_the_right_to_it(two: Two):
    catalogs = "SELECT DISTINCT database_name FROM duckdb_tables() WHERE database_name LIKE 'fairlead%'"
    two.admin.execute("CREATE OR REPLACE VIEW lent AS SELECT b FROM secret_t")
    two.admin.execute("GRANT SELECT ON VIEW lent TO analyst")
    two.analyst.execute("BEGIN")
    two.analyst.execute("SELECT * FROM lent")
    ((catalog,),) = two.analyst.execute(catalogs.encode()).fetchall()
    two.analyst.execute("CREATE TEMP VIEW kept AS SELECT * FROM lent")
    assert _SECRET in answer(two.analyst, f"SELECT * FROM {catalog}.main.v")
    two.admin.execute("REVOKE SELECT ON VIEW lent FROM analyst")
    assert "rights on a table or view of this transaction" in answer(two.analyst, "SELECT * FROM kept")
    two.analyst.execute("ROLLBACK")
    assert "does not exist" in answer(two.analyst, f"SELECT * FROM {catalog}.main.v")
    assert two.analyst.execute(catalogs.encode()).fetchall() == []


def test_a_temporary_view_of_a_block_ends_with_the_right_to_its_table(two: Two):
    two.admin.execute("CREATE OR REPLACE TABLE lent_t AS SELECT 'planted' AS b")
    two.admin.execute("GRANT SELECT ON lent_t TO analyst")
    two.analyst.execute("BEGIN")
    two.analyst.execute("CREATE TEMP VIEW kept_t AS SELECT * FROM lent_t")
    two.admin.execute("REVOKE SELECT ON lent_t FROM analyst")
    assert "rights on a table or view of this transaction" in answer(two.analyst, "SELECT * FROM kept_t")
    two.analyst.execute("ROLLBACK")


def test_a_part_that_was_made_smaller_is_the_smaller_one_in_the_next_block(two: Two):
    two.admin.execute("GRANT SELECT (a, b) ON secret_t TO analyst")
    assert _SECRET in answer(two.analyst, "SELECT * FROM secret_t")
    two.admin.execute("REVOKE SELECT (a, b) ON secret_t FROM analyst")
    two.admin.execute("GRANT SELECT (a) ON secret_t WHERE a = 2 TO analyst")
    two.analyst.execute("BEGIN")
    two.analyst.execute("SELECT 1")
    seen = answer(two.analyst, "SELECT * FROM secret_t")
    two.analyst.execute("ROLLBACK")
    two.admin.execute("REVOKE SELECT (a) ON secret_t FROM analyst")
    assert seen == "[(2,)]"


def test_the_right_to_truncate_is_none_to_delete_single_rows(two: Two):
    two.admin.execute("CREATE OR REPLACE TABLE emptied (a INTEGER)")
    two.admin.execute("INSERT INTO emptied VALUES (1), (2)")
    two.admin.execute("GRANT SELECT, TRUNCATE ON emptied TO analyst")
    two.analyst.execute("BEGIN")
    two.analyst.execute("EXPLAIN ANALYZE DELETE FROM emptied WHERE a = 1")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="emptied"):
        two.analyst.execute("COMMIT")
    two.analyst.execute("ROLLBACK")
    for begin, end in (("BEGIN", "COMMIT"), ("SELECT 1", "SELECT 1")):
        assert answer(two.admin, "SELECT count(*) FROM emptied") == "[(2,)]"
        two.analyst.execute(begin.encode())
        two.analyst.execute("TRUNCATE emptied")
        two.analyst.execute(end.encode())
        assert answer(two.admin, "SELECT count(*) FROM emptied") == "[(0,)]"
        two.admin.execute("INSERT INTO emptied VALUES (1), (2)")


def test_the_owner_of_a_schema_does_not_learn_of_others_tables_in_it(two: Two):
    two.admin.execute("CREATE TABLE own.unseen_t (a INTEGER)")
    refused = answer(two.analyst, "DROP SCHEMA own")
    two.admin.execute("DROP TABLE own.unseen_t")
    assert "objects that you have no rights on" in refused
    assert "unseen_t" not in refused


def test_a_change_that_is_refused_at_its_end_is_on_record(two: Two):
    two.admin.execute("GRANT SELECT ON open_t TO analyst")
    assert "must be owner" in answer(two.analyst, "ALTER TABLE open_t ADD COLUMN b INTEGER")
    *_, last = [row for row in two.admin.execute("SHOW LEDGER LIMIT 1000").fetchall() if row[2] == "refused"]
    assert last[3:6] == ("analyst", "CHANGE OF TABLES", "statement")


def test_nobody_waits_for_ever_for_a_slow_statement_that_loses_again_and_again(tmp_path: Path):
    """Such a one holds a lock while it runs, and others ask for that lock, too."""

    async def body() -> None:
        async with in_process(tmp_path) as made:
            sql = await client(made)
            await sql("CREATE TABLE t (a INTEGER)")
            await sql("INSERT INTO t VALUES (1)")
            lake = made.house.lakes.known(1)
            assert lake is not None
            async with lake.contended("t"), asyncio.timeout(60):
                await sql("UPDATE t SET a = 2")
            assert await sql("SELECT a FROM t") == [("2",)]

    run(body())
