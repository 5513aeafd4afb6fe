"""Results as packets of MySQL's protocol, one for each row, built column by column.

The header of a packet has a number that counts all packets of an answer, modulo 256, so the gateway says at which
number the answer stands when the result begins; the packets that describe the columns come before the first row. A row
of 16 MiB and more goes in several packets.

Source: MySQL's "Protocol::Packet", "Protocol::ProtocolText::ResultsetRow", "Protocol::BinaryResultsetRow".
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from fairlead.worker import casting, mysqlcells
from fairlead.worker.frames import MAX_BLOCK
from fairlead.worker.rows import RowTooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from duckdb import DuckDBPyConnection

MAX_PAYLOAD: Final = 0xFFFFFF  # of one packet; one of just this size is continued
_HEADER: Final = struct.Struct("<I")
_TARGET_BLOCK: Final = 4 * 1024 * 1024
# So few values are not worth a kernel; one page of any real result has more.
_FEW_VALUES: Final = 32
_NOTHING: Final = pa.scalar(b"", pa.binary())
_NUMBERS: Final = pa.py_buffer(bytes(range(256)) * 18)  # of the packets of a batch, wherever in 256 it begins
_FIRST_BIT: Final = 2  # of the bitmap of NULLs in a binary row


class MysqlRows:
    """Rows as packets.

    Args:
        caster: a cursor of its own beside the user's.
        types: DuckDB's names of the columns' types.
        aliases: bucket names of this session with the real ones, which texts are mapped back to.
        first: number of the packet behind the description of the columns, less the number of columns.
        binary: whether rows are in the binary format, which prepared statements have.
    """

    def __init__(
        self,
        caster: DuckDBPyConnection,
        types: Sequence[str],
        aliases: Mapping[str, str],
        *,
        first: int,
        binary: bool,
    ) -> None:
        self._caster = caster
        self._types = types
        self._aliases = aliases
        self._binary = binary
        self._number = first + len(types)

    def pieces(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.Array]]:
        """Yield the columns of each batch: texts, or what has a layout of its own. ``batches`` are pulled singly."""
        names = casting.column_names(len(self._types))
        expression = mysqlcells.binary_expression if self._binary else mysqlcells.text_expression
        wanted = [expression(one, name) for one, name in zip(self._types, names, strict=True)]
        if not any(wanted):
            yield from map(self._columns, batches)
            return
        expressions = [one or name for one, name in zip(wanted, names, strict=True)]
        with casting.cast(self._caster, schema, batches, expressions) as reader:
            yield from map(self._columns, reader)

    def blocks(self, piece: list[pa.Array]) -> Iterator[tuple[memoryview, int]]:
        """Yield a batch as blocks of complete packets, each with its number of rows.

        Raises:
            RowTooLarge: a row alone is larger than a block may be.
            mysqlcells.MomentOutOfRange: a date that the binary format does not have.
        """
        count = len(piece[0])
        if not count:
            return
        if count * len(piece) <= _FEW_VALUES and not self._binary:
            for row in range(count):
                yield self._one([column[row : row + 1] for column in piece]), 1
        elif count == 1:
            yield self._one(piece), 1
        elif sum(column.nbytes for column in piece) > _TARGET_BLOCK or self._has_long(piece):
            yield from self.blocks([column[: count // 2] for column in piece])
            yield from self.blocks([column[count // 2 :] for column in piece])
        else:
            yield self._joined(piece), count

    def _columns(self, batch: pa.RecordBatch) -> list[pa.Array]:
        return [
            self._texts(column) if self._is_text(name) else mysqlcells.storage(column)
            for name, column in zip(self._types, batch.columns, strict=True)
        ]

    def _texts(self, column: pa.Array) -> pa.Array:
        column = mysqlcells.texts(column)
        if pa.types.is_string(column.type):
            for alias, bucket in self._aliases.items():
                column = pc.replace_substring(column, f"s3://{alias}/", f"s3://{bucket}/")
        return column

    def _is_text(self, name: str) -> bool:
        return not self._binary or mysqlcells.is_text(name)

    def _has_long(self, piece: list[pa.Array]) -> bool:
        """Tell whether a value is so long that its length is not in the table; such rows are written singly."""
        return any(
            (pc.max(pc.binary_length(column)).as_py() or 0) > mysqlcells.LONGEST
            for name, column in zip(self._types, piece, strict=True)
            if self._is_text(name) and column.nbytes > mysqlcells.LONGEST
        )

    # --- many rows ---------------------------------------------------------------------------------------------------

    def _joined(self, piece: list[pa.Array]) -> memoryview:
        count = len(piece[0])
        parts: list[Any] = self._nulls(piece) if self._binary else []
        for name, column in zip(self._types, piece, strict=True):
            parts += mysqlcells.binary_cells(name, column) if self._binary else mysqlcells.text_cells(column)
        steady = sum(len(part.as_py()) for part in parts if isinstance(part, pa.Scalar))
        sizes: Any = pa.scalar(steady, pa.int32())
        for part in parts:
            if isinstance(part, pa.Array):
                here = pc.binary_length(part)
                sizes = pc.add(sizes, pc.fill_null(here, 0) if part.null_count else here)
        joined = pc.binary_join_element_wise(
            self._headers(sizes, count), *parts, _NOTHING, null_handling="replace", null_replacement=b""
        )
        _, offsets, data = joined.buffers()
        bounds = memoryview(offsets).cast("i")
        return memoryview(data)[bounds[joined.offset] : bounds[joined.offset + count]]

    def _headers(self, sizes: pa.Array, count: int) -> pa.Array:
        """Return the headers of packets: three bytes of size, one of the number."""
        numbers = pa.Array.from_buffers(pa.uint8(), count, [None, _NUMBERS], offset=self._number % 256)
        self._number += count
        shifted = pc.shift_left(pc.cast(numbers, pa.uint32()), pa.scalar(24, pa.uint32()))
        return mysqlcells.fixed(pc.bit_wise_or(pc.cast(sizes, pa.uint32()), shifted), 4)

    @staticmethod
    def _nulls(piece: list[pa.Array]) -> list[Any]:
        """Return what a binary row begins with: a zero, and a bit for each column that is NULL."""
        parts: list[Any] = [pa.scalar(b"\0", pa.binary())]
        for byte in range((len(piece) + _FIRST_BIT + 7) // 8):
            marks: pa.Array | None = None
            for bit in range(8):
                index = 8 * byte + bit - _FIRST_BIT
                if 0 <= index < len(piece) and piece[index].null_count:
                    here = pc.if_else(piece[index].is_null(), pa.scalar(1 << bit, pa.uint8()), pa.scalar(0, pa.uint8()))
                    marks = here if marks is None else pc.bit_wise_or(marks, here)
            parts.append(pa.scalar(b"\0", pa.binary()) if marks is None else mysqlcells.fixed(marks, 1))
        return parts

    # --- one row -----------------------------------------------------------------------------------------------------

    def _one(self, piece: list[pa.Array]) -> memoryview:
        """Return the packets of a single row."""
        cells = [self._cell(name, column) for name, column in zip(self._types, piece, strict=True)]
        if self._binary:
            bits = sum(1 << (index + _FIRST_BIT) for index, cell in enumerate(cells) if cell is None)
            head = b"\0" + bits.to_bytes((len(piece) + _FIRST_BIT + 7) // 8, "little")
            payload = head + b"".join(cell or b"" for cell in cells)
        else:
            payload = b"".join(mysqlcells.NULL if cell is None else cell for cell in cells)
        if len(payload) > MAX_BLOCK - 64:
            raise RowTooLarge(f"a row of {len(payload) // 2**20} MiB; a row may have {MAX_BLOCK // 2**20} MiB")
        packets = []
        for at in range(0, len(payload) + 1, MAX_PAYLOAD):
            part = payload[at : at + MAX_PAYLOAD]
            packets += [_HEADER.pack(len(part) | self._number % 256 << 24), part]
            self._number += 1
        return memoryview(b"".join(packets))

    def _cell(self, name: str, column: pa.Array) -> bytes | None:
        if column.null_count:
            return None
        if not self._is_text(name):
            return b"".join(part[0].as_py() for part in mysqlcells.binary_cells(name, column))
        value = column[0].as_py()
        raw: bytes = value.encode() if isinstance(value, str) else value
        return mysqlcells.length(len(raw)) + raw
