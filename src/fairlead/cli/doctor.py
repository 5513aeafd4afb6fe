"""``fairlead doctor``: prints what the examination finds, for people or for programs."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from rich.markup import escape
from rich.table import Table

from fairlead.cli.output import out
from fairlead.server.doctor.examination import examine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.config import Settings
    from fairlead.server.doctor.finding import Finding

_COLOURS: Final = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}


def run(settings: Settings, *, as_json: bool) -> bool:
    """Examine, print, and return whether nothing has failed."""
    found = asyncio.run(examine(settings))
    if as_json:
        out.print(json.dumps([asdict(one) for one in found], indent=2), markup=False, highlight=False, soft_wrap=True)
    else:
        out.print(_table(found))
        out.print(_summary(found))
    return not any(one.status == "failed" for one in found)


def _table(found: Sequence[Finding]) -> Table:
    table = Table("check", "", "what was found", "what to do")
    for one in found:
        status = f"[{_COLOURS[one.status]}]{one.status}[/]"
        table.add_row(one.check, status, escape(one.message), escape(one.remedy))
    return table


def _summary(found: Sequence[Finding]) -> str:
    counts = {status: sum(one.status == status for one in found) for status in _COLOURS}
    return ", ".join(f"[{_COLOURS[status]}]{count} {status}[/]" for status, count in counts.items() if count)
