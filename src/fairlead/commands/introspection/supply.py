"""One session's catalogs in its worker: made when a statement first names them, renewed when they have changed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fairlead.commands.introspection import merged
from fairlead.commands.introspection.base import BASES, World
from fairlead.commands.introspection.declared import qualified
from fairlead.commands.introspection.names import DECLARED, SYSTEM, closure, needs
from fairlead.commands.introspection.shapes import Shapes
from fairlead.dialects.settings import SessionSettings
from fairlead.engine.catalogs.vocabulary import bare, in_worker
from fairlead.engine.lake.names import attached_name, literal, quote
from fairlead.errors import NotSupported

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from fairlead.access.relations import ViewRights
    from fairlead.catalog.records import DatabaseRecord
    from fairlead.commands.house import House
    from fairlead.commands.introspection.shapes import Shape
    from fairlead.context import Context
    from fairlead.engine.api import Column
    from fairlead.engine.session import EngineSession

# What most questions are about is computed once and kept; the rest is computed by each question.
_KEPT: Final = frozenset({"relation", "column", "pg_class", "pg_attribute", "pg_type"})
_LIST: Final = '["VARCHAR"]'
_CSV: Final = (
    "auto_detect=false, header=false, delim=',', quote='\"', escape='\"', nullstr='', allow_quoted_nulls=false"
)


@dataclass(slots=True)
class _Made:
    """What a worker has: a hash of what each relation, function and base table was made of, and of which state."""

    content: dict[tuple[int, str], int] = field(default_factory=dict)
    state: dict[int, Mapping[str, object]] = field(default_factory=dict)

    def copy(self) -> _Made:
        return _Made(dict(self.content), dict(self.state))


class Catalogs:
    """The catalogs of one session.

    Args:
        house: the gateway's rooms.
        context: gives the context of the statement that runs now.
        describe: asks the engine for the columns of a view, as its owner.
    """

    def __init__(
        self,
        house: House,
        context: Callable[[], Context],
        describe: Callable[[ViewRights], Awaitable[tuple[Column, ...]]],
    ) -> None:
        self._house = house
        self._shapes = Shapes(house)
        self._context = context
        self._describe = describe
        self._generation = 0
        self._made = _Made()
        self._before: _Made | None = None
        self._serial = 0
        self._reshaped = 0
        self.settings = SessionSettings()

    async def supply(
        self, worker: EngineSession, wanted: frozenset[tuple[int, str]], *, in_block: bool, wrote: bool
    ) -> None:
        """Give the worker what a statement names.

        Args:
            worker: of the session.
            wanted: relations and functions: id of the database, key.
            in_block: whether a transaction block is open in the worker.
            wrote: whether it has written.
        """
        if not wanted:
            return
        if worker.generation != self._generation:
            self._generation, self._made, self._before = worker.generation, _Made(), None
        if in_block and self._before is None:
            self._before = self._made.copy()
        for database_id in {database for database, _ in wanted}:
            keys = closure(frozenset(key for database, key in wanted if database == database_id))
            await self._supply(worker, database_id, keys, wrote=wrote)

    def reshaped(self) -> None:
        """A statement has made, changed or dropped something in the worker."""
        self._reshaped += 1

    def end_block(self, *, commit: bool) -> None:
        """What was made in a block is gone when it was rolled back."""
        if self._before is not None and not commit:
            self._made = self._before
        self._before = None

    def forget(self) -> None:
        """The worker is gone."""
        self._generation = 0

    async def _supply(self, worker: EngineSession, database_id: int, keys: tuple[str, ...], *, wrote: bool) -> None:
        with self._house.catalog.read() as snapshot:
            database = next(one for one in snapshot.databases() if one.id == database_id)
        script: list[str] = []
        files: list[str] = []
        content = dict(self._made.content)
        state, stale = await self._stale_bases(database, keys)
        for key, text in stale.items():
            if content.get((database_id, key)) != hash(text):
                name = self._file_name()
                files.append(name)
                script.append(await asyncio.to_thread(_fill, worker, database_id, key, name, text))
                content[database_id, key] = hash(text)
        attached = attached_name(database.name) if wrote else None
        for key in keys:
            if key not in BASES:
                sql = _created(database_id, key, attached)
                under = [content[database_id, one] for one in sorted(needs(key))] if key in _KEPT else []
                made_of = hash((sql, *under, self._reshaped if key in _KEPT else 0))
                if content.get((database_id, key)) != made_of:
                    script.append(sql)
                    content[database_id, key] = made_of
        if script:
            try:
                await worker.script(script)
            finally:
                await asyncio.to_thread(_remove, worker, files)
        self._made.content, self._made.state[database_id] = content, state

    async def _stale_bases(
        self, database: DatabaseRecord, keys: Iterable[str]
    ) -> tuple[Mapping[str, object], Mapping[str, str]]:
        """Return the state that base tables are to be of, and the rows of those that may have changed, as texts."""
        context = self._context()
        bases = [key for key in keys if key in BASES]
        shaped = any(BASES[key].shaped for key in bases)
        lake = await self._shapes.lake(database) if shaped else None
        state = (self._house.catalog.epoch, context.principal, context.schema, context.search_path)
        mark = (*state, lake.snapshot if lake is not None else -1)
        fresh = {key: mark if BASES[key].shaped else state for key in bases if not BASES[key].volatile}
        known = self._made.state.get(database.id, {})
        stale = [key for key in bases if key not in fresh or known.get(key) != fresh[key]]
        if not stale:
            return known, {}
        needs_shapes = any(BASES[key].shaped for key in stale)
        shapes = await self._shapes.of(database, context, self._describe) if needs_shapes else {}
        texts = await asyncio.to_thread(self._texts, database, context, shapes, stale)
        return {**known, **fresh}, texts

    def _texts(
        self, database: DatabaseRecord, context: Context, shapes: Mapping[int, Shape], keys: Iterable[str]
    ) -> dict[str, str]:
        with self._house.catalog.read() as snapshot:
            activity = self._house.activity()
            world = World(self._house, snapshot, context, database, shapes, SYSTEM, self.settings, activity)
            return {key: "".join(map(_line, BASES[key].rows(world))) for key in keys}

    def _file_name(self) -> str:
        self._serial += 1
        return f"catalog-{self._serial}.csv"


def _created(database_id: int, key: str, attached: str | None) -> str:
    """Return the statement that makes a relation or function."""
    name = quote(bare(database_id, key))
    if key in ("relation", "column"):
        sql = qualified(merged.relation(attached) if key == "relation" else merged.column(attached))
    else:
        sql = DECLARED[key].sql
        if DECLARED[key].kind == "macro":
            return f"CREATE OR REPLACE TEMP MACRO {name}{in_worker(sql, database_id)}"
    kind = "TABLE" if key in _KEPT else "VIEW"
    return f"CREATE OR REPLACE TEMP {kind} {name} AS {in_worker(sql, database_id)}"


def _fill(worker: EngineSession, database_id: int, key: str, file_name: str, text: str) -> str:
    """Write the rows into a file that the worker can read, and return the statement that makes a table of it."""
    if worker.folder is None:
        message = "the catalogs need a spill folder"
        raise NotSupported(message, hint="set worker.spill_limit_mb above 0")
    path = worker.folder.files / file_name
    path.write_text(text, encoding="utf-8")
    columns = BASES[key].columns
    read = ", ".join(f"{literal(name)}: {literal(_stored(kind))}" for name, kind in columns.items())
    listed = ", ".join(
        f"system.main.from_json({quote(name)}, '{_LIST}') AS {quote(name)}" if kind.endswith("[]") else quote(name)
        for name, kind in columns.items()
    )
    source = f"system.main.read_csv({literal(str(path))}, columns={{{read}}}, {_CSV})"
    return f"CREATE OR REPLACE TEMP TABLE {quote(bare(database_id, key))} AS SELECT {listed} FROM {source}"


def _stored(kind: str) -> str:
    return "VARCHAR" if kind.endswith("[]") else kind


def _line(row: tuple[object, ...]) -> str:
    return ",".join(map(_field, row)) + "\n"


def _field(value: object) -> str:
    """Return a value as it stands in a file: texts in quotes, so that an empty one is not NULL."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case list():
            return _field(json.dumps(value))
        case _:
            return '"' + str(value).replace('"', '""') + '"'


def _remove(worker: EngineSession, files: Iterable[str]) -> None:
    if worker.folder is not None:
        for name in files:
            (worker.folder.files / name).unlink(missing_ok=True)
