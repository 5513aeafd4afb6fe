"""The columns of a table, asked of its lake by commands that run in threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.dialects.infos import ColumnInfo
from fairlead.errors import UndefinedTable

if TYPE_CHECKING:
    from fairlead.catalog.catalog import Catalog
    from fairlead.engine.lake.lakes import Lakes


class Shapes:
    """Columns by the table's object id.

    Args:
        catalog: knows which table of which lake an object is.
        lakes: of the gateway.
    """

    def __init__(self, catalog: Catalog, lakes: Lakes) -> None:
        self._catalog = catalog
        self._lakes = lakes

    def shape_of(self, object_id: int) -> tuple[ColumnInfo, ...]:
        """Return the columns of a table, in order.

        Raises:
            UndefinedTable: it has gone.
        """
        with self._catalog.read() as snapshot:
            record, stored = snapshot.get(object_id), snapshot.definition(object_id)
        lake = self._lakes.wait(self._lakes.lake(record.database_id))
        table = next((table for table in lake.tables() if table.table_id == stored["table_id"]), None)
        if table is None:
            message = f'table "{record.full_name}" does not exist any more'
            raise UndefinedTable(message)
        return tuple(ColumnInfo(c.name, c.type, c.nullable, c.default) for c in table.columns)

    def columns_of(self, object_id: int) -> tuple[str, ...]:
        """Return the names of a table's columns, in order.

        Raises:
            UndefinedTable: it has gone.
        """
        return tuple(column.name for column in self.shape_of(object_id))
