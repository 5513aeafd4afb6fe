"""What a user sees of the lakes, by name: made once per user and change of the catalog."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from fairlead.lang import ast, parse
from fairlead.lang.ddl import read_ddl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Literal

    from fairlead.access.relations import TableRights, ViewRights
    from fairlead.commands.house import House
    from fairlead.context import Context, Dialect, Principal

_R = TypeVar("_R", "TableRights", "ViewRights")
# Relations and statements that show what there is, so that everything visible has to be there.
_INTROSPECTION = frozenset(
    {"duckdb_tables", "duckdb_columns", "duckdb_views", "duckdb_schemas", "duckdb_constraints", "sqlite_master"}
)
_DDL = frozenset({"CREATE", "ALTER", "DROP", "COMMENT"})
_TIME_TRAVEL = (frozenset({"at", "version"}), frozenset({"at", "timestamp"}))
_TEMPORARY = frozenset({"temp", "temporary"})


@dataclass(frozen=True, slots=True)
class InDatabase:
    """What a user sees of one database, by case-folded name; one name may stand in several schemas.

    Args:
        id: of the database.
        name: of the database.
        schemas: those whose objects the user may use.
        tables: with any right.
        views: with SELECT.
    """

    id: int
    name: str
    schemas: frozenset[str]
    tables: Mapping[str, tuple[TableRights, ...]]
    views: Mapping[str, tuple[ViewRights, ...]]

    def every_table(self) -> Iterable[TableRights]:
        """Give every table."""
        return (table for tables in self.tables.values() for table in tables)

    def every_view(self) -> Iterable[ViewRights]:
        """Give every view."""
        return (view for views in self.views.values() for view in views)

    def named(self, identifiers: frozenset[str]) -> Need:
        """Return what of this database a statement with these identifiers may mean."""
        tables = {t for name in self.tables.keys() & identifiers for t in self.tables[name]}
        views = {v for name in self.views.keys() & identifiers for v in self.views[name]}
        return Need(frozenset(tables), frozenset(views))

    def dropped(self, statement: ast.DataStatement) -> Need:
        """Return the tables that DROP SCHEMA ... CASCADE takes along; that it means another database does no harm."""
        ddl = read_ddl(statement.text) if statement.verb == "DROP" else None
        if ddl is None or ddl.kind != "schema" or ddl.cascade is None:
            return Need()
        name = ddl.name[-1].casefold()
        return Need(frozenset(t for t in self.every_table() if t.record.schema.casefold() == name))

    @property
    def everything(self) -> Need:
        """Return all of it."""
        return Need(frozenset(self.every_table()), frozenset(self.every_view()))


@dataclass(frozen=True, slots=True)
class Need:
    """Tables and views that a private copy has to hold, and whether with their older snapshots."""

    tables: frozenset[TableRights] = frozenset()
    views: frozenset[ViewRights] = frozenset()
    history: bool = False

    def __or__(self, other: Need) -> Need:
        return Need(self.tables | other.tables, self.views | other.views, self.history or other.history)

    def __le__(self, other: Need) -> bool:
        return self.tables <= other.tables and self.views <= other.views and self.history <= other.history

    def modes(self) -> dict[int, Literal["full", "columns"]]:
        """Return how each table is copied; those of which only a part may be read are views in the copy."""
        return {t.table_id: "full" if "SELECT" in t.actions else "columns" for t in self.tables if not t.parts}


class Visible:
    """All that a user sees, at one state of the catalog."""

    def __init__(self, house: House, principal: Principal) -> None:
        access = house.access
        tables, views = access.tables(principal), access.views(principal)
        self.by_database: dict[str, InDatabase] = {}
        with house.catalog.read() as snapshot:
            schemas = snapshot.schemas()
            databases = snapshot.databases()
        for database in databases:
            own = [t for t in tables if t.record.database_id == database.id]
            seen = [v for v in views if v.select and v.record.database_id == database.id]
            used = {table.record.schema for table in own} | {view.record.schema for view in seen}
            usable = {
                s.name
                for s in schemas
                if s.database_id == database.id
                and (s.name in used or any(access.can(principal, r, "schema", s.id) for r in ("USAGE", "CREATE")))
            }
            self.by_database[database.name.casefold()] = InDatabase(
                database.id, database.name, frozenset(usable), _by_name(own), _by_name(seen)
            )

    def concerned(self, statement: ast.DataStatement, context: Context, *, everything: bool) -> dict[str, Need]:
        """Return what a statement may mean, by case-folded name of the database; databases without any are left out.

        Args:
            statement: the user's.
            context: gives the current database.
            everything: whether all that is visible has to be there, as for a whole transaction.
        """
        current = context.database.casefold()
        past = Need(history=any(words <= statement.identifiers for words in _TIME_TRAVEL))
        if everything:
            found = {n: d.everything | past for n, d in self.by_database.items() if d.tables or d.views or n == current}
            return found if any(d.tables or d.views for d in self.by_database.values()) or _makes(statement) else {}
        shown = shows(statement)
        needs: dict[str, Need] = {}
        qualifiers = {name.parts[0].casefold() for name in statement.names if name.relation and len(name.parts) > 1}
        for name, database in self.by_database.items():
            if name != current and name not in statement.identifiers and not shown:
                continue
            need = database.everything if shown else database.named(statement.identifiers)
            need |= database.dropped(statement)
            meant = name in qualifiers or (name == current and (_makes(statement) or shown))
            if need.tables or need.views or meant:
                needs[name] = need | past
        return needs


def shows(statement: ast.DataStatement) -> bool:
    """Tell whether a statement asks what there is."""
    return bool(statement.identifiers & _INTROSPECTION)


def _makes(statement: ast.DataStatement) -> bool:
    """Tell whether a statement may make something in the current database, or change what it holds."""
    return statement.verb in _DDL and not statement.identifiers & _TEMPORARY


def _by_name(found: Iterable[_R]) -> dict[str, tuple[_R, ...]]:
    named: dict[str, list[_R]] = {}
    for one in found:
        named.setdefault(one.record.name.casefold(), []).append(one)
    return {name: tuple(several) for name, several in named.items()}


@lru_cache(maxsize=512)
def query_of(sql: str, dialect: Dialect = "native") -> ast.DataStatement:
    """Return the statement that a view's text is; it was checked when the view was made."""
    (statement,) = parse(sql, dialect)
    assert isinstance(statement, ast.DataStatement)
    return statement
