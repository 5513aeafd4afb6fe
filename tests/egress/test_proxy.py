"""Raw sockets against the proxy: nothing but a plain, signed, granted request reaches the store."""

from __future__ import annotations

import re
import socket
import threading
import time

import pytest

from fairlead.access.rules import Action, Rule
from fairlead.egress.http1 import Stream
from fairlead.egress.proxy import Proxy
from fairlead.errors import (
    LedgerUnavailable,
    NotSupported,
    PermissionDenied,
)
from tests.egress.gate import ALL, FakeStore, make_gate, read_reply, signed
from tests.egress.test_paths import TRICKS


def code(reply) -> str:
    return re.search(rb"<Code>(.*?)</Code>", reply.body)[1].decode()


def test_a_granted_request_reaches_the_store_signed_anew_and_without_the_workers_headers(gate, store):
    door = gate.door()
    reply = gate.request(door, "GET", "/acme/raw/x.csv", range="bytes=0-4", cookie="c", x_forwarded_for="h")
    assert (reply.status, reply.body) == (200, b"hello")
    ((method, path, headers),) = store.seen
    assert (method, path, headers["range"]) == ("GET", "/acme/raw/x.csv", "bytes=0-4")
    assert headers["host"] == f"127.0.0.1:{store.port}"
    assert "Credential=REALKEYID/" in headers["authorization"]
    assert headers["x-amz-security-token"] == "realsessiontoken"
    assert not {"cookie", "x-forwarded-for", "user-agent"} & headers.keys()
    assert door.key_id not in str(headers)


def test_nothing_of_the_credential_is_in_the_answer(gate):
    reply = gate.request(gate.door(), "GET", "/acme/raw/x.csv")
    assert "REALKEYID" not in str(reply)
    assert "realsecret" not in str(reply)
    assert "realsessiontoken" not in str(reply)


@pytest.mark.parametrize("raw", [trick for trick in TRICKS if trick.startswith("/") and len(trick) < 200])
def test_no_trick_with_the_path_reaches_the_store(gate, store, raw):
    gate.rules[:] = [Rule(7, "acme", "raw/", ALL, "stage main.public.raw", "main.public.lake")]
    door = gate.door()
    try:
        data = signed(door, "GET", raw)
    except ValueError:  # a target that cannot even be split is sent with another one's signature
        data = signed(door, "GET", "/acme/raw/x").replace(b"/acme/raw/x", raw.encode("latin-1"), 1)
    with gate.dial() as sock:
        sock.sendall(data)
        assert 400 <= read_reply(Stream(sock)).status < 500
    assert store.seen == []
    assert gate.opened == []
    assert gate.request(door, "GET", "/acme/raw/x").status == 200  # the control: the same door works


@pytest.mark.parametrize(
    "prefix",
    ["", "raw", "ra", "other/", "raw/../other/", "raw/%2e%2e/", "raw//", "/raw/", "raw/%5c", "raw/%252e%252e/"],
)
def test_a_listing_stays_below_the_granted_prefix(gate, store, prefix):
    door = gate.door()
    reply = gate.request(door, "GET", f"/acme/?list-type=2&prefix={prefix}")
    assert 400 <= reply.status < 500
    assert store.seen == []
    assert gate.request(door, "GET", "/acme/?list-type=2&prefix=raw/a").status == 200


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "/acme", {}),
        ("GET", "/acme/?prefix=raw/", {}),
        ("GET", "/acme/?list-type=1&prefix=raw/", {}),
        ("GET", "/acme/?list-type=2&prefix=raw/&start-after=x", {}),
        ("GET", "/acme/?list-type=2&prefix=raw/&max-keys=-1", {}),
        ("GET", "/acme/?versions&prefix=raw/", {}),
        ("GET", "/acme/?uploads", {}),
        ("GET", "/acme/?policy", {}),
        ("HEAD", "/acme", {}),
        ("PUT", "/acme", {}),
        ("DELETE", "/acme", {}),
        ("POST", "/acme/?delete", {}),
        ("POST", "/acme/raw/x", {}),
        ("POST", "/acme/raw/x?restore", {}),
        ("POST", "/acme/raw/x?select&select-type=2", {}),
        ("GET", "/acme/raw/x?acl", {}),
        ("PUT", "/acme/raw/x?acl", {}),
        ("PUT", "/acme/raw/x?tagging", {}),
        ("GET", "/acme/raw/x?versionId=1", {}),
        ("GET", "/acme/raw/x?X-Amz-Signature=0", {}),
        ("GET", "/acme/raw/x?response-content-type=text/html", {}),
        ("PUT", "/acme/raw/x", {"x_amz_copy_source": "/acme/other/x"}),
        ("PUT", "/acme/raw/x", {"x_amz_acl": "public-read"}),
        ("PUT", "/acme/raw/x", {"x_amz_website_redirect_location": "http://evil"}),
        ("PUT", "/acme/raw/x", {"if_none_match": "*"}),
        ("PUT", "/acme/raw/x", {"expect": "100-continue"}),
        ("PUT", "/acme/raw/x?partNumber=0&uploadId=u", {}),
        ("PUT", "/acme/raw/x?partNumber=1", {}),
        ("PUT", "/acme/raw/x", {"content_length": "99999999999999"}),
        ("GET", "/acme/raw/x", {"range": "bytes=0-1,3-4"}),
        ("GET", "/acme/raw/x", {"range": "lines=1-2"}),
        ("GET", "/acme/raw/x", {"x_amz_security_token": "t"}),
        ("GET", "/acme/raw/x", {"x_amz_content_sha256": "UNSIGNED-PAYLOAD"}),
        ("PATCH", "/acme/raw/x", {}),
        ("OPTIONS", "/acme/raw/x", {}),
        ("TRACE", "/acme/raw/x", {}),
    ],
)
def test_what_is_not_one_of_the_operations_is_refused_and_recorded(gate, store, method, target, headers):
    gate.rules[:] = [Rule(7, "acme", "", ALL, "stage main.public.all", "main.public.lake")]
    door = gate.door()
    reply = gate.request(door, method, target, **headers)
    assert 400 <= reply.status < 500
    assert store.seen == []
    assert gate.opened == []
    assert gate.ledger.kinds() == ["refused"]
    assert isinstance(gate.egress.statement_end(door.key_id, "failed").cause, NotSupported)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Signature=", b"Signature=0"),
        (b"Signature=", b"Signature=zz"),
        (b"/acme/raw/x", b"/acme/raw/y"),
        (b"GET ", b"HEAD "),
        (b"us-east-1/s3", b"eu-west-1/s3"),
        (b"AWS4-HMAC-SHA256 ", b"AWS4-HMAC-SHA512 "),
        (b"SignedHeaders=host;", b"SignedHeaders="),
        (b"host: ", b"host: evil."),
        (b"authorization", b"x-authorization"),
        (b"Credential=FL", b"Credential=FM"),
    ],
)
def test_a_forged_request_is_refused(gate, store, old, new):
    door = gate.door()
    data = signed(door, "GET", "/acme/raw/x")
    assert old in data
    with gate.dial() as sock:
        sock.sendall(data.replace(old, new, 1))
        assert read_reply(Stream(sock), "HEAD" if new == b"HEAD " else "GET").status == 403
    assert store.seen == []


def test_a_shut_door_an_unopened_one_and_one_between_statements_let_nothing_in(gate, store):
    shut, unopened, waiting = gate.door(), gate.door(), gate.door(begin=False)
    gate.egress.close_door(shut.key_id)
    gate.egress.close_door(unopened.key_id)
    for door in (shut, unopened, waiting):
        assert gate.request(door, "GET", "/acme/raw/x").status == 403
    gate.egress.statement_begin(waiting.key_id)
    assert gate.request(waiting, "GET", "/acme/raw/x").status == 200
    gate.egress.statement_end(waiting.key_id, "ok")
    assert gate.request(waiting, "GET", "/acme/raw/x").status == 403
    assert len(store.seen) == 1


def test_the_key_of_one_door_does_not_open_the_connection_of_another(gate):
    one, two = gate.door(), gate.door()
    with gate.dial() as sock:
        stream = Stream(sock)
        sock.sendall(signed(one, "GET", "/acme/raw/x"))
        assert read_reply(stream).status == 200
        sock.sendall(signed(two, "GET", "/acme/raw/x"))
        assert read_reply(stream).status == 403


def test_the_secret_of_one_door_does_not_sign_for_another(gate, store):
    one, two = gate.door(), gate.door()
    data = signed(one, "GET", "/acme/raw/x").replace(one.key_id.encode(), two.key_id.encode())
    with gate.dial() as sock:
        sock.sendall(data)
        assert read_reply(Stream(sock)).status == 403
    assert store.seen == []


def test_requests_sent_at_once_are_each_judged(gate, store):
    door = gate.door()
    with gate.dial() as sock:
        forged = signed(door, "GET", "/acme/raw/x").replace(b"raw/x", b"raw/z", 1)
        sock.sendall(signed(door, "GET", "/acme/raw/x") + forged + signed(door, "GET", "/acme/raw/y"))
        stream = Stream(sock)
        assert [read_reply(stream).status for _ in range(3)] == [200, 403, 200]
    assert [path for _, path, _ in store.seen] == ["/acme/raw/x", "/acme/raw/y"]


def test_a_body_is_not_read_as_a_request(gate, store):
    door = gate.door()
    inner = signed(door, "GET", "/acme/raw/inner")
    with gate.dial() as sock:
        stream = Stream(sock)
        sock.sendall(signed(door, "PUT", "/acme/raw/x", inner))
        assert read_reply(stream).status == 403
        sock.sendall(signed(door, "GET", "/acme/raw/outer"))
        assert read_reply(stream).status == 200
    assert [path for _, path, _ in store.seen] == ["/acme/raw/outer"]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET http://store/acme/x HTTP/1.1\r\n\r\n",
        b"CONNECT store:443 HTTP/1.1\r\n\r\n",
        b"get /acme/x HTTP/1.1\r\n\r\n",
        b"GET /acme/x  HTTP/1.1\r\n\r\n",
        b"GET /acme/x HTTP/1.1\nhost: h\r\n\r\n",
        b"GET /acme/x HTTP/1.1\r\nhost : h\r\n\r\n",
        b"GET /acme/x HTTP/1.1\r\n folded: h\r\n\r\n",
        b"GET /acme/x HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"GET /acme/x HTTP/1.1\r\nhost: a\rb\r\n\r\n",
        b"GET /acme/x HTTP/1.1\r\nhost: a\0b\r\n\r\n",
        b"PUT /acme/x HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"PUT /acme/x HTTP/1.1\r\ncontent-length: +5\r\n\r\n",
        b"PUT /acme/x HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"PUT /acme/x HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\n\r\n",
        b"GET /acme/x HTTP/1.1\r\n" + b"h: v\r\n" * 5000 + b"\r\n",
        b"GET /acme/x HTTP/1.1\r\n" + b"".join(b"h%d: v\r\n" % n for n in range(65)) + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_what_is_not_plain_http_is_refused_and_the_connection_closed(gate, store, data):
    with gate.dial() as sock:
        sock.sendall(data)
        assert read_reply(Stream(sock)).status == 400
        assert sock.recv(1) == b""
    assert store.seen == []


def test_a_head_that_trickles_in_is_cut_off(gate, monkeypatch):
    proxy = gate.egress._proxy
    assert isinstance(proxy, Proxy)
    proxy._head = 0.2
    with gate.dial() as sock:
        sock.sendall(b"GET /acme/x HTTP/1.1\r\n")
        ended = threading.Event()

        def trickle():
            while not ended.wait(0.02):
                try:
                    sock.sendall(b"a")
                except OSError:
                    return

        writer = threading.Thread(target=trickle)
        writer.start()
        start = time.monotonic()
        try:
            data = sock.recv(100)
        except ConnectionResetError:
            data = b""
        ended.set()
        writer.join()
    assert data == b""
    assert time.monotonic() - start < 3


def test_an_idle_connection_is_closed(gate):
    gate.egress._proxy._idle = 0.1
    with gate.dial() as sock:
        assert sock.recv(1) == b""


def test_shutting_a_door_cuts_its_connections_at_once(gate):
    door, other = gate.door(), gate.door()
    with gate.dial() as mine, gate.dial() as theirs:
        for sock, key in ((mine, door), (theirs, other)):
            sock.sendall(signed(key, "GET", "/acme/raw/x"))
            assert read_reply(Stream(sock)).status == 200
        gate.egress.close_door(door.key_id)
        assert mine.recv(1) == b""
        theirs.sendall(signed(other, "GET", "/acme/raw/x"))
        assert read_reply(Stream(theirs)).status == 200


def test_the_end_of_a_statement_cuts_a_store_that_does_not_answer():
    silent = socket.create_server(("127.0.0.1", 0))
    store = FakeStore()
    gate = make_gate(store.target(endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}"))
    try:
        door = gate.door()
        with gate.dial() as sock:
            sock.sendall(signed(door, "GET", "/acme/raw/x"))
            upstream, _ = silent.accept()
            assert upstream.recv(10)
            start = time.monotonic()
            gate.egress.statement_end(door.key_id, "cancelled")
            assert time.monotonic() - start < 4
            assert sock.recv(1) == b""
            upstream.close()
    finally:
        gate.close()
        store.close()
        silent.close()


def test_without_a_ledger_nothing_is_sent_and_no_credential_opened(gate, store):
    door = gate.door()
    gate.ledger.broken = True
    assert 400 <= gate.request(door, "GET", "/acme/raw/x").status < 500
    assert gate.request(door, "GET", "/acme/other/x").status == 403
    assert store.seen == []
    assert gate.opened == []
    assert isinstance(gate.egress.statement_end(door.key_id, "failed").cause, LedgerUnavailable)


def test_the_row_is_written_before_the_credential_is_opened_and_once_per_use(gate, store, monkeypatch):
    order: list[str] = []
    begin, opening = gate.ledger.begin, gate.egress._stores._target
    monkeypatch.setattr(gate.ledger, "begin", lambda *a, **k: order.append("ledger") or begin(*a, **k))
    monkeypatch.setattr(gate.egress._stores, "_target", lambda c: order.append("opened") or opening(c))
    door = gate.door()
    for key in ("x", "y", "z"):
        gate.request(door, "GET", f"/acme/raw/{key}")
    gate.request(door, "GET", "/acme/?list-type=2&prefix=raw/")
    use = gate.egress.statement_end(door.key_id, "ok")
    assert order == ["ledger", "opened", "ledger"]
    assert (use.requests, use.bytes_read) == (4, 20)
    finished = [row for kind, row in gate.ledger.rows if kind == "finish"]
    assert [(row["requests"], row["bytes_read"]) for row in finished] == [(3, 15), (1, 5)]


def test_refusals_cannot_flood_the_ledger(gate):
    door = gate.door()
    with gate.dial() as sock:
        stream = Stream(sock)
        for number in range(150):
            sock.sendall(signed(door, "GET", f"/acme/other/{number}"))
            assert read_reply(stream).status == 403
    assert gate.ledger.kinds() == ["refused"] * 100


def test_the_first_cause_is_kept(gate):
    door = gate.door()
    gate.request(door, "GET", "/acme/other/first")
    gate.request(door, "GET", "/acme/other/second")
    cause = gate.egress.statement_end(door.key_id, "failed").cause
    assert isinstance(cause, PermissionDenied)
    assert "first" in cause.message


def test_a_listener_can_be_added_and_stop_ends_everything(gate):
    second = socket.create_server(("127.0.0.1", 0))
    gate.egress.serve(second)
    door = gate.door()
    address = second.getsockname()
    with socket.create_connection(address, timeout=5) as sock:
        sock.sendall(signed(door, "GET", "/acme/raw/x"))
        assert read_reply(Stream(sock)).status == 200
        gate.egress.stop()
        assert sock.recv(1) == b""
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(address, timeout=1)


def test_actions_are_asked_one_by_one(gate):
    needed = {
        Action.READ: [("GET", "/acme/raw/x"), ("HEAD", "/acme/raw/x")],
        Action.LIST: [("GET", "/acme/?list-type=2&prefix=raw/")],
        Action.WRITE: [("PUT", "/acme/raw/x"), ("POST", "/acme/raw/x?uploads=")],
        Action.DELETE: [("DELETE", "/acme/raw/x")],
    }
    door = gate.door()
    for granted in Action:
        gate.rules[:] = [Rule(7, "acme", "raw/", frozenset({granted}), "stage main.public.raw", "main.public.lake")]
        for action, requests in needed.items():
            for method, target in requests:
                assert (gate.request(door, method, target).status == 403) == (action is not granted), (granted, target)
