from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fairlead.access.access import Access
from fairlead.access.ledger import Ledger
from fairlead.catalog.catalog import Catalog

if TYPE_CHECKING:
    from pathlib import Path

KEY = b"k" * 32


@pytest.fixture
def catalog(tmp_path: Path):
    opened = Catalog.open(tmp_path / "catalog.db")
    yield opened
    opened.close()


@pytest.fixture
def access(catalog):
    return Access(catalog)


@pytest.fixture
def ledger(catalog):
    return Ledger(catalog, KEY)
