"""From a private lake in which a transaction has been committed to the change set that the gateway can commit.

The structure is the difference of two states of the private metadata. Rows are told apart by their ids: the private
copy gives new rows ids from 2**50 on, so whatever is new in its newest snapshot with a lower id is a row that was
there before and has new values. DuckLake's own list of changes is not used for that: it names rows that a transaction
has changed twice, or made and removed again, as if they were there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fairlead.engine.lake import carrying, shapes
from fairlead.engine.lake.changes import ChangeSet, RowChanges
from fairlead.engine.lake.differing import differ, ref
from fairlead.engine.lake.names import literal, metadata_name, quote
from fairlead.engine.lake.numbering import FIRST_NEW_ROW, numbered_question
from fairlead.engine.lake.receiving import Receiver, make_folder
from fairlead.engine.lake.shapes import malformed, number
from fairlead.errors import NotSupported

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from pathlib import Path

    from fairlead.engine.lake.shapes import Rows, Shape, State

    Script = Callable[[Sequence[str]], Awaitable[list[Rows]]]

_CHANGE: Final = re.compile(r'([a-z_]{1,40}):(\d{1,18}|"(?:[^"]|"")*"(?:\."(?:[^"]|"")*")?)(?:,|\Z)')
_ADDING: Final = frozenset({"inserted_into_table", "inlined_insert"})
_REMOVING: Final = frozenset({"deleted_from_table", "inlined_delete"})
_SHAPING: Final = frozenset({"created_schema", "dropped_schema", "created_table", "dropped_table", "altered_table"})
_OF_COPIES: Final = frozenset({"dropped_view"})  # views stand in the private copy alone
_PACKED: Final = "(FORMAT parquet, PARQUET_VERSION v2)"  # ids in a row take next to no room in it
_LONGEST_LIST: Final = 2**24
_PLAIN: Final = "(FORMAT parquet)"


@dataclass(slots=True)
class _Touched:
    """What a transaction has touched: ids of tables, of those with new rows, of those that have lost rows or versions.

    ``reshaped``: it has done more than to change rows. ``files``: it has written data files.
    """

    tables: set[int] = field(default_factory=set)
    added: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    reshaped: bool = False
    files: bool = False


@dataclass(frozen=True, slots=True)
class NewFile:
    """A data file that the private lake has written in the transaction: where it lies, and how many rows it has."""

    path: str
    rows: int


async def collect(script: Script, *, attached: str, base: int, database_id: int, out: Path, inbox: Path) -> ChangeSet:
    """Return what the transaction that a worker has just committed in its private lake has changed.

    Args:
        script: runs statements in the worker and returns the rows of each as JSON values.
        attached: name of the lake.
        base: snapshot that the private copy was made of; its new rows are numbered, see :mod:`.numbering`.
        database_id: whose lake.
        out: folder, directly in the worker's spill folder, for what is written for this.
        inbox: folder of the gateway, on the same file system, that gets the files.

    Raises:
        NotSupported, InvalidName: a change that tables here cannot have.
        WorkerLost: the worker ended, or gives answers that no honest worker gives.
        EngineError: the changed rows could not be written.
    """
    catalog = _catalog(attached)
    touched = await _touched(script, catalog, base)
    if touched is None:
        return ChangeSet(database_id, base)
    asked = shapes.questions(catalog, base + 1, touched.tables, reshaped=touched.reshaped)
    files, unnumbered, *answers = await script(
        [
            _files_question(catalog, base + 1) if touched.files else "SELECT 0 WHERE false",
            numbered_question(catalog, base, touched.added | touched.removed),
            *asked,
        ]
    )
    if unnumbered:
        raise malformed()
    before, after = shapes.states(answers, base)
    structure = differ(before, after)
    receiver = Receiver(out.parent, inbox)
    rows = [
        await _Rows(script, attached, base, out, receiver, before, shape).collect(
            _files_of(files, table_id), removed=table_id in touched.removed
        )
        for table_id, shape in sorted(after.tables.items())
        if table_id in touched.added | touched.removed
    ]
    return ChangeSet(database_id, base, structure, tuple(one for one in rows if one is not None))


async def _touched(script: Script, catalog: str, base: int) -> _Touched | None:
    """Ask what the transaction has touched, None for nothing."""
    snapshots, renamed = await script(
        [
            (
                f"SELECT snapshot_id, changes_made FROM {catalog}.ducklake_snapshot "  # noqa: S608
                f"LEFT JOIN {catalog}.ducklake_snapshot_changes USING (snapshot_id) WHERE snapshot_id > {base}"
            ),
            f"SELECT table_id FROM {catalog}.ducklake_table WHERE begin_snapshot > {base} OR end_snapshot > {base}",  # noqa: S608
        ]
    )
    if not snapshots:
        return None
    (snapshot, changes), *others = shapes.checked_rows(snapshots, 2)
    if others or number(snapshot) != base + 1:
        raise malformed()
    touched = _understood("" if changes is None else shapes.text(changes, _LONGEST_LIST))
    touched.tables.update(number(table) for (table,) in shapes.checked_rows(renamed, 1))
    touched.reshaped |= bool(renamed)
    return touched


def _understood(said: str) -> _Touched:
    """What DuckLake's own words about a commit mean."""
    touched, at = _Touched(), 0
    while at < len(said):
        match = _CHANGE.match(said, at)
        if match is None:
            raise malformed()
        at, kind, subject = match.end(), match[1], match[2]
        if kind in _OF_COPIES:
            continue
        if kind not in _ADDING | _REMOVING | _SHAPING:
            raise NotSupported(f"Native tables do not offer this change: {kind.replace('_', ' ')}")
        touched.reshaped |= kind in _SHAPING
        touched.files |= kind == "inserted_into_table"
        if subject.isdecimal() and kind != "dropped_schema":
            touched.tables.add(int(subject))
            if kind in _ADDING:
                touched.added.add(int(subject))
            elif kind in _REMOVING:
                touched.removed.add(int(subject))
    return touched


class _Rows:
    """Collects the changed rows of one table."""

    def __init__(
        self, script: Script, attached: str, base: int, out: Path, receiver: Receiver, before: State, shape: Shape
    ) -> None:
        self._script = script
        self._base = base
        self._out = out
        self._receiver = receiver
        self._shape = shape
        self._old = before.tables.get(shape.table_id)
        self._ref = ref(shape, before)
        self._lake = attached
        self._table = _table(attached, shape)
        self._written = 0

    async def collect(self, files: Sequence[NewFile], *, removed: bool) -> RowChanges | None:
        """Return the changes, None where they cancel each other out.

        Args:
            files: data files that the transaction has made for the table.
            removed: whether the table has lost rows, or versions of rows.
        """
        if not removed:
            changes = await self._only_appended(files)
        elif self._old is None:
            changes = await self._made(self._select(self._shape.names))
        else:
            changes = await self._rewritten(self._old)
        return changes if changes.inserted or changes.updated or changes.deleted else None

    async def _only_appended(self, files: Sequence[NewFile]) -> RowChanges:
        taken = await self._taken(files) if files else None
        if taken is not None:
            return taken
        if self._old is None:
            return await self._made(self._select(self._shape.names))
        return await self._made(self._select(self._shape.names, f"rowid >= {FIRST_NEW_ROW} AND {self._is_new}"))

    async def _taken(self, files: Sequence[NewFile]) -> RowChanges | None:
        """Take the lake's own files as they are, where they hold all the new rows, and in the columns' own types."""
        total = sum(file.rows for file in files)
        paths = ", ".join(literal(file.path) for file in files)
        counted = "" if self._old is None else f" WHERE rowid >= {FIRST_NEW_ROW} AND {self._is_new}"
        shape = "SELECT system.main.list({}) FROM (DESCRIBE SELECT * FROM {})"
        read = f"system.main.read_parquet([{paths}], hive_partitioning = false)"
        same = " AND ".join(
            f"({shape.format(what, self._table)}) = ({shape.format(what, read)})"
            for what in ("column_name", "column_type")
        )
        question = f"SELECT (SELECT system.main.count(*) FROM {self._table}{counted}) = {total} AND {same}"  # noqa: S608
        (answer,) = await self._script([question])
        if answer != [[True]]:
            return None
        received = tuple(self._receiver.receive(file.path) for file in files)
        return RowChanges(self._ref, inserted=total, inserts=received, columns=self._shape.names)

    async def _made(self, query: str) -> RowChanges:
        (answer,) = await self._script([self._copy(query, "inserts")])
        inserted = _count(answer)
        inserts = (self._receive("inserts"),) if inserted else ()
        return RowChanges(self._ref, inserted=inserted, inserts=inserts, columns=self._shape.names)

    async def _rewritten(self, old: Shape) -> RowChanges:
        names = self._shape.names
        before, after, inserts, updates = await self._script(
            [
                f"SELECT system.main.count(*) FROM {_table(self._lake, old)} AT (VERSION => {self._base})",  # noqa: S608
                f"SELECT system.main.count(*) FROM {self._table}",  # noqa: S608
                self._copy(self._select(names, f"rowid >= {FIRST_NEW_ROW} AND {self._is_new}"), "inserts"),
                self._copy(self._select(names, f"rowid < {FIRST_NEW_ROW} AND {self._is_new}", rowid=True), "updates"),
            ]
        )
        there, inserted, updated = _count(before), _count(inserts), _count(updates)
        deleted = there + inserted - _count(after)
        if deleted < 0:
            raise malformed()
        if deleted:
            (answer,) = await self._script([self._copy(self._removed(), "deletes", _PACKED)])
            if _count(answer) != deleted:
                raise malformed()
        return RowChanges(
            self._ref,
            inserted=inserted,
            updated=updated,
            deleted=deleted,
            inserts=(self._receive("inserts"),) if inserted else (),
            updates=self._receive("updates") if updated else None,
            deletes=self._receive("deletes") if deleted else None,
            columns=names,
            emptied=deleted == there,
        )

    # --- the SQL of it ---

    @property
    def _is_new(self) -> str:
        """Condition for rows whose newest version is of this transaction."""
        if "snapshot_id" not in {name.casefold() for name in self._shape.names}:
            return f"snapshot_id = {self._base + 1}"
        # A column of the table hides the row's own snapshot, so this takes the longer way.
        return f"rowid IN (SELECT rowid FROM {self._changed('insertions')})"  # noqa: S608

    def _changed(self, what: str) -> str:
        new = self._base + 1
        texts = ", ".join(literal(name) for name in (self._lake, self._shape.schema, self._shape.name))
        return f"system.main.ducklake_table_{what}({texts}, {new}, {new})"

    def _removed(self) -> str:
        """Ids of rows that were there before and are not any more."""
        kept = f"SELECT fairlead_rowid FROM system.main.read_parquet({literal(self._file('updates'))})"  # noqa: S608
        return (
            f"SELECT DISTINCT rowid AS fairlead_rowid FROM {self._changed('deletions')} "  # noqa: S608
            f"WHERE rowid < {FIRST_NEW_ROW} AND rowid NOT IN ({kept})"
        )

    def _select(self, names: Iterable[str], condition: str = "true", *, rowid: bool = False) -> str:
        fields = self._shape.fields
        whole, carried = carrying.types(fields), carrying.carried_types(fields)
        ids = {field.name: field.column_id for field in fields if field.parent is None}
        columns = ["rowid AS fairlead_rowid"] if rowid else []
        for name in names:
            same = whole[ids[name]] == carried[ids[name]]
            columns.append(quote(name) if same else f"CAST({quote(name)} AS {carried[ids[name]]}) AS {quote(name)}")
        return f"SELECT {', '.join(columns)} FROM {self._table} WHERE {condition}"  # noqa: S608

    def _copy(self, query: str, what: str, options: str = _PLAIN) -> str:
        if not self._written:
            make_folder(self._out)
            self._written = 1
        return f"COPY ({query}) TO {literal(self._file(what))} {options}"

    def _file(self, what: str) -> str:
        return str(self._out / f"{self._shape.table_id}-{what}.parquet")

    def _receive(self, what: str) -> Path:
        return self._receiver.receive(self._file(what))


def _catalog(attached: str) -> str:
    return f"{quote(metadata_name(attached))}.main"


def _table(attached: str, shape: Shape) -> str:
    return f"{quote(attached)}.{quote(shape.schema)}.{quote(shape.name)}"


def _files_question(catalog: str, snapshot: int) -> str:
    # Each path continues the one of what the thing is in, unless it is absolute.
    in_lake = "CASE WHEN s.path_is_relative THEN system.main.concat(m.value, s.path) ELSE s.path END"
    in_schema = f"CASE WHEN t.path_is_relative THEN system.main.concat({in_lake}, t.path) ELSE t.path END"
    in_table = f"CASE WHEN f.path_is_relative THEN system.main.concat({in_schema}, f.path) ELSE f.path END"
    return (
        f"SELECT f.table_id, f.record_count, {in_table} FROM {catalog}.ducklake_data_file f "  # noqa: S608
        f"JOIN {catalog}.ducklake_table t USING (table_id) JOIN {catalog}.ducklake_schema s USING (schema_id), "
        f"{catalog}.ducklake_metadata m WHERE m.key = 'data_path' AND t.end_snapshot IS NULL "
        f"AND s.end_snapshot IS NULL AND f.end_snapshot IS NULL AND f.begin_snapshot = {snapshot} "
        "ORDER BY f.data_file_id"
    )


def _files_of(rows: Rows, table_id: int) -> list[NewFile]:
    given = shapes.checked_rows(rows, 3)
    return [NewFile(shapes.text(path), number(count)) for table, count, path in given if table == table_id]


def _count(rows: Rows) -> int:
    counts = [number(count) for (count,) in shapes.checked_rows(rows, 1)]
    if len(counts) != 1:
        raise malformed()
    return counts[0]
