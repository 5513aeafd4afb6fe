"""``fairlead doctor``: finds each kind of damage, says what to do, and changes nothing."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fairlead.config import Settings
from fairlead.server.doctor import directory, listeners, machine, stored
from fairlead.server.doctor.examination import examine
from tests.services.gateway import Gateway


def doctor(data: Path, *arguments: str, expect: int) -> list[dict[str, str]]:
    done = subprocess.run(
        [sys.executable, "-m", "fairlead", "doctor", "--data", str(data), "--json", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=data.parent,
        env={"PATH": os.environ["PATH"]},
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return json.loads(done.stdout)


def statuses(found) -> dict[str, set[str]]:
    by_check: dict[str, set[str]] = {}
    for one in found:
        by_check.setdefault(one["check"], set()).add(one["status"])
    return by_check


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The data directory of a gateway that has been used, with a secret and a table."""
    gateway = Gateway(tmp_path_factory.mktemp("gateway"))
    try:
        gateway.start()
        with gateway.connect() as admin:
            admin.execute("CREATE SECRET k AS 'a secret value'")
            admin.execute("CREATE TABLE t AS SELECT i FROM range(5000) r(i)")
            admin.execute("VACUUM")
        running = doctor(gateway.data, "--pg", ":".join(map(str, gateway.address)), expect=0)
        gateway.stop()
        yield gateway.data, running
    finally:
        gateway.end()


@pytest.fixture
def data(made, tmp_path) -> Path:
    """A copy that a test may damage."""
    shutil.copytree(made[0], tmp_path / "data")
    return tmp_path / "data"


def test_a_running_gateway_is_healthy(made):
    found = statuses(made[1])
    assert not [check for check, all_ in found.items() if "failed" in all_]
    for check in ("lock", "catalog", "keyring", "ledger", "tables", "listener pg", "certificate", "data directory"):
        assert found[check] == {"ok"}, check
    by_check = {one["check"]: one["message"] for one in made[1]}
    assert "held by the gateway with process id" in by_check["lock"]
    assert "all 1 stored secrets" in by_check["keyring"]
    assert "something answers at" in by_check["listener pg"]
    assert {check for check in found if check.startswith("layer ")} >= {"layer namespace", "layer landlock"}


def test_a_stopped_one_is_healthy_and_not_changed(data):
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*") if path.is_file()}
    before = {path: at for path, at in before.items() if not path.name.endswith("-shm")}  # SQLite's own memory
    found = statuses(doctor(data, "--pg", "127.0.0.1:0", expect=0))
    assert found["left-overs"] == {"ok"}
    assert found["lock"] == {"ok"}
    after = {path: path.stat().st_mtime_ns for path in before}
    assert after == before


def _truncate_catalog(data: Path) -> None:
    with (data / "catalog.db").open("r+b") as file:
        file.truncate(3 * 4096 + 100)


def _change(data: Path, sql: str) -> None:
    with closing(sqlite3.connect(data / "catalog.db")) as opened, opened:
        for trigger in ("ledger_keeps_rows", "ledger_keeps_values"):
            opened.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        opened.execute(sql)


def _data_file(data: Path) -> Path:
    return next(file for file in (data / "lake").rglob("ducklake-*.parquet"))


def _other_keyring(data: Path) -> None:
    (data / "keyring.json").unlink()
    from fairlead.vault.keyring import Keyring  # noqa: PLC0415

    Keyring.generate().save(data / "keyring.json")


def _orphan(data: Path) -> None:
    file = _data_file(data)
    name = "ducklake-00000000-0000-7000-8000-000000000000.parquet"
    shutil.copy(file, file.with_name(name))


DAMAGE = {
    "cut catalog": (_truncate_catalog, "catalog", "failed", "damaged"),
    "no catalog at all": (lambda d: (d / "catalog.db").write_bytes(b"x" * 9000), "catalog", "failed", "damaged"),
    "newer catalog": (
        lambda d: _change(d, "UPDATE alembic_version SET version_num = '9999'"),
        *("catalog", "failed", "newer Fairlead (revision 9999"),
    ),
    "older catalog": (
        lambda d: _change(d, "UPDATE alembic_version SET version_num = '0001'"),
        *("catalog", "ok", "the next start migrates it, after a backup"),
    ),
    "another keyring": (_other_keyring, "keyring", "failed", "sealed with another keyring"),
    "lost keyring": (lambda d: (d / "keyring.json").unlink(), "keyring", "failed", "is missing"),
    "open keyring": (lambda d: (d / "keyring.json").chmod(0o644), "permissions", "failed", "keyring.json"),
    "open directory": (lambda d: d.chmod(0o755), "permissions", "failed", "mode 0755"),
    "changed ledger": (
        lambda d: _change(d, "UPDATE ledger SET principal = 'nobody' WHERE seq = 1"),
        *("ledger", "failed", "at row 1"),
    ),
    "cut ledger": (
        lambda d: _change(d, "DELETE FROM ledger WHERE seq = (SELECT max(seq) FROM ledger)"),
        *("ledger", "failed", "the newest 1 row(s) are missing"),
    ),
    "lost file of a table": (lambda d: _data_file(d).unlink(), "tables", "failed", "1 file(s) of tables are missing"),
    "damaged metadata": (
        lambda d: _data_file(d).parents[3].joinpath("catalog.sqlite").write_bytes(b"no database" * 500),
        *("tables", "failed", "damaged"),
    ),
    "lost metadata": (
        lambda d: _data_file(d).parents[3].joinpath("catalog.sqlite").unlink(),
        *("tables", "failed", "are missing"),
    ),
    "orphan": (_orphan, "left-overs", "warning", "1 files that nothing needs"),
    "certificate without its key": (lambda d: (d / "server.key").unlink(), "certificate", "failed", "cannot be used"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_and_has_a_remedy(data, damage):
    apply, check, status, words = DAMAGE[damage]
    apply(data)
    settings = Settings(data=data, pg="127.0.0.1:0")
    found = [*directory.examine(settings), *stored.examine(settings), *listeners.examine(settings)]
    hits = [one for one in found if one.check == check and one.status == status and words in one.message]
    assert hits, found
    assert status == "ok" or all(one.remedy for one in hits)


def test_a_failure_is_the_exit_code(data):
    _truncate_catalog(data)
    assert statuses(doctor(data, "--pg", "127.0.0.1:0", expect=1))["catalog"] == {"failed"}


def test_before_the_first_start_nothing_fails_and_nothing_is_made(tmp_path):
    found = statuses(doctor(tmp_path / "none", "--pg", "127.0.0.1:0", expect=0))
    assert found["catalog"] == found["data directory"] == found["certificate"] == {"skipped"}
    assert not (tmp_path / "none").exists()


def test_a_port_that_somebody_else_has_is_a_failure(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        (found,) = [f for f in listeners.examine(Settings(data=tmp_path, pg=address)) if f.check == "listener pg"]
    assert (found.status, "cannot be used" in found.message) == ("failed", True)


@pytest.mark.parametrize(
    ("left", "status"),
    [(timedelta(days=300), "ok"), (timedelta(days=10), "warning"), (timedelta(minutes=-5), "failed")],
)
def test_the_certificate_s_end_is_looked_at(tmp_path, monkeypatch, left, status):
    from fairlead.server.pgwire import tls  # noqa: PLC0415

    monkeypatch.setattr(tls, "_VALID", left)
    tls._make(tmp_path / tls.CERTIFICATE_FILE, tmp_path / tls.KEY_FILE)
    settings = Settings(data=tmp_path, pg="127.0.0.1:0")
    found = [one for one in listeners.examine(settings) if one.check == "certificate"]
    assert found[0].status == status, found
    assert found[1].status == "ok"
    elsewhere = [*listeners.examine(Settings(data=tmp_path, pg="sql.example.org:7432"))]
    assert any("does not name sql.example.org" in one.message for one in elsewhere)


def test_memory_is_compared_with_the_settings_and_the_container_s_limit_counts(tmp_path, monkeypatch):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_text("MemTotal:        8388608 kB\nMemFree: 1 kB\n")
    assert machine._memory_mib(tmp_path) == 8192
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    (tmp_path / "sys/fs/cgroup/memory.max").write_text(f"{2**30}\n")
    assert machine._memory_mib(tmp_path) == 1024
    for total, status in ((1024, "failed"), (4096, "warning"), (65536, "ok"), (None, "skipped")):
        monkeypatch.setattr(machine, "_memory_mib", lambda total=total: total)
        assert machine.memory(Settings(data=tmp_path)).status == status


def test_open_files_are_compared_with_the_sessions(tmp_path):
    few = Settings(data=tmp_path)
    few.worker.max_sessions = 1
    many = Settings(data=tmp_path)
    many.worker.max_sessions = 10_000_000
    assert machine.open_files(few).status == "ok"
    assert machine.open_files(many).status == "warning"


def test_a_clock_that_went_back_is_a_failure(tmp_path):
    file = tmp_path / "catalog.db"
    file.write_bytes(b"")
    later = (datetime.now(UTC) + timedelta(hours=5)).timestamp()
    os.utime(file, (later, later))
    assert machine.clock(Settings(data=tmp_path)).status == "failed"
    os.utime(file, (1, 1))
    assert machine.clock(Settings(data=tmp_path)).status in {"ok", "warning"}


def test_a_full_disk_is_a_failure(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(total=2**40)
    for free, status in ((2**20, "failed"), (2**29, "warning"), (2**39, "ok")):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: usage._replace(free=free))
        assert directory.room(tmp_path, Settings(data=tmp_path)).status == status


def test_a_check_that_breaks_down_is_a_finding_and_the_others_go_on(tmp_path, monkeypatch):
    def broken(_):
        raise OSError("the disk is on fire")

    monkeypatch.setitem(examine.__globals__["_CHECKS"], "catalog", broken)
    found = asyncio.run(examine(Settings(data=tmp_path / "none", pg="127.0.0.1:0")))
    assert [one.status for one in found if one.check == "catalog"] == ["failed"]
    assert any("on fire" in one.message for one in found)
    assert any(one.check == "layer landlock" for one in found)


def test_workers_that_cannot_start_are_a_finding(tmp_path, monkeypatch):
    monkeypatch.setattr("fairlead.engine.zygote._PROGRAM", Path("/nonexistent"))
    found = asyncio.run(machine.layers(Settings(data=tmp_path)))
    assert [one.status for one in found] == ["failed"]
