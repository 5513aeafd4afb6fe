"""Which destinations are one store."""

from __future__ import annotations

import pytest

from fairlead.connectors.store import store_named

_AWS = "https://s3.amazonaws.com"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://minio:9000", "http://MinIO:9000/", True),
        ("http://minio:9000", "http://minio:9001", False),
        ("http://minio", "http://minio:80", True),
        ("https://minio.", "https://minio:443", True),
        ("http://127.0.0.1:9000", "http://localhost:9000", True),
        ("http://127.0.0.1:9000", "http://[::1]:9000", True),
        (_AWS, "https://s3.eu-west-1.amazonaws.com", True),
        (_AWS, "https://s3.amazonaws.com.cn", False),
        (_AWS, "https://amazonaws.com.example.org", False),
        ("http://minio:x", "http://minio:y", False),
        ("", "", True),
    ],
)
def test_destinations_are_compared_by_host_and_port(one: str, other: str, same: bool) -> None:
    assert (store_named(one) == store_named(other)) is same
