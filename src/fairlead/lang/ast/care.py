"""Statements about the care of tables."""

from __future__ import annotations

from dataclasses import dataclass

from fairlead.lang.ast.values import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Vacuum(Statement):
    """``VACUUM [database]``: all care of a database's tables now; None means the current database."""

    database: str | None = None
