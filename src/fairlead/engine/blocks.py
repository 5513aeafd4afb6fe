"""What a block of rows must look like, form by form: a worker is hostile, and its bytes go on to clients as they are.

A block of a stream that begins with something else than rows (a schema, the columns) announces that by a count of 0.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MIN_ROW: Final = 7  # a DataRow without columns
_MIN_COPY: Final = 5  # an empty CopyData
_PACKET_HEADER: Final = 4
_FULL_PACKET: Final = _PACKET_HEADER + 0xFFFFFF
_MIN_PACKET: Final = 5  # a row of one empty text
_CONTINUATION: Final = 0xFFFFFFFF
_PREFIX: Final = struct.Struct("<II")  # continuation mark, length of the metadata
_SCHEMA, _RECORD_BATCH = 1, 3  # MessageHeader of Arrow's Message.fbs
_TYPE, _HEADER, _BODY_LENGTH = 1, 2, 3  # fields of Message
_LENGTH: Final = 0  # field of RecordBatch
_MAX_JSON_HEADER: Final = 4 * 1024 * 1024


class NotABlock(Exception):  # says what the bytes are
    """The bytes are not a block of the form."""


def data_rows(data: bytes, count: int) -> None:
    """Check a block of DataRow messages.

    Raises:
        NotABlock: it is none.
    """
    if len(data) < _MIN_ROW or data[0] != ord("D"):
        raise NotABlock("not a block of rows")
    if not 0 < count <= len(data) // _MIN_ROW:
        raise NotABlock("a block with an impossible number of rows")


def copy_data(data: bytes, count: int) -> None:
    """Check a block of CopyData messages; the header and the trailer of a COPY are no rows.

    Raises:
        NotABlock: it is none.
    """
    if len(data) < _MIN_COPY or data[0] != ord("d") or not 0 <= count <= len(data) // _MIN_COPY:
        raise NotABlock("not a block of rows for COPY")


def mysql_packets(data: bytes, count: int) -> None:
    """Check a block of MySQL packets: whole ones, one for each row.

    A row that needs several packets is alone in its block; more than the first header is read only then, because
    headers of many small rows cost more than the rows.

    Raises:
        NotABlock: it is none.
    """
    if not 0 < count <= len(data) // _MIN_PACKET:
        raise NotABlock("a block with an impossible number of rows")
    if count > 1:
        if _packet_size(data, 0) > len(data):
            raise NotABlock("not a block of packets")
    else:
        packets_of_row(data)


def packets_of_row(data: bytes) -> int:
    """Return how many packets one row has.

    Raises:
        NotABlock: they do not end where the data end, or a packet that is not full comes before the last.
    """
    at, packets, size = 0, 0, _FULL_PACKET
    while at < len(data) and size == _FULL_PACKET:
        size = _packet_size(data, at)
        at += size
        packets += 1
    if at != len(data) or size == _FULL_PACKET:
        raise NotABlock("not the packets of one row")
    return packets


def _packet_size(data: bytes, at: int) -> int:
    return _PACKET_HEADER + int.from_bytes(data[at : at + 3], "little")


def json_lines(data: bytes, count: int) -> None:
    """Check a block of lines: one object for a count of 0, else that many arrays.

    Arrays only: what the gateway itself says between and behind rows are objects, so that no row can pass for it.

    Raises:
        NotABlock: it is none.
    """
    if not data.endswith(b"\n") or data.count(b"\n") != max(count, 1):
        raise NotABlock("not as many lines as there should be")
    if count == 0:
        _json_header(data)
    elif not data.startswith(b"[") or data.count(b"\n[") != count - 1:
        raise NotABlock("a line that is not a row")


def _json_header(data: bytes) -> None:
    try:
        header = json.loads(data) if len(data) <= _MAX_JSON_HEADER else None
    except (ValueError, RecursionError) as error:
        raise NotABlock("not JSON") from error
    match header:
        case {"columns": list(columns), **rest} if not rest and all(map(_is_json_column, columns)):
            return
    raise NotABlock("not a line of columns")


def _is_json_column(column: object) -> bool:
    match column:
        case {"name": str(), "type": str(), **rest}:
            return not rest
    return False


def arrow_message(data: bytes, count: int) -> None:
    """Check one encapsulated message of an Arrow IPC stream: a schema for a count of 0, else a batch of that many rows.

    Only the frame and what the count says are read here (arrow.apache.org, "Encapsulated message format", and
    Message.fbs); whoever opens the buffers of a batch has to check them too.

    Raises:
        NotABlock: it is none.
    """
    try:
        mark, length = _PREFIX.unpack_from(data)
        if mark != _CONTINUATION or length % 8 or length > len(data) - _PREFIX.size:
            raise NotABlock("not an Arrow message")
        message = _Table.root(data[_PREFIX.size : _PREFIX.size + length])
        kind = message.number(_TYPE, "<B")
        rest = len(data) - _PREFIX.size - length
        if message.number(_BODY_LENGTH, "<q") != rest:
            raise NotABlock("an Arrow message of another length")
        if count == 0 and kind == _SCHEMA and rest == 0:
            return
        if count > 0 and kind == _RECORD_BATCH and message.table(_HEADER).number(_LENGTH, "<q") == count:
            return
    except (struct.error, IndexError) as error:
        raise NotABlock("not an Arrow message") from error
    raise NotABlock("not the Arrow message that the count announces")


class _Table:
    """A table of a flatbuffer (flatbuffers.dev, "Internals"); every offset is checked by the reading itself."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at
        (back,) = _unpack("<i", data, at)
        self._fields = at - back
        (self._size,) = _unpack("<H", data, self._fields)

    @classmethod
    def root(cls, data: bytes) -> _Table:
        """Return the outermost table."""
        return cls(data, _unpack("<I", data, 0)[0])

    def number(self, field: int, form: str) -> int:
        """Return a number; 0 where it is left out."""
        at = self._place(field)
        return _unpack(form, self._data, at)[0] if at else 0

    def table(self, field: int) -> _Table:
        """Return a table that a field points to.

        Raises:
            NotABlock: it is left out.
        """
        at = self._place(field)
        if not at:
            raise NotABlock("an Arrow message without a header")
        return _Table(self._data, at + _unpack("<I", self._data, at)[0])

    def _place(self, field: int) -> int:
        """Return where the field is, 0 where it is left out."""
        entry = 4 + 2 * field
        if entry + 2 > self._size:
            return 0
        (offset,) = _unpack("<H", self._data, self._fields + entry)
        return self._at + offset if offset else 0


def _unpack(form: str, data: bytes, at: int) -> tuple[int, ...]:
    if at < 0:  # Python would count from the end
        raise NotABlock("an offset before the beginning")
    return struct.unpack_from(form, data, at)


CHECKS: Final[Mapping[str, Callable[[bytes, int], None]]] = {
    "rows": data_rows,
    "copy": copy_data,
    "jsonl": json_lines,
    "mysql": mysql_packets,
    "mysql_binary": mysql_packets,
    "arrow": arrow_message,
}
