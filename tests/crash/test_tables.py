"""``kill -9`` of the gateway, of the writer of tables and of sessions' workers, while four clients write to tables.

Every acknowledged commit is there afterwards, none by half, none twice; a restart is ready in under 3 s; in the end no
file is left that the lake does not know. ``FAIRLEAD_TEST_TABLE_KILLS`` sets how often; ``FAIRLEAD_TEST_SEED`` repeats
the choices of a run.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.crash.tables_work import TABLES, Client, Written, make_tables, settle
from tests.security.processes import cpu_seconds, descendants
from tests.services.process import wait_until

if TYPE_CHECKING:
    from tests.services.fixtures import StartGateway
    from tests.services.gateway import Gateway

_log = logging.getLogger(__name__)
_CLIENTS = 4
_VICTIMS = ("gateway", "writer", "worker")
_LATEST_KILL = 0.6  # seconds after the first acknowledged write
_LATEST_IN_COMMIT = 0.1  # seconds after a commit was seen to begin
_READY_WITHIN = 3.0  # seconds
_LONG = 100  # kills
_KILLS = int(os.environ.get("FAIRLEAD_TEST_TABLE_KILLS", "6"))


class Carer(threading.Thread):
    """Tidies up again and again, so that a kill may hit the care of the lake as well."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(name="carer", daemon=True)
        self.stopping = threading.Event()
        self.unexpected: str | None = None
        self._connection = gateway.connect()

    def run(self) -> None:
        """Tidy up until the gateway is gone or it is told to stop."""
        with self._connection:
            while not self.stopping.is_set() and not self._connection.broken:
                try:
                    self._connection.execute("VACUUM")
                except psycopg.Error as error:
                    if error.sqlstate not in {None, "58000", "57P01"}:
                        self.unexpected = f"VACUUM: {error.sqlstate} {error}"


class Trial:
    """One gateway, four clients, and what these have written so far."""

    def __init__(self, gateway: Gateway, chance: random.Random) -> None:
        self.gateway = gateway
        self.written = {number: Written() for number in range(_CLIENTS)}
        self.restarts: list[float] = []
        self.killed: Counter[str] = Counter()
        self._chance = chance
        with gateway.connect() as connection:
            make_tables(connection, _CLIENTS)

    def round(self, victim: str, *, with_care: bool) -> None:
        """Let the clients write, kill the victim, and compare."""
        clients = [
            Client(self.gateway, number, written, random.Random(self._chance.random()))
            for number, written in self.written.items()
        ]
        carer = Carer(self.gateway) if with_care else None
        threads = [*clients, *([carer] if carer else [])]
        for thread in threads:
            thread.start()
        wait_until(lambda: any(c.acknowledged or not c.is_alive() for c in clients), timeout=60)
        threading.Event().wait(self._chance.uniform(0, _LATEST_KILL))  # the random moment itself
        if victim == "gateway":
            self.gateway.kill()
        else:
            self._kill_one(victim, clients)
        for thread in threads:
            thread.stopping.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive(), f"{thread.name} hangs after the end of the {victim}"
            assert thread.unexpected is None, f"{thread.name}: {thread.unexpected}"
        if victim == "gateway":
            started = time.monotonic()
            self.gateway.start()
            self.restarts.append(time.monotonic() - started)
        with self.gateway.connect() as connection:
            settle(connection, self.written)

    def _kill_one(self, victim: str, clients: list[Client]) -> None:
        """Kill the writer or a worker, and wait until every client has been served again."""
        pid = self._writer() if victim == "writer" else self._worker()
        threading.Event().wait(self._chance.uniform(0, _LATEST_IN_COMMIT))
        with suppress(ProcessLookupError):  # it has been replaced at this very moment
            os.kill(pid, signal.SIGKILL)
            self.killed[victim] += 1
        before = {client: client.acknowledged for client in clients}
        wait_until(lambda: all(c.acknowledged > n or not c.is_alive() for c, n in before.items()), timeout=60)
        assert all(client.is_alive() for client in clients), [client.unexpected for client in clients]

    def _writer(self) -> int:
        """Wait for a commit, and return the process in whose hands it is: that which locks the lake's catalog."""
        found: list[int] = []

        def committing() -> bool:
            inodes = {file.stat().st_ino for file in (self.gateway.data / "lake").glob("*/catalog.sqlite*")}
            below = set(descendants(self.gateway.pid))  # the gateway itself reads the catalog, and is not among them
            locks = (line.replace("->", "").split() for line in Path("/proc/locks").read_text().splitlines())
            found[:] = [int(pid) for *_, pid, place, _, _ in locks if int(place.rpartition(":")[2]) in inodes]
            found[:] = [pid for pid in found if pid in below]
            return bool(found)

        wait_until(committing, timeout=60)
        return found[0]

    def _worker(self) -> int:
        """Choose one of the processes below the zygote that have worked most; the writer is none of them."""
        writer, below = self._writer(), descendants(self.gateway.pid)
        zygote = [pid for pid in below if _parent(pid) == self.gateway.pid]
        workers = [pid for pid in below if _parent(pid) in zygote and pid != writer]
        return self._chance.choice(sorted(workers, key=cpu_seconds)[-_CLIENTS:])


def _parent(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def _fairlead(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "fairlead", *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _files_and_names(data: Path) -> tuple[set[str], set[str], set[str]]:
    """Return the names of the files that are there, of those that the lake knows, and of those that it needs."""
    there: set[str] = set()
    known: set[str] = set()
    needed: set[str] = set()
    for catalog in (data / "lake").glob("*/catalog.sqlite"):
        there |= {path.name for path in (catalog.parent / "files").rglob("*") if path.is_file()}
        with closing(sqlite3.connect(f"file:{catalog}?mode=ro", uri=True)) as connection:
            for relation in ("ducklake_data_file", "ducklake_delete_file"):
                names = {PurePosixPath(path).name for (path,) in connection.execute(f"SELECT path FROM {relation}")}
                known |= names
                needed |= names
            leaving = connection.execute("SELECT path FROM ducklake_files_scheduled_for_deletion")
            known |= {PurePosixPath(path).name for (path,) in leaving}
    return there, known, needed


def _no_orphans(gateway: Gateway) -> None:
    """Tidy up, stop, collect, and compare what is on the disk with what the lake knows."""
    with gateway.connect() as connection:
        counts = [connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() for table in TABLES]
        connection.execute("VACUUM")
        after = [connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() for table in TABLES]
        assert after == counts
    gateway.stop()
    _fairlead("gc", "--data", str(gateway.data))
    there, known, needed = _files_and_names(gateway.data)
    assert there - known == set(), "files that the lake does not know"
    assert needed - there == set(), "files that the lake needs"
    assert [path for path in (gateway.data / "lake" / "inbox").rglob("*") if path.is_file()] == []
    assert [path for path in (gateway.data / "spill").rglob("*") if path.is_file()] == []
    _fairlead("audit", "verify", "--data", str(gateway.data))


def _kill_often(start_gateway: StartGateway, kills: int) -> None:
    seed = int(os.environ.get("FAIRLEAD_TEST_SEED", str(random.randrange(2**32))))
    _log.info("FAIRLEAD_TEST_SEED=%s repeats this run", seed)
    chance = random.Random(seed)
    trial = Trial(start_gateway(), chance)
    for number in range(kills):
        trial.round(_VICTIMS[number % len(_VICTIMS)], with_care=chance.random() < 0.5)
    _no_orphans(trial.gateway)
    trial.gateway.start()
    with trial.gateway.connect() as connection:
        settle(connection, trial.written)
    total = sum(written.total for written in trial.written.values())
    _log.info(
        "%s kills, %s acknowledged writes, restarts took %.2f s, at most %.2f s",
        *(kills, total, statistics.median(trial.restarts), max(trial.restarts)),
    )
    assert total > 4 * kills, "the clients wrote next to nothing: the test proves nothing"
    assert trial.killed["worker"] >= kills // len(_VICTIMS) - 1
    assert trial.killed["writer"] >= kills // len(_VICTIMS) - 1
    if kills >= _LONG:  # the short run shares the machine with the rest of the suite
        assert max(trial.restarts) < _READY_WITHIN


@pytest.mark.timeout(600)
def test_what_was_written_to_tables_survives_a_kill(start_gateway: StartGateway):
    _kill_often(start_gateway, _KILLS)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_what_was_written_to_tables_survives_two_hundred_kills(start_gateway: StartGateway):
    _kill_often(start_gateway, 200)


@pytest.mark.parametrize("in_block", [False, True])
def test_a_table_whose_maker_vanishes_at_the_commit_is_there_for_everybody_or_not_at_all(gateway: Gateway, in_block):
    """The lake and the catalog of the gateway are two stores: a client that goes away must not keep them apart."""
    chance = random.Random(in_block)
    names = [f"vanished_{in_block}_{number}" for number in range(12)]
    for name in names:
        _vanish(gateway, f"CREATE TABLE {name} (i INTEGER)", chance.uniform(0, 0.15), in_block=in_block)
    with gateway.connect() as connection:
        for name in names:
            with suppress(psycopg.errors.DuplicateTable):
                connection.execute(f"CREATE TABLE {name} (i INTEGER)".encode())
            wait_until(lambda name=name: _is_there(connection, name), timeout=20)  # the last commit may still go on


def _vanish(gateway: Gateway, sql: str, after: float, *, in_block: bool) -> None:
    """Begin a commit, and cut the client's connection some seconds later without a word."""
    client = gateway.connect()
    client.execute("SELECT 1")
    if in_block:
        client.execute("BEGIN")
        client.execute(sql.encode())
        sql = "COMMIT"
    end = socket.socket(fileno=os.dup(client.fileno()))
    cut = threading.Timer(after, lambda: end.shutdown(socket.SHUT_RDWR))
    cut.start()
    with suppress(psycopg.OperationalError):
        client.execute(sql.encode())
    cut.join()
    end.close()
    client.close()


def _is_there(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> bool:
    try:
        connection.execute(f"SELECT * FROM {name}".encode())
    except psycopg.errors.UndefinedTable:
        return False
    return True


@pytest.mark.parametrize(
    ("written", "change", "complaint"),
    [
        ({"single": {1}}, "DELETE FROM singles", "acknowledged and lost"),
        ({"single": {1}}, "INSERT INTO singles VALUES (0, 1)", "twice"),
        ({"single": {1}}, "INSERT INTO singles VALUES (0, 9)", "refused, but there"),
        ({}, "INSERT INTO lefts VALUES (0, 3)", "half of a transaction"),
        ({}, "INSERT INTO bulks SELECT 0, 4, i FROM range(999) t(i)", "part of an insert"),
        ({}, "UPDATE counters SET counts = counts + 1", "counts"),
        ({}, "UPDATE counters SET pairs = pairs + 1", "an update of a transaction alone"),
    ],
)
def test_the_comparison_sees_what_is_lost_doubled_or_halved(gateway: Gateway, written, change, complaint):
    """The control, with each kind of damage done to tables that are as they should be."""
    known = {0: Written()}
    with gateway.connect() as connection:
        for table in TABLES:
            connection.execute(f"DROP TABLE IF EXISTS {table}".encode())
        make_tables(connection, 1)
        for kind, numbers in written.items():
            known[0].acknowledged[kind] |= numbers
            connection.execute(f"INSERT INTO singles SELECT 0, {max(numbers)}".encode())
        settle(connection, known)
        connection.execute(change.encode())
        with pytest.raises(AssertionError, match=complaint):
            settle(connection, known)
