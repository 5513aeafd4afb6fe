"""Deletes files of a lake, on the gateway's own disk or on a connection; the writer's turn is held.

DuckLake's own functions for this are not used: they compare times in SQLite as texts of different forms, which is right
to the day only, delete every Parquet file below the data path that they do not know, and several at a time on a store.
"""

from __future__ import annotations

import asyncio
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from fairlead.engine.lake import condition, files
from fairlead.engine.lake.names import literal, metadata_name, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from fairlead.engine.lake.lake import Lake


async def scheduled(lake: Lake, *, before: datetime) -> tuple[int, int]:
    """Delete the files that were given up before a point in time, then forget them; return their number and bytes.

    Args:
        lake: whose.
        before: that point.

    Raises:
        FairleadError: the store cannot be reached, or the writer failed; the rest is deleted another time.
    """
    due = await asyncio.to_thread(condition.scheduled, lake.catalog, before=before)
    if not due:
        return 0, 0
    freed = await _delete(lake, due)
    await lake.attach()
    relation = f"{quote(metadata_name(lake.attached))}.ducklake_files_scheduled_for_deletion"
    await lake.writer.run([f"DELETE FROM {relation} WHERE path IN ({', '.join(map(literal, due))})"])  # noqa: S608
    return len(due), freed


async def orphans(lake: Lake) -> tuple[int, int]:
    """Delete the files that no metadata name, left by a writer that was lost; return their number and bytes.

    Raises:
        FairleadError: the store cannot be reached, or the writer failed.
    """
    if lake.storage is None:
        return await asyncio.to_thread(_removed, files.orphans(lake.catalog, lake.folder))
    await lake.attach()
    root = lake.storage.writer_url
    pattern = literal(f"{root}**/*.parquet")
    listed = (await lake.writer.run([f"SELECT file FROM system.main.glob({pattern})"]))[0]  # noqa: S608  # our own
    paths = [str(row[0]).removeprefix(root) for row in listed if str(row[0]).startswith(root)]
    unknown = await asyncio.to_thread(files.unknown, lake.catalog, paths)
    return len(unknown), await _delete(lake, unknown)


async def _delete(lake: Lake, paths: Sequence[str]) -> int:
    """Delete files by their paths below the data path; one that has gone is no error. Return their bytes, if known."""
    if lake.storage is None:
        return (await asyncio.to_thread(_removed, (lake.folder / path for path in paths)))[1]
    bucket, _, prefix = lake.storage.url.removeprefix("s3://").partition("/")
    await lake.writer.remove(lake.storage.connection_id, bucket, [str(PurePosixPath(prefix) / path) for path in paths])
    return 0


def _removed(found: Iterable[Path]) -> tuple[int, int]:
    count = freed = 0
    for file in list(found):
        freed += files.size(file)
        file.unlink(missing_ok=True)
        count += 1
    return count, freed
