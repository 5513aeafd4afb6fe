"""Where one worker is: the folders that are left to it, and its limits there. Landlock and the fence read the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fairlead.worker.extensions import WRITER


@dataclass(frozen=True, slots=True)
class Place:
    """A worker's role and its folders, absolute paths without a slash at their end.

    Args:
        role: one of ``extensions.LOADED``.
        writable: files below may be read, written, made, renamed and removed.
        readable: files below may be read.
        spill: where DuckDB spills, None = nowhere; below ``writable``.
        file_limit_mb: largest file that it may write, MiB; None = no limit.
    """

    role: str
    writable: tuple[str, ...]
    readable: tuple[str, ...]
    spill: str | None
    file_limit_mb: int | None

    @classmethod
    def of(cls, boot: dict[str, Any], spill_limit_mb: int) -> Place:
        """Read it from the gateway's first frame."""
        role, spill = str(boot["role"]), boot["spill"]
        if role == WRITER:
            return cls(role, (boot["lake"],), (), spill, None)
        writable = (spill,) if spill is not None else ()
        readable = (boot["files"],) if boot["files"] is not None else ()
        return cls(role, writable, readable, spill, spill_limit_mb)
