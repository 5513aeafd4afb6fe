"""Worlds: one per set of layers and test file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.security.case import LAYERS
from tests.security.world import World
from tests.services.gateway import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.services.s3 import S3Server


def _world(factory: pytest.TempPathFactory, store: S3Server, off: frozenset[str]) -> Iterator[World]:
    env = {f"FAIRLEAD_LAYER_{layer.upper()}": "off" for layer in off}
    gateway = Gateway(factory.mktemp("gateway"), env=env)
    try:
        gateway.start()
        outside, scratch = factory.mktemp("outside"), factory.mktemp("scratch")
        world = World(gateway, store, outside, scratch, off)
        try:
            yield world
        finally:
            world.stop()
    finally:
        gateway.end()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, minio: S3Server) -> Iterator[World]:
    """Every layer that the machine allows."""
    yield from _world(tmp_path_factory, minio, frozenset())


@pytest.fixture(scope="module")
def world_without(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, minio: S3Server
) -> Iterator[World]:
    """One layer, the fixture's parameter, is switched off."""
    yield from _world(tmp_path_factory, minio, frozenset({request.param}))


@pytest.fixture(scope="module")
def world_without_layers(tmp_path_factory: pytest.TempPathFactory, minio: S3Server) -> Iterator[World]:
    """No layer at all around the engine: what the suite is there to notice."""
    yield from _world(tmp_path_factory, minio, frozenset(LAYERS))
