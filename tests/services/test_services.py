"""The servers that other tests rely on do refuse, and a missing one is told as it should be."""

from __future__ import annotations

import os
import ssl
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.services import requirement
from tests.services.minio import session_key
from tests.services.process import Process, ServerFailed, wait_until


def test_minio_keeps_what_is_written(minio):
    bucket = minio.bucket()
    minio.put(bucket, "a/b.txt", b"rope")
    assert minio.keys(bucket, "a/") == ["a/b.txt"]
    assert minio.get(bucket, "a/b.txt") == b"rope"


def test_a_key_of_one_minio_is_refused_by_the_other(minio, other_minio):
    assert other_minio.refuses(minio.key)
    assert minio.refuses(other_minio.key)


def test_a_session_key_of_minio_does_only_what_its_policy_allows(minio):
    bucket = minio.bucket()
    minio.put(bucket, "raw/a", b"1")
    minio.put(bucket, "hr/b", b"2")
    reads_raw = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::{bucket}/raw/*"]}
    client = minio.client(key=session_key(minio, [reads_raw]))
    assert client.get_object(Bucket=bucket, Key="raw/a")["Body"].read() == b"1"
    with pytest.raises(ClientError, match="AccessDenied"):
        client.get_object(Bucket=bucket, Key="hr/b")


def test_a_user_of_moto_reaches_only_the_granted_bucket(moto):
    mine, theirs = moto.server.bucket("mine"), moto.server.bucket("theirs")
    for bucket in (mine, theirs):
        moto.server.put(bucket, "a", b"1")
    client = moto.server.client(key=moto.create_user_key("reader", mine))
    assert client.get_object(Bucket=mine, Key="a")["Body"].read() == b"1"
    with pytest.raises(ClientError, match="AccessDenied"):
        client.get_object(Bucket=theirs, Key="a")


def test_a_rotated_key_of_moto_ends_the_old_one(moto):
    old = moto.create_user_key("rotating")
    assert not moto.server.refuses(old)
    new = moto.rotate_key("rotating")
    assert not moto.server.refuses(new)
    assert moto.server.refuses(old)


def test_a_missing_server_skips_with_the_command_that_brings_it(monkeypatch):
    monkeypatch.delenv("FAIRLEAD_REQUIRE_SERVICES", raising=False)
    told = r"no-such-server is not installed; to bring it: make services"
    with pytest.raises(pytest.skip.Exception, match=told):  # skips nothing: what the skip says is tested
        requirement.require_service("no-such-server")


def test_a_missing_server_fails_where_real_servers_are_required(monkeypatch):
    monkeypatch.setenv("FAIRLEAD_REQUIRE_SERVICES", "1")
    with pytest.raises(pytest.fail.Exception, match=r"no-such-server is not installed"):
        requirement.require_service("no-such-server")


def test_a_server_that_ends_at_once_shows_its_log(tmp_path):
    process = Process(
        [sys.executable, "-c", "print('no such rope'); raise SystemExit(3)"], log=tmp_path / "log", env={}
    )
    with pytest.raises(ServerFailed, match=r"(?s)ended with 3.*no such rope"):
        process.start(lambda: False)


def test_a_server_that_never_answers_is_ended_at_the_deadline(tmp_path):
    process = Process([sys.executable, "-c", "import signal; signal.pause()"], log=tmp_path / "log", env={})
    with pytest.raises(ServerFailed, match="not ready after"):
        process.start(lambda: False, timeout=0.5)
    assert not process.running


def test_what_a_killed_server_left_behind_is_ended_with_it(tmp_path):
    log = tmp_path / "log"
    script = "import signal, subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True); signal.pause()"
    leaves_it = Process([sys.executable, "-c", script], log=log, env={"PATH": os.environ["PATH"]})
    leaves_it.start(lambda: leaves_it.log.endswith("\n"))
    child = int(leaves_it.log)
    leaves_it.kill()
    assert _lives(child)
    leaves_it.end_group()
    wait_until(lambda: not _lives(child))


def _lives(pid: int) -> bool:
    """Whether the process is there and no zombie, which an orphan may stay until init collects it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(("trusted", "accepted"), [("authority", True), ("other_authority", False)])
def test_only_the_right_authority_makes_a_chain_valid(request, authority, trusted, accepted):
    leaf = authority.leaf("server")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(leaf.certificate, leaf.key)
    client = ssl.create_default_context(cafile=request.getfixturevalue(trusted).certificate)
    if accepted:
        _shake_hands(client, server)
    else:
        with pytest.raises(ssl.SSLCertVerificationError):
            _shake_hands(client, server)


def _shake_hands(client_context: ssl.SSLContext, server_context: ssl.SSLContext) -> None:
    """Run a TLS handshake between two ends in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    waiting = [client, server]
    while waiting:
        for end in tuple(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                continue
