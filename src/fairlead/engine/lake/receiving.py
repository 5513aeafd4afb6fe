"""Takes files over from a worker: out of its spill folder, which it may fill with whatever it likes, into the inbox.

The folders are opened one by one without following links, and a file is renamed, not opened: whatever the worker does
meanwhile, nothing from outside its spill folder can come in.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from fairlead.engine.lake.shapes import malformed, text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Receiver:
    """Moves files of one worker.

    Args:
        spill: folder that is the worker's own; the folder itself belongs to the gateway.
        inbox: where the files go; made with the first of them.
    """

    def __init__(self, spill: Path, inbox: Path) -> None:
        self._spill = spill
        self._inbox = inbox
        self._received = 0

    def receive(self, path: str) -> Path:
        """Move a file and return its new path.

        Args:
            path: of the file, as a worker says it: absolute, or as it sees it from the folder around its own.

        Raises:
            WorkerLost: it is not a regular file in the worker's own folder.
        """
        try:
            parts = PurePosixPath(self._spill.parent, text(path)).relative_to(self._spill).parts
        except ValueError:
            raise malformed() from None
        if not parts or ".." in parts or "\0" in path:
            raise malformed()
        self._inbox.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self._inbox / f"{self._received}.parquet"
        self._received += 1
        try:
            with _opened(self._spill, parts[:-1]) as folder:
                os.rename(parts[-1], target, src_dir_fd=folder)
        except OSError:
            raise malformed() from None
        if not stat.S_ISREG(target.lstat().st_mode):
            with contextlib.suppress(OSError):  # a folder stays behind; the inbox is swept when the commit is over
                target.unlink()
            raise malformed()
        return target


def make_folder(folder: Path) -> None:
    """Make a folder in a worker's spill folder, without following links.

    Raises:
        WorkerLost: there is something else.
    """
    with _opened(folder.parent, ()) as parent:
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder.name, mode=0o700, dir_fd=parent)
        try:
            os.close(os.open(folder.name, _FOLDER, dir_fd=parent))
        except OSError:
            raise malformed() from None


@contextlib.contextmanager
def _opened(root: Path, parts: tuple[str, ...]) -> Iterator[int]:
    """Descriptor of a folder below a trusted one."""
    folder = os.open(root, _FOLDER)
    try:
        for part in parts:
            inner = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        yield folder
    finally:
        os.close(folder)
