"""The proxy's other side: what stores answer, where they are, and how they are dialled."""

from __future__ import annotations

import socket
import threading

import pytest

from fairlead.access.rules import Rule
from fairlead.config import EgressSettings
from fairlead.egress.http1 import Stream
from fairlead.errors import (
    DestinationRefused,
    PermissionDenied,
    StoreError,
    StoreUnreachable,
)
from tests.egress.gate import ALL, FakeStore, make_gate, read_reply, signed


def answering(status, headers=None, body=b""):
    return FakeStore(lambda *_: (status, headers or {}, body))


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (301, {"Location": "http://{other}/x"}, b"", 403),
        (302, {"Location": "http://{other}/x"}, b"", 403),
        (303, {"Location": "http://{other}/x"}, b"", 403),
        (307, {"Location": "http://{other}/x"}, b"", 403),
        (308, {"Location": "http://{other}/x"}, b"", 403),
        (307, {"Location": "/acme/raw/elsewhere"}, b"", 403),
        (307, {"Location": "https://127.0.0.1/x"}, b"", 403),
        (301, {"x-amz-bucket-region": "eu-west-9"}, b"<Error><Code>PermanentRedirect</Code></Error>", 403),
        (400, {}, b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-9</Region></Error>", 403),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_no_redirect_is_followed_or_passed_on(status, headers, body, expected, method):
    other = FakeStore()
    shown = {name: value.format(other=f"127.0.0.1:{other.port}") for name, value in headers.items()}
    store = answering(status, shown, body)
    gate = make_gate(store.target())
    gate.rules[:] = [Rule(7, "acme", "raw/", ALL, "stage main.public.raw", "main.public.lake")]
    try:
        door = gate.door()
        reply = gate.request(door, method, "/acme/raw/x", b"data" if method == "PUT" else b"")
        assert reply.status == expected
        assert "location" not in reply.headers
        assert other.seen == []
        assert {path for _, path, _ in store.seen} == {"/acme/raw/x"}
        cause = gate.egress.statement_end(door.key_id, "failed").cause
        assert isinstance(cause, StoreError)
        assert "region" in cause.message
        if b"eu-west-9" in body or "x-amz-bucket-region" in headers:
            assert "eu-west-9" in cause.hint or method == "HEAD"
    finally:
        gate.close()
        store.close()
        other.close()


@pytest.mark.parametrize(
    ("status", "body", "sent", "error"),
    [
        (503, b"<Error><Code>SlowDown</Code></Error>", 503, StoreError),
        (500, b"<Error><Code>InternalError</Code></Error>", 503, StoreError),
        (501, b"<Error><Code>NotImplemented</Code></Error>", 424, StoreError),
        (505, b"", 424, StoreError),
        (403, b"<Error><Code>AccessDenied</Code></Error>", 403, PermissionDenied),
        (200, b"", 200, type(None)),
        (416, b"<Error><Code>InvalidRange</Code></Error>", 416, StoreError),
    ],
)
def test_only_what_may_pass_is_answered_with_5xx(status, body, sent, error):
    store = answering(status, {}, body)
    gate = make_gate(store.target())
    try:
        door = gate.door()
        assert gate.request(door, "GET", "/acme/raw/x").status == sent
        assert isinstance(gate.egress.statement_end(door.key_id, "failed").cause, error)
    finally:
        gate.close()
        store.close()


def test_an_empty_object_is_answered_once_and_the_connection_goes_on():
    store = answering(200, {}, b"")
    gate = make_gate(store.target())
    try:
        door = gate.door()
        with gate.dial() as sock:
            stream = Stream(sock)
            for _ in range(3):
                sock.sendall(signed(door, "GET", "/acme/raw/empty"))
                reply = read_reply(stream)
                assert (reply.status, reply.body, stream.idle) == (200, b"", True)
        assert len(store.seen) == 3
    finally:
        gate.close()
        store.close()


def test_a_listing_that_is_an_error_in_disguise_is_an_error():
    store = answering(200, {}, b"<Error><Code>AccessDenied</Code></Error>")
    gate = make_gate(store.target())
    try:
        assert gate.request(gate.door(), "GET", "/acme/?list-type=2&prefix=raw/").status >= 400
    finally:
        gate.close()
        store.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        b"",
        b"HTTP/1.1",
    ],
)
def test_a_server_that_does_not_speak_http_is_told(answer):
    listener = socket.create_server(("127.0.0.1", 0))

    def once():
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with sock:
                sock.recv(65536)
                sock.sendall(answer)

    threading.Thread(target=once, daemon=True).start()
    store = FakeStore()
    gate = make_gate(store.target(endpoint=f"http://127.0.0.1:{listener.getsockname()[1]}"))
    try:
        door = gate.door()
        assert gate.request(door, "GET", "/acme/raw/x").status == 424
        assert isinstance(gate.egress.statement_end(door.key_id, "failed").cause, StoreError | StoreUnreachable)
    finally:
        gate.close()
        store.close()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_a_name_that_changes_its_address_is_dialled_only_where_it_was_judged(store):
    answers = iter([["127.0.0.1"], ["169.254.169.254"], ["127.0.0.1", "169.254.169.254"]])
    asked: list[str] = []

    def resolve(host, _):
        asked.append(host)
        return next(answers)

    gate = make_gate(store.target(endpoint=f"http://store.example:{store.port}"), resolve=resolve)
    try:
        door = gate.door()
        assert gate.request(door, "GET", "/acme/raw/x").status == 200
        assert asked == ["store.example"]
        for version in ("7.2", "7.3"):
            gate.versions[7] = version  # a new client, so a new connection
            assert gate.request(door, "GET", "/acme/raw/x").status == 403
        assert len(store.seen) == 1
        assert store.seen[0][2]["host"] == f"store.example:{store.port}"
        assert isinstance(gate.egress.statement_end(door.key_id, "failed").cause, DestinationRefused)
    finally:
        gate.close()


def test_the_bucket_in_the_host_name_stays_below_the_endpoint(store):
    asked: list[str] = []
    target = store.target(endpoint=f"http://store.example:{store.port}", path_style=False)
    gate = make_gate(target, resolve=lambda host, _: asked.append(host) or ["127.0.0.1"])
    gate.rules[:] = [Rule(7, None, "", ALL, "connection main.public.lake", "main.public.lake")]
    try:
        door = gate.door()
        assert gate.request(door, "GET", "/acme/raw/x").status == 200
        assert gate.request(door, "GET", "/evil.test/x").status == 200
        assert gate.request(door, "GET", "/Evil_Bucket/x").status == 424
        assert asked == ["acme.store.example", "evil.test.store.example"]
        assert [path for _, path, _ in store.seen] == ["/raw/x", "/x"]
    finally:
        gate.close()


@pytest.mark.parametrize("settings", [{"deny": ["127.0.0.0/8"]}, {"allow": ["*.amazonaws.com"]}])
def test_a_destination_that_the_policy_refuses_gets_no_packet(store, settings):
    gate = make_gate(store.target(), settings=EgressSettings(**settings))
    try:
        door = gate.door()
        assert gate.request(door, "GET", "/acme/raw/x").status == 403
        assert store.seen == []
        assert isinstance(gate.egress.statement_end(door.key_id, "failed").cause, DestinationRefused)
    finally:
        gate.close()


@pytest.mark.parametrize(
    "endpoint",
    ["ftp://h", "http://", "http://u:p@h", "http://h/base", "http://h?x=1", "http://h:99999", "h:80", "http://[::1"],
)
def test_an_endpoint_that_is_none_is_refused(store, endpoint):
    gate = make_gate(store.target(endpoint=endpoint))
    try:
        assert gate.request(gate.door(), "GET", "/acme/raw/x").status == 424
        assert store.seen == []
    finally:
        gate.close()


def test_a_store_that_closes_idle_connections_is_dialled_again(gate, store):
    door = gate.door()
    assert gate.request(door, "GET", "/acme/raw/x").status == 200
    gate.egress.statement_end(door.key_id, "ok")  # waits until the connection has been given back
    gate.egress.statement_begin(door.key_id)
    ((_, _, kept),) = gate.egress._stores.client(7, "7.1")[1]._kept
    kept.sock.shutdown(socket.SHUT_RDWR)
    assert gate.request(door, "GET", "/acme/raw/x").status == 200


def test_connections_to_the_store_are_kept(gate, store):
    door = gate.door()
    with gate.dial() as sock:
        stream = Stream(sock)
        for _ in range(5):
            sock.sendall(signed(door, "GET", "/acme/raw/x"))
            assert read_reply(stream).status == 200
        gate.egress.statement_end(door.key_id, "ok")
    client = gate.egress._stores.client(7, "7.1")[1]
    assert len(client._kept) == 1


def test_an_anonymous_connection_sends_no_authorization(store):
    gate = make_gate(store.target(access_key_id=None, secret_access_key=None, session_token=None))
    try:
        assert gate.request(gate.door(), "GET", "/acme/raw/x").status == 200
        assert "authorization" not in store.seen[0][2]
    finally:
        gate.close()
