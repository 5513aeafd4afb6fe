"""What the catalog has to learn from a lake at the start: a crash may have come between the two commits.

The lake is the truth about which tables there are; the catalog about who owns them. A table's owner travels with the
commit that made it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fairlead.engine.lake.metadata import LakeTable, SnapshotInfo


@dataclass(frozen=True, slots=True)
class KnownTable:
    """A table as the catalog has it.

    Args:
        object_id: of its row.
        table_id: in the lake.
        uuid: in the lake.
        schema: name of the schema.
        name: of the table.
    """

    object_id: int
    table_id: int
    uuid: str
    schema: str
    name: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A row that has to say another place: the table was renamed."""

    object_id: int
    table: LakeTable


@dataclass(frozen=True, slots=True)
class Missing:
    """A table without a row.

    Args:
        table: in the lake.
        owner_id: role that made it, None where the lake does not know it any more.
    """

    table: LakeTable
    owner_id: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What has to be done, in this order: rows to drop (object ids), to rename, to make."""

    dropped: tuple[int, ...]
    renamed: tuple[Moved, ...]
    created: tuple[Missing, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.dropped or self.renamed or self.created)


def reconcile(
    tables: Iterable[LakeTable],
    snapshots: Iterable[SnapshotInfo],
    made_in: dict[int, int],
    known: Iterable[KnownTable],
) -> Difference:
    """Compare a lake with the catalog's rows about it.

    Args:
        tables: of the lake now.
        snapshots: the commits that the lake knows.
        made_in: by table id, the snapshot that made the table (``files.made_in``).
        known: the catalog's rows of this database.
    """
    present = {(table.table_id, table.uuid): table for table in tables}
    rows = {(row.table_id, row.uuid): row for row in known}
    owners = {snapshot.id: _owner(snapshot.extra) for snapshot in snapshots}
    renamed = [
        Moved(row.object_id, table)
        for key, row in rows.items()
        if (table := present.get(key)) is not None and (row.schema, row.name) != (table.schema, table.name)
    ]
    missing = [
        Missing(table, owners.get(made_in.get(table.table_id, -1))) for key, table in present.items() if key not in rows
    ]
    return Difference(
        tuple(row.object_id for key, row in rows.items() if key not in present), tuple(renamed), tuple(missing)
    )


def _owner(extra: str | None) -> int | None:
    try:
        value: Any = json.loads(extra or "{}")
    except ValueError:  # not written by us
        return None
    owner = value.get("owner") if isinstance(value, dict) else None
    return owner if isinstance(owner, int) else None
