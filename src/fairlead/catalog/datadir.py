"""One data directory, one gateway: a lock that the kernel ends with the process, however it ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fairlead.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK_NAME = "fairlead.lock"


@contextmanager
def lock_data_directory(path: Path) -> Iterator[None]:
    """Create the directory where needed, make it private, and hold it until the end of the block.

    Args:
        path: the data directory.

    Raises:
        ConfigurationError: another process holds it, or it cannot be created or written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)
        descriptor = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        message = f"the data directory {path} cannot be used: {error.strerror}"
        raise ConfigurationError(message, hint="choose a directory that this user can create and write") from None
    try:
        _take(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        message = f"the data directory {path} is in use by process {holder}"
        raise ConfigurationError(message, hint="stop that gateway, or choose another data directory") from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
