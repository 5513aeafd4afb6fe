"""The clients of object stores: sign requests with the real credential, send them over kept connections.

One client per connection and version; a new version makes a new client. It dials one host, the connection's own
(``<bucket>.`` before it in virtual-host style), and follows no redirect, so a store cannot send it elsewhere. This is
the only file in which the credential of a store is revealed.
"""

from __future__ import annotations

import re
import select
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Self
from urllib.parse import urlsplit

from fairlead.egress import sigv4
from fairlead.egress.http1 import (
    BadHttp,
    PeerGone,
    ResponseHead,
    Stream,
    content_length,
    parse_response,
)
from fairlead.errors import InvalidParameter, StoreError, StoreUnreachable

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from fairlead.connectors.store import S3Target
    from fairlead.egress.dial import Dialler
    from fairlead.egress.door import ResolvedTarget
    from fairlead.egress.paths import Place

MAX_DOCUMENT: Final = 16 * 1024 * 1024  # bytes of a listing or an error
_MAX_ANSWER_HEAD: Final = 64 * 1024
_KEPT: Final = 64  # idle connections of one client
_KEEP: Final = 20.0  # seconds; stores close theirs after half a minute and more
_REGION = re.compile(r"[a-z0-9-]{1,32}")
_HOST_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class Body(NamedTuple):
    """A body that is still with the worker."""

    source: Stream
    length: int


@dataclass(frozen=True, slots=True)
class Request:
    """A request for a store, not signed yet."""

    method: str
    place: Place
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    payload_hash: str = sigv4.EMPTY_SHA256
    body: bytes | Body = b""


class _Endpoint(NamedTuple):
    secure: bool
    host: str
    port: int

    @property
    def authority(self) -> str:
        """What the Host header says."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == (443 if self.secure else 80) else f"{shown}:{self.port}"


class StoreClient:
    """Reaches one store with one credential.

    Args:
        target: endpoint and credential.
        dialler: makes judged connections.
        timeout: seconds that the store may be silent.

    Raises:
        InvalidParameter: endpoint or region are not ones.
    """

    def __init__(self, target: S3Target, dialler: Dialler, timeout: float) -> None:
        self._target = target
        self._dialler = dialler
        self._timeout = timeout
        self._endpoint = _endpoint(target)
        self._kept: deque[tuple[float, _Endpoint, Stream]] = deque()
        self._closed = False
        self._lock = threading.Lock()

    def send(self, request: Request, watch: Callable[[socket.socket], None] = lambda _: None) -> Answer:
        """Send a request and return the head of the answer; the caller must leave the answer's context.

        Args:
            request: what to send.
            watch: gets the socket before anything is sent, so that another thread can cut it.

        Raises:
            DestinationRefused: by the policy.
            StoreUnreachable: no connection, or it broke.
            StoreError: the answer is not HTTP.
            PeerGone: the worker went away while its body was sent.
        """
        endpoint, path = self._address(request.place)
        head = self._head(request, endpoint, path)
        # What must not be sent twice never goes over a kept connection, which may be closed by now.
        again = request.method in ("GET", "HEAD", "DELETE")
        stream, fresh = self._take(endpoint) if again else (self._dial(endpoint), True)
        while True:
            watch(stream.sock)
            try:
                return self._exchange(request, head, endpoint, stream)
            except _Stale:
                stream.sock.close()
                if fresh:
                    raise StoreUnreachable(f"the store at {endpoint.authority} closed the connection") from None
            except BadHttp as error:
                stream.sock.close()
                raise StoreError(f"the server at {endpoint.authority} does not speak HTTP/1.1: {error}") from error
            except BaseException:
                stream.sock.close()
                raise
            # A kept connection may have been closed by the store a moment ago: that is no failure yet.
            stream, fresh = self._dial(endpoint), True

    def close(self) -> None:
        """Close the kept connections; those in use are closed when they are given back."""
        with self._lock:
            self._closed = True
            kept, self._kept = list(self._kept), deque()
        for _, _, stream in kept:
            stream.sock.close()

    def keep(self, endpoint: _Endpoint, stream: Stream) -> None:
        """Keep a connection whose answer has been read to its end."""
        with self._lock:
            self._kept.append((time.monotonic(), endpoint, stream))
            too_many = self._closed or len(self._kept) > _KEPT
            dropped = self._kept.popleft()[2] if too_many else None
        if dropped is not None:
            dropped.sock.close()

    def _exchange(self, request: Request, head: bytes, endpoint: _Endpoint, stream: Stream) -> Answer:
        broken = _send(stream, head, request.body)
        try:
            raw = stream.read_head(limit=_MAX_ANSWER_HEAD)
            # Interim answers may come unasked; they say nothing.
            while raw is not None and parse_response(raw).status < 200:  # noqa: PLR2004
                raw = stream.read_head(limit=_MAX_ANSWER_HEAD)
        except PeerGone as error:
            raise StoreUnreachable(
                f"the store at {endpoint.authority} broke off, or was silent, in the middle of its answer",
                hint="is that port the store's S3 API, and is it http or https?",
            ) from error
        except OSError as error:
            raise _Stale from error
        if raw is None:
            raise _Stale
        return Answer(parse_response(raw), request.method, endpoint, stream, self, reusable=not broken)

    def _address(self, place: Place) -> tuple[_Endpoint, str]:
        key = sigv4.encode(place.key, slash="/")
        if self._target.path_style:
            return self._endpoint, f"/{place.bucket}/{key}" if key else f"/{place.bucket}"
        if not _HOST_BUCKET.fullmatch(place.bucket) or ".." in place.bucket:
            raise InvalidParameter(f"the bucket {place.bucket} cannot be part of a host name", hint="use path style")
        return self._endpoint._replace(host=f"{place.bucket}.{self._endpoint.host}"), f"/{key}"

    def _head(self, request: Request, endpoint: _Endpoint, path: str) -> bytes:
        target = self._target
        headers = {
            "host": endpoint.authority,
            "x-amz-content-sha256": request.payload_hash,
            "x-amz-date": sigv4.now(),
            **request.headers,
        }
        if target.session_token is not None:
            headers["x-amz-security-token"] = target.session_token.reveal()
        if target.access_key_id is not None and target.secret_access_key is not None:
            headers["authorization"] = sigv4.authorization(
                target.access_key_id.reveal(),
                target.secret_access_key,
                target.region,
                method=request.method,
                path=path,
                query=request.query,
                headers=headers,
            )
        length = request.body.length if isinstance(request.body, Body) else len(request.body)
        if length or request.method in ("PUT", "POST"):
            headers["content-length"] = str(length)
        query = sigv4.encode_query(request.query)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{request.method} {path}{'?' if query else ''}{query} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")

    def _take(self, endpoint: _Endpoint) -> tuple[Stream, bool]:
        while True:
            with self._lock:
                found = next((kept for kept in reversed(self._kept) if kept[1] == endpoint), None)
                if found is not None:
                    self._kept.remove(found)
            if found is None:
                return self._dial(endpoint), True
            since, _, stream = found
            # Nothing may arrive on an idle connection but its end.
            if time.monotonic() - since < _KEEP and not select.select([stream.sock], [], [], 0)[0]:
                return stream, False
            stream.sock.close()

    def _dial(self, endpoint: _Endpoint) -> Stream:
        dial = self._dialler.tls if endpoint.secure else self._dialler.tcp
        sock = dial(endpoint.host, endpoint.port)
        sock.settimeout(self._timeout)
        return Stream(sock)


class _Stale(Exception):
    """A kept connection turned out to be closed."""


class Answer:
    """The answer of a store: head read, body not yet. Leaving the context gives the connection back, or closes it."""

    def __init__(
        self,
        head: ResponseHead,
        method: str,
        endpoint: _Endpoint,
        stream: Stream,
        client: StoreClient,
        *,
        reusable: bool,
    ) -> None:
        self.status = head.status
        self.headers = head.headers
        self._endpoint = endpoint
        self._stream = stream
        self._client = client
        self._reusable = reusable and head.headers.get("connection", "").lower() != "close"
        self._chunked = "transfer-encoding" in head.headers
        self._bodyless = method == "HEAD" or head.status in (204, 304)
        self._unread = self._bodyless is False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._reusable and not self._unread and self._stream.idle:
            self._client.keep(self._endpoint, self._stream)
        else:
            self._stream.sock.close()

    @property
    def length(self) -> int | None:
        """Declared bytes of the body."""
        return content_length(self.headers)

    def document(self) -> bytes:
        """Return a small body: a listing, a receipt, an error.

        Raises:
            StoreUnreachable: the connection broke.
            StoreError: the body is too large.
        """
        if self._bodyless:
            return b""
        try:
            if self._chunked:
                data = self._stream.read_chunked(MAX_DOCUMENT)
            else:
                length = self.length
                if length is not None and length > MAX_DOCUMENT:
                    raise StoreError("the store sent a document that is too large")
                self._reusable = self._reusable and length is not None
                data = self._stream.read_exactly(length) if length is not None else self._stream.read_rest(MAX_DOCUMENT)
        except BadHttp as error:
            raise StoreError(f"the store sent a document that is not HTTP/1.1: {error}") from error
        except OSError as error:
            raise StoreUnreachable("the connection to the store broke in the middle of an answer") from error
        self._unread = False
        return data

    def relay(self, first: bytes, take: Callable[[memoryview], object]) -> None:
        """Hand ``first`` and then the body, of declared length, to ``take``. Raises PeerGone: the store broke off."""
        self._stream.pump(self.length or 0, take, first=first)
        self._unread = False


class Stores:
    """The clients, one per connection, of its newest version.

    Args:
        target: opens a connection; called only when there is no client of the version.
        dialler: makes judged connections.
        timeout: seconds that a store may be silent.
    """

    def __init__(self, target: Callable[[int], ResolvedTarget], dialler: Dialler, timeout: float) -> None:
        self._target = target
        self._dialler = dialler
        self._timeout = timeout
        self._clients: dict[int, tuple[ResolvedTarget, StoreClient]] = {}
        self._lock = threading.Lock()

    def client(self, connection_id: int, version: str) -> tuple[str, StoreClient]:
        """Return the connection's full name and its client. The row in the ledger must be written by now.

        Raises:
            ObjectNotReady, VaultError, UndefinedObject: the connection cannot be opened.
            InvalidParameter: endpoint or region are not ones.
        """
        with self._lock:
            found = self._clients.get(connection_id)
        if found is None or found[0].version != version:
            resolved = self._target(connection_id)
            opened = (resolved, StoreClient(resolved.target, self._dialler, self._timeout))
            with self._lock:
                self._clients[connection_id] = opened
            if found is not None:
                found[1].close()
            found = opened
        return found[0].connection, found[1]

    def close(self) -> None:
        """Close every client."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for _, client in clients:
            client.close()


def _send(stream: Stream, head: bytes, body: bytes | Body) -> bool:
    """Send head and body; return whether the store stopped reading early (it has answered already, then)."""
    try:
        if isinstance(body, bytes):
            stream.sock.sendall(head + body)
            return False
        stream.sock.sendall(head)
    except OSError as error:
        raise _Stale from error
    broken = False

    def take(piece: memoryview) -> None:
        nonlocal broken
        if not broken:
            try:
                stream.sock.sendall(piece)
            except OSError:
                broken = True  # the rest is read from the worker and dropped, so that it can read the answer

    body.source.pump(body.length, take)
    return broken


def _endpoint(target: S3Target) -> _Endpoint:
    if not _REGION.fullmatch(target.region):
        raise InvalidParameter(f'"{target.region[:40]}" is not a region')
    try:
        parts = urlsplit(target.base_url)
        port = parts.port
    except ValueError as error:
        raise _bad_endpoint() from error
    plain = parts.path in ("", "/") and not parts.query and not parts.fragment and parts.username is None
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise _bad_endpoint()
    secure = parts.scheme == "https"
    return _Endpoint(secure, parts.hostname, port or (443 if secure else 80))


def _bad_endpoint() -> InvalidParameter:
    return InvalidParameter("the endpoint of the connection is not one", hint="write https://host or https://host:port")
