"""Fixtures: a real lake, and a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine.lake.lakes import Lake, Worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    made = Lake(tmp_path / "real")
    yield made
    made.close()


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    made = Worker(tmp_path / "worker")
    yield made
    made.close()
