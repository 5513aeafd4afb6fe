"""``fairlead serve``: what it says of itself, and what it refuses to start with."""

from __future__ import annotations

import json
import subprocess
import sys

import psycopg
import pytest

from tests.catalog.test_upgrade import first_release
from tests.services.gateway import Gateway
from tests.services.process import wait_until


def lines(gateway) -> list[dict[str, object]]:
    return [json.loads(line) for line in gateway.log.splitlines() if line.startswith("{")]


def test_it_migrates_an_older_catalog_and_says_so(tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    first_release(data / "catalog.db")
    gateway = Gateway(tmp_path)
    try:
        gateway.start()
        with gateway.connect() as admin:
            assert admin.execute("VERIFY LEDGER").fetchone()[1] == "t"
    finally:
        gateway.end()
    (told,) = [line for line in lines(gateway) if line["event"] == "the catalog was migrated"]
    assert told["before"] == "0001"
    assert [str(path) for path in (data / "backups").iterdir()] == [told["backup"]]


def test_a_second_gateway_is_told_who_the_first_is(gateway, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "fairlead", "serve", "--data", str(gateway.data), "--pg", "127.0.0.1:0"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env={"COLUMNS": "300"},
        check=False,
    )
    assert done.returncode == 2
    assert f"in use by process {gateway.pid}" in done.stderr
    assert "stop that gateway" in done.stderr
    gateway.connect().close()


def test_the_log_has_a_line_for_each_session_and_statement_without_their_texts(start_gateway):
    gateway = start_gateway(env={"FAIRLEAD_LOG_LEVEL": "debug"})
    with gateway.connect(application_name="reports") as admin:
        admin.execute("SELECT 'a literal' AS x FROM range(3)")
        admin.execute("CREATE SECRET a_name AS 'another literal'")
        with pytest.raises(psycopg.Error):
            admin.execute("SELECT 'third literal' FROM nowhere")
        (row,) = [row for row in admin.execute("SHOW LEDGER LIMIT 5").fetchall() if row[4] == "CREATE SECRET"]
    wait_until(lambda: "a session ended" in gateway.log)
    told = lines(gateway)
    assert {"starting", "ready"} <= {line["event"] for line in told}
    assert all({"event", "level", "timestamp"} <= line.keys() for line in told)
    (begun,) = [line for line in told if line["event"] == "a session begins" and line["application"] == "reports"]
    mine = [line for line in told if str(line.get("statement", "")).startswith(f"{begun['session']}-")]
    assert [(line["kind"], line["sqlstate"]) for line in mine] == [
        ("SELECT", "00000"),
        ("CREATE SECRET", "00000"),
        ("SELECT", "42P01"),
        ("SHOW LEDGER", "00000"),
    ]
    assert row[8] == mine[1]["statement"]  # the ledger has it under the same number
    assert all(0 <= line["seconds"] < 300 for line in mine)
    assert "literal" not in gateway.log
    assert "a_name" not in gateway.log


def test_the_log_is_text_where_that_is_asked_for(start_gateway):
    gateway = start_gateway(arguments=("--log-format", "text"))
    assert lines(gateway) == []
    (ready,) = [line for line in gateway.log.splitlines() if " ready " in line]
    assert "\x1b" not in ready
    assert "port=" in ready
    gateway.stop()
    gateway = start_gateway(env={"FAIRLEAD_LOG_FORMAT": "json", "FAIRLEAD_LOG_LEVEL": "error"})
    assert [line["event"] for line in lines(gateway)] == []


def test_a_log_that_cannot_be_written_ends_nothing(tmp_path):
    """/dev/full refuses every write, as a full disk does."""
    program = (
        "from fairlead.server import logging\nimport structlog\n"
        "logging.configure('info', terminal=False, scrub=str)\n"
        "structlog.get_logger().error('x' * 100000)\nprint('went on')"
    )
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=full, text=True, check=False
        )
    assert done.stdout == "went on\n"
