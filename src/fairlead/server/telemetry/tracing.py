"""Traces by OpenTelemetry: a span for each statement, with one below it for each request to a store.

Spans say of a statement what metrics say, and whose it is and in which database; never its text, nor a name in it. They
go where the standard variables of OpenTelemetry lead (``OTEL_EXPORTER_OTLP_ENDPOINT``), by OTLP over HTTP.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from fairlead import __version__
from fairlead.errors import ConfigurationError
from fairlead.observer import TRACE_PARENT, Observer

if TYPE_CHECKING:
    from opentelemetry.context import Context as TraceContext
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

    from fairlead.context import Context
    from fairlead.observer import Ended, StoreRequest

_SWITCHES: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_FLUSH_MILLISECONDS: Final = 3000


def wanted() -> bool:
    """Tell whether the environment names a receiver."""
    return any(os.environ.get(name) for name in _SWITCHES)


class Tracing(Observer):
    """Makes spans.

    Raises:
        ConfigurationError: the libraries are not installed.
    """

    def __init__(self) -> None:
        try:
            from opentelemetry import trace  # noqa: PLC0415  # an extra
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # same
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  # the same
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  # the same
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  # the same
            from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415  # the same
                TraceContextTextMapPropagator,
            )
        except ImportError:
            raise ConfigurationError(
                "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed",
                hint='install the extra: pip install "fairlead[otel]"',
            ) from None
        named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "fairlead"}
        resource = Resource.create({"service.version": __version__, **named})
        self._provider: TracerProvider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("fairlead", __version__)
        self._trace = trace
        self._propagator = TraceContextTextMapPropagator()
        self._spans: dict[str, Span] = {}

    def stop(self) -> None:
        """Send what is left. May block for some seconds."""
        self._provider.force_flush(_FLUSH_MILLISECONDS)
        self._provider.shutdown()

    def statement_began(self, context: Context, kind: str) -> None:
        """Begin a span: below the one of the client's request where it has said so."""
        attributes = {
            "db.system.name": "fairlead",
            "db.namespace": context.database,
            "db.operation.name": kind,
            "fairlead.user": context.principal.user_name,
            "fairlead.statement_id": context.statement_id,
        }
        self._spans[context.statement_id] = self._tracer.start_span(
            f"{kind} {context.database}", self._parent(), self._trace.SpanKind.SERVER, attributes
        )

    def statement_ended(self, context: Context, kind: str, ended: Ended) -> None:  # noqa: ARG002  # known since it began
        """End the span."""
        span = self._spans.pop(context.statement_id, None)
        if span is None:
            return
        span.set_attribute("fairlead.outcome", ended.outcome)
        span.set_attribute("db.response.returned_rows", ended.rows)
        span.set_attribute("fairlead.rows_bytes", ended.size)
        if ended.sqlstate:
            span.set_attribute("db.response.status_code", ended.sqlstate)
            span.set_attribute("error.type", ended.sqlstate)
            span.set_status(self._trace.StatusCode.ERROR)
        span.end()

    def store_request(self, context: Context, request: StoreRequest) -> None:
        """Make a span that has just ended."""
        above = self._spans.get(context.statement_id)
        if above is None:
            return
        now = time.time_ns()
        span = self._tracer.start_span(
            f"{request.kind} {request.operation}",
            self._trace.set_span_in_context(above),
            self._trace.SpanKind.CLIENT,
            {"fairlead.store.type": request.kind, "fairlead.store.operation": request.operation},
            start_time=now - int(request.seconds * 1e9),
        )
        span.set_attribute("fairlead.outcome", request.outcome)
        if request.outcome != "ok":
            span.set_status(self._trace.StatusCode.ERROR)
        span.end(now)

    def _parent(self) -> TraceContext | None:
        sent = TRACE_PARENT.get()
        return None if sent is None else self._propagator.extract({"traceparent": sent})
