"""Runs every measurement of this folder and prints one table.

A measurement is a module with ``run() -> list[Row]``. Arguments choose some by name: ``python -m bench.run sessions``.
Figures of one machine mean little, so what can be held against a baseline is, in the same run; the exit code is 1 if
a limit does not hold or a measurement fails.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from bench.row import Row


def measurements(names: Sequence[str] = ()) -> Iterator[ModuleType]:
    """Yield the modules of this folder that measure something, all or those of ``names``.

    Raises:
        SystemExit: one of ``names`` is none of them.
    """
    found = {}
    for entry in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if entry.name != Path(__file__).stem:
            module = importlib.import_module(f"bench.{entry.name}")
            if hasattr(module, "run"):
                found[entry.name] = module
    unknown = [name for name in names if name not in found]
    if unknown:
        raise SystemExit(f"no measurement named {', '.join(unknown)}; there are: {', '.join(found)}")
    yield from (module for name, module in found.items() if not names or name in names)


def table(rows: Sequence[Row]) -> Table:
    """Return the rows as a table; a ratio or median beyond its limit is marked."""
    result = Table("what", "median", "baseline", "ratio", "limit", "goal", "n", title="Medians of one run")
    for column in result.columns[1:]:
        column.justify = "right"
    for row in rows:
        result.add_row(
            row.what,
            _figure(row.median, row.unit),
            "" if row.baseline is None else f"{_figure(row.baseline, row.unit)} ({row.against})",
            "" if row.ratio is None else _judged(row, f"{row.ratio:.2f}x"),
            "" if row.limit is None else _bound(row, row.limit),
            "" if row.goal is None else _bound(row, row.goal),
            str(row.samples),
            style=None if row.within_limit else "bold red",
        )
    return result


def _figure(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if abs(value) >= 100 else f"{value:.3g} {unit}"


def _judged(row: Row, text: str) -> str:
    return text if row.within_limit else f"{text} !"


def _bound(row: Row, value: float) -> str:
    return _figure(value, row.unit) if row.ratio is None else f"{value:.2f}x"


def main() -> int:
    """Measure, print, and return the exit code."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    rows: list[Row] = []
    failed = 0
    for module in measurements(sys.argv[1:]):
        started = time.monotonic()
        console.print(f"[dim]{module.__name__} ...[/]")
        try:
            rows += module.run()
        except Exception:  # noqa: BLE001  # one measurement that fails must not hide the others
            console.print_exception()
            failed += 1
        console.print(f"[dim]{module.__name__}: {time.monotonic() - started:.0f} s[/]")
    console.print(table(rows))
    beyond = [row.what for row in rows if not row.within_limit]
    if beyond:
        console.print(f"[bold red]beyond its limit:[/] {'; '.join(beyond)}")
    return 1 if beyond or failed else 0


if __name__ == "__main__":
    sys.exit(main())
