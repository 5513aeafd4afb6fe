"""The client's bytes of one COPY, on their way into a file that the session's worker reads.

Bytes are gathered to about a mebibyte, made readable (``copy_rows``) and written beside the event loop; while that
goes on, nothing more is taken from the client. Whatever goes wrong is kept until the statement asks for it.
"""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Final

from fairlead.errors import EngineError, FairleadError

if TYPE_CHECKING:
    from pathlib import Path

    from fairlead.commands.copy_binary import BinaryRows
    from fairlead.commands.copy_rows import CopiedRows

_GATHER: Final = 1024 * 1024
_MIB: Final = 1024 * 1024


class Incoming:
    """The way in for one COPY; what the shell sees of it is ``session_types.Intake``.

    Args:
        rows: makes the bytes readable.
        path: where the file goes; nothing is there yet.
        limit_mb: of the file, MiB.

    Raises:
        OSError: the file cannot be made.
    """

    def __init__(self, rows: CopiedRows | BinaryRows, path: Path, limit_mb: int) -> None:
        self.path = path
        self._rows = rows
        self._limit_mb = limit_mb
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
        self._open = True
        self._lock = threading.Lock()
        self._gathered: list[bytes] = []
        self._gathered_size = 0
        self._written = 0
        self._complete = False
        self._failure: FairleadError | None = None
        self._unwanted = asyncio.Event()

    # --- for the shell -----------------------------------------------------------------------------------------------

    @property
    def wanted(self) -> bool:
        """Whether more bytes are."""
        return self._failure is None and not self._complete

    async def unwanted(self) -> None:
        """Wait until the statement has failed, or was cancelled."""
        await self._unwanted.wait()

    async def write(self, data: bytes) -> None:
        """Take bytes; waits while those before are written."""
        self._gathered.append(data)
        self._gathered_size += len(data)
        if self._gathered_size >= _GATHER:
            await self._store(last=False)

    async def finish(self) -> None:
        """Note that these were all."""
        await self._store(last=True)
        self._complete = self._failure is None

    def fail(self, error: FairleadError) -> None:
        """Give the statement up; the first reason stands."""
        if self.wanted:
            self._failure = error
            self._unwanted.set()

    # --- for the statement -------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Return when everything has come.

        Raises:
            FairleadError: it has not.
        """
        if self._failure is not None:
            raise self._failure
        if not self._complete:
            raise EngineError("the client's data were not read to their end", sqlstate="08P01")

    async def discard(self) -> None:
        """Remove the file."""
        await asyncio.to_thread(self._close, remove=True)

    # --- beside the event loop ----------------------------------------------------------------------------------------

    async def _store(self, *, last: bool) -> None:
        data = b"".join(self._gathered)
        self._gathered, self._gathered_size = [], 0
        try:
            await asyncio.to_thread(self._write, data, last=last)
        except FairleadError as error:
            self.fail(error)
        except OSError as error:
            self.fail(EngineError(f"could not keep the data of COPY: {error.strerror}", sqlstate="53100"))

    def _write(self, data: bytes, *, last: bool) -> None:
        block = self._rows.feed(data)
        if last:
            block += self._rows.finish()
        self._written += len(block)
        if self._written > self._limit_mb * _MIB:
            raise EngineError(
                f"COPY has sent more than {self._limit_mb} MiB",
                sqlstate="54000",
                hint="send it in several COPY statements, or ask the administrator for a larger worker.spill_limit_mb",
            )
        with self._lock:
            left = memoryview(block)
            while left and self._open:
                left = left[os.write(self._file, left) :]
        if last:
            self._close(remove=False)

    def _close(self, *, remove: bool) -> None:
        with self._lock:
            if self._open:
                self._open = False
                os.close(self._file)
            if remove:
                self.path.unlink(missing_ok=True)
