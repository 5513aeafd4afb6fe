"""The gateway's figures, for Prometheus.

Every label has few values, none of which a user can make up: kinds of statements, outcomes, types of connections.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from fairlead.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from fairlead.context import Context
    from fairlead.observer import Ended, StoreRequest
    from fairlead.server.gateway import Gateway

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_LAG: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_LAG_EVERY: Final = 0.5


class Metrics(Observer):
    """Counts; each gateway has a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counts = self.registry
        self._statements = Counter(
            "fairlead_statements", "Statements that have ended.", ("kind", "outcome"), registry=counts
        )
        self._running = Gauge("fairlead_statements_running", "Statements that run now.", registry=counts)
        self._seconds = Histogram(
            "fairlead_statement_seconds",
            "From a statement's beginning to its last row.",
            ("kind",),
            buckets=_SECONDS,
            registry=counts,
        )
        self._rows = Counter("fairlead_rows_sent", "Rows given to clients.", registry=counts)
        self._bytes = Counter("fairlead_rows_sent_bytes", "Their size, encoded.", registry=counts)
        self._logins = Counter("fairlead_logins_failed", "Logins that were refused.", registry=counts)
        self._requests = Counter(
            "fairlead_store_requests",
            "Requests of workers to stores.",
            ("type", "operation", "outcome"),
            registry=counts,
        )
        self._request_seconds = Histogram(
            "fairlead_store_request_seconds", "How long they took.", ("type",), buckets=_SECONDS, registry=counts
        )
        self._traffic = Counter(
            "fairlead_store_bytes", "Bytes from and to stores.", ("type", "direction"), registry=counts
        )
        self._commits = Counter("fairlead_table_commits", "Changes brought to tables.", ("outcome",), registry=counts)
        self._commit_seconds = Histogram(
            "fairlead_table_commit_seconds", "How long that took.", buckets=_SECONDS, registry=counts
        )
        self._care = Counter("fairlead_table_care", "Turns of the care of tables.", ("outcome",), registry=counts)
        self._lag = Histogram(
            "fairlead_event_loop_lag_seconds", "How late the event loop was.", buckets=_LAG, registry=counts
        )
        self._watch: asyncio.Task[None] | None = None

    def attach(self, gateway: Gateway) -> None:
        """Count what there is in a gateway, too, and watch its event loop."""
        self.registry.register(_State(gateway))
        self._watch = asyncio.create_task(self._watch_lag(), name="watch over the event loop")

    async def stop(self) -> None:
        """End the watch."""
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch

    def page(self) -> bytes:
        """Return all figures as Prometheus reads them. Reads the catalog: not for the event loop."""
        return generate_latest(self.registry)

    # --- Observer ----------------------------------------------------------------------------------------------------

    def statement_began(self, context: Context, kind: str) -> None:  # noqa: ARG002  # counted without a label
        """Count it as running."""
        self._running.inc()

    def statement_ended(self, context: Context, kind: str, ended: Ended) -> None:  # noqa: ARG002  # no label for whose
        """Count it, and what it gave."""
        self._running.dec()
        self._statements.labels(kind, ended.outcome).inc()
        self._seconds.labels(kind).observe(ended.seconds)
        self._rows.inc(ended.rows)
        self._bytes.inc(ended.size)

    def store_request(self, context: Context, request: StoreRequest) -> None:  # noqa: ARG002  # no label for whose
        """Count it."""
        self._requests.labels(request.kind, request.operation, request.outcome).inc()
        self._request_seconds.labels(request.kind).observe(request.seconds)

    def store_traffic(self, kind: str, read: int, written: int) -> None:
        """Count the bytes."""
        self._traffic.labels(kind, "read").inc(read)
        self._traffic.labels(kind, "written").inc(written)

    def login_failed(self) -> None:
        """Count it."""
        self._logins.inc()

    def committed(self, outcome: Literal["ok", "conflict", "error"], seconds: float) -> None:
        """Count it."""
        self._commits.labels(outcome).inc()
        self._commit_seconds.observe(seconds)

    def cared(self, *, well: bool) -> None:
        """Count it."""
        self._care.labels("ok" if well else "error").inc()

    async def _watch_lag(self) -> None:
        while True:
            due = time.monotonic() + _LAG_EVERY
            await asyncio.sleep(_LAG_EVERY)
            self._lag.observe(max(0.0, time.monotonic() - due))


class _State:
    """What there is in a gateway at the moment of a question."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def collect(self) -> Iterator[Metric]:
        """Yield the figures."""
        gateway = self._gateway
        workers = gateway.workers()
        held = GaugeMetricFamily("fairlead_workers", "Worker processes.", labels=("state",))
        for state, number in (("spare", workers.spare), ("idle", workers.idle), ("busy", workers.busy)):
            held.add_metric((state,), number)
        yield held
        yield GaugeMetricFamily("fairlead_sessions", "Open sessions.", value=gateway.session_count)
        yield CounterMetricFamily("fairlead_workers_started", "Workers that were started.", value=workers.started)
        yield CounterMetricFamily("fairlead_workers_lost", "Workers that ended unasked.", value=workers.lost)
        yield GaugeMetricFamily("fairlead_ledger_rows", "Rows of the ledger.", value=gateway.house.ledger.rows())
