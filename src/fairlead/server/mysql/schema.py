"""What MySQL tools ask about tables, as queries over what the engine says of them (DESCRIBE).

The queries run in the user's worker, which knows only what the user may see. Functions are named with their schema,
because a user may have macros of the same names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fairlead.server.mysql.asking import Pattern

STATUS_COLUMNS: Final = (
    *("Name", "Engine", "Version", "Row_format", "Rows", "Avg_row_length", "Data_length", "Max_data_length"),
    *("Index_length", "Data_free", "Auto_increment", "Create_time", "Update_time", "Check_time", "Collation"),
    *("Checksum", "Create_options", "Comment"),
)
_TYPES: Final = {
    "BOOLEAN": "tinyint(1)",
    "TINYINT": "tinyint",
    "UTINYINT": "tinyint unsigned",
    "SMALLINT": "smallint",
    "USMALLINT": "smallint unsigned",
    "INTEGER": "int",
    "UINTEGER": "int unsigned",
    "BIGINT": "bigint",
    "UBIGINT": "bigint unsigned",
    "HUGEINT": "decimal(39,0)",
    "UHUGEINT": "decimal(39,0)",
    "FLOAT": "float",
    "DOUBLE": "double",
    "DATE": "date",
    "TIME": "time(6)",
    "TIMESTAMP": "datetime(6)",
    "TIMESTAMP_S": "datetime",
    "TIMESTAMP_MS": "datetime(3)",
    "TIMESTAMP_NS": "datetime(6)",
    "TIMESTAMP WITH TIME ZONE": "timestamp(6)",
    "BLOB": "longblob",
    "JSON": "json",
    "UUID": "char(36)",
}


def identifier(name: str) -> str:
    """Return a name as an identifier of the gateway."""
    return '"' + name.replace('"', '""') + '"'


def columns(name: str, database: str | None, *, pattern: Pattern, full: bool) -> str:
    """Return the query of SHOW [FULL] COLUMNS and DESCRIBE."""
    collation = 'NULL::VARCHAR AS "Collation", ' if full else ""
    rights = """, 'select' AS "Privileges", '' AS "Comment" """ if full else ""
    query = f"""SELECT column_name AS "Field", {_type()} AS "Type", {collation}"null" AS "Null", '' AS "Key",
        NULLIF("default", 'NULL') AS "Default", '' AS "Extra"{rights} FROM (DESCRIBE {_named(name, database)})"""  # noqa: S608
    return query + _where(pattern)


def create_table(name: str, database: str | None) -> str:
    """Return the query of SHOW CREATE TABLE: as MySQL writes it under ANSI_QUOTES; tools read the columns from it."""
    ending = """CASE "null" WHEN 'NO' THEN ' NOT NULL' ELSE '' END
        || coalesce(' DEFAULT ' || NULLIF("default", 'NULL'), CASE "null" WHEN 'NO' THEN '' ELSE ' DEFAULT NULL' END)"""
    column = f"""'  "' || system.main.replace(column_name, '"', '""') || '" ' || {_type()} || {ending}"""
    head, between = literal(f"CREATE TABLE {identifier(name)} (\n"), literal(",\n")
    tail = literal("\n) ENGINE=DuckLake DEFAULT CHARSET=utf8mb4")
    return f"""SELECT {literal(name)} AS "Table",
        {head} || system.main.string_agg({column}, {between}) || {tail} AS "Create Table"
        FROM (DESCRIBE {_named(name, database)})"""  # noqa: S608


def indexes(name: str, database: str | None) -> str:
    """Return the query of SHOW INDEX: the columns of the answer, and no row, because tables have no indexes."""
    names = (
        *("Table", "Non_unique", "Key_name", "Seq_in_index", "Column_name", "Collation", "Cardinality", "Sub_part"),
        *("Packed", "Null", "Index_type", "Comment", "Index_comment", "Visible", "Expression"),
    )
    made = ", ".join(f"NULL::VARCHAR AS {identifier(one)}" for one in names)
    return f"SELECT {made} FROM (DESCRIBE {_named(name, database)}) WHERE false"  # noqa: S608


def status(row: dict[str, str | None]) -> tuple[str | None, ...]:
    """Return a row of SHOW TABLE STATUS from one of SHOW TABLES; what is not known is NULL."""
    view = row["kind"] == "view"
    known = {
        "Name": row["name"],
        "Engine": None if view else "DuckLake",
        "Create_time": row["created_time"],
        "Collation": None if view else "utf8mb4_general_ci",
        "Comment": "VIEW" if view else row["comment"] or "",
    }
    return tuple(known.get(name) for name in STATUS_COLUMNS)


def literal(text: str) -> str:
    """Return a text as a literal of the gateway."""
    return "'" + text.replace("'", "''") + "'"


def _named(name: str, database: str | None) -> str:
    return identifier(name) if database is None else f'{identifier(database)}."public".{identifier(name)}'


def _type() -> str:
    """Return the expression that names a column's type as MySQL does; what MySQL does not have is a text."""
    cases = " ".join(f"WHEN {literal(one)} THEN {literal(other)}" for one, other in _TYPES.items())
    decimal = "WHEN column_type LIKE 'DECIMAL(%' THEN system.main.lower(column_type)"
    return f"(CASE {decimal} ELSE CASE column_type {cases} ELSE 'longtext' END END)"


def _where(pattern: Pattern) -> str:
    if pattern.like is not None:
        return f" WHERE column_name ILIKE {literal(pattern.like)} ESCAPE '\\'"
    if pattern.names:
        return f" WHERE system.main.lower(column_name) IN ({', '.join(map(literal, sorted(pattern.names)))})"
    return ""
