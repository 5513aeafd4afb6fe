"""Looks after running workers: the size of their spill folders and, where no limit holds it, their memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from fairlead.errors import EngineError, OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fairlead.engine.session import EngineSession

_EVERY_SECONDS: Final = 0.2
_MIB: Final = 1024 * 1024
# DuckDB keeps to its own limit; only what is written past it gets here.
_SPILL_SLACK_MB: Final = 64


async def watch(sessions: Iterable[EngineSession], *, memory_mb: int | None, spill_mb: int) -> None:
    """Look at every running statement, for ever.

    Args:
        sessions: all of them; may change.
        memory_mb: resident memory that a worker may have, MiB; None = the kernel limits it.
        spill_mb: what its spill folder may hold, MiB.
    """
    while True:
        await asyncio.sleep(_EVERY_SECONDS)
        for session in list(sessions):
            look_at(session, memory_mb=memory_mb, spill_mb=spill_mb)


def look_at(session: EngineSession, *, memory_mb: int | None, spill_mb: int) -> None:
    """End the session's statement, with its worker, if that has taken too much."""
    statement = session.running
    if statement is None:
        return
    if memory_mb is not None and session.worker.resident_bytes() > memory_mb * _MIB:
        statement.kill(OutOfMemory(f"the statement needed more than {memory_mb} MiB of memory"))
    elif session.worker.spilled_bytes() > (spill_mb + _SPILL_SLACK_MB) * _MIB:
        full = EngineError(f"the statement wrote more than {spill_mb} MiB of temporary files", sqlstate="53100")
        statement.kill(full)
