from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fairlead.errors import (
    DestinationRefused,
    FairleadError,
    StoreError,
    StoreRefusedCredential,
    StoreUnreachable,
    UndefinedFile,
)
from fairlead.sensitive import Sensitive
from tests.egress.conftest import real_target
from tests.egress.gate import FakeStore, make_gate
from tests.services.certificates import Authority


@pytest.fixture
def probe(gate):
    return gate.egress.probe(7)


def test_a_real_store_is_signed_in_to_and_listed(minio, probe):
    target = real_target(minio)
    assert "accepted the signature" in probe.sign_in(target)
    bucket = minio.bucket()
    for number in range(3):
        minio.put(bucket, f"raw/{number}", b"x")
    assert probe.list(target, bucket, "raw/", 2) == 2
    assert probe.list(target, bucket, "none/", 10) == 0
    with pytest.raises(UndefinedFile, match="no bucket"):
        probe.list(target, "no-such-bucket-here", "", 1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"secret_access_key": Sensitive("wrong-wrong-wrong")}, "secret access key"),
        ({"access_key_id": Sensitive("NOSUCHKEY")}, "access key id"),
        ({"session_token": Sensitive("nonsense")}, "token"),
    ],
)
def test_a_refused_credential_is_not_a_sign_in(minio, probe, change, words):
    with pytest.raises(StoreRefusedCredential, match=words):
        probe.sign_in(replace(real_target(minio), **change))


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b""), (404, b"<html>"), (200, b"<html>"), (302, b""), (400, b"<Error><Code>Odd</Code></Error>")],
)
def test_an_answer_that_proves_nothing_is_no_sign_in(probe, status, body):
    store = FakeStore(lambda *_: (status, {}, body))
    try:
        with pytest.raises(StoreError):
            probe.sign_in(store.target())
    finally:
        store.close()


def test_steps_tell_where_it_ends(probe, store):
    assert probe.resolve("127.0.0.1", store.port) == ("127.0.0.1",)
    assert probe.tcp("127.0.0.1", store.port) == "127.0.0.1"
    with pytest.raises(StoreUnreachable, match="port 9"):
        probe.tcp("127.0.0.1", 9)
    with pytest.raises(DestinationRefused):
        probe.tcp("169.254.169.254", 80)
    with pytest.raises(StoreUnreachable, match="TLS handshake"):
        probe.tls("127.0.0.1", store.port)


@contextmanager
def tls_server(leaf):
    store = FakeStore()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf.certificate, leaf.key)
    store._server.socket = context.wrap_socket(store._server.socket, server_side=True, do_handshake_on_connect=False)
    try:
        yield store
    finally:
        store.close()


def test_tls_is_verified_for_the_name_and_the_authority(tmp_path):
    (tmp_path / "other").mkdir()
    good, other = Authority(tmp_path), Authority(tmp_path / "other", "Other CA")
    trusted = ssl.create_default_context(cafile=good.certificate)
    cases = [
        (good.leaf("store", "store.example"), "store.example", None),
        (good.leaf("elsewhere", "elsewhere.example"), "store.example", "not trusted"),
        (other.leaf("fake", "store.example"), "store.example", "not trusted"),
    ]
    for leaf, host, refusal in cases:
        with tls_server(leaf) as store:
            target = store.target(endpoint=f"https://{host}:{store.port}")
            gate = make_gate(target, tls=trusted, resolve=lambda *_: ["127.0.0.1"])
            probe = gate.egress.probe(7)
            door = gate.door()
            reply = gate.request(door, "GET", "/acme/raw/x")
            if refusal is None:
                version, subject, expiry = probe.tls(host, store.port)
                assert (version, subject) == ("TLSv1.3", "store")
                assert datetime.now(UTC) < expiry < datetime.now(UTC) + timedelta(days=2)
                assert (reply.status, reply.body) == (200, b"hello")
            else:
                assert store.seen == []
                assert reply.status == 424
                with pytest.raises(StoreUnreachable, match=refusal):
                    probe.tls(host, store.port)
                assert isinstance(gate.egress.statement_end(door.key_id, "failed").cause, FairleadError)
            gate.close()
    assert threading.active_count() < 100
