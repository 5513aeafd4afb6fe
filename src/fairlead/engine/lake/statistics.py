"""The statistics of a table's columns, kept as they were while its files are written anew.

After that DuckLake narrows them to what is left, and reads older snapshots, which have more, with the same statistics:
filters and sorts of time travel give wrong results. So they are written back as they were: still true for every
snapshot, only wider. Meanwhile they are on disk, in case a process ends: they have to be back before the next commit.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

from fairlead.engine.lake import files
from fairlead.engine.lake.names import literal, metadata_name, quote

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.engine.lake.writing import Writer

FILE_NAME: Final = "statistics.json"
_COLUMNS: Final = ("contains_null", "contains_nan", "min_value", "max_value", "extra_stats")
_READ: Final = f"""
SELECT table_id, column_id, {", ".join(_COLUMNS)} FROM ducklake_table_column_stats WHERE table_id = ?
"""  # noqa: S608  # our own names


def keep(catalog: Path, table_id: int) -> None:
    """Put aside what the metadata say of a table's columns.

    Args:
        catalog: the lake's metadata.
        table_id: of the table.
    """
    with files.read(catalog) as connection:
        rows = [list(row) for row in connection.execute(_READ, (table_id,))]
    part = catalog.with_name(FILE_NAME + ".part")
    part.write_text(json.dumps(rows), encoding="utf-8")
    part.replace(catalog.with_name(FILE_NAME))


async def restore(catalog: Path, attached: str, writer: Writer) -> bool:
    """Write back what was put aside, where something was; the writer's turn is held.

    Args:
        catalog: the lake's metadata.
        attached: name under which the lake is attached in the writer.
        writer: of the lake; afterwards the lake is detached, because DuckLake has the others in memory.
    """
    file = catalog.with_name(FILE_NAME)
    if not file.exists():
        return False
    rows = json.loads(await asyncio.to_thread(file.read_text, encoding="utf-8"))
    relation = f"{quote(metadata_name(attached))}.ducklake_table_column_stats"
    updates = []
    for table, column, *values in rows:
        changes = ", ".join(f"{name} = {_value(value)}" for name, value in zip(_COLUMNS, values, strict=True))
        updates.append(f"UPDATE {relation} SET {changes} WHERE table_id = {table} AND column_id = {column}")  # noqa: S608
    if updates:
        await writer.run(["BEGIN", *updates, "COMMIT"])
    await writer.detach(attached)
    await asyncio.to_thread(file.unlink)
    return True


def _value(item: object) -> str:
    return "NULL" if item is None else literal(item) if isinstance(item, str) else str(item)
