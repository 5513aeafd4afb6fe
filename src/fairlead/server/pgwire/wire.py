"""The bytes of one client over asyncio: reads with back-pressure, writes that are gathered, TLS in mid-stream.

Small messages are gathered, so that an answer leaves in one write (and one TLS record, and one packet): they go out
when the caller says so, when there are enough of them, or after a millisecond when the caller waits for something
else. Large blocks of rows go to the transport as they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

_GATHER: Final = 16 * 1024
_GATHER_SECONDS: Final = 0.001
_READ_AHEAD: Final = 256 * 1024
_WRITE_BUFFER: Final = 256 * 1024


class ClientGone(Exception):
    """The client has gone away; there is nobody to tell."""


class Wire(asyncio.Protocol):
    """A client's connection.

    Args:
        accepted: called with the wire when the client has connected.
    """

    def __init__(self, accepted: Callable[[Wire], None]) -> None:
        self._accepted = accepted
        self._transport: asyncio.Transport | None = None
        self._received: list[bytes] = []
        self._received_size = 0
        self._arrival: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._gathered: list[bytes] = []
        self._gathered_size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._paused_reading = False
        self._ended = asyncio.get_running_loop().create_future()
        self.address = ""
        self.on_lost: Callable[[], None] | None = None

    # --- what the event loop calls ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a new connection."""
        assert isinstance(transport, asyncio.Transport)
        self._take(transport)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if isinstance(peer, tuple) else "local"
        sock = transport.get_extra_info("socket")
        # A client that vanished without a word must not keep its worker for ever.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._accepted(self)

    def data_received(self, data: bytes) -> None:
        """Keep what has arrived until it is read."""
        self._received.append(data)
        self._received_size += len(data)
        if self._received_size > _READ_AHEAD and not self._paused_reading and self._transport is not None:
            self._paused_reading = True
            self._transport.pause_reading()
        _wake(self._arrival)

    def pause_writing(self) -> None:
        """Note that the client reads slower than we write."""
        self._room = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Let the writer go on."""
        _wake(self._room)
        self._room = None

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # part of asyncio's signature
        """Wake everybody who waits."""
        if not self._ended.done():
            self._ended.set_result(None)
        _wake(self._arrival)
        self.resume_writing()
        if self.on_lost is not None:
            self.on_lost()

    # --- reading -----------------------------------------------------------------------------------------------------

    @property
    def lost(self) -> bool:
        """Whether the client is gone."""
        return self._ended.done()

    async def read(self) -> bytes:
        """Return what has arrived, at least one byte; nothing at the end of the stream."""
        while not self._received and not self.lost:
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        return self._take_received()

    def _take_received(self) -> bytes:
        data = self._received[0] if len(self._received) == 1 else b"".join(self._received)
        self._received.clear()
        self._received_size = 0
        if self._paused_reading and self._transport is not None and not self.lost:
            self._paused_reading = False
            self._transport.resume_reading()
        return data

    # --- writing -----------------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Gather a small message for the next write."""
        self._gathered.append(data)
        self._gathered_size += len(data)
        if self._gathered_size > _GATHER:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_GATHER_SECONDS, self.flush)

    async def send_block(self, data: bytes) -> None:
        """Send a block of rows; wait while the client has enough to read.

        Raises:
            ClientGone: it is.
        """
        if len(data) + self._gathered_size <= _GATHER:
            self.send(data)
        else:
            self.flush()
            self._write(data)
        await self.drain()

    def flush(self) -> None:
        """Write what was gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._gathered:
            self._write(b"".join(self._gathered))
            self._gathered.clear()
            self._gathered_size = 0

    async def drain(self) -> None:
        """Wait while the client has enough to read.

        Raises:
            ClientGone: it is.
        """
        if self._room is not None:
            await self._room
        if self.lost:
            raise ClientGone

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self.lost:
            self._transport.write(data)

    # --- TLS and the end ---------------------------------------------------------------------------------------------

    def stop_reading(self) -> bytes:
        """Stop before TLS; return what the client has sent too early."""
        assert self._transport is not None
        self._transport.pause_reading()
        return b"".join(self._received)

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Do the TLS handshake, after :meth:`stop_reading`.

        Raises:
            ClientGone: it failed.
        """
        assert self._transport is not None
        self.flush()
        loop = asyncio.get_running_loop()
        secured: asyncio.Transport | None = None
        try:
            secured = await loop.start_tls(self._transport, self, context, server_side=True)
        except OSError as error:  # of ssl, too
            raise ClientGone(str(error)) from None
        finally:
            if secured is None:  # asyncio has closed the socket, but does not say so to this protocol
                self.connection_lost(None)
        if secured is None:
            raise ClientGone
        self._take(secured)

    @property
    def certificate_name(self) -> str | None:
        """The common name in the client's certificate, which was verified; None where it has shown none."""
        found = self._transport.get_extra_info("peercert") if self._transport is not None else None
        parts = (pair for part in (found or {}).get("subject", ()) for pair in part)
        return next((value for name, value in parts if name == "commonName"), None)

    def _take(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        transport.set_write_buffer_limits(high=_WRITE_BUFFER)

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self, grace: float) -> None:
        """Send what is left and close; after ``grace`` seconds without success, cut the connection."""
        self.flush()
        if self._transport is None:
            return
        self._transport.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await asyncio.shield(self._ended)
        if not self.lost:
            self.abort()


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
