"""The TCP connections of the listener, seen from outside: Arrow shows them to nobody, but the kernel does.

Arrow reads a call's message as a whole, of up to two gigabytes and into more than twice its memory, before it asks who
sends it. So a connection from which no call has shown a token yet may send little, and not stay for ever: the kernel
tells how many bytes have come, and what is too much is cut. At the end of the listener all connections are cut.
Source: Linux, tcp(7), ``struct tcp_info``.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import contextmanager, suppress
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Peer = tuple[str, int]

_log = structlog.get_logger("fairlead")
_LOOK: Final = 0.05  # seconds
_BYTES: Final = 8 * 1024 * 1024
_SECONDS: Final = 60.0
_STRANGERS: Final = 512
_RECEIVED: Final = struct.Struct("=Q")
_RECEIVED_AT: Final = 128  # tcpi_bytes_received


class Connections:
    """Watches the connections to one port of this process.

    Args:
        port: of the listener.
        limit: bytes that may come before a token does.
        seconds: after which there must have been one.
        now: a clock that never goes back, seconds.
    """

    def __init__(
        self,
        port: int,
        *,
        limit: int = _BYTES,
        seconds: float = _SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._port = port
        self._limit = limit
        self._seconds = seconds
        self._now = now
        self._proved: set[Peer] = set()
        self._seen: dict[Peer, float] = {}
        self._ended = threading.Event()

    def proved(self, peer: str) -> None:
        """Note that a call with a good token has come from a peer, as Arrow names it."""
        if (found := read_peer(peer)) is not None:
            self._proved.add(found)

    def watch(self) -> None:
        """Look at the connections until ``end``; to be run in a thread of its own."""
        while not self._ended.wait(_LOOK):
            self.look()

    def end(self) -> None:
        """Watch no longer."""
        self._ended.set()

    def look(self) -> None:
        """Cut the connections of strangers that send too much, stay too long or are too many."""
        here: set[Peer] = set()
        for peer, handle in _open(self._port):
            here.add(peer)
            since = self._seen.setdefault(peer, self._now())
            if peer in self._proved:
                continue
            crowded = len(here - self._proved) > _STRANGERS
            if crowded or self._now() - since > self._seconds or received(handle) > self._limit:
                _log.warning("a connection without a login is cut", client=peer[0])
                _cut(handle)
        self._seen = {peer: since for peer, since in self._seen.items() if peer in here}
        for gone in self._proved - here:
            self._proved.discard(gone)

    def cut(self) -> None:
        """Cut all connections."""
        for _, handle in _open(self._port):
            _cut(handle)


def read_peer(text: str) -> Peer | None:
    """Return address and port of gRPC's name of a peer (``ipv4:127.0.0.1:80``); None for what is none."""
    family, _, rest = unquote(text).partition(":")
    host, _, port = rest.rpartition(":")
    if family not in ("ipv4", "ipv6") or not port.isdecimal():
        return None
    return _plain(host.strip("[]")), int(port)


def received(handle: socket.socket) -> int:
    """Return how many bytes have come over a connection; 0 where the system does not tell."""
    if not hasattr(socket, "TCP_INFO"):
        return 0
    with suppress(OSError, struct.error):
        info = handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RECEIVED_AT + _RECEIVED.size)
        return int(_RECEIVED.unpack_from(info, _RECEIVED_AT)[0])
    return 0


def _open(port: int) -> Iterator[tuple[Peer, socket.socket]]:
    """Yield this process's connections to a port of its own, each as Arrow's own socket."""
    for entry in Path("/dev/fd").iterdir():
        with suppress(OSError), _borrowed(int(entry.name)) as handle:
            if handle.family in (socket.AF_INET, socket.AF_INET6) and handle.getsockname()[1] == port:
                peer = handle.getpeername()  # fails for what only listens
                yield (_plain(peer[0]), peer[1]), handle


@contextmanager
def _borrowed(number: int) -> Iterator[socket.socket]:
    """Give Arrow's own socket for a moment.

    It is neither duplicated nor closed: the number may stand for any file of this process, and the first close of any
    second handle of a file, such as SQLite's, would end all locks on it (fcntl(2)).

    Raises:
        OSError: it is no socket, or not open any more.
    """
    handle = socket.socket(fileno=number)
    try:
        yield handle
    finally:
        handle.detach()


def _plain(host: str) -> str:
    with suppress(ValueError):
        address = ip_address(host.partition("%")[0])
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return str(mapped or address)
    return host


def _cut(handle: socket.socket) -> None:
    with suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)
