"""One client's portals, on a real worker."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from fairlead.config import Settings, WorkerSettings
from fairlead.server.gateway import Gateway
from fairlead.session_types import Complete, ResultRows
from tests.engine.running import run

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.session import Session

_MUCH = "SELECT repeat('x', 1000) FROM range(100000000000)"


async def _suspended(session: Session) -> None:
    """Leave a portal in the middle of its rows."""
    await session.prepare("", _MUCH, ())
    await session.bind("p", "", ())
    async with aclosing(session.execute("p")) as outputs:
        async for output in outputs:
            if isinstance(output, ResultRows):
                return


def test_a_portal_that_is_closed_early_has_ended_when_the_next_statement_begins(tmp_path: Path) -> None:
    async def body() -> None:
        worker = WorkerSettings(spare=1, memory_limit_mb=1024, address_space_mb=3072)
        gateway = Gateway(Settings(data=tmp_path / "data", admin_password="made up for tests", worker=worker))
        await gateway.start()
        try:
            session = await gateway.open_session(user="fairlead", database="main", parameters={}, client="test")
            for _ in range(3):
                await _suspended(session)
                await session.close_portal("p")
                outputs = [output async for output in session.run_script("SELECT 42")]
                assert outputs[-1] == Complete("SELECT 1")
        finally:
            await gateway.stop()

    run(body())
