"""uvicorn's HTTP/1.1 protocol with bounds of our own: on how long a client may take to say what it wants.

uvicorn itself bounds the size of a head and the time between two requests, but waits for a first request for ever.
"""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING, Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

    from uvicorn.config import Config
    from uvicorn.server import ServerState

# The name in a request's state under which the connection can be cut.
ABORT: Final = "abort"
_WRITE_BUFFER: Final = 256 * 1024

# What it would say may quote a request, and says nothing that an operator can act on.
logging.getLogger("uvicorn.error").addHandler(logging.NullHandler())
logging.getLogger("uvicorn.error").propagate = False


class BoundedProtocol(H11Protocol):
    """One connection.

    Args:
        config: of uvicorn.
        state: shared by all connections.
        head_seconds: for the head of a request.
        most: how many connections there may be.
    """

    def __init__(self, config: Config, state: ServerState, *, head_seconds: float, most: int) -> None:
        super().__init__(config=config, server_state=state, app_state={})
        self._head_seconds = head_seconds
        self._most = most
        self._limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take a new connection."""
        super().connection_made(transport)
        if len(self.connections) > self._most:
            transport.abort()
            return
        transport.set_write_buffer_limits(high=_WRITE_BUFFER)
        # A client that vanished without a word must not keep its worker for ever.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.app_state: dict[str, Any] = {ABORT: transport.abort}
        self._wind()

    def data_received(self, data: bytes) -> None:
        """Read what has arrived; a head that is not whole in time ends the connection."""
        super().data_received(data)
        if self._waits_for_head():
            # The time counts from the first byte: sending one more does not give another full measure.
            if self._limit is None:
                self._wind()
        else:
            self._unwind()

    def connection_lost(self, exc: Exception | None) -> None:
        """Clean up."""
        self._unwind()
        super().connection_lost(exc)

    def _waits_for_head(self) -> bool:
        return self.conn.their_state is h11.IDLE

    def _wind(self) -> None:
        self._limit = self.loop.call_later(self._head_seconds, self._expired)

    def _unwind(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _expired(self) -> None:
        self._limit = None
        if self._waits_for_head():
            self.transport.abort()
