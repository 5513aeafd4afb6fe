"""The gateway's end of a worker's socket pair. A worker is hostile: every number that it sends is bounded here.

The format is that of ``worker/frames.py`` (a test holds the two together; the rooms may not import each other). Nothing
is read ahead of the consumer, so a slow client slows its worker down through the socket.
"""

from __future__ import annotations

import asyncio
import json
import struct
from typing import TYPE_CHECKING, Any, Final

from fairlead.engine.api import Column, Columns, Described, Done, Progress, Results, Rows
from fairlead.engine.blocks import CHECKS, NotABlock

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping, Sequence

    from fairlead.engine.api import Parameter

HEADER: Final = struct.Struct("!cI")
ROW_COUNT: Final = struct.Struct("!I")
BOOT: Final = b"B"
EXECUTE: Final = b"X"
DESCRIBE: Final = b"I"
SCRIPT: Final = b"S"
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
_MAX_REQUEST: Final = 512 * 1024 * 1024
_MAX_COLUMNS: Final = 20_000
_MAX_NAME: Final = 10_000
_OIDS: Final = range(2**32)
_AHEAD: Final = 64 * 1024
_INT16: Final = range(-(2**15), 2**15)
_INT32: Final = range(-(2**31), 2**31)


class Malformed(Exception):  # says what the bytes are
    """The worker sent what no worker sends."""


class Channel:
    """Frames to and from one worker.

    Args:
        handle: the gateway's end, non-blocking.
    """

    def __init__(self, handle: socket.socket) -> None:
        handle.setblocking(False)
        self._handle = handle
        self._loop = asyncio.get_running_loop()
        self._ahead = b""
        self._torn = False

    async def send(self, kind: bytes, body: Mapping[str, Any], parameters: Sequence[Parameter] = ()) -> None:
        """Send a request.

        Raises:
            OSError: the worker has gone.
            ValueError: the request is larger than a worker may be sent.
        """
        text = json.dumps(body).encode()
        values = b"".join(one.value for one in parameters if one.value is not None)
        length = ROW_COUNT.size + len(text) + len(values)
        if length > _MAX_REQUEST:
            allowed = _MAX_REQUEST // 2**20
            message = f"a statement with its values may have {allowed} MiB, this one has {length // 2**20}"
            raise ValueError(message)
        await self._loop.sock_sendall(
            self._handle, b"".join((HEADER.pack(kind, length), ROW_COUNT.pack(len(text)), text, values))
        )

    async def frame(self) -> tuple[bytes, bytes]:
        """Wait for the next frame: kind and body.

        Raises:
            EOFError: the worker has ended.
            Malformed: it sent something else.
        """
        if self._torn:
            raise Malformed("the rest of a frame")
        if len(self._ahead) < HEADER.size:
            await self._at_least(HEADER.size)
        kind, length = HEADER.unpack_from(self._ahead)
        limit = MAX_BLOCK + ROW_COUNT.size if kind == ROWS else MAX_JSON
        if length > limit:
            raise Malformed(f"a frame of {length} bytes")
        self._ahead = self._ahead[HEADER.size :]
        # Given up half-way (the consumer's task was cancelled), the rest could not be told from the next frame.
        self._torn = True
        body = await self._exactly(length)
        self._torn = False
        return kind, body

    def close(self) -> None:
        """Close the socket; the worker ends."""
        self._handle.close()

    async def _exactly(self, length: int) -> bytes:
        if length <= _AHEAD:
            await self._at_least(length)
        if len(self._ahead) >= length:
            body, self._ahead = self._ahead[:length], self._ahead[length:]
            return body
        whole = bytearray(length)
        whole[: len(self._ahead)] = self._ahead
        view = memoryview(whole)[len(self._ahead) :]
        self._ahead = b""
        while view:
            try:
                count = await self._loop.sock_recv_into(self._handle, view)
            except OSError as error:
                raise EOFError from error
            if not count:
                raise EOFError
            view = view[count:]
        return bytes(whole)

    async def _at_least(self, length: int) -> None:
        while len(self._ahead) < length:
            received = await self._receive()
            self._ahead = self._ahead + received if self._ahead else received

    async def _receive(self) -> bytes:
        try:
            received = await self._loop.sock_recv(self._handle, _AHEAD)
        except OSError as error:
            raise EOFError from error
        if not received:
            raise EOFError
        return received


def read_json(body: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        Malformed: it is none.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error
    if not isinstance(value, dict):
        raise Malformed("not a JSON object")
    return value


def read_columns(body: bytes) -> Columns:
    """Read the shape of a result, within the limits of the protocol.

    Raises:
        Malformed: it is none.
    """
    return Columns(_columns(read_json(body)))


def read_rows(body: bytes, form: str = "rows") -> Rows:
    """Read a block of rows.

    Args:
        body: of the frame.
        form: that was asked for (``Encoding``).

    Raises:
        Malformed: it is not of the form, or the count does not fit the bytes.
    """
    if len(body) < ROW_COUNT.size:
        raise Malformed("not a block of rows")
    (count,) = ROW_COUNT.unpack_from(body)
    data = body[ROW_COUNT.size :]
    try:
        CHECKS[form](data, count)
    except NotABlock as error:
        raise Malformed(str(error)) from error
    return Rows(data, count)


def read_done(body: bytes) -> Done:
    """Read the end of a statement.

    Raises:
        Malformed: it is none.
    """
    done = read_json(body)
    tag, changes = done.get("tag"), done.get("changes", False)
    if not isinstance(tag, str) or len(tag) > 64 or not all(char.isalnum() or char in " _" for char in tag):  # noqa: PLR2004
        raise Malformed("not a command tag")
    if not isinstance(changes, bool):
        raise Malformed("not a truth value")
    return Done(tag, changes)


def read_progress(body: bytes) -> Progress:
    """Read how far a statement is.

    Raises:
        Malformed: it is no fraction.
    """
    match read_json(body).get("fraction"):
        case int() | float() as fraction if 0 <= fraction <= 1:
            return Progress(float(fraction))
    raise Malformed("not a fraction")


def read_results(body: bytes) -> Results:
    """Read the rows of a script.

    Raises:
        Malformed: they are none.
    """
    results = read_json(body).get("results")
    try:
        if isinstance(results, list) and all(map(_is_rows, results)):
            return Results(results)
    except RecursionError as error:
        raise Malformed("lists in lists") from error
    raise Malformed("not the rows of a script")


def read_described(body: bytes) -> Described:
    """Read the answer to a describe.

    Raises:
        Malformed: it is none.
    """
    described = read_json(body)
    oids = described.get("parameters")
    if not isinstance(oids, list) or len(oids) > _INT16.stop or not all(_is_int(oid, _OIDS) for oid in oids):
        raise Malformed("not a list of types")
    return Described(tuple(oids), _columns(described))


def _columns(body: dict[str, Any]) -> tuple[Column, ...]:
    columns = body.get("columns")
    if not isinstance(columns, list) or len(columns) > _MAX_COLUMNS:
        raise Malformed("not a list of columns")
    return tuple(_column(column) for column in columns)


def _column(column: Any) -> Column:
    match column:
        case [str(name), oid, size, modifier] if (
            len(name) <= _MAX_NAME and _is_int(oid, _OIDS) and _is_int(size, _INT16) and _is_int(modifier, _INT32)
        ):
            # A NUL would end the name too early on the wire.
            return Column(name.replace("\0", ""), oid, size, modifier)
    raise Malformed("not a column")


def _is_int(value: Any, allowed: range) -> bool:
    return type(value) is int and value in allowed


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, list) and all(map(_is_value, row)) for row in value)


def _is_value(value: Any) -> bool:
    """Tell whether it is what a script's rows are made of: anything of JSON but objects."""
    if isinstance(value, list):
        return all(map(_is_value, value))
    return not isinstance(value, dict)
