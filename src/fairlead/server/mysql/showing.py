"""SHOW and DESCRIBE in the shapes that MySQL gives them.

Tables and databases are asked of the session, which knows who may see them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairlead.dialects.names import like
from fairlead.server.mysql import asking, schema
from fairlead.server.mysql.steps import Answer, Instead, Row, Table, texts
from fairlead.server.mysql.variables import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.context import Dialect
    from fairlead.server.mysql.asking import Cursor
    from fairlead.server.mysql.facts import Facts

_WARNING: Final = 1105
# Dialects whose own SHOW TABLES, SHOW DATABASES and DESCRIBE are MySQL's.
MYSQL_SHAPED: Final = frozenset({"native", "singlestore"})


def show(cursor: Cursor, facts: Facts, dialect: Dialect) -> Answer | None:  # noqa: PLR0911  # a table
    """Read what follows SHOW; None where it is the session's."""
    mark = cursor.at
    scope = cursor.accept_one("SESSION", "LOCAL", "GLOBAL")
    if cursor.accept("VARIABLES"):
        return _variables(cursor, facts)
    if cursor.accept("STATUS"):
        return _listed(cursor, ("Variable_name", "Value"), [])
    if scope:
        cursor.at = mark
        return None
    if cursor.accept("WARNINGS") or cursor.accept("ERRORS"):
        rows: list[Row] = [
            ("Note" if one.severity == "NOTICE" else "Warning", str(_WARNING), one.message) for one in facts.warnings
        ]
        return Table(texts("Level", "Code", "Message"), rows)
    full = cursor.accept("FULL")
    if cursor.accept("PROCESSLIST"):
        return Table(texts("Id", "User", "Host", "db", "Command", "Time", "State", "Info"), facts.processes())
    if dialect in MYSQL_SHAPED:
        return _show_objects(cursor, facts, full=full) or _show_constants(cursor)
    return None


def _show_objects(cursor: Cursor, facts: Facts, *, full: bool) -> Answer | None:  # noqa: PLR0911  # a table
    if cursor.accept_one("DATABASES", "SCHEMAS"):
        wanted = asking.pattern(cursor)
        cursor.end()
        columns = texts("Database" if wanted.like is None else f"Database ({wanted.like})")
        return Instead("SHOW DATABASES", columns, lambda row: (row["name"],) if _wanted(wanted, row["name"]) else None)
    if cursor.accept("TABLES"):
        database = cursor.name() if cursor.accept_one("FROM", "IN") else facts.database()
        wanted = asking.pattern(cursor)
        cursor.end()
        return _tables(database, wanted, full=full)
    if cursor.accept_one("COLUMNS", "FIELDS"):
        table = _table(cursor, facts)
        return Instead(schema.columns(*table, pattern=asking.pattern(cursor), full=full))
    if cursor.accept_one("INDEX", "INDEXES", "KEYS"):
        table = _table(cursor, facts)
        asking.pattern(cursor)
        return Instead(schema.indexes(*table))
    if cursor.accept("CREATE", "TABLE"):
        return Instead(schema.create_table(*_table(cursor, facts, introduced=True)))
    if cursor.accept("TABLE", "STATUS"):
        database = cursor.name() if cursor.accept_one("FROM", "IN") else facts.database()
        wanted = asking.pattern(cursor)
        return Instead(
            _show_tables(database),
            texts(*schema.STATUS_COLUMNS),
            lambda row: schema.status(row) if _wanted(wanted, row["name"]) else None,
        )
    return None


def _tables(database: str, wanted: asking.Pattern, *, full: bool) -> Instead:
    label = f"Tables_in_{database}" + ("" if wanted.like is None else f" ({wanted.like})")

    def pick(row: dict[str, str | None]) -> Row | None:
        if not _wanted(wanted, row["name"]):
            return None
        kind = "VIEW" if row["kind"] == "view" else "BASE TABLE"
        return (row["name"], kind) if full else (row["name"],)

    return Instead(_show_tables(database), texts(label, "Table_type") if full else texts(label), pick)


def _show_tables(database: str) -> str:
    return f"SHOW TABLES IN DATABASE {schema.identifier(database)}"


def _show_constants(cursor: Cursor) -> Answer | None:
    if cursor.accept("ENGINES") or cursor.accept("STORAGE", "ENGINES"):
        engines = [("DuckLake", "DEFAULT", "Tables in Parquet files", "YES", "NO", "NO")]
        return _listed(cursor, ("Engine", "Support", "Comment", "Transactions", "XA", "Savepoints"), engines)
    if cursor.accept("COLLATION"):
        collations = [("utf8mb4_general_ci", "utf8mb4", "45", "Yes", "Yes", "1")]
        return _listed(cursor, ("Collation", "Charset", "Id", "Default", "Compiled", "Sortlen"), collations)
    if cursor.accept("CHARSET") or cursor.accept("CHARACTER", "SET"):
        charsets = [("utf8mb4", "UTF-8 Unicode", "utf8mb4_general_ci", "4")]
        return _listed(cursor, ("Charset", "Description", "Default collation", "Maxlen"), charsets)
    if cursor.accept("PLUGINS"):
        return _listed(cursor, ("Name", "Status", "Type", "Library", "License"), [])
    if cursor.accept_one("TRIGGERS", "EVENTS") or cursor.accept_one("PROCEDURE", "FUNCTION"):
        return Table(texts("Name"), [])
    return None


def _variables(cursor: Cursor, facts: Facts) -> Table:
    rows: list[Row] = [(name, shown(value)) for name, value in facts.variables.all()]
    return _listed(cursor, ("Variable_name", "Value"), rows)


def _listed(cursor: Cursor, columns: Sequence[str], rows: Sequence[Row]) -> Table:
    wanted = asking.pattern(cursor)
    cursor.end()
    return Table(texts(*columns), [row for row in rows if _wanted(wanted, row[0])])


def describe(cursor: Cursor, facts: Facts) -> Answer | None:
    """Read DESCRIBE table [column]; statements behind EXPLAIN, and the gateway's objects, are for the session."""
    cursor.at = 1
    rest = cursor.tokens[1:]
    objects = {"CONNECTION", "LINK", "STAGE", "SECRET"}
    statement = {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "FROM", "ANALYZE", "VALUES", "TABLE", "MERGE", "COPY"}
    simple = all(token.kind in ("word", "quoted") or token.is_op(".") for token in rest)
    if not rest or not simple or rest[0].value in statement or (len(rest) > 1 and rest[0].value in objects):
        return None
    name, database = _table(cursor, facts, introduced=True)
    column = asking.Pattern(like=cursor.name()) if cursor.token is not None else asking.Pattern()
    cursor.end()
    return Instead(schema.columns(name, database, pattern=column, full=False))


def _table(cursor: Cursor, facts: Facts, *, introduced: bool = False) -> tuple[str, str | None]:  # internal
    """Read [FROM | IN] [database.]table [FROM | IN database]."""
    if not introduced and not cursor.accept_one("FROM", "IN"):
        raise cursor.unexpected("FROM")
    name, database = cursor.name(), None
    if cursor.op("."):
        name, database = cursor.name(), name
    if cursor.accept_one("FROM", "IN"):
        database = cursor.name()
    # A database that has no table yet is not there for the engine; the current one need not be named.
    return name, None if database == facts.database() else database


def _wanted(pattern: asking.Pattern, name: str | None) -> bool:
    if name is None or (pattern.names is not None and name.lower() not in pattern.names):
        return False
    return like(name, pattern.like)
