"""Health, readiness, metrics and traces of a real gateway."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.security import processes
from tests.services.http import client, figure, rows, sql
from tests.services.otlp import Receiver, attributes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.services.fixtures import StartGateway
    from tests.services.gateway import Gateway
    from tests.services.lake import Lake


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    try:
        yield one
    finally:
        one.stop()


# --- health and readiness --------------------------------------------------------------------------------------------


def test_a_gateway_is_alive_and_ready_for_everybody(gateway: Gateway) -> None:
    with client(gateway, None) as nobody:
        for path in ("/health", "/ready"):
            answer = nobody.get(path)
            assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
            assert nobody.head(path).status_code == 200
            assert nobody.post(path).status_code == 405


def test_without_workers_it_is_alive_but_not_ready(start_gateway: StartGateway) -> None:
    gateway = start_gateway()
    zygote = processes.descendants(gateway.pid)[0]
    os.kill(zygote, signal.SIGKILL)
    with client(gateway, None) as nobody:
        while (answer := nobody.get("/ready")).status_code == 200:
            continue
        assert (answer.status_code, answer.json()) == (503, {"status": "unavailable", "reasons": ["workers"]})
        assert nobody.get("/health").status_code == 200
    with gateway.connect() as who:  # the next session starts the workers again
        assert who.execute("SELECT 1").fetchone() == (1,)
    with client(gateway, None) as nobody:
        while nobody.get("/ready").status_code != 200:
            continue


def test_with_a_ledger_that_somebody_has_changed_it_is_not_ready(start_gateway: StartGateway) -> None:
    import sqlite3  # noqa: PLC0415  # only here

    gateway = start_gateway()
    with sqlite3.connect(gateway.data / "catalog.db") as catalog:
        catalog.execute("UPDATE ledger_head SET count = count + 1")
    catalog.close()
    with client(gateway, None) as nobody:
        while (answer := nobody.get("/ready")).status_code == 200:
            continue
    assert answer.json()["reasons"] == ["ledger"]


# --- metrics ---------------------------------------------------------------------------------------------------------


def test_statements_are_counted_by_kind_and_outcome(gateway: Gateway) -> None:
    def count(kind: str, outcome: str) -> float:
        return figure(gateway, "fairlead_statements_total", kind=kind, outcome=outcome)

    before = {one: count(*one) for one in (("SELECT", "ok"), ("SELECT", "error"), ("CREATE DATABASE", "ok"))}
    rows_before = figure(gateway, "fairlead_rows_sent_total")
    with gateway.connect() as who:
        who.execute("SELECT * FROM range(1000)")
        with pytest.raises(psycopg.Error):
            who.execute("SELECT * FROM nowhere")
        who.execute("CREATE DATABASE counted")
        with pytest.raises(psycopg.Error):
            who.execute("CREATE DATABASE counted")
        who.execute("SET statement_timeout = 100")
        with pytest.raises(psycopg.Error):
            who.execute("SELECT count(*) FROM range(10000000) a, range(10000000) b")
    assert {one: count(*one) - before[one] for one in before} == {
        ("SELECT", "ok"): 1, ("SELECT", "error"): 1, ("CREATE DATABASE", "ok"): 1,
    }  # fmt: skip
    assert count("SELECT", "canceled") == 1
    assert figure(gateway, "fairlead_rows_sent_total") - rows_before == 1000
    assert figure(gateway, "fairlead_statement_seconds_count", kind="SELECT") >= 3
    assert figure(gateway, "fairlead_statements_running") == 0


def test_refusals_sessions_workers_logins_and_the_ledger_are_counted(gateway: Gateway) -> None:
    with gateway.connect() as who:
        who.execute("CREATE USER plain PASSWORD 'a plain password'")
        ledger, logins = figure(gateway, "fairlead_ledger_rows"), figure(gateway, "fairlead_logins_failed_total")
        with gateway.connect("plain", "a plain password") as plain, pytest.raises(psycopg.Error):
            plain.execute("CREATE DATABASE mine")
        with pytest.raises(psycopg.OperationalError):
            gateway.connect("plain", "wrong")
        assert figure(gateway, "fairlead_logins_failed_total") == logins + 1
        assert figure(gateway, "fairlead_ledger_rows") >= ledger + 3
        assert figure(gateway, "fairlead_statements_total", kind="CREATE DATABASE", outcome="denied") == 1
        who.execute("SELECT 1")
        assert figure(gateway, "fairlead_sessions") == 1
        assert figure(gateway, "fairlead_workers", state="idle") == 1
        started, lost = (
            figure(gateway, "fairlead_workers_started_total"),
            figure(gateway, "fairlead_workers_lost_total"),
        )
        for pid in processes.descendants(gateway.pid)[1:]:
            os.kill(pid, signal.SIGKILL)
        with suppress(psycopg.Error):  # the worker may still take the statement with it
            who.execute("SELECT 1")
        who.execute("SELECT 1")
        assert figure(gateway, "fairlead_workers_lost_total") == lost + 1
        assert figure(gateway, "fairlead_workers_started_total") > started


def test_stores_and_tables_are_counted(gateway: Gateway, lake: Lake) -> None:
    with gateway.connect() as who:
        who.execute(f"CREATE SECRET lake_key AS '{lake.store.key.secret_access_key}'")
        who.execute(lake.connection_sql("materialize", "lake"))
        who.execute(f"CREATE STAGE raw URL = 's3://{lake.bucket}/raw/' CONNECTION = (CONNECTION_NAME = 'lake')")
        assert who.execute("SELECT count(*) FROM @raw/customers.csv").fetchone() == (50,)
        with pytest.raises(psycopg.Error):
            who.execute("SELECT * FROM @raw/nothing.csv")
        who.execute("CREATE TABLE t AS SELECT 1 AS a")
    assert figure(gateway, "fairlead_store_requests_total", type="s3", operation="GET", outcome="ok") >= 1
    assert figure(gateway, "fairlead_store_requests_total", type="s3", outcome="failed") >= 1
    assert figure(gateway, "fairlead_store_bytes_total", type="s3", direction="read") > 300
    assert figure(gateway, "fairlead_table_commits_total", outcome="ok") == 1
    assert figure(gateway, "fairlead_table_commit_seconds_sum") > 0


def test_two_who_change_the_same_are_counted_as_a_conflict(gateway: Gateway) -> None:
    with gateway.connect(autocommit=False) as one, gateway.connect(autocommit=False) as other:
        one.execute("CREATE TABLE contended AS SELECT 1 AS a")
        one.commit()
        for who in (one, other):
            who.execute("UPDATE contended SET a = a + 1")
        one.commit()
        with pytest.raises(psycopg.errors.SerializationFailure):
            other.commit()
    assert figure(gateway, "fairlead_table_commits_total", outcome="conflict") == 1


def test_no_label_is_made_of_what_a_user_types(gateway: Gateway) -> None:
    with gateway.connect() as who:
        for text in ("FROBNICATE x", "PRAGMA anything", "SELECT 'a literal'"):
            try:
                who.execute(text.encode())
            except psycopg.Error:
                continue
    with client(gateway, None) as nobody:
        page = nobody.get("/metrics").text
    for word in ("frobnicate", "anything", "a literal", "fairlead@"):
        assert word not in page.lower()


def test_metrics_are_for_this_machine_and_for_the_token(start_gateway: StartGateway) -> None:
    token = {"FAIRLEAD_HTTP_METRICS_TOKEN": "a-token-for-prometheus", "FAIRLEAD_HTTP_TLS": "false"}
    gateway = start_gateway(env=token)  # without TLS there may be a proxy before it: nobody is near
    import httpx  # noqa: PLC0415  # only here

    with httpx.Client(base_url=gateway.http.replace("https", "http"), trust_env=False) as plain:
        assert plain.get("/health").status_code == 200
        assert plain.get("/metrics").status_code == 401
        assert plain.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
        right = plain.get("/metrics", headers={"Authorization": "Bearer a-token-for-prometheus"})
        assert right.status_code == 200
        assert "fairlead_sessions" in right.text


# --- traces ----------------------------------------------------------------------------------------------------------


def _named(receiver: Receiver, name: str) -> list[Span]:
    return [span for span in receiver.spans() if span.name == name]


def test_statements_and_their_requests_to_stores_are_traced(
    start_gateway: StartGateway, receiver: Receiver, lake: Lake
) -> None:
    gateway = start_gateway(env={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url})
    trace_id, parent_id = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    with client(gateway) as admin:
        rows(admin, f"CREATE SECRET lake_key AS '{lake.store.key.secret_access_key}'")
        rows(admin, lake.connection_sql("materialize", "lake"))
        rows(admin, f"CREATE STAGE raw URL = 's3://{lake.bucket}/raw/' CONNECTION = (CONNECTION_NAME = 'lake')")
        read = sql(
            admin,
            "SELECT count(*), 'a literal' FROM @raw/customers.csv",
            headers={"traceparent": f"00-{trace_id}-{parent_id}-01"},
        )
        assert read.status_code == 200
        assert sql(admin, "SELECT * FROM nowhere").status_code == 404
    assert gateway.stop() == 0  # what is left is sent at the end

    statement = next(span for span in _named(receiver, "SELECT main") if span.trace_id.hex() == trace_id)
    assert statement.parent_span_id.hex() == parent_id
    told: dict[str, Any] = attributes(statement)
    assert told.pop("fairlead.statement_id")
    assert told.pop("fairlead.rows_bytes") > 0
    assert told == {
        "db.system.name": "fairlead",
        "db.namespace": "main",
        "db.operation.name": "SELECT",
        "db.response.returned_rows": 1,
        "fairlead.user": "fairlead",
        "fairlead.outcome": "ok",
    }
    requests = [span for span in receiver.spans() if span.parent_span_id == statement.span_id]
    assert {span.name for span in requests} >= {"s3 GET"}
    assert {span.trace_id for span in requests} == {statement.trace_id}
    for span in requests:
        assert statement.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= statement.end_time_unix_nano

    failed = next(span for span in _named(receiver, "SELECT main") if "error.type" in attributes(span))
    assert (failed.status.code, failed.status.message) == (Status.STATUS_CODE_ERROR, "")
    assert attributes(failed)["db.response.status_code"] == "42P01"
    assert failed.trace_id.hex() != trace_id
    assert receiver.resource()["service.name"] == "fairlead"
    everything = b"".join(receiver.bodies)
    for typed in (b"a literal", b"nowhere", b"customers", lake.store.key.secret_access_key.encode()):
        assert typed not in everything


def test_a_receiver_that_is_not_there_disturbs_nobody(start_gateway: StartGateway) -> None:
    gateway = start_gateway(env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    with gateway.connect() as who:
        assert who.execute("SELECT 1").fetchone() == (1,)
    assert gateway.stop() == 0
