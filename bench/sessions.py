"""What a session costs: the smallest statement, the first row on a new connection, the memory of idle sessions."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bench.places import running_gateway
from bench.row import Row, seconds

if TYPE_CHECKING:
    from tests.services.gateway import Gateway

MILLISECONDS = 1000.0
IDLE_SESSIONS = (1, 50, 300)


def run() -> list[Row]:
    """Measure against one gateway that nobody else uses."""
    with running_gateway() as gateway:
        return [_smallest_statement(gateway), _first_row(gateway), *_idle_sessions(gateway)]


def _smallest_statement(gateway: Gateway) -> Row:
    with gateway.connect() as connection:
        taken = seconds(lambda: connection.execute("SELECT 1").fetchone(), samples=2000, warm=100)
    return Row("SELECT 1", statistics.median(taken) * MILLISECONDS, "ms", limit=1.0, samples=len(taken))


def _first_row(gateway: Gateway) -> Row:
    def connect_and_ask() -> None:
        with gateway.connect() as connection:
            connection.execute("SELECT 1").fetchone()

    taken = seconds(connect_and_ask, samples=50, warm=5)
    return Row(
        "first row on a new connection", statistics.median(taken) * MILLISECONDS, "ms", limit=60.0, samples=len(taken)
    )


def _idle_sessions(gateway: Gateway) -> list[Row]:
    """Measure the memory that the gateway and everything that it started hold, shared pages counted once."""
    rows = []
    with ExitStack() as open_sessions:
        for reached, count in zip((0, *IDLE_SESSIONS), IDLE_SESSIONS, strict=False):
            for _ in range(count - reached):
                open_sessions.enter_context(gateway.connect()).execute("SELECT 1")
            what = f"memory with {count} idle session{'s' if count > 1 else ''}"
            rows.append(Row(what, _memory(gateway.pid), "MiB"))
    return rows


def _memory(pid: int) -> float:
    """Return the proportional set size of a process and its descendants, in MiB."""
    own = sum(
        int(line.split()[1])
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        if line.startswith("Pss:")
    )
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return own / 1024 + sum(_memory(child) for child in children)
