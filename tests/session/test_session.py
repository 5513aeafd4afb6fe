"""One client's portals, on a real worker."""

from __future__ import annotations

import resource
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fairlead.config import Settings, WorkerSettings
from fairlead.errors import EngineError
from fairlead.server.gateway import Gateway
from fairlead.session_types import Complete, ResultRows
from tests.engine.running import run

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from fairlead.session.session import Session

_MUCH = "SELECT repeat('x', 1000) FROM range(100000000000)"


async def _suspended(session: Session, text: str = _MUCH) -> None:
    """Leave a portal in the middle of its rows."""
    await session.prepare("", text, ())
    await session.bind("p", "", ())
    async with aclosing(session.execute("p")) as outputs:
        async for output in outputs:
            if isinstance(output, ResultRows):
                return


def _on_a_session(
    folder: Path, work: Callable[[Session], Coroutine[None, None, None]], *, spill_limit_mb: int = 4096
) -> None:
    """Run some work on a session of a gateway of its own."""

    async def body() -> None:
        worker = WorkerSettings(spare=1, memory_limit_mb=1024, address_space_mb=3072, spill_limit_mb=spill_limit_mb)
        gateway = Gateway(Settings(data=folder / "data", admin_password="made up for tests", worker=worker))
        await gateway.start()
        try:
            await work(await gateway.open_session(user="fairlead", database="main", parameters={}, client="test"))
        finally:
            await gateway.stop()

    run(body())


def test_a_portal_that_is_closed_early_has_ended_when_the_next_statement_begins(tmp_path: Path) -> None:
    async def work(session: Session) -> None:
        for _ in range(3):
            await _suspended(session)
            await session.close_portal("p")
            outputs = [output async for output in session.run_script("SELECT 42")]
            assert outputs[-1] == Complete("SELECT 1")

    _on_a_session(tmp_path, work)


@pytest.mark.parametrize("block", [False, True])
def test_a_suspended_portal_goes_on_after_another_statement_without_being_kept_in_memory(
    tmp_path: Path, block: bool
) -> None:
    async def work(session: Session) -> None:
        if block:
            assert [output async for output in session.run_script("BEGIN")] == [Complete("BEGIN")]
        await _suspended(session, "SELECT repeat('x', 1000) FROM range(250000)")
        before = _memory()
        outputs = [output async for output in session.run_script("SELECT 42")]
        assert outputs[-1] == Complete("SELECT 1")
        assert _memory() - before < 100 * 2**20  # of 250 MB
        rest = [output async for output in session.execute("p") if isinstance(output, ResultRows | Complete)]
        rows = [output.count for output in rest if isinstance(output, ResultRows)]
        assert rest[-1] == Complete("SELECT 250000")
        assert 200_000 < sum(rows) < 250_000  # but for the block that had been taken

    _on_a_session(tmp_path, work)


def _memory() -> int:
    """Return the resident memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.parametrize("block", [False, True])
def test_a_portal_with_more_rows_than_may_be_spilled_fails_and_the_other_statement_does_not(
    tmp_path: Path, block: bool
) -> None:
    async def work(session: Session) -> None:
        if block:
            assert [output async for output in session.run_script("BEGIN")] == [Complete("BEGIN")]
        await _suspended(session)
        outputs = [output async for output in session.run_script("SELECT 42")]
        assert outputs[-1] == Complete("SELECT 1")
        with pytest.raises(EngineError, match="suspended portal has more than 5 MiB") as failed:
            [output async for output in session.execute("p")]
        assert failed.value.sqlstate == "53100"
        assert session.transaction_status == ("E" if block else "I")

    _on_a_session(tmp_path, work, spill_limit_mb=5)
