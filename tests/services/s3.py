"""What a test knows of an S3 server, and the client with which it prepares one.

The client is boto3, on purpose another one than the product's, without retries: a refusal must show as what it is.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


@dataclass(frozen=True, slots=True)
class S3Key:
    """A credential of a test's server."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def with_wrong_secret(self) -> S3Key:
        """Return the key with one character of its secret changed to another one."""
        first, rest = self.secret_access_key[0], self.secret_access_key[1:]
        return replace(self, secret_access_key=("a" if first != "a" else "b") + rest)


@dataclass(frozen=True, slots=True)
class S3Server:
    """Where a server listens and how to get in.

    Args:
        endpoint: ``http://host:port``, no trailing slash.
        key: a credential that may do everything.
        region: the region to sign for.
    """

    endpoint: str
    key: S3Key
    region: str = "us-east-1"

    def client(self, service: str = "s3", key: S3Key | None = None) -> Any:
        """Return a boto3 client of ``service`` that uses ``key``, by default the one that may do everything."""
        key = key or self.key
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=key.secret_access_key,
            aws_session_token=key.session_token,
            config=Config(
                retries={"total_max_attempts": 1},
                connect_timeout=5,
                read_timeout=30,
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def bucket(self, prefix: str = "test") -> str:
        """Create a bucket with a name of its own and return the name."""
        name = f"{prefix}-{secrets.token_hex(4)}"
        self.client().create_bucket(Bucket=name)
        return name

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Write one object."""
        self.client().put_object(Bucket=bucket, Key=key, Body=body)

    def get(self, bucket: str, key: str) -> bytes:
        """Read one object."""
        body: bytes = self.client().get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """Return the keys of all objects below ``prefix``, sorted."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return sorted(entry["Key"] for page in pages for entry in page.get("Contents", []))

    def refuses(self, key: S3Key) -> bool:
        """Return whether the server refuses ``key`` with 403 when it lists its buckets."""
        try:
            self.client(key=key).list_buckets()
        except ClientError as error:
            status: int = error.response["ResponseMetadata"]["HTTPStatusCode"]
            return status == 403
        return False

    def assert_refuses_wrong_keys(self) -> None:
        """Fail unless a wrong secret and an unknown key are refused: a server that takes them proves nothing."""
        assert not self.refuses(self.key), f"{self.endpoint} refuses its own key"
        assert self.refuses(self.key.with_wrong_secret()), f"{self.endpoint} accepts a wrong secret"
        unknown = S3Key("AKIA" + secrets.token_hex(8).upper(), secrets.token_hex(20))
        assert self.refuses(unknown), f"{self.endpoint} accepts an unknown key"
