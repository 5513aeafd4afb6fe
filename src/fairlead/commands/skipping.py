"""What the engine does without a word: IF EXISTS and IF NOT EXISTS that skip, a name that is changed into itself.

The engine is asked, before the statement runs and inside its transaction, whether what it names is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.dialects import errors as texts
from fairlead.engine.lake.names import literal
from fairlead.errors import DuplicateTable
from fairlead.session_types import Notice

if TYPE_CHECKING:
    from fairlead.engine.session import EngineSession
    from fairlead.lang.ddl import ColumnChange, Ddl

_RELATION_THERE, _SCHEMA_THERE, _COLUMN_THERE = "42P07", "42P06", "42701"
_QUALIFIED = 2


async def skipped(worker: EngineSession, ddl: Ddl) -> list[Notice]:
    """Return the notice of a statement that will do nothing, as PostgreSQL words it.

    Args:
        worker: of the session, with what the statement may mean.
        ddl: its head, names as the engine has them.

    Raises:
        DuplicateTable: a table is to get the name that it has.
    """
    column = ddl.column if ddl.column is not None and ddl.column.conditional else None
    same_name = ddl.kind == "table" and ddl.rename_to == ddl.name[-1]
    if not (ddl.conditional or column is not None or same_name):
        return []
    there = await _is_there(worker, _relation(ddl) if ddl.kind != "schema" else _schema(ddl))
    name = ddl.name[-1]
    if same_name and there:
        message = f'relation "{name}" already exists'
        raise DuplicateTable(message, hint="it has that name already")
    if ddl.conditional and ddl.verb == "CREATE" and there:
        kind, sqlstate = ("schema", _SCHEMA_THERE) if ddl.kind == "schema" else ("relation", _RELATION_THERE)
        return [Notice("NOTICE", texts.skipping(kind, name), sqlstate)]
    if ddl.conditional and ddl.verb != "CREATE" and not there:
        return [Notice("NOTICE", texts.absent("relation" if ddl.verb == "ALTER" else ddl.kind, name))]
    if column is not None and there:
        return await _column_notice(worker, ddl, column)
    return []


async def _column_notice(worker: EngineSession, ddl: Ddl, column: ColumnChange) -> list[Notice]:
    if len(column.name) > 1:  # a field of a column: nothing lists these
        return []
    there = await _is_there(worker, _column(ddl, column.name[0]))
    of = f'column "{column.name[0]}" of relation "{ddl.name[-1]}"'
    if there and column.action == "ADD":
        return [Notice("NOTICE", f"{of} already exists, skipping", _COLUMN_THERE)]
    if not there and column.action == "DROP":
        return [Notice("NOTICE", f"{of} does not exist, skipping")]
    return []


async def _is_there(worker: EngineSession, question: str) -> bool:
    (rows,) = await worker.script([question])
    return bool(rows)


def _relation(ddl: Ddl) -> str:
    kinds = ("table", "view") if ddl.verb == "CREATE" else (ddl.kind,)
    place = _place(ddl)
    return " UNION ALL ".join(
        f"SELECT 1 FROM system.main.duckdb_{kind}s() WHERE {_same(f'{kind}_name', ddl.name[-1])} AND {place}"  # noqa: S608
        for kind in kinds
    )


def _column(ddl: Ddl, column: str) -> str:
    named = f"{_same('table_name', ddl.name[-1])} AND {_same('column_name', column)}"
    return f"SELECT 1 FROM system.main.duckdb_columns() WHERE {named} AND {_place(ddl)}"  # noqa: S608  # literals


def _schema(ddl: Ddl) -> str:
    *database, name = ddl.name
    where = _same("database_name", database[0]) if database else _CURRENT_DATABASE
    return f"SELECT 1 FROM system.main.duckdb_schemas() WHERE {_same('schema_name', name)} AND {where}"  # noqa: S608


_CURRENT_DATABASE = "database_name = system.main.current_database()"


def _place(ddl: Ddl) -> str:
    """Where the engine looks for the relation; what is temporary comes before all else, but not for a new one."""
    *around, _ = ddl.name
    temporary = "database_name = 'temp'"
    if len(around) == _QUALIFIED:
        return f"{_same('database_name', around[0])} AND {_same('schema_name', around[1])}"
    if ddl.temporary:
        return temporary
    inside = _same("schema_name", around[0]) if around else "schema_name = system.main.current_schema()"
    here = f"{_CURRENT_DATABASE} AND {inside}"
    return here if ddl.verb == "CREATE" else f"({here} OR {temporary})"


def _same(column: str, name: str) -> str:
    return f"system.main.lower({column}) = system.main.lower({literal(name)})"
