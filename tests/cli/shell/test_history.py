"""Nothing that may be a secret is written into the history."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from fairlead.cli.shell.history import SafeHistory, history_file, keepable

KEPT = {
    "select 1;": "select 1;",
    "  SELECT a,\n  b FROM t;": "SELECT a,\n  b FROM t;",
    "select 1; select 2;": "select 1; select 2;",
    "SHOW TABLES;": "SHOW TABLES;",
    "GRANT USAGE ON CONNECTION lake TO ann;": "GRANT USAGE ON CONNECTION lake TO ann;",
    "DROP SECRET s;": "DROP SECRET s;",
    "\\d t": "\\d t",
    "select 1; -- my password is hunter2": "select 1;",
    "/* hunter2 */ select 1;": "select 1;",
}
DROPPED = [
    "CREATE SECRET s AS 'hunter2';",
    "create user u password 'hunter2';",
    "ALTER USER u PASSWORD 'hunter2';",
    "CREATE CONNECTION c TO AWS (ACCESS KEY ID = 'AKIA', SECRET ACCESS KEY = 'hunter2');",
    """CREATE LINK l AS S3 CREDENTIALS '{"aws_secret_access_key": "hunter2"}' CONFIG '{}';""",
    "SELECT * FROM read_csv('https://user:hunter2@host/x.csv');",
    "SELECT * FROM 's3://b/x?X-Amz-Signature=hunter2';",
    "COPY t FROM 's3://b/x' (SECRET 'hunter2');",
    "select 1; CREATE SECRET s AS 'hunter2';",
    "CREATE SECRET s AS 'hunter2",
    "craete secret s as 'hunter2';",
    "SET token = 'hunter2';",
    "\\c postgresql://u:hunter2@host/db",
    "\\connect password=hunter2",
]


@pytest.mark.parametrize("line", KEPT)
def test_what_holds_no_secret_is_kept_without_its_comments(line):
    assert keepable(line) == KEPT[line]


@pytest.mark.parametrize("line", DROPPED)
def test_what_may_hold_one_is_not(line, tmp_path):
    assert keepable(line) is None
    history = SafeHistory(tmp_path / "history")
    history.append_string(line)
    history.append_string("select 1;")
    assert "hunter2" not in (tmp_path / "history").read_text()
    assert list(history.load_history_strings()) == ["select 1;"]
    assert history.get_strings()[-2] == line  # until the shell ends it can be called back


def test_the_file_is_its_owner_s_alone(tmp_path):
    path = tmp_path / "new" / "history"
    SafeHistory(path).append_string("select 1;")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    SafeHistory(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_where_it_is(monkeypatch):
    monkeypatch.delenv("FAIRLEAD_SHELL_HISTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert history_file() == Path("/state/fairlead/history")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert history_file() == Path.home() / ".local/state/fairlead/history"
    monkeypatch.setenv("FAIRLEAD_SHELL_HISTORY", "/elsewhere")
    assert history_file() == Path("/elsewhere")
