"""The tour's object store: an S3 server that refuses wrong signatures and unknown keys.

It is moto with authentication enforced. Moto lets its first few calls through unsigned; exactly those calls make the
administrator, and from then on every request must be signed by a key that exists and that its policies allow.
Everything is in memory and gone when the store stops.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from pathlib import Path

BUCKET = "acme"
FORBIDDEN_BUCKET = "other-corp"
REGION = "us-east-1"

_UNSIGNED_CALLS = 3  # those of _create_user()
_EVERYTHING = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]


@dataclass(frozen=True, slots=True)
class StoreKey:
    """A key of one of the store's users."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


class StoreFailed(RuntimeError):
    """The store ended, or did not answer in time; the message holds what it printed."""


class DemoStore:
    """One store, in a process of its own.

    Args:
        log: the file that takes what the server prints.
        host: the address to listen on.
        port: the port; 0 takes any free one.
    """

    def __init__(self, log: Path, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._log = log
        self._host = host
        self._port = port or _free_port(host)
        self._process: subprocess.Popen[bytes] | None = None
        self.endpoint = f"http://{host}:{self._port}"
        self.admin: StoreKey | None = None

    def start(self, *, timeout: float = 30) -> None:
        """Start the server, make its administrator, and return when signatures are enforced.

        Raises:
            StoreFailed: the server ended, did not answer within ``timeout`` seconds, or takes unsigned calls.
        """
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "moto.server", "-H", self._host, "-p", str(self._port)],
                env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(_UNSIGNED_CALLS)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._wait(time.monotonic() + timeout)
        unsigned = self.client("iam", StoreKey("unsigned", "unsigned"))
        self.admin = _create_user(unsigned, "admin", _EVERYTHING)
        try:
            unsigned.list_users()
        except ClientError:
            return
        self.stop()
        raise StoreFailed("the store does not enforce signatures")

    def stop(self) -> None:
        """End the server and forget everything in it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self, service: str = "s3", key: StoreKey | None = None) -> Any:
        """Return a boto3 client of ``service`` that signs with ``key``, by default the administrator's."""
        key = key or self.admin
        assert key is not None, "not started"
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=key.secret_access_key,
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def create_user_key(self, user: str, *buckets: str) -> StoreKey:
        """Create ``user``, who may do everything in ``buckets`` (in all if none is named), and return the first key."""
        places = [f"arn:aws:s3:::{bucket}{part}" for bucket in buckets or ("*",) for part in ("", "/*")]
        allowed = [{"Effect": "Allow", "Action": "s3:*", "Resource": places}]
        return _create_user(self.client("iam"), user, allowed)

    def rotate_key(self, user: str) -> StoreKey:
        """Give ``user`` a new key, delete every older one, and return the new one."""
        iam = self.client("iam")
        old = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        new = _create_key(iam, user)
        for entry in old:
            iam.delete_access_key(UserName=user, AccessKeyId=entry["AccessKeyId"])
        return new

    def upload(self, folder: Path) -> tuple[int, int]:
        """Make one bucket of each folder in ``folder``, with its files, and return how many objects and bytes."""
        s3 = self.client()
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        for bucket in sorted({path.relative_to(folder).parts[0] for path in files}):
            s3.create_bucket(Bucket=bucket)
        for path in files:
            bucket, *parts = path.relative_to(folder).parts
            s3.put_object(Bucket=bucket, Key="/".join(parts), Body=path.read_bytes())
        return len(files), sum(path.stat().st_size for path in files)

    def _wait(self, deadline: float) -> None:
        """Return when the server answers; its dashboard is no call that counts."""
        while True:
            try:
                with urlopen(f"{self.endpoint}/moto-api/", timeout=2):
                    return
            except OSError:
                ended = self._process is None or self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    self.stop()
                    raise StoreFailed(f"the store did not start:\n{self._log.read_text()[-2000:]}") from None
                time.sleep(0.05)


def _create_user(iam: Any, user: str, statements: list[dict[str, Any]]) -> StoreKey:
    """Create a user with one key and one policy. Three calls: ``_UNSIGNED_CALLS`` counts them."""
    iam.create_user(UserName=user)
    key = _create_key(iam, user)
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=policy)
    return key


def _create_key(iam: Any, user: str) -> StoreKey:
    made = iam.create_access_key(UserName=user)["AccessKey"]
    return StoreKey(made["AccessKeyId"], made["SecretAccessKey"])


def _free_port(host: str) -> int:
    with closing(socket.socket()) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
