"""MinIO, a real S3 server that verifies every signature. A tool of the tests only: its licence is AGPL-3.0."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from tests.services.process import Process, answers, free_port
from tests.services.s3 import S3Key, S3Server

if TYPE_CHECKING:
    from pathlib import Path


class Minio:
    """One MinIO on a free port, with random root credentials.

    Args:
        program: the binary.
        folder: an empty folder for its data and its log.
        host: the loopback address to listen on.
    """

    def __init__(self, program: Path, folder: Path, *, host: str = "127.0.0.1") -> None:
        port = free_port(host)
        key = S3Key("root" + secrets.token_hex(6), secrets.token_hex(20))
        self.server = S3Server(f"http://{host}:{port}", key)
        data = folder / "data"
        data.mkdir()
        self._process = Process(
            [str(program), "server", str(data), "--address", f"{host}:{port}", "--quiet"],
            log=folder / "minio.log",
            env={
                "HOME": str(folder),
                "MINIO_ROOT_USER": key.access_key_id,
                "MINIO_ROOT_PASSWORD": key.secret_access_key,
                "MINIO_BROWSER": "off",
                "MINIO_UPDATE": "off",
            },
        )

    def start(self) -> S3Server:
        """Start it, prove that it refuses wrong keys, and return how to reach it."""
        self._process.start(answers(f"{self.server.endpoint}/minio/health/ready"))
        self.server.assert_refuses_wrong_keys()
        return self.server

    def stop(self) -> None:
        """End it at once: its data is of no more use."""
        self._process.end_group()


def session_key(server: S3Server, statements: list[dict[str, object]], *, seconds: int = 900) -> S3Key:
    """Return a temporary key with a session token that may do only what ``statements`` (an IAM policy) allow."""
    answer = server.client("sts").assume_role(
        RoleArn="arn:minio:iam:::role/unused",  # MinIO wants one and ignores it
        RoleSessionName="test",
        DurationSeconds=seconds,
        Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}),
    )["Credentials"]
    return S3Key(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
