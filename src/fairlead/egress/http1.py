"""Just enough HTTP/1.1 (RFC 9112), with strict limits, for both sides of the store proxy.

One parser serves requests of workers and answers of stores. What is not plain is refused: folded header lines,
duplicate headers, transfer codings in requests, anything that two readers could frame differently.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

MAX_HEAD: Final = 16 * 1024
MAX_HEADERS: Final = 64
_BUFFER: Final = 256 * 1024
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_REQUEST_LINE = re.compile(r"([A-Z]{1,16}) (/[\x21-\x7e]*) HTTP/1\.1")
_STATUS_LINE = re.compile(r"HTTP/1\.[01] ([1-5][0-9]{2})(?: .*)?")
_LENGTH = re.compile(r"[0-9]{1,16}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")
# Stores repeat other headers; nothing of ours looks at those.
_UNIQUE_IN_ANSWERS = frozenset({"content-length", "content-range", "transfer-encoding", "connection", "etag"})


class _Kept(threading.local):
    buffer: memoryview


_kept = _Kept()


class BadHttp(ValueError):
    """The peer sent something that is not the HTTP we accept."""


class PeerGone(ConnectionError):
    """The peer closed the connection, or fell silent, in the middle of a message."""


@dataclass(frozen=True, slots=True)
class RequestHead:
    """Request line and headers. ``target`` is exactly as sent; header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]

    @property
    def length(self) -> int:
        """Bytes of the body that follows."""
        return content_length(self.headers) or 0


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """Status and headers of an answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]


class Stream:
    """A socket with what was read of it too early. Time limits are the socket's own.

    Args:
        sock: connected, blocking or with a time-out.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._rest = b""

    @property
    def idle(self) -> bool:
        """Whether nothing has been read too early."""
        return not self._rest

    def read_head(self, *, seconds: float | None = None, limit: int = MAX_HEAD) -> bytes | None:
        """Return the bytes before the next empty line, None if the peer closed before the first one.

        Args:
            seconds: for the whole head, counted from its first byte.
            limit: of the head, bytes.

        Raises:
            BadHttp: the head is larger than ``limit``.
            PeerGone: the peer closed in the middle, or was too slow.
        """
        deadline: float | None = None
        while (end := self._rest.find(b"\r\n\r\n")) < 0:
            if len(self._rest) > limit:
                raise BadHttp(f"the head is larger than {limit} bytes")
            if self._rest and seconds is not None:
                deadline = deadline or time.monotonic() + seconds
                self.sock.settimeout(max(deadline - time.monotonic(), 0.001))
            data = self._receive()
            if not data:
                if self._rest:
                    raise PeerGone("closed in the middle of a head")
                return None
            self._rest += data
        if end > limit:
            raise BadHttp(f"the head is larger than {limit} bytes")
        head, self._rest = self._rest[:end], self._rest[end + 4 :]
        return head

    def _receive(self) -> bytes:
        try:
            return self.sock.recv(64 * 1024)
        except TimeoutError as error:
            raise PeerGone("too slow") from error

    def read_exactly(self, count: int) -> bytes:
        """Return the next ``count`` bytes. Raises PeerGone."""
        pieces: list[bytes] = []
        self.pump(count, lambda piece: pieces.append(bytes(piece)))
        return b"".join(pieces)

    def read_rest(self, limit: int) -> bytes:
        """Return what comes until the peer closes. Raises BadHttp, PeerGone."""
        data, self._rest = self._rest, b""
        while more := self._receive():
            data += more
            if len(data) > limit:
                raise BadHttp(f"the body is larger than {limit} bytes")
        return data

    def read_chunked(self, limit: int) -> bytes:
        """Return a body in chunked coding (RFC 9112 section 7.1), trailers dropped. Raises BadHttp, PeerGone."""
        pieces: list[bytes] = []
        total = 0
        while True:
            found = _CHUNK_SIZE.fullmatch(self._read_line())
            if found is None:
                raise BadHttp("a chunk without a size")
            size = int(found[1], 16)
            total += size
            if total > limit:
                raise BadHttp(f"the body is larger than {limit} bytes")
            if size == 0:
                while self._read_line():
                    pass
                return b"".join(pieces)
            pieces.append(self.read_exactly(size))
            if self._read_line():
                raise BadHttp("a chunk of another size than it says")

    def _read_line(self) -> bytes:
        while (end := self._rest.find(b"\r\n")) < 0:
            data = b"" if len(self._rest) > MAX_HEAD else self._receive()
            if not data:
                raise PeerGone("closed in the middle of a chunk")
            self._rest += data
        line, self._rest = self._rest[:end], self._rest[end + 2 :]
        return line

    def pump(self, count: int, take: Callable[[memoryview], object], *, first: bytes = b"") -> None:
        """Hand the next ``count`` bytes to ``take``, piece by piece; each piece is valid only during its call.

        Args:
            count: bytes of this stream.
            take: gets the pieces.
            first: handed over before them, in the same piece as what has been read already.

        Raises:
            PeerGone: the stream ended, or was silent, before that.
        """
        early, self._rest = self._rest[:count], self._rest[count:]
        if first or early:
            take(memoryview(first + early))
            count -= len(early)
        if not count:
            return
        buffer = _buffer()
        while count:
            try:
                got = self.sock.recv_into(buffer, min(_BUFFER, count))
            except OSError as error:
                raise PeerGone("the connection broke in the middle of a body") from error
            if not got:
                raise PeerGone("closed in the middle of a body")
            take(buffer[:got])
            count -= got


def _buffer() -> memoryview:
    """Return the thread's buffer: a fresh one for every body would cost more than the copy through it."""
    try:
        return _kept.buffer
    except AttributeError:
        _kept.buffer = memoryview(bytearray(_BUFFER))
        return _kept.buffer


def parse_request(head: bytes) -> RequestHead:
    """Parse the head of a request.

    Raises:
        BadHttp: with what is wrong, without repeating the bytes.
    """
    lines = _lines(head)
    found = _REQUEST_LINE.fullmatch(lines[0])
    if found is None:
        raise BadHttp("not a request line of HTTP/1.1 in origin form")
    headers = _headers(lines[1:], None)
    if "transfer-encoding" in headers:
        raise BadHttp("transfer codings are not accepted")
    content_length(headers)
    return RequestHead(found[1], found[2], headers)


def parse_response(head: bytes) -> ResponseHead:
    """Parse the head of an answer. Raises BadHttp."""
    lines = _lines(head)
    found = _STATUS_LINE.fullmatch(lines[0])
    if found is None:
        raise BadHttp("not a status line of HTTP/1.1")
    headers = _headers(lines[1:], _UNIQUE_IN_ANSWERS)
    content_length(headers)
    return ResponseHead(int(found[1]), headers)


def content_length(headers: Mapping[str, str]) -> int | None:
    """Return the declared length of a body. Raises BadHttp."""
    text = headers.get("content-length")
    if text is None:
        return None
    if not _LENGTH.fullmatch(text):
        raise BadHttp("Content-Length is not a number")
    return int(text)


def _lines(head: bytes) -> list[str]:
    lines = head.decode("latin-1").split("\r\n")
    if len(lines) > MAX_HEADERS + 1:
        raise BadHttp(f"more than {MAX_HEADERS} headers")
    return lines


def _headers(lines: list[str], unique: frozenset[str] | None) -> dict[str, str]:
    """Return the headers; those that must be unique (None = all) are refused when they occur twice."""
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _TOKEN.fullmatch(name):
            raise BadHttp("a header line without a proper name")
        value = value.strip(" \t")
        if "\n" in value or "\r" in value or "\0" in value:
            raise BadHttp("a control character in a header")
        name = name.lower()
        if name in headers and (unique is None or name in unique):
            raise BadHttp(f"the header {name} occurs twice")
        headers[name] = value
    return headers
