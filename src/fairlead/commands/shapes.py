"""The columns of a table, asked of its lake by commands that run in threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.dialects.infos import ColumnInfo, TableInfo
from fairlead.engine.lake.names import quote
from fairlead.errors import UndefinedTable

if TYPE_CHECKING:
    from collections.abc import Mapping

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

    def shape_of(self, object_id: int) -> TableInfo:
        """Return what a table is made of.

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
        comments = table.column_comments
        columns = (
            ColumnInfo(c.name, c.type, c.nullable, c.default, comments.get(c.column_id, "")) for c in table.columns
        )
        keys = (_key(quote(column), transform) for column, transform in table.keys)
        return TableInfo(tuple(columns), table.comment or "", tuple(keys))

    def comments_in(self, database_id: int) -> Mapping[int, str]:
        """Return the comments of a database's tables, by the table's object id, as far as there are any."""
        if not self._lakes.has(database_id):
            return {}
        lake = self._lakes.wait(self._lakes.lake(database_id))
        comments = {table.table_id: table.comment for table in lake.tables() if table.comment}
        if not comments:
            return {}
        with self._catalog.read() as snapshot:
            stored = snapshot.definitions("table")
            ids = {stored[r.id]["table_id"]: r.id for r in snapshot.objects("table") if r.database_id == database_id}
        return {ids[table_id]: comment for table_id, comment in comments.items() if table_id in ids}

    def columns_of(self, object_id: int) -> tuple[str, ...]:
        """Return the names of a table's columns, in order.

        Raises:
            UndefinedTable: it has gone.
        """
        return tuple(column.name for column in self.shape_of(object_id).columns)


def _key(column: str, transform: str) -> str:
    """Return a key of a partitioned table as it stands in SQL; DuckLake writes ``bucket(8)`` for ``bucket(8, c)``."""
    if transform == "identity":
        return column
    return f"{transform[:-1]}, {column})" if transform.endswith(")") else f"{transform}({column})"
