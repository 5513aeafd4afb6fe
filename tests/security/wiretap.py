"""A recording TCP proxy between a client and the gateway: every byte that the gateway sends to clients is kept."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Wiretap:
    """Listens on a free port and relays to the gateway.

    Args:
        target: host and port of the gateway's listener.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._sent = bytearray()
        self._lock = threading.Lock()
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def to_clients(self) -> bytes:
        """Every byte so far that went to a client."""
        with self._lock:
            return bytes(self._sent)

    def stop(self) -> None:
        """Close everything."""
        self._listener.close()
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                gateway = socket.create_connection(self._target)
                self._sockets += [client, gateway]
                threading.Thread(target=self._pump, args=(client, gateway, False), daemon=True).start()
                threading.Thread(target=self._pump, args=(gateway, client, True), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, keep: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if keep:
                    with self._lock:
                        self._sent += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
