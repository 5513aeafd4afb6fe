"""How a worker and its gateway talk: frames of a kind, a length and a body, over one socket pair.

A body is JSON, or bytes for rows and parameter values. Nothing is ever pickled. The gateway has its own reader of the
same format (``engine/channel.py``), which trusts no number in it.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from typing import Any, Final

HEADER: Final = struct.Struct("!cI")
ROW_COUNT: Final = struct.Struct("!I")

# gateway -> worker
BOOT: Final = b"B"
EXECUTE: Final = b"X"
DESCRIBE: Final = b"I"
SCRIPT: Final = b"S"
# worker -> gateway
READY: Final = b"Y"
COLUMNS: Final = b"C"
ROWS: Final = b"R"
DONE: Final = b"D"
DESCRIBED: Final = b"P"
RESULTS: Final = b"V"
PROGRESS: Final = b"G"
ERROR: Final = b"E"

MAX_BLOCK: Final = 64 * 1024 * 1024
MAX_JSON: Final = 16 * 1024 * 1024
_FLUSH_ABOVE: Final = 32 * 1024


class Frames:
    """The worker's end of the socket pair, blocking. Small frames are held back until the next flush."""

    def __init__(self, handle: socket.socket) -> None:
        self._handle = handle
        self._held = bytearray()
        # One frame at a time: progress is sent from a thread of its own.
        self._turn = threading.Lock()

    def receive(self) -> tuple[bytes, bytes]:
        """Wait for the next frame.

        Raises:
            EOFError: the gateway has closed its end.
        """
        kind, length = HEADER.unpack(self._exactly(HEADER.size))
        return kind, self._exactly(length)

    def hold(self, kind: bytes, body: bytes) -> None:
        """Add a frame to what is sent with the next one."""
        self._held += HEADER.pack(kind, len(body)) + body

    def send(self, kind: bytes, body: bytes) -> None:
        """Send a frame at once."""
        self.hold(kind, body)
        self.flush()

    def offer(self, kind: bytes, body: bytes) -> None:
        """Send a small frame from another thread, or none at all when the way is not free."""
        if self._turn.acquire(blocking=False):
            try:
                # A Unix socket takes a message of this size whole or not at all.
                self._handle.send(HEADER.pack(kind, len(body)) + body, socket.MSG_DONTWAIT)
            except OSError:  # no room: the gateway has not read the last one; or it has gone, and the others notice
                return
            finally:
                self._turn.release()

    def rows(self, block: memoryview, count: int, *, more: bool) -> None:
        """Send a block of DataRow messages; held back when it is small and the statement's end is near."""
        self._held += HEADER.pack(ROWS, ROW_COUNT.size + len(block)) + ROW_COUNT.pack(count)
        if len(block) <= _FLUSH_ABOVE:
            self._held += block
            if more:
                self.flush()
        else:
            self.flush(block)

    def flush(self, block: memoryview | bytes = b"") -> None:
        """Send what is held back, and then the block."""
        held, self._held = self._held, bytearray()
        with self._turn:
            self._handle.sendall(held)
            if block:
                self._handle.sendall(block)

    def _exactly(self, length: int) -> bytes:
        body = bytearray(length)
        view = memoryview(body)
        while view:
            count = self._handle.recv_into(view)
            if not count:
                raise EOFError
            view = view[count:]
        return bytes(body)


def encoded(body: dict[str, Any]) -> bytes:
    """Return the body of a JSON frame."""
    return json.dumps(body).encode()


def split_request(body: bytes) -> tuple[dict[str, Any], memoryview]:
    """Split a request into its JSON part and the bytes of its parameter values."""
    (length,) = ROW_COUNT.unpack_from(body)
    end = ROW_COUNT.size + length
    return json.loads(body[ROW_COUNT.size : end]), memoryview(body)[end:]
