"""One worker process as the gateway holds it: sockets, pidfd, folder. Made locked, ended without a trace."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import shutil
import signal
import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fairlead.engine.api import LayerStatus, WorkerFolder
from fairlead.engine.channel import BOOT, READY, Channel, Malformed, read_json
from fairlead.errors import WorkerLost

if TYPE_CHECKING:
    from fairlead.engine.api import DoorKey
    from fairlead.engine.zygote import Forked, Zygote

_BOOT_SECONDS: Final = 20.0
_END_SECONDS: Final = 5.0
_COMMAND: Final = struct.Struct("!cQ")
CANCEL: Final = b"c"
STOP: Final = b"s"
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class WorkerProcess:
    """A worker. Use :meth:`make`.

    Args:
        forked: what the zygote gave.
        key: the dummy key that it signs with.
        folder: its private folder, None = none.
    """

    def __init__(self, forked: Forked, key: DoorKey, folder: WorkerFolder | None) -> None:
        self.key = key
        self.port = forked.port
        self.pid = forked.pid
        self.folder = folder
        self.channel = Channel(forked.data)
        self.layers: tuple[LayerStatus, ...] = ()
        self._forked = forked
        self._ended = asyncio.Event()
        self._closed = False
        self._doomed = False
        asyncio.get_running_loop().add_reader(forked.handle, self._has_ended)

    @classmethod
    async def make(
        cls, zygote: Zygote, key: DoorKey, spill_root: Path | None, lake: Path | None = None
    ) -> WorkerProcess:
        """Fork a worker and wait until it is locked.

        Args:
            zygote: running.
            key: what it will sign with.
            spill_root: where its private folder is made, None = no spilling.
            lake: the folder of all lakes, if this is to be their writer; it then has no private folder.

        Raises:
            WorkerLost: it could not be made; the message says why.
        """
        forked = await zygote.fork()
        folder = None if spill_root is None or lake is not None else _private_folder(spill_root)
        worker = cls(forked, key, folder)
        try:
            async with asyncio.timeout(_BOOT_SECONDS):
                await worker._boot(worker._session_place() if lake is None else _writer_place(lake))
        except (EOFError, OSError, TimeoutError, Malformed) as error:
            await worker.close()
            raise WorkerLost("a new worker did not become ready", detail=str(error) or None) from error
        except BaseException:
            await worker.close()
            raise
        return worker

    def _session_place(self) -> dict[str, str | None]:
        spill, files = (str(self.folder.spill), str(self.folder.files)) if self.folder is not None else (None, None)
        return {"role": "session", "spill": spill, "files": files}

    async def _boot(self, place: dict[str, str | None]) -> None:
        boot = {**place, "port": self.port, "key_id": self.key.key_id, "secret": self.key.secret.reveal()}
        await self.channel.send(BOOT, boot)
        kind, body = await self.channel.frame()
        report = read_json(body)
        if kind != READY:
            raise WorkerLost("a new worker did not become ready", detail=str(report.get("message"))[:1000])
        self.layers = tuple(LayerStatus(name, *_status(status)) for name, status in report.items())

    @property
    def alive(self) -> bool:
        """Whether the process runs. Asks the kernel: the event loop may not have had time to notice its end."""
        if self._closed or self._doomed or self._ended.is_set():
            return False
        asked = select.poll()  # select() knows no descriptor above 1023
        asked.register(self._forked.handle, select.POLLIN)
        return not asked.poll(0)

    def command(self, kind: bytes, serial: int) -> None:
        """Tell the control thread something about a statement; what cannot be told is not missed."""
        with contextlib.suppress(OSError):
            self._forked.control.send(_COMMAND.pack(kind, serial))

    def kill(self) -> None:
        """End the process at once. The pidfd cannot hit another process."""
        self._doomed = True  # its end may take a while: the kernel has to take back its memory
        if not self._closed:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._forked.handle, signal.SIGKILL)

    def resident_bytes(self) -> int:
        """Return the memory in use, 0 when it has ended."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
        except (OSError, ValueError, IndexError):
            return 0

    def spilled_bytes(self) -> int:
        """Return the size of what the worker has written into its private folder."""
        total = 0
        if self.folder is not None:
            for folder, _, files in os.walk(self.folder.spill):
                for name in files:
                    with contextlib.suppress(OSError):
                        total += os.lstat(os.path.join(folder, name)).st_blocks * 512  # noqa: PTH118  # many calls
        return total

    async def close(self) -> None:
        """End the process and remove its folder."""
        if self._closed:
            return
        self.kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                await self._ended.wait()
        if not self._ended.is_set():
            asyncio.get_running_loop().remove_reader(self._forked.handle)
        self._closed = True
        self.channel.close()
        self._forked.control.close()
        os.close(self._forked.handle)
        if self.folder is not None:
            # Links are removed, not followed: what they lead to belongs to the lake.
            await asyncio.to_thread(shutil.rmtree, self.folder.spill.parent, ignore_errors=True)

    def _has_ended(self) -> None:
        asyncio.get_running_loop().remove_reader(self._forked.handle)
        self._ended.set()


def _private_folder(root: Path) -> WorkerFolder:
    """Make the folder that a worker and the gateway share; only the gateway's user can look into it."""
    own = Path(tempfile.mkdtemp(prefix="worker-", dir=root))
    folder = WorkerFolder(own / "spill", own / "files")
    for part in (folder.spill, folder.spill / "lake", folder.spill / "out", folder.files):
        part.mkdir(mode=0o700)
    return folder


def _writer_place(lake: Path) -> dict[str, str | None]:
    """Tidy what an earlier writer has left, and say where the writer is."""
    spill = lake / "tmp"
    shutil.rmtree(spill, ignore_errors=True)
    spill.mkdir(mode=0o700)
    return {"role": "writer", "lake": str(lake), "spill": str(spill)}


def _status(status: Any) -> tuple[bool, str]:
    match status:
        case [bool(active), str(reason)]:
            return active, reason[:500]
    raise Malformed("not the status of a layer")
