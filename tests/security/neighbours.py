"""Fifty other sessions that go on asking while something bad happens in one: how long the slowest answer took."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable

_THREADS = 5
_PAUSE = 0.02  # seconds between two questions of a thread: ordinary use, not a load test


@dataclass(slots=True)
class Watch:
    """What happened since the watch began.

    Args:
        latencies: seconds of each answer.
        errors: of the neighbours.
    """

    latencies: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Neighbours:
    """Sessions, each with its own worker and a table in it that a lost worker would take along.

    Args:
        connect: opens one session.
        count: how many.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]], count: int = 50) -> None:
        self.watch = Watch()
        self._sessions = [connect() for _ in range(count)]
        for number, session in enumerate(self._sessions):
            session.execute(f"CREATE TEMP TABLE mine AS SELECT {number} AS number".encode())
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(n,), daemon=True) for n in range(_THREADS)]
        for thread in self._threads:
            thread.start()

    def begin(self) -> Watch:
        """Begin a new watch."""
        self.watch = Watch()
        return self.watch

    def settled(self) -> Watch:
        """Wait until every thread has had another answer, and return the watch."""
        watch = self.watch
        goal = len(watch.latencies) + 2 * _THREADS
        deadline = time.monotonic() + 30
        while len(watch.latencies) < goal and not watch.errors and time.monotonic() < deadline:
            self._stop.wait(_PAUSE)
        return watch

    def stop(self) -> None:
        """End them all."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for session in self._sessions:
            session.close()

    def _ask(self, first: int) -> None:
        while not self._stop.is_set():
            for number in range(first, len(self._sessions), _THREADS):
                started = time.monotonic()
                watch = self.watch
                try:
                    found = self._sessions[number].execute(b"SELECT number FROM mine").fetchone()
                    if found != (number,):
                        watch.errors.append(f"session {number} got {found}")
                except psycopg.Error as error:
                    watch.errors.append(f"session {number}: {error}")
                    return
                watch.latencies.append(time.monotonic() - started)
                if self._stop.wait(_PAUSE):
                    return
