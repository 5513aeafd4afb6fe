"""The real psql against the listener."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.server.pgwire.double import PASSWORDS

PSQL = shutil.which("psql")
pytestmark = pytest.mark.skipif(PSQL is None, reason="psql is not installed: apt-get install postgresql-client")


@pytest.fixture
def psql(server):
    def run(*arguments, given="", **options):
        environment = {
            "PATH": os.environ["PATH"],
            "PGPASSWORD": PASSWORDS["ann"],
            "LC_ALL": "C.UTF-8",
            "HOME": "/nonexistent",
        }
        command = [
            PSQL,
            "-X",
            "-d",
            server.dsn(password=options.pop("password", PASSWORDS["ann"]), **options),
            *arguments,
        ]
        return subprocess.run(
            command, input=given, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    return run


def test_psql_connects_over_tls_and_shows_a_table(psql):
    done = psql("-c", r"\conninfo", "-c", "SELECT 1 AS one, NULL AS nothing, 'ü' AS text")
    assert done.returncode == 0, done.stderr
    assert "SSL connection (protocol: TLSv1.3" in done.stdout
    assert " one | nothing | text \n-----+---------+------\n   1 |         | ü\n(1 row)" in done.stdout
    assert done.stderr == ""


def test_psql_draws_a_caret_under_the_position(psql):
    done = psql("-c", "SELECT 'ß',\n  oops")
    assert done.returncode == 1
    assert done.stderr == (
        'ERROR:  syntax error at "oops"\nLINE 2:   oops\n          ^\nDETAIL:  a fact\nHINT:  say please\n'
    )


def test_psql_says_that_a_password_is_wrong(psql):
    done = psql("-c", "SELECT 1", password="wrong", sslmode="require")
    assert done.returncode == 2
    assert 'FATAL:  password authentication failed for user "ann"' in done.stderr


def test_psql_runs_a_script_from_its_input(psql):
    script = (
        "BEGIN;\nCREATE TABLE t AS SELECT 1 AS i;\nCOMMIT;\nSELECT * FROM t;\nNOTICE hello;\nSELECT i + 1 FROM t;\n"
    )
    done = psql("-At", given=script)
    assert done.stdout.splitlines() == ["BEGIN", "CREATE", "COMMIT", "1", "NOTICE", "2"]
    assert "NOTICE:  hello\nDETAIL:  a detail\nHINT:  a hint" in done.stderr


def test_psql_shows_every_result_of_one_query_string(psql):
    done = psql("-At", "-c", "SELECT 1; SHOW words; SELECT * FROM missing; SELECT 2")
    assert done.stdout.splitlines() == ["1", "one|1", "nothing|"]
    assert "missing" in done.stderr


def test_psql_prompts_follow_the_transaction(psql):
    done = psql("-At", given="\\set PROMPT1 x\nBEGIN;\nSELECT * FROM missing;\nSELECT 1;\nROLLBACK;\nSELECT 2;\n")
    assert done.stdout.splitlines() == ["BEGIN", "ROLLBACK", "2"]
    assert "current transaction is aborted" in done.stderr


def test_psql_cursors_of_many_rows_arrive_whole(psql):
    done = psql("-At", "-c", "SELECT i FROM range(5000) t(i)")
    assert done.stdout.split() == [str(i) for i in range(5000)]
