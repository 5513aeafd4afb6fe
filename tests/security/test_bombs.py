"""A statement that eats memory, never ends, ignores interrupts or kills its process ends in its own session only.

Claim 11 of the threat model: fifty other sessions go on, the machine stays sane, and the session itself works again.
"""

from __future__ import annotations

import statistics
import threading
import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.security import processes
from tests.security.corpus.bombs import ENGINE, GATEWAY
from tests.security.neighbours import Neighbours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.security.corpus.bombs import Bomb
    from tests.security.neighbours import Watch
    from tests.security.world import World

_TIMEOUT = 2.0  # seconds that a statement may take; the session's own setting
_BOUND = 15.0  # seconds within which it must have ended: time-out, grace, kill, and a busy machine of two cores
_SLOWEST = 5.0  # seconds of the slowest answer that a neighbour may see meanwhile
_TYPICAL = 0.5  # and of the middle one
_WORKER_MB = 4096 + 256  # the address space of a worker (config.py), which no worker may pass
_MACHINE_MB = 1024  # what must be left on the machine

_ENDED = {"57014", "53200", "58000", "54000", "54001", "42601", "22023", "22026", "22032", "0A000", "42501", "42602"}


def _marked(bombs: tuple[Bomb, ...]) -> list[Any]:
    return [pytest.param(b, id=b.id, marks=() if b.always else pytest.mark.slow) for b in bombs]


@pytest.fixture(scope="module")
def neighbours(world: World) -> Iterator[Neighbours]:
    world.store.put(world.values["b"], "granted/" + "x" * 60, b"a")
    found = Neighbours(world.connect)
    yield found
    found.stop()


@contextmanager
def _undisturbed(world: World, neighbours: Neighbours) -> Iterator[None]:
    """Fail if a neighbour saw an error or a long silence, or if memory went out of bounds."""
    neighbours.begin()
    stop, peaks = threading.Event(), [0.0, 1e9]

    def sample() -> None:
        while not stop.wait(0.05):
            peaks[0] = max(
                peaks[0], *(processes.resident_mb(pid) for pid in processes.descendants(world.gateway.pid)), 0
            )
            peaks[1] = min(peaks[1], processes.available_mb())

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield
    finally:
        stop.set()
        sampler.join()
    _assert_answered(neighbours.settled())
    assert peaks[0] < _WORKER_MB, f"a worker had {peaks[0]:.0f} MiB"
    assert peaks[1] > _MACHINE_MB, f"the machine had {peaks[1]:.0f} MiB left"


def _assert_answered(watch: Watch) -> None:
    assert watch.errors == []
    assert max(watch.latencies) < _SLOWEST, f"a neighbour waited {max(watch.latencies):.1f} s"
    assert statistics.median(watch.latencies) < _TYPICAL


def _state(session: psycopg.Connection[Any], sql: str) -> str | None:
    """Run a statement; return the SQLSTATE of its error, None without one. A lost connection has the state "lost"."""
    try:
        session.execute(sql.encode())
    except psycopg.Error as error:
        return error.sqlstate or "lost"
    return None


def _explode(world: World, bomb: Bomb) -> None:
    with world.connect() as session:
        session.execute(f"SET statement_timeout = '{_TIMEOUT:.0f}s'".encode())
        started = time.monotonic()
        state = _state(session, bomb.sql)
        took = time.monotonic() - started
        assert took < _BOUND, f"it ended after {took:.1f} s"
        assert state in _ENDED or (state is None and bomb.may_end), state
        assert session.execute(b"SELECT 42").fetchone() == (42,)
        read = f"SELECT b FROM read_parquet('s3://{world.values['b']}/granted/x.parquet')"
        assert session.execute(read.encode()).fetchone() == ("granted",)


@pytest.mark.parametrize("bomb", _marked(ENGINE))
def test_a_bomb_ends_in_its_own_session(bomb: Bomb, world: World, neighbours: Neighbours):
    with _undisturbed(world, neighbours):
        _explode(world, bomb)


@pytest.mark.parametrize("bomb", _marked(GATEWAY))
def test_the_gateway_is_not_held_up_by_a_statement(bomb: Bomb, world: World, neighbours: Neighbours):
    with _undisturbed(world, neighbours):
        _explode(world, bomb)


def _busy_worker(gateway: int, before: dict[int, float]) -> int:
    """Return the worker that has used most processor time since ``before``, once it has used some."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        used = {pid: processes.cpu_seconds(pid) - before.get(pid, 0) for pid in processes.descendants(gateway)}
        pid = max(used, key=used.__getitem__)
        if used[pid] > 0.5:
            return pid
        threading.Event().wait(0.05)
    pytest.fail("no worker is busy")


@pytest.mark.parametrize("end", [processes.abort, processes.segfault, processes.kill])
def test_a_process_that_dies_takes_only_its_own_statement_along(end: Any, world: World, neighbours: Neighbours):
    with _undisturbed(world, neighbours), world.connect() as session:
        session.execute(b"SELECT 1")
        told: list[psycopg.Error] = []

        def run() -> None:
            with suppress(psycopg.errors.QueryCanceled):
                try:
                    session.execute(
                        b"SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range + b.range = 1"
                    )
                except psycopg.Error as error:
                    told.append(error)

        before = {pid: processes.cpu_seconds(pid) for pid in processes.descendants(world.gateway.pid)}
        thread = threading.Thread(target=run)
        thread.start()
        end(_busy_worker(world.gateway.pid, before))
        thread.join(_BOUND)
        assert not thread.is_alive()
        assert [error.sqlstate for error in told] == ["58000"], told
        assert session.execute(b"SELECT 42").fetchone() == (42,)


def test_a_client_that_does_not_read_costs_no_memory(world: World, neighbours: Neighbours):
    with _undisturbed(world, neighbours), closing(world.connect()) as session:
        before = processes.resident_mb(world.gateway.pid)
        session.pgconn.send_query(b"SELECT range, repeat('a', 1000) FROM range(10000000)")  # 10 GB, never read
        session.pgconn.flush()
        peak = 0.0
        for _ in range(60):
            threading.Event().wait(0.05)  # the time in which an unbounded buffer would grow
            peak = max(peak, processes.resident_mb(world.gateway.pid))
        assert peak - before < 256, f"the gateway grew by {peak - before:.0f} MiB"


def test_somebody_elses_statement_cannot_be_cancelled(world: World):
    """A cancel request needs the secret of the session; the control is the session's own."""
    with world.connect() as session:
        thread = threading.Thread(target=_count_long, args=(session, states := []))
        thread.start()
        pid = session.info.backend_pid
        for secret in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF, pid):
            processes.request_cancel(world.gateway.address, pid, secret)
        thread.join(1.0)
        assert thread.is_alive(), states
        session.cancel()
        thread.join(_BOUND)
        assert states == ["57014"]
        assert session.execute(b"SELECT 42").fetchone() == (42,)


def _count_long(session: psycopg.Connection[Any], states: list[str | None]) -> None:
    try:
        session.execute(b"SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range + b.range = 1")
        states.append(None)
    except psycopg.Error as error:
        states.append(error.sqlstate)
