"""Many sessions for a long time, and many short ones: nothing goes wrong, and nothing is left behind or grows.

``FAIRLEAD_TEST_SOAK_SESSIONS``, ``_SECONDS`` and ``_CONNECTS`` set how many, how long and how often; the defaults are a
short run of the same thing.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.security.processes import descendants
from tests.services.process import wait_until
from tests.soak.work import Client, Seen, prepare

if TYPE_CHECKING:
    from tests.services.fixtures import StartGateway
    from tests.services.gateway import Gateway

_log = logging.getLogger(__name__)
_SESSIONS = int(os.environ.get("FAIRLEAD_TEST_SOAK_SESSIONS", "12"))
_SECONDS = float(os.environ.get("FAIRLEAD_TEST_SOAK_SECONDS", "15"))
_CONNECTS = int(os.environ.get("FAIRLEAD_TEST_SOAK_CONNECTS", "200"))
_WHOLE_SESSIONS, _WHOLE_SECONDS, _WHOLE_CONNECTS = 300, 600.0, 10_000
_GROWTH = 1.15  # of the memory between the second and the last quarter of a long run
_SAMPLE = 5.0  # seconds
_AT_ONCE = 4


class _Memory(threading.Thread):
    """Measures what the gateway and everything below it hold, shared pages counted once, until it is stopped."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(name="memory", daemon=True)
        self._gateway = gateway
        self.stopping = threading.Event()
        self.mebibytes: list[float] = []

    def run(self) -> None:
        """Measure now and then."""
        while not self.stopping.wait(_SAMPLE):
            self.mebibytes.append(sum(map(_held, [self._gateway.pid, *descendants(self._gateway.pid)])))

    def quarter(self, number: int) -> float:
        """The median of one quarter of the run, MiB."""
        length = len(self.mebibytes) // 4
        return statistics.median(self.mebibytes[number * length : (number + 1) * length])


def _held(pid: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _work_together(start_gateway: StartGateway, sessions: int, seconds: float) -> _Memory:
    gateway = start_gateway()
    prepare(gateway)
    seen, memory = Seen(), _Memory(gateway)
    memory.start()

    async def all_of_them() -> None:
        until = time.monotonic() + seconds
        clients = (Client(gateway, number, random.Random(number), seen) for number in range(sessions))
        await asyncio.gather(*(client.run(until) for client in clients))

    asyncio.run(all_of_them())
    memory.stopping.set()
    memory.join()
    for kind, taken in sorted(seen.taken.items()):
        _log.info("%-10s %6d times, median %.0f ms", kind[1:], len(taken), statistics.median(taken) * 1000)
    _log.info("p50 %.0f ms, p99 %.0f ms", seen.quantile(0.5) * 1000, seen.quantile(0.99) * 1000)
    assert seen.wrong == []
    assert len(seen.taken) >= 5, "hardly anything was done: the test proves nothing"
    with gateway.connect() as connection:
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (seen.inserted,)
    return memory


@pytest.mark.timeout(300)
def test_sessions_with_mixed_work_meet_no_error_that_is_not_asked_for(start_gateway: StartGateway):
    _work_together(start_gateway, _SESSIONS, _SECONDS)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_three_hundred_sessions_work_for_ten_minutes_in_the_same_memory(start_gateway: StartGateway):
    memory = _work_together(start_gateway, _WHOLE_SESSIONS, _WHOLE_SECONDS)
    _log.info("memory by quarters, MiB: %s", [round(memory.quarter(number)) for number in range(4)])
    assert memory.quarter(3) < memory.quarter(1) * _GROWTH


def _come_and_go(gateway: Gateway, connects: int) -> None:
    def once(number: int) -> None:
        with gateway.connect() as connection:
            if number % 2:
                connection.execute("SELECT 1")

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(once, range(10 * _AT_ONCE)))  # fills the pools: of blank workers, of the catalog's connections
        before = _settled(gateway)
        list(pool.map(once, range(connects)))
    after = _settled(gateway)
    assert all(now <= was for now, was in zip(after, before, strict=True)), f"before {before}, after {after}"
    assert gateway.running


def _settled(gateway: Gateway) -> tuple[int, int, int]:
    """Wait until nothing changes any more, and return what there is."""
    last: list[tuple[int, int, int]] = []

    def same() -> bool:
        last.append(_state(gateway))
        return len(last) > 10 and len(set(last[-10:])) == 1

    wait_until(same, timeout=60)
    return last[-1]


def _state(gateway: Gateway) -> tuple[int, int, int]:
    """Processes, descriptors of the gateway, and its connections as the kernel lists them."""
    descriptors = len(list(Path(f"/proc/{gateway.pid}/fd").iterdir()))
    host, port = gateway.address
    assert host == "127.0.0.1"
    ours = f"0100007F:{port:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    time_wait = "06"  # nobody's any more: the kernel keeps it for a minute
    sockets = sum(1 for line in lines if line[1] == ours and line[3] != time_wait)
    return len(descendants(gateway.pid)), descriptors, sockets


@pytest.mark.timeout(300)
def test_clients_that_come_and_go_leave_nothing_behind(start_gateway: StartGateway):
    _come_and_go(start_gateway(), _CONNECTS)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_thousand_clients_that_come_and_go_leave_nothing_behind(start_gateway: StartGateway):
    _come_and_go(start_gateway(), _WHOLE_CONNECTS)
