"""One lake, and how changes get into it: checked against what others have committed, then one writer's transaction.

Committers take turns. Whoever gets the turn commits everything that waits and only appends, in one transaction: that
costs as much as one commit alone. Once a commit has begun, its client may go away; it is finished nevertheless. A
commit carries an id of its own, by which it is found again when the writer is lost before it could answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal
from weakref import WeakValueDictionary

from fairlead.engine.lake import checking, files, grouping, statistics
from fairlead.engine.lake.applying import Step, apply_script
from fairlead.engine.lake.metadata import LakeReader
from fairlead.engine.lake.names import literal, quote
from fairlead.errors import EngineError, FairleadError, SerializationFailure, WorkerLost

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from fairlead.engine.lake.changes import ChangeSet
    from fairlead.engine.lake.metadata import LakeTable
    from fairlead.engine.lake.writing import Writer

CATALOG_NAME: Final = "catalog.sqlite"
_INLINED_ROWS: Final = 100
_ATTEMPTS: Final = 3  # the first may only find out that the writer has gone while it had nothing to do
_GROUP: Final = 64
_AUTHORS: Final = 200
_FOUND: Final = """
SELECT snapshot_id FROM ducklake_snapshot_changes WHERE snapshot_id > ? AND instr(commit_extra_info, ?) > 0
"""
# What DuckDB and DuckLake say, with what it means for the client.
_MEANINGS: Final = (
    ("Transaction conflict", "40001", "run the transaction again"),
    ("No space left on device", "53100", "the disk of the data directory is full: free some space, and try again"),
    ("database or disk is full", "53100", "the disk of the data directory is full: free some space, and try again"),
)


@dataclass(frozen=True, slots=True)
class Storage:
    """Where the data files of a lake are, when they are not on the gateway's own disk.

    Args:
        url: ``s3://<bucket>/<prefix>/``, as users see it.
        alias: the bucket's name that the writer's door knows.
        connection_id: of the connection through which it is reached.
    """

    url: str
    alias: str
    connection_id: int = 0

    @property
    def writer_url(self) -> str:
        """The same place as the writer names it."""
        _, _, prefix = self.url.removeprefix("s3://").partition("/")
        return f"s3://{self.alias}/{prefix}"


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit has led to.

    Args:
        snapshot: of the lake, after it.
        tables: of the lake, after it.
    """

    snapshot: int
    tables: tuple[LakeTable, ...]


@dataclass(slots=True, eq=False)
class _Wish:
    """A change set that waits for its turn."""

    changes: ChangeSet
    author: str
    extra: dict[str, Any]
    afterwards: Callable[[Committed], None] | None
    state: Literal["waiting", "taken", "withdrawn"] = "waiting"
    done: asyncio.Future[Committed] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Lake:
    """One lake.

    Args:
        database_id: whose.
        folder: holds its metadata, and its data files where there is no storage; exists.
        storage: of its data files, None = ``files/`` in the folder.
        writer: shared by all lakes.
    """

    def __init__(self, database_id: int, folder: Path, storage: Storage | None, writer: Writer) -> None:
        self.database_id = database_id
        self.storage = storage
        self.catalog = folder / CATALOG_NAME
        self.folder = folder / "files"
        self.data_path = storage.url if storage is not None else f"{self.folder}/"
        self.attached = f"lake_{database_id}"
        self.attached_whole = f"{self.attached}_whole"  # the same lake, but every row goes to a file
        self.snapshot = -1
        self.reader = LakeReader(self.catalog)
        self.writer = writer
        self._contended: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tables: tuple[int, tuple[LakeTable, ...]] | None = None
        self._sealed = 0
        self._waiting: list[_Wish] = []
        self._running: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Create the lake where there is none, complete it where a crash left it half made, and read its newest state.

        Raises:
            EngineError: it cannot be opened.
        """
        async with self.writer.turn:
            await self.attach()
            if await asyncio.to_thread(self.reader.snapshot) == 0:
                lake = quote(self.attached)
                await self.transact([Step(f'CREATE SCHEMA {lake}."public"'), Step(f'DROP SCHEMA {lake}."main"')])
            await self.refresh()

    def contended(self, table: str) -> asyncio.Lock:
        """Return what a statement holds that lost against another about a table and runs again.

        Args:
            table: its name; a namesake in another schema waits along.
        """
        key = table.casefold()
        lock = self._contended.get(key)
        if lock is None:
            lock = self._contended[key] = asyncio.Lock()
        return lock

    def tables(self) -> tuple[LakeTable, ...]:
        """Return the tables that there are now."""
        if self._tables is None or self._tables[0] != self.snapshot:
            self._tables = self.snapshot, tuple(self.reader.tables())
        return self._tables[1]

    # --- commits -----------------------------------------------------------------------------------------------------

    async def commit(
        self,
        changes: ChangeSet,
        *,
        author: str,
        extra: dict[str, Any],
        afterwards: Callable[[Committed], None] | None = None,
    ) -> Committed:
        """Commit a change set.

        When the caller is cancelled before it is its turn, nothing is committed; later it is finished all the same.

        Args:
            changes: not empty. Its files may be removed when this has returned or raised.
            author: name of the user.
            extra: kept with the commit, where it is not one of a group; JSON values.
            afterwards: run in a thread once it is committed, in the order of the commits, also when the caller has gone
                meanwhile. What it raises is raised here; the commit stands.

        Raises:
            SerializationFailure: somebody else was first; nothing is committed.
            DuplicateTable, DuplicateSchema: a name is taken; nothing is committed.
            EngineError: the writer could not do it; nothing is committed.
        """
        wish = _Wish(changes, author, extra, afterwards)
        self._waiting.append(wish)
        turn = asyncio.create_task(self._serve(wish), name=f"commit to lake {self.database_id}")
        self._running.add(turn)
        turn.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(wish.done)
        except asyncio.CancelledError:
            if wish.state == "waiting":
                wish.state = "withdrawn"
            else:
                # Its files have to stay until the writer has read them.
                await asyncio.wait([wish.done])
            raise

    async def settle(self) -> None:
        """Wait until the commits that have begun are over."""
        while self._running:
            await asyncio.wait(self._running)

    async def _serve(self, wish: _Wish) -> None:
        """Take a turn for a change set, if nobody has committed it along with theirs."""
        async with self.writer.turn:
            if wish.state != "waiting":
                return
            group = self._taken(wish)
            try:
                await self._commit_group(group)
            except BaseException as error:
                for one in group:
                    _fail(one, error)
                if not isinstance(error, Exception):
                    raise

    def _taken(self, wish: _Wish) -> list[_Wish]:
        self._waiting = [one for one in self._waiting if one.state == "waiting"]
        group = [wish]
        if grouping.only_appends(wish.changes):
            others = (one for one in self._waiting if one is not wish and grouping.only_appends(one.changes))
            group += [one for one, _ in zip(others, range(_GROUP - 1), strict=False)]
        for one in group:
            one.state = "taken"
        return group

    async def _commit_group(self, group: list[_Wish]) -> None:
        good = []
        for wish in group:
            try:
                await self._check(wish.changes)
            except FairleadError as error:
                _fail(wish, error)
            else:
                good.append(wish)
        if len(good) > 1:
            with contextlib.suppress(FairleadError):  # each is then told what is wrong with its own
                await self._commit_all(good)
        for wish in good:
            if not wish.done.done():
                try:
                    await self._commit_all([wish])
                except FairleadError as error:
                    _fail(wish, error)

    async def _commit_all(self, wishes: Sequence[_Wish]) -> None:
        changes = grouping.together([wish.changes for wish in wishes])
        author = ", ".join(dict.fromkeys(wish.author for wish in wishes))[:_AUTHORS]
        extra = wishes[0].extra if len(wishes) == 1 else {"together": len(wishes)}
        # DuckLake loses quotes and backslashes of nested values that it keeps in SQLite.
        attached = self.attached_whole if grouping.has_nested_rows(changes, self.tables()) else self.attached
        steps = apply_script(changes, attached=attached, tables=self.tables())
        await self.transact(steps, author=author, extra=extra, attached=attached)
        # An error from here on must not lead to another commit of the same.
        try:
            await self.refresh()
            committed = Committed(self.snapshot, self.tables())
        except Exception as error:  # noqa: BLE001  # whatever it is, the clients are told
            for wish in wishes:
                _fail(wish, error)
            return
        for wish in wishes:
            await _told(wish, committed)

    async def _check(self, changes: ChangeSet) -> None:
        await asyncio.to_thread(checking.check, changes, self.reader, self.tables(), self.snapshot)

    # --- what commits and care share; the writer's turn is held ------------------------------------------------------

    async def attach(self, name: str | None = None) -> None:
        """Attach the lake in the writer where this is not done.

        Args:
            name: :attr:`attached_whole`; None = :attr:`attached`.
        """
        name = name or self.attached
        where = f"{self.folder}/" if self.storage is None else self.storage.writer_url
        # The path is given each time: the data directory may have been moved.
        options = (
            f"DATA_PATH {literal(where)}, OVERRIDE_DATA_PATH true, META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 10000, "
            f"DATA_INLINING_ROW_LIMIT {0 if name == self.attached_whole else _INLINED_ROWS}"
        )
        source = literal(f"ducklake:sqlite:{self.catalog}")
        sql = f"ATTACH {source} AS {quote(name)} ({options})"
        await self.writer.attach(name, sql)
        if await statistics.restore(self.catalog, name, self.writer):
            await self.writer.attach(name, sql)

    async def transact(
        self,
        steps: Sequence[Step],
        *,
        author: str = "fairlead",
        extra: dict[str, Any] | None = None,
        attached: str | None = None,
    ) -> None:
        """Make one transaction of some steps; when the writer is lost, find out what became of it, and try again.

        Args:
            steps: our own statements.
            author: for the lake's list of commits.
            extra: kept with the commit.
            attached: the name of the lake in the steps; None = :attr:`attached`.

        Raises:
            SerializationFailure: DuckLake found a conflict, or a step met other rows than it should have.
            EngineError: a statement failed, or the writer was lost each time; nothing is committed.
        """
        mark = secrets.token_hex(16)
        message = (
            f"CALL ducklake_set_commit_message({literal(attached or self.attached)}, {literal(author)}, NULL, "
            f"extra_info => {literal(json.dumps({**(extra or {}), 'txid': mark}))})"
        )
        before = self.snapshot
        for _ in range(_ATTEMPTS):
            try:
                await self.attach(attached)
                results = await self.writer.run(["BEGIN", *(step.sql for step in steps), message])
                for step, rows in zip(steps, results[1:-1], strict=True):
                    _expected(step, rows)
                await self.writer.run(["COMMIT"])
            except WorkerLost:
                if await asyncio.to_thread(self._found, before, mark):
                    return
            except FairleadError as error:
                await self.writer.undo()
                raise _meant(error) from error
            else:
                return
        raise EngineError(
            "the writer of tables was lost; the transaction is not committed",
            sqlstate="58000",
            hint="try again; if it happens again, the transaction may need more memory than the writer has",
        )

    def _found(self, before: int, mark: str) -> bool:
        with files.read(self.catalog) as connection:
            return connection.execute(_FOUND, (before, mark)).fetchone() is not None

    async def refresh(self) -> None:
        """Make new files read-only and durable, and read the newest state; before anybody hears of a commit."""
        self._sealed, snapshot = await asyncio.to_thread(self._sealed_and_read, self._sealed)
        self.snapshot = snapshot

    def _sealed_and_read(self, since: int) -> tuple[int, int]:
        if self.storage is None:
            since = files.seal(self.catalog, self.folder, since=since)
        return since, self.reader.snapshot()

    async def in_turn(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """Run some work between commits, to its end even when the caller is cancelled."""

        async def alone() -> Any:
            async with self.writer.turn:
                return await work()

        return await asyncio.shield(asyncio.create_task(alone(), name=f"care of lake {self.database_id}"))


async def _told(wish: _Wish, committed: Committed) -> None:
    try:
        if wish.afterwards is not None:
            await asyncio.to_thread(wish.afterwards, committed)
    except Exception as error:  # noqa: BLE001  # the commit stands; whatever it is, the client is told
        _fail(wish, error)
    else:
        if not wish.done.done():
            wish.done.set_result(committed)


def _fail(wish: _Wish, error: BaseException) -> None:
    if wish.done.done():
        return
    wish.done.set_exception(error if isinstance(error, Exception) else WorkerLost("the gateway is being stopped"))
    wish.done.exception()  # it is told: a client that has gone away need not ask


def _expected(step: Step, rows: list[list[Any]]) -> None:
    if step.rows is not None and rows != [[step.rows]]:
        raise SerializationFailure(
            "could not serialize access: rows that the transaction has changed are not there any more",
            hint="run the transaction again",
        )


def _meant(error: FairleadError) -> FairleadError:
    for words, sqlstate, hint in _MEANINGS:
        if words in error.message:
            if sqlstate == "40001":
                return SerializationFailure("could not serialize access due to concurrent changes", hint=hint)
            return EngineError(error.message, sqlstate=sqlstate, hint=hint)
    return error
