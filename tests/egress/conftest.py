from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fairlead.connectors.store import S3Target
from fairlead.sensitive import Sensitive
from tests.egress.gate import FakeStore, Gate, make_gate
from tests.services.minio import Minio
from tests.services.requirement import require_service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.services.s3 import S3Server


@pytest.fixture(scope="session")
def minio(tmp_path_factory) -> Iterator[S3Server]:
    named = os.environ.get("FAIRLEAD_TEST_MINIO")
    server = Minio(Path(named) if named else require_service("minio"), tmp_path_factory.mktemp("minio"))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def store() -> Iterator[FakeStore]:
    server = FakeStore()
    yield server
    server.close()


@pytest.fixture
def gate(store) -> Iterator[Gate]:
    made = make_gate(store.target())
    yield made
    made.close()


def real_target(server: S3Server, **changes) -> S3Target:
    fields = {
        "endpoint": server.endpoint,
        "region": "us-east-1",
        "access_key_id": Sensitive(server.key.access_key_id),
        "secret_access_key": Sensitive(server.key.secret_access_key),
        "session_token": None,
        "path_style": True,
    }
    return S3Target(**(fields | changes))
