from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fairlead.catalog.catalog import Catalog

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def catalog(tmp_path: Path):
    opened = Catalog.open(tmp_path / "catalog.db")
    yield opened
    opened.close()
