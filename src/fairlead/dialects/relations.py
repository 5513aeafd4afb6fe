"""Tables, views, schemas and default privileges as rows, and the statements that would make them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairlead.dialects.qualified import qualified
from fairlead.dialects.shape import Row, Table, instant
from fairlead.lang.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.dialects.infos import ColumnInfo, DefaultInfo, RelationInfo, TableInfo


def show_tables(infos: Sequence[RelationInfo]) -> Table:
    """Return SHOW TABLES and SHOW VIEWS."""
    rows: list[Row] = [(i.name, i.database, i.schema, i.kind, i.owner, i.comment, instant(i.created)) for i in infos]
    return Table(("name", "database", "schema", "kind", "owner", "comment", "created_time"), rows)


def show_schemas(infos: Sequence[RelationInfo]) -> Table:
    """Return SHOW SCHEMAS."""
    rows: list[Row] = [(i.name, i.database, i.owner, i.comment, instant(i.created)) for i in infos]
    return Table(("name", "database", "owner", "comment", "created_time"), rows)


def show_default_privileges(infos: Sequence[DefaultInfo]) -> Table:
    """Return SHOW DEFAULT PRIVILEGES; each row has the statement that makes it again."""
    rows: list[Row] = [
        (i.owner, i.database, i.schema, i.privilege, i.grantee, "yes" if i.grant_option else "no", default(i))
        for i in infos
    ]
    return Table(("owner", "database", "schema", "privilege", "grantee", "grant_option", "statement"), rows)


def default(info: DefaultInfo) -> str:
    """Return ALTER DEFAULT PRIVILEGES of one privilege; without a schema it means the database that is current."""
    writer = Writer("native", reveal=True)
    inside = "" if info.schema is None else f" IN SCHEMA {qualified((info.database, info.schema), writer)}"
    option = " WITH GRANT OPTION" if info.grant_option else ""
    return (
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {writer.identifier(info.owner)}{inside} GRANT {info.privilege} "
        f"ON TABLES TO {writer.identifier(info.grantee)}{option}"
    )


def create_table(parts: Sequence[str], table: TableInfo) -> str:
    """Return the statements that make a table; they are the engine's, so every name is quoted as the engine does."""
    name = ".".join(map(_quoted, parts))
    statements = [_create(name, table.columns)]
    if table.keys:
        statements.append(f"ALTER TABLE {name} SET PARTITIONED BY ({', '.join(table.keys)})")
    if table.comment:
        statements.append(f"COMMENT ON TABLE {name} IS {_literal(table.comment)}")
    statements += [
        f"COMMENT ON COLUMN {name}.{_quoted(column.name)} IS {_literal(column.comment)}"
        for column in table.columns
        if column.comment
    ]
    return ";\n".join(statements)


def _create(name: str, columns: Sequence[ColumnInfo]) -> str:
    described = [
        " ".join(
            (
                _quoted(column.name),
                column.type,
                *(() if column.nullable else ("NOT NULL",)),
                *(() if column.default is None else (f"DEFAULT {column.default}",)),
            )
        )
        for column in columns
    ]
    return f"CREATE TABLE {name} ({', '.join(described)})"


def create_view(parts: Sequence[str], columns: Sequence[str], sql: str, comment: str = "") -> str:
    """Return the CREATE VIEW of a view, and the statement that comments on it."""
    writer = Writer("native", reveal=True)
    named = f" ({writer.identifiers(columns)})" if columns else ""
    told = f";\nCOMMENT ON VIEW {qualified(parts, writer)} IS {_literal(comment)}" if comment else ""
    return f"CREATE OR REPLACE VIEW {qualified(parts, writer)}{named} AS {sql}{told}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
