"""A private copy of a lake's catalog: what is selected, what was read, and the SQL that makes a lake of it in a worker.

The copy is a lake of its own in the worker's memory, filled with those rows of the real catalog that the user may see.
What is not in it cannot be found by any query, function or path; and whatever the user writes into it stays private
until the gateway has read it, checked it and had it committed.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from fairlead.engine.lake import relations
from fairlead.engine.lake.names import literal, metadata_name, quote, value
from fairlead.engine.lake.numbering import numbering_script

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from fairlead.engine.lake.relations import Relation

Row = tuple[Any, ...]

INLINING_ROW_LIMIT: Final = 100
"""Writes of up to so many rows stay in the private catalog instead of making a file."""


@dataclass(frozen=True, slots=True)
class CopiedView:
    """A view that is put into the copy.

    Args:
        schema: in which it stands; must be in the copy.
        name: of the view.
        sql: a SELECT; names in it are looked up in the worker.
        columns: names of its columns, empty = as the SELECT names them.
    """

    schema: str
    name: str
    sql: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a lake goes into a copy.

    Args:
        tables: by table id: ``full`` = shape and rows, ``columns`` = the shape alone, as an empty table.
        history: whether older snapshots can be read too (``AT (VERSION => n)``).
        views: views that are put into it; the lake's own views never are.
        schemas: names of schemas that are there besides those of the tables, None = all.
    """

    tables: Mapping[int, Literal["full", "columns"]]
    history: bool = False
    views: tuple[CopiedView, ...] = ()
    schemas: Collection[str] | None = None

    @property
    def readable(self) -> tuple[int, ...]:
        """Ids of the tables whose rows are in the copy."""
        return tuple(table for table, part in self.tables.items() if part == "full")


@dataclass(frozen=True, slots=True)
class InlinedRows:
    """A relation of inlined rows or of inlined deletes: name, (column, DuckDB type) pairs, rows."""

    name: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class CatalogCopy:
    """What was read of a lake's catalog, as of one snapshot.

    Args:
        snapshot: id of the newest snapshot in the copy.
        rows: of each relation that has any. Paths of files are below the lake's data path, or absolute.
        inlined: relations of inlined rows and deletes.
        views: as selected.
    """

    snapshot: int
    rows: Mapping[Relation, tuple[Row, ...]]
    inlined: tuple[InlinedRows, ...] = ()
    views: tuple[CopiedView, ...] = field(default=())

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of all data and delete files, below the lake's data path or absolute."""
        return tuple(
            row[relation.columns.index("path")] for relation in relations.FILES for row in self.rows.get(relation, ())
        )


def attach_script(copy: CatalogCopy, *, attached: str, spill: Path, locate: Callable[[str], str]) -> list[str]:
    """Statements that make a private lake of a copy. They are run outside a transaction, by a worker without it.

    Args:
        copy: what is in it.
        attached: name of the lake, see :func:`fairlead.engine.lake.names.attached_name`.
        spill: folder of the worker below which the lake may write its own files.
        locate: gives the path or URL under which the worker reads a file.
    """
    catalog = f"{quote(metadata_name(attached))}.main"
    options = f"DATA_PATH {literal(f'{spill}/')}, DATA_INLINING_ROW_LIMIT {INLINING_ROW_LIMIT}"
    made_by_attach = ("ducklake_snapshot", "ducklake_snapshot_changes", "ducklake_schema")
    return [
        f"ATTACH 'ducklake::memory:' AS {quote(attached)} ({options})",
        "BEGIN TRANSACTION",
        *(f"DELETE FROM {catalog}.{name}" for name in made_by_attach),  # noqa: S608  # names of our own
        *_filling(copy, catalog, locate),
        *numbering_script(catalog),
        "COMMIT",
    ]


_NUMBERED: Final[Row] = ("a row that is in no copy",)  # but that stands for those of the numbering, which are to go


def refresh_script(
    old: CatalogCopy, new: CatalogCopy, *, attached: str, locate: Callable[[str], str]
) -> list[str] | None:
    """Statements that bring a private lake from one copy to a newer one: cheap, as DuckLake need not load it anew.

    Only for a lake into which nothing was committed since it was made of ``old``: what its user has committed cannot be
    told from here. To DuckLake it looks as if others had committed to a lake that it has open.

    Args:
        old: what the private lake was made of, or was last refreshed to.
        new: what is to be in it.
        attached: name of the lake.
        locate: gives the path or URL under which the worker reads a file.

    Returns:
        The statements, or None where the lake must be detached and attached anew: shapes of tables, tables, schemas or
        views differ, there are or were older snapshots, or there are inlined rows or deletes where there were none (for
        DuckLake keeps the knowledge that there are none).
    """
    if _shape(old) != _shape(new):
        return None
    catalog = f"{quote(metadata_name(attached))}.main"
    statements = ["BEGIN TRANSACTION"]
    for relation in dict.fromkeys([*old.rows, *new.rows]):
        before, after = old.rows.get(relation, ()), new.rows.get(relation, ())
        if relation.name == "ducklake_table_stats" and before != after:
            before = (_NUMBERED,)
        added = _cleared(f"{catalog}.{relation.name}", before, after, statements)
        placed = list(_placed(relation, added, locate)) if relation in relations.FILES else added
        if placed:
            statements.append(_insert(f"{catalog}.{relation.name}", relation.columns, placed))
    for was, now in zip(old.inlined, new.inlined, strict=True):
        name = f"{catalog}.{quote(now.name)}"
        added = _cleared(name, was.rows, now.rows, statements)
        if added:
            statements.append(_insert(name, [column for column, _ in now.columns], added))
    return [*statements, *numbering_script(catalog), "COMMIT"]


def _shape(copy: CatalogCopy) -> object:
    """What has to be equal in two copies if one is to be made of the other in place; never equal with history."""
    snapshots = copy.rows[relations.SNAPSHOT]
    if len(snapshots) > 1:
        return object()
    version = snapshots[0][relations.SNAPSHOT.columns.index("schema_version")]
    inlined = [(table.name, table.columns) for table in copy.inlined]
    return version, [copy.rows.get(relation) for relation in relations.SHAPE], inlined, copy.views


def _cleared(name: str, before: tuple[Row, ...], after: tuple[Row, ...], statements: list[str]) -> list[Row]:
    """Empty a relation if rows of it are gone; gives the rows that are to be added to it then."""
    kept = set(after)
    if all(row in kept for row in before):
        known = set(before)
        return [row for row in after if row not in known]
    statements.append(f"DELETE FROM {name}")  # noqa: S608  # a quoted name
    return list(after)


def detach_script(attached: str) -> list[str]:
    """Statements that take a private lake away, with all that was written into it; its files stay where they are."""
    return ["USE memory.main", f"DETACH {quote(attached)}"]


def _filling(copy: CatalogCopy, catalog: str, locate: Callable[[str], str]) -> Iterator[str]:
    for relation, rows in copy.rows.items():
        placed = _placed(relation, rows, locate) if relation in relations.FILES else rows
        yield _insert(f"{catalog}.{relation.name}", relation.columns, placed)
    if copy.views:
        yield _insert(f"{catalog}.{relations.VIEW.name}", relations.VIEW.columns, _views(copy))
    for table in copy.inlined:
        name = f"{catalog}.{quote(table.name)}"
        yield f"CREATE TABLE {name} ({', '.join(f'{quote(column)} {type_}' for column, type_ in table.columns)})"
        if table.rows:
            yield _insert(name, [column for column, _ in table.columns], table.rows)


def _insert(name: str, columns: Iterable[str], rows: Iterable[Row]) -> str:
    tuples = ",".join("(" + ",".join(map(value, row)) + ")" for row in rows)
    return f"INSERT INTO {name} ({', '.join(map(quote, columns))}) VALUES {tuples}"  # noqa: S608  # names and values are quoted


def _placed(relation: Relation, rows: Iterable[Row], locate: Callable[[str], str]) -> Iterator[Row]:
    at = relation.columns.index("path")
    for row in rows:
        yield (*row[:at], locate(row[at]), 0, *row[at + 2 :])


def _views(copy: CatalogCopy) -> Iterator[Row]:
    """Rows of the views. Their ids are the highest below the snapshot's next one, where reading has left room."""
    schemas = {row[4].lower(): row[0] for row in copy.rows[relations.SCHEMA] if row[3] is None}
    next_id = max(row[3] for row in copy.rows[relations.SNAPSHOT])
    for view_id, view in enumerate(copy.views, start=next_id - len(copy.views)):
        aliases = ",".join(map(quote, view.columns))
        unique = str(uuid.uuid4())
        schema = schemas[view.schema.lower()]
        yield view_id, unique, copy.snapshot, None, schema, view.name, "duckdb", view.sql, aliases
