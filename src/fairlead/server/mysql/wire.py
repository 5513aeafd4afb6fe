"""A client's bytes, with TLS in the middle of a stream where the client does not wait for an answer.

A MySQL client sends its TLS handshake right behind SSLRequest. Whoever reads both at once has the beginning of the
handshake in a buffer where TLS does not look for it. So the first packet is read to its last byte and no further: what
follows stays with the kernel until it is clear whose it is.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from fairlead.server.mysql.connection import FIRST_PACKET
from fairlead.server.pgwire.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK: Final = 64 * 1024


class MysqlWire(Wire, asyncio.BufferedProtocol):
    """A client's connection.

    Args:
        accepted: called with the wire when the client has connected.
    """

    def __init__(self, accepted: Callable[[Wire], None]) -> None:
        super().__init__(accepted)
        self._first = FIRST_PACKET
        self._chunk = bytearray(_CHUNK)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # part of asyncio's signature
        """Return where the next bytes go: no more room than is left of the first packet."""
        return memoryview(self._chunk)[: self._first or _CHUNK]

    def buffer_updated(self, nbytes: int) -> None:
        """Take bytes; behind the first packet nothing is read until somebody asks for it."""
        self.data_received(bytes(memoryview(self._chunk)[:nbytes]))
        if self._first:
            self._first -= nbytes
            if not self._first and self._transport is not None:
                self._paused_reading = True
                self._transport.pause_reading()
