"""The gateway's side of the fork server: starts its program, asks it for workers, notices when it has gone.

The program gets no environment, no descriptor but its control socket, and no argument that is secret. It talks in
single packets of JSON; descriptors travel beside them.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fairlead.errors import ConfigurationError, WorkerLost

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_PACKET: Final = 64 * 1024
_BACKLOG: Final = 256
_START_SECONDS: Final = 30.0
_FORK_SECONDS: Final = 10.0
_PROGRAM: Final = Path(__file__).resolve().parent.parent / "worker" / "boot.py"
_EXTENSIONS: Final = ("httpfs", "ducklake", "sqlite_scanner")
_LIBRARIES: Final = ("duckdb", "pyarrow", "pytz")


@dataclass(frozen=True, slots=True)
class Forked:
    """A fresh worker that has not yet been told anything.

    Args:
        pid: of the process, for reading its memory use.
        handle: pidfd, for killing it and for noticing its end.
        data: the gateway's end of the statement socket.
        control: the gateway's end of the cancel socket.
        port: of the store proxy, as this worker reaches it.
    """

    pid: int
    handle: int
    data: socket.socket
    control: socket.socket
    port: int


class Zygote:
    """One running fork server.

    Args:
        settings: what all workers have in common, as JSON.
        on_listener: gets the socket that the store proxy answers on.
    """

    def __init__(self, settings: dict[str, Any], on_listener: Callable[[socket.socket], None]) -> None:
        self._settings = settings
        self._on_listener = on_listener
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = asyncio.Lock()
        self.namespace: tuple[bool, str] = (False, "not started")
        self.port = 0

    @property
    def pid(self) -> int | None:
        """The process id, None when it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    async def start(self) -> None:
        """Start the program and wait until it can fork.

        Raises:
            ConfigurationError: it cannot start here; the message says why.
        """
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        near.setblocking(False)
        with far:
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603  # our own file, by path; a spawn takes a millisecond
                [sys.executable, "-I", str(_PROGRAM), str(far.fileno()), *_library_folders()],
                env={},
                cwd="/",
                pass_fds=(far.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # A Ctrl-C at the gateway's terminal is the gateway's to handle.
                start_new_session=True,
            )
        self._control = near
        try:
            async with asyncio.timeout(_START_SECONDS):
                near.send(json.dumps(self._settings).encode())
                report, descriptors = await self._receive()
        except (OSError, TimeoutError, EOFError) as error:
            self.stop()
            raise ConfigurationError("the workers' fork server did not start", detail=str(error) or None) from error
        if "error" in report:
            self.stop()
            raise ConfigurationError(f"the workers' fork server did not start: {report['error']}")
        self._open_listener(report, descriptors)

    async def fork(self) -> Forked:
        """Make a worker.

        Raises:
            WorkerLost: the fork server has gone, or the machine allows no more processes.
        """
        if self._control is None:
            raise WorkerLost("the workers' fork server does not run")
        data, far_data = socket.socketpair()
        control, far_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control.setblocking(False)
        with far_data, far_control:
            try:
                async with self._turn, asyncio.timeout(_FORK_SECONDS):
                    socket.send_fds(self._control, [b"fork"], [far_data.fileno(), far_control.fileno()])
                    report, descriptors = await self._receive()
            except (OSError, TimeoutError, EOFError) as error:
                data.close()
                control.close()
                # An answer that comes late would be taken for the next one's.
                self.stop()
                raise WorkerLost("the workers' fork server has gone") from error
        if "error" in report:
            data.close()
            control.close()
            raise WorkerLost(f"no worker could be made: {report['error']}")
        return Forked(int(report["pid"]), descriptors[0], data, control, self.port)

    def stop(self) -> None:
        """End the program; its workers end with it."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _open_listener(self, report: dict[str, Any], descriptors: list[int]) -> None:
        active, reason = report["namespace"]
        self.namespace = (bool(active), str(reason))
        if descriptors:
            listener = socket.socket(fileno=descriptors[0])
        else:
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.bind(("127.0.0.1", 0))
            listener.listen(_BACKLOG)
        self.port = listener.getsockname()[1]
        self._on_listener(listener)

    async def _receive(self) -> tuple[dict[str, Any], list[int]]:
        """Wait for one packet with its descriptors."""
        assert self._control is not None
        control, loop = self._control, asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(control, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(control)
        packet, descriptors, _, _ = socket.recv_fds(control, _MAX_PACKET, 1)
        if not packet:
            raise EOFError
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        return json.loads(packet), list(descriptors)


def extension_files() -> dict[str, str]:
    """Return the paths of the signed extension files that their wheels carry, by name.

    Raises:
        ConfigurationError: a wheel is not installed.
    """
    return {name: _extension_file(name) for name in _EXTENSIONS}


def _extension_file(name: str) -> str:
    found = importlib.util.find_spec(f"duckdb_extension_{name}")
    folder = Path(found.origin).parent if found is not None and found.origin else Path("/nonexistent")
    files = sorted(folder.glob(f"extensions/*/{name}.duckdb_extension"))
    if not files:
        raise ConfigurationError(
            f"the extension {name} is missing",
            hint=f"install the package duckdb-extension-{name.replace('_', '-')} of DuckDB's own version",
        )
    return str(files[-1])


def _library_folders() -> list[str]:
    """Return the folders that duckdb, pyarrow and pytz are imported from here."""
    folders: list[str] = []
    for name in _LIBRARIES:
        found = importlib.util.find_spec(name)
        if found is not None and found.origin is not None:
            folder = str(Path(found.origin).parent.parent)
            if folder not in folders:
                folders.append(folder)
    return folders
