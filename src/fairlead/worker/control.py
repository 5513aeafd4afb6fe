"""What the gateway says beside the statements: cancel, stop, and the end."""

from __future__ import annotations

import os
import select
import struct
import threading
from typing import TYPE_CHECKING, Final

import duckdb

if TYPE_CHECKING:
    import socket

_AGAIN_MS: Final = 50
_COMMAND: Final = struct.Struct("!cQ")
CANCEL: Final = b"c"
STOP: Final = b"s"


class Stopped(Exception):  # asked for
    """The gateway wants no more rows."""


class Control:
    """What the gateway says beside the statements: cancel, stop, and the end.

    Args:
        handle: second socket; its end is the end of the process.
        instance: what is interrupted.
    """

    def __init__(self, handle: socket.socket, instance: duckdb.DuckDBPyConnection) -> None:
        self._handle = handle
        self._instance = instance
        self._lock = threading.Lock()
        self._running = 0
        self._wanted: dict[bytes, int] = {}
        threading.Thread(target=self._listen, name="control", daemon=True).start()

    def begin(self, serial: int) -> None:
        """A statement starts."""
        with self._lock:
            self._running = serial

    def end(self) -> None:
        """The statement has ended: no interrupt may hit the next one."""
        with self._lock:
            self._running = 0

    def checkpoint(self) -> None:
        """Raise when the statement is not wanted any more.

        Raises:
            Stopped: no more rows are wanted.
            duckdb.InterruptException: the statement was cancelled.
        """
        if self._wanted.get(CANCEL) == self._running:
            raise duckdb.InterruptException("INTERRUPT Error: Interrupted!")
        if self._wanted.get(STOP) == self._running:
            raise Stopped

    def _listen(self) -> None:
        readable = select.poll()
        readable.register(self._handle, select.POLLIN)
        while True:
            # An interrupt that comes before the engine has begun is forgotten by it: ask again until it has ended.
            if readable.poll(_AGAIN_MS if self._interrupt() else None):
                message = self._handle.recv(_COMMAND.size)
                if len(message) != _COMMAND.size:
                    os._exit(0)
                kind, serial = _COMMAND.unpack(message)
                self._wanted[kind] = serial

    def _interrupt(self) -> bool:
        with self._lock:
            wanted = self._wanted.get(CANCEL, 0)
            if wanted and wanted == self._running:
                self._instance.interrupt()
            return wanted > 0 and wanted >= self._running > 0
