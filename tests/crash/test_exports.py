"""Exports that are interrupted leave nothing that a reader could see, and no open upload.

The gateway is killed, its worker is killed, the client cancels or goes away, the store is cut off, the disk is full:
each while an export has parts in the store. What the gateway cannot clear away at once, it clears away later.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.security.processes import descendants
from tests.services.process import wait_until
from tests.services.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.services.gateway import Gateway
    from tests.services.s3 import S3Server

pytestmark = pytest.mark.services

_ENDLESS = "SELECT i, repeat('x', 2000) AS filler FROM range(1000000000) t(i)"
_PACKED = (
    f"SELECT {', '.join(f'hash(i + {n}) AS h{n}' for n in range(20))} FROM range(1000000000) t(i)"  # does not shrink
)
_LONG = 60.0  # seconds


class Store:
    """One bucket, seen past the gateway."""

    def __init__(self, server: S3Server) -> None:
        self.server = server
        self.bucket = server.bucket("testing")

    def keys(self) -> list[str]:
        return self.server.keys(self.bucket)

    def uploads(self) -> list[tuple[str, str]]:
        listed = self.server.client().list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        return [(entry["Key"], entry["UploadId"]) for entry in listed]

    def has_parts(self) -> bool:
        """Whether some upload has a part that is complete."""
        for key, upload_id in self.uploads():
            with suppress(self.server.client().exceptions.NoSuchUpload):
                listed = self.server.client().list_parts(Bucket=self.bucket, Key=key, UploadId=upload_id)
                if listed.get("Parts"):
                    return True
        return False

    def manifest(self, folder: str) -> dict[str, Any]:
        return json.loads(self.server.get(self.bucket, f"{folder}_manifest.json"))

    def link_sql(self, name: str, endpoint: str) -> str:
        key = self.server.key
        credentials = {"aws_access_key_id": key.access_key_id, "aws_secret_access_key": key.secret_access_key}
        config = {"region": self.server.region, "endpoint_url": endpoint}
        return f"CREATE LINK {name} AS S3 CREDENTIALS '{json.dumps(credentials)}' CONFIG '{json.dumps(config)}'"


@pytest.fixture
def store(minio) -> Store:
    return Store(minio)


@pytest.fixture
def relay(minio) -> Iterator[Relay]:
    one = Relay(minio.endpoint)
    yield one
    one.close()


class Running(threading.Thread):
    """A statement in a thread of its own."""

    def __init__(self, connection: psycopg.Connection[Any], sql: str) -> None:
        super().__init__(daemon=True)
        self.connection = connection
        self.error: psycopg.Error | None = None
        self.tag: str | None = None
        self._sql = sql
        self.start()

    def run(self) -> None:
        try:
            self.tag = self.connection.execute(self._sql).statusmessage
        except psycopg.Error as error:
            self.error = error

    def end(self) -> None:
        self.join(_LONG)
        assert not self.is_alive()


def begun(gateway: Gateway, store: Store, path: str, *, sql: str = _ENDLESS, link: str = "l") -> Running:
    """Start an export and return it when the store has a part of it."""
    running = Running(gateway.connect(), f"{sql} INTO LINK {link} '{store.bucket}/{path}'")
    wait_until(lambda: store.has_parts() or not running.is_alive(), timeout=_LONG)
    assert running.is_alive(), running.error
    return running


def prepared(gateway: Gateway, store: Store) -> None:
    with gateway.connect() as admin:
        admin.execute(store.link_sql("l", store.server.endpoint))


def nothing_is_left(store: Store) -> bool:
    return store.uploads() == [] and store.keys() == []


TARGETS = ["k", "dir/", "dir/ FORMAT PARQUET"]


def _path(target: str) -> str:
    path, _, options = target.partition(" ")
    return f"{path}' {options} --" if options else path


@pytest.mark.parametrize("target", TARGETS)
def test_kill_of_the_gateway(start_gateway, store, target):
    gateway = start_gateway()
    prepared(gateway, store)
    running = begun(gateway, store, _path(target), sql=_PACKED if "PARQUET" in target else _ENDLESS)
    gateway.kill()
    running.end()
    assert store.keys() == []
    assert store.uploads() != [], "the kill came too late to prove anything"
    gateway.start()
    wait_until(lambda: nothing_is_left(store), timeout=_LONG)
    with gateway.connect() as again:
        again.execute(f"SELECT 1 INTO LINK l '{store.bucket}/{_path(target)}'")
        rows = " ".join(map(str, again.execute("SHOW LEDGER LIMIT 50").fetchall()))
        assert "journal of uploads" in rows


def test_kill_of_the_worker(start_gateway, store):
    gateway = start_gateway()
    prepared(gateway, store)
    running = begun(gateway, store, "dir/")
    os.kill(_busiest(descendants(gateway.pid)), signal.SIGKILL)
    running.end()
    assert running.error is not None
    assert running.error.sqlstate == "58000"
    assert nothing_is_left(store)
    assert running.connection.execute(f"SELECT 1 INTO LINK l '{store.bucket}/dir/'").statusmessage == "SELECT 1"


def _busiest(pids: list[int]) -> int:
    """Return the process that has used most time."""

    def used(pid: int) -> int:
        with suppress(OSError):
            return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
        return 0

    return max(pids, key=used)


@pytest.mark.parametrize("target", TARGETS[:2])
def test_cancel(start_gateway, store, target):
    gateway = start_gateway()
    prepared(gateway, store)
    running = begun(gateway, store, _path(target))
    running.connection.cancel()
    running.end()
    assert running.error is not None
    assert running.error.sqlstate == "57014"
    assert nothing_is_left(store)


def test_a_client_that_goes_away(start_gateway, store):
    gateway = start_gateway()
    prepared(gateway, store)
    running = begun(gateway, store, "dir/")
    _hang_up(running.connection)
    wait_until(lambda: nothing_is_left(store), timeout=_LONG)


def _hang_up(connection: psycopg.Connection[Any]) -> None:
    with socket.socket(fileno=os.dup(connection.fileno())) as sock:
        sock.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("target", ["k", "dir/"])
def test_a_store_that_is_cut_off(start_gateway, store, relay, target):
    gateway = start_gateway()
    with gateway.connect() as admin:
        admin.execute(store.link_sql("l", relay.endpoint))
    running = begun(gateway, store, target)
    relay.cut()
    running.end()
    assert running.error is not None
    assert running.error.sqlstate in {"08001", "58000", "58030"}, running.error
    assert store.keys() == []
    relay.mend()
    wait_until(lambda: nothing_is_left(store), timeout=_LONG)


def test_a_full_disk(start_gateway, store):
    gateway = start_gateway(env={"FAIRLEAD_WORKER__SPILL_LIMIT_MB": "8", "FAIRLEAD_WORKER__MEMORY_LIMIT_MB": "256"})
    prepared(gateway, store)
    with gateway.connect() as client, pytest.raises(psycopg.Error) as caught:
        client.execute(
            f"SELECT i, repeat('x', 100) || i AS s FROM range(20000000) t(i) ORDER BY s INTO LINK l '{store.bucket}/k'"
        )
    assert caught.value.sqlstate in {"53200", "58030", "53100"}, caught.value
    assert nothing_is_left(store)


def test_two_exports_to_one_path_do_not_mix(start_gateway, store):
    gateway = start_gateway()
    prepared(gateway, store)
    running = begun(gateway, store, "dir/")
    with gateway.connect() as second:
        for path in ("dir/", "dir/sub/", "dir/part-00000.csv"):
            with pytest.raises(psycopg.Error) as caught:
                second.execute(f"SELECT 1 INTO LINK l '{store.bucket}/{path}' ENABLE_OVERWRITE")
            assert caught.value.sqlstate == "55006"
        assert second.execute(f"SELECT 1 INTO LINK l '{store.bucket}/other/'").statusmessage == "SELECT 1"
        running.connection.cancel()
        running.end()
        assert second.execute(f"SELECT 1 INTO LINK l '{store.bucket}/dir/'").statusmessage == "SELECT 1"


def test_another_program_is_not_overwritten_either(start_gateway, store):
    """It comes after the look at the path, so only the store's own condition can tell."""
    gateway = start_gateway()
    prepared(gateway, store)
    some = "SELECT i, repeat('x', 2000) AS filler FROM range(150000) t(i)"
    for path, theirs in (("k", "k"), ("dir/", "dir/_manifest.json")):
        running = begun(gateway, store, path, sql=some)
        store.server.put(store.bucket, theirs, b"theirs")
        running.end()
        assert running.error is not None
        assert running.error.sqlstate == "58P02"
        assert store.server.get(store.bucket, theirs) == b"theirs"
    assert store.keys() == ["dir/_manifest.json", "k"]
    assert store.uploads() == []


def test_an_overwrite_that_is_killed_keeps_the_old_export(start_gateway, store):
    gateway = start_gateway()
    prepared(gateway, store)
    with gateway.connect() as admin:
        admin.execute(f"SELECT 1 AS a INTO LINK l '{store.bucket}/dir/'")
    before, keys = store.manifest("dir/"), store.keys()
    running = begun(gateway, store, "dir/' ENABLE_OVERWRITE --")
    gateway.kill()
    running.end()
    gateway.start()
    wait_until(lambda: store.uploads() == [], timeout=_LONG)
    assert (store.manifest("dir/"), store.keys()) == (before, keys)
