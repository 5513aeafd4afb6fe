"""What a client may ask about the gateway and its objects, as the tables that Flight SQL prescribes.

Names come from the catalog, filtered to what the user may know of, as SHOW TABLES does it; the columns of a relation
are described in the user's own session, so that nothing is told that a SELECT would not tell.
Shapes: ``FlightSql.proto`` of Apache Arrow.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from fairlead.engine.lake.names import quote
from fairlead.errors import FairleadError
from fairlead.server.flight import batches, sql_info, type_info
from fairlead.server.flight import messages as m

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from fairlead.commands.house import House
    from fairlead.context import Principal

_KINDS: Final = {"table": "TABLE", "view": "VIEW"}
_MOST_DESCRIBED: Final = 5000


def _schema(*fields: tuple[str, pa.DataType, bool]) -> pa.Schema:
    return pa.schema([pa.field(name, kind, nullable=nullable) for name, kind, nullable in fields])


_CATALOGS: Final = _schema(("catalog_name", pa.string(), False))
_SCHEMAS: Final = _schema(("catalog_name", pa.string(), True), ("db_schema_name", pa.string(), False))
_TABLES: Final = _schema(
    ("catalog_name", pa.string(), True),
    ("db_schema_name", pa.string(), True),
    ("table_name", pa.string(), False),
    ("table_type", pa.string(), False),
)
_TABLES_WITH_COLUMNS: Final = _TABLES.append(pa.field("table_schema", pa.binary(), nullable=False))
_TABLE_TYPES: Final = _schema(("table_type", pa.string(), False))
_PRIMARY_KEYS: Final = _schema(
    ("catalog_name", pa.string(), True),
    ("db_schema_name", pa.string(), True),
    ("table_name", pa.string(), False),
    ("column_name", pa.string(), False),
    ("key_name", pa.string(), True),
    ("key_sequence", pa.int32(), False),
)
_FOREIGN_KEYS: Final = _schema(
    ("pk_catalog_name", pa.string(), True),
    ("pk_db_schema_name", pa.string(), True),
    ("pk_table_name", pa.string(), False),
    ("pk_column_name", pa.string(), False),
    ("fk_catalog_name", pa.string(), True),
    ("fk_db_schema_name", pa.string(), True),
    ("fk_table_name", pa.string(), False),
    ("fk_column_name", pa.string(), False),
    ("key_sequence", pa.int32(), False),
    ("fk_key_name", pa.string(), True),
    ("pk_key_name", pa.string(), True),
    ("update_rule", pa.uint8(), False),
    ("delete_rule", pa.uint8(), False),
)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks.

    Args:
        house: the gateway's rooms.
        principal: the user with the roles in force now.
        describe: gives the Arrow schema of a query in the user's session, as an IPC message.
    """

    house: House
    principal: Principal
    describe: Callable[[str], Awaitable[bytes]]


def schema_of(request: m.Metadata) -> pa.Schema:  # noqa: PLR0911  # one a case
    """Return the schema of an answer."""
    match request:
        case m.GetSqlInfo():
            return sql_info.SCHEMA
        case m.GetTypeInfo():
            return type_info.SCHEMA
        case m.GetCatalogs():
            return _CATALOGS
        case m.GetSchemas():
            return _SCHEMAS
        case m.GetTables(with_columns=with_columns):
            return _TABLES_WITH_COLUMNS if with_columns else _TABLES
        case m.GetTableTypes():
            return _TABLE_TYPES
        case m.GetPrimaryKeys():
            return _PRIMARY_KEYS
        case m.GetForeignKeys():
            return _FOREIGN_KEYS


async def answer(request: m.Metadata, asker: Asker) -> pa.Table:  # noqa: PLR0911  # one a case
    """Return the answer to a request.

    Raises:
        FairleadError: the user was dropped, or there are too many relations to describe them all.
    """
    schema = schema_of(request)
    match request:
        case m.GetSqlInfo(numbers=numbers):
            return sql_info.table(numbers)
        case m.GetTypeInfo(number=number):
            return type_info.table(number)
        case m.GetCatalogs():
            return _table(schema, await asyncio.to_thread(_catalogs, asker))
        case m.GetSchemas():
            return _table(schema, await asyncio.to_thread(_schemas, request, asker))
        case m.GetTables():
            rows = await asyncio.to_thread(_relations, request, asker)
            return _table(schema, await _with_columns(rows, asker) if request.with_columns else rows)
        case m.GetTableTypes():
            return _table(schema, [(kind,) for kind in sorted(_KINDS.values())])
        case _:
            return schema.empty_table()


def _catalogs(asker: Asker) -> list[tuple[str]]:
    with asker.house.catalog.read() as snapshot:
        return sorted((database.name,) for database in snapshot.databases())


def _schemas(request: m.GetSchemas, asker: Asker) -> list[tuple[str, str]]:
    matches = _like(request.schema_pattern)
    with asker.house.catalog.read() as snapshot:
        return sorted(
            (schema.database, schema.name)
            for schema in snapshot.schemas()
            if request.catalog in (None, schema.database)
            and matches(schema.name)
            and asker.house.access.sees(asker.principal, schema)
        )


def _relations(request: m.GetTables, asker: Asker) -> list[tuple[str, str, str, str]]:
    in_schema, named = _like(request.schema_pattern), _like(request.table_pattern)
    wanted = [kind for kind, shown in _KINDS.items() if not request.kinds or shown in request.kinds]
    with asker.house.catalog.read() as snapshot:
        databases = [d.name for d in snapshot.databases() if request.catalog in (None, d.name)]
        return sorted(
            (record.database, record.schema, record.name, shown)
            for kind, shown in _KINDS.items()
            if kind in wanted
            for database in databases
            for record in snapshot.objects(kind, database=database)  # type: ignore[arg-type]  # keys of _KINDS
            if in_schema(record.schema) and named(record.name) and asker.house.access.sees(asker.principal, record)
        )


async def _with_columns(
    rows: Sequence[tuple[str, str, str, str]], asker: Asker
) -> list[tuple[str, str, str, str, bytes]]:
    nothing = batches.NO_COLUMNS.serialize().to_pybytes()
    described = []
    for number, row in enumerate(rows):
        columns = nothing
        if number < _MOST_DESCRIBED:
            name = ".".join(map(quote, row[:3]))
            try:
                columns = await asker.describe(f"SELECT * FROM {name}") or nothing  # noqa: S608  # quoted names
            except FairleadError:  # seen, but not to be read; or a view of something that has gone
                columns = nothing
        described.append((*row, columns))
    return described


def _table(schema: pa.Schema, rows: Sequence[Sequence[object]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    arrays = [pa.array(list(column), kind) for column, kind in zip(columns, schema.types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _like(pattern: str | None) -> Callable[[str], bool]:
    """Return the test for a pattern with ``%`` and ``_``; a backslash takes away their meaning."""
    if pattern is None:
        return lambda _: True
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    meaning = {"%": ".*", "_": "."}
    test = re.compile(
        "".join(meaning.get(part) or re.escape(part.removeprefix("\\") or part) for part in parts), re.DOTALL
    )
    return lambda name: test.fullmatch(name) is not None
