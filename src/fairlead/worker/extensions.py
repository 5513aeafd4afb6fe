"""The three signed extension files: checked once, in the fork server, and then known again by their marks."""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import duckdb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duckdb import DuckDBPyConnection

SESSION: Final = "session"
WRITER: Final = "writer"
# What workers of each role load. SQLite files are the writer's alone: a session could read any that it can open.
LOADED: Final[Mapping[str, tuple[str, ...]]] = {
    SESSION: ("httpfs", "ducklake"),
    WRITER: ("httpfs", "ducklake", "sqlite_scanner"),
}


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension file whose signature has been checked, and the marks by which it is known again."""

    path: str
    sha256: str
    device: int
    inode: int
    size: int
    changed_ns: int

    @classmethod
    def at(cls, path: str) -> Extension:
        """Take the marks of the file as it is now."""
        with open(path, "rb") as file:  # noqa: PTH123  # the marks must be those of the descriptor that is read
            mark = os.fstat(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(path, digest, mark.st_dev, mark.st_ino, mark.st_size, mark.st_mtime_ns)

    def is_unchanged(self) -> bool:
        """Tell whether the path still leads to the very file that was checked."""
        mark = os.stat(self.path)  # noqa: PTH116  # one call, beside its twin above
        return (mark.st_dev, mark.st_ino, mark.st_size, mark.st_mtime_ns) == (
            self.device, self.inode, self.size, self.changed_ns,
        )  # fmt: skip

    def load(self, instance: DuckDBPyConnection) -> None:
        """Load it, if it is still what was checked.

        Raises:
            OSError: the file has changed.
            duckdb.Error: the instance checks signatures, and this one or the version does not fit.
        """
        if not self.is_unchanged():
            message = f"the extension file is not the one that was checked at start: {self.path}"
            raise OSError(message)
        instance.execute("LOAD '" + self.path.replace("'", "''") + "'")

    def as_json(self) -> dict[str, Any]:
        """Return it as it travels to the gateway."""
        return asdict(self)


def check_signatures(
    paths: Mapping[str, str], configuration: dict[str, str | bool | int | float | list[str]]
) -> dict[str, Extension]:
    """Load extensions with DuckDB's signature check on, in an instance that is closed again.

    Args:
        paths: by name, in the order of loading.
        configuration: of that instance; must not allow unsigned ones.

    Raises:
        duckdb.Error: a signature or a version does not fit.
        OSError: a file changed meanwhile.
    """
    checked = {name: Extension.at(path) for name, path in paths.items()}
    with duckdb.connect(":memory:", config=configuration) as instance:
        for extension in checked.values():
            extension.load(instance)
            if not extension.is_unchanged():
                message = f"the extension file changed while it was checked: {extension.path}"
                raise OSError(message)
    return checked
