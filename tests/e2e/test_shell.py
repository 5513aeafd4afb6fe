"""``fairlead shell`` against a real gateway: as a script, and as a person at a terminal."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from fairlead.cli.shell import names
from fairlead.cli.shell.connecting import connect
from fairlead.cli.shell.history import SafeHistory
from fairlead.cli.shell.printing import JsonPrinter
from fairlead.cli.shell.progress import Notices
from fairlead.cli.shell.prompt import Prompt
from fairlead.cli.shell.running import Runner
from fairlead.cli.shell.shell import Shell
from tests.cli.terminal import Terminal
from tests.security.processes import descendants
from tests.services.process import wait_until

WORDS = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "COLUMNS": "120", "PROMPT_TOOLKIT_NO_CPR": "1"}


def address(gateway, user="fairlead", database="main") -> str:
    host, port = gateway.address
    return f"postgresql://{user}@{host}:{port}/{database}"


def used(gateway) -> int:
    """Return the time that the gateway's workers have used, in hundredths of a second."""
    ticks = 0
    for pid in descendants(gateway.pid):
        with suppress(OSError):
            ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
    return ticks


def script(gateway, home: Path, *arguments: str, given: str = "", password: str | None = None):
    return subprocess.run(
        [sys.executable, "-m", "fairlead", "shell", address(gateway), *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=home,
        env={**WORDS, "HOME": str(home), "PGPASSWORD": gateway.password if password is None else password},
        start_new_session=True,
        check=False,
    )


def test_results_are_written_for_people_and_for_programs(gateway, tmp_path):
    query = "SELECT 1 AS n, 'a,b' AS s, NULL AS x, true AS t"
    shown = script(gateway, tmp_path, "-c", query)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "│ 1 │ a,b │ NULL │ t │" in shown.stdout
    assert list(csv.reader(script(gateway, tmp_path, "--csv", "-c", query).stdout.splitlines()))[1] == [
        "1",
        "a,b",
        "",
        "t",
    ]
    line = script(gateway, tmp_path, "--json", "-c", query).stdout
    assert json.loads(line) == {"n": 1, "s": "a,b", "x": None, "t": True}


def test_a_large_result_comes_in_pieces(gateway, tmp_path):
    done = script(gateway, tmp_path, "--csv", "-c", "SELECT i FROM range(200000) t(i)")
    assert done.returncode == 0
    lines = done.stdout.split()
    assert (lines[0], lines[1], lines[-1], len(lines)) == ("i", "0", "199999", 200_001)


def test_a_script_runs_in_order_and_ends_at_its_first_error(gateway, tmp_path):
    (tmp_path / "part.sql").write_text("SELECT 'from a file' AS b;")
    text = "SELECT 'first;' AS a; \n\\i part.sql\nSELECT count(*) FROM nowhere;\nSELECT 'never' AS c;"
    (tmp_path / "all.sql").write_text(text)
    for done in (
        script(gateway, tmp_path, "--json", given=text),
        script(gateway, tmp_path, "--json", "-f", "all.sql"),
        script(gateway, tmp_path, "--json", "-f", "-", given=text),
        script(gateway, tmp_path, "--json", "-c", text),
    ):
        assert done.returncode == 1
        assert [json.loads(line) for line in done.stdout.splitlines()] == [{"a": "first;"}, {"b": "from a file"}]
        assert "ERROR 42P01" in done.stderr
        assert "nowhere" in done.stderr


def test_an_error_shows_its_line_and_place_and_what_to_do(gateway, tmp_path):
    done = script(gateway, tmp_path, "-c", "SHOW TABLES LIKE\n  'x' wrong")
    assert done.returncode == 1
    first, line, caret, *_ = done.stderr.splitlines()
    assert first.startswith("ERROR 42601: ")
    assert line == "LINE 2:   'x' wrong"
    assert line[caret.index("^") :].startswith("wrong")


def test_what_cannot_begin_has_exit_code_two(gateway, tmp_path):
    assert (
        "password authentication failed"
        in (bad := script(gateway, tmp_path, "-c", "SELECT 1", password="wrong")).stderr
    )
    assert bad.returncode == 2
    none = script(gateway, tmp_path, "-c", "SELECT 1", password="")
    assert (none.returncode, "no terminal to ask" in none.stderr) == (2, True)
    assert script(gateway, tmp_path, "--csv", "--json", "-c", "SELECT 1").returncode == 2
    assert script(gateway, tmp_path, "-f", "missing.sql").returncode == 2


def test_a_notice_is_on_standard_error(gateway, tmp_path):
    done = script(gateway, tmp_path, "-c", "BEGIN", "-c", "BEGIN", "-c", "ROLLBACK")
    assert "WARNING: there is already a transaction in progress" in done.stderr
    assert done.returncode == 0


def test_a_file_is_copied_in(gateway, tmp_path):
    (tmp_path / "in.csv").write_text("i,s\n" + "".join(f'{n},"row {n}"\n' for n in range(50_000)))
    done = script(
        gateway,
        tmp_path,
        *("-c", "CREATE TABLE copied (i INTEGER, s VARCHAR)", "-c", "\\copy copied from 'in.csv' csv header"),
        *("--json", "-c", "SELECT count(*) AS n, max(s) AS s FROM copied"),
    )
    assert done.returncode == 0, done.stderr
    assert "COPY 50000" in done.stderr
    assert json.loads(done.stdout) == {"n": 50_000, "s": "row 9999"}
    (tmp_path / "bad.csv").write_text("1,x\ntwo,y\n")
    bad = script(gateway, tmp_path, "-c", "\\copy copied from 'bad.csv' csv")
    assert bad.returncode == 1
    assert "ERROR 22P02" in bad.stderr
    assert "line 2" in bad.stderr
    missing = script(gateway, tmp_path, "-c", "\\copy copied from 'missing.csv' csv")
    assert (missing.returncode, "cannot be used" in missing.stderr) == (1, True)


@pytest.fixture
def terminal(gateway, tmp_path):
    one = Terminal(
        [sys.executable, "-m", "fairlead", "shell", address(gateway)],
        env={**WORDS, "HOME": str(tmp_path), "PAGER": "cat"},
        cwd=tmp_path,
    )
    try:
        one.wait_for("Password for fairlead: ")
        one.ask(gateway.password + "\n", "=>")
        assert gateway.password not in one.shown
        yield one
    finally:
        one.close()


def test_a_person_types_statements_over_lines_and_leaves(terminal, tmp_path):
    terminal.ask("SELECT 40\r", "->")
    terminal.ask("+ 2 AS answer;\r", "(1 row)")
    assert "│     42 │" in terminal.shown
    terminal.ask("\\x on\r", "a line for each value: on")
    terminal.ask("SELECT 7 AS seven;\r", "seven | 7")
    terminal.ask("\\timing\r", "timing is on")
    terminal.ask("BEGIN;\r", "*=>")
    terminal.ask("SELECT * FROM nowhere;\r", "!=>")
    terminal.ask("ROLLBACK;\r", "time: ")
    terminal.ask("CREATE SECRET shh AS 'hunter2hunter2';\r", "CREATE SECRET")
    terminal.ask("\\conninfo\r", "with TLS")
    terminal.type("\\q\r")
    assert terminal.end() == 0
    history = (tmp_path / ".local/state/fairlead/history").read_text()
    assert "SELECT 40" in history
    assert "hunter2" not in history


def test_ctrl_c_cancels_the_statement_and_not_the_shell(terminal, gateway):
    before = used(gateway)
    terminal.type("SELECT count(*) FROM range(100000000000) a, range(1000) b;\r")
    wait_until(lambda: used(gateway) > before + 30, timeout=60)  # some worker has begun to count
    terminal.ask("\x03", "cancelled")
    terminal.ask("SELECT 'still here' AS a;\r", "(1 row)")
    assert "still here" in terminal.shown
    terminal.type("SELECT half")
    terminal.ask("\x03", "=>")
    terminal.type("\x04")
    assert terminal.end() == 0


def test_a_gateway_that_goes_away_is_told(start_gateway, tmp_path):
    gateway = start_gateway()
    one = Terminal(
        [sys.executable, "-m", "fairlead", "shell", address(gateway)],
        env={**WORDS, "HOME": str(tmp_path), "PGPASSWORD": gateway.password},
        cwd=tmp_path,
    )
    try:
        one.wait_for("=>")
        gateway.stop()
        one.ask("SELECT 1;\r", "ERROR 08006")
        assert one.end() == 2
    finally:
        one.close()


def test_progress_of_an_export_is_drawn(gateway, lake, tmp_path):
    with gateway.connect() as admin:
        admin.execute(lake.connection_sql("singlestore", "lake"))
    one = Terminal(
        [sys.executable, "-m", "fairlead", "shell", address(gateway)],
        env={**WORDS, "HOME": str(tmp_path), "PGPASSWORD": gateway.password},
        cwd=tmp_path,
    )
    try:
        one.wait_for("=>")
        rows = "SELECT i, repeat('x', 2000) AS filler FROM range(1000000000) t(i)"
        one.ask(f"{rows} INTO LINK lake '{lake.bucket}/shell/';\r", "MiB written")
        assert "exporting" in one.shown
        assert "NOTICE: exporting" not in one.shown
        one.ask("\x03", "cancelled")
        one.type("\\q\r")
        assert one.end() == 0
    finally:
        one.close()


def test_names_are_known_and_history_is_kept(gateway, tmp_path, monkeypatch):
    """The prompt itself, with keys through a pipe."""
    with gateway.connect() as admin:
        admin.execute("CREATE TABLE IF NOT EXISTS zebras (stripes INTEGER)")
        admin.execute("INSERT INTO zebras VALUES (77)")
    monkeypatch.setenv("PGPASSWORD", gateway.password)
    out = (tmp_path / "out").open("w+")
    err = Console(file=(tmp_path / "err").open("w"))
    notices = Notices(err)
    with connect(address(gateway)) as connection, create_pipe_input() as keys:
        shell = Shell(Runner(connection, notices.take), JsonPrinter(out), notices, err)
        shell.known, shell.stale = names.ask(shell.runner), False
        assert "zebras" in shell.known.of("relations")
        assert shell.known.columns["zebras"] == ("stripes",)
        prompt = Prompt(shell, history=SafeHistory(tmp_path / "history"), keys=keys, screen=DummyOutput())
        keys.send_text("SELECT stripes FROM zebras;\r")
        keys.send_text("\x04")
        prompt.run()
    out.seek(0)
    assert [json.loads(line) for line in out] == [{"stripes": 77}]
    assert list(SafeHistory(tmp_path / "history").load_history_strings()) == ["SELECT stripes FROM zebras;"]


def test_without_the_extra_the_error_names_it(gateway, tmp_path):
    for module in ("psycopg", "prompt_toolkit"):
        program = (
            f"import sys; sys.modules[{module!r}] = None; sys.argv = ['fairlead', 'shell', {address(gateway)!r}];"
            "from fairlead.cli.main import app; app()"
        )
        one = Terminal(
            [sys.executable, "-c", program],
            env={**WORDS, "HOME": str(tmp_path), "PGPASSWORD": gateway.password},
            cwd=tmp_path,
        )
        try:
            one.wait_for("fairlead[shell]")
            assert one.end() == 2
            assert f"{module} is not installed" in one.shown
        finally:
            one.close()
