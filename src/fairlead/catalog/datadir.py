"""One data directory, one gateway: a lock that the kernel ends with the process, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fairlead.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK_NAME = "fairlead.lock"
_PATIENCE = (0.02, 0.05, 0.1, 0)  # seconds


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


def holder(path: Path) -> str | None:
    """Return the process id of the gateway that holds a data directory, as text; None when nobody does.

    Nobody is kept out by the question: it takes a shared lock for an instant, and a gateway that starts in that
    instant waits for it.

    Args:
        path: the data directory.

    Raises:
        OSError: the lock file cannot be read.
    """
    try:
        descriptor = os.open(path / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _named(descriptor)
    finally:
        os.close(descriptor)
    return None


def _named(descriptor: int) -> str:
    return os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"


def _take(descriptor: int, path: Path) -> None:
    if not _locked(descriptor):
        message = f"the data directory {path} is in use by process {_named(descriptor)}"
        raise ConfigurationError(message, hint="stop that gateway, or choose another data directory") from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)


def _locked(descriptor: int) -> bool:
    """Take the lock; whoever only asks about it (:func:`holder`) has it for much less than the patience here."""
    for pause in _PATIENCE:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause)
        else:
            return True
    return False
