"""A table of texts, and how instants are written in one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

Row = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows; None is NULL."""

    columns: tuple[str, ...]
    rows: list[Row]


def instant(moment: datetime, *, iso: bool = False, digits: int = 6) -> str:
    """Return an instant in UTC.

    Args:
        moment: with a time zone, or UTC without one.
        iso: ``2025-05-11T09:36:51.548Z`` instead of ``2025-05-11 09:36:51.548``.
        digits: of the second's fraction, 3 or 6.
    """
    at = moment.astimezone(UTC) if moment.tzinfo is not None else moment
    text = at.strftime("%Y-%m-%dT%H:%M:%S.%f" if iso else "%Y-%m-%d %H:%M:%S.%f")
    return text[: len(text) - 6 + digits] + ("Z" if iso else "")
