"""What one row of the ledger costs: written, chained and on the disk before a credential is opened."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from bench.row import Row, seconds
from fairlead.access.ledger import Ledger, LedgerEvent
from fairlead.catalog.catalog import Catalog

MILLISECONDS = 1000.0
_EVENT = LedgerEvent(kind="use", principal="analyst", action="read", object="connection main.public.lake")


def run() -> list[Row]:
    """Measure in a catalog of its own."""
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as folder:
        catalog = Catalog.open(Path(folder))
        ledger = Ledger(catalog, b"k" * 32)
        taken = seconds(lambda: ledger.record(_EVENT), samples=500, warm=20)
        catalog.close()
    return [Row("one row of the ledger", statistics.median(taken) * MILLISECONDS, "ms", goal=1.5, samples=len(taken))]
