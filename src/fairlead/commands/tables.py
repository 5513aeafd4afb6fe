"""One session's native tables: private copies for its worker, and the way of its changes into the lakes.

A copy holds what a statement may mean and the user may read, and nothing else; inside a transaction block it holds all
that the user may read, as of one snapshot. What the worker has changed in its copy is read out of it, checked against
the user's rights, and committed by the writer. A copy that is behind is made anew when it is next needed.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from fairlead.catalog.records import RELATIONS
from fairlead.commands import committing, records
from fairlead.commands.observing import timed_commit
from fairlead.commands.rights import deny
from fairlead.commands.staging import Staged, Staging
from fairlead.commands.visible import Need, Visible, shows
from fairlead.engine.lake import collecting, copying
from fairlead.engine.lake.links import Links
from fairlead.engine.lake.names import attached_name, literal, metadata_name, quote
from fairlead.errors import LakeMoved, NotSupported, PermissionDenied, SerializationFailure, UndefinedTable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from collections.abc import Set as AbstractSet

    from fairlead.access.relations import TableRights, ViewRights
    from fairlead.catalog.records import ObjectRecord
    from fairlead.commands.definers import Definers
    from fairlead.commands.house import House
    from fairlead.context import Context, Principal
    from fairlead.engine.api import WorkerFolder
    from fairlead.engine.lake.copying import CatalogCopy, Selection
    from fairlead.engine.lake.lakes import Committed, Lake
    from fairlead.engine.planner import AliasBook
    from fairlead.engine.session import EngineSession
    from fairlead.errors import FairleadError
    from fairlead.lang import ast

_ATTEMPTS = 5
_PATIENCE = 1.0  # seconds
_PATIENCE_OF_LOSERS = 10.0  # seconds
_AWAY = "USE memory.main"
_WRITES = {"INSERT": "INSERT", "UPDATE": "UPDATE", "DELETE": "DELETE", "TRUNCATE": "TRUNCATE"}


@dataclass(slots=True)
class _Attached:
    """A private copy in the worker."""

    name: str
    lake: Lake
    snapshot: int
    epoch: int
    need: Need
    files: dict[str, Path]
    selection: Selection
    copy: CatalogCopy


class SessionTables:
    """The native tables of one session.

    Args:
        house: the gateway's rooms.
        book: aliases of the session's door, for data files on a connection.
        principal: gives the user with the roles in force now.
        context: gives the context of the statement that runs now.
        definers: computes relations that only their owner may read.
    """

    def __init__(
        self,
        house: House,
        book: AliasBook,
        principal: Callable[[], Principal],
        context: Callable[[], Context],
        definers: Definers,
    ) -> None:
        self._house = house
        self._book = book
        self._principal = principal
        self._context = context
        self._definers = definers
        self._attached: dict[str, _Attached] = {}
        self._generation = 0
        self._links: Links | None = None
        self._seen: tuple[int, Principal, Visible] | None = None
        self._current: str | None = None
        self.along: frozenset[int] = frozenset()  # views that go with what the transaction drops
        self._staging = Staging(house, context)
        self.begin_staged = self._staging.begin
        self.settle_staged = self._staging.settle

    # --- before a statement ------------------------------------------------------------------------------------------

    async def way(self, statement: ast.DataStatement) -> Staged | None:
        """Return the short way of an INSERT outside of a block, None where there is none.

        Raises:
            PermissionDenied: the user may not insert into the table.
        """
        return await self._staging.way(self._visible(), statement) if statement.verb == "INSERT" else None

    async def prepare(self, worker: EngineSession, statement: ast.DataStatement, *, begins: bool, inside: bool) -> None:
        """Bring the worker's copies up to what a statement needs.

        Args:
            worker: of the session.
            statement: the user's.
            begins: it is the first of a transaction block, so all that is visible has to be there.
            inside: it is a later one of a block, whose copies must not change.

        Raises:
            PermissionDenied: the statement writes to a table that the user may not write to.
        """
        if not worker.worker.alive:
            await worker.script(["SELECT 1"], replace=True)
        if worker.generation != self._generation:
            self._start(worker)
        if not inside:
            self.along = frozenset()
        visible = self._visible()
        self._check_target(visible, statement)
        if shows(statement):
            await self._staging.hide(worker)
        if inside:
            await self._keep(visible, statement)
        else:
            needs = visible.concerned(statement, self._context(), everything=begins)
            await self._renew(worker, visible, needs)
        await self._definers.supply(worker, self._named(visible, statement), keep=inside)

    @asynccontextmanager
    async def turn(self, statement: ast.DataStatement, *, waiting: bool, changes: bool) -> AsyncIterator[None]:
        """Wait a while for a turn: what has lost against another runs again alone, and hardly anybody overtakes it.

        Args:
            statement: the user's; who changes another table is not in its way.
            waiting: it has lost.
            changes: it may lose, or make others lose.
        """
        lake = self._house.lakes.known(self._database_id()) if changes or waiting else None
        target = next((name.parts[-1] for name in statement.names if name.relation), "")
        contended = lake.contended(target) if lake is not None else None
        if contended is None or not (waiting or contended.locked()):
            yield
            return
        # It may be held for as long as somebody's slow statement runs, so nobody waits for it for ever.
        held = await _acquired(contended, _PATIENCE_OF_LOSERS if waiting else _PATIENCE)
        try:
            yield
        finally:
            if held:
                contended.release()

    def _database_id(self) -> int:
        found = self._visible().by_database.get(self._context().database.casefold())
        return found.id if found is not None else 0

    def forget(self) -> None:
        """The worker is gone, and all copies with it."""
        self._generation = 0
        self._attached = {}

    def _start(self, worker: EngineSession) -> None:
        self._generation = worker.generation
        self._attached, self._current = {}, None
        self._links = Links(worker.folder.files) if worker.folder is not None else None
        self._definers.forget()

    def _visible(self) -> Visible:
        epoch, principal = self._house.catalog.epoch, self._principal()
        if self._seen is None or self._seen[:2] != (epoch, principal):
            self._seen = epoch, principal, Visible(self._house, principal)
        return self._seen[2]

    def _named(self, visible: Visible, statement: ast.DataStatement) -> Need:
        found = Need()
        for key in self._attached:
            database = visible.by_database.get(key)
            if database is not None:
                found |= self._definers.closure(database, statement.identifiers)
        return found

    async def blame(self, worker: EngineSession, statement: ast.DataStatement, failure: FairleadError) -> None:
        """Say in an error in which view's text it is, if in one."""
        if self._attached:
            await self._definers.blame(worker, failure, self._named(self._visible(), statement))

    def _check_target(self, visible: Visible, statement: ast.DataStatement) -> None:
        """Refuse early what would be refused at the commit anyway, before anything is computed."""
        action = _WRITES.get(statement.verb)
        target = next((name for name in statement.names if name.relation), None)
        if action is None or target is None:
            return
        parts = tuple(part.casefold() for part in target.parts)
        named_first = len(parts) > 1 and parts[0] in visible.by_database
        key = parts[0] if named_first else self._context().database.casefold()
        database = visible.by_database.get(key)
        tables = database.tables.get(parts[-1], ()) if database is not None else ()
        if tables and not any(action in table.actions for table in tables):
            deny(tables[0], action, self._context())

    async def _keep(self, visible: Visible, statement: ast.DataStatement) -> None:
        """In the middle of a block: the copies stay, but what the user may no longer read goes."""
        epoch = self._house.catalog.epoch
        for key, attached in self._attached.items():
            if attached.epoch == epoch:
                continue
            database = visible.by_database.get(key)
            now = database.everything if database is not None else Need()
            modes, parts = now.modes(), {(table.table_id, table.parts) for table in now.tables}
            lost = {t for t in attached.need.tables if attached.need.modes().get(t.table_id) != modes.get(t.table_id)}
            lost |= {t for t in attached.need.tables if t.parts and (t.table_id, t.parts) not in parts}
            views = {view.record.id for view in now.views}
            gone = {view for view in attached.need.views if view.record.id not in views}
            if lost:
                folders = [Path(attached.lake.data_path, table.prefix) for table in lost]
                attached.files = {
                    name: path for name, path in attached.files.items() if not any(map(path.is_relative_to, folders))
                }
                await self._link()
            readable = {table.table_id: table for table in now.tables}
            self._refuse_revoked({t for t in lost if _less(readable.get(t.table_id), t)} | gone)
            named = [found.record for found in lost | gone if found.record.name.casefold() in statement.identifiers]
            if named:
                self._refuse_lost(named)

    def _refuse_revoked(self, lost: AbstractSet[TableRights | ViewRights]) -> None:
        """Refuse whatever a block says after a right was taken away: a temporary view of its own may read by it."""
        if lost and not self._there().isdisjoint(found.record.id for found in lost):
            message = "rights on a table or view of this transaction have changed since it began"
            raise PermissionDenied(message, hint="ROLLBACK, and begin again")

    def _there(self) -> set[int]:
        with self._house.catalog.read() as snapshot:
            return {record.id for kind in RELATIONS for record in snapshot.objects(kind)}

    def _refuse_lost(self, lost: list[ObjectRecord]) -> None:
        there = self._there()
        dropped = next((record for record in lost if record.id not in there), None)
        if dropped is not None:
            what = f"{dropped.kind} {dropped.full_name}"
            message = f"could not serialize access: {what} was dropped since the transaction began"
            raise SerializationFailure(message, hint="run the transaction again")
        message = "rights on a table or view of this transaction have changed since it began"
        raise PermissionDenied(message, hint="ROLLBACK, and begin again")

    # --- copies ------------------------------------------------------------------------------------------------------

    async def _renew(self, worker: EngineSession, visible: Visible, needs: dict[str, Need]) -> None:
        epoch = self._house.catalog.epoch
        script: list[str] = []
        for key in [*self._attached]:
            database = visible.by_database.get(key)
            attached = self._attached[key]
            # What a view is in a copy depends on rights on what it names, too.
            same = database is not None and attached.need <= database.everything and not attached.need.views
            allowed = attached.epoch == epoch or same
            if not allowed or (attached.snapshot < 0 and key not in needs):
                script += self._detach(key)
            elif allowed:
                attached.epoch = epoch
        for key, need in needs.items():
            known = self._attached.get(key)
            fits = known is not None and known.snapshot >= 0 and need <= known.need
            if known is not None and fits and known.snapshot == known.lake.snapshot:
                continue
            refreshed = await self._refresh(worker, key) if fits else None
            if refreshed is None:
                script += [*self._detach(key), *await self._attach(worker, visible, key, need)]
            script += refreshed or []
        if script:
            self._current = None  # it begins with going away
        script += self._use()
        if script:
            await worker.script([_AWAY, *script])

    def _detach(self, key: str) -> list[str]:
        attached = self._attached.pop(key, None)
        self._current = None
        return copying.detach_script(attached.name) if attached is not None else []

    def _use(self) -> list[str]:
        context = self._context()
        attached = self._attached.get(context.database.casefold())
        wanted = _search_path(attached, context) if attached is not None else _AWAY
        if wanted == self._current:
            return []
        self._current = wanted
        return [wanted]

    async def _attach(self, worker: EngineSession, visible: Visible, key: str, need: Need) -> list[str]:
        """Return the script that makes a copy, and have the links for it."""
        database = visible.by_database[key]
        lake = await self._house.lakes.lake(database.id)
        need, views = self._definers.views(visible, key, need, self._context())
        selection = copying.Selection(tables=need.modes(), schemas=database.schemas, views=views, history=need.history)
        epoch, name = self._house.catalog.epoch, attached_name(database.name)
        script: list[str] | None = None

        def attach(copy: CatalogCopy, files: dict[str, Path]) -> None:
            nonlocal script
            locate = self._locate(worker, lake, files)
            spill = Path(_folder(worker).spill.name)
            script = copying.attach_script(copy, attached=name, spill=spill, locate=locate)
            self._attached[key] = _Attached(name, lake, copy.snapshot, epoch, need, files, selection, copy)

        await self._read(lake, selection, attach)
        return script or []

    async def _refresh(self, worker: EngineSession, key: str) -> list[str] | None:
        """Return the script that brings a copy up to date, None where it has to be made anew."""
        attached = self._attached[key]
        script: list[str] | None = None

        def refresh(copy: CatalogCopy, files: dict[str, Path]) -> None:
            nonlocal script
            locate = self._locate(worker, attached.lake, files)
            for path in copy.files:  # the script places the new ones only, and all have to stay linked
                locate(path)
            script = copying.refresh_script(attached.copy, copy, attached=attached.name, locate=locate)
            if script is not None:
                self._attached[key] = replace(attached, snapshot=copy.snapshot, copy=copy, files=files)

        await self._read(attached.lake, attached.selection, refresh)
        return script

    async def _read(
        self, lake: Lake, selection: Selection, use: Callable[[CatalogCopy, dict[str, Path]], None]
    ) -> None:
        """Read a copy of the newest snapshot and have its links; again where a file has gone meanwhile."""
        for attempt in range(_ATTEMPTS):
            copy = await asyncio.to_thread(lake.reader.copy, selection, lake.snapshot)
            files: dict[str, Path] = {}
            use(copy, files)
            try:
                await self._link()
            except LakeMoved:
                if attempt + 1 == _ATTEMPTS:
                    raise
            else:
                return

    def _locate(self, worker: EngineSession, lake: Lake, files: dict[str, Path]) -> Callable[[str], str]:
        """Return how a data file's path in the lake becomes the path or URL that the worker reads."""
        storage = lake.storage
        if storage is not None:
            bucket, _, prefix = storage.url.removeprefix("s3://").partition("/")
            alias = self._book.alias(storage.connection_id, bucket)
            return lambda path: f"s3://{alias}/{prefix}{path}"
        folder = _folder(worker).files.name

        def linked(path: str) -> str:
            name = PurePosixPath(path).name
            files[name] = Path(lake.data_path) / path
            return f"{folder}/{name}"

        return linked

    async def _link(self) -> None:
        assert self._links is not None
        wanted = {name: path for attached in self._attached.values() for name, path in attached.files.items()}
        await asyncio.to_thread(self._links.sync, wanted)

    # --- after a change ----------------------------------------------------------------------------------------------

    async def settle(self, worker: EngineSession, *, truncates: bool) -> bool:
        """Commit what the worker has committed in its copies; True where there was something.

        Args:
            worker: of the session; its local transaction has been committed.
            truncates: rows were taken away by TRUNCATE alone.

        Raises:
            SerializationFailure: somebody else has changed the same; nothing is committed.
            PermissionDenied: the user may not make these changes; nothing is committed.
        """
        if worker.generation != self._generation or worker.folder is None:
            return False
        done = False
        for key in [*self._attached]:
            done = await self._settle_one(worker, key, truncates=truncates) or done
        return done

    async def _settle_one(self, worker: EngineSession, key: str, *, truncates: bool) -> bool:
        attached = self._attached[key]
        base = attached.snapshot
        if base < 0:
            return False
        attached.snapshot = -1  # whatever becomes of the changes, the copy is no longer that of a snapshot
        assert worker.folder is not None
        inbox = await asyncio.to_thread(self._house.lakes.new_inbox)
        try:
            changes = await collecting.collect(
                worker.script,
                attached=attached.name,
                base=base,
                database_id=attached.lake.database_id,
                out=worker.folder.spill / "out",
                inbox=inbox,
            )
            if changes.empty:
                snapshots = f"{quote(metadata_name(attached.name))}.main.ducklake_snapshot"
                newest = f"SELECT system.main.max(snapshot_id) FROM {snapshots}"  # noqa: S608  # a quoted name
                if await worker.script([newest]) == [[[base]]]:  # nor have changes cancelled each other out
                    attached.snapshot = base
                return False
            database = self._visible().by_database.get(key)
            if database is None:
                message = f'database "{key}" does not exist any more'
                raise UndefinedTable(message)
            rights = {table.table_id: table for table in database.every_table()}
            context = self._context()
            with self._house.catalog.read() as snapshot:
                record = snapshot.database(database.name)
            assert record is not None
            try:
                authority = committing.Authority(self._house, context, record, rights, self.along)
                authority.check(changes, truncates=truncates)
            except PermissionDenied:
                await asyncio.to_thread(records.refused, self._house, context, "CHANGE OF TABLES")
                raise

            along = self.along

            def bring_catalog_after(committed: Committed) -> None:
                committing.record(self._house, context, record, changes, committed.tables, along)

            with timed_commit(self._house.observer):
                await attached.lake.commit(
                    changes,
                    author=context.principal.user_name,
                    extra={"owner": context.principal.user_id},
                    afterwards=bring_catalog_after if changes.structure else None,
                )
            return True
        finally:
            await asyncio.to_thread(self._house.lakes.clear_inbox, inbox)


def _search_path(attached: _Attached, context: Context) -> str:
    """Return the statement after which unqualified names mean what they do for the session.

    Schemas that the user may not use are not in the copy, and are passed over.
    """
    there = {schema.casefold() for schema in attached.selection.schemas or ()}
    path = [schema for schema in context.search_path if schema.casefold() in there] or [context.schema]
    places = [f"{quote(attached.name)}.{quote(schema)}" for schema in path]
    return f"USE {places[0]}" if len(places) == 1 else f"SET search_path = {literal(','.join(places))}"


def _less(now: TableRights | None, before: TableRights) -> bool:
    """Tell whether less of a table may be read now than before."""
    return now is None or ("SELECT" not in now.actions and ("SELECT" in before.actions or now.parts != before.parts))


async def _acquired(lock: asyncio.Lock, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await lock.acquire()
    except TimeoutError:
        return False


def _folder(worker: EngineSession) -> WorkerFolder:
    if worker.folder is None:
        message = "tables need a spill folder"
        raise NotSupported(message, hint="set worker.spill_limit_mb above 0")
    return worker.folder
