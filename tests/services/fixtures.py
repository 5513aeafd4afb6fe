"""The fixtures that start real servers. Each server is started once per test process, when a test first asks for it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.services.certificates import Authority
from tests.services.gateway import Gateway
from tests.services.minio import Minio
from tests.services.moto import Moto
from tests.services.postgres import Postgres, require_postgres
from tests.services.requirement import require_service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.services.s3 import S3Server


class StartGateway(Protocol):
    """Starts one more gateway; see ``start_gateway``."""

    def __call__(self, *, env: Mapping[str, str] | None = None, arguments: tuple[str, ...] = ()) -> Gateway:
        """Return the started gateway."""


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server that verifies signatures."""
    server = Minio(require_service("minio"), tmp_path_factory.mktemp("minio"))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def other_minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A second one at another address (127.0.0.2), with keys of its own: the place where a credential must not go."""
    server = Minio(require_service("minio"), tmp_path_factory.mktemp("other-minio"), host="127.0.0.2")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """AWS's S3, IAM and STS with authentication enforced; users and keys can be made and rotated."""
    server = Moto(tmp_path_factory.mktemp("moto"))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A real PostgreSQL, which says what bytes a value has."""
    server = Postgres(require_postgres(), tmp_path_factory.mktemp("postgres"))
    try:
        yield server.start()
    finally:
        server.end()


@pytest.fixture
def start_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartGateway]:
    """Start gateways with settings of their own; all are ended with the test."""
    with ExitStack() as stack:

        def start(*, env: Mapping[str, str] | None = None, arguments: tuple[str, ...] = ()) -> Gateway:
            one = Gateway(tmp_path_factory.mktemp("gateway"), env=env, arguments=arguments)
            stack.callback(one.end)
            return one.start()

        yield start


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway with default settings, shared by the tests of a file."""
    one = Gateway(tmp_path_factory.mktemp("gateway"))
    try:
        yield one.start()
    finally:
        one.end()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The certificate authority that tests trust."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def other_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("other-authority"), "Other CA")
