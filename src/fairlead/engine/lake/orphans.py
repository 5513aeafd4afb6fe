"""What crashes have left in the data directory of a stopped gateway, and its removal."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairlead.engine.lake import files
from fairlead.engine.lake.lake import CATALOG_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Left:
    """Something that can be removed.

    Args:
        what: what kind of thing.
        where: the lake or folder, below the data directory.
        files: how many there are.
        size: of them, in bytes.
        note: why nothing is removed here, None where nothing stands against it.
    """

    what: str
    where: str
    files: int
    size: int
    note: str | None = None


def collect(data: Path, *, dry_run: bool) -> tuple[Left, ...]:
    """Remove what nothing needs any more. The data directory has to be locked.

    A file that the metadata of a lake name is never removed; where they cannot be read, nothing is.

    Args:
        data: the data directory.
        dry_run: only say what would be removed.
    """
    root = data / "lake"
    lakes = sorted(path for path in _folders(root) if path.name.isdecimal())
    found = [_lake(folder, str(folder.relative_to(data)), dry_run=dry_run) for folder in lakes]
    for what, folders in (
        ("change sets on their way", _folders(root / "inbox")),
        ("dropped lakes", (path for path in _folders(root) if path.name.startswith("dropped-"))),
        ("folders of workers", _folders(data / "spill")),
    ):
        found += [_folder(what, path, str(path.relative_to(data)), dry_run=dry_run) for path in sorted(folders)]
    return tuple(found)


def _lake(folder: Path, where: str, *, dry_run: bool) -> Left:
    what = "orphan data files"
    if not (folder / "files").is_dir():
        return Left(what, where, 0, 0, note="its files are on a connection: run VACUUM in the running gateway")
    try:
        orphans = list(files.orphans(folder / CATALOG_NAME, folder / "files"))
    except sqlite3.Error as error:
        return Left(what, where, 0, 0, note=f"its metadata cannot be read: {error}")
    return Left(what, where, *_removed(orphans, dry_run=dry_run))


def _removed(found: Iterable[Path], *, dry_run: bool) -> tuple[int, int]:
    count = freed = 0
    for file in found:
        freed += files.size(file)
        count += 1
        if not dry_run:
            file.unlink(missing_ok=True)
    return count, freed


def _folder(what: str, path: Path, where: str, *, dry_run: bool) -> Left:
    inside = [file for file in path.rglob("*") if file.is_symlink() or file.is_file()]
    left = Left(what, where, len(inside), sum(map(files.size, inside)))
    if not dry_run:
        shutil.rmtree(path, ignore_errors=True)
    return left


def _folders(root: Path) -> Iterator[Path]:
    if root.is_dir():
        yield from (path for path in root.iterdir() if path.is_dir() and not path.is_symlink())
