"""The history of the shell: a file of its owner alone, in which nothing is kept that may hold a secret."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prompt_toolkit.history import FileHistory

from fairlead.lang import redact
from fairlead.sensitive import MASK

if TYPE_CHECKING:
    from fairlead.context import Dialect

_VARIABLE: Final = "FAIRLEAD_SHELL_HISTORY"
_CONNECTING: Final = ("\\c ", "\\connect ")


def history_file() -> Path:
    """Return where the history is kept: below ``XDG_STATE_HOME``, which is ``~/.local/state``."""
    if named := os.environ.get(_VARIABLE):
        return Path(named)
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "fairlead" / "history"


def keepable(line: str, dialect: Dialect = "native") -> str | None:
    """Return what of a line may be written down, None for nothing.

    A statement is kept only if redaction hides nothing of it; comments never are.

    Args:
        line: what was typed.
        dialect: whose quoting rules hold.
    """
    bare = line.strip()
    if bare.startswith("\\"):
        return None if bare.startswith(_CONNECTING) else bare
    shown = redact(bare, dialect)
    return None if not shown or MASK in shown or MASK in bare else f"{shown};"


class SafeHistory(FileHistory):
    """What was typed, for the next time; the lines of this session are all there until it ends.

    Args:
        path: of the file; made with its folder where it is not there, readable for nobody else.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
        self.dialect: Dialect = "native"
        super().__init__(str(path))

    def store_string(self, string: str) -> None:
        """Write a line down, or what of it may be; a full disk is no reason to stop working."""
        kept = keepable(string, self.dialect)
        if kept is not None:
            with suppress(OSError):
                super().store_string(kept)
