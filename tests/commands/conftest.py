"""A gateway without engine or listener: scripts of catalog statements run through real sessions, as any user."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from fairlead.config import Settings
from fairlead.context import Context
from fairlead.server.gateway import Gateway
from fairlead.session_types import Notice, Output, ResultColumns, ResultValues

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fairlead.session.session import Session

ADMIN_PASSWORD = "the administrator's password"


class Desk:
    """Runs scripts. Each user has one session, so settings and the current database stay."""

    def __init__(self, folder: Path) -> None:
        self.gateway = Gateway(Settings(data=folder / "data", admin_password=ADMIN_PASSWORD))
        self._sessions: dict[str, Session] = {}

    def outputs(self, script: str, user: str = "fairlead") -> list[Output]:
        """Return everything that a script gives."""
        return asyncio.run(self._collect(script, user))

    def rows(self, script: str, user: str = "fairlead") -> list[tuple[str | None, ...]]:
        """Return the rows of the last result."""
        results = [list(o.rows) for o in self.outputs(script, user) if isinstance(o, ResultValues)]
        return [tuple(row) for row in results[-1]] if results else []

    def columns(self, script: str, user: str = "fairlead") -> tuple[str, ...]:
        """Return the column names of the last result."""
        found = [o.columns for o in self.outputs(script, user) if isinstance(o, ResultColumns)]
        return tuple(column.name for column in found[-1])

    def notices(self, script: str, user: str = "fairlead") -> list[str]:
        """Return the texts of the notices."""
        return [o.message for o in self.outputs(script, user) if isinstance(o, Notice)]

    def context(self, user: str = "fairlead") -> Context:
        """Return the context that a statement of a user runs in."""
        return Context("session", "statement", self.gateway.house.access.principal(user))

    async def _collect(self, script: str, user: str) -> list[Output]:
        if user not in self._sessions:
            self._sessions[user] = await self.gateway.open_session(
                user=user, database="main", parameters={}, client="test"
            )
        return [output async for output in self._sessions[user].run_script(script)]


async def _not_bound(*_: object) -> None:
    """Views and conditions are bound by the engine, which is not here: tests/e2e/test_definitions.py."""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr("fairlead.commands.binding.bind", _not_bound)
    made = Desk(tmp_path)
    yield made
    asyncio.run(made.gateway.stop())
