"""Hard links to the data files that one worker may read.

A link costs no space and keeps the file readable while statements run, even if care in the background removes it from
the lake meanwhile. What is not linked is not in the worker's folder, so it cannot be opened by any name.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fairlead.errors import LakeMoved

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Links:
    """The links in one folder. Used by one thread at a time.

    Args:
        folder: of a worker, on the same file system as the lake's files. What else is in it is left alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, Path] = {}

    def sync(self, wanted: Mapping[str, Path]) -> None:
        """Make the links that are wanted and are not there, and remove those that are not wanted any more.

        Args:
            wanted: target by name of the link. A name is one of a file, without a folder.

        Raises:
            LakeMoved: a target is gone. Links that are not wanted are removed all the same; try again with a new copy.
            ValueError: a name that leads out of the folder, or is taken by a file that was not made here.
        """
        if wanted == self._made:
            return
        for name in [name for name, target in self._made.items() if wanted.get(name) != target]:
            (self._folder / name).unlink(missing_ok=True)
            del self._made[name]
        for name, target in wanted.items():
            if name not in self._made:
                self._link(name, target)

    def clear(self) -> None:
        """Remove all links."""
        self.sync({})

    def _link(self, name: str, target: Path) -> None:
        if name in {"", ".", ".."} or "/" in name or "\0" in name:
            raise ValueError(f"{name!r} is not the name of a file")
        try:
            os.link(target, self._folder / name, follow_symlinks=False)
        except FileNotFoundError as error:
            raise LakeMoved(
                "A file of a table was removed while it was about to be read", hint="Run the statement again"
            ) from error
        except FileExistsError as error:
            raise ValueError(f"{name!r} is taken by another file") from error
        self._made[name] = target
