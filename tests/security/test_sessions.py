"""What changes, or differs, around a session opens no way either: rights that end, other dialects, other people."""

from __future__ import annotations

import psycopg
import pytest

from tests.security.case import filled
from tests.security.corpus import files, lexer, statements
from tests.security.verdict import assert_nothing_escaped
from tests.security.world import ANALYST, run

DIALECTS = ("materialize", "singlestore", "databend", "clickzetta")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_text_is_cut_differently_under_another_dialect(dialect: str, world):
    before = world.fingerprint()
    world.recorder.requests.clear()
    with world.connect() as session:
        session.execute(f"SET dialect = '{dialect}'".encode())
        for case in lexer.CASES:
            outcome = run(session, [filled(statement, world.values) for statement in case.attack])
            assert outcome.state is not None or case.scoped, case.id
            assert_nothing_escaped(world, outcome, before)
        assert session.execute(b"SELECT 42").fetchone() == (42,)


@pytest.mark.parametrize("case", (*files.CASES, *statements.CASES)[::3], ids=lambda case: case.id)
def test_a_superuser_does_not_get_out_either(case, world):
    before = world.fingerprint()
    world.recorder.requests.clear()
    parameters = tuple(filled(str(p), world.values) for p in case.parameters)
    outcome = run(world.admin, [filled(statement, world.values) for statement in case.attack], parameters)
    assert outcome.state is not None
    assert_nothing_escaped(world, outcome, before)


def test_a_prepared_statement_is_judged_at_each_use(world):
    with world.connect() as session:
        query = b"SELECT b FROM @late/x.parquet WHERE a = %s"
        assert session.execute(query, (1,), prepare=True).fetchone() == ("granted",)
        world.admin.execute(f"REVOKE READ ON STAGE late FROM {ANALYST}".encode())
        try:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(query, (1,), prepare=True)
        finally:
            world.admin.execute(f"GRANT READ ON STAGE late TO {ANALYST}".encode())
        assert session.execute(query, (1,), prepare=True).fetchone() == ("granted",)


def test_the_session_of_a_dropped_user_is_of_no_more_use(world):
    world.admin.execute(b"CREATE USER gone PASSWORD 'for a moment'")
    world.admin.execute(b"GRANT READ ON STAGE raw TO gone")
    with world.gateway.connect("gone", "for a moment") as session:
        read = f"SELECT b FROM read_parquet('s3://{world.values['b']}/granted/x.parquet')".encode()
        assert session.execute(read).fetchone() == ("granted",)
        world.admin.execute(b"DROP USER gone")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="no longer exists"):
            session.execute(read)


def test_a_name_that_is_taken_again_brings_no_old_rights(world):
    """A user of the same name is another user: rights hang on the identity."""
    world.admin.execute(b"CREATE USER twice PASSWORD 'a'")
    world.admin.execute(b"GRANT READ ON STAGE raw TO twice")
    world.admin.execute(b"DROP USER twice")
    world.admin.execute(b"CREATE USER twice PASSWORD 'b'")
    try:
        with world.gateway.connect("twice", "b") as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(b"SELECT * FROM @raw/x.parquet")
    finally:
        world.admin.execute(b"DROP USER twice")


def test_sessions_share_no_table_and_no_cached_file(world):
    with world.connect() as one, world.connect("bob") as other:
        one.execute(b"CREATE TEMP TABLE mine AS SELECT * FROM @raw/x.parquet")
        with pytest.raises(psycopg.errors.UndefinedTable):
            other.execute(b"SELECT * FROM mine")
        url = f"s3://{world.values['b']}/team/x.parquet"
        assert one.execute(f"SELECT count(*) FROM read_parquet('{url}')".encode()).fetchone() == (1,)
        world.admin.execute(f"REVOKE crew FROM {ANALYST}".encode())
        try:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                one.execute(f"SELECT * FROM read_parquet('{url}')".encode())
        finally:
            world.admin.execute(f"GRANT crew TO {ANALYST}".encode())


def test_an_alias_of_a_session_is_neither_shown_nor_of_use_elsewhere(world):
    """Two connections lead to the bucket here, so the planner writes an alias; the user sees the bucket's own name."""
    bucket = world.values["b"]
    with world.connect() as session:
        rows = session.execute(
            b"SELECT filename FROM read_parquet('@twice_lake/x.parquet', filename => true)"
        ).fetchall()
        rows += session.execute(b"SELECT * FROM glob('@twice_lake/*')").fetchall()
        assert {row[0] for row in rows} == {f"s3://{bucket}/twice/x.parquet"}
        with pytest.raises(psycopg.errors.UndefinedFile) as missing:
            session.execute(b"SELECT * FROM @twice_lake/nosuch.parquet")
        assert f"s3://{bucket}/twice/nosuch.parquet" in str(missing.value)


def test_a_missing_stage_and_a_forbidden_one_are_told_alike(world):
    with world.connect() as session:
        told = set()
        for name in ("others", "nosuch"):
            for statement in ("SELECT * FROM @{}/x.parquet", "LIST @{}/", "DESC STAGE {}", "SHOW CREATE STAGE {}"):
                outcome = run(session, [statement.format(name)])
                told.add((statement, outcome.state, outcome.text.replace(name, "<name>")))
        assert len(told) == 4, told


def test_somebody_elses_statement_cannot_be_seen(world):
    """No activity view shows the text of another session, and SHOW statements list only what one may see."""
    with world.connect() as session:
        for statement in ("SHOW CONNECTIONS", "SHOW SECRETS", "SHOW LINKS"):
            outcome = run(session, [statement])
            assert "lake" not in outcome.rows, statement
        stages = run(session, ["SHOW STAGES"]).rows
        assert "'raw'" in stages
        assert "'others'" not in stages
