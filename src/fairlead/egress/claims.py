"""One export at a time writes to a path: who has begun keeps the path until its end.

A folder is in the way of everything below it, and the other way round. The claims of one process live in its memory;
another gateway, or another program, is met by the conditions that the store itself checks.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fairlead.errors import ObjectInUse

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = tuple[str, str, str]  # store, bucket, key; the key of a folder is empty or ends with a slash


class Claims:
    """The paths that are taken; safe for use from many threads."""

    def __init__(self) -> None:
        self._taken: set[Path] = set()
        self._lock = threading.Lock()

    def take(self, path: Path) -> None:
        """Take a path.

        Raises:
            ObjectInUse: it, or a folder around it, or a path inside of it is taken.
        """
        with self._lock:
            if any(_meets(path, other) for other in self._taken):
                _, bucket, key = path
                message = f'another export writes to "{bucket}/{key}"'
                raise ObjectInUse(message, hint="wait for its end, or write to another path")
            self._taken.add(path)

    def give_back(self, path: Path) -> None:
        """Give a path back; one that is not taken is no error."""
        with self._lock:
            self._taken.discard(path)

    @contextmanager
    def held(self, path: Path) -> Iterator[None]:
        """Hold a path for a while.

        Raises:
            ObjectInUse: as ``take``.
        """
        self.take(path)
        try:
            yield
        finally:
            self.give_back(path)


def _meets(one: Path, other: Path) -> bool:
    if one[:2] != other[:2]:
        return False
    return one[2] == other[2] or _around(one[2], other[2]) or _around(other[2], one[2])


def _around(folder: str, key: str) -> bool:
    return (not folder or folder.endswith("/")) and key.startswith(folder)
