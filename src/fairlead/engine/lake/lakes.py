"""All lakes of a gateway: opened when they are first needed, cared for, removed with their database."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
from typing import TYPE_CHECKING, Final, TypeVar

import structlog

from fairlead.config import CareSettings
from fairlead.engine.lake.care import Care
from fairlead.engine.lake.lake import CATALOG_NAME, Committed, Lake, Storage
from fairlead.engine.lake.writing import Writer
from fairlead.errors import FairleadError, LakeUnreadable
from fairlead.observer import NOBODY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path

    from fairlead.egress.egress import Egress
    from fairlead.engine.lake.care import Done
    from fairlead.engine.session import EngineSession
    from fairlead.observer import Observer

__all__ = ["Committed", "Lake", "Lakes", "Storage"]

_log = structlog.get_logger("fairlead")
_T = TypeVar("_T")
_DROPPED: Final = "dropped-"


class Lakes:
    """The lakes of a gateway.

    Args:
        data: the data directory.
        writer: gives the engine's session of the writer, always the same one.
        storage_of: says where the files of a database's tables are; None = on the gateway's own disk.
        settings: of the care.
        egress: the way to lakes on a connection, None = there are none.
        observer: is told of the care.
    """

    def __init__(
        self,
        data: Path,
        writer: Callable[[], Awaitable[EngineSession]],
        *,
        storage_of: Callable[[int], Storage | None] = lambda _: None,
        settings: CareSettings | None = None,
        egress: Egress | None = None,
        observer: Observer = NOBODY,
    ) -> None:
        self._observer = observer
        self._root = data.resolve() / "lake"
        self._inbox = self._root / "inbox"
        self._writer = Writer(writer, egress)
        self._storage_of = storage_of
        self._settings = settings or CareSettings()
        self._care = Care(self._settings)
        self._lakes: dict[int, Lake] = {}
        self._opening = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Remove what an earlier gateway left half done, and begin with the care."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._tidy)
        if self._settings.interval:
            self._task = asyncio.create_task(self._care_for_ever(), name="care of lakes")

    async def stop(self) -> None:
        """End the care, and wait for commits that have begun."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        for lake in self._lakes.values():
            await lake.settle()
            lake.reader.close()
        self._lakes.clear()

    async def lake(self, database_id: int, *, storage: Storage | None = None) -> Lake:
        """Return the lake of a database; it is made where there is none.

        Args:
            database_id: of the database.
            storage: of its data files, where the gateway does not know it otherwise.

        Raises:
            EngineError: it cannot be opened.
            LakeUnreadable: its files are elsewhere than is said.
        """
        if (known := self._lakes.get(database_id)) is not None:
            return known
        async with self._opening:
            if (known := self._lakes.get(database_id)) is not None:
                return known
            found = storage or await asyncio.to_thread(self._storage_of, database_id)
            folder = self._root / str(database_id)
            await asyncio.to_thread(_make, folder, local=found is None)
            lake = Lake(database_id, folder, found, self._writer)
            await lake.open()
            self._lakes[database_id] = lake
            return lake

    def known(self, database_id: int) -> Lake | None:
        """Return the lake of a database, None where it has not been opened."""
        return self._lakes.get(database_id)

    async def drop(self, database_id: int) -> None:
        """Remove a lake with all its files, at once and for good. One that was never made is no error."""
        folder = self._root / str(database_id)
        if not folder.exists():
            return
        lake = await self.lake(database_id)
        await lake.settle()
        async with self._writer.turn:
            if lake.storage is not None:
                await self._empty(lake)
            with contextlib.suppress(FairleadError):
                await self._writer.detach(lake.attached)
                await self._writer.detach(lake.attached_whole)
            self._lakes.pop(database_id, None)
            lake.reader.close()
            doomed = self._root / f"{_DROPPED}{database_id}-{secrets.token_hex(4)}"
            folder.rename(doomed)
        await asyncio.to_thread(shutil.rmtree, doomed, ignore_errors=True)

    def has(self, database_id: int) -> bool:
        """Whether a database has a lake: it gets one with its first table."""
        return (self._root / str(database_id)).exists()

    async def vacuum(self, database_id: int) -> tuple[Done, ...]:
        """Do all of the care of one lake now.

        Raises:
            FairleadError: a step failed; those before it are done.
        """
        return await self._care.everything(await self.lake(database_id))

    # --- the inbox: files of change sets that are on their way -------------------------------------------------------

    def new_inbox(self) -> Path:
        """Make a folder for the files of one change set. The writer can read it, no worker of a user can."""
        folder = self._inbox / secrets.token_hex(16)
        folder.mkdir(mode=0o700, parents=True)
        return folder

    def clear_inbox(self, folder: Path) -> None:
        """Remove such a folder with what is in it.

        Args:
            folder: from :meth:`new_inbox`.
        """
        if folder.parent == self._inbox:
            shutil.rmtree(folder, ignore_errors=True)

    # --- for commands, which run in threads --------------------------------------------------------------------------

    def wait(self, work: Coroutine[None, None, _T]) -> _T:
        """Run some work of this class on the gateway's event loop, and wait for it in another thread.

        Args:
            work: what one of the methods gives.
        """
        assert self._loop is not None
        assert self._loop is not _loop_of_this_thread(), "it would wait for itself"
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _care_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._settings.interval)
            for lake in list(self._lakes.values()):
                try:
                    await self._care.round(lake)
                    self._observer.cared(well=True)
                except FairleadError as error:
                    self._observer.cared(well=False)
                    _log.warning("care of a lake failed", database=lake.database_id, reason=error.message)

    async def _empty(self, lake: Lake) -> None:
        """Remove the files of a lake on a connection, as far as it can be reached."""
        try:
            await self._care.erase(lake)
        except FairleadError as error:
            _log.warning("files of a dropped database are left", url=lake.data_path, reason=error.message)

    def _tidy(self) -> None:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(self._inbox, ignore_errors=True)
        self._inbox.mkdir(mode=0o700)
        for left in self._root.glob(f"{_DROPPED}*"):
            shutil.rmtree(left, ignore_errors=True)


def _make(folder: Path, *, local: bool) -> None:
    files = folder / "files"
    if (folder / CATALOG_NAME).exists() and files.exists() != local:
        where = "on this disk" if files.exists() else "on a connection"
        raise LakeUnreadable(f"the data files of the lake in {folder} are {where}, not where its database says")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if local:
        files.mkdir(mode=0o700, exist_ok=True)


def _loop_of_this_thread() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
